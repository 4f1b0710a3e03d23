//! The percentile bootstrap of a leaderboard (Efron 1979; Efron & Tibshirani 1993, chapter 13): tasks, or families of
//! tasks, drawn with replacement.
//!
//! Every statistic of a leaderboard is a function of a mean over tasks (win rate: the mean share of models beaten; skill:
//! 1 - exp of the mean log relative error), so one kernel serves all: columns of per-task values in, mean of each resample,
//! finish, quantiles. Draws come serially from numpy's generator; columns are worked on in parallel, each resample is
//! summed in an order that `Patterns` fixes, and so the number of threads changes no bit.

use rayon::prelude::*;
use shared::stats::numpy::Generator;
use shared::stats::quantile::quantile_of_unsorted;

use super::patterns::{LANES, Patterns};
use super::units::Units;

/// Resamples, drawn once and used for every statistic, as fev does.
#[derive(Debug, Clone)]
pub struct Draws {
    units: Units,
    patterns: Patterns,
    /// Tasks in each resample.
    weights: Vec<f64>,
    confidence: f64,
}

impl Draws {
    /// Draws `resamples` times as many units as there are: `default_rng(seed).integers(0, n, (resamples, n))`.
    pub fn new(units: Units, resamples: usize, seed: u64, confidence: f64) -> Self {
        let (mut generator, mut row) = (Generator::new(seed), vec![0; units.len()]);
        let mut weights = Vec::with_capacity(resamples);
        let patterns = Patterns::new(units.len(), resamples, |counts| {
            generator.integers(counts.len(), &mut row);
            row.iter().for_each(|&unit| counts[unit] += 1);
            weights.push(row.iter().map(|&unit| units.sizes[unit]).sum::<usize>() as f64);
        });
        Self { units, patterns, weights, confidence }
    }

    /// Point and interval of each of `columns` statistics. `fill` writes the values of one column by task, `finish` turns
    /// a mean into the statistic. The interval is absent without resamples, and where the statistic is undefined in one.
    pub fn estimate<F, G>(&self, columns: usize, fill: F, finish: G) -> Vec<Estimate>
    where
        F: Fn(usize, &mut [f64]) + Sync,
        G: Fn(f64) -> f64 + Sync,
    {
        self.each(columns, fill, |column, drawn| self.estimated(&column, drawn, |total, count| finish(total / count)))
    }

    /// Point and interval of the mean of each column of shares, and of the mean of what is left of them.
    pub fn shares(&self, columns: usize, fill: impl Fn(usize, &mut [f64]) + Sync) -> Vec<[Estimate; 2]> {
        self.each(columns, fill, |column, drawn| {
            let share = self.estimated(&column, drawn, |total, count| total / count);
            [share, self.estimated(&column, drawn, |total, count| (count - total) / count)]
        })
    }

    /// The mean of each column: of all tasks, then of each resample.
    pub fn means(&self, columns: usize, fill: impl Fn(usize, &mut [f64]) + Sync) -> Vec<(f64, Vec<f64>)> {
        self.each(columns, fill, |column, _| {
            let of_resample = |(total, count): (&[f64; LANES], &f64)| total[column.lane] / count;
            (column.sum / column.tasks, column.totals.iter().zip(&self.weights).map(of_resample).collect())
        })
    }

