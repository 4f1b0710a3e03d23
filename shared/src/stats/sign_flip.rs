//! Fisher's randomisation test for paired differences: exact for few pairs, Student's t for many.

use crate::stats::special;

/// Most pairs for which all 2ⁿ sign patterns are enumerated; above it Student's t stands in.
pub const EXACT_PAIRS: usize = 20;

/// Halvings when the interval is sought; each gains a bit, so this is all that an `f64` holds.
const BISECTIONS: usize = 60;

/// Relative slack within which two sums count as tied: rounding of a sum of up to [`EXACT_PAIRS`] terms.
const TIE: f64 = 1e-12;

/// Mean of paired differences with its one-sided p-values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlip {
    /// Mean difference.
    pub estimate: f64,
    /// P-value of "the centre is below 0".
    pub p_less: f64,
    /// P-value of "the centre is above 0".
    pub p_greater: f64,
    /// The smallest p-value that this many pairs can give.
    pub smallest_p: f64,
    /// Degrees of freedom where Student's t was used.
    pub df: Option<f64>,
}

/// Tests whether differences are symmetric about 0 against a shift (Fisher 1935, *The Design of Experiments*, section 21).
///
/// Under the null each difference keeps or flips its sign with probability 1/2. Up to [`EXACT_PAIRS`] pairs all patterns are
/// counted, the observed one included, so `p_less = #{Σ ±|dᵢ| ≤ Σ dᵢ} / 2ⁿ`, never 0; above, `t = mean / (sd/√n)` with `n - 1`
/// degrees of freedom. Zero differences stay in (they tie with themselves). Returns `None` for no pairs or a non-finite one.
///
/// ```
/// // All five of one sign: 1 of 32 patterns.
/// let test = shared::stats::sign_flip::test(&[-1.0, -2.0, -3.0, -4.0, -5.0]).unwrap();
/// assert_eq!(test.p_less, 1.0 / 32.0);
/// ```
pub fn test(differences: &[f64]) -> Option<SignFlip> {
    if differences.is_empty() || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    if differences.len() <= EXACT_PAIRS { Some(exact(differences)) } else { Some(student(differences)) }
}

/// The two-sided interval of the centre at `confidence`, by inverting [`test()`]: the shifts that neither tail rejects.
///
/// `None` where too few pairs bound it: with n pairs no p-value is below 2⁻ⁿ.
pub fn interval(differences: &[f64], confidence: f64) -> Option<[f64; 2]> {
    let tail = (1.0 - confidence) / 2.0;
    let smallest = test(differences)?.smallest_p;
    if smallest > tail {
        return None;
    }
    let (low, high) = span(differences);
    let shifted = |shift: f64| test(&differences.iter().map(|d| d - shift).collect::<Vec<_>>());
    let lower = boundary(low, high, |shift| shifted(shift).is_some_and(|t| t.p_greater > tail));
    let upper = boundary(high, low, |shift| shifted(shift).is_some_and(|t| t.p_less > tail));
    Some([lower, upper])
}

/// The end of the region where `inside` holds, sought from `outside` towards `towards`.
fn boundary(outside: f64, towards: f64, inside: impl Fn(f64) -> bool) -> f64 {
    let (mut out, mut within) = (outside, towards);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(out, within);
        if inside(middle) { within = middle } else { out = middle }
    }
    within
}

/// Two shifts that are rejected and between which the interval lies.
fn span(differences: &[f64]) -> (f64, f64) {
    let low = differences.iter().copied().fold(f64::INFINITY, f64::min);
    let high = differences.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let room = 10.0 * (high - low) + 1e-9 * low.abs().max(high.abs());
    (low - room, high + room)
}

fn exact(differences: &[f64]) -> SignFlip {
    let sum: f64 = differences.iter().sum();
    let slack = TIE * differences.iter().map(|d| d.abs()).sum::<f64>();
    let (mut below, mut above) = (0u64, 0u64);
    each_flipped_sum(differences, |flipped| {
        below += u64::from(flipped <= sum + slack);
        above += u64::from(flipped >= sum - slack);
    });
    let patterns = (1u64 << differences.len()) as f64;
    SignFlip {
        estimate: sum / differences.len() as f64,
        p_less: below as f64 / patterns,
        p_greater: above as f64 / patterns,
        smallest_p: 1.0 / patterns,
        df: None,
    }
}

/// Calls `visit` with the sum of every sign pattern: the two halves' sums are made once each.
fn each_flipped_sum(differences: &[f64], mut visit: impl FnMut(f64)) {
    let (left, right) = differences.split_at(differences.len() / 2);
    let (left, right) = (half_sums(left), half_sums(right));
    for a in &left {
        for b in &right {
            visit(a + b);
        }
    }
}

fn half_sums(differences: &[f64]) -> Vec<f64> {
    differences.iter().fold(vec![0.0], |sums, d| sums.iter().flat_map(|s| [s + d, s - d]).collect())
}

fn student(differences: &[f64]) -> SignFlip {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = if variance > 0.0 { mean / (variance / n).sqrt() } else { mean.signum() * f64::INFINITY };
    let (p_less, p_greater) = tails(t, n - 1.0, mean);
    SignFlip { estimate: mean, p_less, p_greater, smallest_p: 0.0, df: Some(n - 1.0) }
}

fn tails(t: f64, df: f64, mean: f64) -> (f64, f64) {
    if mean == 0.0 {
        return (0.5, 0.5);
    }
    (special::t_cdf(t, df), special::t_sf(t, df))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_patterns_counted_by_hand() {
        // The 8 sums of ±1 ±2 ±4 are -7, -5, -3, -1, 1, 3, 5, 7; the observed one is 3.
        let found = test(&[1.0, -2.0, 4.0]).unwrap();
        assert_eq!(found.p_less, 6.0 / 8.0);
        assert_eq!(found.p_greater, 3.0 / 8.0);
    }

    #[test]
    fn five_pairs_bound_no_95_percent_interval_and_six_do() {
        assert_eq!(interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95), None);
        let [low, high] = interval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.95).unwrap();
        // Only the patterns of one sign lie in the tails, so the interval ends where the extreme difference changes its sign.
        assert!((low - 1.0).abs() < 1e-9 && (high - 6.0).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn swapping_the_models_mirrors_the_answer() {
        let d = [0.3, -0.1, 0.7, 0.2, -0.4, 0.05, 0.9];
        let (a, b) = (test(&d).unwrap(), test(&d.map(|x| -x)).unwrap());
        assert_eq!((a.p_less, a.p_greater), (b.p_greater, b.p_less));
    }

    #[test]
    fn non_finite_differences_have_no_answer() {
        assert_eq!(test(&[1.0, f64::NAN]), None);
        assert_eq!(test(&[]), None);
    }
}
