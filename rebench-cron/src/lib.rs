//! Schedule re-benchmarks of promoted forecasters and judge them over time.
//!
//! So far this is the frame: help, version, settings, completions and manual. The work itself is not available yet, and says so.

pub mod args;
pub mod process;

use shared::Exit;
use shared::cli::{self, Context};

use args::{Cli, Command, PLANNED};

/// Carries out the parsed command line.
///
/// # Errors
/// What the command says.
pub fn run(arguments: &Cli, context: &Context) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Common(common) => cli::run_common::<Cli>(common, context),
        Command::Other(words) => Err(cli::unavailable("rebench-cron", words, &PLANNED).into()),
    }
}
