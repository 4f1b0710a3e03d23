//! What overlap and persistence do to window means: the reference models by which each cosine's variance is calibrated.
//!
//! Under a reference model the rows of a series follow an AR(1) with coefficient φ, and a window is the mean of `horizon`
//! consecutive rows, so windows that lie less than a horizon apart share rows. Their covariance is then known exactly.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and distances are small and not negative"
)]

use std::f64::consts::PI;

/// Row persistences that are tried, as far as [`MOST_ADJACENT`] lets them.
const PERSISTENCES: [f64; 10] = [0.0, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.87, 0.92, 0.95];

/// Most correlation of neighbouring windows that share no row. It states the assumption of the whole test without a unit:
/// what happens in one window is at least half forgotten in the next. Where it is not, windows are no sample of the future,
/// whatever their number, and a variance extrapolated from them would be any number at all.
const MOST_ADJACENT: f64 = 0.5;

/// Persistence that a choice of frequencies must bear even where the data do not show it: the AR(1) for which Lazarus, Lewis,
/// Stock and Watson (2018, section 4) derive their rule `0.41 T^(2/3)`, here for the rows under the windows.
const BORNE_PERSISTENCE: f64 = 0.7;

/// No more cosines than this are computed: beyond it a t distribution no longer changes, and the work stays bounded.
const MOST_COSINES: usize = 64;

/// Longer horizons are measured in coarser rows, so that the work stays bounded.
const MOST_ROWS: f64 = 4096.0;

/// Covariances below this share of the variance are left out.
const NEGLIGIBLE: f64 = 1e-4;

/// Number of windows that share no row: each gap between cutoffs counts at most as one horizon.
/// `(T - 1) * step / H + 1` for equal steps up to the horizon, `T` where windows do not overlap.
pub(super) fn independent_windows(positions: &[f64], horizon: f64) -> f64 {
    let gaps = positions.windows(2).map(|pair| (pair[1] - pair[0]).min(horizon));
    1.0 + gaps.sum::<f64>() / horizon
}

/// Covariance of two window means by their distance in rows, up to a common factor; index 0 is the variance:
/// `sum over |k| < H of (H - |k|) φ^|distance + k| / H²`, as a moving sum of moving sums.
fn kernel(horizon: usize, phi: f64) -> Vec<f64> {
    let reach = if phi > 0.0 { (NEGLIGIBLE.ln() / phi.ln()).ceil() as usize } else { 0 };
    let length = horizon + reach + 1;
    let rows: Vec<_> = (0..length + 2 * horizon).map(|i| power(phi, horizon.abs_diff(i + 1))).collect();
    let twice = moving_sums(&moving_sums(&rows, horizon), horizon);
    twice.into_iter().take(length).map(|sum| sum / (horizon * horizon) as f64).collect()
}

fn power(phi: f64, n: usize) -> f64 {
    i32::try_from(n).map_or(0.0, |n| phi.powi(n))
}

/// Sums of `n` values in a row.
fn moving_sums(values: &[f64], n: usize) -> Vec<f64> {
    let total = |total: &mut f64, value: &f64| {
        *total += value;
        Some(*total)
    };
    let totals: Vec<_> = std::iter::once(0.0).chain(values.iter().scan(0.0, total)).collect();
    totals.iter().zip(&totals[n..]).map(|(before, after)| after - before).collect()
}

/// The kernel at a distance that need not be whole; 0 beyond its end.
fn at(kernel: &[f64], distance: f64) -> f64 {
    let low = distance.floor();
    let value = |index: usize| kernel.get(index).copied().unwrap_or(0.0);
    let share = distance - low;
    (1.0 - share) * value(low as usize) + share * value(low as usize + 1)
}

/// Cosine `j` of `n`: `sqrt(2) cos(π j (t + 1/2) / n)`, orthogonal to the mean and to each other (Müller 2007).
pub(super) fn cosine(j: usize, n: usize) -> Vec<f64> {
    (0..n).map(|t| 2f64.sqrt() * (PI * j as f64 * (t as f64 + 0.5) / n as f64).cos()).collect()
}

/// Exact second moments under one reference model, up to a common factor.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    /// Expectation of the square of each cosine-weighted sum of deviations.
    pub expected: Vec<f64>,
    /// Variance of the sum over all cutoffs.
    pub sum_variance: f64,
}

/// The reference models of one timeline.
#[derive(Debug, Clone)]
pub(super) struct References {
    /// Row persistences that are tried.
    pub persistences: Vec<f64>,
    /// One for each persistence.
    pub models: Vec<Reference>,
    /// Independent windows.
    pub windows: f64,
    /// Cutoffs.
    pub cutoffs: usize,
    /// Mean gap between cutoffs in rows.
    spacing: f64,
    /// Fewest cosines of a variance.
    fewest: usize,
}

impl References {
    /// The models for cutoffs at `positions` with total weights `weights`.
    pub(super) fn new(positions: &[f64], horizon: f64, weights: &[f64], fewest: usize) -> Self {
        let windows = independent_windows(positions, horizon);
        let unit = (horizon / MOST_ROWS).max(1.0);
        let steps = (horizon / unit).round().max(1.0) as usize;
        let positions: Vec<_> = positions.iter().map(|position| position / unit).collect();
        let vectors = vectors(cosine_count(positions.len(), windows), weights);
        let (persistences, kernels): (Vec<f64>, Vec<Vec<f64>>) = kernels(steps).unzip();
        let models = kernels.iter().map(|kernel| reference(kernel, &positions, &vectors)).collect();
        Self {
            persistences,
            models,
            windows,
            cutoffs: positions.len(),
            spacing: spacing(&positions, steps as f64),
            fewest,
        }
    }

