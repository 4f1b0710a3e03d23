//! The test of Pesaran and Timmermann (1992): does a forecast predict direction better than its own share of ups and downs would
//! by luck?
//!
//! With shares `P_y` and `P_x` of realised and predicted changes above 0, hit rate `P`, and `P* = P_y P_x + (1 - P_y)(1 - P_x)` the
//! hit rate expected without skill: `z = (P - P*) / √(V(P) - V(P*))`, `V(P) = P* (1 - P*) / n`,
//! `V(P*) = [(2P_y - 1)² P_x (1 - P_x) + (2P_x - 1)² P_y (1 - P_y)] / n + 4 P_y P_x (1 - P_y)(1 - P_x) / n²`
//! (their equations 5 and 6), standard normal without skill.
//!
//! A change of exactly 0 counts as not up, as in the paper; how many there are is reported. Neighbouring directions are taken as
//! independent, which they are not for forecasts several steps ahead.

use super::special::normal_sf;
use super::undefined::{Undefined, require_count, require_pairs};

/// Hit rates and the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// Share of changes whose direction was right.
    pub hit_rate: f64,
    /// The share expected without skill.
    pub expected_rate: f64,
    /// The statistic z.
    pub statistic: f64,
    /// One-sided: small where the forecast has skill.
    pub p_value: f64,
    /// Realised or predicted changes of exactly 0, counted as not up.
    pub flat: usize,
}

/// Tests realised against predicted changes.
///
/// # Errors
/// [`Undefined::Lengths`], [`Undefined::NonFinite`], [`Undefined::TooFew`] below 2 pairs, and
/// [`Undefined::NoVariation`] where all realised or all predicted changes go one way.
pub fn pesaran_timmermann(realised: &[f64], predicted: &[f64]) -> Result<Direction, Undefined> {
    require_pairs(realised, predicted)?;
    require_count("pairs", realised.len(), 2)?;
    let hits = realised.iter().zip(predicted).filter(|(y, x)| (**y > 0.0) == (**x > 0.0)).count();
    let n = realised.len() as f64;
    let (up_y, up_x, hit_rate) = (share_up(realised), share_up(predicted), hits as f64 / n);
    let expected_rate = up_y * up_x + (1.0 - up_y) * (1.0 - up_x);
    let variance = expected_rate * (1.0 - expected_rate) / n - expected_variance(up_y, up_x, n);
    if degenerate(up_y) || degenerate(up_x) || variance <= 0.0 {
        return Err(Undefined::NoVariation { what: "all changes go one way: no skill in direction can be shown" });
    }
    let statistic = (hit_rate - expected_rate) / variance.sqrt();
    let flat = realised.iter().chain(predicted).filter(|change| **change == 0.0).count();
    Ok(Direction { hit_rate, expected_rate, statistic, p_value: normal_sf(statistic), flat })
}

fn share_up(changes: &[f64]) -> f64 {
    changes.iter().filter(|change| **change > 0.0).count() as f64 / changes.len() as f64
}

fn degenerate(share: f64) -> bool {
    share <= 0.0 || share >= 1.0
}

fn expected_variance(up_y: f64, up_x: f64, n: f64) -> f64 {
    let (spread_y, spread_x) = (up_y * (1.0 - up_y), up_x * (1.0 - up_x));
    let first = (2.0 * up_y - 1.0).powi(2) * spread_x + (2.0 * up_x - 1.0).powi(2) * spread_y;
    first / n + 4.0 * spread_y * spread_x / (n * n)
}
