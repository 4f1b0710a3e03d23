//! Run lengths of a model's detectors on resampled errors: how often they cry wolf, and how long they take to see a change.
//!
//! Each run learns what is usual from a resample of the cutoffs, as a user would from one history, and watches another:
//! circular blocks of whole cutoffs (Politis and Romano 1992), so that series keep their common shocks and overlapping
//! forecasts their dependence. The history is the population of both, so that a baseline is off by as much as one of that
//! length is. (Learning from one half and replaying the other would count the error twice, since the half that is replayed
//! for ever is a short sample too, which live errors are not.)

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::trial::{Length, Row, Step, Trial};
use crate::core::bucket::Bucket;
use crate::core::pair::Pair;
use crate::core::settings::Settings;
use crate::core::time::{DAY, Micros};

/// How much is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Runs.
    pub runs: usize,
    /// Steps after which a run ends without an alarm.
    pub most_steps: u64,
    /// Where the random numbers start.
    pub seed: u64,
}

/// The cutoffs of a profile, each with its rows, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutoffs {
    list: Vec<Vec<Row>>,
    /// Cutoffs that the longest forecast of a bucket reaches across.
    overlaps: BTreeMap<Bucket, usize>,
}

impl Cutoffs {
    /// Sorts rows into cutoffs. `steps_between` is how many forecast steps lie between neighbouring cutoffs.
    pub fn new(rows: &[Row], steps_between: f64) -> Self {
        let mut by_cutoff: BTreeMap<Micros, Vec<Row>> = BTreeMap::new();
        let mut furthest: BTreeMap<Bucket, u32> = BTreeMap::new();
        for row in rows {
            by_cutoff.entry(row.time).or_default().push(*row);
            let horizon = furthest.entry(Bucket::of(row.horizon)).or_default();
            *horizon = row.horizon.max(*horizon);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let across = |horizon: u32| (f64::from(horizon) / steps_between.max(1.0)).ceil().max(1.0) as usize;
        let overlaps = furthest.into_iter().map(|(bucket, horizon)| (bucket, across(horizon))).collect();
        let mut list: Vec<Vec<Row>> = by_cutoff.into_values().collect();
        list.iter_mut().for_each(|rows| rows.sort_by_key(|row| (Bucket::of(row.horizon), row.series)));
        Self { list, overlaps }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Runs on the errors as they are, or with every series' forecasts shifted by `shift` of its errors' standard deviations.
    pub fn run_lengths(&self, settings: &Settings, plan: &Plan, shift: f64) -> Vec<Length> {
        (0..plan.runs as u64).into_par_iter().filter_map(|run| self.run(settings, plan, shift, run)).collect()
    }

    fn run(&self, settings: &Settings, plan: &Plan, shift: f64, run: u64) -> Option<Length> {
        let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
        random.set_stream(run);
        let n = self.list.len();
        let mut baseline = Blocks { n, length: self.block(), place: 0, drawn: 0 };
        let learned_from: Vec<usize> = (0..n).map(|_| baseline.next(&mut random)).collect();
        let mut trial = Trial::learn(&self.apart(&learned_from), &self.overlaps, settings)?;
        let deviations = deviations(self.list.iter().flatten());
        let steps: Vec<(Micros, Step)> = (0..n).map(|cutoff| self.step(cutoff, &trial, &deviations, shift)).collect();
        let mut live = Blocks { drawn: 0, ..baseline };
        Some(trial.until_alarm(plan.most_steps, |trial, _| {
            let (time, scores) = &steps[live.next(&mut random)];
            trial.show(*time, scores)
        }))
    }

    /// Neighbouring cutoffs whose forecasts overlap stay together.
    fn block(&self) -> usize {
        self.overlaps.values().copied().max().unwrap_or(1).clamp(1, self.list.len().div_ceil(4))
    }

    /// The rows of these cutoffs, those that were drawn again at a time of their own: 400 years later, when all days of the
    /// year and of the week are where they were.
    fn apart(&self, cutoffs: &[usize]) -> Vec<Row> {
        const FOUR_CENTURIES: Micros = 146_097 * DAY;
        let mut drawn = vec![0; self.list.len()];
        let mut all = Vec::new();
        for &cutoff in cutoffs {
            let later = drawn[cutoff] * FOUR_CENTURIES;
            drawn[cutoff] += 1;
            all.extend(self.list[cutoff].iter().map(|row| Row { time: row.time.saturating_add(later), ..*row }));
        }
        all
    }

    /// The scores of a cutoff.
    fn step(
        &self,
        cutoff: usize,
        trial: &Trial<'_>,
        deviations: &BTreeMap<(u32, Bucket), f64>,
        shift: f64,
    ) -> (Micros, Step) {
        let rows = self.list[cutoff].iter().map(|row| {
            let deviation = deviations.get(&(row.series, Bucket::of(row.horizon))).copied().unwrap_or(0.0);
            Row { pair: shifted(&row.pair, shift * deviation), ..*row }
        });
        (self.list[cutoff].first().map_or(0, |row| row.time), trial.scores(rows))
    }
}

/// Places of a circle of `n`, in blocks from random beginnings.
#[derive(Debug, Clone, Copy)]
struct Blocks {
    n: usize,
    length: usize,
    place: usize,
    drawn: usize,
}

impl Blocks {
    fn next(&mut self, random: &mut ChaCha8Rng) -> usize {
        self.place = match self.drawn % self.length {
            0 => random.random_range(0..self.n),
            _ => (self.place + 1) % self.n,
        };
        self.drawn += 1;
        self.place
    }
}

/// Forecast and interval moved by the same amount: the world has moved, and the model has not noticed.
fn shifted(pair: &Pair, by: f64) -> Pair {
    Pair {
        y: pair.y,
        y_hat: pair.y_hat + by,
        interval: pair.interval.map(|(low, high)| (low + by, high + by)),
        last: pair.last,
    }
}

/// The standard deviation of the errors of each series and bucket.
fn deviations<'a>(rows: impl Iterator<Item = &'a Row>) -> BTreeMap<(u32, Bucket), f64> {
    let mut errors: BTreeMap<(u32, Bucket), Vec<f64>> = BTreeMap::new();
    rows.for_each(|row| errors.entry((row.series, Bucket::of(row.horizon))).or_default().push(row.pair.error()));
    let deviation = |errors: Vec<f64>| {
        let n = errors.len() as f64;
        let mean = errors.iter().sum::<f64>() / n;
        (errors.iter().map(|error| (error - mean).powi(2)).sum::<f64>() / n).sqrt()
    };
    errors.into_iter().map(|(key, errors)| (key, deviation(errors))).collect()
}
