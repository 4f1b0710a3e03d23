//! What the daemon shows of itself: one value, written as JSON by `status --json`, drawn by the status page, counted by `/metrics`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use shared::alert::ReceiverView;

/// The `schema` of a view.
pub const SCHEMA: &str = "drift-watch/status/1";

/// The state of everything that is watched, at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct View {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the tool.
    pub version: String,
    /// The latest `observed_at` of the actuals, in RFC 3339: the clock of everything but feeds.
    pub time: Option<String>,
    /// Whether the state is loaded and the sources are caught up.
    pub ready: bool,
    /// Why not.
    pub not_ready: Vec<String>,
    /// Each model and version, sorted.
    pub models: Vec<ModelView>,
    /// Alerts that are pending or firing, then those resolved lately; most severe first.
    pub alerts: Vec<AlertView>,
    /// The sources.
    pub feeds: Vec<FeedView>,
    /// Where alerts and metrics are sent.
    #[serde(default)]
    pub receivers: Vec<ReceiverView>,
    /// Values from elsewhere that rules may watch.
    #[serde(default)]
    pub external: Vec<ExternalView>,
    /// Rows that were left out or corrected, by kind: `duplicate_exact`, `broken_line`, …
    pub faults: BTreeMap<String, u64>,
}

/// How a model stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// An alarm on its accuracy fires.
    Drift,
    /// Its feeds are stale or incomplete, so that nothing is said of its accuracy.
    Feed,
    /// Its baseline is not known yet.
    #[default]
    Warming,
    /// It is as accurate as it was.
    Ok,
}

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ModelView {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// How it stands.
    pub standing: Standing,
    /// Why, in a sentence.
    pub reason: String,
    /// What is promised of its alarms, in a sentence.
    pub promise: String,
    /// Series seen.
    pub series: u64,
    /// Series whose own baseline is still short.
    pub warming_series: u64,
    /// Predictions that wait for their actuals.
    pub open_predictions: u64,
    /// Target times that are decided.
    pub steps: u64,
    /// The newest of these, in RFC 3339.
    pub last_step: Option<String>,
    /// Newest issue time of a prediction, in RFC 3339.
    pub last_issued: Option<String>,
    /// Share of predictions of the closed steps whose actuals are in.
    pub completeness_ratio: Option<f64>,
    /// Metrics by horizon and window over all series, then by segment; the ones that alarms watch first.
    pub metrics: Vec<MetricView>,
    /// Where the change sits: the largest contributions of segments, series, horizons; empty where nothing changed.
    pub drivers: Vec<DriverView>,
    /// Series, worst first; all of them below a limit, else the worst.
    pub worst_series: Vec<SeriesView>,
}

/// A metric in one window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct MetricView {
    /// As in the formats: `mape_ratio`, `bias_ratio`, `da_ratio`, `coverage_ratio`, …
    pub metric: String,
    /// Horizon or bucket, in steps: `1`, `2-7`, `all`.
    pub horizon: String,
    /// `all`, or a segment as `region=north`.
    pub group: String,
    /// The window: `28 steps`, `7d`, `2013-07`.
    pub window: String,
    /// Its value; absent where nothing defines it.
    pub value: Option<f64>,
    /// Rows behind the value.
    pub n: u64,
    /// Value of the baseline.
    pub baseline: Option<f64>,
    /// Evidence of the detector that watches it, as a power of ten; absent where none does.
    pub evidence_log10: Option<f64>,
    /// Where that evidence becomes an alarm.
    pub limit_log10: Option<f64>,
    /// One value a step, oldest first, for a sparkline.
    pub history: Vec<Option<f64>>,
}

/// A part of a change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DriverView {
    /// What is split: `series`, `horizon`, or the name of a segment column.
    pub by: String,
    /// The part: `EWR_B6`.
    pub name: String,
    /// Its share of the change; all parts add up to 1.
    pub share_ratio: f64,
    /// Its signed contribution, in the unit of the metric.
    pub contribution: f64,
    /// Whether the part has changed by itself beyond chance.
    pub named: bool,
}

impl DriverView {
    /// The part as a person names it: `EWR_B6`, `horizon 7`, `airport LGA`.
    pub fn label(&self) -> String {
        match self.by.strip_prefix("segment.").unwrap_or(&self.by) {
            "series" => self.name.clone(),
            by => format!("{by} {}", self.name),
        }
    }
}

/// A metric beside that of the baseline, over all series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct MeasureView {
    /// As in the formats: `mape_ratio`, `bias_ratio`, `da_ratio`, `coverage_ratio`, …
    pub metric: String,
    /// Horizon or bucket, in steps: `1`, `8-14`.
    pub horizon: String,
    /// Its value; absent where nothing defines it.
    pub value: Option<f64>,
    /// Rows behind the value.
    pub n: u64,
    /// Value of the baseline; absent where there is none.
    pub baseline: Option<f64>,
}

/// A series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SeriesView {
    /// The series.
    pub series: String,
    /// Rows in the window.
    pub n: u64,
    /// MAPE in the window.
    pub mape_ratio: Option<f64>,
    /// MAPE of its baseline.
    pub baseline_mape_ratio: Option<f64>,
    /// Bias in the window.
    pub bias_ratio: Option<f64>,
    /// The strongest evidence against it, as a power of ten.
    pub evidence_log10: Option<f64>,
    /// Whether its own baseline is still short.
    pub warming: bool,
    /// Whether fleet-wide control of false discoveries lists it.
    pub discovered: bool,
}

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A detector with a promised error rate.
    #[default]
    Drift,
    /// A threshold that the team wrote.
    Rule,
    /// Predictions or actuals that are missing, late or unreadable.
    Feed,
}

/// Where an alert is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// It fires.
    #[default]
    Firing,
    /// Its condition holds, not for long enough yet.
    Pending,
    /// It has ended.
    Resolved,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AlertView {
    /// Its identifier.
    pub id: String,
    /// What it is about.
    pub kind: AlertKind,
    /// Where it is in its life.
    pub state: AlertState,
    /// Its name: `ForecastDrift`.
    pub name: String,
    /// The model; empty for alerts on feeds of all.
    pub model: String,
    /// Its version.
    pub version: String,
    /// `info`, `warning`, `critical`.
    pub severity: String,
    /// When it began, in RFC 3339.
    pub since: String,
    /// When it ended, in RFC 3339.
    pub ended: Option<String>,
    /// Why, in a sentence.
    pub reason: String,
    /// Whether an alert on feeds keeps it from being sent.
    pub inhibited: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Names of the parts that drive it.
    pub drivers: Vec<String>,
}

/// A value from elsewhere.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ExternalView {
    /// Where it comes from: `mlflow:RUN_ID/METRIC`.
    pub name: String,
    /// Its newest value.
    pub value: f64,
    /// When it was logged, in RFC 3339.
    pub time: String,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FeedView {
    /// As configured: a path, `http`, `stdin`, `mlflow`.
    pub name: String,
    /// `predictions` or `actuals`.
    pub kind: String,
    /// Whether records come as they should.
    pub healthy: bool,
    /// Why not.
    pub reason: String,
    /// Newest event time that it gave, in RFC 3339.
    pub newest: Option<String>,
    /// Seconds since a record arrived.
    pub idle_seconds: Option<f64>,
    /// Records read.
    pub records: u64,
    /// Rows that could not be read.
    pub bad_rows: u64,
    /// Bytes that are there and not read yet.
    pub backlog_bytes: u64,
}
