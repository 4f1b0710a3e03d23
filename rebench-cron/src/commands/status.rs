//! `rebench-cron status`: how the jobs stand, from the records. A daemon need not run for that, and if it should but does not, this says so.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use shared::Exit;
use shared::cli::{Context, Format};
use shared::config::Config;
use shared::error::Result;
use shared::format::input::Tool;

use super::asked;
use super::shop::StateArgs;
use crate::job::{self, Job};
use crate::plan::{ON_TIME, jitter};
use crate::store::{HistoryRow, Outcome, SlotState, Store};
use crate::work::claim::{self, wall};

/// The `schema` of the report.
pub const SCHEMA: &str = "rebench-cron/status/1";

/// So many slots are looked back on for the last run.
const LOOKED_AT: usize = 200;

/// Flags of `rebench-cron status`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Only this job
    pub job: Option<String>,
    /// Where records are kept
    #[command(flatten)]
    pub state: StateArgs,
}

/// How the jobs stand.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// Whether no job is overdue, none failed in its last run, and no model no longer wins.
    pub ok: bool,
    /// The jobs.
    pub jobs: Vec<Standing>,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Standing {
    /// Its name.
    pub job: String,
    /// The model that it re-benchmarks.
    pub model: Option<String>,
    /// Whether its schedule counts.
    pub enabled: bool,
    /// Its next run, in local time.
    pub next: Option<String>,
    /// Since which slot it is overdue: nobody ran it, and nobody recorded why not.
    pub overdue_since: Option<String>,
    /// Its last run.
    pub last: Option<Last>,
    /// The slots that are being run or wait for another attempt.
    pub running: Vec<String>,
    /// The names of the alerts that fire, each with its sentence.
    pub alerts: Vec<Firing>,
    /// Runs that were asked for and wait.
    pub requests: u64,
    /// Whether something is wrong with it.
    pub ok: bool,
}

/// The last run of a job.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Last {
    /// The slot, in local time.
    pub scheduled_at: String,
    /// What it was for.
    pub reason: String,
    /// Its outcome, or `failed`.
    pub outcome: String,
    /// Why, in a sentence.
    pub why: Option<String>,
    /// The effect: positive is worse than the baseline.
    pub effect: Option<f64>,
    /// The evidence over all runs that the model no longer wins.
    pub e_value: Option<f64>,
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Firing {
    /// Its name.
    pub name: String,
    /// What it says.
    pub summary: String,
}

/// Runs the command. The exit status is 1 where a job is overdue, its last run failed, or its model no longer wins.
///
/// # Errors
/// If there are no records, or no such job.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let report = report(&context.config, &args.state.read()?, args.job.as_deref(), Timestamp::now())?;
    context.emit(&match context.format {
        Format::Json => asked::json(&report)?,
        _ => text(&report),
    })?;
    Ok(if report.ok { Exit::Ok } else { Exit::No })
}

/// How the jobs of the settings stand.
///
/// # Errors
/// If the records cannot be read, or there is no such job.
pub fn report(config: &Config, store: &Store, only: Option<&str>, now: Timestamp) -> Result<Report> {
    let jobs = match only {
        Some(name) => vec![job::named(config, name)?],
        None => job::jobs(config)?,
    };
    let jobs: Vec<Standing> = jobs.iter().map(|job| standing(job, store, now)).collect::<Result<_>>()?;
    Ok(Report { schema: SCHEMA.to_owned(), tool: asked::tool(), ok: jobs.iter().all(|job| job.ok), jobs })
}

