//! Metrics of a whole sample of rows, as Evidently gives them: so that our numbers can be held against its.
//!
//! With y the actual, p the prediction, standard deviations with n - 1 below:
//!
//! | what | how | Evidently 0.7.23 |
//! | --- | --- | --- |
//! | `mape` | mean and sd of abs(p - y) / abs(y), proportions | mean in *percent* ([`Sample::mape_percent`]), sd as a proportion; zero and negative actuals divide by 2.2e-16 |
//! | `mae` | mean and sd of abs(p - y) | the same |
//! | `mean_error` | mean and sd of p - y | the same |
//! | `rmse` | root of the mean of (p - y)² | the same |
//! | `r2` | 1 - Σ(p - y)² / Σ(y - ȳ)²; absent where all actuals are equal | the same; 0 or 1 there |
//! | `max_absolute_error` | the largest abs(p - y) | the same |
//!
//! Rows with an actual or prediction that is not finite are left out and counted, as Evidently does without the count; rows with
//! y = 0 are left out of MAPE alone and counted.

use serde::{Deserialize, Serialize};

use super::chunk::{Errors, Pair};
use super::moments::{Moments, mean, sum};

/// A mean, and the standard deviation of what it is the mean of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation; absent for one row.
    pub sd: Option<f64>,
}

impl Spread {
    fn of(values: &[f64]) -> Option<Self> {
        Moments::of(values).map(|moments| Self { mean: moments.mean, sd: moments.sample_sd() })
    }
}

/// Metrics of a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Rows that count.
    pub rows: usize,
    /// Rows left out since actual or prediction is not finite.
    pub not_finite: usize,
    /// Rows left out of MAPE alone since the actual is 0.
    pub zero_actuals: usize,
    /// Absolute error over absolute actual; absent where all actuals are 0.
    pub mape_ratio: Option<Spread>,
    /// Absolute error.
    pub mae: Spread,
    /// Prediction minus actual: above 0 where the model forecasts too much.
    pub mean_error: Spread,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Coefficient of determination; absent where all actuals are equal.
    pub r2: Option<f64>,
    /// The largest absolute error.
    pub max_absolute_error: f64,
}

impl Sample {
    /// The metrics of `pairs`; nothing where no row is usable.
    ///
    /// ```
    /// use drift_watch::core::{chunk::Pair, sample::Sample};
    ///
    /// let pairs = [(100.0, 110.0), (200.0, 180.0)].map(|(actual, predicted)| Pair { actual, predicted });
    /// let sample = Sample::of(&pairs).unwrap();
    /// assert_eq!((sample.mape_percent(), sample.mean_error.mean, sample.r2), (Some(10.0), -5.0, Some(0.9)));
    /// ```
    pub fn of(pairs: &[Pair]) -> Option<Self> {
        let errors = Errors::of(pairs);
        let rows = errors.signed.len();
        Some(Self {
            rows,
            not_finite: pairs.len() - rows,
            zero_actuals: rows - errors.relative.len(),
            mape_ratio: Spread::of(&errors.relative),
            mae: Spread::of(&errors.absolute)?,
            mean_error: Spread::of(&errors.signed)?,
            rmse: mean(&errors.squared)?.sqrt(),
            r2: r2(pairs, &errors.squared),
            max_absolute_error: errors.absolute.iter().copied().fold(0.0, f64::max),
        })
    }

    /// MAPE in percent, as Evidently prints it.
    pub fn mape_percent(&self) -> Option<f64> {
        self.mape_ratio.map(|mape| 100.0 * mape.mean)
    }
}

fn r2(pairs: &[Pair], squared: &[f64]) -> Option<f64> {
    let actuals: Vec<f64> = pairs.iter().filter(|pair| pair.is_finite()).map(|pair| pair.actual).collect();
    let total = Moments::of(&actuals)?.squares;
    (total > 0.0).then(|| 1.0 - sum(squared.iter().copied()) / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(actual: f64, predicted: f64) -> Pair {
        Pair { actual, predicted }
    }

    #[test]
    fn undefined_metrics_are_absent() {
        assert_eq!(Sample::of(&[]), None);
        assert_eq!(Sample::of(&[pair(f64::NAN, 1.0)]), None);
        let sample = Sample::of(&[pair(0.0, 1.0), pair(f64::NAN, 1.0)]).unwrap();
        assert_eq!((sample.rows, sample.not_finite, sample.zero_actuals), (1, 1, 1));
        assert_eq!((sample.mape_ratio, sample.mape_percent(), sample.r2), (None, None, None));
        assert_eq!(sample.mae, Spread { mean: 1.0, sd: None });
    }

    #[test]
    fn the_sign_is_prediction_minus_actual() {
        let sample = Sample::of(&[pair(10.0, 12.0), pair(20.0, 24.0)]).unwrap();
        assert_eq!(sample.mean_error, Spread { mean: 3.0, sd: Some(2.0_f64.sqrt()) });
        assert_eq!(sample.max_absolute_error, 4.0);
    }
}
