//! Live records (format 4.7): the predictions that a service makes, and the actual values that arrive later.

mod csv;
mod fields;
mod json;
mod number;
mod schema;
mod time;
mod value;
mod write;

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use csv::{CsvHeader, parse_csv_row};
pub use json::parse_json;
pub use schema::{ActualRecord, Name, PredictionRecord};
pub use write::to_json;

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

/// The most characters of a row that a message quotes.
const QUOTED_CHARS: usize = 60;

/// What some programs write at the start of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a row says.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<'a> {
    /// The record.
    pub record: Record<'a>,
    /// Whether one of its times is written with an offset other than zero: `2013-06-11T20:00:00-04:00`.
    pub offset_timestamp: bool,
}

/// A row that is no record: why, and what to tell the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Why.
    pub fault: Fault,
    /// The column, where one is to blame.
    pub column: Option<Cow<'static, str>>,
    /// What was found, lower case, no full stop.
    pub found: String,
    /// What would have been right.
    pub expected: Cow<'static, str>,
    /// Series and target time of an actual without a usable value.
    pub about: Option<(String, Timestamp)>,
}

impl BadRow {
    /// A row that is wrong as a whole.
    pub fn row(fault: Fault, found: impl Into<String>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self { fault, column: None, found: found.into(), expected: expected.into(), about: None }
    }

    /// A row that is wrong in one column.
    pub fn column(
        fault: Fault,
        column: impl Into<Cow<'static, str>>,
        found: impl Into<String>,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { fault, column: Some(column.into()), found: found.into(), expected: expected.into(), about: None }
    }
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column {column:?}: ")?;
        }
        write!(f, "{} (expected {})", self.found, self.expected)
    }
}

/// Whether nothing but white space is in the line; such lines are no rows and no faults.
pub fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

/// The text of a row.
fn utf8(line: &[u8]) -> Result<&str, BadRow> {
    std::str::from_utf8(line).map_err(|error| {
        let found = format!("byte {} of the row is not UTF-8", error.valid_up_to() + 1);
        BadRow::row(Fault::NotUtf8, found, "text in UTF-8")
    })
}

/// A text in quotes, cut where it is long, with control characters escaped.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
