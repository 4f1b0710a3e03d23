//! Live records (format 4.7): the predictions that a service makes, and the actual values that arrive later.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A forecast of one series for one target time. Its key is (model, version, series, target time, issue time).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction<'a> {
    /// The model.
    pub model: Cow<'a, str>,
    /// Its version.
    pub version: Cow<'a, str>,
    /// The series.
    pub series: Cow<'a, str>,
    /// When the forecast was made.
    pub issued_at: Timestamp,
    /// The time that it is about.
    pub target_time: Timestamp,
    /// Steps ahead, if the record says.
    pub horizon: Option<u32>,
    /// The forecast; finite.
    pub y_hat: f64,
    /// Both ends of its interval; finite.
    pub interval: Option<(f64, f64)>,
    /// Level of the interval in percent, if the record says.
    pub level: Option<f64>,
    /// Columns `segment.NAME`, without the prefix.
    pub segments: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// An observed value. Its key is (series, target time, revision).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Actual<'a> {
    /// The series.
    pub series: Cow<'a, str>,
    /// The time that it is about.
    pub target_time: Timestamp,
    /// The value; finite.
    pub y: f64,
    /// When it became known.
    pub observed_at: Timestamp,
    /// Which restatement it is, if the record says.
    pub revision: Option<u32>,
}

/// Which of the two a source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Prediction`]s.
    Predictions,
    /// [`Actual`]s.
    Actuals,
}

/// Either of the two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record<'a> {
    /// A forecast.
    Prediction(Prediction<'a>),
    /// An observed value.
    Actual(Actual<'a>),
}

/// Why a row is not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is not JSON, has another number of fields than the header, or ends in the middle.
    BrokenLine,
    /// A field that is required is missing or of the wrong type.
    BadField,
    /// The value is null or empty.
    Null,
    /// The value is `NaN`, bare or as a text.
    Nan,
    /// The value is infinite.
    Infinite,
    /// A time cannot be read, or has no offset and no zone is configured, or is ambiguous in it.
    BadTime,
    /// It is longer than the limit.
    TooLong,
    /// It is not UTF-8.
    NotUtf8,
}
