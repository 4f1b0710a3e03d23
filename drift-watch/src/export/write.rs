//! The table as CSV.

use std::fmt::{Display, Write};

use super::table::{Cell, Row, Table, Version};
use crate::core::time::text;

/// The names of all columns. The models stand last: what follows `y` is a model to readers of this layout.
pub(super) fn header(table: &Table) -> Vec<String> {
    let mut names = vec!["unique_id".to_owned(), "ds".to_owned(), "cutoff".to_owned(), "h".to_owned()];
    names.extend(table.segments.iter().cloned());
    names.push("y".to_owned());
    names.extend(table.versions.iter().flat_map(version_names));
    names
}

fn version_names(version: &Version) -> Vec<String> {
    let bound = |side: &str| version.level.map(|level| format!("{}-{side}-{level}", version.name));
    [Some(version.name.clone()), bound("lo"), bound("hi")].into_iter().flatten().collect()
}

/// The values of a version in a row.
pub(super) fn values(version: &Version, cell: Option<Cell>) -> Vec<Option<f64>> {
    let (low, high) = cell.and_then(|cell| cell.interval).unzip();
    let mut all = vec![cell.map(|cell| cell.y_hat)];
    if version.level.is_some() {
        all.extend([low, high]);
    }
    all
}

/// The table as CSV.
pub(super) fn csv(table: &Table) -> String {
    let mut out = String::new();
    line(&mut out, header(table).iter().map(|name| quoted(name)));
    for row in &table.rows {
        line(&mut out, cells(table, row).into_iter());
    }
    out
}

fn cells(table: &Table, row: &Row) -> Vec<String> {
    let mut all = vec![quoted(&row.series), text(row.ds), text(row.cutoff), row.horizon.to_string()];
    all.extend(row.segments.iter().map(|value| quoted(value.as_deref().unwrap_or(""))));
    all.push(row.y.to_string());
    let values = table.versions.iter().zip(&row.forecasts).flat_map(|(version, cell)| values(version, *cell));
    all.extend(values.map(|value| value.map(|value| value.to_string()).unwrap_or_default()));
    all
}

fn line(out: &mut String, cells: impl Iterator<Item = impl Display>) {
    for (place, cell) in cells.enumerate() {
        // Writing to a String cannot fail.
        _ = write!(out, "{}{cell}", if place > 0 { "," } else { "" });
    }
    out.push('\n');
}

fn quoted(text: &str) -> String {
    let is_plain = !text.contains(['"', ',', '\n', '\r']);
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
