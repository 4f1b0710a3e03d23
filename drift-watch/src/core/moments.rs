//! Mean and standard deviation of a slice, with the rounding error of the sums carried along.

/// Mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Values.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Sum of squared deviations from the mean.
    pub squares: f64,
}

impl Moments {
    /// Those of `values`; nothing for none. In two passes, so that a large mean costs no digits. A value that is not finite
    /// makes them so.
    ///
    /// ```
    /// use drift_watch::core::moments::Moments;
    ///
    /// let moments = Moments::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
    /// assert_eq!((moments.mean, moments.population_sd()), (5.0, 2.0)); // numpy.std([2, 4, 4, 4, 5, 5, 7, 9])
    /// ```
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        let mean = mean(values)?;
        Some(Self { n, mean, squares: sum(values.iter().map(|value| (value - mean) * (value - mean))) })
    }

    /// With n below the sum (numpy's default, `ddof=0`).
    pub fn population_sd(&self) -> f64 {
        (self.squares / self.n as f64).sqrt()
    }

    /// With n - 1 below the sum (pandas' default, `ddof=1`); nothing for one value.
    pub fn sample_sd(&self) -> Option<f64> {
        (self.n > 1).then(|| (self.squares / (self.n - 1) as f64).sqrt())
    }
}

/// The mean; nothing for no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| sum(values.iter().copied()) / values.len() as f64)
}

/// The sum, by Neumaier (1974).
pub fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (total, lost) = values.fold((0.0_f64, 0.0_f64), |(total, lost), value| {
        let next = total + value;
        let error = if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        (next, lost + error)
    });
    // An infinite or undefined sum stays what it is.
    if total.is_finite() { total + lost } else { total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_are_not_lost() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100].into_iter()), 2.0);
        assert_eq!(sum([f64::INFINITY, 1.0].into_iter()), f64::INFINITY);
        assert!(sum([f64::INFINITY, f64::NEG_INFINITY].into_iter()).is_nan());
    }

    #[test]
    fn few_values() {
        assert_eq!(Moments::of(&[]), None);
        let one = Moments::of(&[3.0]).unwrap();
        assert_eq!((one.mean, one.population_sd(), one.sample_sd()), (3.0, 0.0, None));
        assert_eq!(Moments::of(&[1.0, 3.0]).unwrap().sample_sd(), Some(2.0_f64.sqrt()));
    }

    /// A mean a billion times the spread leaves the spread as it is.
    #[test]
    fn a_large_mean_costs_no_digits() {
        let values: Vec<f64> = (0..1000).map(|row| 1e9 + f64::from(row % 2)).collect();
        let moments = Moments::of(&values).unwrap();
        assert_eq!((moments.mean, moments.population_sd()), (1e9 + 0.5, 0.5));
    }
}
