//! Looking again and again: has a comparison that held stopped to hold? Evidence that stays valid however often one looks.
//!
//! Each look brings a difference (positive is worse) and its standard error. Under the null the differences have mean 0, or less. For a bet
//! `l`, `exp(l u - l² / 2)` with `u` the standardised difference is an e-value; the evidence is a mixture over all looks at which a
//! change may have begun and over the bets:
//!
//! `M_t = sum_l w_l ( sum_{s <= t} π_s prod_{j=s}^{t} e_j(l) + 1 - sum_{s <= t} π_s )`, π uniform over the horizon.
//!
//! That is a non-negative martingale that begins at 1, so that the chance that it ever reaches `1/α` is at most α (Ville 1939; Shin, Ramdas and
//! Rinaldo 2024, sec. 2, on mixtures over the time of a change).
//!
//! A standard error that was estimated makes `u` a number of Student's t, for which no such bet is fair: the mean of `exp(l u)` is infinite. `u` is then
//! replaced by the normal quantile of its probability under t, the deviation that is as improbable: under the null a standard normal number
//! again, exactly.
//!
//! A baseline that was measured once and is compared with every week makes all differences err together: 104 looks against one noisy baseline alarm
//! in a third of all histories without any change if that is ignored. Here the baseline's error is a normal number with the standard error that
//! the baseline itself has, and `u` is the difference less what the earlier ones foretell of that error, over its predictive standard deviation (Kalman
//! 1960): under the null the `u` are independent standard normal numbers again, exactly. What a change from the first look on would show is then not told from
//! such an error, and is not claimed.

use serde::{Deserialize, Serialize};

use super::special::{normal_quantile, t_sf};

/// What is bet on: changes of about so many standard errors of a look.
const BETS: [f64; 2] = [0.5, 1.0];

/// From so many degrees of freedom on a standard error counts as known.
const MANY: f64 = 1e5;

/// Probabilities below this are taken as this: a quantile of -37.
const LEAST: f64 = 1e-300;

/// Evidence over looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Looks {
    /// Looks over which the chance of a false alarm is stated.
    horizon: u32,
    taken: u32,
    started: [f64; BETS.len()],
    baseline: Baseline,
}

/// What is known of the baseline's error: its variance, and the precision and the weighted sum of the differences so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Baseline {
    variance: f64,
    precision: f64,
    sum: f64,
}

impl Baseline {
    /// Mean and variance of the error, given the differences so far.
    fn foretold(&self) -> (f64, f64) {
        let variance = self.variance / (1.0 + self.variance * self.precision);
        (variance * self.sum, variance)
    }

    fn take(&mut self, difference: f64, variance: f64) {
        self.precision += 1.0 / variance;
        self.sum += difference / variance;
    }
}

impl Looks {
    /// Before the first look. `baseline_se` is the standard error of a baseline that all looks share, 0 where each look has a fresh one.
    ///
    /// ```
    /// use shared::stats::looks::Looks;
    ///
    /// let mut looks = Looks::new(104, 0.0);
    /// let quiet = looks.look(0.0, 1.0, f64::INFINITY).unwrap_or(f64::NAN);
    /// assert!(quiet < 1.0);
    /// let alarm = (0..12).filter_map(|_| looks.look(2.0, 1.0, f64::INFINITY)).fold(0.0, f64::max);
    /// assert!(alarm > 20.0); // a false alarm in at most one history out of 20
    /// ```
    pub fn new(horizon: u32, baseline_se: f64) -> Self {
        let baseline = Baseline { variance: baseline_se * baseline_se, ..Baseline::default() };
        Self { horizon: horizon.max(1), taken: 0, started: [0.0; BETS.len()], baseline }
    }

    /// From the next look on the standard error of the shared baseline is taken to be this: it is better known with each look.
    pub fn baseline_is(&mut self, baseline_se: f64) {
        self.baseline.variance = baseline_se * baseline_se;
    }

    /// Takes in a difference and its standard error, without that of a shared baseline, and the degrees of freedom of that, infinite where it is known;
    /// the evidence after it. A difference that is not finite, or whose standard error or degrees of freedom are not above 0, is no look, and changes nothing.
    pub fn look(&mut self, difference: f64, standard_error: f64, df: f64) -> Option<f64> {
        let known = difference.is_finite() && standard_error.is_finite() && standard_error > 0.0 && df > 0.0;
        known.then(|| {
            let u = self.innovation(difference, standard_error, df);
            self.bet(u);
            self.e_value()
        })
    }

    /// The evidence.
    pub fn e_value(&self) -> f64 {
        let to_come = 1.0 - f64::from(self.taken.min(self.horizon)) / f64::from(self.horizon);
        self.started.iter().map(|bet| bet + to_come).sum::<f64>() / BETS.len() as f64
    }

    /// Looks so far.
    pub fn looks(&self) -> u32 {
        self.taken
    }

    fn innovation(&mut self, difference: f64, standard_error: f64, df: f64) -> f64 {
        let (mean, variance) = self.baseline.foretold();
        let own = standard_error * standard_error;
        let predictive = variance + own;
        self.baseline.take(difference, own);
        // Only the own part is estimated anew, so that the whole has more degrees of freedom (Satterthwaite 1946).
        normal_score((difference - mean) / predictive.sqrt(), df * (predictive / own).powi(2))
    }

