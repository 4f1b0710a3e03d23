//! How long actuals take to arrive.

use serde::{Deserialize, Serialize};

use super::time::{Micros, SECOND};

/// Bins of one doubling: a quantile is at most 2^(1/64), 1.1 %, above the true one.
const BINS_PER_DOUBLING: f64 = 64.0;

/// Fewer lags than these give their maximum in place of the quantile.
const ENOUGH: u64 = 30;

/// The share of lags that are waited for.
const SHARE: f64 = 0.95;

/// A histogram of lags between target time and first observation, on a logarithmic scale, with its quantile at hand: it is asked for with
/// every actual.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<u64>", into = "Vec<u64>")]
pub struct Lags {
    bins: Vec<u64>,
    n: u64,
    /// The bin of the quantile.
    at: usize,
    /// How many lie in the bins below that one.
    below: u64,
    /// Where that one ends.
    end: Micros,
}

impl Lags {
    /// Counts a lag; one below a second counts as a second.
    pub fn add(&mut self, lag: Micros) {
        self.count(bin(lag), 1);
    }

    fn count(&mut self, bin: usize, n: u64) {
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, 0);
        }
        self.bins[bin] += n;
        self.n += n;
        self.below += if bin < self.at { n } else { 0 };
        let before = self.at;
        self.find();
        if self.at != before || self.end == 0 {
            self.end = upper_end(self.at);
        }
    }

    /// Moves to the first bin up to which there are enough; it is never far.
    fn find(&mut self) {
        let share = if self.n < ENOUGH { 1.0 } else { SHARE };
        let wanted = share * self.n as f64;
        while ((self.below + self.bins[self.at]) as f64) < wanted {
            self.below += self.bins[self.at];
            self.at += 1;
        }
        while self.at > 0 && self.below as f64 >= wanted {
            self.at -= 1;
            self.below -= self.bins[self.at];
        }
    }

    /// The upper end of the bin in which the 0.95 quantile lies; the maximum while there are few, nothing while there are none.
    pub fn quantile(&self) -> Option<Micros> {
        (self.n > 0).then_some(self.end)
    }
}

impl From<Vec<u64>> for Lags {
    fn from(bins: Vec<u64>) -> Self {
        let mut lags = Self::default();
        bins.into_iter().enumerate().filter(|(_, n)| *n > 0).for_each(|(bin, n)| lags.count(bin, n));
        lags
    }
}

impl From<Lags> for Vec<u64> {
    fn from(lags: Lags) -> Self {
        lags.bins
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
        assert_eq!(lags.quantile(), None);
        (0..3).for_each(|_| lags.add(9 * 86_400 * SECOND));
        assert!(lags.quantile().unwrap() >= 9 * 86_400 * SECOND);
        (0..97).for_each(|_| lags.add(25 * 3600 * SECOND));
        let hours = lags.quantile().unwrap() as f64 / (3600.0 * SECOND as f64);
        assert!((25.0..25.4).contains(&hours), "{hours}");
    }

    #[test]
    fn the_quantile_at_hand_is_that_of_all_bins() {
        let (mut lags, mut bits) = (Lags::default(), 1_u64);
        for _ in 0..2000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            lags.add((1 << (bits >> 59)) * SECOND / 3);
            let share = if lags.n < ENOUGH { 1.0 } else { SHARE };
            let up_to = |bin: usize| lags.bins[..=bin].iter().sum::<u64>() as f64;
            let first = (0..lags.bins.len()).find(|&bin| up_to(bin) >= share * lags.n as f64);
            assert_eq!(lags.quantile(), first.map(upper_end));
            assert_eq!(Lags::from(Vec::from(lags.clone())), lags);
        }
    }
}
