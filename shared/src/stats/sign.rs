//! The sign test: does the first method win more often than a fair coin?
//!
//! Of the pairs that are not tied, wins are Binomial(m, 1/2) if neither method tends to have the smaller loss (Arbuthnott
//! 1710; Conover 1999, section 3.4). Ties say nothing and are left out, and counted. Exact for every m, through the incomplete
//! beta function.

use super::alternative::Alternative;
use super::incomplete::beta_regularised;
use super::undefined::{Undefined, require_count, require_pairs};

/// The counts and the answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sign {
    /// Pairs where the first has the smaller loss: the statistic.
    pub wins: usize,
    /// Pairs where the second has.
    pub losses: usize,
    /// Pairs with equal losses, left out.
    pub ties: usize,
    /// Exact; 1 where all pairs are tied.
    pub p_value: f64,
}

/// Compares two methods' losses pair by pair. [`Alternative::Less`]: the first tends to have the smaller loss.
///
/// # Errors
/// [`Undefined::Lengths`], [`Undefined::NonFinite`], [`Undefined::TooFew`] without pairs.
///
/// ```
/// use shared::stats::{Alternative, sign::sign_test};
/// let test = sign_test(&[1.0, 1.0, 1.0, 5.0, 2.0], &[2.0, 3.0, 4.0, 4.0, 2.0], Alternative::Less)?;
/// assert_eq!((test.wins, test.losses, test.ties), (3, 1, 1));
/// assert!((test.p_value - 0.3125).abs() < 1e-15); // scipy.stats.binomtest(3, 4, alternative="greater")
/// # Ok::<(), shared::stats::Undefined>(())
/// ```
pub fn sign_test(first: &[f64], second: &[f64], alternative: Alternative) -> Result<Sign, Undefined> {
    require_pairs(first, second)?;
    require_count("pairs", first.len(), 1)?;
    let wins = first.iter().zip(second).filter(|(a, b)| a < b).count();
    let losses = first.iter().zip(second).filter(|(a, b)| a > b).count();
    let p_value = sign_p(wins, wins + losses, alternative);
    Ok(Sign { wins, losses, ties: first.len() - wins - losses, p_value })
}

/// The p-value of `wins` out of `pairs` untied pairs.
pub(super) fn sign_p(wins: usize, pairs: usize, alternative: Alternative) -> f64 {
    // A smaller loss is a win: many wins speak for `Less`, as a small statistic of the losses would.
    alternative.exact_p(half_binomial_at_least(wins, pairs), half_binomial_at_least(pairs - wins, pairs))
}

/// `P(X >= count)` of Binomial(n, 1/2) `= I_{1/2}(count, n - count + 1)` (DLMF 8.17.5).
fn half_binomial_at_least(count: usize, n: usize) -> f64 {
    match count {
        0 => 1.0,
        _ => beta_regularised(count as f64, (n - count + 1) as f64, 0.5, 0.5),
    }
}
