//! What a run must have produced, and from what data. An exit status of 0 says little.
//!
//! [`read`] looks at the files once; [`check`] and [`freshness`] are pure.

mod check;
mod data;
mod file;
mod freshness;
mod results;
mod table;
mod time;

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::Error;

pub use check::check;
pub(crate) use data::check_pattern;
pub use data::{DataState, look_at_data};
pub use file::{Content, Produced, ProducedFile, read};
pub(crate) use file::{bytes as bytes_of_json, is_inside};
pub use freshness::{Fresh, freshness};
pub use results::measured;
pub use table::{Forecasts, Table};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// A name that programs can rely on: `missing-file`, `stale-file`, `fewer-rows`, …
    pub rule: String,
    /// What was found, where, and what was expected.
    pub text: String,
}

impl Fault {
    fn new(rule: &str, text: impl Into<String>) -> Self {
        Self { rule: rule.to_owned(), text: text.into() }
    }

    fn unreadable(error: &Error) -> Self {
        Self::new("unreadable-file", error.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How many rows a model has on a dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowCount {
    /// The model.
    pub model: String,
    /// The dataset, or series of a forecast table.
    pub dataset: String,
    /// Its rows, over all windows.
    pub rows: u64,
}

/// A number that a run measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The model.
    pub model: String,
    /// The dataset.
    pub dataset: String,
    /// The window, or fold.
    pub window: Option<String>,
    /// `mape`, `rmse`, `mae`, `training_time` or `prediction_time`.
    pub metric: String,
    /// The value, in the unit of the file.
    pub value: f64,
    /// The rows behind it.
    pub n: Option<u64>,
}
