//! Run lengths of a model's detectors on resampled errors: how often they cry wolf, and how long they take to see a change.
//!
//! Each run learns what is usual from one part of the cutoffs, as a user would, and then watches the other part, resampled in blocks
//! of whole cutoffs (moving blocks, Kuensch 1989), so that series keep their common shocks and overlapping forecasts their dependence.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::trial::{Length, Row, Step, Trial};
use crate::core::bucket::Bucket;
use crate::core::pair::Pair;
use crate::core::settings::Settings;
use crate::core::time::Micros;

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
        let (learned_from, replayed) = self.split(settings.min_steps, &mut random);
        let rows: Vec<Row> = learned_from.iter().flat_map(|cutoff| &self.list[*cutoff]).copied().collect();
        let mut trial = Trial::learn(&rows, &self.overlaps, settings)?;
        let deviations = deviations(replayed.iter().flat_map(|cutoff| &self.list[*cutoff]));
        let steps: Vec<(Micros, Step)> =
            replayed.iter().map(|&cutoff| self.step(cutoff, &trial, &deviations, shift)).collect();
        let block = self.overlaps.values().copied().max().unwrap_or(1).clamp(1, steps.len());
        let mut place = 0;
        Some(trial.until_alarm(plan.most_steps, |trial, step| {
            if step % block as u64 == 0 {
                place = random.random_range(0..=steps.len() - block);
            }
            let (time, scores) = &steps[place];
            place += 1;
            trial.show(*time, scores)
        }))
    }

    /// A stretch of cutoffs to learn from, and those that are left, with a random beginning.
    fn split(&self, min_steps: usize, random: &mut ChaCha8Rng) -> (Vec<usize>, Vec<usize>) {
        let n = self.list.len();
        let half = n.div_ceil(2).max(min_steps).min(n);
        let start = random.random_range(0..n);
        let mut all: Vec<usize> = (start..start + n).map(|place| place % n).collect();
        let rest = if half == n { all.clone() } else { all.split_off(half) };
        all.sort_unstable();
        (all, rest)
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
