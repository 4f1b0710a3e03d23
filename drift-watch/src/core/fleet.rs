//! Many series at once: which of them have changed, with few false ones among them.

/// The e-BH procedure (Wang and Ramdas 2022): with `K` e-values, rejects the `k` largest, for the largest `k` with
/// `e_(k) >= K / (alpha k)`. The expected share of false ones among the rejected is at most `alpha`, whatever the dependence.
///
/// Input order is kept in the output; ties are rejected or kept together; NaN is never rejected.
///
/// ```
/// use drift_watch::core::fleet::e_bh;
///
/// assert_eq!(e_bh(&[100.0, 0.5, 45.0, 1.0], 0.05), [true, false, true, false]);
/// ```
pub fn e_bh(e_values: &[f64], alpha: f64) -> Vec<bool> {
    e_bh_among(e_values, e_values.len() as f64, alpha)
}

/// The same for e-values among `n` of which the others are not given, since they are below `1 / alpha` and cannot be rejected.
pub fn e_bh_among(e_values: &[f64], n: f64, alpha: f64) -> Vec<bool> {
    let mut sorted: Vec<f64> = e_values.iter().copied().filter(|e| !e.is_nan()).collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let passes = |(place, e): (usize, &f64)| *e * alpha * (place + 1) as f64 >= n;
    let last = sorted.iter().enumerate().rposition(passes);
    let threshold = last.map_or(f64::INFINITY, |place| sorted[place]);
    e_values.iter().map(|&e| last.is_some() && e >= threshold).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_rejected_without_evidence() {
        assert!(!e_bh(&[1.0; 50], 0.05).contains(&true));
        assert!(e_bh(&[], 0.05).is_empty());
        assert_eq!(e_bh(&[f64::NAN, 1e9], 0.05), [false, true]);
    }

    #[test]
    fn what_cannot_be_rejected_need_not_be_given() {
        let all: Vec<f64> = (0..1000).map(|i| f64::from(i % 97) * f64::from(i % 89)).collect();
        let large: Vec<f64> = all.iter().copied().filter(|e| *e >= 1.0 / 0.05).collect();
        let rejected = |all: Vec<bool>| all.into_iter().filter(|rejected| *rejected).count();
        let expected = rejected(e_bh(&all, 0.05));
        assert!(expected > 0 && large.len() < all.len());
        assert_eq!(rejected(e_bh_among(&large, 1000.0, 0.05)), expected);
    }

    #[test]
    fn many_weak_ones_help_each_other() {
        // 10 series: one alone needs 200, five together 40 each.
        let mut e_values = vec![0.1; 10];
        e_values[0] = 199.0;
        assert!(!e_bh(&e_values, 0.05).contains(&true));
        e_values[..5].fill(40.0);
        assert_eq!(e_bh(&e_values, 0.05).iter().filter(|rejected| **rejected).count(), 5);
    }
}
