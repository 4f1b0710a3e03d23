//! The test of superior predictive ability (Hansen 2005), an improvement of the reality check (White 2000): is any of several methods
//! better than the benchmark, allowing for having tried them all? And the stepwise method of Romano and Wolf (2005): which ones?
//!
//! With `d_k = L_benchmark - L_k` (positive where method k is better), the statistic is the largest mean `max d̄_k`, or
//! `max d̄_k / ω_k` in the studentised form, compared with its bootstrap distribution. How methods that look worse enter that distribution gives
//! three p-values: *upper* as if all were as good as the benchmark (White), *lower* as if the worse ones could not matter,
//! *consistent* leaving aside those with `d̄_k < -ω_k √(2 ln ln n)`, `ω_k²` the variance of `d̄_k` under the stationary bootstrap
//! (Politis & Romano 1994, as in Hansen 2005, page 372).
//!
//! Hansen's own test is the studentised form. Python's arch 8.0 computes the plain form whatever its `studentize` says
//! (that option changes only the threshold's variance), so the reference values are those of the plain form. Both hold their level; the
//! plain one loses its power as soon as one method's differences vary much more than the others'. Both are given.

use super::bootstrap_means::{centred_means, largest, simulated_p};
use super::matrix::Losses;
use super::quantile::quantile;
use super::resample::Plan;
use super::undefined::{Undefined, require_count};

/// Whether mean differences are divided by their standard errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As they are, as Python's arch has it.
    #[default]
    Plain,
    /// In standard errors, as Hansen has it.
    Studentised,
}

/// Three p-values; the consistent one is the answer, the others bound it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PValues {
    /// The liberal bound.
    pub lower: f64,
    /// Hansen's.
    pub consistent: f64,
    /// The conservative bound: White's reality check.
    pub upper: f64,
}

/// One form's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Superiority {
    /// The largest mean difference, or studentised mean difference.
    pub statistic: f64,
    /// Its p-values.
    pub p_values: PValues,
    /// The column that it belongs to.
    pub best: usize,
    /// Columns shown to be better than the benchmark, all at the given level together (Romano & Wolf's `StepM`, consistent).
    pub superior: Vec<usize>,
}

/// The test in both forms.
#[derive(Debug, Clone, PartialEq)]
pub struct Spa {
    /// The plain form.
    pub plain: Superiority,
    /// The studentised form.
    pub studentised: Superiority,
}

impl Spa {
    /// One of the forms.
    pub fn of(&self, form: Form) -> &Superiority {
        match form {
            Form::Plain => &self.plain,
            Form::Studentised => &self.studentised,
        }
    }
}

/// Tests the other columns of `losses` against column `benchmark`; rows are in order of time. `level` is that of the stepwise method.
///
/// # Errors
/// [`Undefined::TooFew`] below 2 methods or 3 rows; [`Undefined::Setting`] for a benchmark, level or plan that does not fit;
/// [`Undefined::NoVariation`] where a method's losses differ from the benchmark's by a constant, or not at all.
pub fn superior_predictive_ability(
    losses: &Losses,
    benchmark: usize,
    level: f64,
    plan: &Plan,
) -> Result<Spa, Undefined> {
    require_count("methods", losses.columns(), 2)?;
    require_count("rows", losses.rows(), 3)?;
    if benchmark >= losses.columns() || !(level > 0.0 && level < 1.0) {
        return Err(Undefined::setting("the benchmark must be a column, and the level lie between 0 and 1"));
    }
    let columns: Vec<usize> = (0..losses.columns()).filter(|&column| column != benchmark).collect();
    let differences = differences(losses, benchmark, &columns)?;
    let errors = standard_errors(&differences, plan.block);
    if errors
        .iter()
        .zip(differences.means())
        .any(|(error, mean)| !error.is_finite() || *error <= 64.0 * f64::EPSILON * mean.abs())
    {
        return Err(Undefined::NoVariation {
            what: "a method's losses differ from the benchmark's by a constant, or not at all",
        });
    }
    let centred = centred_means(&differences, plan)?;
    let ones = vec![1.0; columns.len()];
    let in_units_of = |scale: &[f64]| Trial::new(&differences, &centred, &errors, scale).answer(&columns, level);
    Ok(Spa { plain: in_units_of(&ones), studentised: in_units_of(&errors) })
}

fn differences(losses: &Losses, benchmark: usize, columns: &[usize]) -> Result<Losses, Undefined> {
    let row = |row: &[f64]| columns.iter().map(|&column| row[benchmark] - row[column]).collect::<Vec<f64>>();
    Losses::new(columns.len(), losses.each_row().flat_map(row).collect())
}

