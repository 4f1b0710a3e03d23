//! Designs: panels without any true difference, by how their losses depend on each other.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes of a simulation are small and not negative"
)]

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::noise::{Noise, Tails};

/// How a panel is incomplete or weighted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Complete,
    /// Each cell is missing with probability 0.2.
    Missing,
    /// Every other series starts at a random cutoff in the first three quarters.
    LateStart,
    /// Log-normal weights of the series, sd of the logarithm 0.7.
    Weighted,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Losses {
    /// The difference itself is simulated.
    Difference,
    /// Two skewed positive losses with equal means, compared by their ratio: `exp` of Gaussian paths that share half of their variance.
    Skewed,
}

/// A panel design. Variances are of one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Design {
    pub name: String,
    pub series: usize,
    pub cutoffs: usize,
    pub step: usize,
    pub horizon: usize,
    /// AR(1) of the rows.
    pub rho: f64,
    /// AR(1) of the common shock, where it differs.
    pub rho_common: Option<f64>,
    /// Share of the variance that is common to all series.
    pub common: f64,
    /// Standard deviation of a series' own mean.
    pub series_sd: f64,
    /// Variance of a shock that is the same in all rows of a cutoff.
    pub shock: f64,
    /// Rows of different windows are independent.
    pub restart: bool,
    pub tails: Tails,
    /// Standard deviation of the logarithm of a series' scale.
    pub scale_sd: f64,
    pub shape: Shape,
    pub losses: Losses,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            name: String::new(),
            series: 50,
            cutoffs: 20,
            step: 12,
            horizon: 12,
            rho: 0.0,
            rho_common: None,
            common: 0.0,
            series_sd: 0.0,
            shock: 0.0,
            restart: false,
            tails: Tails::Normal,
            scale_sd: 0.0,
            shape: Shape::Complete,
            losses: Losses::Difference,
        }
    }
}

/// One simulated panel: window means `[series][cutoff]` of the difference (or of both losses), and its rows' moments.
pub(crate) struct Sample {
    pub first: Vec<Vec<f64>>,
    pub second: Option<Vec<Vec<f64>>>,
    /// Weight of each cell, 0 where it is missing.
    pub weights: Vec<Vec<f64>>,
    /// Sum and sum of squares of all rows of all windows, and their number.
    pub pooled: (f64, f64, f64),
}

impl Design {
    fn rows(&self) -> usize {
        (self.cutoffs - 1) * self.step + self.horizon
    }

    /// Independent windows.
    pub(crate) fn windows(&self) -> f64 {
        1.0 + (self.cutoffs - 1) as f64 * (self.step.min(self.horizon) as f64) / self.horizon as f64
    }

    /// The run's own generator: stream `run` of the seed.
    pub(crate) fn sample(&self, seed: u64, index: u64, run: u64) -> Sample {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream((index << 32) | run);
        let mut noise = Noise::new(generator, self.tails);
        match self.losses {
            Losses::Difference => self.difference(&mut noise),
            Losses::Skewed => self.skewed(&mut noise),
        }
    }

    fn difference(&self, noise: &mut Noise) -> Sample {
        let common = self.common_path(noise);
        let shocks: Vec<_> = (0..self.cutoffs).map(|_| self.shock.sqrt() * noise.draw()).collect();
        let mut pooled = (0.0, 0.0, 0.0);
        let first = (0..self.series).map(|_| self.series_windows(noise, &common, &shocks, &mut pooled)).collect();
        Sample { first, second: None, weights: self.weights(noise), pooled }
    }

    fn skewed(&self, noise: &mut Noise) -> Sample {
        let shared = self.common_path(noise);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for _ in 0..self.series {
            let (difficulty, level) = (self.own_path(noise), 0.5 * noise.draw());
            for losses in [&mut first, &mut second] {
                let (own, taste) = (self.own_path(noise), self.series_sd * noise.draw());
                let common = if losses.len() % 2 == 0 { 1.0 } else { 0.5 };
                let log = |i: usize| 0.5f64.sqrt() * (difficulty[i] + own[i]) + common * shared[i] + level + taste;
                let rows: Vec<_> = (0..own.len()).map(|i| log(i).exp()).collect();
                losses.push(self.window_means(&rows));
            }
        }
        Sample { first, second: Some(second), weights: self.weights(noise), pooled: (0.0, 0.0, 0.0) }
    }

    fn common_path(&self, noise: &mut Noise) -> Vec<f64> {
        if self.common == 0.0 {
            return vec![0.0; self.rows()];
        }
        let path = noise.path(self.rows(), self.rho_common.unwrap_or(self.rho), usize::MAX);
        path.into_iter().map(|x| self.common.sqrt() * x).collect()
    }

