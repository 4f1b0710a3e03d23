//! Rows to distributions.

use std::collections::BTreeMap;

use shared::format::profile::{Cell, Hits, LAGS, Loss, PROBABILITIES, Quantile, SeriesScale};

use crate::load::forecasts::ForecastRow;

/// One cell for each horizon, and for each slot if asked, that has rows.
pub(super) fn cells(rows: &[ForecastRow], by_slot: bool) -> Vec<Cell> {
    let mut groups: BTreeMap<(u32, Option<u32>), Vec<ForecastRow>> = BTreeMap::new();
    for row in rows {
        groups.entry((row.horizon, by_slot.then_some(row.slot))).or_default().push(row.clone());
    }
    groups.into_iter().map(|((horizon, slot), rows)| cell(&rows, Some(horizon), slot)).collect()
}

/// The errors of some rows.
pub(super) fn cell(rows: &[ForecastRow], horizon: Option<u32>, season_slot: Option<u32>) -> Cell {
    let error = |row: &ForecastRow| row.prediction - row.actual;
    let errors: f64 = rows.iter().map(error).sum();
    let size: f64 = rows.iter().map(|row| row.actual.abs()).sum();
    let finite = |value: f64| value.is_finite().then_some(value);
    Cell {
        horizon,
        season_slot,
        n: rows.len() as u64,
        n_cutoffs: u32::try_from(by_cutoff(rows, |_| Some(0.0)).len()).unwrap_or(u32::MAX),
        absolute_error: loss(rows, |row| Some(error(row).abs())),
        absolute_percentage_error: loss(rows, |row| (row.actual != 0.0).then(|| (error(row) / row.actual).abs())),
        absolute_scaled_error: loss(rows, |row| row.scale.map(|scale| error(row).abs() / scale)),
        mean_error: finite(errors / rows.len() as f64),
        bias_ratio: finite(errors / size),
        direction: direction(rows),
        interval: interval(rows),
    }
}

/// The distribution of a loss over the rows that define it.
fn loss(rows: &[ForecastRow], value: impl Fn(&ForecastRow) -> Option<f64>) -> Option<Loss> {
    let mut values: Vec<f64> = rows.iter().filter_map(&value).filter(|value| value.is_finite()).collect();
    let n = values.len();
    let mean = mean(&values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    values.sort_by(f64::total_cmp);
    let means = by_cutoff(rows, value);
    Some(Loss {
        n: n as u64,
        mean,
        variance: (n > 1).then(|| squares / (n - 1) as f64),
        autocorrelation: autocorrelation(&means),
        quantiles: PROBABILITIES.iter().map(|&p| Quantile { p, value: quantile(&values, p) }).collect(),
    })
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The mean of each cutoff, in order.
fn by_cutoff(rows: &[ForecastRow], value: impl Fn(&ForecastRow) -> Option<f64>) -> Vec<f64> {
    let mut cutoffs: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for (cutoff, value) in rows.iter().filter_map(|row| Some((row.cutoff, value(row)?))) {
        let (sum, count) = cutoffs.entry(cutoff).or_default();
        *sum += value;
        *count += 1.0;
    }
    cutoffs.into_values().map(|(sum, count)| sum / count).collect()
}

/// `r_k = sum (x_t - m)(x_(t+k) - m) / sum (x_t - m)^2` for `k = 1, 2, …`.
fn autocorrelation(values: &[f64]) -> Option<Vec<f64>> {
    let centre = mean(values)?;
    let centred: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let product = |lag: usize| -> f64 { centred.iter().zip(&centred[lag..]).map(|(now, later)| now * later).sum() };
    let variance = product(0);
    let is_usable = values.len() > 2 && variance > 0.0 && variance.is_finite();
    is_usable.then(|| (1..=LAGS.min(values.len() - 2)).map(|lag| product(lag) / variance).collect())
}

/// The quantile of sorted values, linear between order statistics (Hyndman and Fan 1996, definition 7).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

fn direction(rows: &[ForecastRow]) -> Option<Hits> {
    let known = rows.iter().filter_map(|row| Some((row.actual - row.last?, row.prediction - row.last?)));
    let hits = known.fold(Hits::default(), |hits, (actual, predicted)| match actual * predicted {
        0.0 => Hits { ties: hits.ties + 1, ..hits },
        product => Hits { n: hits.n + 1, hits: hits.hits + u64::from(product > 0.0), ..hits },
    });
    (hits.n + hits.ties > 0).then_some(hits)
}

fn interval(rows: &[ForecastRow]) -> Option<Hits> {
    let known = rows.iter().filter_map(|row| Some((row.actual, row.interval?)));
    let hits = known.fold(Hits::default(), |hits, (actual, (low, high))| Hits {
        n: hits.n + 1,
        hits: hits.hits + u64::from(low <= actual && actual <= high),
        ..hits
    });
    (hits.n > 0).then_some(hits)
}

/// The size of each series; rows are sorted by series and cutoff.
pub(super) fn series(rows: &[ForecastRow]) -> Vec<SeriesScale> {
    let of_series = |rows: &[ForecastRow]| {
        let last = rows.last()?;
        let size: f64 = rows.iter().map(|row| row.actual.abs()).sum();
        let n = rows.len();
        let mean_absolute_actual = size / n as f64;
        Some(SeriesScale { name: last.series.clone(), n: n as u64, mean_absolute_actual, scale: last.scale })
    };
    rows.chunk_by(|left, right| left.series == right.series).filter_map(of_series).collect()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "a single value is its own quantile")]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_autocorrelations() {
        // numpy 2.3: np.quantile([1, 2, 4, 8], [.05, .5, .9]) = 1.15, 3.0, 6.8.
        let values = [1.0, 2.0, 4.0, 8.0];
        let found = [0.05, 0.5, 0.9].map(|p| quantile(&values, p));
        assert!(found.iter().zip([1.15, 3.0, 6.8]).all(|(left, right)| (left - right).abs() < 1e-12), "{found:?}");
        assert_eq!(quantile(&[3.0], 0.99), 3.0);
        // By hand: centred -1.5, -0.5, 0.5, 1.5; r1 = (0.75 - 0.25 + 0.75) / 5, r2 = (-0.75 - 0.75) / 5.
        assert_eq!(autocorrelation(&[1.0, 2.0, 3.0, 4.0]), Some(vec![0.25, -0.3]));
        assert_eq!(autocorrelation(&[1.0, 1.0, 1.0]), None);
        assert_eq!(autocorrelation(&[1.0, 2.0]), None);
    }
}
