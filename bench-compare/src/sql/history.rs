//! What the training table says of each series at each cutoff: the scales of MASE and RMSSE, and the last actual.
//!
//! Cutoffs are put among the times of the history as events of their own, and running sums over both give what was known then,
//! so that no row of the history is read once for each cutoff.

use shared::Result;

use super::source::{is_finite, series};
use super::{Dialect, Header};

/// The tables that lead to `anchors` (one row for each series and cutoff) and `history` (one for each series and time).
pub(super) fn ctes(header: &Header) -> Result<Vec<(String, String)>> {
    let Some(train) = &header.train else { return Ok(Vec::new()) };
    let dialect = header.dialect;
    let names = &header.columns;
    let named = |name: &str| format!("h.{}", dialect.name(name));
    let known = format!(
        "SELECT {} AS series, {} AS ds, {} AS y\n  FROM {} h",
        series(dialect, &named(&names.id)),
        named(&names.ds),
        dialect.as_double(&named(&names.y)),
        dialect.table(train)?
    );
    let mut ctes = vec![("known".to_owned(), known), ("history".to_owned(), HISTORY.to_owned())];
    if names.cutoff.is_some() {
        let rest = [("lagged", lagged(header.season)), ("events", events(dialect)), ("running", RUNNING.to_owned())];
        ctes.extend(rest.map(|(name, query)| (name.to_owned(), query)));
        ctes.push(("anchors".to_owned(), anchors()));
    }
    Ok(ctes)
}

/// A time that is there twice is told, not averaged; `times` says so.
const HISTORY: &str = "SELECT series, ds, MIN(y) AS y, COUNT(*) AS times FROM known GROUP BY series, ds";

fn lagged(season: u32) -> String {
    format!(
        "SELECT series, ds, y, times, ABS(y - LAG(y, {season}) OVER (PARTITION BY series ORDER BY ds)) AS difference\n  FROM history"
    )
}

/// The history, and after each time the cutoffs that are at it.
fn events(dialect: Dialect) -> String {
    let nothing = dialect.as_double("NULL");
    format!(
        "SELECT series, ds AS event_time, 0 AS kind, times, y, CASE WHEN {} THEN difference END AS difference FROM lagged\n  \
         UNION ALL\n  \
         SELECT DISTINCT series, cutoff AS event_time, 1 AS kind, 0 AS times, {nothing} AS y, {nothing} AS difference FROM marked",
        is_finite("difference")
    )
}

const RUNNING: &str = "SELECT series, event_time, kind,
    COUNT(difference) OVER (PARTITION BY series ORDER BY event_time, kind ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS differences,
    SUM(difference) OVER (PARTITION BY series ORDER BY event_time, kind ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS total,
    SUM(difference * difference) OVER (PARTITION BY series ORDER BY event_time, kind ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS squares,
    LAG(event_time) OVER (PARTITION BY series ORDER BY event_time, kind) AS time_before,
    LAG(kind) OVER (PARTITION BY series ORDER BY event_time, kind) AS kind_before,
    LAG(y) OVER (PARTITION BY series ORDER BY event_time, kind) AS y_before,
    MAX(times) OVER (PARTITION BY series) AS most_times
  FROM events";

/// No scale where no difference is known or all are 0; no last actual but at the cutoff itself.
fn anchors() -> String {
    let usable = format!("total > 0 AND squares > 0 AND {}", is_finite("squares"));
    format!(
        "SELECT series, event_time AS cutoff, most_times,\n    \
         CASE WHEN {usable} THEN total / differences END AS absolute_scale,\n    \
         CASE WHEN {usable} THEN squares / differences END AS squared_scale,\n    \
         CASE WHEN kind_before = 0 AND time_before = event_time AND {} THEN y_before END AS last_actual\n  \
         FROM running WHERE kind = 1",
        is_finite("y_before")
    )
}
