//! Metrics of chunks of a fixed number of rows, with sampling errors and limits, as `NannyML` computes them: so that our numbers
//! can be held against its.
//!
//! With y the actual, p the prediction, over the rows of a chunk:
//!
//! | what | how | `NannyML` 0.13.1 |
//! | --- | --- | --- |
//! | `mape` | mean abs(p - y) / abs(y), a proportion | the same, but a zero actual divides by 2.2e-16; ours leaves the row out and counts it |
//! | `mae`, `mse`, `rmse` | mean abs(p - y), mean (p - y)², its root | the same |
//! | `mean_error` | mean (p - y) | has none |
//! | sampling error of a mean | sd over the *reference rows* / √n, n the rows of the chunk | the same; its MAPE divides by y with its sign |
//! | sampling error of `rmse` | √(sd² / (4 n m)), sd and m of the squared errors of the reference: the delta method | the same |
//! | limits | mean ± 3 sd over the *reference chunks*, sd with n below; not below 0 for a loss | the same |
//! | alert | strictly outside the limits | the same |
//!
//! The last chunk may be short and counts as any other (`incomplete="keep"`). Rows with an actual or prediction that is not
//! finite are left out and counted, after the chunks have been cut.
//!
//! Control: **none**. Ten chunks estimate a standard deviation badly; on `NannyML`'s own data two of five chunks before the drift
//! raise an alert. The limits assume that chunks are exchangeable, which seasons are not.

use serde::{Deserialize, Serialize};
use shared::metric::Metric;
use shared::{Error, Result};

use super::moments::{Moments, mean};

/// The metrics of a chunk, in order.
pub const METRICS: [Metric; 5] = [Metric::Mape, Metric::Mae, Metric::Mse, Metric::Rmse, Metric::MeanError];

/// How many standard deviations the limits are away from the mean.
const LIMIT_SDS: f64 = 3.0;

/// An actual and its prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// What was observed.
    pub actual: f64,
    /// What was predicted.
    pub predicted: f64,
}

impl Pair {
    /// Prediction minus actual.
    pub fn error(&self) -> f64 {
        self.predicted - self.actual
    }

    /// Absolute error over absolute actual; nothing where that is 0.
    pub fn relative_error(&self) -> Option<f64> {
        (self.actual != 0.0).then(|| self.error().abs() / self.actual.abs())
    }

    /// Whether both are finite.
    pub fn is_finite(&self) -> bool {
        self.actual.is_finite() && self.predicted.is_finite()
    }
}

/// The errors of the usable rows.
pub(crate) struct Errors {
    pub(crate) signed: Vec<f64>,
    pub(crate) absolute: Vec<f64>,
    pub(crate) squared: Vec<f64>,
    /// Without the rows whose actual is 0.
    pub(crate) relative: Vec<f64>,
}

impl Errors {
    pub(crate) fn of(pairs: &[Pair]) -> Self {
        let usable = || pairs.iter().filter(|pair| pair.is_finite());
        Self {
            signed: usable().map(Pair::error).collect(),
            absolute: usable().map(|pair| pair.error().abs()).collect(),
            squared: usable().map(|pair| pair.error() * pair.error()).collect(),
            relative: usable().filter_map(Pair::relative_error).collect(),
        }
    }

    /// What a metric is the mean (or the root of the mean) of.
    fn behind(&self, metric: Metric) -> &[f64] {
        match metric {
            Metric::Mape => &self.relative,
            Metric::Mae => &self.absolute,
            Metric::MeanError => &self.signed,
            _ => &self.squared,
        }
    }
}

/// A chunk and its metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Number of its first row, from 0.
    pub start: usize,
    /// Its rows, those left out included.
    pub rows: usize,
    /// Rows left out since actual or prediction is not finite.
    pub not_finite: usize,
    /// Rows left out of MAPE alone since the actual is 0.
    pub zero_actuals: usize,
    /// One value for each of [`METRICS`]; absent where no row defines it.
    values: [Option<f64>; METRICS.len()],
}

