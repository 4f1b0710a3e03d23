//! Accuracy metrics, each computed from the sums of [`Measure`]s: a mean or a ratio of sums over *all* paired rows, not a mean
//! of means of series.
//!
//! With `y` the actual, `p` the prediction, `e = p - y`, over the paired rows for which the summand is defined:
//!
//! | metric | JSON key | value | undefined rows (left out, counted) |
//! | --- | --- | --- | --- |
//! | `mape` | `mape_ratio` | mean of abs(e) / abs(y) | `y = 0` |
//! | `smape` | `smape_ratio` | mean of 2 abs(e) / (abs(y) + abs(p)), from 0 to 2; 0 where both are 0 | none |
//! | `wape` | `wape_ratio` | sum abs(e) / sum abs(y) | none; null where all `y = 0` |
//! | `mase` | `mase` | mean of abs(e) / scale | no scale at the cutoff |
//! | `rmsse` | `rmsse` | root of the mean of e² / scale² | no scale at the cutoff |
//! | `mae`, `mse`, `rmse` | the same | mean abs(e), mean e², root of mean e² | none |
//! | `bias` | `bias_ratio` | sum e / sum abs(y): above 0 where the model forecasts too much | none |
//! | `mean_error` | the same | mean e | none |
//! | `da` | `da_ratio` | share of rows with prediction and actual on the same side of the last actual | last actual unknown, or equal to `y` |
//! | `da_tie` | `da_tie_ratio` | share of rows with prediction or actual equal to the last actual | last actual unknown |
//! | `coverage` | `coverage_ratio` | share of actuals in the interval, ends included | a bound is missing |
//! | `pinball` | `pinball` | mean pinball loss of the two ends of the interval; without intervals abs(e) / 2 | a bound is missing |
//!
//! Scales (Hyndman and Koehler 2006) are seasonal differences of the training part up to each cutoff. Where each series has one
//! cutoff, MASE and RMSSE of a series are those of other programs; over series they are means of scaled errors (RMSSE: the
//! root of a mean of squares, not a mean of roots).
//!
//! sMAPE goes by four definitions. Ours is that of `GluonTS` and GIFT-Eval, from 0 to 2. M4 prints 200 abs(e) / (abs(y) + abs(p)),
//! from 0 to 200, with 0/0 not a number; the `ModelBenchmark` class the same with rows of 0/0 *and of missing predictions*
//! dropped; utilsforecast abs(e) / (abs(y) + abs(p)), from 0 to 1, which is half of ours.
//!
//! MAPE leaves zero actuals out (as utilsforecast does); the `ModelBenchmark` class divides by 1e-8 instead, which makes one
//! zero actual outweigh everything else. Losses are *paired*: a row without an actual, or without a forecast of any one of the
//! requested models, counts for none of them, where other programs take each model's own mean.

mod totals;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::format::sufficient::Measure;
use crate::suggest;

pub use totals::Totals;

/// The level of an interval, in percent, where none is stated.
pub const DEFAULT_LEVEL_PERCENT: f64 = 90.0;

/// An accuracy metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Mean absolute percentage error, as a proportion.
    Mape,
    /// Symmetric mean absolute percentage error, from 0 to 2.
    Smape,
    /// Weighted absolute percentage error.
    Wape,
    /// Mean absolute scaled error.
    Mase,
    /// Root mean squared scaled error.
    Rmsse,
    /// Mean absolute error.
    Mae,
    /// Mean squared error.
    Mse,
    /// Root mean squared error.
    Rmse,
    /// Sum of errors over sum of absolute actuals.
    Bias,
    /// Mean error.
    MeanError,
    /// Directional accuracy.
    Da,
    /// Share of ties, which directional accuracy counts for no side.
    DaTie,
    /// Share of actuals inside the interval.
    Coverage,
    /// Pinball loss.
    Pinball,
}

/// Which value of a metric is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The lowest: a loss.
    Lower,
    /// The highest: a hit rate.
    Higher,
    /// The nearest to zero: a bias.
    NearZero,
    /// The nearest to the nominal level: a coverage.
    NearNominal,
}

/// How a metric follows from sums: `numerator / denominator`, or the square root of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Form {
    /// What is summed above.
    pub numerator: Measure,
    /// What is summed below; the count of the numerator's rows if nothing.
    pub denominator: Option<Measure>,
    /// Whether the metric is the square root.
    pub is_root: bool,
}

impl Metric {
    /// All metrics.
    pub const ALL: [Self; 14] = [
        Self::Mape,
        Self::Smape,
        Self::Wape,
        Self::Mase,
        Self::Rmsse,
        Self::Mae,
        Self::Mse,
        Self::Rmse,
        Self::Bias,
        Self::MeanError,
        Self::Da,
        Self::DaTie,
        Self::Coverage,
        Self::Pinball,
    ];

