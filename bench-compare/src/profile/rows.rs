//! The rows that a profile carries.

use std::collections::BTreeSet;

use shared::digest;
use shared::format::profile::Rows;

use crate::load::forecasts::ForecastRow;

/// The rows, sorted as they are; where there are more than `most`, those of a part of the series, chosen by the digests of their names.
pub(super) fn kept(rows: &[ForecastRow], most: usize) -> Rows {
    let chosen = chosen(rows, most);
    let mut table = Rows { of: rows.len() as u64, ..Rows::default() };
    for row in rows.iter().filter(|row| chosen.contains(row.series.as_str())) {
        push(&mut table, row);
    }
    table
}

fn push(table: &mut Rows, row: &ForecastRow) {
    if table.series_names.last() != Some(&row.series) {
        table.series_names.push(row.series.clone());
    }
    table.series.push(u32::try_from(table.series_names.len() - 1).unwrap_or(u32::MAX));
    table.cutoff.push(row.cutoff);
    table.target.push(row.time);
    table.horizon.push(row.horizon);
    table.y.push(row.actual);
    table.y_hat.push(row.prediction);
    table.lo.push(row.interval.map(|(low, _)| low));
    table.hi.push(row.interval.map(|(_, high)| high));
    table.last.push(row.last);
}

/// All series, or as many as fit.
fn chosen(rows: &[ForecastRow], most: usize) -> BTreeSet<&str> {
    let mut series: Vec<(&str, usize)> =
        rows.chunk_by(|a, b| a.series == b.series).map(|rows| (rows[0].series.as_str(), rows.len())).collect();
    if rows.len() > most {
        series.sort_by_cached_key(|(name, _)| digest::of_bytes(name.as_bytes()));
    }
    let mut left = most;
    let fits = |(_, n): &(&str, usize)| {
        let fits = *n <= left;
        left = left.saturating_sub(*n);
        fits
    };
    series.into_iter().take_while(fits).map(|(name, _)| name).collect()
}
