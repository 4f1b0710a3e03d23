//! By how much results differ by chance: from repeats of a benchmark on the same data. Pure.
//!
//! The loss of a model on a dataset is taken as its logarithm, so that a difference is a relative one. The variance over repeats is
//! pooled over models, datasets and windows: the sum of squares about the mean of each, over the sum of their degrees of freedom
//! (Snedecor and Cochran 1989). The difference of two results of one model, each a mean over `n` datasets, has the standard error
//! `sqrt(2 / n)` times its root; the floor is that times the two-sided 95 % quantile of Student's t: the repeatability limit of ISO 5725-6 (1994).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::stats::special::t_quantile;

use crate::expect::Measured;

/// Each tail beyond the floor: two-sided 95 %.
const TAIL: f64 = 0.025;

/// The noise of one result.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Standard deviation of the logarithm of a result over repeats.
    pub sd: f64,
    /// Its degrees of freedom.
    pub df: f64,
}

impl Noise {
    /// From repeats, each with all its results; nothing where no model and dataset has two positive results of the metric.
    pub fn of(repeats: &[Vec<Measured>], metric: &str) -> Option<Self> {
        let mut cells: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        let usable = repeats.iter().flatten().filter(|row| row.metric == metric && row.value > 0.0);
        for row in usable.filter(|row| row.value.is_finite()) {
            cells.entry((&row.model, &row.dataset, &row.window)).or_default().push(row.value.ln());
        }
        let df: f64 = cells.values().map(|logs| logs.len() as f64 - 1.0).sum();
        let squares: f64 = cells.values().map(|logs| squares_about_mean(logs)).sum();
        (df > 0.0).then(|| Self { sd: (squares / df).sqrt(), df })
    }

    /// Standard error of the relative difference of two results, each a mean over so many datasets (or windows).
    pub fn standard_error(&self, datasets: u64) -> f64 {
        self.sd * (2.0 / datasets.max(1) as f64).sqrt()
    }

    /// The relative difference that chance alone exceeds in one of 20 pairs of results.
    pub fn floor(&self, datasets: u64) -> f64 {
        t_quantile(1.0 - TAIL, self.df) * self.standard_error(datasets)
    }

    /// The relative difference that chance alone exceeds anywhere in one of 20 comparisons of so many single results at most (Bonferroni).
    pub fn floor_of_largest(&self, results: usize) -> f64 {
        t_quantile(1.0 - TAIL / results.max(1) as f64, self.df) * self.standard_error(1)
    }
}

fn squares_about_mean(logs: &[f64]) -> f64 {
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    logs.iter().map(|log| (log - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(dataset: &str, value: f64) -> Measured {
        let (model, metric) = ("a".to_owned(), "mape".to_owned());
        Measured { model, dataset: dataset.to_owned(), window: None, metric, value, n: None }
    }

    #[test]
    fn variances_are_pooled_by_their_degrees_of_freedom() {
        // Logs of x: 0, 0.2 (squares 0.02, 1 df); of y: 0, 0.1, 0.2 (squares 0.02, 2 df). Variance 0.04 / 3; t(0.975, 3) = 3.182446.
        let repeats = [
            vec![row("x", 1.0), row("y", 1.0)],
            vec![row("x", 0.2_f64.exp()), row("y", 0.1_f64.exp())],
            vec![row("y", 0.2_f64.exp()), row("x", f64::NAN)],
        ];
        let noise = Noise::of(&repeats, "mape").unwrap();
        assert!((noise.sd - (0.04_f64 / 3.0).sqrt()).abs() < 1e-12 && noise.df == 3.0);
        assert!((noise.floor(2) - 3.182_446 * noise.sd).abs() < 1e-6);
        // t(1 - 0.025 / 5, 3) = 5.840909.
        assert!((noise.floor_of_largest(5) - 5.840_909 * 2.0_f64.sqrt() * noise.sd).abs() < 1e-6);
        assert!((noise.standard_error(8) - noise.sd / 2.0).abs() < 1e-12);
    }

    #[test]
    fn one_run_says_nothing_of_noise() {
        assert_eq!(Noise::of(&[vec![row("x", 1.0), row("y", 2.0)]], "mape"), None);
        assert_eq!(Noise::of(&[vec![row("x", 1.0)], vec![row("x", 2.0)]], "rmse"), None);
    }
}
