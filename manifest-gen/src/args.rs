//! The command line.

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Tool};

/// The commands that are still to come.
pub const PLANNED: [&str; 15] = [
    "new",
    "sign",
    "verify",
    "promote",
    "rollback",
    "yank",
    "resolve",
    "render",
    "stale",
    "audit",
    "check-request",
    "diff",
    "export",
    "sync",
    "repair",
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
    /// Say what model files would do when loaded, without loading them
    Scan(crate::scan::Args),
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
            "scan",
            &[
                "manifest-gen scan models/*.pkl",
                "manifest-gen scan models/*.pkl --json",
                "manifest-gen scan models/mine.pkl --allow mypkg.models.MyModel",
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
