//! What a run of rows of one (series, cutoff) adds to the sums of each measure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::format::sufficient::Measure;

use super::row::Columns;
use super::sums::number;

/// A measure, and where its interval columns are.
#[derive(Debug, Clone)]
pub(super) struct MeasurePlan {
    pub(super) measure: Measure,
    /// For each model the place of its lower bound among the values (the upper one follows it), if it has an interval of the
    /// measure's level.
    pub(super) bounds: Vec<Option<usize>>,
}

/// The training scale of a series up to a cutoff.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// Mean absolute seasonal difference.
    pub(super) absolute: f64,
    /// Mean squared seasonal difference.
    pub(super) squared: f64,
}

/// What is known of a (series, cutoff) from the training table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Anchor {
    pub(super) scale: Option<Scale>,
    /// The last actual, at the cutoff.
    pub(super) last: Option<f64>,
}

/// Paired rows of one (series, cutoff), by column: the actuals, the models' predictions, the bounds of their intervals.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) rows: usize,
    pub(super) columns: Columns<'a>,
    /// The same columns of the row before each row in its window; NaN where there is none. For [`Direction::Diff`].
    pub(super) before: Option<Columns<'a>>,
    pub(super) anchor: Anchor,
}

/// What directional accuracy compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Prediction and actual are compared with the last actual at the cutoff
    #[default]
    Last,
    /// The prediction's change from row to row is compared with the actual's, flat counting as down, as the `ModelBenchmark`
    /// class does; never across the border of a window
    Diff,
}

impl Run<'_> {
    /// Adds the run to `sums` (`[model][measure]`) and `counts` (`[measure]`).
    pub(super) fn add(&self, measures: &[MeasurePlan], models: usize, sums: &mut [f64], counts: &mut [u32]) {
        for (index, plan) in measures.iter().enumerate() {
            counts[index] += self.count(plan);
            for model in 0..models {
                sums[model * measures.len() + index] += self.sum(plan, model);
            }
        }
    }

    fn column(&self, slot: usize) -> &[f64] {
        self.columns.get(slot, self.rows)
    }

    fn actuals(&self) -> &[f64] {
        self.column(0)
    }

    fn before(&self, slot: usize) -> Option<&[f64]> {
        self.before.map(|before| before.get(slot, self.rows))
    }

    fn rows(&self) -> u32 {
        number(self.rows)
    }

    /// Rows for which the measure is defined.
    fn count(&self, plan: &MeasurePlan) -> u32 {
        match plan.measure {
            Measure::AbsolutePercentageError => self.count_actuals(|y| y != 0.0),
            Measure::AbsoluteScaledError | Measure::SquaredScaledError => self.rows_if(self.anchor.scale.is_some()),
            Measure::DirectionHit => match (self.before(0), self.anchor.last) {
                (Some(before), _) => count(before, |y| !y.is_nan()),
                (None, Some(last)) => self.count_actuals(|y| differs(y, last)),
                (None, None) => 0,
            },
            Measure::DirectionTie => match self.before(0) {
                Some(before) => count(before, |y| !y.is_nan()),
                None => self.rows_if(self.anchor.last.is_some()),
            },
            Measure::IntervalHit { .. } | Measure::IntervalPinball { .. } => self.with_bounds(plan),
            _ => self.rows(),
        }
    }

    fn rows_if(&self, known: bool) -> u32 {
        if known { self.rows() } else { 0 }
    }

    fn count_actuals(&self, test: impl Fn(f64) -> bool) -> u32 {
        count(self.actuals(), test)
    }

    /// Rows in which every model that has an interval has a finite one.
    fn with_bounds(&self, plan: &MeasurePlan) -> u32 {
        number((0..self.rows).filter(|&row| self.has_bounds(plan, row)).count())
    }

    fn has_bounds(&self, plan: &MeasurePlan, row: usize) -> bool {
        let finite = |&low: &usize| self.column(low)[row].is_finite() && self.column(low + 1)[row].is_finite();
        plan.bounds.iter().flatten().next().is_some() && plan.bounds.iter().flatten().all(finite)
    }

    fn sum(&self, plan: &MeasurePlan, model: usize) -> f64 {
        let (y, p) = (self.actuals(), self.column(model + 1));
        match plan.measure {
            Measure::AbsoluteError => total(y, p, |y, p| (p - y).abs()),
            Measure::SquaredError => total(y, p, |y, p| (p - y) * (p - y)),
            Measure::Error => total(y, p, |y, p| p - y),
            Measure::AbsoluteActual => total(y, p, |y, _| y.abs()),
            Measure::AbsolutePercentageError => total(y, p, percentage_error),
            Measure::SymmetricPercentageError => total(y, p, symmetric_error),
            Measure::PointPinball => total(y, p, |y, p| (p - y).abs()) / 2.0,
            Measure::AbsoluteScaledError => {
                self.anchor.scale.map_or(0.0, |scale| total(y, p, |y, p| (p - y).abs()) / scale.absolute)
            }
            Measure::SquaredScaledError => {
                self.anchor.scale.map_or(0.0, |scale| total(y, p, |y, p| (p - y) * (p - y)) / scale.squared)
            }
            Measure::DirectionHit => self.direction_hits(model),
            Measure::DirectionTie => match (self.before, self.anchor.last) {
                (None, Some(last)) => total(y, p, |y, p| flag(!differs(y, last) || !differs(p, last))),
                _ => 0.0,
            },
            Measure::IntervalHit { .. } => self.over_bounds(plan, model, |y, low, high| flag(low <= y && y <= high)),
            Measure::IntervalPinball { level } => {
                let tail = (1.0 - level / 100.0) / 2.0;
                self.over_bounds(plan, model, |y, low, high| {
                    pinball(y, low, tail).midpoint(pinball(y, high, 1.0 - tail))
                })
            }
        }
    }

    fn direction_hits(&self, model: usize) -> f64 {
        let (y, p) = (self.actuals(), self.column(model + 1));
        match (self.before(0).zip(self.before(model + 1)), self.anchor.last) {
            (Some((y_before, p_before)), _) => {
                let hit = |row: usize| {
                    let (up, predicted_up) = (y[row] - y_before[row] > 0.0, p[row] - p_before[row] > 0.0);
                    flag(!y_before[row].is_nan() && up == predicted_up)
                };
                (0..y.len()).map(hit).sum()
            }
            (None, Some(last)) => total(y, p, |y, p| flag((y > last && p > last) || (y < last && p < last))),
            (None, None) => 0.0,
        }
    }

    fn over_bounds(&self, plan: &MeasurePlan, model: usize, value: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let Some(low) = plan.bounds[model] else { return 0.0 };
        let (lows, highs) = (self.column(low), self.column(low + 1));
        let rows = (0..self.rows).filter(|&row| self.has_bounds(plan, row));
        rows.map(|row| value(self.actuals()[row], lows[row], highs[row])).sum()
    }
}