    /// A series' own rows, their variance 1 less what is common.
    fn own_path(&self, noise: &mut Noise) -> Vec<f64> {
        let effect = if self.restart { self.series_sd * self.series_sd } else { 0.0 };
        let share = (1.0 - self.common - self.shock - effect).sqrt();
        let restart = if self.restart { self.horizon } else { usize::MAX };
        noise.path(self.rows(), self.rho, restart).into_iter().map(|x| share * x).collect()
    }

    fn series_windows(
        &self,
        noise: &mut Noise,
        common: &[f64],
        shocks: &[f64],
        pooled: &mut (f64, f64, f64),
    ) -> Vec<f64> {
        let effect = if self.series_sd > 0.0 { self.series_sd * noise.draw() } else { 0.0 };
        let scale = if self.scale_sd > 0.0 { (self.scale_sd * noise.normal()).exp() } else { 1.0 };
        let rows: Vec<_> =
            self.own_path(noise).iter().zip(common).map(|(own, common)| scale * (own + common + effect)).collect();
        let squares: Vec<_> = rows.iter().map(|x| x * x).collect();
        let (means, squares) = (self.window_means(&rows), self.window_means(&squares));
        let h = self.horizon as f64;
        let shocked: Vec<_> = means.iter().zip(shocks).map(|(mean, shock)| mean + scale * shock).collect();
        for ((mean, square), shock) in means.iter().zip(squares).zip(shocks) {
            pooled.0 += h * (mean + scale * shock);
            pooled.1 += h * (square + 2.0 * mean * scale * shock + (scale * shock).powi(2));
            pooled.2 += h;
        }
        shocked
    }

    fn window_means(&self, rows: &[f64]) -> Vec<f64> {
        let window = |t: usize| rows[t * self.step..t * self.step + self.horizon].iter().sum::<f64>();
        (0..self.cutoffs).map(|t| window(t) / self.horizon as f64).collect()
    }

    fn weights(&self, noise: &mut Noise) -> Vec<Vec<f64>> {
        (0..self.series).map(|series| self.series_weights(series, noise)).collect()
    }

    fn series_weights(&self, series: usize, noise: &mut Noise) -> Vec<f64> {
        match self.shape {
            Shape::Complete => vec![1.0; self.cutoffs],
            Shape::Missing => (0..self.cutoffs).map(|_| f64::from(u8::from(noise.uniform() >= 0.2))).collect(),
            Shape::Weighted => vec![(0.7 * noise.normal()).exp(); self.cutoffs],
            Shape::LateStart if series.is_multiple_of(2) => vec![1.0; self.cutoffs],
            Shape::LateStart => {
                let start = (noise.uniform() * 0.75 * self.cutoffs as f64) as usize;
                (0..self.cutoffs).map(|t| f64::from(u8::from(t >= start))).collect()
            }
        }
    }

    /// Standard deviation of the overall mean of a complete panel of differences.
    pub(crate) fn true_sd(&self) -> f64 {
        let effect = self.series_sd * self.series_sd;
        let own = 1.0 - self.common - self.shock - if self.restart { effect } else { 0.0 };
        let (s, t) = (self.series as f64, self.cutoffs as f64);
        let paths = own * self.mean_variance(self.rho) / s
            + self.common * self.mean_variance(self.rho_common.unwrap_or(self.rho));
        (paths + effect / s + self.shock / t).sqrt()
    }

    /// Variance of the mean of the window means of one path with variance 1.
    fn mean_variance(&self, rho: f64) -> f64 {
        let mut weights = vec![0.0; self.rows()];
        for t in 0..self.cutoffs {
            weights[t * self.step..t * self.step + self.horizon].iter_mut().for_each(|w| *w += 1.0);
        }
        let total: f64 = weights.iter().sum();
        let related = |i: usize, j: usize| !self.restart || i / self.horizon == j / self.horizon;
        let covariance = |i: usize, j: usize| if related(i, j) { rho.powf(i.abs_diff(j) as f64) } else { 0.0 };
        let row = |i: usize| (0..weights.len()).map(|j| weights[i] * weights[j] * covariance(i, j)).sum::<f64>();
        (0..weights.len()).map(row).sum::<f64>() / (total * total)
    }
}

/// The designs of the acceptance list: by unit of pairing, and with overlap.
pub(crate) fn listed() -> Vec<Design> {
    pairing(0.0).into_iter().chain(pairing(0.7)).chain(overlap()).collect()
}

/// 50 series x 20 cutoffs x 12 steps, windows independent; rows in a window iid or AR.
fn pairing(rho: f64) -> Vec<Design> {
    let kinds = [("independent", 0.0, 0.0), ("shock", 0.1, 0.0), ("series", 0.0, 0.1), ("both", 0.1, 0.1)];
    let design = |(name, shock, effect): (&str, f64, f64)| Design {
        name: format!("pairing, {name}, rows in window rho {rho}"),
        rho,
        shock,
        series_sd: effect.sqrt(),
        restart: true,
        ..Design::default()
    };
    kinds.into_iter().map(design).collect()
}

