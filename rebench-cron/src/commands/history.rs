//! `rebench-cron history`: what came of a job over time, as a table, a report or a page.

use std::path::PathBuf;

use shared::cli::{Context, Format, read_table};
use shared::config::{Config, Table};
use shared::error::{Error, Result};
use shared::{Exit, fsio};

use super::asked;
use super::shop::StateArgs;
use crate::history::{self, Subject, Trend};
use crate::job::{self, Job, JudgeKeys};
use crate::judge::Rules;
use crate::store::Store;
use crate::work::sight::MOST_HISTORY;

/// Flags of `rebench-cron history`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The job; its records stay when it is gone from promotion.toml
    #[arg(value_name = "JOB")]
    pub job: String,
    /// List so many of the newest slots; the evidence is of all
    #[arg(long, value_name = "N", default_value_t = MOST_HISTORY)]
    pub limit: usize,
    /// Also write the trend to this file, as one page that loads nothing
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub html: Option<PathBuf>,
    /// Also write the records of all jobs to this file, as JSON Lines: the table of each, then its columns
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub records: Option<PathBuf>,
    /// Where records are kept
    #[command(flatten)]
    pub state: StateArgs,
}

/// Runs the command. The exit status is 0 whatever the records say: `status` is what judges.
///
/// # Errors
/// If there are no records, or none of the job.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.state.read()?;
    let trend = trend(&context.config, &store, &args.job, args.limit)?;
    if let Some(path) = &args.html {
        fsio::write_atomic(path, history::html(&trend)?.as_bytes())?;
    }
    if let Some(path) = &args.records {
        let mut lines = Vec::new();
        store.export_jsonl(&mut lines)?;
        fsio::write_atomic(path, &lines)?;
    }
    context.emit(&match context.format {
        Format::Json => asked::json(&trend)?,
        Format::Csv => history::csv(&trend)?,
        Format::Text | Format::Markdown => history::text(&trend),
    })?;
    Ok(Exit::Ok)
}

/// The trend of a job from its records. What the settings say of it counts if it is still there; else the defaults do.
///
/// # Errors
/// If the records cannot be read, the settings are wrong, or nobody knows the job.
pub fn trend(config: &Config, store: &Store, name: &str, limit: usize) -> Result<Trend> {
    let job = job::jobs(config)?.into_iter().find(|job| job.name == name);
    let (rows, baselines) = (store.history(name, MOST_HISTORY)?, store.baselines(name)?);
    if job.is_none() && rows.is_empty() && baselines.is_empty() {
        return Err(unknown(store, name));
    }
    let defaults = || read_table::<JudgeKeys>(config, "judge", &Table::default());
    let keys = job.as_ref().and_then(|job| job.judge.clone()).map_or_else(defaults, Ok)?;
    let model = job.as_ref().and_then(|job: &Job| job.model.as_deref());
    Ok(history::trend(&Subject { job: name, model, rules: Rules::of(&keys), limit }, &rows, &baselines))
}

fn unknown(store: &Store, name: &str) -> Error {
    let found = format!("{} has no job {name:?}", store.path().display());
    Error::usage(found, "a job with records").with_help("`rebench-cron status` lists the jobs of promotion.toml")
}