/// `|e| / |y|`; 0 where it is undefined, which [`Run::count`] leaves out.
fn percentage_error(y: f64, p: f64) -> f64 {
    if y == 0.0 { 0.0 } else { ((p - y) / y).abs() }
}

/// `2|e| / (|y| + |p|)`, 0 where both are 0.
fn symmetric_error(y: f64, p: f64) -> f64 {
    let size = y.abs() + p.abs();
    if size == 0.0 { 0.0 } else { 2.0 * (p - y).abs() / size }
}

/// Pinball loss of the forecast `f` of the quantile `q` (Koenker and Bassett 1978): `max(q (y - f), (q - 1) (y - f))`.
pub(crate) fn pinball(y: f64, f: f64, q: f64) -> f64 {
    (q * (y - f)).max((q - 1.0) * (y - f))
}

#[expect(clippy::float_cmp, reason = "a tie is an equal number")]
fn differs(value: f64, last: f64) -> bool {
    value != last
}

fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

fn count(values: &[f64], test: impl Fn(f64) -> bool) -> u32 {
    values.iter().map(|&value| u32::from(test(value))).sum()
}

/// The sum over rows, in four lanes so that it can be done on several rows at once; always in the same order.
#[inline]
fn total(y: &[f64], p: &[f64], value: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; 4];
    let (ys, ps) = (y.chunks_exact(4), p.chunks_exact(4));
    let rest: f64 = ys.remainder().iter().zip(ps.remainder()).map(|(&y, &p)| value(y, p)).sum();
    for (y, p) in ys.zip(ps) {
        for (lane, (&y, &p)) in lanes.iter_mut().zip(y.iter().zip(p)) {
            *lane += value(y, p);
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}
