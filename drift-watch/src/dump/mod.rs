//! `drift-watch state dump`: the state as a file that people and programs can compare.

mod arrival;
mod baseline;
mod build;
pub mod canonical;
mod number;

use shared::Exit;
use shared::cli::Context;
use shared::error::Result;

use crate::core::engine::Engine;
use crate::replay::json;
use crate::sources::SourceArgs;

pub use build::canonical;
pub use canonical::{Canonical, SCHEMA, State};

/// Flags of `drift-watch state`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with a state.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Command {
    /// Write the state as JSON
    Dump(Box<DumpArgs>),
}

/// Flags of `drift-watch state dump`.
#[derive(Debug, Clone, clap::Args)]
pub struct DumpArgs {
    /// Only what follows from the records, whatever the order in which the sources brought them: two daemons, or a daemon and a
    /// replay, that have seen the same records give the same bytes
    #[arg(long)]
    pub canonical: bool,
    /// Whose state
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Runs the command.
///
/// # Errors
/// On bad input or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let Command::Dump(args) = &args.command;
    let engine = args.source.engine(context)?;
    context.emit(&dump(&engine, args.canonical)?)?;
    Ok(Exit::Ok)
}

/// The state as JSON; with `is_canonical`, only what records determine.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn dump(engine: &Engine, is_canonical: bool) -> Result<String> {
    let arrival = (!is_canonical).then(|| arrival::of(engine));
    json(&State { canonical: canonical(engine), arrival })
}
