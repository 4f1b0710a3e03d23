//! What is usual of a score, learned from a baseline: its centre, its scale, and how large a bet on it would have been.

use std::num::NonZeroU32;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{BETS, RATES};

/// Standardised scores beyond this count as this much: a single step, however wild, is an outlier and no drift.
pub const CAP: f64 = 3.0;

/// Standard errors by which a baseline's own mean may be off before a difference from it counts.
pub const MARGIN_SE: f64 = 1.0;

/// Scores beyond this many standard deviations are drawn in when the scale is estimated.
const HUBER: f64 = 3.0;

/// A scale below this part of the centre is that of a constant, and no scale.
const SMALLEST_SCALE_RATIO: f64 = 1e-9;

/// [`normal_mean`] of each rate: a million series ask for them.
static NORMAL_MEANS: LazyLock<[f64; BETS]> = LazyLock::new(|| RATES.map(normal_mean));

/// Which side of the baseline is drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Values above it.
    Above,
    /// Values below it.
    Below,
}

impl Side {
    fn sign(self) -> f64 {
        match self {
            Self::Above => 1.0,
            Self::Below => -1.0,
        }
    }
}

/// The baseline of a score.
///
/// With `b_1 … b_n` the baseline's values, `m` and `s` their winsorised mean and standard deviation (values beyond 3 s are
/// drawn in to 3 s, to a fixed point; Huber 1964, proposal 2 in spirit), a value `x` is standardised as
/// `z = min(CAP, max(-CAP, side (x - m) / s - margin))`. The margin is [`MARGIN_SE`] standard errors of `m`, plus the
/// tolerance below which a difference does not matter.
///
/// For a rate `r`, `e(x) = (n + 1) g(x) / (max(sum g(b_i), n G) + g(x))` with `g = exp(r z)`: the soft-rank e-value (Ren and
/// Barber 2024; Vovk, Gammerman and Shafer 2022, on conformal e-values), whose expectation is at most 1 where `x` and the
/// baseline are exchangeable, whatever their distribution. `G`, the value of `E g` under a normal distribution, only makes it smaller: it guards short
/// baselines, in which the large values that dominate `E g` are rarely seen. No factor is larger than `n + 1`.
///
/// A million series have several each: stored in single precision, computed in double.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    centre: f32,
    scale: f32,
    /// Never 0, so that an absent reference takes no room of its own.
    n: NonZeroU32,
    margin: f32,
    sums: [f32; BETS],
}

impl Reference {
    /// Learns from a baseline's values; `effective_n` is how many independent values they are worth, `margin_se` by how many standard errors their
    /// mean may be off, `tolerance` a difference that does not matter, in the unit of the values.
    ///
    /// Nothing is known below two values, and of values that do not vary.
    pub fn learn(side: Side, values: &[f64], effective_n: f64, margin_se: f64, tolerance: f64) -> Option<Self> {
        let (centre, scale) = robust(values)?;
        let margin = margin_se / effective_n.max(1.0).sqrt() + tolerance / scale;
        let n = values.len() as f64;
        // The baseline stands at its own centre: the margin is for what comes after it.
        let z = |value: &f64| (side.sign() * (value - centre) / scale).clamp(-CAP, CAP);
        let sum =
            |rate: f64, normal: f64| values.iter().map(|value| (rate * z(value)).exp()).sum::<f64>().max(n * normal);
        let known = Self {
            centre: single(centre),
            scale: single(scale),
            n: NonZeroU32::new(u32::try_from(values.len()).unwrap_or(u32::MAX))?,
            margin: single(margin),
            sums: std::array::from_fn(|bet| single(sum(RATES[bet], NORMAL_MEANS[bet]))),
        };
        (known.scale > 0.0).then_some(known)
    }

    /// Its centre.
    pub fn centre(&self) -> f64 {
        self.centre.into()
    }

    /// Its scale.
    pub fn scale(&self) -> f64 {
        self.scale.into()
    }

    /// The e-value of a score for each rate.
    pub fn e_values(&self, side: Side, x: f64) -> [f64; BETS] {
        let z = (side.sign() * (x - self.centre()) / self.scale() - f64::from(self.margin)).clamp(-CAP, CAP);
        let n = f64::from(self.n.get()) + 1.0;
        let mut all = [1.0; BETS];
        // The rates double: one exponential serves all three.
        let root = (RATES[0] * z).exp();
        for (e, (g, sum)) in all.iter_mut().zip([root, root.powi(2), root.powi(4)].into_iter().zip(self.sums)) {
            *e = n * g / (f64::from(sum) + g);
        }
        all
    }
}

/// The baseline of a score whose drift is seen on both sides: all but the sums is common to them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TwoSided {
    above: Reference,
    sums_below: [f32; BETS],
}

impl TwoSided {
    /// Learns both sides, as [`Reference::learn`] does one.
    pub fn learn(values: &[f64], effective_n: f64, margin_se: f64, tolerance: f64) -> Option<Self> {
        let [above, below] =
            [Side::Above, Side::Below].map(|side| Reference::learn(side, values, effective_n, margin_se, tolerance));
        Some(Self { above: above?, sums_below: below?.sums })
    }

