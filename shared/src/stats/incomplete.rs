//! Incomplete beta and gamma functions, accurate in relative terms far into both tails: what the distributions in
//! [`special`](crate::stats::special) are made of.
//!
//! Our own and not those of statrs 0.19, which form `x^a (1 - x)^b / B(a, b)` from differences of log-gammas (its t tail is
//! 3e-10 off at a million degrees of freedom), take `1 - x` where the caller knows it better, and stop after 140 terms.
//! Here the factor comes from Loader's saddle-point form (Loader 2000, "Fast and accurate computation of binomial
//! probabilities"): Stirling's error and a deviance, neither of which cancels.

use std::f64::consts::{PI, TAU};

/// Stops a continued fraction that no longer changes.
const EPSILON: f64 = 1e-16;
/// Stands in for a zero denominator in Lentz's method.
const TINY: f64 = 1e-300;
/// No fraction here needs as many terms; a bound all the same.
const MAX_TERMS: u32 = 2_000_000;

/// `ln Γ(x) - [(x - 1/2) ln x - x + ln √2π]` for x > 0: Stirling's series from 15 on, below by the recurrence of Γ.
pub(super) fn stirling_error(x: f64) -> f64 {
    let mut shifted = x;
    let mut error = 0.0;
    while shifted < 15.0 {
        error += (shifted + 0.5) * (1.0 / shifted).ln_1p() - 1.0;
        shifted += 1.0;
    }
    error + stirling_series(shifted)
}

fn stirling_series(x: f64) -> f64 {
    const TERMS: [f64; 6] = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0];
    let inverse_square = 1.0 / (x * x);
    TERMS.iter().rev().fold(0.0, |sum, term| sum * inverse_square + term) / x
}

/// `x ln(x / mean) + mean - x`, without cancellation where x is close to the mean.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() - difference;
    }
    let ratio = difference / (x + mean);
    let mut term = 2.0 * x * ratio;
    let mut sum = difference * ratio;
    let mut odd = 3.0;
    // The terms fall at least a hundredfold each.
    while term.abs() > sum.abs() * 1e-18 {
        term *= ratio * ratio;
        sum += term / odd;
        odd += 2.0;
    }
    sum
}

/// `x^a y^b / B(a, b)` where y = 1 - x.
pub(super) fn beta_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 || y <= 0.0 {
        return 0.0;
    }
    let total = a + b;
    let corrections = stirling_error(total) - stirling_error(a) - stirling_error(b);
    let exponent = corrections - deviance(a, total * x) - deviance(b, total * y);
    (a / total * b / TAU).sqrt() * exponent.exp()
}

/// `x^a e^-x / Γ(a)`.
pub(super) fn gamma_factor(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    (a / TAU).sqrt() * (-stirling_error(a) - deviance(a, x)).exp()
}

/// The regularised incomplete beta function `I_x(a, b)`, with y = 1 - x given by the caller, who can often compute it
/// without cancellation. By a continued fraction, on the side where it converges.
pub(super) fn beta_regularised(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if y <= 0.0 {
        1.0
    } else if x < (a + 1.0) / (a + b + 2.0) {
        beta_factor(a, b, x, y) / beta_fraction(a, b, x, y)
    } else {
        1.0 - beta_factor(a, b, x, y) / beta_fraction(b, a, y, x)
    }
}

/// `beta_factor(a, b, x, y) / I_x(a, b)`: the fraction of `DiDonato` & Morris (1992, ACM TOMS 18, eq. 9), which has only
/// sums of positive terms where DLMF 8.17.22 subtracts numbers close to 1 (five digits at a million degrees of freedom).
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let lambda = a * y - b * x;
    let denominator = |n: f64| {
        n + n * (b - n) * x / (a + 2.0 * n - 1.0) + (a + n) / (a + 2.0 * n + 1.0) * (lambda + 1.0 + n * (1.0 + y))
    };
    let numerator = |n: f64| {
        let odd = a + 2.0 * n - 1.0;
        (a + n - 1.0) / odd * ((a + b + n - 1.0) / odd) * n * (b - n) * x * x
    };
    lentz(a / (a + 1.0) * (lambda + 1.0), |index| (numerator(f64::from(index)), denominator(f64::from(index))))
}

/// `b0 + a1 / (b1 + a2 / (b2 + …))` by the modified Lentz method (Thompson & Barnett 1986); `terms(i)` gives (`a_i`, `b_i`).
fn lentz(b0: f64, terms: impl Fn(u32) -> (f64, f64)) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut value = away_from_zero(b0);
    let (mut c, mut d) = (value, 0.0);
    for index in 1..MAX_TERMS {
        let (a, b) = terms(index);
        d = 1.0 / away_from_zero(b + a * d);
        c = away_from_zero(b + a / c);
        value *= c * d;
        if (c * d - 1.0).abs() <= EPSILON {
            break;
        }
    }
    value
}

/// The regularised incomplete gamma functions (P, Q) of a > 0 at x >= 0: the series of P below a + 1, the continued
/// fraction of Q above (DLMF 8.11.4 and 8.9.2).
pub(super) fn gamma_regularised(a: f64, x: f64) -> (f64, f64) {
    if x < a + 1.0 {
        let lower = gamma_factor(a, x) * gamma_series(a, x);
        (lower, 1.0 - lower)
    } else {
        let upper = gamma_factor(a, x) / gamma_fraction(a, x);
        (1.0 - upper, upper)
    }
}

/// `Q(1/2, x)` for x well above 1, with its factor `√(x/π) e^-x` written out: the normal tail, which is asked for often.
pub(super) fn upper_gamma_half(x: f64) -> f64 {
    (x / PI).sqrt() * (-x).exp() / gamma_fraction(0.5, x)
}

/// `gamma_factor(a, x) / Q(a, x)`.
fn gamma_fraction(a: f64, x: f64) -> f64 {
    lentz(x + 1.0 - a, |index| {
        let i = f64::from(index);
        (i * (a - i), x + 2.0 * i + 1.0 - a)
    })
}

fn gamma_series(a: f64, x: f64) -> f64 {
    let mut term = 1.0 / a;
    let mut sum = term;
    for index in 1..MAX_TERMS {
        term *= x / (a + f64::from(index));
        sum += term;
        if term <= sum * EPSILON {
            break;
        }
    }
    sum
}
