//! How long actuals take to arrive.

use serde::{Deserialize, Serialize};

use super::time::{Micros, SECOND};

/// Bins of one doubling: a quantile is at most 2^(1/64), 1.1 %, above the true one.
const BINS_PER_DOUBLING: f64 = 64.0;

/// Fewer lags than these give their maximum in place of a quantile.
const ENOUGH: u64 = 30;

/// A histogram of lags between target time and first observation, on a logarithmic scale.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Lags {
    bins: Vec<u64>,
    n: u64,
}

impl Lags {
    /// Counts a lag; one below a second counts as a second.
    pub fn add(&mut self, lag: Micros) {
        let bin = bin(lag);
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, 0);
        }
        self.bins[bin] += 1;
        self.n += 1;
    }

    /// How many were counted.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The upper end of the bin in which the quantile lies; the maximum while there are few, nothing while there are none.
    pub fn quantile(&self, q: f64) -> Option<Micros> {
        let share = if self.n < ENOUGH { 1.0 } else { q };
        let wanted = share * self.n as f64;
        let mut seen = 0;
        let found = self.bins.iter().position(|count| {
            seen += count;
            seen as f64 >= wanted && seen > 0
        });
        found.map(upper_end)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a logarithm of at least zero and below 64 doublings"
)]
fn bin(lag: Micros) -> usize {
    let seconds = (lag as f64 / SECOND as f64).max(1.0);
    (seconds.log2() * BINS_PER_DOUBLING).floor() as usize
}

#[expect(clippy::cast_possible_truncation, reason = "below 64 doublings of a second")]
fn upper_end(bin: usize) -> Micros {
    (((bin + 1) as f64 / BINS_PER_DOUBLING).exp2() * SECOND as f64).ceil() as Micros
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_late_ones_do_not_move_the_quantile() {
        let mut lags = Lags::default();
        assert_eq!(lags.quantile(0.95), None);
        (0..97).for_each(|_| lags.add(25 * 3600 * SECOND));
        (0..3).for_each(|_| lags.add(9 * 86_400 * SECOND));
        let hours = lags.quantile(0.95).unwrap() as f64 / (3600.0 * SECOND as f64);
        assert!((25.0..25.4).contains(&hours), "{hours}");
        assert!(lags.quantile(1.0).unwrap() >= 9 * 86_400 * SECOND);
    }
}
