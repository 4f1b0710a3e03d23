//! Write, sign, verify, promote, roll back and audit manifests of forecasting models.
//!
//! So far this is the frame: help, version, settings, completions and manual. The work itself is not available yet, and says so.

pub mod args;
pub mod contract;
pub mod features;
pub mod stale;
pub mod store;
pub mod version;

use shared::Exit;
use shared::cli::{self, Context};

use args::{Cli, Command, PLANNED};

/// Carries out the parsed command line.
///
/// # Errors
/// What the command says.
pub fn run(arguments: &Cli, context: &Context) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::CheckRequest(args) => contract::run(args, context),
        Command::Stale(args) => stale::run(args, context),
        Command::Common(common) => cli::run_common::<Cli>(common, context),
        Command::Other(words) => Err(cli::unavailable("manifest-gen", words, &PLANNED).into()),
    }
}