impl Chunk {
    fn of(start: usize, pairs: &[Pair]) -> Self {
        let errors = Errors::of(pairs);
        let value = |metric| {
            let mean = mean(errors.behind(metric));
            if metric == Metric::Rmse { mean.map(f64::sqrt) } else { mean }
        };
        Self {
            start,
            rows: pairs.len(),
            not_finite: pairs.len() - errors.signed.len(),
            zero_actuals: errors.signed.len() - errors.relative.len(),
            values: METRICS.map(value),
        }
    }

    /// The value of one of [`METRICS`].
    pub fn value(&self, metric: Metric) -> Option<f64> {
        METRICS.iter().zip(self.values).find(|(known, _)| **known == metric).and_then(|(_, value)| value)
    }

    /// Rows that go into `metric`.
    pub fn counted(&self, metric: Metric) -> usize {
        let usable = self.rows - self.not_finite;
        if metric == Metric::Mape { usable - self.zero_actuals } else { usable }
    }
}

/// Cuts rows into chunks of `size`, the last one as long as what is left.
///
/// ```
/// use drift_watch::core::chunk::{Pair, chunks};
/// use shared::metric::Metric;
///
/// let pairs = [(100.0, 110.0), (200.0, 180.0), (0.0, 5.0)].map(|(actual, predicted)| Pair { actual, predicted });
/// let chunks = chunks(&pairs, 2)?;
/// assert_eq!(chunks[0].value(Metric::Mape), Some(0.1));
/// assert_eq!(chunks[0].value(Metric::MeanError), Some(-5.0));
/// assert_eq!((chunks[1].value(Metric::Mape), chunks[1].zero_actuals, chunks[1].value(Metric::Mae)), (None, 1, Some(5.0)));
/// # Ok::<(), shared::Error>(())
/// ```
///
/// # Errors
/// If `size` is 0.
pub fn chunks(pairs: &[Pair], size: usize) -> Result<Vec<Chunk>> {
    if size == 0 {
        return Err(Error::usage("chunks of 0 rows", "a number of rows from 1"));
    }
    Ok(pairs.chunks(size).enumerate().map(|(index, part)| Chunk::of(index * size, part)).collect())
}

/// Between which values a metric is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

impl Limits {
    /// Mean ± 3 standard deviations (n below) of the values of reference chunks, with the lower one not below `floor`; nothing
    /// for no values.
    pub fn of(values: &[f64], floor: Option<f64>) -> Option<Self> {
        let moments = Moments::of(values)?;
        let reach = LIMIT_SDS * moments.population_sd();
        let lower = moments.mean - reach;
        Some(Self { lower: floor.map_or(lower, |floor| lower.max(floor)), upper: moments.mean + reach })
    }

    /// Whether a value lies strictly outside.
    pub fn is_alert(&self, value: f64) -> bool {
        value < self.lower || value > self.upper
    }
}

/// What a reference says of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    /// The metric.
    pub metric: Metric,
    /// Its limits.
    pub limits: Limits,
    /// Sampling error of a chunk of one row; that of n rows is smaller by √n.
    unit_sampling_error: f64,
}

impl Standard {
    fn of(metric: Metric, chunks: &[Chunk], errors: &Errors) -> Option<Self> {
        let values: Vec<f64> = chunks.iter().filter_map(|chunk| chunk.value(metric)).collect();
        let floor = (metric != Metric::MeanError).then_some(0.0);
        let moments = Moments::of(errors.behind(metric))?;
        let sd = moments.population_sd();
        let unit_sampling_error = match metric {
            // The derivative of the root; a reference without errors has none to sample.
            Metric::Rmse if moments.mean > 0.0 => (sd * sd / (4.0 * moments.mean)).sqrt(),
            _ => sd,
        };
        Some(Self { metric, limits: Limits::of(&values, floor)?, unit_sampling_error })
    }

    /// Standard deviation of the metric of a chunk of `rows` rows by chance alone, if its rows are like those of the reference
    /// and independent.
    pub fn sampling_error(&self, rows: usize) -> Option<f64> {
        (rows > 0).then(|| self.unit_sampling_error / (rows as f64).sqrt())
    }

