//! The verdict (format 4.4): what the gates say together, each with its estimate, interval, error rate and reason.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::format::input::{Input, Tool};
use crate::format::sufficient::Checks;

/// The `schema` of a verdict that this version writes.
pub const SCHEMA: &str = "bench-compare/verdict/1";

/// What the evidence says of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Every gate passes.
    Promote,
    /// At least one gate rejects.
    Reject,
    /// No gate rejects, at least one cannot be decided on this evidence.
    Inconclusive,
    /// The candidate's forecasts are those of the baseline.
    Identical,
}

/// What one gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Shown at the stated error rate (or by the bare comparison, under `--rule point`).
    Pass,
    /// The opposite is shown, or a fixed limit is broken.
    Fail,
    /// Neither is shown.
    Undecided,
    /// Nothing differs.
    Identical,
}

/// What a gate asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateKind {
    /// Is the candidate better by at least the margin?
    Superiority,
    /// Is the candidate not worse than the baseline by the margin or more?
    NonInferiority,
    /// Is the value within a fixed limit (one number a model: times, single-run scores)?
    Limit,
    /// Is there enough evidence: rows, series, windows, expected datasets?
    Evidence,
}

/// How an effect is expressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Relative change of a loss: candidate / baseline - 1; -0.05 is 5 % better.
    Relative,
    /// Difference of two proportions or losses, candidate - baseline.
    Difference,
}

/// How much evidence a gate rests on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Paired rows (or tasks, where a row is a task).
    pub rows: u64,
    /// Series (or datasets).
    pub series: u64,
    /// Cutoffs (or windows).
    pub cutoffs: u64,
    /// How many of the windows are independent, were they laid end to end: `(last - first cutoff) / horizon + 1`.
    pub independent_windows: f64,
}

/// One gate's question and answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// Unique in the verdict: `primary`, `slice: holiday = 1`, `guardrail: bias`, `dataset: walmart`, …
    pub name: String,
    /// What it asks.
    pub kind: GateKind,
    /// The metric: `mape`, `rmse`, `da`, …
    pub metric: String,
    /// The slice of rows, if not all.
    pub slice: Option<String>,
    /// The model compared with.
    pub baseline: Option<String>,
    /// The answer.
    pub outcome: Outcome,
    /// The candidate's value of the metric.
    pub candidate_value: Option<f64>,
    /// The baseline's value of the metric.
    pub baseline_value: Option<f64>,
    /// How `estimate`, `interval` and `margin` are expressed; lower is better in all of them.
    pub scale: Scale,
    /// The effect: negative where the candidate is better.
    pub estimate: Option<f64>,
    /// Two-sided confidence interval of the effect, where one can be given.
    pub interval: Option<[f64; 2]>,
    /// The gate passes where the effect is shown to lie below this number.
    pub margin: Option<f64>,
    /// One-sided p-value of the gate's own question: small where the gate passes.
    pub p_value: Option<f64>,
    /// The p-value after correction for several chances, where one applies.
    pub p_adjusted: Option<f64>,
    /// Degrees of freedom of the p-value and interval.
    pub df: Option<f64>,
    /// What it rests on.
    pub n: Counts,
    /// The sentence that says why.
    pub reason: String,
}

/// Which kind of evidence was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// A forecast table: clustered by series and cutoff.
    Forecasts,
    /// `benchmark_results.json`: paired by dataset and window.
    Benchmark,
    /// A result table: paired by task.
    Results,
}

/// The data that the verdict rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Which kind.
    pub kind: EvidenceKind,
    /// How much.
    pub n: Counts,
    /// Forecast steps of a window, for forecast tables.
    pub horizon: Option<u32>,
    /// First and last target time or window, as printed.
    pub span: Option<(String, String)>,
    /// What was left out, for forecast tables.
    pub checks: Option<Checks>,
    /// What a reader should know of it.
    pub notes: Vec<String>,
}

/// One series, cutoff or window, for plots and tables; worst for the candidate first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// The series, dataset, cutoff or window.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// The candidate's primary metric there.
    pub candidate_value: Option<f64>,
    /// The baseline's primary metric there.
    pub baseline_value: Option<f64>,
    /// The effect there, on the scale of the primary gate.
    pub estimate: Option<f64>,
}

/// Does the answer to the primary gate survive leaving out any one series or cutoff?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Influence {
    /// Whether it does.
    pub stable: bool,
    /// The parts without which the answer changes: `series mining`, `cutoff 2008-10-01`.
    pub changed_by: Vec<String>,
    /// The part whose absence moves the estimate most.
    pub strongest: Option<String>,
    /// The estimate without it.
    pub estimate_without_strongest: Option<f64>,
}

/// What the evidence could have shown, and what it would take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Power {
    /// The power asked for, 0.8.
    pub target: f64,
    /// The effect that this much evidence would show with the target power, on the scale of the primary gate.
    pub detectable_effect: Option<f64>,
    /// Further cutoffs, at the present spacing, that would show the present estimate with the target power.
    pub further_cutoffs: Option<u64>,
    /// The sentence.
    pub reason: String,
}

/// The gate held against itself: how often equal halves of the baseline's own windows would have been promoted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AaCheck {
    /// Random splits drawn.
    pub splits: u32,
    /// Pairs of windows that each split assigns.
    pub window_pairs: u64,
    /// Share of the splits that would have been promoted.
    pub promoted_share: f64,
    /// The rate that the gate states.
    pub nominal: f64,
}

/// The artefacts that the verdict is about: the caller's attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// `model`, `preprocessing`, …
    pub role: String,
    /// The path as given.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// The rules that were applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// SHA-256 of the canonical JSON of `settings`.
    pub sha256: String,
    /// `evidence`, or `point` for the bare comparison.
    pub rule: String,
    /// One-sided error rate of a gate.
    pub alpha: f64,
    /// Every setting that took part in the decision.
    pub settings: serde_json::Value,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// Whether everything that was asked for is in it.
    pub complete: bool,
    /// What is missing, if not.
    pub missing: Vec<String>,
    /// The decision.
    pub decision: Decision,
    /// The sentences that decided, most important first.
    pub reasons: Vec<String>,
    /// The candidate's name.
    pub candidate: String,
    /// The baselines' names.
    pub baselines: Vec<String>,
    /// The primary metric.
    pub metric: String,
    /// Every gate, primary first.
    pub gates: Vec<Gate>,
    /// What it rests on.
    pub evidence: Evidence,
    /// Series or datasets, worst for the candidate first.
    pub series: Vec<Part>,
    /// Cutoffs or windows, worst for the candidate first.
    pub windows: Vec<Part>,
    /// Leave-one-out, where it can be done.
    pub influence: Option<Influence>,
    /// Power, where it can be computed.
    pub power: Option<Power>,
    /// The gate against itself, where `--aa` asks for it.
    #[serde(default)]
    pub aa: Option<AaCheck>,
    /// The artefacts judged.
    pub subject: Vec<Subject>,
    /// The rules applied.
    pub policy: Policy,
    /// The files read.
    pub inputs: Vec<Input>,
    /// The seed of whatever was random.
    pub seed: u64,
    /// Fields of newer versions, kept when the file is rewritten.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

impl Decision {
    /// The exit status; `identical_passes` where the policy asks for non-inferiority only.
    pub fn exit(self, identical_passes: bool) -> Exit {
        match self {
            Self::Promote => Exit::Ok,
            Self::Reject => Exit::No,
            Self::Inconclusive => Exit::Undecided,
            Self::Identical => {
                if identical_passes {
                    Exit::Ok
                } else {
                    Exit::No
                }
            }
        }
    }
}
