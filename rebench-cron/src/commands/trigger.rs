//! `rebench-cron trigger`: asks for a run out of turn, once for each key.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use shared::cli::{Context, Format};
use shared::error::{Error, Place, Result};
use shared::format::input::Tool;
use shared::{Exit, fsio};

use super::asked;
use super::shop::StateArgs;
use crate::daemon::requests;
use crate::job;
use crate::store::{self, NewRequest, Request, Requested, Store};
use crate::work::claim;
use crate::work::state::State;

/// The `schema` of the report.
pub const SCHEMA: &str = "rebench-cron/trigger/1";

/// The largest evidence that is kept with the request.
const MOST_EVIDENCE_BYTES: u64 = 4 << 20;

/// Why a run is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Why {
    /// An alert of drift
    Drift,
    /// A person
    Manual,
}

/// Flags of `rebench-cron trigger`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The job, or the model of one job
    pub job: String,
    /// Why it is asked for: drift keeps cool-down and budget of the job
    #[arg(long, value_enum, default_value = "manual")]
    pub reason: Why,
    /// What makes it the same request when it is made again: the identifier of the alert
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// What it rests on: the evidence bundle of the alert
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
    /// Where records are kept
    #[command(flatten)]
    pub state: StateArgs,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// The job.
    pub job: String,
    /// The key.
    pub key: String,
    /// `queued`, `known` or `refused`.
    pub answer: String,
    /// Why it is refused.
    pub why: Option<String>,
}

/// Runs the command. A request that is known, or refused by cool-down or budget, is answered all the same: the status is 0.
///
/// # Errors
/// If there is no such job, the evidence is no JSON, or the records cannot be written.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let job = wanted(context, &args.job)?;
    let evidence = args.evidence.as_deref().map(evidence).transpose()?.unwrap_or(Value::Null);
    let state = State::open(&args.state.state)?;
    let store = Store::open(state.folder())?;
    let now = jiff::Timestamp::now();
    store.define(&claim::definition(&job), now)?;
    let reason = match args.reason {
        Why::Drift => store::Reason::Drift,
        Why::Manual => store::Reason::Manual,
    };
    let key = key(args, now)?;
    let request = NewRequest { job: job.name.clone(), reason, key: key.clone(), evidence };
    let (answer, why) = match store.request(&request, now)? {
        Requested::Known(known) => ("known", known.refused_why),
        Requested::New(id) => {
            let new = Request { id, request, requested_at: now, taken_slot: None, refused_why: None };
            let why = requests::refusal(&store, &job, &new, now)?;
            why.iter().try_for_each(|why| store.refuse_request(id, why, now))?;
            (if why.is_some() { "refused" } else { "queued" }, why)
        }
    };
    let report =
        Report { schema: SCHEMA.to_owned(), tool: asked::tool(), job: job.name, key, answer: answer.to_owned(), why };
    context.emit(&match context.format {
        Format::Json => asked::json(&report)?,
        _ => text(&report),
    })?;
    Ok(Exit::Ok)
}

/// The job of this name, or the one job of the model of this name: alerts know models.
fn wanted(context: &Context, name: &str) -> Result<job::Job> {
    let mut all = job::jobs(&context.config)?;
    if !all.iter().any(|job| job.name == name) {
        let identity = context.config.identity(name);
        let of_model =
            |job: &job::Job| job.model.as_deref().is_some_and(|model| context.config.identity(model) == identity);
        let found: Vec<usize> = (0..all.len()).filter(|place| of_model(&all[*place])).collect();
        match found[..] {
            [place] => return Ok(all.swap_remove(place)),
            [] => {}
            _ => {
                let names: Vec<&str> = found.iter().map(|place| all[*place].name.as_str()).collect();
                return Err(Error::usage(
                    format!("the model {name:?} of several jobs"),
                    format!("one of {}", names.join(", ")),
                ));
            }
        }
    }
    job::named(&context.config, name)
}

/// Without a key each request by hand is one of its own; one that drift makes needs one, since it is made again after every failure.
fn key(args: &Args, now: jiff::Timestamp) -> Result<String> {
    match (&args.key, args.reason) {
        (Some(key), _) if !key.is_empty() => Ok(key.clone()),
        (_, Why::Manual) => Ok(format!("trigger-{now}")),
        (_, Why::Drift) => Err(Error::usage("drift without --key", "--key with the identifier of the alert")),
    }
}

fn evidence(path: &std::path::Path) -> Result<Value> {
    let length = fsio::open(path)?.metadata().map_err(|source| Error::io(path, "look at", source))?.len();
    if length > MOST_EVIDENCE_BYTES {
        return Err(Error::input(Place::file(path), format!("{length} bytes"), "evidence of at most 4 MiB"));
    }
    let bytes = fsio::read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let place = Place::at(path, error.line() as u64, error.column().max(1) as u64);
        Error::input(place, format!("no JSON: {error}"), "an evidence bundle")
    })
}

fn text(report: &Report) -> String {
    let why = report.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    format!("{} {} {}{why}\n", report.answer, report.job, report.key)
}
