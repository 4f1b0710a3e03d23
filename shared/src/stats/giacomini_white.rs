//! The conditional test of Giacomini and White (2006): can anyone who knows the last loss difference tell which of two methods will
//! do better next?
//!
//! With loss differences `d_t` and instruments `h_t = (1, d_t)`, `Z_{t+τ} = h_t d_{t+τ}` has mean zero if neither method is better,
//! whatever is known at t. The statistic `n Z̄' Ω⁻¹ Z̄` (their equation 9) is χ² with 2 degrees of freedom; Ω is `Z'Z / n` for
//! τ = 1, and for τ > 1 its long-run form with Bartlett weights `1 - j/τ`, j < τ (Newey & West 1987).
//!
//! It tests *these forecasts*, made by methods with a limited window of training data, not the models' expected skill in the limit.
//! A small p-value does not say which method is better: look at the mean difference.

use super::special::chi2_sf;
use super::undefined::{Undefined, require_count, require_pairs};

/// The statistic and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditional {
    /// `n Z̄' Ω⁻¹ Z̄`.
    pub statistic: f64,
    /// By χ² on 2 degrees of freedom.
    pub p_value: f64,
    /// Differences used: all but the first τ.
    pub used: usize,
    /// Mean of the differences, all of them: negative where the first method has the smaller loss.
    pub mean_difference: f64,
}

type Pair = [f64; 2];

/// Compares two methods' losses, in order of time, forecast `horizon` = τ steps ahead.
///
/// # Errors
/// [`Undefined::Lengths`], [`Undefined::NonFinite`]; [`Undefined::Setting`] for τ = 0; [`Undefined::TooFew`] below τ + 3
/// differences; [`Undefined::NoVariation`] where they do not vary.
pub fn giacomini_white(first: &[f64], second: &[f64], horizon: usize) -> Result<Conditional, Undefined> {
    require_pairs(first, second)?;
    if horizon == 0 {
        return Err(Undefined::setting("horizon 0 (a forecast is at least 1 step ahead)"));
    }
    require_count("pairs", first.len(), horizon.saturating_add(3))?;
    let differences = scaled_differences(first, second);
    let moments: Vec<Pair> =
        differences.iter().zip(&differences[horizon..]).map(|(known, d)| [*d, known * d]).collect();
    let statistic = quadratic_form(&moments, horizon).ok_or(Undefined::NoVariation {
        what: "the loss differences do not vary: the covariance of the moments is singular",
    })?;
    let mean_difference = first.iter().zip(second).map(|(a, b)| a - b).sum::<f64>() / first.len() as f64;
    Ok(Conditional { statistic, p_value: chi2_sf(statistic, 2.0), used: moments.len(), mean_difference })
}

/// The differences in units of the largest: the statistic does not change, and nothing overflows.
fn scaled_differences(first: &[f64], second: &[f64]) -> Vec<f64> {
    let differences = first.iter().zip(second).map(|(a, b)| a - b);
    let largest = differences.clone().fold(0.0_f64, |largest, d| largest.max(d.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    differences.map(|d| d / unit).collect()
}

/// `n Z̄' Ω⁻¹ Z̄`; `None` where Ω is singular.
fn quadratic_form(moments: &[Pair], horizon: usize) -> Option<f64> {
    let n = moments.len() as f64;
    let mean = [0, 1].map(|i| moments.iter().map(|z| z[i]).sum::<f64>() / n);
    let [[a, b], [_, c]] = long_run(moments, horizon);
    let determinant = a * c - b * b;
    if determinant <= 1e-14 * a * c {
        return None;
    }
    Some(n * (c * mean[0] * mean[0] - 2.0 * b * mean[0] * mean[1] + a * mean[1] * mean[1]) / determinant)
}

fn long_run(moments: &[Pair], horizon: usize) -> [Pair; 2] {
    let mut total = cross(moments, 0);
    for lag in 1..horizon.min(moments.len()) {
        let weight = 1.0 - lag as f64 / horizon as f64;
        let lagged = cross(moments, lag);
        total = [0, 1].map(|i| [0, 1].map(|j| total[i][j] + weight * (lagged[i][j] + lagged[j][i])));
    }
    total
}

/// `Σ_t Z_t Z_{t-lag}' / n`.
fn cross(moments: &[Pair], lag: usize) -> [Pair; 2] {
    let n = moments.len() as f64;
    let product = |i: usize, j: usize| {
        moments[lag..].iter().zip(moments).map(|(late, early)| late[i] * early[j]).sum::<f64>() / n
    };
    [0, 1].map(|i| [0, 1].map(|j| product(i, j)))
}
