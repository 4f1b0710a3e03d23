//! Sufficient statistics (format 4.10): what a forecast table says of its models, summed by series and cutoff.
//!
//! One pass over a forecast table makes a [`Sufficient`]; every metric, gate and interval is computed from it, and an
//! engine that holds the table itself may deliver the same sums instead of the rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A quantity that each paired row adds to a sum, for each model: `y` the actual, `p` the prediction, `e = p - y`.
///
/// A row for which a measure is undefined is left out of that measure's sum and count for *all* models.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// `|e|`.
    AbsoluteError,
    /// `e²`.
    SquaredError,
    /// `e`: positive where the model forecasts too much.
    Error,
    /// `|y|`: the same for every model.
    AbsoluteActual,
    /// `|e| / |y|`, undefined where `y = 0`.
    AbsolutePercentageError,
    /// `2|e| / (|y| + |p|)`, 0 where both are 0.
    SymmetricPercentageError,
    /// `|e| / scale`, the scale being the series' mean absolute seasonal difference up to the cutoff; undefined without one.
    AbsoluteScaledError,
    /// `e² / scale²`, the scale being the root mean squared seasonal difference up to the cutoff; undefined without one.
    SquaredScaledError,
    /// 1 where prediction and actual lie on the same side of the last actual at the cutoff, 0 where they do not. Undefined
    /// where the actual equals the last actual or that is unknown. A prediction that equals it is no hit (a naive model hits
    /// never, and takes no rows away from the others) and is counted in [`Measure::DirectionTie`].
    DirectionHit,
    /// 1 where prediction or actual equals the last actual at the cutoff; undefined where that is unknown.
    DirectionTie,
    /// 1 where the actual lies inside the model's interval of this level (in percent, as in the column name); undefined for
    /// models without one.
    IntervalHit {
        /// The nominal level in percent, e.g. 90.
        level: f64,
    },
    /// Mean pinball loss of the two ends of the interval of this level, each at its own quantile.
    IntervalPinball {
        /// The nominal level in percent, e.g. 90.
        level: f64,
    },
    /// Pinball loss of the point forecast at quantile 0.5: `|e| / 2`.
    PointPinball,
}

/// The sums of one group of rows, one cell for each (series, cutoff) that has paired rows in the group.
///
/// Cells are sorted by series, then cutoff. `sums` is laid out `[cell][model][measure]`, `counts` `[cell][measure]`; with `M`
/// measures and `K` models the sum of cell `c`, model `k`, measure `m` is `sums[(c * K + k) * M + m]`. Where a measure is
/// undefined for one model altogether (an interval that only the candidate has), its sum is NaN in memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panel {
    /// Index of the series of each cell, into [`Sufficient::series`].
    pub series: Vec<u32>,
    /// Index of the cutoff of each cell, into [`Sufficient::cutoffs`].
    pub cutoffs: Vec<u32>,
    /// Paired rows of each cell.
    pub rows: Vec<u32>,
    /// Rows for which the measure is defined, `[cell][measure]`.
    pub counts: Vec<u32>,
    /// Sums, `[cell][model][measure]`.
    pub sums: Vec<f64>,
}

/// A named subset of the rows and its sums. The first group is always all rows, with the name `all`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// `all`, a slice's predicate as written, or the level of a `--by` column (`holiday=1`).
    pub name: String,
    /// The sums.
    pub panel: Panel,
}

/// A forecast origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutoff {
    /// As printed: an RFC 3339 date or date-time, or the integer that the file has.
    pub label: String,
    /// Its place on the time axis in forecast steps (the table's own spacing), counted from the first cutoff. Two cutoffs
    /// whose positions differ by less than the horizon have overlapping windows.
    pub position: f64,
}

/// What was read and what was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Checks {
    /// Rows in the file.
    pub rows: u64,
    /// Rows in which the actual and every requested model are finite: the only ones that count.
    pub paired: u64,
    /// Rows without a finite actual.
    pub missing_actual: u64,
    /// Rows lost because this model has no finite forecast there, in the order of [`Sufficient::models`]; a row may be lost by several.
    pub missing_forecast: Vec<u64>,
    /// Paired rows whose actual is zero (left out of percentage errors).
    pub zero_actual: u64,
    /// Paired rows without a training scale up to the cutoff (left out of scaled errors).
    pub no_scale: u64,
    /// Paired rows without a known last actual at the cutoff (left out of directional accuracy).
    pub no_last_actual: u64,
    /// Identical duplicate rows that were dropped, where that was allowed.
    pub duplicates_dropped: u64,
}

/// A forecast table, summed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sufficient {
    /// The models, in the order asked for.
    pub models: Vec<String>,
    /// The measures, in the order asked for.
    pub measures: Vec<Measure>,
    /// Series, sorted by name.
    pub series: Vec<String>,
    /// Cutoffs, in time order.
    pub cutoffs: Vec<Cutoff>,
    /// Forecast steps of the longest window (H).
    pub horizon: u32,
    /// All rows, then the groups asked for.
    pub groups: Vec<Group>,
    /// What was read and what was left out.
    pub checks: Checks,
    /// First and last target time, as printed.
    pub span: Option<(String, String)>,
    /// What a reader should know: re-reads, inferred columns, zones.
    pub notes: Vec<String>,
}

impl Panel {
    /// The cells of these indices, in this order.
    #[must_use]
    pub fn subset(&self, cells: &[usize]) -> Self {
        let pick = |values: &[u32], width: usize| -> Vec<u32> {
            cells.iter().flat_map(|&cell| &values[cell * width..(cell + 1) * width]).copied().collect()
        };
        let width = |len: usize| len.checked_div(self.rows.len()).unwrap_or(0);
        let sums = width(self.sums.len());
        Self {
            series: pick(&self.series, 1),
            cutoffs: pick(&self.cutoffs, 1),
            rows: pick(&self.rows, 1),
            counts: pick(&self.counts, width(self.counts.len())),
            sums: cells.iter().flat_map(|&cell| &self.sums[cell * sums..(cell + 1) * sums]).copied().collect(),
        }
    }
}
