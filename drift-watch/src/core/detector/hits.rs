//! Bets on hits: a rate of hits that has fallen.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::BETS;

/// The rates that are bet on, as parts of the baseline's.
pub const PARTS: [f64; BETS] = [0.75, 0.5, 0.25];

/// Rates nearer to 0 or 1 than this are not known to be.
const SMALLEST: f64 = 0.02;

/// The baseline of a hit rate.
///
/// With `p` its rate, less a margin for its own error, and `q = p/4, p/2, 3p/4` the alternatives, the e-value of a share of hits `x` is
/// `x q/p + (1 - x)(1 - q)/(1 - p)`. For single trials this is the likelihood ratio of two Bernoulli distributions; being linear
/// in `x`, its expectation is at most 1 wherever `E x >= p`, whatever the dependence between the trials of a step
/// (Waudby-Smith and Ramdas 2024, betting on bounded means).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HitRate {
    /// The bits of a single; never 0, so that an absent rate takes no room of its own.
    p: NonZeroU32,
}

impl HitRate {
    /// Learns from the shares of hits of a baseline's steps, which are worth `effective_n` independent ones and may be off by `margin_se`
    /// standard errors; nothing below two.
    pub fn learn(shares: &[f64], effective_n: f64, margin_se: f64, tolerance: f64) -> Option<Self> {
        let n = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / n;
        let squares: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
        // A step of many series is worth many trials; one of shares that do not vary at all, one.
        let variance = squares / (n - 1.0);
        let per_step = if variance > 0.0 { (mean * (1.0 - mean) / variance).max(1.0) } else { 1.0 };
        let lowest = wilson(mean, effective_n.clamp(1.0, n) * per_step, margin_se);
        (n > 1.0).then(|| Self::of(lowest - tolerance))
    }

    /// The rate itself, kept away from certainty.
    #[expect(clippy::cast_possible_truncation, reason = "seven digits suffice for a rate")]
    pub fn of(rate: f64) -> Self {
        let p = rate.clamp(SMALLEST, 1.0 - SMALLEST) as f32;
        Self { p: NonZeroU32::new(p.to_bits()).unwrap_or(NonZeroU32::MIN) }
    }

    /// The rate that a step must fall short of.
    pub fn rate(&self) -> f64 {
        f32::from_bits(self.p.get()).into()
    }

    /// The e-value of a share of hits for each alternative.
    pub fn e_values(&self, share: f64) -> [f64; BETS] {
        let p = self.rate();
        PARTS.map(|part| share * part + (1.0 - share) * (1.0 - part * p) / (1.0 - p))
    }
}

/// The lowest rate that lies within so many of its standard errors of what was seen (Wilson 1927): below certainty even where all trials
/// were hits.
fn wilson(mean: f64, trials: f64, standard_errors: f64) -> f64 {
    let weight = standard_errors * standard_errors / trials;
    let spread = (mean * (1.0 - mean) / trials + weight / (4.0 * trials)).sqrt();
    (mean + weight / 2.0 - standard_errors * spread) / (1.0 + weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expectation_at_the_rate_itself_is_one() {
        let rate = HitRate::of(0.8);
        for (hit, miss) in rate.e_values(1.0).into_iter().zip(rate.e_values(0.0)) {
            assert!((0.8 * hit + 0.2 * miss - 1.0).abs() < 1e-6);
        }
        // Likelihood ratio of one miss, 0.6 against 0.8: 0.4 / 0.2.
        assert!((rate.e_values(0.0)[0] - 2.0).abs() < 1e-6);
    }

    #[test]
    fn hits_alone_are_no_certainty() {
        // statsmodels.stats.proportion.proportion_confint(count, n, 2 * norm.sf(z), method="wilson")[0]
        for (mean, trials, z, lowest) in
            [(1.0, 40.0, 1.0, 0.975_609_756), (1.0, 8.0, 3.0, 0.470_588_235), (0.9, 100.0, 1.96, 0.825_632_696)]
        {
            assert!((wilson(mean, trials, z) - lowest).abs() < 1e-6, "{}", wilson(mean, trials, z));
        }
        let rate = HitRate::learn(&[1.0; 8], 8.0, 3.0, 0.0).unwrap().rate();
        assert!((rate - 0.470_588).abs() < 1e-5, "{rate}");
    }

    #[test]
    fn the_rate_is_learned_with_a_margin() {
        let all_hit = HitRate::learn(&[1.0; 50], 50.0, 1.0, 0.0).unwrap();
        assert!(all_hit.rate() <= 0.98 + 1e-6);
        let even = HitRate::learn(&[1.0, 0.0].repeat(50), 100.0, 1.0, 0.0).unwrap();
        assert!((0.43..0.46).contains(&even.rate()), "{even:?}");
        assert_eq!(HitRate::learn(&[1.0], 1.0, 1.0, 0.0), None);
    }
}
