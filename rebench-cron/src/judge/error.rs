//! The standard error of a verdict's effect. Pure.

use shared::format::verdict::{EvidenceKind, Gate, Verdict};
use shared::stats::special::t_quantile;

use super::noise::Noise;

/// The confidence of a verdict's intervals, where it does not say.
const USUAL_CONFIDENCE: f64 = 0.95;

/// One-sided 5 %.
const UPPER: f64 = 0.95;

/// The fewest datasets whose spread says anything: two have one degree of freedom.
const FEWEST: usize = 3;

/// A standard error with its degrees of freedom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StandardError {
    pub(super) standard_error: f64,
    pub(super) df: f64,
}

impl StandardError {
    /// Nothing where it is no number above 0.
    fn new(standard_error: f64, df: f64) -> Option<Self> {
        (standard_error > 0.0 && standard_error.is_finite() && df > 0.0).then_some(Self { standard_error, df })
    }

    /// What an effect of 0 exceeds in one case out of 20.
    pub(super) fn one_sided(self) -> f64 {
        t_quantile(UPPER, self.df) * self.standard_error
    }
}

/// From the interval; where there is none from the spread over datasets, else from what is known of the noise.
pub(super) fn of(verdict: &Verdict, gate: &Gate, noise: Option<&Noise>) -> Option<StandardError> {
    let from_noise = || noise.and_then(|noise| StandardError::new(noise.standard_error(gate.n.rows), noise.df));
    of_interval(verdict, gate).or_else(|| of_datasets(verdict)).or_else(from_noise)
}

/// Half the width of the two-sided interval over the quantile of Student's t. Exact tests have no degrees of freedom: those of their units are taken.
fn of_interval(verdict: &Verdict, gate: &Gate) -> Option<StandardError> {
    let [low, high] = gate.interval?;
    let df = gate.df.or_else(|| Some(units(verdict, gate).checked_sub(1)? as f64)).filter(|df| *df > 0.0)?;
    let settings = &verdict.policy.settings;
    let confidence = settings.get("level").and_then(serde_json::Value::as_f64).unwrap_or(USUAL_CONFIDENCE);
    StandardError::new((high - low) / 2.0 / t_quantile(f64::midpoint(1.0, confidence), df), df)
}

fn units(verdict: &Verdict, gate: &Gate) -> u64 {
    match verdict.policy.settings.get("series").and_then(serde_json::Value::as_str) {
        Some("fixed") => gate.n.rows,
        _ => gate.n.series,
    }
}

/// The spread of the logarithms of the ratios over datasets, over the root of their number; at the effect, since that is relative.
fn of_datasets(verdict: &Verdict) -> Option<StandardError> {
    let parts = verdict.series.iter().filter_map(|part| part.estimate);
    let logs: Vec<f64> = parts.map(f64::ln_1p).filter(|log| log.is_finite()).collect();
    if logs.len() < FEWEST || verdict.evidence.kind != EvidenceKind::Benchmark {
        return None;
    }
    let (n, mean) = (logs.len() as f64, logs.iter().sum::<f64>() / logs.len() as f64);
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    StandardError::new((variance / n).sqrt() * mean.exp(), n - 1.0)
}
