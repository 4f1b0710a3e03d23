//! A model's profile (format 4.8): how large its errors were in the forecast table that it was promoted on, by horizon, so that
//! live monitoring knows what is usual.
//!
//! Written by `bench-compare profile`, carried in the manifest, read by drift-watch.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::format::input::{Input, Tool};
use crate::format::sufficient::Checks;
use crate::format::versioned;

/// The `schema` of a profile that this version writes.
pub const SCHEMA: &str = "bench-compare/profile/1";

/// The probabilities at which losses are described.
pub const PROBABILITIES: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99];

/// How many autocorrelations are given at most.
pub const LAGS: usize = 6;

/// A model's error distribution by horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// Whether all losses could be computed.
    pub complete: bool,
    /// What could not, and why.
    pub missing: Vec<String>,
    /// The model.
    pub model: String,
    /// Forecast steps of the longest window.
    pub horizon: u32,
    /// The grid that steps are counted on.
    pub step: Step,
    /// Seasonal lag of the scale, in rows.
    pub season: u32,
    /// How many season slots there are, if cells are by slot.
    pub season_slots: Option<u32>,
    /// Level of the intervals, in percent, if the model has any.
    pub level_percent: Option<f64>,
    /// Cutoffs that it rests on.
    pub n_cutoffs: u32,
    /// How many windows would be independent, laid end to end: `(last - first cutoff) / horizon + 1`.
    pub independent_windows: f64,
    /// First and last target time.
    pub forecast_span: Option<(String, String)>,
    /// First and last time of the training table.
    pub train_span: Option<(String, String)>,
    /// All horizons together.
    pub overall: Cell,
    /// By horizon, then season slot; only those with rows.
    pub cells: Vec<Cell>,
    /// The scale of each series, sorted by name.
    pub series: Vec<SeriesScale>,
    /// The forecasts and actuals that all of this rests on: monitoring learns from them what is usual, and resamples them to measure its
    /// own rate of false alarms. Absent in profiles of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Rows>,
    /// What was read and what was left out.
    pub checks: Checks,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// The files read.
    pub inputs: Vec<Input>,
}

impl Profile {
    /// Reads the text of a profile that is called `path`.
    ///
    /// # Errors
    /// If it is no profile, or one of another major version.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        versioned::parse_plain(path, bytes, SCHEMA).map_err(|error| {
            if error.help().is_some() { error } else { error.with_help("`bench-compare profile` writes one") }
        })
    }
}

/// Forecasts and actuals, column by column, sorted by series, cutoff and target time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// Rows of the table; more than there are here where whole series were left out to bound the file.
    pub of: u64,
    /// The names of the series that are here.
    pub series_names: Vec<String>,
    /// Index into `series_names`.
    pub series: Vec<u32>,
    /// Forecast origin: microseconds since 1970-01-01T00:00, or the whole number that the table has.
    pub cutoff: Vec<i64>,
    /// Target time, in the same unit.
    pub target: Vec<i64>,
    /// Steps ahead.
    pub horizon: Vec<u32>,
    /// The actual.
    pub y: Vec<f64>,
    /// The forecast.
    pub y_hat: Vec<f64>,
    /// Lower end of the interval.
    pub lo: Vec<Option<f64>>,
    /// Upper end of the interval.
    pub hi: Vec<Option<f64>>,
    /// Last actual at the cutoff.
    pub last: Vec<Option<f64>>,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Whether all columns are equally long and all series have a name.
    pub fn is_sound(&self) -> bool {
        let n = self.len();
        let lengths = [self.cutoff.len(), self.target.len(), self.horizon.len(), self.y.len(), self.y_hat.len()];
        let bounds = [self.lo.len(), self.hi.len(), self.last.len()];
        lengths.iter().chain(&bounds).all(|&length| length == n)
            && self.series.iter().all(|&series| (series as usize) < self.series_names.len())
    }
}

/// The grid of a table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "unit", rename_all = "snake_case")]
pub enum Step {
    /// So many seconds. A time's slot is `floor(seconds since 1970 / length) mod season_slots`.
    Seconds {
        /// Seconds of a step.
        length: f64,
    },
    /// So many calendar months. A time's slot is `floor((12 year + month - 1) / length) mod season_slots`: 0 is January.
    Months {
        /// Months of a step.
        length: i64,
    },
    /// Days from Monday to Friday. A time's slot counts them from 1970.
    BusinessDays,
    /// Whole numbers. A time's slot is `floor(time / length) mod season_slots`.
    Numbers {
        /// Difference of two steps.
        length: f64,
    },
}

/// The errors of one horizon, or of one season slot at one horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Steps ahead; absent over all horizons.
    pub horizon: Option<u32>,
    /// Season slot of the target time, from 0.
    pub season_slot: Option<u32>,
    /// Rows.
    pub n: u64,
    /// Cutoffs that they come from.
    pub n_cutoffs: u32,
    /// `|e|`.
    pub absolute_error: Option<Loss>,
    /// `|e| / |y|` where `y` is not 0.
    pub absolute_percentage_error: Option<Loss>,
    /// `|e| / scale` where a scale is known.
    pub absolute_scaled_error: Option<Loss>,
    /// Mean of `e = prediction - actual`.
    pub mean_error: Option<f64>,
    /// `sum e / sum |y|`.
    pub bias_ratio: Option<f64>,
    /// Same side of the last actual; a tie is no trial.
    pub direction: Option<Hits>,
    /// Actuals inside the interval.
    pub interval: Option<Hits>,
}

/// The distribution of a loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loss {
    /// Rows that define it.
    pub n: u64,
    /// Mean.
    pub mean: f64,
    /// Variance, divisor n - 1; absent for one row.
    pub variance: Option<f64>,
    /// Autocorrelations, at the lags 1, 2, …, of the mean loss of each cutoff, cutoffs in order; divisor n at every lag
    /// (Box and Jenkins 1976, eq. 2.1.11). Absent below 3 cutoffs or where nothing varies.
    pub autocorrelation: Option<Vec<f64>>,
    /// Quantiles (linear between order statistics, as numpy's default).
    pub quantiles: Vec<Quantile>,
}

/// A quantile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    /// The probability.
    pub p: f64,
    /// The value.
    pub value: f64,
}

/// Hits among trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Hits {
    /// Trials.
    pub n: u64,
    /// Hits.
    pub hits: u64,
    /// Rows that are neither: ties of the direction.
    pub ties: u64,
}

/// How large a series is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesScale {
    /// The series.
    pub name: String,
    /// Rows.
    pub n: u64,
    /// Mean absolute actual.
    pub mean_absolute_actual: f64,
    /// The seasonal scale at its last cutoff, if known.
    pub scale: Option<f64>,
}
