//! What run lengths say of a promise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::trial::Length;

/// The normal quantile of a one-sided 95 % bound.
const NORMAL_95: f64 = 1.644_853_626_951_472_2;

/// Run lengths, summed up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunLengths {
    /// Runs.
    pub runs: u64,
    /// Steps after which a run ended without an alarm.
    pub most_steps: u64,
    /// Mean steps to the first alarm, runs without one counted as `most_steps`: too small, if anything.
    pub mean_steps: f64,
    /// One-sided 95 % lower bound of that mean.
    pub lower_95_steps: f64,
    /// One-sided 95 % upper bound of the same.
    pub upper_95_steps: f64,
    /// Median steps to the first alarm; absent where most runs had none.
    pub median_steps: Option<u64>,
    /// The 90th percentile; absent where more than a tenth of the runs had none.
    pub p90_steps: Option<u64>,
    /// Share of runs with an alarm.
    pub alarmed_ratio: f64,
    /// Share of runs with an alarm within the promised number of steps; 0.63 would be that of alarms at random times with just the promised mean.
    pub within_promise_ratio: f64,
}

impl RunLengths {
    /// Sums up; nothing where there are no runs.
    pub fn of(lengths: &[Length], most_steps: u64, promise_steps: f64) -> Option<Self> {
        let n = lengths.len() as f64;
        let mean = lengths.iter().map(|length| length.steps as f64).sum::<f64>() / n;
        let squares: f64 = lengths.iter().map(|length| (length.steps as f64 - mean).powi(2)).sum();
        let error = (squares / (n - 1.0).max(1.0) / n).sqrt();
        let share = |test: &dyn Fn(&&Length) -> bool| lengths.iter().filter(test).count() as f64 / n;
        (n > 0.0).then(|| Self {
            runs: lengths.len() as u64,
            most_steps,
            mean_steps: mean,
            lower_95_steps: mean - NORMAL_95 * error,
            upper_95_steps: mean + NORMAL_95 * error,
            median_steps: quantile(lengths, 0.5),
            p90_steps: quantile(lengths, 0.9),
            alarmed_ratio: share(&|length| length.alarmed),
            within_promise_ratio: share(&|length| length.alarmed && length.steps as f64 <= promise_steps),
        })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the runs")]
fn quantile(lengths: &[Length], q: f64) -> Option<u64> {
    let mut sorted: Vec<u64> =
        lengths.iter().map(|length| if length.alarmed { length.steps } else { u64::MAX }).collect();
    sorted.sort_unstable();
    let place = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().filter(|steps| *steps < u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_without_an_alarm_count_as_they_ended() {
        let length = |steps, alarmed| Length { steps, alarmed };
        let lengths = [length(10, true), length(30, true), length(100, false), length(100, false)];
        let summary = RunLengths::of(&lengths, 100, 20.0).unwrap();
        assert_eq!((summary.mean_steps, summary.alarmed_ratio, summary.within_promise_ratio), (60.0, 0.5, 0.25));
        assert_eq!((summary.median_steps, summary.p90_steps), (Some(30), None));
        assert!(summary.lower_95_steps < 60.0 && summary.upper_95_steps > 60.0);
        assert_eq!(RunLengths::of(&[], 100, 20.0), None);
    }
}
