//! The records of a round, in the order in which a forecasting service and a warehouse would write them.

use shared::format::live::Kind;

use crate::synthetic::{Random, START, time};
use drift_watch::core::time::{DAY, Micros, SECOND};

const SERIES: usize = 4;

/// Target times.
pub(crate) const DAYS: i64 = 60;

const HOUR: Micros = 3600 * SECOND;

/// The days on which the level has moved.
const SHIFTED: std::ops::Range<i64> = 32..44;

/// What is written at about the same time to one source.
pub(crate) struct Batch {
    pub(crate) kind: Kind,
    /// Lines, each with its line break. Those of files may hold broken ones.
    pub(crate) lines: Vec<String>,
    /// The newest time in it, as the status shows it.
    pub(crate) newest: String,
}

/// Numbers from a seed.
pub(crate) struct Dice(Random);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// One of 0 to n - 1.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        u32::try_from(self.0.bits() % u64::from(n)).unwrap()
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == 0
    }
}

/// All batches: each day the actuals of the day before, then the forecasts of the next two.
pub(crate) fn batches(seed: u64) -> Vec<Batch> {
    let mut random = Random::new(seed);
    let values: Vec<Vec<f64>> =
        (0..DAYS).map(|day| (0..SERIES).map(|n| value(&mut random, day, n)).collect()).collect();
    let mut dice = Dice::new(seed ^ 0xd1ce);
    let mut all = Vec::new();
    for day in 0..=DAYS {
        let actuals = actuals(&mut dice, day, &values);
        all.extend([actuals, predictions(day)].into_iter().filter(|batch| !batch.lines.is_empty()));
    }
    all
}

fn level(series: usize) -> f64 {
    100.0 + 20.0 * series as f64
}

fn value(random: &mut Random, day: i64, series: usize) -> f64 {
    let shift = if SHIFTED.contains(&day) { 1.6 } else { 1.0 };
    level(series) * shift * (1.0 + 0.03 * random.normal())
}

fn actuals(dice: &mut Dice, day: i64, values: &[Vec<f64>]) -> Batch {
    let mut observed = START + day * DAY + 2 * HOUR;
    let (mut lines, mut newest) = (Vec::new(), observed);
    // A few days are restated two days later.
    let restated = (day >= 3 && dice.one_in(6)).then_some((day - 3, 1.01));
    for (target, factor) in [(day - 1, 1.0)].into_iter().chain(restated).filter(|(target, _)| *target >= 0) {
        for (series, y) in values[usize::try_from(target).unwrap()].iter().enumerate() {
            observed += SECOND;
            let copies = match (dice.below(40), factor == 1.0) {
                (0, true) => 0,
                (1, _) => 2,
                _ => 1,
            };
            newest = if copies > 0 { observed } else { newest };
            let line = format!(
                "{{\"series\":\"s{series}\",\"target_time\":\"{}\",\"y\":{:.4},\"observed_at\":\"{}\"}}\n",
                time(START + target * DAY),
                y * factor,
                time(observed)
            );
            lines.extend(std::iter::repeat_n(line, copies));
        }
    }
    Batch { kind: Kind::Actuals, lines, newest: time(newest).to_string() }
}

fn predictions(day: i64) -> Batch {
    let mut issued = START + day * DAY + 6 * HOUR;
    let mut lines = Vec::new();
    for horizon in 1..=2 {
        for series in (0..SERIES).filter(|_| day + horizon < DAYS) {
            issued += SECOND;
            let (target, y_hat) = (time(START + (day + horizon) * DAY), level(series));
            let region = if series < SERIES / 2 { "north" } else { "south" };
            lines.push(format!(
                "{{\"model\":\"m\",\"version\":\"1\",\"series\":\"s{series}\",\"issued_at\":\"{}\",\"target_time\":\"{target}\",\
                 \"horizon\":{horizon},\"y_hat\":{y_hat},\"lo\":{},\"hi\":{},\"segment.region\":\"{region}\"}}\n",
                time(issued),
                y_hat * 0.95,
                y_hat * 1.05
            ));
        }
    }
    Batch { kind: Kind::Predictions, lines, newest: time(issued).to_string() }
}
