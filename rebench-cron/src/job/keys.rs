//! The keys of `[rebench-cron.jobs.NAME]`, and of its tables `expect` and `judge`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command, ValueEnum};
use shared::span;

use super::{Kept, Overlap};
use crate::schedule::{Dialect, Dst};

/// What a job is to run, and when.
#[derive(Debug, Clone, Args)]
pub struct JobKeys {
    /// When it runs: an expression in the language of --dialect
    #[arg(long, value_name = "EXPR", required = true)]
    pub schedule: String,
    /// The time zone of the schedule: an IANA name; without it UTC
    #[arg(long, value_name = "ZONE")]
    pub tz: Option<String>,
    /// The language of the schedule: cron, cron-seconds, quartz or oncalendar
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub dialect: Dialect,
    /// Where clocks change: vixie, skip, later or instant; without it as the engine of the dialect does
    #[arg(long, value_enum, hide_possible_values = true)]
    pub dst: Option<Dst>,
    /// The program and its arguments, which may hold `{out_dir}`, `{job}` and `{scheduled_at}`; no shell
    #[arg(long, value_name = "WORD", num_args = 1.., allow_hyphen_values = true, required = true)]
    pub command: Vec<String>,
    /// The folder that it runs in [default: that of promotion.toml]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// A variable of its environment
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    pub env: Vec<String>,
    /// A variable that it inherits, besides PATH, HOME, LANG and the like
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub inherit_env: Vec<String>,
    /// The model that is re-benchmarked, by its name in the registry
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// It does not run by its schedule
    #[arg(long)]
    pub disabled: bool,
    /// How long a run may take before it is told to end
    #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = span::parse)]
    pub timeout: Duration,
    /// How long after that it is killed
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = span::parse)]
    pub grace: Duration,
    /// How often a run that failed is tried again; a regression is no failure
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub retries: u32,
    /// The pause before the first retry; each further one doubles it
    #[arg(long, value_name = "SPAN", default_value = "1m", value_parser = span::parse)]
    pub retry_delay: Duration,
    /// The longest pause
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = span::parse)]
    pub retry_most: Duration,
    /// What becomes of runs that were missed: skip, one or all
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub missed: MissedKey,
    /// The most of them that are caught up with all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub missed_most: u32,
    /// What is older is not caught up [default: three sevenths of the period, 10 days at most]
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    pub missed_age: Option<Duration>,
    /// Where the last run is still on: forbid, queue, replace or allow
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub overlap: Overlap,
    /// Each run starts later by the same part of this span, which depends on the name of the job
    #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = span::parse)]
    pub jitter: Duration,
    /// After a run that drift asked for, further such wishes wait so long
    #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = span::parse)]
    pub cooldown: Duration,
    /// A run that drift asked for stands for the next regular one if that is due within this share of the period
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub coalesce: f64,
    /// The most runs that drift may ask for within --budget-span
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub budget: u32,
    /// See --budget
    #[arg(long, value_name = "SPAN", default_value = "30d", value_parser = span::parse)]
    pub budget_span: Duration,
    /// Keep the files of so many runs
    #[arg(long, value_name = "N", default_value_t = Kept::default().runs)]
    pub keep_runs: u32,
    /// Keep the files of runs for so long
    #[arg(long, value_name = "SPAN", default_value = "never", value_parser = span::parse)]
    pub keep_age: Duration,
    /// Keep so many megabytes of files of runs
    #[arg(long, value_name = "MB", default_value_t = Kept::default().megabytes)]
    pub keep_megabytes: u64,
    /// A file with the address that is pinged at start, success and failure (healthchecks protocol)
    #[arg(long, value_name = "FILE")]
    pub ping_url_file: Option<PathBuf>,
}

/// What becomes of runs that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum MissedKey {
    /// Nothing, besides a record
    Skip,
    /// The newest is caught up
    #[default]
    One,
    /// All are, up to a number
    All,
}

