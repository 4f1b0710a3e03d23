//! What the core is told: windows, baselines, promises, limits.

use serde::{Deserialize, Serialize};

use super::classics::Request;
use super::rule::Rule;
use super::season::Season;
use super::time::{DAY, Micros};

/// The loss whose level is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Loss {
    /// The percentage error; rows with an actual of 0 say nothing.
    #[default]
    Mape,
    /// The absolute error.
    Mae,
}

impl Loss {
    /// The metric, as alerts and formats name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mape => "mape",
            Self::Mae => "mae",
        }
    }
}

/// What the core is told. The defaults are the shipped configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Settings {
    /// On average at least so many target times of a model pass to its first false alert.
    pub promise_steps: f64,
    /// Length of the stretch, from the first observation on, whose errors are the baseline of a model without a profile.
    pub warm_up: Option<Micros>,
    /// Target times that a baseline needs at the least.
    pub min_steps: usize,
    /// How long after its target time a step waits for actuals; learned from their lags if absent.
    pub maturity: Option<Micros>,
    /// Whether forecasts issued at or after their target time count.
    pub allow_late_issued: bool,
    /// The loss.
    pub loss: Loss,
    /// A change by less than this part of the baseline's loss does not matter.
    pub tolerance_ratio: f64,
    /// The season.
    pub season: Season,
    /// Whether dependence of scores on their past is taken out.
    pub prewhiten: bool,
    /// Steps of the rolling window of metrics.
    pub window_steps: usize,
    /// Further windows, each as a length of target time.
    pub window_spans: Vec<Micros>,
    /// Whether metrics are also kept by calendar month.
    pub calendar: bool,
    /// Steps for which predictions and actuals are kept, and so can be restated.
    pub retain_steps: usize,
    /// A step with a smaller share of its actuals says nothing to detectors.
    pub min_completeness_ratio: f64,
    /// Level of intervals in percent, where records do not say.
    pub level_percent: f64,
    /// Length of a forecast step, for records without a horizon.
    pub step: Option<Micros>,
    /// Seasonal lag of MASE, in steps.
    pub mase_lag: usize,
    /// Predictions that wait for actuals, at the most; the oldest give way.
    pub most_open: usize,
    /// Whether single series are watched.
    pub watch_series: bool,
    /// The false discoveries that are allowed among the series listed.
    pub fdr_ratio: f64,
    /// An alert ends only after so many quiet steps.
    pub keep_firing_steps: u32,
    /// The team's rules.
    pub rules: Vec<Rule>,
    /// Detectors of other schools, whose rates of false alarms are measured, not promised.
    pub classic: Vec<Request>,
    /// Predictions are stale after this time without one; three usual gaps if absent.
    pub predictions_stale: Option<Micros>,
    /// Actuals are stale after this time without one; three usual gaps if absent.
    pub actuals_stale: Option<Micros>,
    /// The models that are watched; all if empty.
    pub models: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            promise_steps: 5000.0,
            warm_up: None,
            min_steps: 12,
            maturity: None,
            allow_late_issued: false,
            loss: Loss::Mape,
            tolerance_ratio: 0.05,
            season: Season::Auto,
            prewhiten: true,
            window_steps: 28,
            window_spans: vec![7 * DAY],
            calendar: true,
            retain_steps: 400,
            min_completeness_ratio: 0.5,
            level_percent: 90.0,
            step: None,
            mase_lag: 1,
            most_open: 50_000_000,
            watch_series: true,
            fdr_ratio: 0.05,
            keep_firing_steps: 3,
            rules: Vec::new(),
            classic: Vec::new(),
            predictions_stale: None,
            actuals_stale: None,
            models: Vec::new(),
        }
    }
}
