//! A sum that is exact enough to be taken apart again: terms can be removed, and their order does not show.

use serde::{Deserialize, Serialize};

/// An unevaluated sum of two numbers (Dekker 1971; Knuth's two-sum): about 106 bits, so that adding terms in any order and
/// taking some of them away again leaves the nearest `f64` of the rest, to within one unit in 2^-100 of the largest term.
///
/// ```
/// use drift_watch::core::exact::Sum;
///
/// let mut sum = Sum::default();
/// for term in [1e16, 1.0, -1e16] {
///     sum.add(term);
/// }
/// assert_eq!(sum.value(), 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Adds a finite term.
    pub fn add(&mut self, term: f64) {
        let (sum, lost) = two_sum(self.high, term);
        let (high, low) = two_sum(sum, self.low + lost);
        *self = Self { high, low };
    }

    /// Takes a term away.
    pub fn remove(&mut self, term: f64) {
        self.add(-term);
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: Self) {
        self.add(other.low);
        self.add(other.high);
    }

    /// The nearest number.
    pub fn value(self) -> f64 {
        self.high + self.low
    }
}

/// The rounded sum and what rounding lost.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_leaves_no_trace() {
        let mut sum = Sum::default();
        let terms: Vec<f64> = (1..1000).map(|i| 0.1 * f64::from(i)).collect();
        terms.iter().for_each(|&term| sum.add(term));
        terms.iter().rev().skip(1).for_each(|&term| sum.remove(term));
        assert_eq!(sum.value(), 0.1 * 999.0);
    }
}
