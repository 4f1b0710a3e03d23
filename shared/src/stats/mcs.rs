//! The model confidence set of Hansen, Lunde and Nason (2011): the methods that the data cannot tell from the best.
//!
//! Starting from all methods, the hypothesis of equal expected loss is tested by a bootstrap of the mean losses and, step by
//! step, the worst method is taken out. [`Statistic::Range`] is their `T_R = max |d̄_ij| / √V(d̄_ij)` over pairs, which eliminates the
//! loser of the widest pair; [`Statistic::Max`] is `T_max = max d̄_i· / √V(d̄_i·)` against the mean of the remaining ones. A method's
//! p-value is the largest p-value of the steps up to its elimination, and 1 for the last one standing: the set at level α
//! holds the methods with p > α. All steps use the same replicates, as in Python's arch, whose p-values are
//! smaller by up to 1 / (replicates + 1): it counts the data out.
//!
//! Two methods with identical losses cannot be told apart and leave together or stay together. The set is large where the data
//! say little: being in it is no proof of quality.

use rayon::prelude::*;

use super::bootstrap_means::{centred_means, largest, simulated_p};
use super::matrix::Losses;
use super::resample::Plan;
use super::undefined::{Undefined, require_count};

/// Which statistic decides, and who is eliminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statistic {
    /// The widest pair.
    #[default]
    Range,
    /// The method furthest above the mean.
    Max,
}

impl Statistic {
    /// The name on the command line and in JSON, as in the paper.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "R",
            Self::Max => "max",
        }
    }
}

/// The p-values of the methods.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidenceSet {
    /// For each column: the smallest level at which it is left out.
    pub p_values: Vec<f64>,
    /// Columns in the order of their elimination; the best is not among them.
    pub eliminated: Vec<usize>,
    /// The first step's statistic: how far all methods are from equal.
    pub statistic: f64,
}

impl ConfidenceSet {
    /// The columns in the set at a level, as 0.1 for the set that holds the best method with 90 %.
    pub fn members(&self, level: f64) -> Vec<usize> {
        (0..self.p_values.len()).filter(|&column| self.p_values[column] > level).collect()
    }
}

/// Computes the set of the columns of `losses`, whose rows are in order of time.
///
/// # Errors
/// [`Undefined::TooFew`] below 2 methods or 2 rows; [`Undefined::Setting`] for a plan that does not fit.
pub fn model_confidence_set(losses: &Losses, statistic: Statistic, plan: &Plan) -> Result<ConfidenceSet, Undefined> {
    require_count("methods", losses.columns(), 2)?;
    require_count("rows", losses.rows(), 2)?;
    let mut data = Replicated::new(losses.means(), centred_means(losses, plan)?);
    let mut remaining: Vec<usize> = (0..losses.columns()).collect();
    let mut set = ConfidenceSet { p_values: vec![1.0; losses.columns()], eliminated: Vec::new(), statistic: 0.0 };
    let mut largest_p = 0.0_f64;
    while remaining.len() > 1 {
        let step = match statistic {
            Statistic::Range => data.range_step(),
            Statistic::Max => data.max_step(),
        };
        if set.eliminated.is_empty() {
            set.statistic = step.statistic;
        }
        if step.statistic <= 0.0 {
            break;
        }
        largest_p = largest_p.max(step.p_value);
        data.eliminate(step.worst);
        let worst = remaining.remove(step.worst);
        set.p_values[worst] = largest_p;
        set.eliminated.push(worst);
    }
    Ok(set)
}

struct Step {
    statistic: f64,
    p_value: f64,
    /// Its place among the remaining methods.
    worst: usize,
}

/// Replicates whose sums are added up together: fixed, so that threads change no bit.
const REPLICATES: usize = 64;

/// The mean losses of the remaining methods, in the data and in each replicate.
struct Replicated {
    means: Vec<f64>,
    centred: Vec<Vec<f64>>,
    /// What is no more than rounding.
    rounding: f64,
}

impl Replicated {
    fn new(means: Vec<f64>, centred: Vec<Vec<f64>>) -> Self {
        let rounding = 64.0 * f64::EPSILON * largest(means.iter().map(|mean| mean.abs()));
        Self { means, centred, rounding }
    }

    fn eliminate(&mut self, place: usize) {
        self.means.remove(place);
        self.centred.par_iter_mut().for_each(|row| {
            row.remove(place);
        });
    }

    fn range_step(&self) -> Step {
        let count = self.means.len();
        let pairs: Vec<(usize, usize, f64)> = (0..count)
            .flat_map(|i| (i + 1..count).map(move |j| (i, j)))
            .map(|(i, j)| (i, j, self.deviation(|row| row[i] - row[j])))
            .collect();
        let gap =
            |&(i, j, deviation): &(usize, usize, f64)| self.standardised(self.means[i] - self.means[j], deviation);
        let statistic = largest(pairs.iter().map(|pair| gap(pair).abs()));
        let widest = pairs.iter().find(|pair| gap(pair).abs() >= statistic);
        let worst = widest.map_or(0, |pair| if gap(pair) > 0.0 { pair.0 } else { pair.1 });
        let simulate = |row: &Vec<f64>| {
            largest(pairs.iter().map(|&(i, j, deviation)| self.standardised(row[i] - row[j], deviation).abs()))
        };
        Step { statistic, p_value: simulated_p(self.centred.iter().map(simulate), statistic), worst }
    }

    /// Work in proportion to methods times replicates.
    fn max_step(&self) -> Step {
        let deviations = self.deviations_from_mean();
        let gaps = |row: &[f64]| largest(self.gaps(row, &deviations));
        let statistic = gaps(&self.means);
        let worst = self.gaps(&self.means, &deviations).position(|gap| gap >= statistic).unwrap_or(0);
        let simulated: Vec<f64> = self.centred.par_iter().map(|row| gaps(row)).collect();
        Step { statistic, p_value: simulated_p(simulated.into_iter(), statistic), worst }
    }

    /// How far each method lies above the mean of all.
    fn gaps(&self, row: &[f64], deviations: &[f64]) -> impl Iterator<Item = f64> {
        let centre = mean(row);
        row.iter().zip(deviations).map(move |(value, deviation)| self.standardised(value - centre, *deviation))
    }

    /// For each method, the root mean square over the replicates of its distance from the mean of all.
    fn deviations_from_mean(&self) -> Vec<f64> {
        let squares_of = |rows: &[Vec<f64>]| rows.iter().fold(vec![0.0; self.means.len()], add_squares);
        let blocks: Vec<Vec<f64>> = self.centred.par_chunks(REPLICATES).map(squares_of).collect();
        let of_method = |method: usize| blocks.iter().map(|block| block[method]).sum::<f64>();
        (0..self.means.len()).map(|method| (of_method(method) / self.centred.len() as f64).sqrt()).collect()
    }

    /// Root mean square of a contrast over the replicates.
    fn deviation(&self, contrast: impl Fn(&[f64]) -> f64) -> f64 {
        let squares: f64 = self.centred.iter().map(|row| contrast(row).powi(2)).sum();
        (squares / self.centred.len() as f64).sqrt()
    }

    /// A difference in standard deviations. Where nothing varies but rounding, equal means are 0 apart and others infinitely far.
    fn standardised(&self, difference: f64, deviation: f64) -> f64 {
        if deviation > self.rounding {
            difference / deviation
        } else if difference.abs() <= self.rounding {
            0.0
        } else {
            difference.signum() * f64::INFINITY
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn add_squares(mut sums: Vec<f64>, row: &Vec<f64>) -> Vec<f64> {
    let centre = mean(row);
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += (value - centre).powi(2));
    sums
}