    /// One of them.
    pub fn of(&self, side: Side) -> Reference {
        match side {
            Side::Above => self.above,
            Side::Below => Reference { sums: self.sums_below, ..self.above },
        }
    }
}

/// The standard errors by which one of so many baselines may be off, with the chance that [`MARGIN_SE`] leaves to a single one: among a
/// thousand series the mean of some lies three standard errors off, and what is held against it would look like drift for ever.
///
/// ```
/// use drift_watch::core::detector::reference::margin_se_of;
///
/// assert!((margin_se_of(1) - 1.0).abs() < 1e-9);
/// assert!((margin_se_of(1000) - 3.601).abs() < 1e-3); // scipy.stats.norm.isf(scipy.stats.norm.sf(1) / 1000)
/// ```
pub fn margin_se_of(baselines: usize) -> f64 {
    use shared::stats::special::{normal_quantile, normal_sf};
    -normal_quantile(normal_sf(MARGIN_SE) / baselines.max(1) as f64)
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits suffice for a baseline")]
fn single(value: f64) -> f32 {
    value as f32
}

/// Winsorised mean and standard deviation.
pub fn robust(values: &[f64]) -> Option<(f64, f64)> {
    let mut sorted: Vec<f64> = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut centre = median(&sorted)?;
    let mut deviations: Vec<f64> = sorted.iter().map(|value| (value - centre).abs()).collect();
    deviations.sort_by(f64::total_cmp);
    // The median deviation of a normal distribution is 0.6745 standard deviations.
    let mut scale = median(&deviations)? / 0.674_489_75;
    if scale <= 0.0 {
        scale = moments(&sorted, f64::NEG_INFINITY, f64::INFINITY)?.1;
    }
    for _ in 0..5 {
        (centre, scale) = moments(&sorted, centre - HUBER * scale, centre + HUBER * scale)?;
    }
    (scale > SMALLEST_SCALE_RATIO * centre.abs() && scale.is_finite()).then_some((centre, scale))
}

fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    (n > 1).then(|| f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]))
}

fn moments(values: &[f64], low: f64, high: f64) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let drawn = || values.iter().map(|value| value.clamp(low, high));
    let mean = drawn().sum::<f64>() / n;
    let squares: f64 = drawn().map(|value| (value - mean).powi(2)).sum();
    (n > 1.0 && mean.is_finite()).then(|| (mean, (squares / (n - 1.0)).sqrt()))
}

/// `E exp(r min(CAP, max(-CAP, Z)))` for a standard normal `Z`.
fn normal_mean(rate: f64) -> f64 {
    use shared::stats::special::{normal_cdf, normal_sf};
    let inside = (rate * rate / 2.0).exp() * (normal_cdf(CAP - rate) - normal_cdf(-CAP - rate));
    inside + (rate * CAP).exp() * normal_sf(CAP) + (-rate * CAP).exp() * normal_cdf(-CAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_under_a_normal_distribution() {
        // By numerical integration: python -c "from scipy.integrate import quad; from scipy.stats import norm; import numpy as
        // np; print([quad(lambda z: np.exp(r*np.clip(z,-3,3))*norm.pdf(z), -12, 12, points=[-3,3])[0] for r in (.5, 1, 2)])"
        for (rate, expected) in [(0.5, 1.132_199_403), (1.0, 1.638_341_061), (2.0, 6.761_332_489)] {
            assert!((normal_mean(rate) - expected).abs() < 1e-6, "{rate}: {}", normal_mean(rate));
        }
    }

    #[test]
    fn one_wild_value_moves_neither_centre_nor_scale_by_much() {
        let mut values: Vec<f64> = (0..40).map(|i| f64::from(i % 10)).collect();
        let (centre, scale) = robust(&values).unwrap();
        values[0] = 1e6;
        let (wild_centre, wild_scale) = robust(&values).unwrap();
        assert!((wild_centre - centre).abs() < 0.5 && wild_scale < 1.5 * scale, "{wild_centre} {wild_scale}");
        assert_eq!(robust(&[2.0; 9]), None);
    }

    #[test]
    fn both_sides_are_those_that_are_learned_alone() {
        let values: Vec<f64> = (0..25).map(|i| f64::from((i * 37) % 25).powi(2)).collect();
        let both = TwoSided::learn(&values, 20.0, MARGIN_SE, 0.1).unwrap();
        for side in [Side::Above, Side::Below] {
            assert_eq!(Some(both.of(side)), Reference::learn(side, &values, 20.0, MARGIN_SE, 0.1));
        }
        assert_eq!(size_of::<Option<TwoSided>>(), 40);
    }

    #[test]
    fn the_mean_e_value_over_the_baseline_and_a_further_value_is_at_most_one() {
        let values: Vec<f64> = (0..25).map(|i| f64::from((i * 37) % 25).powi(2)).collect();
        let reference = Reference::learn(Side::Above, &values, 25.0, MARGIN_SE, 0.0).unwrap();
        for rate in 0..BETS {
            let mean: f64 =
                values.iter().map(|&x| reference.e_values(Side::Above, x)[rate]).sum::<f64>() / values.len() as f64;
            assert!(mean <= 1.0 + 1e-6, "{mean}");
        }
        let wild = reference.e_values(Side::Above, 1e300);
        assert!(wild.iter().all(|&e| e <= 26.001), "{wild:?}");
    }
}
