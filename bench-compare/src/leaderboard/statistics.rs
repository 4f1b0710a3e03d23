//! Win rate, skill score and ranks of each model, as fev and GIFT-Eval define them.

use rayon::prelude::*;
use shared::stats::rank::ranks_and_ties;

use super::bootstrap::{Draws, Estimate};
use super::grid::Grid;

/// Ranks of all models on all tasks, 1 for the smallest error, ties averaged; and how many ties each model has.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranks {
    /// The ranks.
    pub grid: Grid,
    /// (task, other model) pairs with exactly the same error, by model.
    pub ties: Vec<u64>,
}

impl Ranks {
    /// Ranks within each task. The errors must be numbers.
    pub fn new(errors: &Grid) -> Self {
        let (tasks, models) = (errors.tasks(), errors.models());
        let firsts: Vec<usize> = (0..tasks).step_by(TASKS).collect();
        let of_block = |&first: &usize| Block::new(errors, first..(first + TASKS).min(tasks));
        let blocks: Vec<Block> = firsts.par_iter().map(of_block).collect();
        let mut columns = Vec::with_capacity(tasks * models);
        (0..models).for_each(|model| blocks.iter().for_each(|block| columns.extend_from_slice(block.of(model))));
        let ties = (0..models).map(|model| blocks.iter().map(|block| block.ties[model]).sum()).collect();
        Self { grid: Grid::new(tasks, columns), ties }
    }

    /// A model's mean rank.
    pub fn mean(&self, model: usize) -> f64 {
        self.grid.column(model).iter().sum::<f64>() / self.grid.tasks() as f64
    }
}

/// Tasks that are ranked together, since a cache line of a column holds so many.
const TASKS: usize = 8;

/// The ranks of some tasks, by model and then by task; and how many ties each model has there.
struct Block {
    width: usize,
    ranks: Vec<f64>,
    ties: Vec<u64>,
}

impl Block {
    fn new(errors: &Grid, tasks: std::ops::Range<usize>) -> Self {
        let (models, width) = (errors.models(), tasks.len());
        let mut values = vec![0.0; models * width];
        for model in 0..models {
            let column = &errors.column(model)[tasks.clone()];
            column.iter().enumerate().for_each(|(row, &value)| values[row * models + model] = value);
        }
        let mut block = Self { width, ranks: vec![0.0; models * width], ties: vec![0; models] };
        values.chunks_exact(models.max(1)).enumerate().for_each(|(row, values)| block.rank(row, values));
        block
    }

    fn rank(&mut self, row: usize, values: &[f64]) {
        for (model, (rank, others)) in ranks_and_ties(values).into_iter().enumerate() {
            self.ranks[model * self.width + row] = rank;
            self.ties[model] += others as u64;
        }
    }

    fn of(&self, model: usize) -> &[f64] {
        &self.ranks[model * self.width..][..self.width]
    }
}

/// Win rate of each model: the mean over tasks and other models of 1[smaller error] + 1/2 1[equal error], with its interval.
/// On one task that is (models - average rank) / (models - 1). NaN where there is one model only.
pub fn win_rates(ranks: &Ranks, draws: &Draws) -> Vec<Estimate> {
    let models = ranks.grid.models();
    let share = |rank: f64| (models as f64 - rank) / (models as f64 - 1.0);
    let fill = |model: usize, values: &mut [f64]| write(values, ranks.grid.column(model), share);
    draws.estimate(models, fill, |mean| mean)
}

/// Skill score of each model: 1 - geometric mean of its relative errors, with its interval. A relative error of 0 gives 1.
pub fn skill_scores(errors: &Grid, draws: &Draws) -> Vec<Estimate> {
    let fill = |model: usize, values: &mut [f64]| write(values, errors.column(model), f64::ln);
    draws.estimate(errors.models(), fill, |mean| 1.0 - mean.exp())
}

/// Geometric mean of each model's relative errors, with its interval.
pub fn geometric_means(errors: &Grid, draws: &Draws) -> Vec<Estimate> {
    let fill = |model: usize, values: &mut [f64]| write(values, errors.column(model), f64::ln);
    draws.estimate(errors.models(), fill, f64::exp)
}

/// Mean rank of each model, with its interval.
pub fn mean_ranks(ranks: &Ranks, draws: &Draws) -> Vec<Estimate> {
    let fill = |model: usize, values: &mut [f64]| write(values, ranks.grid.column(model), |rank| rank);
    draws.estimate(ranks.grid.models(), fill, |mean| mean)
}

pub(super) fn write(values: &mut [f64], column: &[f64], of: impl Fn(f64) -> f64) {
    values.iter_mut().zip(column).for_each(|(place, &value)| *place = of(value));
}

#[cfg(test)]
mod tests {
    use super::super::units::Units;
    use super::*;

    fn no_draws(tasks: usize) -> Draws {
        Draws::new(Units::tasks(tasks), 0, 1, 0.95)
    }

    #[test]
    fn ties_share_the_win() {
        // Two tasks, three models; on the second task all are equal.
        let ranks = Ranks::new(&Grid::new(2, vec![1.0, 2.0, 2.0, 2.0, 3.0, 2.0]));
        let wins: Vec<f64> = win_rates(&ranks, &no_draws(2)).iter().map(|rate| rate.point).collect();
        assert_eq!(wins, [0.75, 0.5, 0.25]);
        assert_eq!(ranks.ties, [2, 2, 2]);
        assert_eq!(ranks.mean(0), 1.5);
    }

    #[test]
    fn a_zero_error_without_bounds_is_full_skill() {
        let errors = Grid::new(2, vec![0.0, 1.0, 1.0, 1.0]);
        assert_eq!(skill_scores(&errors, &no_draws(2))[0].point, 1.0);
    }
}
