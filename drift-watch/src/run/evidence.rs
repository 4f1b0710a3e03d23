//! The evidence bundle (format 4.9): what an alarm hands to whoever looks into it, a person or a re-benchmark.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::alerts::{Finding, Record};
use crate::core::time::text;
use crate::view::{AlertKind, DriverView, MeasureView};

/// The `schema` of a bundle.
pub const SCHEMA: &str = "drift-watch/evidence/1";

/// What is known of an alert at the moment when it fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// [`SCHEMA`].
    pub schema: String,
    /// The alert's identifier.
    pub alert_id: String,
    /// What it is about.
    pub kind: AlertKind,
    /// The project that `promotion.toml` names.
    pub project: Option<String>,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The metric, the rule or the feed.
    pub subject: String,
    /// When it fired, on the clock of observations (of the wall for feeds), in RFC 3339.
    pub fired_at: String,
    /// The target times that the metrics are about.
    pub window: Window,
    /// Why, in a sentence.
    pub reason: String,
    /// Metrics of the model in that window, beside those of the baseline, by horizon.
    pub metrics: Vec<MeasureView>,
    /// The detectors that found something.
    pub findings: Vec<Finding>,
    /// Where the change sits: signed parts that add up.
    pub attribution: Vec<DriverView>,
}

/// A stretch of target times, in RFC 3339; both ends belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// Since when the evidence grows.
    pub from: Option<String>,
    /// The target time whose actuals made the alert fire.
    pub to: Option<String>,
}

impl Evidence {
    /// The evidence of an alert.
    pub fn of(record: &Record, project: Option<&str>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            alert_id: record.id.clone(),
            kind: record.key.kind,
            project: project.map(ToOwned::to_owned),
            model: record.key.model.clone(),
            version: record.key.version.clone(),
            subject: record.key.subject.clone(),
            fired_at: text(record.fired_at),
            window: Window { from: record.change_since.map(text), to: record.target.map(text) },
            reason: record.reason.clone(),
            metrics: record.metrics.clone(),
            findings: record.findings.clone(),
            attribution: record.drivers.clone(),
        }
    }
}