    /// The name, as flags and policies have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mape => "mape",
            Self::Smape => "smape",
            Self::Wape => "wape",
            Self::Mase => "mase",
            Self::Rmsse => "rmsse",
            Self::Mae => "mae",
            Self::Mse => "mse",
            Self::Rmse => "rmse",
            Self::Bias => "bias",
            Self::MeanError => "mean_error",
            Self::Da => "da",
            Self::DaTie => "da_tie",
            Self::Coverage => "coverage",
            Self::Pinball => "pinball",
        }
    }

    /// The key in JSON, which says so where the value is a proportion.
    pub fn key(self) -> &'static str {
        match self {
            Self::Mape => "mape_ratio",
            Self::Smape => "smape_ratio",
            Self::Wape => "wape_ratio",
            Self::Bias => "bias_ratio",
            Self::Da => "da_ratio",
            Self::DaTie => "da_tie_ratio",
            Self::Coverage => "coverage_ratio",
            _ => self.name(),
        }
    }

    /// Which value is best.
    pub fn better(self) -> Better {
        match self {
            Self::Da => Better::Higher,
            Self::Coverage => Better::NearNominal,
            Self::Bias | Self::MeanError => Better::NearZero,
            _ => Better::Lower,
        }
    }

    /// How the metric follows from sums, given the level of the intervals, in percent, if the models have any.
    pub fn form(self, level: Option<f64>) -> Form {
        let mean = |numerator| Form { numerator, denominator: None, is_root: false };
        let root = |numerator| Form { numerator, denominator: None, is_root: true };
        let ratio = |numerator| Form { numerator, denominator: Some(Measure::AbsoluteActual), is_root: false };
        match self {
            Self::Mape => mean(Measure::AbsolutePercentageError),
            Self::Smape => mean(Measure::SymmetricPercentageError),
            Self::Wape => ratio(Measure::AbsoluteError),
            Self::Mase => mean(Measure::AbsoluteScaledError),
            Self::Rmsse => root(Measure::SquaredScaledError),
            Self::Mae => mean(Measure::AbsoluteError),
            Self::Mse => mean(Measure::SquaredError),
            Self::Rmse => root(Measure::SquaredError),
            Self::Bias => ratio(Measure::Error),
            Self::MeanError => mean(Measure::Error),
            Self::Da => mean(Measure::DirectionHit),
            Self::DaTie => mean(Measure::DirectionTie),
            Self::Coverage => mean(Measure::IntervalHit { level: level.unwrap_or(DEFAULT_LEVEL_PERCENT) }),
            Self::Pinball => mean(level.map_or(Measure::PointPinball, |level| Measure::IntervalPinball { level })),
        }
    }

    /// The measures that the metric needs.
    pub fn measures(self, level: Option<f64>) -> impl Iterator<Item = Measure> {
        let form = self.form(level);
        [Some(form.numerator), form.denominator].into_iter().flatten()
    }

    /// The metric of a model from its sums; `None` where no row defines it or the sums are not finite.
    pub fn value(self, totals: &Totals, level: Option<f64>) -> Option<f64> {
        let form = self.form(level);
        let (above, count) = totals.of(form.numerator)?;
        let below = match form.denominator {
            Some(measure) => totals.of(measure)?.0,
            None => count as f64,
        };
        let ratio = above / below;
        let value = if form.is_root { ratio.sqrt() } else { ratio };
        (count > 0 && below > 0.0 && value.is_finite()).then_some(value)
    }
}

/// The measures that several metrics need, each once, in order of first need.
pub fn measures_of(metrics: &[Metric], level: Option<f64>) -> Vec<Measure> {
    let mut measures = Vec::new();
    for measure in metrics.iter().flat_map(|metric| metric.measures(level)) {
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    }
    measures
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = || Self::ALL.into_iter().map(Self::name);
        let meant = text.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|metric| metric.name() == meant).ok_or_else(|| {
            let all: Vec<&str> = known().collect();
            let error = Error::usage(format!("metric {text:?}"), all.join(", "));
            match suggest::nearest(&meant, known()) {
                Some(near) => error.with_help(format!("did you mean {near:?}?")),
                None => error,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_mistypes_are_told() {
        for metric in Metric::ALL {
            assert_eq!(metric.name().parse::<Metric>().unwrap(), metric);
            assert!(metric.key().starts_with(metric.name()));
        }
        assert_eq!("MAPE".parse::<Metric>().unwrap(), Metric::Mape);
        assert_eq!("mapee".parse::<Metric>().unwrap_err().help(), Some("did you mean \"mape\"?"));
    }

    #[test]
    fn shared_measures_are_summed_once() {
        let measures = measures_of(&[Metric::Mae, Metric::Wape, Metric::Rmse, Metric::Mse], None);
        assert_eq!(measures, [Measure::AbsoluteError, Measure::AbsoluteActual, Measure::SquaredError]);
    }

    #[test]
    fn what_no_row_defines_is_null() {
        let none = Totals::new(4, vec![(Measure::AbsolutePercentageError, 0.0, 0)]);
        assert_eq!(Metric::Mape.value(&none, None), None);
        assert_eq!(Metric::Mae.value(&none, None), None);
        let zeros = Totals::new(4, vec![(Measure::AbsoluteError, 3.0, 4), (Measure::AbsoluteActual, 0.0, 4)]);
        assert_eq!(Metric::Wape.value(&zeros, None), None);
        let huge = Totals::new(4, vec![(Measure::SquaredError, f64::INFINITY, 4)]);
        assert_eq!(Metric::Rmse.value(&huge, None), None);
    }
}
