//! How many pairs a paired t test needs.

use super::quadrature::Rule;
use super::roots::solve_secant;
use super::special::{normal_sf, t_quantile};
use super::undefined::Undefined;

/// The numbers of pairs looked for.
const PAIRS: (f64, f64) = (2.000_001, 1e12);

/// `P(T > t)` of the noncentral t: `E[P(Z > t S - shift)]` with S² ~ χ²(df)/df (Johnson, Kotz & Balakrishnan 1995, ch. 31).
pub fn noncentral_t_sf(t: f64, df: f64, shift: f64) -> f64 {
    Rule::new().over_chi_scale(df, 1.0, |scale| normal_sf(t * scale - shift))
}

/// Power of the paired t test with `pairs` pairs against a mean of `effect` standard deviations of the differences, at level
/// `alpha`, one-sided ("larger") or two-sided. `pairs` need not be whole.
pub fn paired_t_power(effect: f64, pairs: f64, alpha: f64, two_sided: bool) -> f64 {
    let df = pairs - 1.0;
    let shift = effect * pairs.sqrt();
    if !two_sided {
        return noncentral_t_sf(-t_quantile(alpha, df), df, shift);
    }
    let critical = -t_quantile(0.5 * alpha, df);
    noncentral_t_sf(critical, df, shift) + noncentral_t_sf(critical, df, -shift)
}

/// The number of pairs with which the paired t test shows a mean of `effect` standard deviations with the given power; to be
/// rounded up.
///
/// # Errors
/// Where no number of pairs does (an effect of zero, a power not above alpha), or an argument is not a probability.
///
/// ```
/// let n = shared::stats::power::pairs_for_power(0.2, 0.8, 0.05, true)?; // statsmodels 0.15: TTestPower().solve_power
/// assert!((n / 198.150_820_955_562 - 1.0).abs() < 1e-8);
/// # Ok::<(), shared::stats::Undefined>(())
/// ```
pub fn pairs_for_power(effect: f64, power: f64, alpha: f64, two_sided: bool) -> Result<f64, Undefined> {
    if !(effect.is_finite() && alpha > 0.0 && alpha < power && power < 1.0) {
        return Err(Undefined::setting("a finite effect and 0 < alpha < power < 1 are needed"));
    }
    // A one-sided question about a harmful effect has no answer; a two-sided one does not mind the sign.
    let effect = if two_sided { effect.abs() } else { effect };
    solve_secant(power, PAIRS, |pairs| paired_t_power(effect, pairs, alpha, two_sided))
        .ok_or(Undefined::NoVariation { what: "no number of pairs up to 10^12 gives this power for this effect" })
}
