//! Designs: how forecast errors come about where nothing changes, and what may change.

use std::collections::{BTreeMap, VecDeque};

use drift_watch::core::bucket::Bucket;
use drift_watch::core::pair::Pair;
use drift_watch::core::season::{Season, SlotLength, Slots};
use drift_watch::core::settings::Settings;
use drift_watch::core::time::{DAY, Micros};
use drift_watch::verify_alarms::trial::Row;

use super::noise::{Noise, Shape};

/// Every actual; errors are measured against it.
const LEVEL: f64 = 100.0;

/// The standard deviation of the errors.
pub(crate) const SD: f64 = 5.0;

/// An interval of this many standard deviations has a coverage of 90 %.
const INTERVAL: f64 = 1.644_853_626_951_472_2;

/// Share of right directions.
const HITS: f64 = 0.65;

pub(crate) const HOUR: Micros = DAY / 24;

/// A change of a model's errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Change {
    None,
    /// All forecasts move up, by so many standard deviations of the errors.
    Shift(f64),
    /// The standard deviation of the errors grows by this factor.
    Spread(f64),
}

/// A cycle of the standard deviation: `1 + depth sin(2 pi t / steps)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cycle {
    pub(crate) steps: u32,
    pub(crate) depth: f64,
}

/// How errors come about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Design {
    pub(crate) name: &'static str,
    /// Whether the requirement covers it.
    pub(crate) promised: bool,
    pub(crate) series: u32,
    /// Errors of horizon h are the mean of the shocks of the last h steps, as those of the best possible forecast are.
    pub(crate) horizons: &'static [u32],
    pub(crate) shape: Shape,
    /// Correlation of the shocks of any two series.
    pub(crate) common: f64,
    pub(crate) autoregression: f64,
    pub(crate) step: Micros,
    pub(crate) cycle: Option<Cycle>,
    pub(crate) season: Season,
    pub(crate) prewhiten: bool,
    /// Whether there are intervals and directions.
    pub(crate) extras: bool,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            name: "",
            promised: true,
            series: 1,
            horizons: &[1],
            shape: Shape::Normal,
            common: 0.0,
            autoregression: 0.0,
            step: DAY,
            cycle: None,
            season: Season::Auto,
            prewhiten: true,
            extras: false,
        }
    }
}

/// All designs.
pub(crate) fn all() -> Vec<Design> {
    let stated = |count, length| Season::Known(Slots { count, length: SlotLength::Span(length) });
    let base = Design::default;
    let day = Design { step: HOUR, cycle: Some(Cycle { steps: 24, depth: 0.5 }), ..base() };
    let week = Design { cycle: Some(Cycle { steps: 7, depth: 0.5 }), ..base() };
    let ar = Design { autoregression: 0.7, promised: false, ..base() };
    vec![
        Design { name: "iid normal (MA(0))", ..base() },
        Design { name: "iid t(3)", shape: Shape::StudentThree, ..base() },
        Design { name: "iid exponential", shape: Shape::Skewed, ..base() },
        Design { name: "MA(6), h = 7", horizons: &[7], ..base() },
        Design { name: "MA(27), h = 28", horizons: &[28], ..base() },
        Design { name: "h = 1 and 7", horizons: &[1, 7], ..base() },
        Design { name: "16 series, correlation 0.2", series: 16, common: 0.2, ..base() },
        Design { name: "with intervals and directions", extras: true, ..base() },
        Design { name: "daily cycle, auto", ..day.clone() },
        Design { name: "daily cycle, stated", season: stated(24, HOUR), ..day },
        Design { name: "weekly cycle, auto", ..week.clone() },
        Design { name: "weekly cycle, stated", season: stated(7, DAY), ..week },
        Design { name: "AR(0.7)", ..ar.clone() },
        Design { name: "AR(0.7), not prewhitened", prewhiten: false, ..ar },
    ]
}

impl Design {
    pub(crate) fn settings(&self) -> Settings {
        Settings { season: self.season, prewhiten: self.prewhiten, ..Settings::default() }
    }