/// What a run must have produced, and from what. An exit status of 0 says little.
#[derive(Debug, Clone, Default, Args)]
pub struct ExpectKeys {
    /// A file that must be there, in `{out_dir}`, and newer than the start; `benchmark_results.json` and tables are read
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub files: Vec<String>,
    /// A model that must have results, none of which failed
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub models: Vec<String>,
    /// A dataset that must have results of each of these models
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub datasets: Vec<String>,
    /// The share of rows by which a model and dataset may have fewer than the run before
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub fewer_rows: f64,
    /// The files that the benchmark reads: paths and patterns; unchanged ones are no new sample
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// The column of these files with the time of a row
    #[arg(long, value_name = "COLUMN")]
    pub data_time: Option<String>,
    /// The newest row must not be older than this
    #[arg(long, value_name = "SPAN", value_parser = span::parse, requires = "data_time")]
    pub data_age: Option<Duration>,
    /// Also run where the data are those of the run before
    #[arg(long)]
    pub without_new_data: bool,
}

/// How a run is judged.
#[derive(Debug, Clone, Default, Args)]
pub struct JudgeKeys {
    /// The forecast table in `{out_dir}` that holds the model and the one that it is held against
    #[arg(long, value_name = "NAME")]
    pub forecasts: Option<String>,
    /// The benchmark file in `{out_dir}` with the results of the model [default: `benchmark_results.json`]
    #[arg(long, value_name = "NAME", conflicts_with = "forecasts")]
    pub candidate: Option<String>,
    /// The benchmark file in `{out_dir}` with the results of the baseline, run beside it on the same data
    #[arg(long, value_name = "NAME", conflicts_with = "forecasts")]
    pub beside: Option<String>,
    /// The recorded benchmark file of the baseline: the champion's evidence
    #[arg(long, value_name = "FILE", conflicts_with = "forecasts")]
    pub recorded: Option<PathBuf>,
    /// A benchmark file in `{out_dir}` with the baseline run again on the recorded data: does it still give the recorded results?
    #[arg(long, value_name = "NAME", requires = "recorded")]
    pub reproduced: Option<String>,
    /// By how much a result may then differ from the recorded one
    #[arg(long, value_name = "SHARE", default_value_t = 0.02)]
    pub reproducible_within: f64,
    /// The name of the model in the results [default: model]
    #[arg(long, value_name = "NAME")]
    pub candidate_model: Option<String>,
    /// The name of the model that it is held against; in another file [default: that of the model]
    #[arg(long, value_name = "NAME")]
    pub baseline_model: Option<String>,
    /// The metric
    #[arg(long, value_name = "METRIC", default_value = "mape")]
    pub metric: String,
    /// How much worse than the baseline still holds: 0.02 is 2 % of its loss; with 0 it must be better
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub margin: f64,
    /// Further flags of bench-compare gate, and their values; limits on single datasets and windows hold only if they stand here
    #[arg(long, value_name = "WORD", num_args = 1.., allow_hyphen_values = true)]
    pub gate: Vec<String>,
    /// Runs over which the chance of a false alarm is stated
    #[arg(long, value_name = "N", default_value_t = 104)]
    pub looks: u32,
    /// The chance of a false alarm over these
    #[arg(long, value_name = "RATE", default_value_t = 0.05)]
    pub false_alarm_rate: f64,
    /// Run the benchmark so often on the same data, once for each baseline, to learn by how much its results differ by chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub repeats: u32,
    /// The registry that says which version is the champion; another champion begins the history anew
    #[arg(long, value_name = "FILE")]
    pub registry: Option<PathBuf>,
}

/// All keys as a command, for documents and checks.
pub fn command() -> Command {
    let below = |command: Command, about: &'static str| command.about(about);
    JobKeys::augment_args(Command::new("job"))
        .about("A re-benchmark: what runs, when, what it must produce and how it is judged")
        .subcommand(below(
            ExpectKeys::augment_args(Command::new("expect")),
            "What a run must have produced, and from what",
        ))
        .subcommand(below(JudgeKeys::augment_args(Command::new("judge")), "How a run is judged"))
}
