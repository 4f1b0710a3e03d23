//! `drift-watch replay`: what the daemon would have said of recorded predictions and actuals.

mod merge;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::ValueEnum;
use shared::cli::{Context, note};
use shared::error::{Place, Problem, Result};
use shared::format::live::{BadRow, Kind, Record};
use shared::{Error, Exit};

use crate::core::engine::Engine;
use crate::core::feeds::Live;
use crate::watch::WatchArgs;

pub use merge::owned;
pub(crate) use report::json;
pub use report::{Report, SCHEMA};

/// Bad rows that are shown.
const SHOWN: u64 = 20;

/// What an answer that cannot be given counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fold {
    /// As yes
    Pass,
    /// As no
    Fail,
}

/// Flags of `drift-watch replay`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Predictions, JSON Lines or CSV; `-` is standard input
    #[arg(long, required = true, value_name = "FILE", num_args = 1..)]
    pub predictions: Vec<PathBuf>,
    /// Actuals, JSON Lines or CSV
    #[arg(long, required = true, value_name = "FILE", num_args = 1..)]
    pub actuals: Vec<PathBuf>,
    /// What status 4, "cannot be decided", becomes: pass (status 0) or fail (status 1)
    #[arg(long, value_name = "ANSWER", value_enum, hide_possible_values = true, help_heading = "Decisions")]
    pub inconclusive: Option<Fold>,
    /// What is watched and how
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// Runs the command.
///
/// # Errors
/// On bad input or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = replay(args, context)?;
    let report = report::of(&engine, args)?;
    let exit = report.exit(args.inconclusive);
    context.emit(&report.render(context.format)?)?;
    Ok(exit)
}

/// The engine after all records.
///
/// # Errors
/// On bad input or a failing environment.
pub fn replay(args: &Args, context: &Context) -> Result<Engine> {
    let same = |name: &str| names_of(context, name);
    let profiles = args.watch.profiles(&same)?;
    if profiles.is_empty() && args.watch.warm_up.is_none() {
        let error = Error::usage(
            "nothing says what is usual of the model's errors",
            "--profile FILE, --manifest FILE or --warm-up SPAN",
        );
        return Err(error.with_help("--warm-up 40d takes the first 40 days of the records themselves"));
    }
    let from_stdin = args.predictions.iter().chain(&args.actuals).filter(|path| path.as_os_str() == "-").count();
    if from_stdin > 1 {
        let found = format!("standard input is named {from_stdin} times");
        return Err(Error::usage(found, "`-` for one file at the most"));
    }
    let mut engine = Engine::new(args.watch.settings(), profiles);
    let mut bad = 0;
    let mut readable = Readable::default();
    let mut live = Live { predictions: true, actuals: true };
    merge::merged(args.predictions.clone(), args.actuals.clone(), args.watch.zone.as_ref(), &mut |row| {
        match row {
            merge::Merged::Record(record, offset) => {
                readable.record(&record);
                take(&mut engine, &record, offset, live);
            }
            merge::Merged::Ended(Kind::Predictions) => live.predictions = false,
            merge::Merged::Ended(Kind::Actuals) => live.actuals = false,
            merge::Merged::Bad(kind, row, path, line) => {
                bad += 1;
                if bad <= SHOWN {
                    note(&format!("warning: {}:{line}: {row}", path.display()));
                }
                let about = row.about.as_ref().map(|(series, target)| (series.as_str(), target.as_microsecond()));
                engine.bad_row(kind, row.fault, about);
                readable.bad(kind, &row, path, line);
            }
        }
        Ok(())
    })?;
    if bad > SHOWN {
        note(&format!("warning: … and {} more rows that could not be read", bad - SHOWN));
    }
    readable.check()?;
    Ok(engine)
}

/// Whether anything could be read of each kind of records.
#[derive(Default)]
struct Readable {
    records: BTreeSet<Kind>,
    /// Bad rows of each kind, and the first of them.
    bad: BTreeMap<Kind, (u64, Problem)>,
}

impl Readable {
    fn record(&mut self, record: &Record<'_>) {
        self.records.insert(match record {
            Record::Prediction(_) => Kind::Predictions,
            Record::Actual(_) => Kind::Actuals,
        });
    }

    fn bad(&mut self, kind: Kind, row: &BadRow, path: PathBuf, line: u64) {
        let first = || {
            let column = row.column.as_ref().map(|column| format!("column {column:?}: ")).unwrap_or_default();
            let found = format!("{column}{}", row.found);
            (0, Problem { place: Place::line(path, line), found, expected: row.expected.clone().into_owned() })
        };
        self.bad.entry(kind).or_insert_with(first).0 += 1;
    }

    /// Rows that are all bad are a bad input, and not a short one.
    fn check(self) -> Result<()> {
        let Some((kind, (n, problem))) = self.bad.into_iter().find(|(kind, _)| !self.records.contains(kind)) else {
            return Ok(());
        };
        let name = if kind == Kind::Predictions { "predictions" } else { "actuals" };
        let found = format!("{}; it is the first of {n} rows of {name}, none of which could be read", problem.found);
        Err(Error::input(problem.place, found, problem.expected))
    }
}

/// Gives a record to the engine; the clock of observations plays the part of the wall clock.
fn take(engine: &mut Engine, record: &Record<'_>, offset: bool, live: Live) {
    if offset {
        engine.offset_time();
    }
    match record {
        Record::Prediction(prediction) => engine.prediction(prediction),
        Record::Actual(actual) => {
            let before = engine.time;
            engine.actual(actual);
            if engine.time > before {
                let wall = engine.time.unwrap_or(0);
                engine.tick(wall, live);
            }
        }
    }
}

/// All names of a model.
pub fn names_of(context: &Context, name: &str) -> Vec<String> {
    let identity = context.config.identity(name).to_owned();
    let all = context.config.models.all();
    let mut names: Vec<String> =
        all.get(identity.as_str()).map(|names| names.iter().map(ToString::to_string).collect()).unwrap_or_default();
    names.extend([identity, name.to_owned()]);
    names.sort();
    names.dedup();
    names
}
