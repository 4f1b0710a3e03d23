//! What `leaderboard --json` writes: `bench-compare/leaderboard/1`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use shared::format::input::{Input, Tool};

use super::bootstrap::Estimate;
use super::grid::{Clip, Missing};
use super::settings::Rule;
use super::significance::Tests;

/// The schema's name.
pub const SCHEMA: &str = "bench-compare/leaderboard/1";

/// A leaderboard. Undefined numbers are null.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Leaderboard {
    /// `bench-compare/leaderboard/1`.
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// Whether everything asked for is here.
    pub complete: bool,
    /// What it was computed with.
    pub settings: Echo,
    /// The models, best first.
    pub rows: Rows,
    /// Every ordered pair of models, in the order of their mean ranks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pairwise: Option<Vec<PairRow>>,
    /// What of this is more than luck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Tests>,
    /// Results that are there and are no number: the first thousand.
    pub failures: Vec<FailedResult>,
    /// The files read.
    pub inputs: Vec<Input>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// The settings in force, and the size of the field.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Echo {
    /// Whose definitions.
    pub rule: Rule,
    /// The metrics, all lower-is-better.
    pub metrics: Vec<String>,
    /// What errors are relative to.
    pub baseline_model: String,
    /// What happened to failed results.
    pub missing: Missing,
    /// Whose results stand in for leaked ones.
    pub leakage_model: Option<String>,
    /// Bounds of relative errors.
    pub clip: Clip,
    /// Bootstrap resamples; 0 for no intervals.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
    /// Coverage that the intervals aim at, a proportion.
    pub confidence: f64,
    /// What was resampled: `tasks`, or `families` with their number.
    pub resampled: String,
    /// Models compared.
    pub n_models: usize,
    /// Tasks read.
    pub n_tasks: usize,
    /// Tasks left after failures were settled; the smallest number where there are several metrics.
    pub n_tasks_used: usize,
}

/// The rows of either rule.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Rows {
    /// By fev's definitions.
    Fev(Vec<FevRow>),
    /// By GIFT-Eval's.
    Gift(Vec<GiftRow>),
}

/// A model by fev's definitions. Rates and scores are proportions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FevRow {
    /// The model.
    pub model_name: String,
    /// Mean over tasks and other models of 1 for a smaller error and 1/2 for an equal one.
    pub win_rate: Option<f64>,
    /// Lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_rate_lower: Option<f64>,
    /// Upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_rate_upper: Option<f64>,
    /// 1 - geometric mean of the clipped relative errors.
    pub skill_score: Option<f64>,
    /// Lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill_score_lower: Option<f64>,
    /// Upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill_score_upper: Option<f64>,
    /// The same without clipping: what the bounds hide or soften.
    pub skill_score_unclipped: Option<f64>,
    /// Median over tasks, in seconds.
    pub median_training_time_s: Option<f64>,
    /// Median over tasks, in seconds.
    pub median_inference_time_s: Option<f64>,
    /// Median over tasks of both together, in seconds.
    pub median_e2e_time_s: Option<f64>,
    /// Share of tasks whose data the model was trained on.
    pub training_corpus_overlap: Option<f64>,
    /// Tasks without a finite score, after leaked results were replaced.
    pub num_failures: u64,
    /// Tasks whose relative error the bounds change.
    pub clipped: u64,
    /// (task, other model) pairs with exactly equal errors.
    pub ties: u64,
}

/// A model by GIFT-Eval's definitions.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GiftRow {
    /// The model.
    pub model_name: String,
    /// For each metric `normalised_M`, the geometric mean of the score over the baseline's, and `M_rank`, the mean of the
    /// ranks over tasks among the models present, ties averaged; each with `_lower` and `_upper`.
    #[serde(flatten)]
    pub measures: BTreeMap<String, Option<f64>>,
    /// Tasks without a finite score in any of the metrics.
    pub num_failures: u64,
    /// (task, metric, other model) triples with exactly equal errors.
    pub ties: u64,
}

/// An ordered pair of models.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PairRow {
    /// The model whose numbers these are.
    pub model_1: String,
    /// The model that it is compared with.
    pub model_2: String,
    /// Share of tasks that `model_1` wins, ties counting half.
    pub win_rate: Option<f64>,
    /// Lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_rate_lower: Option<f64>,
    /// Upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub win_rate_upper: Option<f64>,
    /// 1 - geometric mean of the clipped ratios of errors.
    pub skill_score: Option<f64>,
    /// Lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill_score_lower: Option<f64>,
    /// Upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skill_score_upper: Option<f64>,
    /// Tasks with exactly equal errors.
    pub ties: u64,
    /// Tasks whose ratio the bounds change.
    pub clipped: u64,
}

/// A result that is there and is no number.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FailedResult {
    /// The model.
    pub model_name: String,
    /// The task.
    pub task: String,
    /// The metric.
    pub metric: String,
    /// `file:line`.
    pub place: String,
    /// What stands there.
    pub found: String,
}

/// The number, unless it is undefined.
pub(super) fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// The bounds of an interval, if there is one.
pub(super) fn bounds(estimate: &Estimate) -> (Option<f64>, Option<f64>) {
    estimate.interval.unzip()
}