    /// What `take` makes of each column, eight of them at a time.
    fn each<T: Send>(
        &self,
        columns: usize,
        fill: impl Fn(usize, &mut [f64]) + Sync,
        take: impl Fn(Column<'_>, &mut Vec<f64>) -> T + Sync,
    ) -> Vec<T> {
        let blocks = (0..columns).step_by(LANES).collect::<Vec<_>>();
        let of_block = |scratch: &mut Scratch, &first: &usize| -> Vec<T> {
            let found = self.block(first..(first + LANES).min(columns), &fill, scratch);
            let column =
                |(lane, sum)| Column { sum, tasks: scratch.values.len() as f64, lane, totals: &scratch.totals };
            found.into_iter().enumerate().map(|found| take(column(found), &mut scratch.drawn)).collect()
        };
        blocks.par_iter().map_init(|| Scratch::new(self), of_block).flatten_iter().collect()
    }

    /// The sums of the columns of a block over all tasks; their totals in each resample are left in `scratch`.
    fn block(
        &self,
        columns: std::ops::Range<usize>,
        fill: &impl Fn(usize, &mut [f64]),
        scratch: &mut Scratch,
    ) -> Vec<f64> {
        let Scratch { values, units, totals, .. } = scratch;
        units.fill([0.0; LANES]);
        let mut sums = Vec::with_capacity(LANES);
        for (lane, column) in columns.enumerate() {
            fill(column, values);
            self.units.of_task.iter().zip(values.iter()).for_each(|(&unit, value)| units[unit][lane] += value);
            sums.push(values.iter().sum());
        }
        self.patterns.totals(units, totals);
        sums
    }

    /// `statistic` turns a total and a number of tasks into the statistic.
    fn estimated(&self, column: &Column<'_>, drawn: &mut Vec<f64>, statistic: impl Fn(f64, f64) -> f64) -> Estimate {
        let totals = column.totals.iter().map(|total| total[column.lane]);
        let values = totals.zip(&self.weights).map(|(total, &count)| statistic(total, count));
        self.summary(statistic(column.sum, column.tasks), values, drawn)
    }

    /// A point with the interval of the statistic's values in the resamples; `drawn` is room for them.
    pub fn summary(&self, point: f64, values: impl Iterator<Item = f64>, drawn: &mut Vec<f64>) -> Estimate {
        drawn.clear();
        drawn.extend(values);
        if drawn.iter().any(|value| !value.is_finite()) {
            return Estimate { point, interval: None };
        }
        let tail = 0.5 * (1.0 - self.confidence);
        let interval = quantile_of_unsorted(drawn, tail).zip(quantile_of_unsorted(drawn, 1.0 - tail));
        Estimate { point, interval }
    }
}

/// One column, added up.
struct Column<'a> {
    /// Over all tasks.
    sum: f64,
    tasks: f64,
    /// Which value of the totals is its own.
    lane: usize,
    /// Over each resample.
    totals: &'a [[f64; LANES]],
}

/// What a thread works in, block after block.
struct Scratch {
    /// One column, by task.
    values: Vec<f64>,
    /// The columns of a block, by unit.
    units: Vec<[f64; LANES]>,
    /// Their totals, by resample.
    totals: Vec<[f64; LANES]>,
    /// The statistic of one column, by resample.
    drawn: Vec<f64>,
}

impl Scratch {
    fn new(draws: &Draws) -> Self {
        Self {
            values: vec![0.0; draws.units.of_task.len()],
            units: vec![[0.0; LANES]; draws.units.len()],
            totals: vec![[0.0; LANES]; draws.weights.len()],
            drawn: Vec::with_capacity(draws.weights.len()),
        }
    }
}

/// A statistic with its percentile interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// On all tasks.
    pub point: f64,
    /// Lower and upper bound.
    pub interval: Option<(f64, f64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimates(units: Units, threads: usize) -> Vec<Estimate> {
        let draws = Draws::new(units, 200, 7, 0.95);
        let fill = |column: usize, values: &mut [f64]| {
            values
                .iter_mut()
                .enumerate()
                .for_each(|(task, value)| *value = ((task * 7 + column * 3) % 11) as f64 / 3.0);
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| draws.estimate(19, fill, |mean| 1.0 - mean.exp()))
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        assert_eq!(estimates(Units::tasks(40), 1), estimates(Units::tasks(40), 3));
        assert_eq!(estimates(Units::tasks(40), 1).len(), 19);
    }

    #[test]
    fn families_of_one_are_tasks() {
        let names: Vec<String> = (0..40).map(|task| task.to_string()).collect();
        let families = Units::families(names.iter().map(String::as_str));
        assert_eq!(estimates(families, 1), estimates(Units::tasks(40), 1));
    }

    #[test]
    fn a_single_family_never_varies() {
        let draws = Draws::new(Units::families(["a", "a", "a"].into_iter()), 50, 1, 0.95);
        let found = draws.estimate(1, |_, values| values.copy_from_slice(&[1.0, 2.0, 6.0]), |mean| mean);
        assert_eq!(found, [Estimate { point: 3.0, interval: Some((3.0, 3.0)) }]);
    }

    #[test]
    fn without_resamples_there_is_no_interval() {
        let found = Draws::new(Units::tasks(2), 0, 1, 0.95).estimate(1, |_, values| values.fill(1.0), |mean| mean);
        assert_eq!(found, [Estimate { point: 1.0, interval: None }]);
    }
}
