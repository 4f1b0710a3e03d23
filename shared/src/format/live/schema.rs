//! The records as a JSON Schema says them: the form to write. Readers take more: numbers as texts, times without an offset where a zone is
//! configured, keys that are not ours.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A name: a text, or a whole number as a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Name {
    /// A text.
    Text(String),
    /// A whole number.
    Number(u64),
}

/// A forecast of one series for one target time, as a line of JSON. Its key is (model, version, series, target time, issue time): the first value
/// under a key stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("patternProperties" = {"^segment\\..": {"type": ["string", "number", "boolean", "null"]}}))]
pub struct PredictionRecord {
    /// The model.
    pub model: Name,
    /// Its version.
    pub version: Name,
    /// The series.
    pub series: Name,
    /// When the forecast was made, in RFC 3339 with an offset; before the target time.
    #[schemars(extend("format" = "date-time"))]
    pub issued_at: String,
    /// The time that it is about.
    #[schemars(extend("format" = "date-time"))]
    pub target_time: String,
    /// Steps ahead, from 1. Without it, the reader must be told the length of a step.
    pub horizon: Option<u32>,
    /// The forecast; finite.
    pub y_hat: f64,
    /// Lower end of its interval; with `hi`, or not at all.
    pub lo: Option<f64>,
    /// Upper end of its interval.
    pub hi: Option<f64>,
    /// Level of the interval in percent, such as 90.
    #[schemars(extend("exclusiveMinimum" = 1, "exclusiveMaximum" = 100))]
    pub level: Option<f64>,
    /// `segment.NAME`: what metrics and alarms are split by, such as `segment.region`. At most 64.
    #[serde(flatten)]
    #[schemars(skip)]
    pub segments: BTreeMap<String, serde_json::Value>,
}

/// An observed value, as a line of JSON. Its key is (series, target time, revision).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActualRecord {
    /// The series.
    pub series: Name,
    /// The time that it is about.
    #[schemars(extend("format" = "date-time"))]
    pub target_time: String,
    /// The value; finite.
    pub y: f64,
    /// When it became known, in RFC 3339 with an offset.
    #[schemars(extend("format" = "date-time"))]
    pub observed_at: String,
    /// Which restatement it is. The higher one counts; without revisions, the one that was observed later.
    pub revision: Option<u32>,
}
