//! What is recorded of a run besides its verdict.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use crate::process::{Exit, Outcome, Usage};

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When it was started.
    pub started: Timestamp,
    /// When nothing of it was left.
    pub ended: Timestamp,
    /// How it ended.
    pub exit: Exit,
    /// What it used.
    pub usage: Usage,
}

impl From<&Outcome> for Ending {
    fn from(outcome: &Outcome) -> Self {
        let Outcome { started, ended, usage, ref exit, .. } = *outcome;
        Self { started, ended, exit: exit.clone(), usage }
    }
}

/// A file that a run left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Where it is, below the folder of the run.
    pub path: PathBuf,
    /// Its digest.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Whether only a part was kept.
    pub truncated: bool,
}

/// The data that a run saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// Its digest.
    pub hash: String,
    /// The newest time in it.
    pub newest: Option<Timestamp>,
    /// Its rows, if they were counted.
    pub rows: Option<u64>,
    /// Its size.
    pub bytes: u64,
}

/// What a run left, and what it was made with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Archive {
    /// Its files.
    pub artifacts: Vec<Artifact>,
    /// Machine, programs and settings.
    pub env: Option<Value>,
    /// The data.
    pub data: Option<Data>,
}

/// A number of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The metric.
    pub name: String,
    /// The model.
    pub model: String,
    /// The data set.
    pub dataset: String,
    /// The series; empty for all together.
    pub series: String,
    /// The fold; empty for all together.
    pub fold: String,
    /// The value, which is finite.
    pub value: f64,
    /// How many rows it rests on.
    pub n: u64,
}
