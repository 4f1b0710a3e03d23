//! A model's detectors in a simulation: they learn from some rows, and watch others step by step until they alarm.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::bucket::Bucket;
use crate::core::family::{self, Level, WATCHES};
use crate::core::learned::{Learned, Listed, Observed};
use crate::core::pair::Pair;
use crate::core::score::{Score, Scores};
use crate::core::settings::Settings;
use crate::core::time::Micros;
use crate::core::watched::{Nearest, Watched};

/// A forecast of the past and its actual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The series.
    pub series: u32,
    /// What orders the rows in time: the forecast origin, or the target.
    pub time: Micros,
    /// Steps ahead.
    pub horizon: u32,
    /// Forecast and actual.
    pub pair: Pair,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Length {
    /// Steps to the alarm, or all of them.
    pub steps: u64,
    /// Whether there was one.
    pub alarmed: bool,
}

/// The scores of the watched series at a step, by bucket.
pub type Step = Vec<(Bucket, Vec<(u32, Scores)>)>;

/// The detectors of a model.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    watched: BTreeMap<Bucket, Watched>,
    settings: &'a Settings,
}

impl<'a> Trial<'a> {
    /// Learns from rows; `overlaps` is how many steps the longest forecast of each bucket reaches across. Nothing where no bucket has enough.
    pub fn learn(rows: &[Row], overlaps: &BTreeMap<Bucket, usize>, settings: &'a Settings) -> Option<Self> {
        let mut by_bucket: BTreeMap<Bucket, Vec<Observed>> = BTreeMap::new();
        for row in rows {
            let observed = Observed { series: row.series, target: row.time, pair: row.pair };
            by_bucket.entry(Bucket::of(row.horizon)).or_default().push(observed);
        }
        let all: Vec<usize> = overlaps.values().copied().collect();
        let learn = |(&bucket, &overlap): (&Bucket, &usize)| {
            let observed = by_bucket.get(&bucket).map_or(&[][..], Vec::as_slice);
            let steps: BTreeSet<Micros> = observed.iter().map(|row| row.target).collect();
            let is_enough = steps.len() >= settings.min_steps;
            let rows: Listed = observed.iter().copied().collect();
            let learned = is_enough.then(|| Learned::learn(&rows, overlap, &|_| Vec::new(), settings)).flatten();
            let weight = family::bucket_weight(overlap, &all);
            (bucket, Watched { learned: learned.map(Box::new), weight, ..Watched::new(overlap) })
        };
        let watched: BTreeMap<Bucket, Watched> = overlaps.iter().map(learn).collect();
        watched.values().any(|watched| watched.learned.is_some()).then_some(Self { watched, settings })
    }

    /// What was learned of each bucket.
    pub fn learned(&self) -> impl Iterator<Item = (Bucket, &Learned)> {
        self.watched.iter().filter_map(|(bucket, watched)| Some((*bucket, watched.learned.as_deref()?)))
    }

    /// The scores of a step's rows; those of a bucket and series lie side by side.
    pub fn scores(&self, rows: impl Iterator<Item = Row>) -> Step {
        let mut step = Step::new();
        for row in rows {
            let bucket = Bucket::of(row.horizon);
            let Some(learned) = self.watched.get(&bucket).and_then(|watched| watched.learned.as_ref()) else {
                continue;
            };
            let Some(watch) = learned.series.get(row.series) else { continue };
            if step.last().is_none_or(|(last, _)| *last != bucket) {
                step.push((bucket, Vec::new()));
            }
            let Some((_, list)) = step.last_mut() else { continue };
            if list.last().is_none_or(|(last, _)| *last != row.series) {
                list.push((row.series, Scores::default()));
            }
            if let Some((_, scores)) = list.last_mut() {
                scores.add(&row.pair, &watch.usual(), self.settings.loss);
            }
        }
        step
    }

    /// Shows a step; how near the nearest detector is to its limit.
    pub fn show(&mut self, time: Micros, step: &Step) -> Nearest {
        let (all, settings) = (&mut self.watched, self.settings);
        let show = |(bucket, rows): &(Bucket, Vec<(u32, Scores)>)| {
            all.get_mut(bucket).and_then(|watched| watched.show(time, rows, &|_| Vec::new(), settings))
        };
        step.iter().filter_map(show).fold(0.0, f64::max)
    }

    /// Goes on until a detector alarms; `next` shows the step of this number.
    pub fn until_alarm(&mut self, most_steps: u64, mut next: impl FnMut(&mut Self, u64) -> Nearest) -> Length {
        for step in 0..most_steps {
            if next(self, step) >= 1.0 {
                return Length { steps: step + 1, alarmed: true };
            }
        }
        Length { steps: most_steps, alarmed: false }
    }

    /// The detector that is nearest to its limit, of each score: how near, and whose errors it watches.
    pub fn nearest(&self) -> [(Nearest, Level); Score::ALL.len()] {
        let mut all = [(0.0, Level::Model); Score::ALL.len()];
        let mut take = |place: usize, level, part: f64| {
            let most = &mut all[WATCHES[place].0.index()];
            if part > most.0 {
                *most = (part, level);
            }
        };
        for watched in self.watched.values() {
            let Some(learned) = &watched.learned else { continue };
            let limit = |level, n, place: usize| {
                family::limit(self.settings.promise_steps, level, n, watched.weight, WATCHES[place].2)
            };
            for (place, monitor) in learned.model.monitors.iter().enumerate() {
                let evidence = monitor.as_ref().map_or(0.0, super::super::core::detector::monitor::Monitor::evidence);
                take(place, Level::Model, evidence / limit(Level::Model, 1, place));
            }
            for (_, series) in learned.series.iter() {
                for (place, evidence) in series.evidence().into_iter().enumerate() {
                    take(place, Level::Series, evidence / limit(Level::Series, learned.series.len(), place));
                }
            }
        }
        all
    }
}
