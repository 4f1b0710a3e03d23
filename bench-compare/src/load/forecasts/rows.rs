//! The rows of one model, kept: for what cannot be computed from sums.

use shared::Result;
use shared::format::profile::Step;
use shared::format::sufficient::Measure;

use super::measure::Anchor;
use super::pass::{self, Inputs};
use super::plan::Plan;
use super::row::{NO_CUTOFF, Problems, Row, Sink, Stretch};
use super::steps::{Steps, whole};
use super::sum::Summing;
use super::time::{self, Kind};
use super::train::Train;
use super::{Forecasts, Request};

/// A paired row of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastRow {
    /// The series.
    pub series: String,
    /// Forecast origin, a number that orders them.
    pub cutoff: i64,
    /// Target time, a number that orders them.
    pub time: i64,
    /// Steps ahead.
    pub horizon: u32,
    /// Season slot of the target time.
    pub slot: u32,
    /// The actual.
    pub actual: f64,
    /// The prediction.
    pub prediction: f64,
    /// The interval, if the model has one and it is finite here.
    pub interval: Option<(f64, f64)>,
    /// Mean absolute seasonal difference up to the cutoff.
    pub scale: Option<f64>,
    /// Last actual at the cutoff.
    pub last: Option<f64>,
}

/// All paired rows of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastRows {
    /// Sorted by series, cutoff and time.
    pub rows: Vec<ForecastRow>,
    /// The grid.
    pub step: Step,
    /// First and last time of the training table.
    pub train_span: Option<(String, String)>,
}

impl Forecasts {
    /// The paired rows of the first model; those of the table are kept in memory. Duplicates are not looked for: [`read`](Self::read)
    /// does that.
    ///
    /// # Errors
    /// If a file cannot be read or is malformed.
    pub fn rows(&self, request: &Request, level: Option<f64>, slots: u32) -> Result<ForecastRows> {
        let measures = level.map(|level| Measure::IntervalHit { level }).into_iter().collect();
        let request = Request { measures, slices: Vec::new(), by: Vec::new(), ..request.clone() };
        let mut plan = Plan::new(&request, &self.models, &self.columns)?;
        plan.kind = self.kind(&plan)?;
        plan.train =
            request.train.as_deref().map(|path| pass::train(path, &request, plan.kind)).transpose()?.map(|read| read.0);
        let mut inputs = Inputs::new(&self.parts, request.threads, false);
        let steps = super::steps_of(&plan, &mut inputs, &mut Summing::default())?;
        let make = |_| Kept { plan: &plan, steps, slots, rows: Vec::new() };
        let mut rows = Vec::new();
        inputs.scan(&plan.wanted, make, |_, kept, _, _| {
            rows.extend(kept.rows);
            Ok(())
        })?;
        rows.sort_by(|left, right| {
            (&left.series, left.cutoff, left.time).cmp(&(&right.series, right.cutoff, right.time))
        });
        rows.dedup_by(|later, earlier| {
            (&later.series, later.cutoff, later.time) == (&earlier.series, earlier.cutoff, earlier.time)
        });
        let span = plan.train.as_ref().and_then(Train::span);
        let train_span =
            span.map(|(first, last)| (time::print(first, plan.kind, true), time::print(last, plan.kind, true)));
        Ok(ForecastRows { rows, step: steps.public(plan.kind), train_span })
    }
}

/// The rows of a block.
struct Kept<'p> {
    plan: &'p Plan,
    steps: Steps,
    slots: u32,
    rows: Vec<ForecastRow>,
}

impl Sink for Kept<'_> {
    fn stretch(&mut self, stretch: &Stretch<'_>, _: &mut Problems) {
        let history = self.plan.train.as_ref().and_then(|train| train.history(stretch.id));
        let known = history.filter(|_| stretch.cutoff != NO_CUTOFF);
        let anchor = known.map(|history| history.anchor(stretch.cutoff)).unwrap_or_default();
        let models = self.plan.models.len();
        for row in stretch.rows().filter(|row| row.values(models + 1).all(f64::is_finite)) {
            self.rows.push(self.keep(&row, anchor));
        }
    }
}

impl Kept<'_> {
    fn keep(&self, row: &Row<'_>, anchor: Anchor) -> ForecastRow {
        let low = self.plan.measures.first().and_then(|plan| plan.bounds[0]);
        let interval = low.map(|low| (row.value(low), row.value(low + 1)));
        let (cutoff, time) = (row.cutoff(), row.ds());
        let ahead = if cutoff == NO_CUTOFF { 1.0 } else { self.steps.between(cutoff, time).max(1.0) };
        ForecastRow {
            series: String::from_utf8_lossy(row.id()).into_owned(),
            cutoff,
            time,
            horizon: u32::try_from(whole(ahead)).unwrap_or(u32::MAX),
            slot: self.steps.slot(time, self.slots),
            actual: row.value(0),
            prediction: row.value(1),
            interval: interval.filter(|(low, high)| low.is_finite() && high.is_finite()),
            scale: anchor.scale.map(|scale| scale.absolute),
            last: anchor.last,
        }
    }
}

impl Steps {
    /// The grid as a profile has it.
    fn public(self, kind: Kind) -> Step {
        match self {
            Self::Fixed(length) if kind == Kind::Integer => Step::Numbers { length },
            Self::Fixed(length) => Step::Seconds { length: length / 1e6 },
            Self::Months(length) => Step::Months { length },
            Self::BusinessDays => Step::BusinessDays,
        }
    }
}
