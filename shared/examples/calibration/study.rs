//! Runs one design many times and counts what each test says.

#![expect(clippy::cast_possible_truncation, reason = "series and cutoffs of a simulation are few")]

use rayon::prelude::*;
use shared::stats::clustered::{Cell, Options, Panel, Timeline};

use super::designs::{Design, Losses, Sample, Shape};
use super::rivals::{NAMES, Rivals};

/// Distance in standard deviations at which a one-sided 5 % test that knows the variance has 90 % power.
const ORACLE_DISTANCE: f64 = 1.644_853_626_951_472_2 + 1.281_551_565_544_600_4;

/// Answers of one test, as counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub false_promotions: u32,
    pub found: u32,
    pub covered: u32,
    pub undecided: u32,
}

/// Counts of a design: ours, ours from two windows on, pooled rows, the rivals.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub runs: u32,
    pub ours: Tally,
    pub from_two: Tally,
    pub pooled: u32,
    pub rivals: [Tally; NAMES.len()],
}

/// A design made ready: what does not change from run to run.
struct Study<'a> {
    design: &'a Design,
    effect: f64,
    rivals: Option<Rivals>,
    timeline: Timeline,
}

/// Runs a design; results do not depend on the number of threads.
pub(crate) fn study(design: &Design, index: u64, runs: u32, seed: u64) -> Counts {
    let study = Study::new(design);
    (0..runs)
        .into_par_iter()
        .map(|run| study.run(seed, index, u64::from(run)))
        .reduce(Counts::default, |sum, x| sum.plus(&x))
}

impl<'a> Study<'a> {
    fn new(design: &'a Design) -> Self {
        let effect = if design.losses == Losses::Difference { ORACLE_DISTANCE * design.true_sd() } else { 0.0 };
        let plain = design.losses == Losses::Difference && design.shape == Shape::Complete && design.series > 1;
        let gap = design.horizon.div_ceil(design.step);
        let rivals = plain.then(|| Rivals::new(design.series, design.cutoffs, gap, effect));
        let positions = (0..design.cutoffs).map(|t| (t * design.step) as f64).collect();
        Self { design, effect, rivals, timeline: Timeline { positions, horizon: design.horizon as f64 } }
    }

    fn run(&self, seed: u64, index: u64, run: u64) -> Counts {
        let sample = self.design.sample(seed, index, run);
        let cells = cells(&sample, self.design.horizon as f64);
        let mut counts = Counts { runs: 1, pooled: u32::from(pooled_rejects(sample.pooled)), ..Counts::default() };
        counts.ours = self.ours(&cells, 3.0);
        counts.from_two = if counts.ours.undecided > 0 { self.ours(&cells, 2.0) } else { counts.ours };
        if let Some(rivals) = &self.rivals {
            let answers = rivals.all(&sample.first, seed ^ (index << 40) ^ run);
            counts.rivals = answers.map(|[plain, moved]| Tally {
                false_promotions: u32::from(plain),
                found: u32::from(moved),
                ..Tally::default()
            });
        }
        counts
    }

    fn ours(&self, cells: &[Cell], min_windows: f64) -> Tally {
        let options = Options { min_windows, ..Options::default() };
        let Ok(panel) = Panel::new(cells, &self.timeline, options) else {
            return Tally { undecided: 1, ..Tally::default() };
        };
        let ratio = self.design.losses == Losses::Skewed;
        let Ok(question) = (if ratio { panel.ratio() } else { Ok(panel.mean()) }) else {
            return Tally { undecided: 1, ..Tally::default() };
        };
        let null = question.test(if ratio { 1.0 } else { 0.0 });
        Tally {
            false_promotions: u32::from(null.p_less < 0.05),
            found: u32::from(!ratio && question.test(self.effect).p_less < 0.05),
            covered: u32::from(null.p_two_sided() >= 0.05),
            undecided: 0,
        }
    }
}

fn cells(sample: &Sample, rows: f64) -> Vec<Cell> {
    let cell = |s: usize, t: usize| {
        let weight = rows * sample.weights[s][t];
        let second = sample.second.as_ref().map_or(0.0, |second| second[s][t]);
        Cell {
            series: s as u32,
            cutoff: t as u32,
            candidate: weight * sample.first[s][t],
            baseline: weight * second,
            weight,
        }
    };
    let series = |s: usize| (0..sample.first[s].len()).map(move |t| cell(s, t));
    (0..sample.first.len()).flat_map(series).filter(|cell| cell.weight > 0.0).collect()
}

/// The z test that takes all rows of all windows for independent.
fn pooled_rejects((sum, squares, n): (f64, f64, f64)) -> bool {
    let mean = sum / n;
    n > 0.0 && mean < -1.644_853_626_951_472_2 * ((squares / n - mean * mean) / n).sqrt()
}

impl Tally {
    fn plus(self, other: Self) -> Self {
        Self {
            false_promotions: self.false_promotions + other.false_promotions,
            found: self.found + other.found,
            covered: self.covered + other.covered,
            undecided: self.undecided + other.undecided,
        }
    }
}

impl Counts {
    fn plus(mut self, other: &Self) -> Self {
        self.runs += other.runs;
        self.ours = self.ours.plus(other.ours);
        self.from_two = self.from_two.plus(other.from_two);
        self.pooled += other.pooled;
        self.rivals.iter_mut().zip(other.rivals).for_each(|(sum, x)| *sum = sum.plus(x));
        self
    }
}
