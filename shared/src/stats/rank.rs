//! Several methods on several tasks, by rank: Friedman's test and what follows from it.
//!
//! Within each of N tasks the k methods are ranked by loss, 1 the best, ties sharing the average of their places.
//! Friedman (1937): `χ² = 12 N / (k (k+1)) · Σ_j (R̄_j - (k+1)/2)² / c` on k - 1 degrees of freedom, with the tie correction
//! `c = 1 - Σ (t³ - t) / (N k (k² - 1))` over groups of t tied methods (Conover 1999, section 5.8).
//! Iman and Davenport (1980): `F = (N-1) χ² / (N (k-1) - χ²)` on (k-1, (k-1)(N-1)), which is the less conservative.
//! Kendall's `W = χ² / (N (k-1))`. Nemenyi (1963), as in Demšar (2006): two methods differ at level α where their mean ranks are
//! further apart than `CD = q_α √(k (k+1) / (6 N))`, with √2 `q_α` the quantile of the studentised range of k and infinite degrees.

use super::matrix::Losses;
use super::special::{chi2_sf, f_sf, studentised_range_quantile, studentised_range_sf};
use super::undefined::{Undefined, require_count};

/// The ranks of values, 1 for the smallest; equal values share the mean of their places.
pub fn average_ranks(values: &[f64]) -> Vec<f64> {
    ranks_and_ties(values).into_iter().map(|(rank, _)| rank).collect()
}

/// For each value its rank, and how many others equal it.
///
/// ```
/// use shared::stats::rank::ranks_and_ties;
/// assert_eq!(ranks_and_ties(&[0.3, 0.1, 0.3, 0.0, -0.0]), [(4.5, 1), (3.0, 0), (4.5, 1), (1.5, 1), (1.5, 1)]); // scipy.stats.rankdata
/// ```
pub fn ranks_and_ties(values: &[f64]) -> Vec<(f64, usize)> {
    let mut sorted: Vec<(f64, usize)> = (0..).zip(values).map(|(index, &value)| (value, index)).collect();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut first_place) = (vec![(0.0, 0); values.len()], 0);
    for equal in sorted.chunk_by(|a, b| a.0 >= b.0) {
        // sorted upwards: not below means equal
        let others = equal.len() - 1;
        let shared = first_place as f64 + others as f64 / 2.0 + 1.0;
        equal.iter().for_each(|&(_, index)| ranks[index] = (shared, others));
        first_place += equal.len();
    }
    ranks
}

/// `Σ (t³ - t)` over the groups of t equal values: `t² - 1` from each of them.
pub(super) fn tie_sum(values: &[f64]) -> f64 {
    ranks_and_ties(values).iter().map(|(_, others)| (*others as f64 + 1.0).powi(2) - 1.0).sum()
}

/// Friedman's test and its relatives.
#[derive(Debug, Clone, PartialEq)]
pub struct Friedman {
    /// Mean rank of each method, 1 the best.
    pub mean_ranks: Vec<f64>,
    /// Tasks.
    pub tasks: usize,
    /// Friedman's χ², corrected for ties.
    pub chi2: f64,
    /// Its p-value on k - 1 degrees of freedom.
    pub p_value: f64,
    /// Iman and Davenport's F; infinite where all tasks agree fully.
    pub iman_davenport_f: f64,
    /// Its p-value; 0 where F is infinite.
    pub iman_davenport_p: f64,
    /// Kendall's coefficient of concordance, 0 to 1.
    pub kendall_w: f64,
}

