//! The bootstrap for series: resampled blocks, how long they should be, and intervals from the replicates.
//!
//! Replicate r of a seed is drawn from stream r of `ChaCha8`, so the numbers are the same on any number of threads and platforms.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use super::quantile::quantile;
use super::special::{normal_cdf, normal_quantile};
use super::undefined::{Undefined, require_count, require_finite};

/// How blocks are laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// Blocks of geometric length with the given mean, around the end (Politis & Romano 1994): the resampled series is stationary.
    #[default]
    Stationary,
    /// Blocks of equal length, around the end (Politis & Romano 1992).
    Circular,
    /// Blocks of equal length within the series (Künsch 1989): its ends are drawn less often.
    Moving,
}

impl Scheme {
    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stationary => "stationary",
            Self::Circular => "circular",
            Self::Moving => "moving",
        }
    }
}

/// A bootstrap: scheme, block length, replicates, seed. Independent observations are a [`Scheme::Circular`] with blocks of 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How blocks are laid.
    pub scheme: Scheme,
    /// Length of a block, or its mean.
    pub block: usize,
    /// How many resampled series.
    pub replicates: usize,
    /// Decides every draw.
    pub seed: u64,
}

impl Plan {
    /// Observations drawn one by one, for independent data.
    pub fn independent(replicates: usize, seed: u64) -> Self {
        Self { scheme: Scheme::Circular, block: 1, replicates, seed }
    }

    /// Refuses what cannot be drawn from `n` observations.
    ///
    /// # Errors
    /// [`Undefined::Setting`] for a block of 0 or beyond n, or no replicates; [`Undefined::TooFew`] without observations.
    pub fn check(&self, n: usize) -> Result<(), Undefined> {
        require_count("observations", n, 1)?;
        if self.replicates == 0 {
            return Err(Undefined::setting("0 replicates (at least 1 is needed)"));
        }
        if self.block == 0 || self.block > n {
            return Err(Undefined::setting(format!("a block of {} does not fit {n} observations", self.block)));
        }
        Ok(())
    }

    /// The indices of one replicate of a series of `n`; the plan must pass [`Plan::check`].
    pub fn indices(&self, replicate: usize, n: usize) -> Vec<usize> {
        let mut draw = Draw::new(self.seed, replicate);
        match self.scheme {
            Scheme::Stationary => draw.stationary(n, 1.0 / self.block as f64),
            Scheme::Circular => draw.blocks(n, self.block, n),
            Scheme::Moving => draw.blocks(n, self.block, n - self.block + 1),
        }
    }

    /// A statistic of each replicate, in order.
    ///
    /// # Errors
    /// As [`Plan::check`].
    pub fn map<T: Send>(&self, n: usize, statistic: impl Fn(&[usize]) -> T + Sync) -> Result<Vec<T>, Undefined> {
        self.check(n)?;
        Ok((0..self.replicates).into_par_iter().map(|replicate| statistic(&self.indices(replicate, n))).collect())
    }
}

struct Draw {
    generator: ChaCha8Rng,
}

impl Draw {
    fn new(seed: u64, replicate: usize) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(replicate as u64);
        Self { generator }
    }

    /// Uniform on 0..n, by multiplication; its bias is below 2^-64 n.
    #[expect(clippy::cast_possible_truncation, reason = "the upper half of the product is below n")]
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.generator.next_u64()) * n as u128) >> 64) as usize
    }

    /// Uniform on [0, 1).
    fn unit(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn stationary(&mut self, n: usize, restart: f64) -> Vec<usize> {
        let mut index = self.below(n);
        let mut drawn = Vec::with_capacity(n);
        drawn.push(index);
        while drawn.len() < n {
            index = if self.unit() < restart { self.below(n) } else { (index + 1) % n };
            drawn.push(index);
        }
        drawn
    }

    fn blocks(&mut self, n: usize, block: usize, starts: usize) -> Vec<usize> {
        let mut drawn = Vec::with_capacity(n + block);
        while drawn.len() < n {
            let start = self.below(starts);
            drawn.extend((start..start + block).map(|index| index % n));
        }
        drawn.truncate(n);
        drawn
    }
}

