//! `drift-watch fleet dump`: the state of a fleet, or what one process would make of the same records.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::Exit;
use shared::cli::Context;
use shared::error::{Error, Place, Result};
use shared::format::live::{BadRow, Kind, Record, to_json};

use super::args::NatsArgs;
use super::partition::{partition_of, word};
use super::state::{Content, Partition, settings};
use crate::core::engine::ProfileBaseline;
use crate::core::settings::Settings;
use crate::dump::{Canonical, canonical};
use crate::read::Rows;
use crate::replay::{json, names_of};
use crate::watch::WatchArgs;

/// The `schema` of a dump.
pub const SCHEMA: &str = "drift-watch/fleet/1";

/// Flags of `drift-watch fleet`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with a fleet.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Write the state of all partitions as JSON
    Dump(Box<DumpArgs>),
    /// Write what began or ended in partitions, and who owned them, as JSON Lines in the order of the log
    Events(Box<EventsArgs>),
}

/// Flags of `drift-watch fleet events`.
#[derive(Debug, Clone, clap::Args)]
pub struct EventsArgs {
    /// The broker
    #[command(flatten)]
    pub nats: NatsArgs,
}

/// Flags of `drift-watch fleet dump`.
#[derive(Debug, Clone, clap::Args)]
pub struct DumpArgs {
    /// In place of the broker: predictions and actuals, JSON Lines or CSV; one process takes all
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub records: Vec<PathBuf>,
    /// Only what follows from the records, whoever brought them and in which order within the lateness
    #[arg(long)]
    pub canonical: bool,
    /// The broker
    #[command(flatten)]
    pub nats: NatsArgs,
    /// What is watched and how
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// The state of a fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fleet {
    /// [`SCHEMA`].
    pub schema: String,
    /// Partitions that have seen records: what these determine.
    pub partitions: BTreeMap<String, Canonical>,
    /// What depends on arrival; absent from a canonical dump.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arrival: BTreeMap<String, FleetArrival>,
}

/// What depends on arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FleetArrival {
    /// The last message of the stream that is part of the state.
    pub sequence: u64,
    /// Records taken in.
    pub records: u64,
    /// Records that came again.
    pub repeats: u64,
    /// Records that came later than disorder is allowed.
    pub late: u64,
}

/// Runs the command.
///
/// # Errors
/// On bad input, or where the broker cannot be used.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let text = match &args.command {
        Command::Dump(args) => {
            let states = if args.records.is_empty() { from_broker(args, context)? } else { from_files(args, context)? };
            json(&fleet(&states, args.canonical))?
        }
        Command::Events(args) => events(args)?,
    };
    context.emit(&text)?;
    Ok(Exit::Ok)
}

fn fleet(states: &BTreeMap<u32, Partition>, is_canonical: bool) -> Fleet {
    let seen = || states.iter().filter(|(_, state)| state.records > 0);
    let arrival = |state: &Partition| FleetArrival {
        sequence: state.sequence,
        records: state.records,
        repeats: state.repeats,
        late: state.late,
    };
    Fleet {
        schema: SCHEMA.to_owned(),
        partitions: seen().map(|(place, state)| (word(*place), canonical(&state.saved.engine))).collect(),
        arrival: seen().filter(|_| !is_canonical).map(|(place, state)| (word(*place), arrival(state))).collect(),
    }
}

/// What states of partitions begin with.
pub(super) fn beginning(
    watch: &WatchArgs,
    nats: &NatsArgs,
    context: &Context,
) -> Result<(Settings, BTreeMap<String, ProfileBaseline>)> {
    let profiles = watch.profiles(&|name| names_of(context, name))?;
    Ok((settings(watch.settings(), nats.nats_partitions), profiles))
}

/// One process: each record to its partition, in the order of the files.
fn from_files(args: &DumpArgs, context: &Context) -> Result<BTreeMap<u32, Partition>> {
    let (settings, profiles) = beginning(&args.watch, &args.nats, context)?;
    let mut states: BTreeMap<u32, Partition> = BTreeMap::new();
    let mut apply = |record: &Record<'_>| {
        let (kind, series) = subject(record);
        let place = partition_of(series, args.nats.nats_partitions);
        let state = states.entry(place).or_insert_with(|| Partition::new(settings.clone(), profiles.clone()));
        let (next, line) = (state.sequence + 1, to_json(record));
        state.apply(next, Content::Records(kind), line.as_bytes(), args.nats.nats_lateness).map(drop)
    };
    for path in &args.records {
        let mut rows = Rows::open_either(path, args.watch.zone.clone())?;
        let mut outcome = Ok(());
        while rows.next(|row, line| {
            outcome = row.map_err(|bad| bad_row(path, line, bad)).and_then(|parsed| apply(&parsed.record));
        })? {
            std::mem::replace(&mut outcome, Ok(()))?;
        }
    }
    finished(states)
}

fn subject<'a>(record: &'a Record<'_>) -> (Kind, &'a str) {
    match record {
        Record::Prediction(prediction) => (Kind::Predictions, &prediction.series),
        Record::Actual(actual) => (Kind::Actuals, &actual.series),
    }
}

fn bad_row(path: &Path, line: u64, bad: BadRow) -> Error {
    let column = bad.column.map(|column| format!("column {column:?}: ")).unwrap_or_default();
    Error::input(Place::line(path, line), format!("{column}{}", bad.found), bad.expected)
        .with_help("take the row out: what is published holds none that cannot be read")
}

fn finished(mut states: BTreeMap<u32, Partition>) -> Result<BTreeMap<u32, Partition>> {
    states.values_mut().try_for_each(|state| state.finish().map(drop))?;
    Ok(states)
}

#[cfg(not(feature = "nats"))]
fn events(_: &EventsArgs) -> Result<String> {
    Err(super::without())
}

#[cfg(feature = "nats")]
fn events(args: &EventsArgs) -> Result<String> {
    runtime()?.block_on(async {
        let broker = super::broker::Broker::connect(&args.nats).await?;
        let lines = super::read::log(&broker).await?;
        Ok(lines.into_iter().map(|line| line + "\n").collect())
    })
}

#[cfg(feature = "nats")]
fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| Error::Environment { what: format!("no runtime: {error}"), help: None })
}

#[cfg(not(feature = "nats"))]
fn from_broker(_: &DumpArgs, _: &Context) -> Result<BTreeMap<u32, Partition>> {
    Err(super::without())
}

/// All partitions as they are by now: the newest snapshot, and what the stream holds after it.
#[cfg(feature = "nats")]
fn from_broker(args: &DumpArgs, context: &Context) -> Result<BTreeMap<u32, Partition>> {
    let (settings, profiles) = beginning(&args.watch, &args.nats, context)?;
    runtime()?.block_on(async {
        let broker = super::broker::Broker::connect(&args.nats).await?;
        let mut states = BTreeMap::new();
        for place in 0..args.nats.nats_partitions {
            let fresh = |bytes: Option<&[u8]>| match bytes {
                None => Ok(Partition::new(settings.clone(), profiles.clone())),
                Some(bytes) => Partition::from_bytes(bytes, settings.clone()),
            };
            states.insert(place, super::read::partition(&broker, place, &fresh).await?);
        }
        finished(states)
    })
}
