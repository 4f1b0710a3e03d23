//! The mean of a contrast over a panel of series and cutoffs, with an error that allows for series that go on being
//! easy or hard, for shocks common to all series, and for windows that overlap.
//!
//! The variance of the overall sum is estimated by `V = Vs + Vt - Vc`: Vs from the totals of the series (any dependence
//! within a series), Vt the long-run variance of the sums by cutoff (shocks common to all series, Müller's 2007 cosines, each
//! calibrated for the overlap of windows), Vc the part that both hold (Cameron, Gelbach and Miller 2011 for two-way
//! clusters, Thompson 2011 with serially correlated shocks). The test refers `estimate / sqrt(V)` to a t distribution with
//! Satterthwaite's degrees of freedom. Method, evidence and limits: `docs/STATISTICS.md`.
//!
//! ```
//! use shared::stats::clustered::{Cell, Options, Panel, Timeline};
//! let loss = |s: u32, t: u32| 10.0 + f64::from((7 * s + 5 * t) % 6);
//! let cells: Vec<Cell> = (0..8u32)
//!     .flat_map(|s| (0..12u32).map(move |t| (s, t)))
//!     .map(|(series, cutoff)| Cell {
//!         series,
//!         cutoff,
//!         candidate: loss(series, cutoff),
//!         baseline: loss(cutoff, series) + 2.0,
//!         weight: 1.0,
//!     })
//!     .collect();
//! let timeline = Timeline { positions: (0..12).map(|t| 12.0 * f64::from(t)).collect(), horizon: 12.0 };
//! let panel = Panel::new(&cells, &timeline, Options::default())?;
//! let ratio = panel.ratio()?;
//! assert!(ratio.estimate() < 1.0);
//! assert_eq!(ratio.test(1.0).p_less < 0.025, ratio.interval(0.95).upper < 1.0);
//! # Ok::<(), shared::stats::clustered::Undecidable>(())
//! ```

use std::collections::HashMap;
use std::sync::Arc;

mod moments;
mod overlap;
mod power;
mod question;
mod variance;

use moments::Moments;
use overlap::References;

pub use power::Outlook;
pub use question::{Interval, Question, Test};

#[cfg(test)]
mod tests;

/// The sums of one (series, cutoff): two numerators and a denominator, e.g. candidate's and baseline's absolute errors and rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Index of the series.
    pub series: u32,
    /// Index of the cutoff, into [`Timeline::positions`].
    pub cutoff: u32,
    /// Sum for the candidate.
    pub candidate: f64,
    /// Sum for the baseline.
    pub baseline: f64,
    /// What both are divided by: rows, or the sum of absolute actuals.
    pub weight: f64,
}

/// Where the cutoffs lie, and how long their windows are.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// Place of each cutoff in forecast steps, increasing.
    pub positions: Vec<f64>,
    /// Forecast steps of a window.
    pub horizon: f64,
}

/// Whether the series stand for others or are all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeriesPolicy {
    /// A sample: the answer holds for series of their kind. A panel of one series is judged as [`SeriesPolicy::Fixed`].
    #[default]
    Sampled,
    /// The population: only time is sampled.
    Fixed,
}

/// What the test takes for granted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Whether series are sampled.
    pub series: SeriesPolicy,
    /// Fewest independent windows with which a question is answered; at least 2.
    pub min_windows: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { series: SeriesPolicy::Sampled, min_windows: 3.0 }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Undecidable {
    /// Windows overlap so much that they say nothing about each other's spread.
    #[error(
        "{windows:.2} independent windows, at least {needed} are needed: {further} further cutoffs at the present spacing"
    )]
    TooFewWindows {
        /// Independent windows.
        windows: f64,
        /// Needed.
        needed: f64,
        /// Cutoffs that would make up the difference, at the mean spacing of the present ones (one horizon where there is one).
        further: usize,
    },
    /// Nothing to average.
    #[error("no cell has a positive weight")]
    Empty,
    /// A sum is not finite, a weight negative, or an index outside the timeline.
    #[error(
        "the cell of series {series}, cutoff {cutoff} is not usable (finite sums, weight >= 0, cutoff within the timeline)"
    )]
    BadCell {
        /// Its series.
        series: u32,
        /// Its cutoff.
        cutoff: u32,
    },
    /// Positions are not finite and increasing, or the horizon is not positive.
    #[error("cutoff positions must be finite and increasing, the horizon positive")]
    BadTimeline,
    /// A ratio needs a baseline whose mean is positive.
    #[error("the baseline's mean is {0}, a ratio needs a positive one")]
    BaselineNotPositive(f64),
}