/// The block lengths of Politis and White.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockLength {
    /// For [`Scheme::Stationary`].
    pub stationary: f64,
    /// For [`Scheme::Circular`].
    pub circular: f64,
}

/// The block length that estimates the variance of the mean best (Politis & White 2004; corrected by Patton, Politis & White
/// 2009): `b = (2 G² / D)^(1/3) n^(1/3)` with `G = Σ λ(k/m) |k| γ_k`, `D = 2 S²` (stationary) or `4/3 S²` (circular), `S = Σ λ(k/m) γ_k` and
/// the flat-top window λ. m is twice the lag after which max(5, log₁₀ n) autocorrelations stay within `2 √(log₁₀ n / n)`. Below 1
/// it means that blocks bring nothing. Never above `⌈min(3 √n, n/3)⌉`. The conventions are those of Python's arch 8.0.
///
/// # Errors
/// [`Undefined::NonFinite`]; [`Undefined::TooFew`] below 10 values; [`Undefined::NoVariation`] for a constant.
pub fn optimal_block_length(values: &[f64]) -> Result<BlockLength, Undefined> {
    require_finite("the series", values)?;
    require_count("observations", values.len(), 10)?;
    let n = values.len() as f64;
    let centred = centred(values).ok_or(Undefined::NoVariation { what: "the series is constant" })?;
    let most_lags = whole(n.sqrt().ceil()) + run_length(n);
    let covariances: Vec<f64> = (0..=most_lags.min(values.len() - 2)).map(|lag| cross(&centred, lag) / n).collect();
    let bandwidth = bandwidth(&centred, covariances.len() - 1);
    let (weighted, long_run) = flat_top_sums(&covariances[..=bandwidth]);
    let length = |constant: f64| {
        let free = (2.0 * weighted * weighted / (constant * long_run * long_run)).cbrt() * n.cbrt();
        free.min((3.0 * n.sqrt()).min(n / 3.0).ceil())
    };
    Ok(BlockLength { stationary: length(2.0), circular: length(4.0 / 3.0) })
}

fn centred(values: &[f64]) -> Option<Vec<f64>> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let varies = values.iter().any(|value| (value - mean).abs() > 8.0 * f64::EPSILON * mean.abs());
    varies.then(|| values.iter().map(|value| value - mean).collect())
}

fn cross(centred: &[f64], lag: usize) -> f64 {
    centred.iter().zip(&centred[lag..]).map(|(early, late)| early * late).sum()
}

