//! The runs as CSV, one a row.

use shared::error::{Error, Result};

use super::report::{Point, Trend};

const COLUMNS: [&str; 19] = [
    "scheduled_at",
    "wall",
    "reason",
    "outcome",
    "why",
    "effect",
    "standard_error",
    "interval_low",
    "interval_high",
    "p_value",
    "noise_floor",
    "e_value",
    "attempts",
    "lateness_seconds",
    "commit",
    "folder",
    "files_are_gone",
    "baseline",
    "metric",
];

/// One row a point; what is not known is empty.
///
/// # Errors
/// Never, for a text in memory.
pub fn csv(trend: &Trend) -> Result<String> {
    let failed = |error: String| Error::Environment { what: format!("the table: {error}"), help: None };
    let mut writer = csv::Writer::from_writer(Vec::new());
    let metric = trend.metric.clone().unwrap_or_default();
    let rows = trend.points.iter().map(|point| row(point, &metric).to_vec());
    for fields in std::iter::once(COLUMNS.map(str::to_owned).to_vec()).chain(rows) {
        writer.write_record(fields).map_err(|error| failed(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}

fn row(point: &Point, metric: &str) -> [String; 19] {
    let [low, high] = point.interval.map_or([None, None], |ends| ends.map(Some));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        point.scheduled_at.to_string(),
        point.wall.clone(),
        point.reason.clone(),
        point.outcome.clone(),
        point.why.clone(),
        number(point.effect),
        number(point.standard_error),
        number(low),
        number(high),
        number(point.p_value),
        number(point.noise_floor),
        number(point.e_value),
        point.attempts.to_string(),
        point.lateness_seconds.to_string(),
        text(&point.commit),
        text(&point.folder),
        point.files_are_gone.to_string(),
        text(&point.baseline),
        metric.to_owned(),
    ]
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