/// A panel ready for questions: any number of them, each in time that does not depend on the number of cells.
///
/// Cells without weight are left out; series and cutoffs without cells do not count.
#[derive(Debug, Clone)]
pub struct Panel {
    cells: Arc<[Cell]>,
    /// Total weight of each cutoff.
    weights: Vec<f64>,
    /// Name of each series in the caller's numbering, increasing.
    series: Arc<[u32]>,
    /// Place of a series that was taken out.
    left_out: Option<usize>,
    cutoffs: Vec<u32>,
    timeline: Timeline,
    options: Options,
    moments: Moments,
    references: References,
}

impl Panel {
    /// Sums up the cells, which may come in any order and need not be complete; two cells of one (series, cutoff) are added.
    ///
    /// # Errors
    /// Too few independent windows, no weight, sums that are not finite, positions that do not increase.
    pub fn new(cells: &[Cell], timeline: &Timeline, options: Options) -> Result<Self, Undecidable> {
        check_timeline(timeline)?;
        let mut cells = checked(cells, timeline)?;
        let series = renumber(&mut cells, |cell| &mut cell.series);
        let cutoffs = renumber(&mut cells, |cell| &mut cell.cutoff);
        let positions: Vec<_> = cutoffs.iter().map(|&cutoff| timeline.positions[cutoff as usize]).collect();
        let timeline = Timeline { positions, horizon: timeline.horizon };
        enough_windows(&timeline, options)?;
        cells.sort_by_key(|cell| (cell.series, cell.cutoff));
        let weights = cutoff_weights(&cells, cutoffs.len());
        let references = references(&weights, &timeline, options);
        let moments = Moments::new(&cells, series.len(), cutoffs.len(), references.cosines());
        let series = series.into();
        let cells = cells.into();
        Ok(Self { cells, weights, series, left_out: None, cutoffs, timeline, options, moments, references })
    }

    /// The panel without one series (in the numbering of the cells). Costs a pass over the cells of that series and the series'
    /// weights, so that it may be asked of every series.
    ///
    /// # Errors
    /// Nothing, or too few independent windows, are left.
    pub fn without_series(&self, series: u32) -> Result<Self, Undecidable> {
        let Some(index) = self.present(series) else { return Ok(self.clone()) };
        let weights = self.weights_without(index);
        let emptied = weights.iter().zip(&self.weights).any(|(rest, all)| *rest <= 1e-9 * all);
        if emptied || self.left_out.is_some() || self.series.len() <= 2 {
            return self.without(|cell| cell.series as usize == index);
        }
        let references = references(&weights, &self.timeline, self.options);
        let moments = self.moments.without(index);
        Ok(Self { moments, references, weights, left_out: Some(index), ..self.clone() })
    }

    /// Place of a series among those that the panel has.
    fn present(&self, series: u32) -> Option<usize> {
        self.series.binary_search(&series).ok().filter(|&index| self.left_out != Some(index))
    }

    fn weights_without(&self, index: usize) -> Vec<f64> {
        let first = self.cells.partition_point(|cell| (cell.series as usize) < index);
        let own = self.cells[first..].iter().take_while(|cell| cell.series as usize == index);
        let mut weights = self.weights.clone();
        own.for_each(|cell| weights[cell.cutoff as usize] -= cell.weight);
        weights
    }

    /// The panel without one cutoff (in the numbering of the cells).
    ///
    /// # Errors
    /// Too few independent windows are left.
    pub fn without_cutoff(&self, cutoff: u32) -> Result<Self, Undecidable> {
        let Ok(index) = self.cutoffs.binary_search(&cutoff) else { return Ok(self.clone()) };
        self.without(|cell| cell.cutoff as usize == index)
    }

