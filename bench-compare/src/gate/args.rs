//! Flags of `bench-compare gate`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};
use shared::cli::MapeUnitArg;

use crate::gate::policy::Limit;
use crate::load::benchmark::Duplicates;

/// What the primary gate asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Primary {
    /// The candidate is better, by at least `--min-improvement`.
    Superiority,
    /// The candidate is not worse by `--margin` or more.
    NonInferiority,
}

/// Over several baselines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// The candidate must beat every baseline (no correction is needed).
    All,
    /// The candidate must beat one of them (Holm's correction).
    Any,
}

/// What a pass needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rule {
    /// Evidence at the stated error rate.
    Evidence,
    /// The bare comparison of two numbers.
    Point,
}

/// Whether the series (or datasets) stand for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SeriesAre {
    /// A sample: the answer is meant for series that were not measured too.
    Sampled,
    /// All there are: the answer is about these series only.
    Fixed,
}

/// What status 4 becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fold {
    /// Status 0.
    Pass,
    /// Status 1.
    Fail,
}

/// Flags of `bench-compare gate`.
#[derive(Debug, Clone, ClapArgs)]
pub struct Args {
    /// Forecast table (CSV, Parquet or a folder of them) that holds candidate and baselines; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    pub forecasts: Vec<PathBuf>,
    /// Sufficient statistics in place of a forecast table: what an engine answers to the query of `bench-compare sql`, as CSV, Parquet
    /// or a folder of parts; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with_all = ["forecasts", "baseline", "results"], help_heading = "Evidence")]
    pub sufficient: Vec<PathBuf>,
    /// Training table with the history of the series (`unique_id, ds, y`): for MASE, RMSSE and directional accuracy
    #[arg(long, value_name = "FILE", requires = "forecasts", help_heading = "Evidence")]
    pub train: Option<PathBuf>,
    /// The baseline's `benchmark_results.json`, or `mlflow:RUN_ID`; may be repeated
    #[arg(long, value_name = "FILE", requires = "candidate", conflicts_with = "forecasts", help_heading = "Evidence")]
    pub baseline: Vec<String>,
    /// The candidate's `benchmark_results.json`, or `mlflow:RUN_ID`; may be repeated
    #[arg(long, value_name = "FILE", requires = "baseline", conflicts_with = "forecasts", help_heading = "Evidence")]
    pub candidate: Vec<String>,
    /// Result table (fev-bench, GIFT-Eval or mapped) with a row for each task and model; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with_all = ["forecasts", "baseline"], help_heading = "Evidence")]
    pub results: Vec<PathBuf>,
    /// Name of the baseline model; may be repeated
    #[arg(long, value_name = "NAME", help_heading = "Evidence")]
    pub baseline_model: Vec<String>,
    /// Name of the candidate model
    #[arg(long, value_name = "NAME", help_heading = "Evidence")]
    pub candidate_model: Option<String>,
    /// What the table calls its columns: `id=store,ds=date,cutoff=origin,y=sales`
    #[arg(long, value_name = "ROLE=COLUMN,…", value_delimiter = ',', help_heading = "Evidence")]
    pub map: Vec<String>,
    /// Seasonal lag, in rows, of the scale of MASE and RMSSE: 12 for months, 24 for hours
    #[arg(long, value_name = "ROWS", default_value_t = 1, help_heading = "Evidence")]
    pub season: u32,
    /// Unit of `mape` in benchmark files; told from the numbers, with a note, if not stated
    #[arg(long, value_enum, value_name = "UNIT", help_heading = "Evidence")]
    pub mape_unit: Option<MapeUnitArg>,
    /// Several rows of one model, dataset and window in benchmark files
    #[arg(long, value_enum, default_value_t, help_heading = "Evidence")]
    pub duplicates: Duplicates,
    /// Share of rows without an actual or a forecast of every model, above which the table is refused
    #[arg(long, value_name = "RATIO", default_value_t = 0.05, help_heading = "Evidence")]
    pub max_unpaired: f64,
    /// Drop rows that repeat another one
    #[arg(long, help_heading = "Evidence")]
    pub allow_identical_duplicates: bool,
    /// Keep the sums of each file of the forecast table in this folder, so that the next run reads only files that are new or changed
    #[arg(long, value_name = "FOLDER", requires = "forecasts", help_heading = "Evidence")]
    pub cache: Option<PathBuf>,
    /// Hash every file, also where its size and times say that it has not changed
    #[arg(long, requires = "cache", help_heading = "Evidence")]
    pub cache_rehash: bool,
    /// Column of a result table that names families of related tasks
    #[arg(long, value_name = "COLUMN", help_heading = "Evidence")]
    pub families: Option<String>,

