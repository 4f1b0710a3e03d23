//! A job: what runs, when, what it must produce and how it is judged, as `[rebench-cron.jobs.NAME]` says it.

mod keys;
mod read;

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::process::Command;
use crate::schedule::{Dialect, Schedule};

pub use keys::{ExpectKeys, JobKeys, JudgeKeys, MissedKey, command};
pub use read::{TABLES, jobs, named};

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// When it runs.
    pub schedule: Schedule,
    /// The expression of the schedule, as it was written.
    pub expression: String,
    /// The language of the expression.
    pub dialect: Dialect,
    /// What runs.
    pub command: Command,
    /// The words of the command as they were written.
    pub argv: Vec<String>,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// Variables of its environment, as they were written.
    pub env: Vec<(String, String)>,
    /// How long a run may take before it is told to end.
    pub timeout: Duration,
    /// How long after that it is killed.
    pub grace: Duration,
    /// The model in the registry.
    pub model: Option<String>,
    /// Whether its schedule counts.
    pub enabled: bool,
    /// What becomes of a run that failed.
    pub retry: Retry,
    /// What becomes of runs that were missed.
    pub missed: Missed,
    /// What becomes of a run that is due while the last one is on.
    pub overlap: Overlap,
    /// How far runs are spread: each starts later by the same part of this.
    pub jitter: Duration,
    /// When it runs early.
    pub drift: Drift,
    /// Whose files are kept.
    pub kept: Kept,
    /// Where it says that it runs.
    pub ping_url_file: Option<PathBuf>,
    /// What a run must have produced.
    pub expect: ExpectKeys,
    /// How a run is judged; without it only what it must have produced is.
    pub judge: Option<JudgeKeys>,
    /// All that the file says of it, as JSON, for the records; without the values of its environment.
    pub spec: serde_json::Value,
}

/// What becomes of a run that failed: the run or its environment, never the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is tried again.
    pub times: u32,
    /// The pause before the first.
    pub delay: Duration,
    /// The longest pause.
    pub most: Duration,
}

/// What becomes of runs that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// How many of the newest are caught up.
    pub most: u32,
    /// What is older is not; without it three sevenths of the period, 10 days at most.
    pub age: Option<Duration>,
}

/// What becomes of a run that is due while the last one is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Overlap {
    /// It is left out, which is recorded
    #[default]
    Forbid,
    /// It waits; a second one that would wait is left out
    Queue,
    /// The last one is ended
    Replace,
    /// Both run
    Allow,
}

/// When drift asks for a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// After such a run further wishes wait so long.
    pub cooldown: Duration,
    /// The share of the period within which it stands for the next regular run.
    pub coalesce: f64,
    /// The most such runs within `span`.
    pub budget: u32,
    /// See `budget`.
    pub span: Duration,
}

/// Whose files are kept. Records are kept for ever, and so are the files that a live baseline or a regression needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// So many of the newest runs.
    pub runs: u32,
    /// Not older than this.
    pub age: Duration,
    /// No more than this in all.
    pub megabytes: u64,
}

impl Default for Kept {
    fn default() -> Self {
        Self { runs: 60, age: Duration::MAX, megabytes: 10_000 }
    }
}

impl Overlap {
    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forbid => "forbid",
            Self::Queue => "queue",
            Self::Replace => "replace",
            Self::Allow => "allow",
        }
    }
}