    fn without(&self, left_out: impl Fn(&Cell) -> bool) -> Result<Self, Undecidable> {
        let absent = |cell: &Cell| left_out(cell) || self.left_out == Some(cell.series as usize);
        let kept: Vec<_> = self.cells.iter().filter(|cell| !absent(cell)).copied().collect();
        let mut panel = Self::new(&kept, &self.timeline, self.options)?;
        panel.series = panel.series.iter().map(|&index| self.series[index as usize]).collect();
        panel.cutoffs = panel.cutoffs.iter().map(|&index| self.cutoffs[index as usize]).collect();
        Ok(panel)
    }

    /// How many windows share no row with each other: `(T - 1) * step / H + 1`, at most T.
    pub fn independent_windows(&self) -> f64 {
        self.references.windows
    }

    /// Series that have cells, in the numbering of the cells.
    pub fn series(&self) -> impl Iterator<Item = u32> + '_ {
        self.series.iter().enumerate().filter(|(index, _)| self.left_out != Some(*index)).map(|(_, &name)| name)
    }

    /// How many series have cells.
    pub fn series_count(&self) -> usize {
        self.series.len() - usize::from(self.left_out.is_some())
    }

    /// Cutoffs that have cells, in the numbering of the cells.
    pub fn cutoffs(&self) -> &[u32] {
        &self.cutoffs
    }
}

fn check_timeline(timeline: &Timeline) -> Result<(), Undecidable> {
    let finite = timeline.horizon.is_finite() && timeline.positions.iter().all(|position| position.is_finite());
    let increasing = timeline.positions.windows(2).all(|pair| pair[0] < pair[1]);
    if finite && increasing && timeline.horizon > 0.0 { Ok(()) } else { Err(Undecidable::BadTimeline) }
}

/// The cells that have a weight, if all are usable.
fn checked(cells: &[Cell], timeline: &Timeline) -> Result<Vec<Cell>, Undecidable> {
    let usable = |cell: &Cell| {
        [cell.candidate, cell.baseline, cell.weight].iter().all(|x| x.is_finite())
            && cell.weight >= 0.0
            && (cell.cutoff as usize) < timeline.positions.len()
    };
    if let Some(cell) = cells.iter().find(|cell| !usable(cell)) {
        return Err(Undecidable::BadCell { series: cell.series, cutoff: cell.cutoff });
    }
    let kept: Vec<_> = cells.iter().filter(|cell| cell.weight > 0.0).copied().collect();
    if kept.is_empty() { Err(Undecidable::Empty) } else { Ok(kept) }
}

/// Numbers what occurs from 0 without gaps, and returns the old numbers.
fn renumber(cells: &mut [Cell], field: impl Fn(&mut Cell) -> &mut u32) -> Vec<u32> {
    let mut names: Vec<_> = cells.iter_mut().map(|cell| *field(cell)).collect();
    names.sort_unstable();
    names.dedup();
    let numbered = (0..).zip(names.iter().copied()).map(|(number, name)| (name, number)).collect::<HashMap<u32, u32>>();
    for cell in cells {
        let number = field(cell);
        *number = numbered[number];
    }
    names
}

fn enough_windows(timeline: &Timeline, options: Options) -> Result<(), Undecidable> {
    let windows = overlap::independent_windows(&timeline.positions, timeline.horizon);
    let needed = options.min_windows.max(2.0);
    if windows + 1e-9 >= needed {
        return Ok(());
    }
    let cutoffs = timeline.positions.len();
    let gain = if cutoffs > 1 { (windows - 1.0) / (cutoffs - 1) as f64 } else { 1.0 };
    Err(Undecidable::TooFewWindows { windows, needed, further: whole((needed - windows) / gain - 1e-9 + 1.0) })
}

fn cutoff_weights(cells: &[Cell], cutoffs: usize) -> Vec<f64> {
    let mut weights = vec![0.0; cutoffs];
    for cell in cells {
        weights[cell.cutoff as usize] += cell.weight;
    }
    weights
}

fn references(weights: &[f64], timeline: &Timeline, options: Options) -> References {
    let fewest = whole(options.min_windows.clamp(2.0, 3.0) - 1.0);
    References::new(&timeline.positions, timeline.horizon, weights, fewest)
}

/// The whole part of a small positive number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; negative is 0")]
fn whole(number: f64) -> usize {
    number as usize
}
