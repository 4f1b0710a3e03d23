//! The command line.

use clap::{Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Tool};

use crate::{dump, export, fleet, replay, run, status, verify_alarms};

/// Watch the live accuracy of promoted forecasters and raise alarms that mean something.
#[derive(Debug, Parser)]
#[command(name = "drift-watch", version, propagate_version = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub common: CommonArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch: the daemon
    Run(Box<run::args::Args>),
    /// Ask a running daemon how the models stand
    Status(status::Args),
    /// Say what the daemon would have said of recorded predictions and actuals
    Replay(Box<replay::Args>),
    /// Measure the promised rate of false alarms on a model's own errors
    VerifyAlarms(Box<verify_alarms::Args>),
    /// Write the joined pairs of forecast and actual as a table
    Export(Box<export::Args>),
    /// Look into the state of a daemon
    State(dump::Args),
    /// Put records of files into the stream of a fleet
    Publish(Box<fleet::publish::PublishArgs>),
    /// Look into the state of a fleet
    Fleet(fleet::dump::Args),
    /// What every tool has.
    #[command(flatten)]
    Common(CommonCommand),
}

impl Tool for Cli {
    const EXAMPLES: Examples = crate::examples::ALL;
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn verify_clap() {
        Cli::command().debug_assert();
        shared::cli::command::<Cli>().debug_assert();
    }
}
