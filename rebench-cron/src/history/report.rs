//! The report `rebench-cron/history/1`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use shared::format::input::Tool;

/// The `schema` of the report.
pub const SCHEMA: &str = "rebench-cron/history/1";

/// A job over time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Trend {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// The job.
    pub job: String,
    /// The model that it re-benchmarks.
    pub model: Option<String>,
    /// The metric of its newest verdict.
    pub metric: Option<String>,
    /// How much worse than the baseline still holds: 0.02 is 2 %.
    pub margin: f64,
    /// How many older slots are not listed; the evidence counts them.
    pub left_off: u64,
    /// Slots with a verdict, oldest first.
    pub points: Vec<Point>,
    /// Slots that were given up, oldest first.
    pub failures: Vec<Failure>,
    /// Slots that were not run, oldest first.
    pub skips: Vec<Skip>,
    /// Slots that are being run or wait for another attempt.
    pub underway: Vec<Underway>,
    /// What all runs against the present baseline say together.
    pub evidence: Evidence,
    /// The histories that began anew with each champion or baseline, oldest first.
    pub segments: Vec<Segment>,
    /// What the job was held against, oldest first.
    pub promotions: Vec<Promotion>,
    /// When the effect shifted; only where the alarm is on or the newest run was worse.
    pub change: Option<Change>,
    /// What differs between successive runs, besides their data.
    pub environment: Vec<EnvironmentChange>,
    /// What to think about now. Nothing is switched by itself.
    pub proposal: Option<Proposal>,
}

/// A slot with a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Point {
    /// Its time.
    #[schemars(with = "String")]
    pub scheduled_at: Timestamp,
    /// The same on the wall of the job's time zone.
    pub wall: String,
    /// What it was for: cron, catchup, drift or manual.
    pub reason: String,
    /// holds, regressed, improved, inconclusive, invalid, `not_reproducible` or `no_new_data`.
    pub outcome: String,
    /// Why, in a sentence.
    pub why: String,
    /// The effect: 0.02 is 2 % worse than the baseline.
    pub effect: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Its interval.
    pub interval: Option<[f64; 2]>,
    /// The p-value.
    pub p_value: Option<f64>,
    /// What two runs of the same differ by.
    pub noise_floor: Option<f64>,
    /// The evidence after it that the model no longer wins; none where it had no part in it.
    pub e_value: Option<f64>,
    /// Which attempt has the verdict.
    pub attempts: u32,
    /// How late it was, in seconds.
    pub lateness_seconds: f64,
    /// The commit of the code.
    pub commit: Option<String>,
    /// Where its files are.
    pub folder: Option<String>,
    /// Whether its files were deleted since.
    pub files_are_gone: bool,
    /// What it was held against.
    pub baseline: Option<String>,
}

/// A slot that was given up.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Failure {
    /// Its time.
    #[schemars(with = "String")]
    pub scheduled_at: Timestamp,
    /// The same on the wall of the job's time zone.
    pub wall: String,
    /// What it was for.
    pub reason: String,
    /// Why it was given up.
    pub why: String,
    /// How many attempts there were.
    pub attempts: u32,
    /// Where the files of the last are.
    pub folder: Option<String>,
}

/// Slots that were not run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Skip {
    /// The time of the newest.
    #[schemars(with = "String")]
    pub scheduled_at: Timestamp,
    /// The same on the wall of the job's time zone.
    pub wall: String,
    /// What it was for.
    pub reason: String,
    /// Why, as a word.
    pub why: String,
    /// How many slots.
    pub count: u64,
}

/// A slot that is being run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Underway {
    /// Its time.
    #[schemars(with = "String")]
    pub scheduled_at: Timestamp,
    /// The same on the wall of the job's time zone.
    pub wall: String,
    /// What it is for.
    pub reason: String,
    /// How far its last attempt has come.
    pub state: Option<String>,
}

/// What runs say together.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Evidence {
    /// The evidence that the model no longer wins; 1 says nothing.
    pub e_value: f64,
    /// From which on it alarms.
    pub alarm_at: f64,
    /// Whether the alarm is on.
    pub is_alarm: bool,
    /// The run that raised the alarm that is on.
    #[schemars(with = "Option<String>")]
    pub alarm_since: Option<Timestamp>,
    /// How many runs it rests on.
    pub looks: u32,
    /// Runs over which the chance of a false alarm is stated.
    pub horizon: u32,
    /// The chance of a false alarm over these.
    pub false_alarm_rate: f64,
}

/// A history against one baseline.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Segment {
    /// Its first run.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Its last run so far.
    #[schemars(with = "String")]
    pub until: Timestamp,
    /// What its runs were held against.
    pub baseline: String,
    /// Whether that was measured anew with each run: `fresh` or `reused`.
    pub baseline_kind: String,
    /// The version of the champion, where it is known.
    pub version: Option<String>,
    /// How many runs it has.
    pub runs: u64,
    /// How many of these measured something.
    pub looks: u32,
    /// The evidence at its end.
    pub e_value: f64,
    /// Whether the alarm was on at its end.
    pub is_alarm: bool,
}

/// Something that became what the job is held against.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Promotion {
    /// Since when.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Until when; nothing for the one that is.
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// The model.
    pub model: String,
    /// Its version, where it is known.
    pub version: Option<String>,
    /// Its name in the records.
    pub baseline: String,
}

/// A shift of the effect.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// The first run after it.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The last run before it.
    #[schemars(with = "String")]
    pub last_before: Timestamp,
    /// The earliest and the latest run at which it may have begun: 95 % of the likelihood.
    #[schemars(with = "[String; 2]")]
    pub range: [Timestamp; 2],
    /// The mean effect before it.
    pub before: f64,
    /// The mean effect from it on.
    pub after: f64,
    /// What differs between the last run before it and the first after it.
    pub differences: Vec<Difference>,
}

/// Something that differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// What: `commit`, `data`, `package NAME`, `cpu`, `tzdb` and so on.
    pub what: String,
    /// What it was; nothing where it was not there.
    pub before: Option<String>,
    /// What it is; nothing where it is gone.
    pub after: Option<String>,
}

/// What changed from one run to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EnvironmentChange {
    /// The run before.
    #[schemars(with = "String")]
    pub before: Timestamp,
    /// The first run with what is new.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What changed.
    pub differences: Vec<Difference>,
}

/// What is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Proposed {
    /// To promote the model of the run.
    Promote,
    /// To go back to the version before, or to look for another candidate.
    Rollback,
}

/// What to think about. It is for people to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Proposal {
    /// What.
    pub proposed: Proposed,
    /// In a sentence.
    pub sentence: String,
    /// The command that would do it, as a shell takes it.
    pub command: String,
}