/// Standard errors of the column means under the stationary bootstrap with mean block length b, q = 1/b:
/// `n ω² = γ₀ + 2 Σ [(1 - i/n)(1-q)^i + (i/n)(1-q)^(n-i)] γ_i`.
fn standard_errors(differences: &Losses, block: usize) -> Vec<f64> {
    (0..differences.columns()).map(|column| standard_error(&differences.column(column), block)).collect()
}

fn standard_error(values: &[f64], block: usize) -> f64 {
    let n = values.len() as f64;
    let keep = 1.0 - 1.0 / block.max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let covariance = |lag: usize| {
        let products = values.iter().zip(&values[lag..]).map(|(early, late)| (early - mean) * (late - mean));
        products.sum::<f64>() / n
    };
    let weight = |lag: f64| (1.0 - lag / n) * keep.powf(lag) + lag / n * keep.powf(n - lag);
    let lagged: f64 = (1..values.len())
        .map(|lag| (weight(lag as f64), lag))
        .filter(|(weight, _)| *weight > 1e-17)
        .map(|(weight, lag)| weight * covariance(lag))
        .sum();
    ((covariance(0) + 2.0 * lagged) / n).sqrt()
}

/// How a method that looks worse than the benchmark is recentred.
#[derive(Debug, Clone, Copy)]
enum Recentring {
    Lower,
    Consistent,
    Upper,
}

/// The differences in one form: means and replicates over a scale.
struct Trial {
    means: Vec<f64>,
    centred: Vec<Vec<f64>>,
    /// Below it a mean is set aside by [`Recentring::Consistent`].
    thresholds: Vec<f64>,
}

impl Trial {
    fn new(differences: &Losses, centred: &[Vec<f64>], errors: &[f64], scale: &[f64]) -> Self {
        let over = |values: &[f64]| values.iter().zip(scale).map(|(value, scale)| value / scale).collect::<Vec<f64>>();
        let bound = (2.0 * (differences.rows() as f64).ln().ln()).max(0.0).sqrt();
        let thresholds: Vec<f64> = errors.iter().map(|error| -error * bound).collect();
        Self {
            means: over(&differences.means()),
            centred: centred.iter().map(|row| over(row)).collect(),
            thresholds: over(&thresholds),
        }
    }

    fn answer(&self, columns: &[usize], level: f64) -> Superiority {
        let all: Vec<usize> = (0..columns.len()).collect();
        let statistic = largest(self.means.iter().copied());
        let p = |recentring| simulated_p(self.simulated(&all, recentring), statistic);
        let p_values =
            PValues { lower: p(Recentring::Lower), consistent: p(Recentring::Consistent), upper: p(Recentring::Upper) };
        let best = self.means.iter().position(|mean| *mean >= statistic).map_or(0, |place| columns[place]);
        let superior = self.stepwise(level).into_iter().map(|place| columns[place]).collect();
        Superiority { statistic, p_values, best, superior }
    }

    /// The bootstrap distribution of the largest difference among `members`.
    fn simulated(&self, members: &[usize], recentring: Recentring) -> impl Iterator<Item = f64> {
        let shifts: Vec<(usize, f64)> = members.iter().map(|&k| (k, self.shift(k, recentring))).collect();
        self.centred.iter().map(move |row| largest(shifts.iter().map(|(k, shift)| row[*k] + shift)))
    }

    /// What is added to a centred replicate: the mean itself where the method is taken to be truly worse, else nothing.
    fn shift(&self, method: usize, recentring: Recentring) -> f64 {
        let mean = self.means[method];
        let set_aside = match recentring {
            Recentring::Lower => mean < 0.0,
            Recentring::Consistent => mean < self.thresholds[method],
            Recentring::Upper => false,
        };
        if set_aside { mean } else { 0.0 }
    }

    /// Methods above the critical value are taken out and the rest tested again, until none is.
    fn stepwise(&self, level: f64) -> Vec<usize> {
        let mut remaining: Vec<usize> = (0..self.means.len()).collect();
        let mut superior = Vec::new();
        while !remaining.is_empty() {
            let mut simulated: Vec<f64> = self.simulated(&remaining, Recentring::Consistent).collect();
            simulated.sort_by(f64::total_cmp);
            let critical = quantile(&simulated, 1.0 - level).unwrap_or(f64::INFINITY);
            let (better, rest): (Vec<usize>, Vec<usize>) = remaining.iter().partition(|&&k| self.means[k] > critical);
            if better.is_empty() {
                break;
            }
            superior.extend(better);
            remaining = rest;
        }
        superior.sort_unstable();
        superior
    }
}
