//! The command line.

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Tool};

/// The commands that are still to come.
pub const PLANNED: [&str; 8] = ["run", "once", "status", "next", "explain", "history", "trigger", "export"];

/// Schedule re-benchmarks of promoted forecasters and judge them over time.
#[derive(Debug, Parser)]
#[command(name = "rebench-cron", version, propagate_version = true)]
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
    /// What every tool has.
    #[command(flatten)]
    Common(CommonCommand),
    /// Everything else.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Tool for Cli {
    const EXAMPLES: Examples = &[
        ("", &["rebench-cron check", "rebench-cron show-config --json", "rebench-cron completions bash"]),
        ("check", &["rebench-cron check", "rebench-cron check --config other.toml", "rebench-cron check --json"]),
        (
            "show-config",
            &["rebench-cron show-config", "rebench-cron show-config --format csv", "rebench-cron show-config --json"],
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

    #[test]
    fn what_is_to_come_says_so() {
        let words = [OsString::from(PLANNED[0])];
        let error = shared::cli::unavailable("rebench-cron", &words, &PLANNED);
        assert_eq!(error.exit().code(), 2);
        assert!(error.to_string().starts_with(&format!("`rebench-cron {}` is not available yet", PLANNED[0])));
    }
}