    pub(crate) fn overlaps(&self) -> BTreeMap<Bucket, usize> {
        self.horizons.iter().map(|&horizon| (Bucket::of(horizon), horizon as usize)).collect()
    }
}

/// A series' last shocks, newest first, and the last value of its autoregression.
#[derive(Debug, Clone, Default)]
struct Path {
    shocks: VecDeque<f64>,
    last: f64,
}

/// The steps of a design, one after the other, from a random phase of its cycle on.
pub(crate) struct Stream<'a> {
    design: &'a Design,
    pub(crate) noise: Noise,
    paths: Vec<Path>,
    step: u64,
    change: Change,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(design: &'a Design, noise: Noise) -> Self {
        let paths = vec![Path::default(); design.series as usize];
        let mut stream = Self { design, noise, paths, step: 0, change: Change::None };
        let longest = u64::from(design.horizons.iter().copied().max().unwrap_or(1));
        let cycle = design.cycle.map_or(1.0, |cycle| f64::from(cycle.steps));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a cycle")]
        let phase = (stream.noise.uniform() * cycle) as u64;
        // An autoregression of 0.7 has forgotten its beginning after 50 steps.
        (0..longest.max(50) + phase).for_each(|_| _ = stream.next());
        stream
    }

    /// From the next step on.
    pub(crate) fn change(&mut self, change: Change) {
        self.change = change;
    }

    /// The next step: its time and its rows, by horizon and series.
    pub(crate) fn next(&mut self) -> (Micros, Vec<Row>) {
        let time = i64::try_from(self.step).unwrap_or(i64::MAX).saturating_mul(self.design.step);
        self.step += 1;
        self.shock();
        let (mut sd, mut shift) = (SD * self.cycle(), 0.0);
        match self.change {
            Change::None => {}
            Change::Shift(sds) => shift = sds * SD,
            Change::Spread(factor) => sd *= factor,
        }
        let mut rows = Vec::with_capacity(self.design.horizons.len() * self.paths.len());
        for &horizon in self.design.horizons {
            for series in 0..self.design.series {
                let error = sd * self.paths[series as usize].error(horizon) + shift;
                rows.push(Row { series, time, horizon, pair: self.pair(error) });
            }
        }
        (time, rows)
    }

    fn cycle(&self) -> f64 {
        let at = |cycle: Cycle| {
            let turn = (self.step % u64::from(cycle.steps)) as f64 / f64::from(cycle.steps);
            1.0 + cycle.depth * (std::f64::consts::TAU * turn).sin()
        };
        self.design.cycle.map_or(1.0, at)
    }

    fn shock(&mut self) {
        let (shape, phi, longest) =
            (self.design.shape, self.design.autoregression, self.design.horizons.iter().copied().max().unwrap_or(1));
        let common = if self.design.common > 0.0 { self.noise.draw(shape) } else { 0.0 };
        for path in &mut self.paths {
            let own = self.noise.draw(shape);
            let shock = self.design.common.sqrt() * common + (1.0 - self.design.common).sqrt() * own;
            path.last = phi * path.last + (1.0 - phi * phi).sqrt() * shock;
            path.shocks.push_front(path.last);
            path.shocks.truncate(longest as usize);
        }
    }

    fn pair(&mut self, error: f64) -> Pair {
        let (y, y_hat) = (LEVEL, LEVEL + error);
        if !self.design.extras {
            return Pair { y, y_hat, interval: None, last: None };
        }
        // The last actual lies on the far side of both, or between them.
        let is_hit = self.noise.uniform() < HITS;
        let last = if is_hit { y.min(y_hat) - 1.0 } else { f64::midpoint(y, y_hat) };
        Pair { y, y_hat, interval: Some((y_hat - INTERVAL * SD, y_hat + INTERVAL * SD)), last: Some(last) }
    }
}

impl Path {
    /// The error of a forecast that many steps ahead, with variance 1.
    fn error(&self, horizon: u32) -> f64 {
        self.shocks.iter().take(horizon as usize).sum::<f64>() / f64::from(horizon).sqrt()
    }
}
