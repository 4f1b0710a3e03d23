//! The studentised range: the largest difference between k independent normals, divided by an independent estimate of
//! their standard deviation. What Nemenyi's and Tukey's critical differences are taken from.
//!
//! `P(Q > q) = E_S[1 - W(q S)]` with `W(w) = k ∫ φ(z) [Φ(z) - Φ(z - w)]^(k-1) dz` (Tukey 1953; Lund & Lund 1983, AS 190),
//! S² ~ χ²(df)/df. Both integrals are done by Gauss-Legendre panels on the complement `1 - W`, whose integrand is positive, so
//! that the tail keeps its relative accuracy. `SciPy` integrates W and subtracts: the two agree to about 1e-10.

use std::f64::consts::TAU;

use super::quadrature::Rule;
use super::roots::solve_secant;
use super::special::normal_cdf;

/// Where the search for a critical value begins; widened as needed.
const FIRST_BRACKET: (f64, f64) = (1.0, 8.0);

/// `P(Q > q)` for `groups` >= 2 and `df` > 0 degrees of freedom, which may be infinite. NaN outside that.
///
/// ```
/// let p = shared::stats::special::studentised_range_sf(3.5, 3, 20.0); // scipy.stats.studentized_range.sf(3.5, 3, 20)
/// assert!((p / 0.055_891_849_081_749_934 - 1.0).abs() < 1e-9);
/// ```
pub fn studentised_range_sf(q: f64, groups: usize, df: f64) -> f64 {
    if q.is_nan() || df.is_nan() || df <= 0.0 || groups < 2 {
        return f64::NAN;
    }
    if q <= 0.0 {
        return 1.0;
    }
    let rule = Rule::new();
    let most_weight = (df / (df + 0.5 * q * q)).sqrt();
    rule.over_chi_scale(df, most_weight, |scale| range_sf(&rule, q * scale, groups as f64)).min(1.0)
}

/// The q with `P(Q > q) = p`, `0 < p < 1`; NaN where there is none.
pub fn studentised_range_quantile(p: f64, groups: usize, df: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return f64::NAN;
    }
    let tail = |q: f64| studentised_range_sf(q, groups, df);
    let (mut low, mut high) = FIRST_BRACKET;
    while tail(low) < p && low > 1e-9 {
        low /= 8.0;
    }
    while tail(high) > p && high < 1e9 {
        high *= 8.0;
    }
    solve_secant(p, (low, high), tail).unwrap_or(f64::NAN)
}

/// `P(range > w)` of `groups` standard normals: `k ∫ φ(z) {Φ(z)^(k-1) - [Φ(z) - Φ(z - w)]^(k-1)} dz`.
fn range_sf(rule: &Rule, w: f64, groups: f64) -> f64 {
    let others = groups - 1.0;
    let integrand = |z: f64| {
        let below = normal_cdf(z);
        let outside = others * (-normal_cdf(z - w) / below).ln_1p();
        (-0.5 * z * z).exp() * below.powf(others) * -outside.exp_m1()
    };
    // Beyond 9 standard deviations of the largest of the k nothing is left, nor beyond w + 9.
    let high = 9.0 + w.min(60.0);
    groups / TAU.sqrt() * rule.integrate(-9.0, high, 1.5, integrand)
}
