//! Tests that a reader may know, on the means of the cutoffs or on the panel, for complete panels of differences.
//!
//! Each answers whether it rejects "the mean is not below 0" for the data as they are, and for the data moved down by `effect`.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes of a simulation are small and not negative"
)]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Rejection without and with an effect.
pub(crate) type Rejects = [bool; 2];

/// Names, in the order of [`all`].
pub(crate) const NAMES: [&str; 6] =
    ["non-overlapping t", "EWC", "block bootstrap", "sign-flip", "two-way, non-overlapping", "series means t"];

/// Resamples of the bootstrap and of the sign-flip test.
const RESAMPLES: usize = 499;

/// What the rivals know of a design: gap of non-overlapping cutoffs, effect, critical values.
pub(crate) struct Rivals {
    gap: usize,
    effect: f64,
    cosines: Vec<Vec<f64>>,
    /// Critical values: non-overlapping t, EWC, two-way, series means.
    critical: [f64; 4],
}

impl Rivals {
    pub(crate) fn new(series: usize, cutoffs: usize, gap: usize, effect: f64) -> Self {
        let bands = ((0.41 * (cutoffs as f64).powf(2.0 / 3.0)).floor() as usize).max(3);
        let apart = cutoffs.div_ceil(gap);
        let critical = [apart - 1, bands, apart.min(series) - 1, series - 1].map(|df| quantile(df as f64));
        let cosines = (1..=bands).map(|j| cosine(j, cutoffs)).collect();
        Self { gap, effect, cosines, critical }
    }

    pub(crate) fn all(&self, panel: &[Vec<f64>], seed: u64) -> [Rejects; 6] {
        let means = cutoff_means(panel);
        let apart: Vec<f64> = means.iter().copied().step_by(self.gap).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let series: Vec<f64> = panel.iter().map(|row| mean(row)).collect();
        [
            self.below(mean(&apart), standard_error(&apart), self.critical[0]),
            self.below(mean(&means), self.cosine_error(&means), self.critical[1]),
            self.bootstrap(&means, &mut random),
            self.sign_flip(&apart, &mut random),
            self.two_way(panel),
            self.below(mean(&series), standard_error(&series), self.critical[3]),
        ]
    }

    fn below(&self, mean: f64, error: f64, critical: f64) -> Rejects {
        [0.0, self.effect].map(|effect| mean - effect < -critical * error)
    }

    /// Equal-weighted cosines (Lazarus, Lewis, Stock and Watson 2018).
    fn cosine_error(&self, means: &[f64]) -> f64 {
        let weighted = |cosine: &Vec<f64>| cosine.iter().zip(means).map(|(c, x)| c * x).sum::<f64>();
        let squares: f64 = self.cosines.iter().map(|cosine| weighted(cosine).powi(2)).sum();
        (squares / self.cosines.len() as f64).sqrt() / means.len() as f64
    }

    /// Moving blocks (Künsch 1989) of `max(gap, T^(1/3))` cutoffs, centred at their own expectation.
    fn bootstrap(&self, means: &[f64], random: &mut ChaCha8Rng) -> Rejects {
        let n = means.len();
        let length = self.gap.max((n as f64).cbrt().ceil() as usize).min(n);
        let blocks: Vec<f64> = means.windows(length).map(mean).collect();
        let centre = mean(&blocks);
        let draws = n.div_ceil(length);
        let mut resample =
            || (0..draws).map(|_| blocks[random.random_range(0..blocks.len())]).sum::<f64>() / draws as f64;
        let deviations: Vec<f64> = (0..RESAMPLES).map(|_| resample() - centre).collect();
        let observed = mean(means);
        [0.0, self.effect].map(|effect| rank(deviations.iter().filter(|&&x| x <= observed - effect).count()))
    }

    fn sign_flip(&self, apart: &[f64], random: &mut ChaCha8Rng) -> Rejects {
        let mut flip = || {
            apart.iter().fold((0.0, 0.0), |(sum, signs), x| {
                let sign = if random.random::<bool>() { 1.0 } else { -1.0 };
                (sum + sign * x, signs + sign)
            })
        };
        let flips: Vec<(f64, f64)> = (0..RESAMPLES).map(|_| flip()).collect();
        let n = apart.len() as f64;
        let observed: f64 = apart.iter().sum();
        [0.0, self.effect].map(|effect| {
            let bound = (observed - n * effect) * (1.0 - 1e-12 * (observed - n * effect).signum());
            rank(flips.iter().filter(|(sum, signs)| sum - signs * effect <= bound).count())
        })
    }

    /// Cameron, Gelbach and Miller (2011) on non-overlapping windows, the larger part as a floor.
    fn two_way(&self, panel: &[Vec<f64>]) -> Rejects {
        let apart: Vec<Vec<f64>> = panel.iter().map(|row| row.iter().copied().step_by(self.gap).collect()).collect();
        let (s, t) = (apart.len() as f64, apart[0].len() as f64);
        let overall = apart.iter().map(|row| mean(row)).sum::<f64>() / s;
        let by_series: f64 = apart.iter().map(|row| (t * (mean(row) - overall)).powi(2)).sum::<f64>() * s / (s - 1.0);
        let by_cutoff: f64 =
            cutoff_means(&apart).iter().map(|m| (s * (m - overall)).powi(2)).sum::<f64>() * t / (t - 1.0);
        let cells: f64 = apart.iter().flatten().map(|x| (x - overall).powi(2)).sum();
        let variance = (by_series + by_cutoff - cells).max(by_series).max(by_cutoff);
        self.below(overall, variance.sqrt() / (s * t), self.critical[2])
    }
}

/// Resampled p-value at most 5 %.
fn rank(below: usize) -> bool {
    (below + 1) as f64 <= 0.05 * (RESAMPLES + 1) as f64
}

fn cosine(j: usize, n: usize) -> Vec<f64> {
    let angle = |t: usize| std::f64::consts::PI * j as f64 * (t as f64 + 0.5) / n as f64;
    (0..n).map(|t| 2f64.sqrt() * angle(t).cos()).collect()
}

pub(crate) fn cutoff_means(panel: &[Vec<f64>]) -> Vec<f64> {
    (0..panel[0].len()).map(|t| panel.iter().map(|row| row[t]).sum::<f64>() / panel.len() as f64).collect()
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn standard_error(x: &[f64]) -> f64 {
    let (n, centre) = (x.len() as f64, mean(x));
    (x.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()
}

fn quantile(df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |t| t.inverse_cdf(0.95))
}
