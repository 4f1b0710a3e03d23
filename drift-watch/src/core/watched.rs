//! A bucket of horizons, watched: its baseline and its detectors.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::metric::Metric;

use super::classics::Level;
use super::detector::classic::Classic;
use super::exact::Sum;
use super::family::{self, WATCHES};
use super::learned::{Learned, Watches};
use super::score::{Score, Scores};
use super::settings::Settings;
use super::time::Micros;

/// A bucket of horizons.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Watched {
    /// The furthest horizon, as it was known when the baseline was learned; 0 before.
    pub overlap: usize,
    /// Closed steps with pairs.
    pub steps: u64,
    /// What was learned, once it was.
    pub learned: Option<Box<Learned>>,
    /// Its part of the promise, once it was learned.
    pub weight: f64,
    /// Steps that its detectors have seen.
    pub watched_steps: u64,
    /// What metrics are at the steps of the baseline.
    pub levels: Vec<(Metric, Level)>,
    /// The detectors that the team asked for, by what it wrote.
    pub classic: BTreeMap<String, Classic>,
}

/// The evidence of the detector that is nearest to its limit, as a part of that limit.
pub type Nearest = f64;

impl Watched {
    /// A bucket of which nothing is known but how far its forecasts reach.
    pub fn new(overlap: usize) -> Self {
        Self { overlap, ..Self::default() }
    }

    /// Shows a step to the detectors: the scores of each series that is watched. Nothing where there is no baseline.
    pub fn show(
        &mut self,
        target: Micros,
        rows: &[(u32, Scores)],
        segments_of: &dyn Fn(u32) -> Segments,
        settings: &Settings,
    ) -> Option<Nearest> {
        let (step, weight) = (self.watched_steps, self.weight);
        let learned = self.learned.as_mut()?;
        let offsets = learned.offsets(target);
        let nearest = learned.show_series(step, weight, rows, &offsets, settings);
        let groups = learned.show_groups(step, weight, rows, &offsets, segments_of, settings);
        if groups.is_none() && rows.is_empty() {
            return None;
        }
        self.watched_steps += 1;
        Some(groups.unwrap_or(0.0).max(nearest))
    }
}

/// The segments of a series.
pub type Segments = Vec<u32>;

/// Means of scores over a group.
#[derive(Debug, Clone, Copy, Default)]
pub struct Means([(Sum, f64); Score::ALL.len()]);

impl Means {
    /// Adds a series.
    pub fn add(&mut self, scores: &Scores) {
        for score in Score::ALL {
            if let Some(value) = scores.of(score) {
                self.0[score.index()].0.add(value);
                self.0[score.index()].1 += 1.0;
            }
        }
    }

    /// The mean of a score.
    pub fn of(&self, score: Score) -> Option<f64> {
        let (sum, n) = self.0[score.index()];
        (n > 0.0).then(|| sum.value() / n)
    }
}

impl Learned {
    fn show_series(
        &mut self,
        step: u64,
        weight: f64,
        rows: &[(u32, Scores)],
        offsets: &[f64; Score::ALL.len()],
        settings: &Settings,
    ) -> Nearest {
        if !settings.watch_series {
            return 0.0;
        }
        let n = self.series.len();
        let limits =
            WATCHES.map(|(_, _, part)| family::limit(settings.promise_steps, family::Level::Series, n, weight, part));
        let common = self.common;
        let mut nearest = 0.0_f64;
        for (series, scores) in rows {
            let Some(evidence) = self.series.update(*series, step, scores, offsets, &common, &limits) else { continue };
            nearest = evidence.iter().zip(&limits).map(|(evidence, limit)| evidence / limit).fold(nearest, f64::max);
        }
        nearest
    }

    fn show_groups(
        &mut self,
        step: u64,
        weight: f64,
        rows: &[(u32, Scores)],
        offsets: &[f64; Score::ALL.len()],
        segments_of: &dyn Fn(u32) -> Segments,
        settings: &Settings,
    ) -> Option<Nearest> {
        let mut everyone = Means::default();
        rows.iter().for_each(|(_, scores)| everyone.add(scores));
        let n = self.segments.len();
        let limit = |level, n, part| family::limit(settings.promise_steps, level, n, weight, part);
        let mut nearest =
            update(&mut self.model, step, &everyone, offsets, |part| limit(family::Level::Model, 1, part))?;
        for (segment, watches) in &mut self.segments {
            let mut means = Means::default();
            rows.iter()
                .filter(|(series, _)| segments_of(*series).contains(segment))
                .for_each(|(_, scores)| means.add(scores));
            let found = update(watches, step, &means, offsets, |part| limit(family::Level::Segment, n, part));
            nearest = nearest.max(found.unwrap_or(0.0));
        }
        Some(nearest)
    }
}

/// Shows the means of a group to its detectors; nothing where no score is known.
fn update(
    watches: &mut Watches,
    step: u64,
    means: &Means,
    offsets: &[f64; Score::ALL.len()],
    limit: impl Fn(f64) -> f64,
) -> Option<Nearest> {
    let mut nearest = None;
    for (monitor, &(score, _, part)) in watches.monitors.iter_mut().zip(&WATCHES) {
        let Some(value) = means.of(score) else { continue };
        let found = monitor.as_mut().map_or(0.0, |monitor| {
            monitor.update(step, value - offsets[score.index()], limit(part));
            monitor.evidence() / limit(part)
        });
        nearest = Some(found.max(nearest.unwrap_or(0.0)));
    }
    nearest
}