/// How many autocorrelations in a row must be insignificant.
fn run_length(n: f64) -> usize {
    whole(n.log10()).max(5)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small positive counts")]
fn whole(count: f64) -> usize {
    count as usize
}

/// The m of the flat-top window.
fn bandwidth(centred: &[f64], most_lags: usize) -> usize {
    let n = centred.len() as f64;
    let limit = 2.0 * (n.log10() / n).sqrt();
    let small: Vec<bool> = (0..most_lags).map(|lag| correlation(centred, lag) < limit).collect();
    let quiet_from = small.windows(run_length(n)).position(|run| run.iter().all(|small| *small));
    quiet_from.map_or(most_lags, |lag| (2 * lag.max(1)).min(most_lags))
}

/// |autocorrelation|, each side with its own norm, as arch has it: the leading part without its last value, the trailing without its first.
fn correlation(centred: &[f64], lag: usize) -> f64 {
    let norm = |part: &[f64]| part.iter().map(|value| value * value).sum::<f64>();
    let sizes = norm(&centred[lag + 1..]) * norm(&centred[..centred.len() - lag - 1]);
    if sizes > 0.0 { cross(centred, lag).abs() / sizes.sqrt() } else { 0.0 }
}

fn flat_top_sums(covariances: &[f64]) -> (f64, f64) {
    let m = (covariances.len() - 1) as f64;
    let mut sums = (0.0, covariances[0]);
    for (lag, covariance) in covariances.iter().enumerate().skip(1) {
        let share = lag as f64 / m;
        let weight = if share <= 0.5 { 1.0 } else { 2.0 * (1.0 - share) };
        sums.0 += 2.0 * weight * lag as f64 * covariance;
        sums.1 += 2.0 * weight * covariance;
    }
    sums
}

/// Two-sided intervals at a confidence level, from bootstrap replicates of a statistic.
///
/// # Errors
/// [`Undefined::NonFinite`], [`Undefined::TooFew`] without replicates, [`Undefined::Setting`] for a level outside (0, 1).
pub fn percentile_interval(replicates: &[f64], level: f64) -> Result<[f64; 2], Undefined> {
    let tail = 0.5 * (1.0 - level);
    interval_between(replicates, level, tail, 1.0 - tail)
}

/// Efron's bias-corrected and accelerated interval (Efron 1987, JASA 82; Efron & Tibshirani 1993, equation 14.9):
/// the percentiles at `Φ(z₀ + (z₀ + z) / (1 - a (z₀ + z)))`, with `z₀ = Φ⁻¹(share of replicates below the estimate)` and
/// `a = Σ u³ / (6 (Σ u²)^(3/2))`, u the jackknife values' distance from their mean.
///
/// # Errors
/// As [`percentile_interval`], and [`Undefined::NoVariation`] where every replicate lies on one side of the estimate or the jackknife
/// values do not vary.
pub fn bca_interval(replicates: &[f64], estimate: f64, jackknife: &[f64], level: f64) -> Result<[f64; 2], Undefined> {
    require_finite("the jackknife values", jackknife)?;
    let acceleration = acceleration(jackknife)?;
    let below = replicates.iter().filter(|value| **value < estimate).count() as f64 / replicates.len().max(1) as f64;
    let bias = normal_quantile(below);
    if !bias.is_finite() {
        return Err(Undefined::NoVariation { what: "all replicates lie on one side of the estimate" });
    }
    let place = |tail: f64| {
        let shifted = bias + normal_quantile(tail);
        normal_cdf(bias + shifted / (1.0 - acceleration * shifted))
    };
    let tail = 0.5 * (1.0 - level);
    interval_between(replicates, level, place(tail), place(1.0 - tail))
}

fn acceleration(jackknife: &[f64]) -> Result<f64, Undefined> {
    let mean = jackknife.iter().sum::<f64>() / jackknife.len().max(1) as f64;
    let power = |exponent: i32| jackknife.iter().map(|value| (mean - value).powi(exponent)).sum::<f64>();
    let squares = power(2);
    if squares > 0.0 {
        Ok(power(3) / (6.0 * squares.powf(1.5)))
    } else {
        Err(Undefined::NoVariation { what: "the jackknife values do not vary" })
    }
}

fn interval_between(replicates: &[f64], level: f64, low: f64, high: f64) -> Result<[f64; 2], Undefined> {
    require_finite("the replicates", replicates)?;
    require_count("replicates", replicates.len(), 1)?;
    let mut sorted = replicates.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (level > 0.0 && level < 1.0, quantile(&sorted, low), quantile(&sorted, high)) {
        (true, Some(low), Some(high)) => Ok([low, high]),
        _ => Err(Undefined::setting("the confidence level must lie between 0 and 1")),
    }
}

/// A statistic with each observation left out in turn.
pub fn jackknife(values: &[f64], statistic: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let without = |index: usize| [&values[..index], &values[index + 1..]].concat();
    (0..values.len()).map(|index| statistic(&without(index))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_chacha8() {
        // Strombergson 2013, test vectors of ChaCha with 8 rounds: 256-bit key and IV of zeros, first 32 bytes.
        let published = "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e";
        let mut generator = ChaCha8Rng::from_seed([0; 32]);
        let words: Vec<u8> = (0..4).flat_map(|_| generator.next_u64().to_le_bytes()).collect();
        assert_eq!(crate::digest::hex(&words), published);
    }

    #[test]
    fn a_replicate_is_a_function_of_the_seed_and_its_number() {
        let plan = Plan::independent(200, 7);
        let in_any_order: Vec<Vec<usize>> = (0..200).rev().map(|replicate| plan.indices(replicate, 31)).collect();
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let drawn = pool.install(|| plan.map(31, <[usize]>::to_vec)).unwrap();
            assert!(drawn.iter().eq(in_any_order.iter().rev()), "{threads} threads");
        }
        assert_ne!(plan.indices(3, 31), plan.indices(4, 31));
        assert_ne!(plan.indices(3, 31), Plan::independent(200, 8).indices(3, 31));
    }
}
