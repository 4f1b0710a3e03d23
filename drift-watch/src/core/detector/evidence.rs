//! The e-detector: evidence that something has changed at *some* time in the past.

use serde::{Deserialize, Serialize};

use super::BETS;

/// Evidence above the limit by more than this factor is not kept: it would only delay the all-clear.
const HEADROOM: f64 = 10.0;

/// Shiryaev-Roberts e-detectors, averaged (Shin, Ramdas and Rinaldo 2024, eq. 14 and sec. 2.4): `M_t = (M_{t-1} + 1) e_t` for each
/// bet, which sums the products of e-values over all times at which the change may have begun.
///
/// Under the null `E M_t <= t`, and `M` is a submartingale, so that by Doob's inequality evidence of at least `c` within `T` steps
/// has a probability of at most `T / c`; a limit of `2 A` gives on average at least `A` steps to the first false alarm, and limits
/// `2 A / w_k` with `sum w_k <= 1` give that for any number of detectors, however they depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    bets: [f32; BETS],
}

impl Evidence {
    /// Takes in the e-values of a step; evidence far above `limit` is cut off, which can only make it smaller.
    pub fn update(&mut self, e_values: [f64; BETS], limit: f64) {
        let most = HEADROOM * limit * BETS as f64;
        for (bet, e) in self.bets.iter_mut().zip(e_values) {
            *bet = single(((f64::from(*bet) + 1.0) * e).min(most));
        }
    }

    /// The evidence.
    pub fn value(&self) -> f64 {
        self.bets.iter().map(|&bet| f64::from(bet)).sum::<f64>() / BETS as f64
    }
}

/// When a change most likely began: where the product of the e-values since then is largest (Page 1954), which is after the last step at
/// which no product was above 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Change {
    product: f64,
    run: u32,
}

impl Change {
    /// Takes in the e-value of a step.
    pub fn update(&mut self, e_value: f64) {
        self.run = if self.product > 1.0 { self.run.saturating_add(1) } else { 1 };
        self.product = (self.product.max(1.0) * e_value).min(f64::MAX);
        if self.product <= 1.0 {
            self.run = 0;
        }
    }

    /// Steps since then; 0 where nothing speaks for a change.
    pub fn run(&self) -> u32 {
        self.run
    }
}

/// The mean of the e-values of all bets, which is one itself.
pub fn mean(e_values: [f64; BETS]) -> f64 {
    e_values.iter().sum::<f64>() / BETS as f64
}

#[expect(clippy::cast_possible_truncation, reason = "evidence is read on a logarithmic scale")]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sums_the_products_over_all_beginnings() {
        let mut evidence = Evidence::default();
        [2.0, 3.0, 0.5].into_iter().for_each(|e| evidence.update([e; 3], 1e9));
        // 2*3*0.5 + 3*0.5 + 0.5
        assert_eq!(evidence.value(), 5.0);
    }

    #[test]
    fn a_change_begins_after_the_last_step_that_spoke_against_one() {
        let mut change = Change::default();
        let mut runs = Vec::new();
        for e_value in [0.5, 3.0, 0.9, 0.2, 2.0, 2.0, 0.8, 5.0] {
            change.update(e_value);
            runs.push(change.run());
        }
        // 3 * 0.9 stays above 1, times 0.2 it does not: it begins with the fifth.
        assert_eq!(runs, [0, 1, 2, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn it_is_cut_off_above_its_limit_so_that_it_can_come_down() {
        let mut evidence = Evidence::default();
        (0..100).for_each(|_| evidence.update([50.0; 3], 1e4));
        assert!((evidence.value() - 3e5).abs() < 1.0);
    }
}
