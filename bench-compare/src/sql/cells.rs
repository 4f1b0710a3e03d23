//! From rows to cells: each row beside its history, once for each group that it is in, and summed.

use shared::format::sufficient::Measure;

use super::source::{befores, is_finite};
use super::{Header, columns, measure};

/// `scored`: rows with what is known at their cutoff; `grouped`: once for each group; `cells`: summed.
pub(super) fn ctes(header: &Header) -> Vec<(String, String)> {
    let named = [("scored", scored(header)), ("grouped", grouped(header)), ("cells", cells(header))];
    named.map(|(name, query)| (name.to_owned(), query)).into()
}

fn scored(header: &Header) -> String {
    let nothing = |name: &str| format!("{} AS {name}", header.dialect.as_double("NULL"));
    let anchored = header.train.is_some() && header.columns.cutoff.is_some();
    let of_anchor = |name: &str| if anchored { format!("a.{name}") } else { nothing(name) };
    let mut parts: Vec<String> = vec!["r.*".to_owned()];
    parts.extend(["absolute_scale", "squared_scale", "last_actual"].map(of_anchor));
    parts.push(match (&header.train, anchored) {
        (Some(_), true) => "h.y AS known_actual, a.most_times AS train_times".to_owned(),
        (Some(_), false) => "h.y AS known_actual, h.times AS train_times".to_owned(),
        (None, _) => format!("{}, 1 AS train_times", nothing("known_actual")),
    });
    parts.extend(befores(header));
    let mut joins = String::new();
    if anchored {
        joins += "\n  LEFT JOIN anchors a ON a.series = r.series AND a.cutoff = r.cutoff";
    }
    if header.train.is_some() {
        joins += "\n  LEFT JOIN history h ON h.series = r.series AND h.ds = r.ds";
    }
    format!("SELECT {}\n  FROM marked r{joins}", parts.join(",\n    "))
}

/// All rows are in group 0; only paired ones in slices and levels.
fn grouped(header: &Header) -> String {
    let (slices, by) = (header.slices.len(), header.by.len());
    let ids: Vec<String> = (0..=slices + by).map(|group| format!("SELECT {group} AS group_id")).collect();
    let inside = (0..slices).map(|slice| format!("WHEN {} THEN r.in_slice{slice}", slice + 1));
    let inside: Vec<String> = inside.collect();
    let inside = if inside.is_empty() {
        String::new()
    } else {
        format!(" AND CASE g.group_id {} ELSE 1 END = 1", inside.join(" "))
    };
    format!(
        "SELECT g.group_id,\n    {} AS group_level,\n    {} AS level_type,\n    r.*\n  FROM scored r\n  CROSS JOIN ({}) g\n  WHERE g.group_id = 0 OR (r.paired = 1{inside})",
        of_group(header, "level"),
        of_group(header, "level_type"),
        ids.join(" UNION ALL ")
    )
}

/// The row's value of the column that the group is about, null in other groups.
fn of_group(header: &Header, name: &str) -> String {
    let first = header.slices.len() + 1;
    let cases = (0..header.by.len()).map(|by| format!("WHEN {} THEN r.{name}{by}", first + by));
    let cases: Vec<String> = cases.collect();
    if cases.is_empty() { header.dialect.as_text("NULL") } else { format!("CASE g.group_id {} END", cases.join(" ")) }
}

fn cells(header: &Header) -> String {
    let mut parts = vec![
        "group_id AS k_group".to_owned(),
        "group_level AS k_level".to_owned(),
        "series AS k_series".to_owned(),
        "cutoff AS k_cutoff".to_owned(),
        "MIN(cutoff) AS one_cutoff".to_owned(),
        "MIN(level_type) AS one_type".to_owned(),
        "MIN(ds) AS a_first".to_owned(),
        "MAX(ds) AS a_last".to_owned(),
    ];
    parts.extend(counts(header).into_iter().map(|(name, value)| format!("{value} AS a_{name}")));
    parts.extend(sums(header).into_iter().map(|(name, value)| format!("{value} AS a_{name}")));
    format!("SELECT\n    {}\n  FROM grouped\n  GROUP BY group_id, group_level, series, cutoff", parts.join(",\n    "))
}

/// A number of rows for which a condition holds.
fn rows_where(condition: &str) -> String {
    format!("SUM(CASE WHEN {condition} THEN 1 ELSE 0 END)")
}

fn unless(condition: &str) -> String {
    format!("SUM(CASE WHEN {condition} THEN 0 ELSE 1 END)")
}

/// The counts of a cell, by name.
fn counts(header: &Header) -> Vec<(String, String)> {
    let after = if header.columns.cutoff.is_some() { "ds > cutoff" } else { "ds IS NOT NULL" };
    let differs = "paired = 1 AND ABS(y - known_actual) > 1E-6 * CASE WHEN ABS(y) > ABS(known_actual) THEN ABS(y) ELSE ABS(known_actual) END";
    let differs = format!("{differs} AND {}", is_finite("known_actual"));
    let usual = [
        "1".to_owned(),
        "COUNT(*)".to_owned(),
        "COUNT(DISTINCT ds)".to_owned(),
        unless(after),
        rows_where("train_times > 1"),
        rows_where(&differs),
        "SUM(paired)".to_owned(),
        unless(&is_finite("y")),
        rows_where("paired = 1 AND y = 0"),
        rows_where("paired = 1 AND absolute_scale IS NULL"),
        rows_where("paired = 1 AND last_actual IS NULL"),
    ];
    let names = columns::COUNTS.into_iter().chain([columns::NO_LAST]).map(str::to_owned);
    let missing =
        (0..header.models.len()).map(|model| (columns::missing(model), unless(&is_finite(&format!("m{model}")))));
    let of_measures =
        header.measures.iter().filter_map(|&measure| Some((columns::count(measure)?, count(header, measure))));
    names.zip(usual).chain(missing).chain(of_measures).collect()
}

fn count(header: &Header, measure: Measure) -> String {
    format!("SUM(CASE WHEN paired = 1 THEN {} ELSE 0 END)", measure::defined(header, measure))
}

/// The sums of a cell, by name, each once.
fn sums(header: &Header) -> Vec<(String, String)> {
    let mut sums: Vec<(String, String)> = Vec::new();
    for &measure in &header.measures {
        for model in 0..header.models.len() {
            let Some(name) = columns::sum(header, measure, model) else { continue };
            if sums.iter().all(|(known, _)| *known != name) {
                let value = measure::summand(header, measure, model);
                sums.push((name, format!("SUM(CASE WHEN paired = 1 THEN {value} ELSE 0E0 END)")));
            }
        }
    }
    sums
}
