//! Numbers as a dump prints them.

/// Digits that count.
const DIGITS: usize = 12;

/// A computed number to twelve significant digits: sums over series are exact to about thirty, but may be rounded to the last of sixteen in more than
/// one way. Nothing where it is not finite.
pub(super) fn rounded(value: f64) -> Option<f64> {
    let text = format!("{value:.*e}", DIGITS - 1);
    // Adding zero turns -0 into 0.
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digits_do_not_show() {
        assert_eq!(rounded(0.1 + 0.2), rounded(0.3));
        assert_eq!(rounded(1.0 + 1e-15), Some(1.0));
        assert_ne!(rounded(1.0 + 1e-10), Some(1.0));
        assert_eq!(rounded(-0.0).map(f64::to_bits), Some(0));
        assert_eq!(rounded(f64::NAN), None);
        assert_eq!(rounded(f64::INFINITY), None);
    }
}