    /// Primary metric
    #[arg(long, value_name = "METRIC", default_value = "mape", help_heading = "Policy")]
    pub metric: String,
    /// What the primary gate asks
    #[arg(long, value_enum, default_value_t = Primary::Superiority, help_heading = "Policy")]
    pub primary: Primary,
    /// Improvement that must be shown: 0.02 is 2 % of the baseline's loss
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, help_heading = "Policy")]
    pub min_improvement: f64,
    /// Margin of a non-inferior primary metric
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, help_heading = "Policy")]
    pub margin: f64,
    /// Another metric that must not get worse by the margin: `da=0.02`, `bias=0.01`, `training-time=0.5`; may be repeated
    #[arg(long, value_name = "METRIC=MARGIN", help_heading = "Policy")]
    pub guardrail: Vec<String>,
    /// A subset of rows in which the primary metric must not get worse by the slice margin: `holiday = 1`; may be repeated
    #[arg(long, value_name = "PREDICATE", help_heading = "Policy")]
    pub slice: Vec<String>,
    /// Margin of each slice
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, help_heading = "Policy")]
    pub slice_margin: f64,
    /// Limit on one dataset's loss relative to the baseline's, or `none` (benchmark files)
    #[arg(long, value_name = "SHARE", default_value = "0.02", help_heading = "Policy")]
    pub dataset_limit: Limit,
    /// Limit on one window's loss relative to the baseline's, or `none` (benchmark files)
    #[arg(long, value_name = "SHARE", default_value = "0.25", help_heading = "Policy")]
    pub window_limit: Limit,
    /// Datasets that both models must have a result for
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "Policy")]
    pub require_dataset: Vec<String>,
    /// Over several baselines: beat all, or any
    #[arg(long, value_enum, default_value_t = Against::All, help_heading = "Policy")]
    pub against: Against,
    /// What a pass needs
    #[arg(long, value_enum, default_value_t = Rule::Evidence, help_heading = "Policy")]
    pub rule: Rule,
    /// Whether the series (datasets) stand for others that were not measured
    #[arg(long, value_enum, default_value_t = SeriesAre::Sampled, help_heading = "Policy")]
    pub series: SeriesAre,
    /// One-sided error rate of each gate
    #[arg(long, value_name = "RATE", default_value_t = 0.05, help_heading = "Policy")]
    pub alpha: f64,
    /// Confidence of the two-sided intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, help_heading = "Policy")]
    pub confidence: f64,
    /// Fewest paired rows of a gate
    #[arg(long, value_name = "N", default_value_t = 30, help_heading = "Policy")]
    pub min_rows: u64,
    /// Fewest series (datasets, tasks) of a gate
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Policy")]
    pub min_series: u64,
    /// Fewest independent windows of a gate: `(last - first cutoff) / horizon + 1`
    #[arg(long, value_name = "N", default_value_t = 3.0, help_heading = "Policy")]
    pub min_windows: f64,
    /// What status 4, "cannot be decided", becomes: pass (status 0) or fail (status 1)
    #[arg(long, value_name = "ANSWER", value_enum, hide_possible_values = true, help_heading = "Policy")]
    pub inconclusive: Option<Fold>,

    /// Bind the verdict to an artefact: `model=models/lightgbm_v2.pkl`; may be repeated
    #[arg(long, value_name = "ROLE=PATH", help_heading = "Verdict")]
    pub about: Vec<String>,
    /// Also write verdict.json, report.html, report.md and junit.xml into this folder
    #[arg(long, value_name = "DIR", help_heading = "Verdict")]
    pub report: Option<PathBuf>,
    /// Show the gate's false-positive rate on this data: the baseline against itself, windows drawn at random
    #[arg(long, help_heading = "Verdict")]
    pub aa: bool,
    /// Seed of whatever is random
    #[arg(long, value_name = "N", default_value_t = 20_261_123, help_heading = "Verdict")]
    pub seed: u64,
}
