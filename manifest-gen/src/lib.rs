//! Write, sign, verify, promote, roll back and audit manifests of forecasting models.
//!
//! So far this is the frame: help, version, settings, completions and manual. The work itself is not available yet, and says so.

pub mod args;
pub mod diff;
pub mod export;
pub mod mlflow;
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
        Command::Common(common) => cli::run_common::<Cli>(common, context),
        Command::Diff(args) => diff::run(args, context),
        Command::Export(args) => export::run(args, context),
        Command::Sync(args) => mlflow::sync::run(args, context),
        Command::Other(words) => Err(cli::unavailable("manifest-gen", words, &PLANNED).into()),
    }
}
