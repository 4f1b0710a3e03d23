//! The command line.

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Tool};

use crate::{contract, stale};

/// The commands that are still to come.
pub const PLANNED: [&str; 14] = [
    "new", "scan", "sign", "verify", "promote", "rollback", "yank", "resolve", "render", "audit", "diff", "export",
    "sync", "repair",
];

/// Write, sign, verify, promote, roll back and audit manifests of forecasting models.
#[derive(Debug, Parser)]
#[command(name = "manifest-gen", version, propagate_version = true)]
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
    /// Find references to versions that an alias has left behind
    Stale(stale::Args),
    /// Compare a request with what a model was released for
    CheckRequest(contract::Args),
    /// What every tool has.
    #[command(flatten)]
    Common(CommonCommand),
    /// Everything else.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Tool for Cli {
    const EXAMPLES: Examples = &[
        ("", &["manifest-gen check", "manifest-gen show-config --json", "manifest-gen completions bash"]),
        (
            "stale",
            &["manifest-gen stale .", "manifest-gen stale api dashboard jobs --strict", "manifest-gen stale . --json"],
        ),
        (
            "check-request",
            &[
                "manifest-gen check-request lightgbm@champion request.json",
                "manifest-gen check-request lightgbm@champion rows.csv --as-of 2026-11-24 --json",
                "manifest-gen check-request lightgbm@champion --print-schema",
            ],
        ),
        ("check", &["manifest-gen check", "manifest-gen check --config other.toml", "manifest-gen check --json"]),
        (
            "show-config",
            &["manifest-gen show-config", "manifest-gen show-config --format csv", "manifest-gen show-config --json"],
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
        let error = shared::cli::unavailable("manifest-gen", &words, &PLANNED);
        assert_eq!(error.exit().code(), 2);
        assert!(error.to_string().starts_with(&format!("`manifest-gen {}` is not available yet", PLANNED[0])));
    }
}
