//! Schedule re-benchmarks of promoted forecasters and judge them over time.
//!
//! So far there are schedules ([`schedule`]) and the commands that ask them; jobs are not run yet, and that is what those commands say.

pub mod args;
pub mod commands;
pub mod daemon;
pub mod expect;
pub mod job;
pub mod judge;
pub mod mlflow;
pub mod plan;
pub mod process;
pub mod schedule;
pub mod serve;
pub mod store;
pub mod work;

use shared::Exit;
use shared::cli::{self, Context};

use commands::{explain, next};

use args::{Cli, Command, PLANNED};

/// Carries out the parsed command line.
///
/// # Errors
/// What the command says.
pub fn run(arguments: &Cli, context: &Context) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Next(args) => next::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Common(common) => cli::run_common::<Cli>(common, context),
        Command::Other(words) => Err(cli::unavailable::<Cli>(words, &PLANNED).into()),
    }
}