    /// Whether a chunk raises an alert; a chunk without a value does not.
    pub fn is_alert(&self, chunk: &Chunk) -> bool {
        chunk.value(self.metric).is_some_and(|value| self.limits.is_alert(value))
    }
}

/// Limits and sampling errors from reference rows, for each of [`METRICS`] that they define.
///
/// # Errors
/// If `size` is 0, or no reference row is usable.
pub fn standards(reference: &[Pair], size: usize) -> Result<Vec<Standard>> {
    let chunks = chunks(reference, size)?;
    let errors = Errors::of(reference);
    if errors.signed.is_empty() {
        let found = format!("{} reference rows, none with a finite actual and prediction", reference.len());
        return Err(Error::usage(found, "at least one"));
    }
    Ok(METRICS.into_iter().filter_map(|metric| Standard::of(metric, &chunks, &errors)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(actual: f64, predicted: f64) -> Pair {
        Pair { actual, predicted }
    }

    #[test]
    fn rows_that_are_not_finite_are_counted_and_left_out() {
        let pairs = [pair(f64::NAN, 1.0), pair(10.0, 12.0), pair(1.0, f64::INFINITY), pair(0.0, 1.0)];
        let chunk = &chunks(&pairs, 10).unwrap()[0];
        assert_eq!((chunk.rows, chunk.not_finite, chunk.zero_actuals), (4, 2, 1));
        assert_eq!((chunk.counted(Metric::Mae), chunk.counted(Metric::Mape)), (2, 1));
        assert_eq!((chunk.value(Metric::Mae), chunk.value(Metric::Mape)), (Some(1.5), Some(0.2)));
        assert_eq!((chunk.value(Metric::Mse), chunk.value(Metric::Rmse)), (Some(2.5), Some(2.5_f64.sqrt())));
        assert_eq!(chunk.value(Metric::Smape), None);
        let nothing = &chunks(&[pair(f64::NAN, f64::NAN)], 1).unwrap()[0];
        assert!(METRICS.into_iter().all(|metric| nothing.value(metric).is_none()));
    }

    #[test]
    fn limits_are_clipped_for_losses_and_not_for_the_mean_error() {
        // Mean 2, sd 2: the lower limit would be -4.
        let limits = Limits::of(&[0.0, 4.0], Some(0.0)).unwrap();
        assert_eq!(limits, Limits { lower: 0.0, upper: 8.0 });
        assert!(!limits.is_alert(0.0) && !limits.is_alert(8.0) && limits.is_alert(8.1) && limits.is_alert(-0.1));
        assert_eq!(Limits::of(&[0.0, 4.0], None).unwrap().lower, -4.0);
        assert_eq!(Limits::of(&[], None), None);
        let standards = standards(&[pair(10.0, 10.0), pair(10.0, 6.0)], 1).unwrap();
        let lower = |metric| standards.iter().find(|standard| standard.metric == metric).unwrap().limits.lower;
        assert_eq!((lower(Metric::Mae), lower(Metric::MeanError)), (0.0, -8.0));
    }

    #[test]
    fn what_cannot_be_cut_or_learned_from_is_refused() {
        assert!(chunks(&[pair(1.0, 1.0)], 0).is_err());
        assert!(standards(&[], 5).is_err() && standards(&[pair(f64::NAN, 1.0)], 5).is_err());
        // Zero actuals alone define everything but MAPE.
        let standards = standards(&[pair(0.0, 1.0), pair(0.0, 2.0)], 1).unwrap();
        assert!(standards.iter().all(|standard| standard.metric != Metric::Mape) && standards.len() == 4);
    }

    #[test]
    fn a_perfect_reference_has_no_sampling_error() {
        let standards = standards(&[pair(1.0, 1.0); 4], 2).unwrap();
        assert!(standards.iter().all(|standard| standard.sampling_error(2) == Some(0.0)));
        assert!(standards[0].sampling_error(0).is_none());
        assert!(standards[1].is_alert(&chunks(&[pair(1.0, 1.1)], 2).unwrap()[0]));
    }
}
