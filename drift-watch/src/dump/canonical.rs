//! The canonical state: what the records determine, and nothing else.
//!
//! Not part of it: read positions and file identities; the order of arrival and the numbers that names were given in it; what the wall
//! clock drives (alerts on feeds, and the inhibition of others by them); what it was told (settings, profiles, values from elsewhere); what
//! only saves work.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrival::Arrival;
use crate::view::{AlertKind, DriverView};

/// The `schema` of a dump.
pub const SCHEMA: &str = "drift-watch/state/1";

/// A dump of a daemon's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// What the records determine.
    #[serde(flatten)]
    pub canonical: Canonical,
    /// What else there is; absent from a canonical dump.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
}

/// What the records determine. Lists are sorted by their names and times; computed numbers have twelve digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Canonical {
    /// [`SCHEMA`].
    pub schema: String,
    /// The newest `observed_at`, in RFC 3339.
    pub time: Option<String>,
    /// How long steps wait for their actuals, in seconds.
    pub maturity_seconds: Option<f64>,
    /// Actuals by series.
    pub actuals: BTreeMap<String, Vec<ActualState>>,
    /// Versions of models.
    pub models: Vec<ModelState>,
    /// Alerts on accuracy, drift and rules, that fire or have fired, in the order in which they began.
    pub alerts: Vec<AlertState>,
    /// Conditions that have not led to an alert yet, or may not lead to one again yet.
    pub waiting: Vec<WaitingState>,
    /// How many records were left out, corrected or odd, by kind.
    pub faults: BTreeMap<String, u64>,
}

/// The value that counts for a target time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActualState {
    /// The target time.
    pub target_time: String,
    /// The value; null where only rows without a usable one have come.
    pub y: Option<f64>,
    /// When it became known.
    pub observed_at: Option<String>,
    /// Which restatement it is.
    pub revision: Option<u32>,
}

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelState {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Level of its intervals in percent.
    pub level_percent: f64,
    /// Closed target times since the beginning.
    pub closed_steps: u64,
    /// The newest of them.
    pub closed_until: Option<String>,
    /// Segments of series, as `column=value`.
    pub segments: BTreeMap<String, Vec<String>>,
    /// Forecasts by series, by target time and issue time.
    pub forecasts: BTreeMap<String, Vec<ForecastState>>,
    /// Closed target times that are kept.
    pub steps: Vec<StepState>,
    /// Baselines and evidence by bucket of horizons.
    pub buckets: Vec<BucketState>,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForecastState {
    /// The target time.
    pub target_time: String,
    /// When it was made.
    pub issued_at: String,
    /// Steps ahead.
    pub horizon: u32,
    /// The value.
    pub y_hat: f64,
    /// Lower end of its interval.
    pub lo: Option<f64>,
    /// Upper end.
    pub hi: Option<f64>,
}

/// A closed target time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepState {
    /// The target time.
    pub target_time: String,
    /// Forecasts for it.
    pub forecasts: u32,
    /// Forecasts without an actual.
    pub waiting: u32,
    /// The metrics of its pairs, by horizon and group.
    pub cells: Vec<CellState>,
}

/// The pairs of a step in one bucket of horizons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellState {
    /// The bucket.
    pub horizon: String,
    /// `all`, or a segment as `column=value`.
    pub group: String,
    /// Pairs.
    pub rows: u64,
    /// Metrics that some row defines.
    pub metrics: BTreeMap<String, MetricState>,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricState {
    /// Its value.
    pub value: Option<f64>,
    /// Rows that define it.
    pub n: u64,
}

/// A bucket of horizons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BucketState {
    /// The bucket.
    pub horizon: String,
    /// Closed steps with pairs.
    pub steps: u64,
    /// Steps that its detectors have seen.
    pub watched_steps: u64,
    /// Its baseline, once it is known.
    pub baseline: Option<BaselineState>,
}

/// A baseline, and the evidence against it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineState {
    /// Steps that it rests on.
    pub steps: u64,
    /// The first of these.
    pub from: String,
    /// The last.
    pub to: String,
    /// The bucket's part of the promise.
    pub weight: Option<f64>,
    /// Furthest horizon of the bucket, in steps: so many sub-sequences are watched apart.
    pub overlap: u64,
    /// Autoregression that series share: of loss, of bias.
    pub autoregression: Vec<Option<f64>>,
    /// Slots of the season; absent where there is none.
    pub season_slots: Option<u32>,
    /// Metrics of its pairs.
    pub metrics: BTreeMap<String, MetricState>,
    /// The detectors of all series together and of segments.
    pub groups: Vec<GroupState>,
    /// What is usual of each series, and the evidence against it.
    pub series: Vec<SeriesState>,
}

/// The detectors of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupState {
    /// `all`, or a segment as `column=value`.
    pub group: String,
    /// The detectors.
    pub detectors: Vec<DetectorState>,
}

/// A detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DetectorState {
    /// What it watches: `mape above`.
    pub watch: String,
    /// The usual value.
    pub centre: Option<f64>,
    /// The usual spread.
    pub scale: Option<f64>,
    /// Autoregression that is taken out.
    pub autoregression: Option<f64>,
    /// The evidence of each sub-sequence.
    pub evidence: Vec<Option<f64>>,
    /// Steps since the strongest evidence was last none.
    pub run: u64,
}

/// A series in a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesState {
    /// The series.
    pub series: String,
    /// Pairs of its baseline.
    pub n: u32,
    /// Its usual loss.
    pub loss: Option<f64>,
    /// Its usual absolute error.
    pub absolute_error: Option<f64>,
    /// Its usual error.
    pub error: Option<f64>,
    /// The evidence of each watch.
    pub evidence: BTreeMap<String, Option<f64>>,
    /// The e-value against "nothing has changed".
    pub e_value: Option<f64>,
}

/// An alert that fires or has fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertState {
    /// Hash of what it is about and of its beginning.
    pub id: String,
    /// Drift or rule.
    pub kind: AlertKind,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The metric or rule.
    pub subject: String,
    /// When it began, on the clock of observations.
    pub fired_at: String,
    /// The target time that made it fire.
    pub target_time: Option<String>,
    /// Since when the evidence grew.
    pub change_since: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Quiet steps in a row, while it fires.
    pub quiet_steps: Option<u32>,
    /// Why, in a sentence.
    pub reason: String,
    /// What was found.
    pub findings: Vec<FindingState>,
    /// Where the change sat.
    pub drivers: Vec<DriverView>,
}

/// A detector that found something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingState {
    /// `model`, `segment` or `series`.
    pub level: String,
    /// The segment or series.
    pub group: String,
    /// The bucket of horizons.
    pub horizon: String,
    /// `above` or `below` the baseline.
    pub side: String,
    /// The evidence, as a power of ten.
    pub evidence_log10: Option<f64>,
    /// Where it becomes an alarm.
    pub limit_log10: Option<f64>,
}

/// A condition that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingState {
    /// Drift or rule.
    pub kind: AlertKind,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The metric or rule.
    pub subject: String,
    /// Since when it holds; absent where it is cooling down.
    pub since: Option<String>,
    /// Steps for which it has held, or which are left of the cool-down.
    pub steps: u32,
}
