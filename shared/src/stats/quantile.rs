//! Quantiles of a sample.

/// The `q` quantile of values sorted in increasing order, by linear interpolation between order statistics
/// (Hyndman & Fan 1996, type 7; the default of numpy and R), rounded as numpy rounds it.
///
/// With v = q (n - 1): `x[⌊v⌋] + (v - ⌊v⌋) (x[⌊v⌋ + 1] - x[⌊v⌋])`, taken from the nearer end. `None` where the sample is
/// empty or `q` lies outside [0, 1]. The values must be finite; ties need no care.
///
/// ```
/// use shared::stats::quantile::quantile;
/// assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0)); // numpy.quantile([1, 2, 4], 0.75)
/// assert_eq!(quantile(&[], 0.5), None);
/// ```
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let (index, share) = place(sorted.len(), q)?;
    let next = sorted[(index + 1).min(sorted.len() - 1)];
    Some(interpolate(sorted[index], next, share))
}

/// The same of values in any order, which it reorders: the two order statistics are selected, and nothing is sorted.
pub fn quantile_of_unsorted(values: &mut [f64], q: f64) -> Option<f64> {
    let (index, share) = place(values.len(), q)?;
    let (_, &mut value, above) = values.select_nth_unstable_by(index, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp).unwrap_or(value);
    Some(interpolate(value, next, share))
}

/// The order statistic below the `q` quantile of `count` values, and the share of the way to the next.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= place <= count - 1")]
fn place(count: usize, q: f64) -> Option<(usize, f64)> {
    let last = count.checked_sub(1)?;
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let place = q * last as f64;
    let below = place.floor();
    Some((below as usize, place - below))
}

/// Quantiles of an unsorted sample; sorts a copy.
pub fn quantiles<const N: usize>(values: &[f64], qs: [f64; N]) -> Option<[f64; N]> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut found = [0.0; N];
    for (place, q) in found.iter_mut().zip(qs) {
        *place = quantile(&sorted, q)?;
    }
    Some(found)
}

/// numpy's `_lerp`: from the nearer end, so that a share of 1 gives `upper` exactly.
fn interpolate(lower: f64, upper: f64, share: f64) -> f64 {
    let step = upper - lower;
    if share >= 0.5 { upper - step * (1.0 - share) } else { lower + step * share }
}

#[cfg(test)]
mod tests {
    use super::*;

    // numpy 2.4.6: numpy.quantile(x, q).
    #[test]
    #[expect(clippy::unreadable_literal, reason = "as numpy prints them")]
    fn quantiles_are_those_of_numpy() {
        let sorted = [
            -1.303157231604361,
            -0.5369532353602852,
            0.33043707618338714,
            0.345584192064786,
            0.36457239618607573,
            0.4463745723640113,
            0.5811181041963531,
            0.8216181435011584,
            0.9053558666731177,
        ];
        assert_eq!(quantile(&sorted, 0.0), Some(-1.303157231604361));
        assert_eq!(quantile(&sorted, 0.025), Some(-1.1499164323555457));
        assert_eq!(quantile(&sorted, 0.1), Some(-0.6901940346091002));
        assert_eq!(quantile(&sorted, 0.33), Some(0.34013123034748244));
        assert_eq!(quantile(&sorted, 0.5), Some(0.36457239618607573));
        assert_eq!(quantile(&sorted, 0.77), Some(0.619598110485122));
        assert_eq!(quantile(&sorted, 0.975), Some(0.8886083220387259));
        let mut turned: Vec<f64> = sorted.iter().rev().copied().collect();
        turned.swap(1, 6);
        assert_eq!(quantile_of_unsorted(&mut turned, 0.025), Some(-1.1499164323555457));
        assert_eq!(quantile_of_unsorted(&mut turned, 0.5), Some(0.36457239618607573));
        assert_eq!(quantile_of_unsorted(&mut turned, 0.77), Some(0.619598110485122));
        assert_eq!(quantile_of_unsorted(&mut turned, 1.0), Some(0.9053558666731177));
        assert_eq!(quantile(&sorted, 1.0), Some(0.9053558666731177));
    }

    #[test]
    fn what_has_no_quantile_gives_none() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile_of_unsorted(&mut [], 0.5), None);
        assert_eq!(quantile(&[1.0], 1.5), None);
        assert_eq!(quantile(&[1.0], f64::NAN), None);
        assert_eq!(quantile(&[1.0], 1.0), Some(1.0));
    }
}
