//! The command line.

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Tool};

use crate::{dump, export, replay, verify_alarms};

/// The commands that are still to come.
pub const PLANNED: [&str; 2] = ["run", "status"];

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
    /// Say what the daemon would have said of recorded predictions and actuals
    Replay(Box<replay::Args>),
    /// Measure the promised rate of false alarms on a model's own errors
    VerifyAlarms(Box<verify_alarms::Args>),
    /// Write the joined pairs of forecast and actual as a table
    Export(Box<export::Args>),
    /// Look into the state of a daemon
    State(dump::Args),
    /// What every tool has.
    #[command(flatten)]
    Common(CommonCommand),
    /// Everything else.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Tool for Cli {
    const EXAMPLES: Examples = &[
        ("", &["drift-watch check", "drift-watch show-config --json", "drift-watch completions bash"]),
        ("check", &["drift-watch check", "drift-watch check --config other.toml", "drift-watch check --json"]),
        (
            "show-config",
            &["drift-watch show-config", "drift-watch show-config --format csv", "drift-watch show-config --json"],
        ),
    ];
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