/// Tests whether all methods (columns) rank alike over the tasks (rows).
///
/// # Errors
/// [`Undefined::TooFew`] below 2 methods or 2 tasks; [`Undefined::NoVariation`] where all methods tie in every task.
///
/// ```
/// use shared::stats::{matrix::Losses, rank::friedman};
/// let losses = Losses::from_rows(&[[1.0, 2.0, 3.0], [1.0, 3.0, 2.0], [2.0, 1.0, 3.0], [1.0, 2.0, 3.0]])?;
/// let test = friedman(&losses)?;
/// assert!((test.chi2 - 4.5).abs() < 1e-12); // scipy.stats.friedmanchisquare of the columns
/// # Ok::<(), shared::stats::Undefined>(())
/// ```
pub fn friedman(losses: &Losses) -> Result<Friedman, Undefined> {
    require_count("methods", losses.columns(), 2)?;
    require_count("tasks", losses.rows(), 2)?;
    let (n, k) = (losses.rows() as f64, losses.columns() as f64);
    let mean_ranks = mean_ranks(losses);
    let chi2 = chi2_of(&mean_ranks, n, k, tie_correction(losses)?);
    let (iman_davenport_f, iman_davenport_p) = iman_davenport(chi2, n, k);
    let kendall_w = (chi2 / (n * (k - 1.0))).min(1.0);
    let p_value = chi2_sf(chi2, k - 1.0);
    Ok(Friedman { mean_ranks, tasks: losses.rows(), chi2, p_value, iman_davenport_f, iman_davenport_p, kendall_w })
}

/// The mean rank of each column over the rows.
pub fn mean_ranks(losses: &Losses) -> Vec<f64> {
    let mut sums = vec![0.0; losses.columns()];
    for row in losses.each_row() {
        sums.iter_mut().zip(average_ranks(row)).for_each(|(sum, rank)| *sum += rank);
    }
    sums.iter().map(|sum| sum / losses.rows() as f64).collect()
}

fn tie_correction(losses: &Losses) -> Result<f64, Undefined> {
    let (n, k) = (losses.rows() as f64, losses.columns() as f64);
    let tied: f64 = losses.each_row().map(tie_sum).sum();
    let possible = n * k * (k * k - 1.0);
    if tied >= possible {
        return Err(Undefined::NoVariation { what: "all methods tie in every task: there are no ranks to compare" });
    }
    Ok(1.0 - tied / possible)
}

fn chi2_of(mean_ranks: &[f64], n: f64, k: f64, correction: f64) -> f64 {
    let spread: f64 = mean_ranks.iter().map(|rank| (rank - 0.5 * (k + 1.0)).powi(2)).sum();
    12.0 * n / (k * (k + 1.0)) * spread / correction
}

fn iman_davenport(chi2: f64, n: f64, k: f64) -> (f64, f64) {
    let left = n * (k - 1.0) - chi2;
    if left <= 1e-12 * n * (k - 1.0) {
        return (f64::INFINITY, 0.0);
    }
    let f = (n - 1.0) * chi2 / left;
    (f, f_sf(f, k - 1.0, (k - 1.0) * (n - 1.0)))
}

/// Nemenyi's critical difference of mean ranks of `methods` on `tasks` at level `alpha`.
///
/// # Errors
/// [`Undefined::Setting`] for an alpha outside (0, 1); [`Undefined::TooFew`] below 2 methods or without tasks.
pub fn nemenyi_critical_difference(methods: usize, tasks: usize, alpha: f64) -> Result<f64, Undefined> {
    require_count("methods", methods, 2)?;
    require_count("tasks", tasks, 1)?;
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(Undefined::setting("alpha must lie between 0 and 1"));
    }
    let q = studentised_range_quantile(alpha, methods, f64::INFINITY) / std::f64::consts::SQRT_2;
    Ok(q * rank_error(methods, tasks))
}

/// Nemenyi's p-value for every pair of methods, as a symmetric matrix with ones on the diagonal.
pub fn nemenyi_p_values(mean_ranks: &[f64], tasks: usize) -> Vec<Vec<f64>> {
    let methods = mean_ranks.len();
    let error = rank_error(methods, tasks) / std::f64::consts::SQRT_2;
    let p = |a: f64, b: f64| studentised_range_sf((a - b).abs() / error, methods, f64::INFINITY);
    mean_ranks.iter().map(|&a| mean_ranks.iter().map(|&b| p(a, b)).collect()).collect()
}

/// `√(k (k+1) / (6 N))`.
fn rank_error(methods: usize, tasks: usize) -> f64 {
    let k = methods as f64;
    (k * (k + 1.0) / (6.0 * tasks as f64)).sqrt()
}