    /// Cosines computed.
    pub(super) fn cosines(&self) -> usize {
        self.models[0].expected.len()
    }

    /// Number of cosines, and so degrees of freedom, of a long-run variance where the rows show persistence number `model`.
    pub(super) fn bands(&self, model: usize) -> usize {
        self.bands_for(model, self.cutoffs, self.windows).min(self.cosines())
    }

    /// The same for another number of cutoffs at the same spacing.
    pub(super) fn bands_for(&self, model: usize, cutoffs: usize, windows: f64) -> usize {
        let rule = smooth_bands(cutoffs as f64 * self.spacing, self.persistences[model]);
        rule.min(windows - 1.0).max(self.fewest as f64) as usize
    }
}

/// The persistences that neighbouring windows of this length allow, each with its kernel.
fn kernels(horizon: usize) -> impl Iterator<Item = (f64, Vec<f64>)> {
    let all = PERSISTENCES.into_iter().map(move |phi| (phi, kernel(horizon, phi)));
    all.filter(move |(_, kernel)| kernel[horizon] <= MOST_ADJACENT * kernel[0])
}

/// Lazarus, Lewis, Stock and Watson (2018): the number of cosines that best trades size against power is proportional to
/// `(n² / curvature)^(1/3)`, the curvature of an AR(1) being `2φ / (1 - φ)²`, and `0.41 n^(2/3)` for φ = 0.7; n counts rows.
fn smooth_bands(rows: f64, phi: f64) -> f64 {
    let curvature = |phi: f64| 2.0 * phi / (1.0 - phi).powi(2);
    0.41 * (curvature(BORNE_PERSISTENCE) / curvature(phi.max(BORNE_PERSISTENCE))).cbrt() * rows.powf(2.0 / 3.0)
}

/// Cosines worth computing: below the first frequency that overlap blots out, for fitting the persistence.
fn cosine_count(cutoffs: usize, windows: f64) -> usize {
    ((1.5 * windows).ceil() as usize).clamp(1, MOST_COSINES).min(cutoffs.saturating_sub(1)).max(1)
}

/// What is applied to the effects of the cutoffs, by cutoff: their weights, then for each cosine the vector that gives the cosine
/// of the weighted deviations from the overall mean.
fn vectors(cosines: usize, weights: &[f64]) -> Vec<Vec<f64>> {
    let columns: Vec<_> = (1..=cosines).map(|j| centre(&cosine(j, weights.len()), weights)).collect();
    let at = |t: usize| std::iter::once(weights[t]).chain(columns.iter().map(|column| column[t])).collect();
    (0..weights.len()).map(at).collect()
}

fn centre(cosine: &[f64], weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let mean = cosine.iter().zip(weights).map(|(c, w)| c * w).sum::<f64>() / total;
    cosine.iter().zip(weights).map(|(c, w)| (c - mean) * w).collect()
}

/// Mean gap between cutoffs.
fn spacing(positions: &[f64], horizon: f64) -> f64 {
    match positions {
        [first, .., last] => (last - first) / (positions.len() - 1) as f64,
        _ => horizon,
    }
}

/// The quadratic forms of the vectors in the covariance of the windows.
fn reference(kernel: &[f64], positions: &[f64], vectors: &[Vec<f64>]) -> Reference {
    let mut forms = vec![0.0; vectors[0].len()];
    let reach = kernel.len() as f64;
    for (i, here) in positions.iter().enumerate() {
        let near = positions[i..].iter().map(|position| position - here).take_while(|&distance| distance < reach);
        for (lag, distance) in near.enumerate() {
            let factor = if lag == 0 { 1.0 } else { 2.0 };
            add_products(&mut forms, factor * at(kernel, distance), &vectors[i], &vectors[i + lag]);
        }
    }
    Reference { sum_variance: forms[0], expected: forms.split_off(1) }
}

fn add_products(forms: &mut [f64], covariance: f64, left: &[f64], right: &[f64]) {
    for ((form, x), y) in forms.iter_mut().zip(left).zip(right) {
        *form += covariance * x * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_is_the_double_sum_over_rows() {
        for (horizon, phi) in [(1, 0.0), (3, 0.0), (12, 0.7), (5, 0.95)] {
            for (distance, value) in kernel(horizon, phi).iter().enumerate() {
                let row = |i: usize| (0..horizon).map(|j| power(phi, (distance + i).abs_diff(j))).sum::<f64>();
                let expected = (0..horizon).map(row).sum::<f64>() / (horizon * horizon) as f64;
                assert!(
                    (value - expected).abs() < 1e-12,
                    "H {horizon}, φ {phi}, distance {distance}: {value}, {expected}"
                );
            }
        }
    }

    #[test]
    fn without_overlap_every_cosine_expects_the_variance_of_the_sum() {
        let positions: Vec<f64> = (0..9).map(|t| 12.0 * f64::from(t)).collect();
        let references = References::new(&positions, 12.0, &[2.0; 9], 2);
        let white = &references.models[0];
        assert!(white.expected.iter().all(|e| (e / white.sum_variance - 1.0).abs() < 1e-12), "{white:?}");
        assert_eq!(references.cosines(), 8);
    }

    #[test]
    fn bands_are_bounded_by_the_windows() {
        let positions: Vec<f64> = (0..60).map(f64::from).collect();
        let references = References::new(&positions, 12.0, &[1.0; 60], 2);
        assert_eq!(references.bands(0), 4, "5.92 windows leave 4 degrees of freedom");
        let crowded = References::new(&positions, 1e7, &[1.0; 60], 2);
        assert!(crowded.models.iter().all(|model| model.sum_variance.is_finite()));
    }
}
