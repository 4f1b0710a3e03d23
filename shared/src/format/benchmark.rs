//! Format 4.1, `benchmark_results.json`: one row for each model and dataset, as the team's `ModelBenchmark` class writes it,
//! and the text report beside it.
//!
//! - [`examine`] reads a file and says everything that is wrong with it; [`Examined::into_file`] refuses what cannot be used.
//! - [`write()`](fn@write) makes a results file and a report that the class's own loader and readers take for their own.

mod examine;
mod pandas;
mod report;
mod unit;
mod write;

use std::path::PathBuf;

use crate::error::{Error, Place, Problem, Result};

use super::json::{self, Position};

pub use examine::examine;
pub use report::report;
pub use unit::{MapeUnit, UnitGuess, guess_unit};
pub use write::{Record, Written, results, timestamp, write};

/// From this MAPE on (as a ratio: 1e6 %) the number says that some actual was zero, and nothing of the forecast: the class
/// divides by max(|y|, 1e-8).
pub const ZERO_ACTUALS_MAPE_RATIO: f64 = 1e4;

/// What separates a dataset from a window in a row's `dataset_name`.
pub const WINDOW_SEPARATOR: char = '@';

/// A benchmark file whose rows can be used.
#[derive(Debug, Clone)]
pub struct File {
    /// The path as the user gave it.
    pub path: PathBuf,
    /// The rows, in file order.
    pub rows: Vec<Row>,
    /// When the file was written: local time without a zone.
    pub timestamp: Option<String>,
    /// What is worth knowing and does not stop a reader.
    pub findings: Vec<Finding>,
}

/// The result of one model on one dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where the row begins.
    pub place: Place,
    /// The model, as this file calls it.
    pub model_name: String,
    /// The dataset, with its window if it has one.
    pub dataset_name: String,
    /// Mean absolute percentage error in the file's own unit.
    pub mape: Measure,
    /// Root mean squared error.
    pub rmse: Measure,
    /// Mean absolute error.
    pub mae: Measure,
    /// Seconds of fitting.
    pub training_time: Measure,
    /// Seconds of predicting.
    pub prediction_time: Measure,
    /// Rows of the test set; older files do not say.
    pub n_samples: Option<u64>,
    /// Columns of the test set; older files do not say.
    pub n_features: Option<u64>,
    /// Hyperparameters, anything at all.
    pub params: Option<json::Node>,
}

impl Row {
    /// Dataset and window of a `dataset_name` such as `walmart@2012-05-11`: the text before and after the last `@`.
    pub fn task(&self) -> (&str, Option<&str>) {
        split_window(&self.dataset_name)
    }

    /// The accuracy measures with their names.
    pub fn accuracy(&self) -> [(&'static str, &Measure); 3] {
        [("mape", &self.mape), ("rmse", &self.rmse), ("mae", &self.mae)]
    }

    /// All measures with their names.
    pub fn measures(&self) -> [(&'static str, &Measure); 5] {
        let [first, second, third] = self.accuracy();
        [first, second, third, ("training_time", &self.training_time), ("prediction_time", &self.prediction_time)]
    }
}

/// Dataset and window of a name such as `walmart@2012-05-11`; a name without both sides of an `@` is a dataset.
pub fn split_window(name: &str) -> (&str, Option<&str>) {
    match name.rsplit_once(WINDOW_SEPARATOR) {
        Some((dataset, window)) if !dataset.is_empty() && !window.is_empty() => (dataset, Some(window)),
        _ => (name, None),
    }
}

/// A measured number as the file has it; where it is not finite the result failed.
#[derive(Debug, Clone)]
pub struct Measure {
    /// The number; NaN where the file has none.
    pub value: f64,
    /// The text in the file: `5.4492`, `NaN`, `null`, or `absent`.
    pub text: String,
    /// Where it stands.
    pub at: Position,
}

impl Measure {
    /// The number, if it is finite.
    pub fn finite(&self) -> Option<f64> {
        Some(self.value).filter(|value| value.is_finite())
    }
}

impl PartialEq for Measure {
    /// The same text at any place.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// How much a [`Finding`] weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the file is used as it stands.
    Warning,
    /// A row is no evidence, or the team's own loader refuses the file.
    Error,
    /// The file cannot be used at all.
    Fatal,
    /// The file is not JSON.
    Unreadable,
}

impl Severity {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error | Self::Fatal | Self::Unreadable => "error",
        }
    }
}

/// Something that is wrong with a file, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A name that programs can rely on: `duplicate-row`, `non-finite`, …
    pub rule: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// Where, what was found, what was expected.
    pub problem: Problem,
    /// The remedy.
    pub help: String,
}

/// A file with everything that there is to say about it.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The path as the user gave it.
    pub path: PathBuf,
    /// The rows that could be read.
    pub rows: Vec<Row>,
    /// When the file was written.
    pub timestamp: Option<String>,
    /// What is wrong or worth knowing, in file order.
    pub findings: Vec<Finding>,
}

impl Examined {
    /// The file, unless something in it stops a reader.
    ///
    /// # Errors
    /// All fatal findings with their places.
    pub fn into_file(self) -> Result<File> {
        let fatal: Vec<&Finding> = self.findings.iter().filter(|f| f.severity >= Severity::Fatal).collect();
        match fatal.as_slice() {
            [] => Ok(File { path: self.path, rows: self.rows, timestamp: self.timestamp, findings: self.findings }),
            [first, ..] => {
                let problems: Vec<Problem> = fatal.iter().map(|finding| finding.problem.clone()).collect();
                let total = problems.len() as u64;
                Err(Error::rows(problems, total).with_help(first.help.clone()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split_window;

    #[test]
    fn a_window_is_what_follows_the_last_at() {
        assert_eq!(split_window("walmart@2012-05-11"), ("walmart", Some("2012-05-11")));
        assert_eq!(split_window("a@b@c"), ("a@b", Some("c")));
        for whole in ["tsi", "@x", "x@", "@"] {
            assert_eq!(split_window(whole), (whole, None));
        }
    }
}
