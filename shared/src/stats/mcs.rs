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
    let data = Replicated { means: losses.means(), centred: centred_means(losses, plan)? };
    let mut remaining: Vec<usize> = (0..losses.columns()).collect();
    let mut set = ConfidenceSet { p_values: vec![1.0; losses.columns()], eliminated: Vec::new(), statistic: 0.0 };
    let mut largest_p = 0.0_f64;
    while remaining.len() > 1 {
        let step = match statistic {
            Statistic::Range => data.range_step(&remaining),
            Statistic::Max => data.max_step(&remaining),
        };
        if set.eliminated.is_empty() {
            set.statistic = step.statistic;
        }
        if step.statistic <= 0.0 {
            break;
        }
        largest_p = largest_p.max(step.p_value);
        set.p_values[step.worst] = largest_p;
        set.eliminated.push(step.worst);
        remaining.retain(|&column| column != step.worst);
    }
    Ok(set)
}

struct Step {
    statistic: f64,
    p_value: f64,
    worst: usize,
}

struct Replicated {
    means: Vec<f64>,
    centred: Vec<Vec<f64>>,
}

impl Replicated {
    fn range_step(&self, remaining: &[usize]) -> Step {
        let pairs: Vec<(usize, usize, f64)> = remaining
            .iter()
            .flat_map(|&i| remaining.iter().filter(move |&&j| j > i).map(move |&j| (i, j)))
            .map(|(i, j)| (i, j, self.deviation(|row| row[i] - row[j])))
            .collect();
        let gap =
            |&(i, j, deviation): &(usize, usize, f64)| self.standardised(self.means[i] - self.means[j], deviation);
        let statistic = largest(pairs.iter().map(|pair| gap(pair).abs()));
        let widest = pairs.iter().find(|pair| gap(pair).abs() >= statistic);
        let worst = widest.map_or(remaining[0], |pair| if gap(pair) > 0.0 { pair.0 } else { pair.1 });
        let simulate = |row: &Vec<f64>| {
            largest(pairs.iter().map(|&(i, j, deviation)| self.standardised(row[i] - row[j], deviation).abs()))
        };
        Step { statistic, p_value: simulated_p(self.centred.iter().map(simulate), statistic), worst }
    }

    fn max_step(&self, remaining: &[usize]) -> Step {
        let average = |row: &[f64]| remaining.iter().map(|&i| row[i]).sum::<f64>() / remaining.len() as f64;
        let deviations: Vec<f64> = remaining.iter().map(|&i| self.deviation(|row| row[i] - average(row))).collect();
        let gaps = |row: &[f64]| -> Vec<f64> {
            let centre = average(row);
            remaining
                .iter()
                .zip(&deviations)
                .map(|(&i, deviation)| self.standardised(row[i] - centre, *deviation))
                .collect()
        };
        let observed = gaps(&self.means);
        let statistic = largest(observed.iter().copied());
        let worst = observed.iter().position(|gap| *gap >= statistic).map_or(remaining[0], |place| remaining[place]);
        let simulated = self.centred.iter().map(|row| largest(gaps(row).into_iter()));
        Step { statistic, p_value: simulated_p(simulated, statistic), worst }
    }

    /// Root mean square of a contrast over the replicates.
    fn deviation(&self, contrast: impl Fn(&[f64]) -> f64) -> f64 {
        let squares: f64 = self.centred.iter().map(|row| contrast(row).powi(2)).sum();
        (squares / self.centred.len() as f64).sqrt()
    }

    /// A difference in standard deviations. Where nothing varies but rounding, equal means are 0 apart and others infinitely far.
    fn standardised(&self, difference: f64, deviation: f64) -> f64 {
        let size = largest(self.means.iter().map(|mean| mean.abs()));
        let rounding = 64.0 * f64::EPSILON * size;
        if deviation > rounding {
            difference / deviation
        } else if difference.abs() <= rounding {
            0.0
        } else {
            difference.signum() * f64::INFINITY
        }
    }
}
