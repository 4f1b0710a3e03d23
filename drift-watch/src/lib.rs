//! Watch the live accuracy of promoted forecasters and raise alarms that mean something.

pub mod args;
pub mod check;
pub mod core;
pub mod dump;
pub mod examples;
pub mod export;
pub mod fleet;
pub mod mlflow;
pub mod read;
pub mod replay;
pub mod run;
pub mod serve;
pub mod source;
pub mod sources;
pub mod span;
pub mod state;
pub mod status;
pub mod verify_alarms;
pub mod view;
pub mod watch;

use shared::Exit;
use shared::cli::{self, CommonCommand, Context};

use args::{Cli, Command};

/// Carries out the parsed command line.
///
/// # Errors
/// What the command says.
pub fn run(arguments: &Cli, context: &Context) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Run(args) => run::run(args, context),
        Command::Status(args) => status::run(args, context),
        Command::Replay(args) => replay::run(args, context),
        Command::VerifyAlarms(args) => verify_alarms::run(args, context),
        Command::Export(args) => export::run(args, context),
        Command::State(args) => dump::run(args, context),
        Command::Publish(args) => fleet::publish::run(args, context),
        Command::Fleet(args) => fleet::dump::run(args, context),
        Command::Common(CommonCommand::Check) => check::run(context),
        Command::Common(common) => cli::run_common::<Cli>(common, context),
    }
}