fn overlap() -> Vec<Design> {
    let mut all = Vec::new();
    for (cutoffs, step) in [(20, 12), (20, 1), (60, 12), (60, 1)] {
        for rho in [0.0, 0.7] {
            for (common, series_sd) in [(0.0, 0.0), (0.3, 0.0), (0.0, 0.3), (0.3, 0.3)] {
                let name = format!("T {cutoffs}, step {step}, rho {rho}, common {common}, series sd {series_sd}");
                all.push(Design { name, cutoffs, step, rho, common, series_sd, ..Design::default() });
            }
        }
    }
    all
}

/// Designs beyond the list: more persistence, other sizes, tails, scales, incomplete panels, ratios.
pub(crate) fn beyond() -> Vec<Design> {
    let base = || Design { common: 0.3, series_sd: 0.3, ..Design::default() };
    let shock_only = |d: Design| Design { common: 0.3, series_sd: 0.0, ..d };
    let mut all = Vec::new();
    for rho in [0.5, 0.9] {
        for (cutoffs, step) in [(20, 12), (60, 12), (60, 1)] {
            all.push(shock_only(Design { cutoffs, step, rho, ..base() }));
        }
    }
    for rho in [0.7, 0.9] {
        for cutoffs in [20, 60] {
            all.push(shock_only(Design { cutoffs, rho_common: Some(rho), ..base() }));
        }
        all.push(shock_only(Design { cutoffs: 60, step: 1, rho_common: Some(rho), ..base() }));
    }
    for (cutoffs, horizon, step) in [
        (20, 6, 3),
        (60, 6, 3),
        (100, 24, 1),
        (20, 12, 6),
        (30, 12, 4),
        (12, 12, 12),
        (8, 12, 12),
        (30, 12, 12),
        (100, 12, 12),
    ] {
        for rho in [0.0, 0.7] {
            all.push(shock_only(Design { cutoffs, step, horizon, rho, ..base() }));
        }
    }
    for common in [0.005, 0.02, 0.05] {
        for step in [12, 1] {
            all.push(Design { cutoffs: 60, common, series_sd: 0.0, step, ..base() });
        }
    }
    all.push(Design { series: 1, series_sd: 0.0, ..base() });
    all.push(Design { series: 1, cutoffs: 60, step: 1, rho: 0.7, series_sd: 0.0, ..base() });
    for series in [3, 5, 10, 14, 200] {
        all.push(Design { series, ..base() });
        all.push(Design { series, common: 0.0, ..base() });
    }
    all.push(Design { tails: Tails::StudentThree, ..base() });
    all.push(Design { tails: Tails::StudentThree, series: 10, ..base() });
    all.push(Design { tails: Tails::StudentThree, cutoffs: 60, step: 1, ..base() });
    for scale_sd in [0.5, 1.0] {
        all.push(Design { scale_sd, ..base() });
        all.push(Design { scale_sd, common: 0.0, ..base() });
    }
    for shape in [Shape::Missing, Shape::LateStart, Shape::Weighted] {
        for (cutoffs, step) in [(20, 12), (60, 1)] {
            all.push(Design { cutoffs, step, shape, ..base() });
            all.push(Design { cutoffs, step, rho: 0.7, shape, ..shock_only(base()) });
        }
    }
    for (series, cutoffs, step) in [(50, 20, 12), (14, 20, 12), (50, 60, 1)] {
        for (common, series_sd) in [(0.0, 0.0), (0.3, 0.0), (0.3, 0.3)] {
            all.push(Design { losses: Losses::Skewed, series, cutoffs, step, common, series_sd, ..base() });
        }
    }
    all.into_iter().map(named).collect()
}

/// Names a design by what it is.
fn named(mut d: Design) -> Design {
    let mut name = format!(
        "S {}, T {}, H {}, step {}, rho {}, common {}, series sd {}",
        d.series, d.cutoffs, d.horizon, d.step, d.rho, d.common, d.series_sd
    );
    let extra = [
        d.rho_common.map(|rho| format!("rho of the shock {rho}")),
        (d.tails != Tails::Normal).then(|| "t(3) tails".into()),
        (d.scale_sd > 0.0).then(|| format!("log scale sd {}", d.scale_sd)),
        (d.shape != Shape::Complete).then(|| format!("{:?}", d.shape)),
        (d.losses == Losses::Skewed).then(|| "ratio of skewed losses".into()),
    ];
    extra.into_iter().flatten().for_each(|text: String| {
        name.push_str(", ");
        name.push_str(&text);
    });
    d.name = name;
    d
}
