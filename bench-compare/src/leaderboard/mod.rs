//! `bench-compare leaderboard`: many models on many tasks, by the definitions of fev or GIFT-Eval.
//!
//! [`settle`] turns raw scores into errors that may be averaged, [`statistics`], [`pairs`] and [`bootstrap`] average them,
//! [`significance`] tests what of it is more than luck, [`board`](fn@board::board) puts it together, [`render`] prints it.

pub mod board;
pub mod bootstrap;
pub mod grid;
pub mod output;
pub mod pairs;
mod patterns;
pub mod render;
pub mod settings;
pub mod settle;
pub mod significance;
pub mod statistics;
pub mod units;

use std::path::Path;

use shared::cli::{Context, Format, note};
use shared::{Error, Exit, fsio};

pub use settings::Args;

use crate::load::results;
use output::Leaderboard;

/// How many failed results are named on stderr before only their count is.
const NAMED_FAILURES: usize = shared::error::SHOWN_PROBLEMS;

/// Runs the command.
///
/// # Errors
/// On bad input or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let args = args.under(&context.config.models);
    let table = results::read(&args.files, &args.options())?;
    name_failures(&table);
    let leaderboard = board::board(&table, &args)?;
    leaderboard.notes.iter().for_each(|text| note(&format!("note: {text}")));
    args.diagram.as_deref().map_or(Ok(()), |path| draw(&leaderboard, path))?;
    context.emit(&rendered(&leaderboard, context.format)?)?;
    Ok(Exit::Ok)
}

/// Writes the critical-difference diagram, unless the tests leave it undefined, which they say themselves.
fn draw(leaderboard: &Leaderboard, path: &Path) -> shared::Result<()> {
    let nemenyi = leaderboard.tests.as_ref().and_then(|tests| tests.nemenyi.as_ref());
    match nemenyi.map(render::diagram) {
        Some(svg) => fsio::write_atomic(path, svg.as_bytes()),
        None => Err(Error::incomparable(
            "no critical difference on this data",
            "at least two models that do not always tie",
        )),
    }
}

fn name_failures(table: &results::ResultTable) {
    for failure in table.failures.iter().take(NAMED_FAILURES) {
        let (model, task) = (&table.models[failure.model], &table.tasks[failure.task].label);
        note(&format!("note: {}: {model:?} on {task:?} failed: {} is no score", failure.place, failure.found));
    }
    if table.failures.len() > NAMED_FAILURES {
        note(&format!("note: … and {} more failed results", table.failures.len() - NAMED_FAILURES));
    }
}

fn rendered(leaderboard: &Leaderboard, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Json => serde_json::to_string_pretty(leaderboard)? + "\n",
        Format::Text => render::text(leaderboard),
        Format::Csv => render::csv(leaderboard)?,
        Format::Markdown => render::markdown(leaderboard),
    })
}