    fn bet(&mut self, u: f64) {
        let fresh = if self.taken < self.horizon { 1.0 / f64::from(self.horizon) } else { 0.0 };
        for (bet, l) in self.started.iter_mut().zip(BETS) {
            *bet = ((*bet + fresh) * (l * u - l * l / 2.0).exp()).min(f64::MAX);
        }
        self.taken = self.taken.saturating_add(1);
    }
}

/// The normal deviation that is as improbable as `t` is with so many degrees of freedom.
pub fn normal_score(t: f64, df: f64) -> f64 {
    if df >= MANY {
        return t;
    }
    let beyond = -normal_quantile(t_sf(t.abs(), df).max(LEAST));
    beyond.copysign(t)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::stats::special::normal_quantile;

    #[test]
    fn it_is_the_mixture_over_all_beginnings() {
        let (horizon, z) = (4, [0.3, -1.2, 2.1, 0.7]);
        let mut looks = Looks::new(horizon, 0.0);
        for t in 0..z.len() {
            let found = looks.look(2.0 * z[t], 2.0, f64::INFINITY).unwrap();
            let product = |s: usize, l: f64| z[s..=t].iter().map(|z| (l * z - l * l / 2.0).exp()).product::<f64>();
            let of_bet = |l: f64| {
                let started: f64 = (0..=t).map(|s| product(s, l) / 4.0).sum();
                started + (3 - t) as f64 / 4.0
            };
            let expected = f64::midpoint(of_bet(0.5), of_bet(1.0));
            assert!((found / expected - 1.0).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn surprises_at_a_shared_baseline_are_independent() {
        // Differences with a common error have the correlation v / (v + s²); by the rule of the conditional normal distribution the second surprise is
        // (d2 - d1 v / (v + s²)) over the square root of v + s² - v² / (v + s²).
        let mut looks = Looks::new(10, 0.6);
        let (v, s, d) = (0.36, 0.8_f64, [0.5, -0.2]);
        assert!((looks.innovation(d[0], s, f64::INFINITY) - 0.5).abs() < 1e-15);
        let expected = (d[1] - d[0] * v) / (1.0 - v * v).sqrt();
        assert!((looks.innovation(d[1], s, f64::INFINITY) - expected).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_compared_is_no_look() {
        let mut looks = Looks::new(10, 0.0);
        assert_eq!(
            [(f64::NAN, 1.0), (1.0, 0.0), (1.0, f64::INFINITY)].map(|(d, se)| looks.look(d, se, f64::INFINITY)),
            [None; 3]
        );
        assert_eq!((looks.looks(), looks.e_value()), (0, 1.0));
    }

    #[test]
    fn an_estimated_error_counts_by_its_probability() {
        // The tail of t(11) beyond 2.200985 is 0.025, that of the normal beyond 1.959964.
        assert!((normal_score(2.200_985_160_082_949, 11.0) - 1.959_963_984_540_054).abs() < 1e-9);
        assert!((normal_score(-2.200_985_160_082_949, 11.0) + 1.959_963_984_540_054).abs() < 1e-9);
        assert_eq!((normal_score(0.0, 3.0), normal_score(2.5, f64::INFINITY)), (0.0, 2.5));
        assert!(normal_score(1e300, 1.0).is_finite() && normal_score(f64::MAX, 200.0) < 38.0);
        let mut looks = Looks::new(104, 0.0);
        let known = looks.clone().look(3.0, 1.0, f64::INFINITY).unwrap();
        assert!(looks.look(3.0, 1.0, 5.0).unwrap() < known);
    }

    /// The share of histories that alarm within 104 looks, and the median delay of those with a shift at the 27th.
    fn histories(shift: f64, share: f64) -> (f64, Option<u32>) {
        const N: u64 = 1000;
        let mut delays = Vec::new();
        for history in 0..N {
            let mut random = ChaCha8Rng::seed_from_u64(31);
            random.set_stream(history);
            let mut normal = || normal_quantile(random.random::<f64>().max(1e-300));
            let error = share.sqrt() * normal();
            let mut looks = Looks::new(104, share.sqrt());
            let alarm = (1..=104_u32).find(|&week| {
                let change = if week >= 27 { shift } else { 0.0 };
                let own = (1.0 - share).sqrt();
                looks.look(error + own * normal() + change, own, f64::INFINITY).is_some_and(|e| e >= 20.0)
            });
            delays.extend(alarm);
        }
        delays.sort_unstable();
        (delays.len() as f64 / N as f64, delays.get(delays.len() / 2).copied())
    }

    #[test]
    fn it_does_not_cry_wolf_in_two_years_and_sees_a_change() {
        for share in [0.0, 0.3] {
            let (false_alarms, _) = histories(0.0, share);
            assert!(false_alarms <= 0.05, "{false_alarms} at {share}");
            let (found, median) = histories(1.0, share);
            assert!(found >= 0.98 && median.is_some_and(|week| week < 27 + 16), "{found} {median:?} at {share}");
        }
    }
}
