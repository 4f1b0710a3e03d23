//! Run lengths of a model's detectors on resampled errors: how often they cry wolf, and how long they take to see a change.
//!
//! Each run learns what is usual from one part of the cutoffs, as a user would, and then watches the other part, resampled in blocks
//! of whole cutoffs (moving blocks, Kuensch 1989), so that series keep their common shocks and overlapping forecasts their dependence.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::core::bucket::Bucket;
use crate::core::family;
use crate::core::learned::{Learned, Observed};
use crate::core::pair::Pair;
use crate::core::score::Scores;
use crate::core::settings::Settings;
use crate::core::time::Micros;
use crate::core::watched::Watched;

/// A forecast of the past and its actual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The series.
    pub series: u32,
    /// The forecast origin.
    pub cutoff: Micros,
    /// Steps ahead.
    pub horizon: u32,
    /// Forecast and actual.
    pub pair: Pair,
}

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

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Length {
    /// Steps to the alarm, or all of them.
    pub steps: u64,
    /// Whether there was one.
    pub alarmed: bool,
}

/// The cutoffs of a profile, each with its rows, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutoffs {
    list: Vec<Vec<Row>>,
    /// Cutoffs that the longest forecast of a bucket reaches across.
    overlaps: BTreeMap<Bucket, usize>,
}

/// The scores of the watched series at a cutoff, by bucket.
type Step = Vec<(Bucket, Vec<(u32, Scores)>)>;

impl Cutoffs {
    /// Sorts rows into cutoffs. `steps_between` is how many forecast steps lie between neighbouring cutoffs.
    pub fn new(rows: &[Row], steps_between: f64) -> Self {
        let mut by_cutoff: BTreeMap<Micros, Vec<Row>> = BTreeMap::new();
        let mut furthest: BTreeMap<Bucket, u32> = BTreeMap::new();
        for row in rows {
            by_cutoff.entry(row.cutoff).or_default().push(*row);
            let horizon = furthest.entry(Bucket::of(row.horizon)).or_default();
            *horizon = row.horizon.max(*horizon);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let across = |horizon: u32| (f64::from(horizon) / steps_between.max(1.0)).ceil().max(1.0) as usize;
        let overlaps = furthest.into_iter().map(|(bucket, horizon)| (bucket, across(horizon))).collect();
        Self { list: by_cutoff.into_values().collect(), overlaps }
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
        let mut watched = self.learn(&learned_from, settings);
        if watched.values().all(|watched| watched.learned.is_none()) {
            return None;
        }
        let deviations = deviations(replayed.iter().flat_map(|cutoff| &self.list[*cutoff]));
        let steps: Vec<(Micros, Step)> =
            replayed.iter().map(|&cutoff| self.step(cutoff, &watched, &deviations, shift, settings)).collect();
        let block = self.overlaps.values().copied().max().unwrap_or(1).min(steps.len());
        Some(watch(&mut watched, &steps, block, plan.most_steps, settings, &mut random))
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

    fn learn(&self, cutoffs: &[usize], settings: &Settings) -> BTreeMap<Bucket, Watched> {
        let overlaps: Vec<usize> = self.overlaps.values().copied().collect();
        let learn = |(&bucket, &overlap): (&Bucket, &usize)| {
            let rows =
                cutoffs.iter().flat_map(|cutoff| &self.list[*cutoff]).filter(|row| Bucket::of(row.horizon) == bucket);
            let observed: Vec<Observed> =
                rows.map(|row| Observed { series: row.series, target: row.cutoff, pair: row.pair }).collect();
            let steps: BTreeSet<Micros> = observed.iter().map(|row| row.target).collect();
            let is_enough = steps.len() >= settings.min_steps;
            let learned = is_enough.then(|| Learned::learn(&observed, overlap, &|_| Vec::new(), settings)).flatten();
            let weight = family::bucket_weight(overlap, &overlaps);
            (bucket, Watched { learned: learned.map(Box::new), weight, ..Watched::new(overlap) })
        };
        self.overlaps.iter().map(learn).collect()
    }

    /// The scores of a cutoff.
    fn step(
        &self,
        cutoff: usize,
        watched: &BTreeMap<Bucket, Watched>,
        deviations: &BTreeMap<(u32, Bucket), f64>,
        shift: f64,
        settings: &Settings,
    ) -> (Micros, Step) {
        let mut scores: BTreeMap<Bucket, BTreeMap<u32, Scores>> = BTreeMap::new();
        for row in &self.list[cutoff] {
            let bucket = Bucket::of(row.horizon);
            let Some(learned) = watched.get(&bucket).and_then(|watched| watched.learned.as_ref()) else { continue };
            let Some(watch) = learned.series.get(&row.series) else { continue };
            let deviation = deviations.get(&(row.series, bucket)).copied().unwrap_or(0.0);
            let pair = shifted(&row.pair, shift * deviation);
            scores.entry(bucket).or_default().entry(row.series).or_default().add(&pair, &watch.usual, settings.loss);
        }
        let time = self.list[cutoff].first().map_or(0, |row| row.cutoff);
        (time, scores.into_iter().map(|(bucket, series)| (bucket, series.into_iter().collect())).collect())
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

/// Watches resampled steps until the first alarm.
fn watch(
    watched: &mut BTreeMap<Bucket, Watched>,
    steps: &[(Micros, Step)],
    block: usize,
    most_steps: u64,
    settings: &Settings,
    random: &mut ChaCha8Rng,
) -> Length {
    let mut place = 0;
    for step in 0..most_steps {
        if step % block.max(1) as u64 == 0 {
            place = random.random_range(0..=steps.len() - block.max(1));
        }
        let (time, buckets) = &steps[place];
        place += 1;
        let mut alarmed = false;
        for (bucket, rows) in buckets {
            let nearest =
                watched.get_mut(bucket).and_then(|watched| watched.show(*time, rows, &|_| Vec::new(), settings));
            alarmed |= nearest.is_some_and(|nearest| nearest >= 1.0);
        }
        if alarmed {
            return Length { steps: step + 1, alarmed };
        }
    }
    Length { steps: most_steps, alarmed: false }
}