fn standing(job: &Job, store: &Store, now: Timestamp) -> Result<Standing> {
    let history = store.history(&job.name, LOOKED_AT)?;
    let overdue = overdue(job, store, now)?;
    let last = history.iter().rev().find_map(|row| last(job, row));
    let is_running = |row: &&HistoryRow| row.state == SlotState::Claimed;
    let running = history.iter().filter(is_running).map(|row| wall(job, row.scheduled_at)).collect();
    let alerts: Vec<Firing> = store.firing(&job.name)?.iter().map(|row| firing(&row.alert)).collect();
    let requests = store.requests()?.iter().filter(|request| request.request.job == job.name).count() as u64;
    let failed = last.as_ref().is_some_and(|last| is_bad(&last.outcome));
    let ok = overdue.is_none() && !failed && !alerts.iter().any(|alert| alert.name == "ModelNoLongerWins");
    Ok(Standing {
        job: job.name.clone(),
        model: job.model.clone(),
        enabled: job.enabled,
        next: job.enabled.then(|| job.schedule.next(now)).flatten().map(|next| wall(job, next)),
        overdue_since: overdue.map(|slot| wall(job, slot)),
        last,
        running,
        alerts,
        requests,
        ok,
    })
}

fn is_bad(outcome: &str) -> bool {
    ["failed", Outcome::Invalid.name(), Outcome::NotReproducible.name(), Outcome::Regressed.name()].contains(&outcome)
}

/// The first slot that should have been decided and was not.
fn overdue(job: &Job, store: &Store, now: Timestamp) -> Result<Option<Timestamp>> {
    if !job.enabled {
        return Ok(None);
    }
    let Some(since) = store.defined_since(&claim::definition(job))? else { return Ok(None) };
    let decided = store.last_slot(&job.name)?.map_or(since, |last| last.max(since));
    let patience = jitter::of(&job.name, job.jitter) + SignedDuration::try_from(ON_TIME).unwrap_or_default();
    Ok(job.schedule.next(decided).filter(|slot| now.duration_since(*slot) > patience))
}

fn last(job: &Job, row: &HistoryRow) -> Option<Last> {
    let verdict = row.run.as_ref().and_then(|run| run.verdict.as_ref()).map(|(verdict, _)| verdict);
    let (outcome, why) = match (row.state, verdict) {
        // Nothing was measured: what was measured last still counts.
        (SlotState::Done, Some(verdict)) if verdict.outcome == Outcome::NoNewData => return None,
        (SlotState::Done, Some(verdict)) => (verdict.outcome.name(), Some(verdict.reason.clone())),
        (SlotState::Failed, _) => ("failed", row.why.clone()),
        _ => return None,
    };
    Some(Last {
        scheduled_at: wall(job, row.scheduled_at),
        reason: row.reason.name().to_owned(),
        outcome: outcome.to_owned(),
        why,
        effect: verdict.and_then(|verdict| verdict.effect),
        e_value: verdict.and_then(|verdict| verdict.e_value),
    })
}

fn firing(alert: &crate::store::NewAlert) -> Firing {
    let summary = alert.body["summary"].as_str().unwrap_or_default().to_owned();
    Firing { name: alert.kind.clone(), summary }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for job in &report.jobs {
        let mark = if job.ok { "ok" } else { "NOT OK" };
        _ = writeln!(out, "{} {mark}", job.job);
        if let Some(last) = &job.last {
            let why = last.why.as_deref().unwrap_or_default();
            _ = writeln!(out, "  last     {} {} ({}): {why}", last.scheduled_at, last.outcome, last.reason);
        }
        for slot in &job.running {
            _ = writeln!(out, "  running  {slot}");
        }
        if let Some(slot) = &job.overdue_since {
            _ = writeln!(out, "  OVERDUE  since {slot}: nobody ran it; is `rebench-cron run` or its cron line there?");
        }
        for alert in &job.alerts {
            _ = writeln!(out, "  alert    {}: {}", alert.name, alert.summary);
        }
        let next = if job.enabled { job.next.as_deref().unwrap_or("none left") } else { "disabled" };
        _ = writeln!(out, "  next     {next}");
    }
    if report.jobs.is_empty() { "no jobs\n".to_owned() } else { out }
}
