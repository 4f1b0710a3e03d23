//! The command line.

use std::ffi::OsString;

use clap::{Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Tool};

use crate::mlflow::sync;
use crate::{diff, export};

/// The commands that are still to come.
pub const PLANNED: [&str; 13] = [
    "new",
    "scan",
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
    /// What every tool has.
    #[command(flatten)]
    Common(CommonCommand),
    /// Say what changed between two releases
    Diff(diff::Args),
    /// Write a release in the form of other tools: CycloneDX, model card, JSON Schema
    Export(export::Args),
    /// Deliver what waits for MLflow
    Sync(sync::Args),
    /// Everything else.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Tool for Cli {
    const EXAMPLES: Examples = &[
        ("", &["manifest-gen check", "manifest-gen show-config --json", "manifest-gen completions bash"]),
        ("check", &["manifest-gen check", "manifest-gen check --config other.toml", "manifest-gen check --json"]),
        ("diff", &["manifest-gen diff lightgbm 1 2", "manifest-gen diff lightgbm 1 2 --format markdown"]),
        (
            "export",
            &[
                "manifest-gen export cyclonedx lightgbm 2 -o lightgbm.cdx.json",
                "manifest-gen export card lightgbm 2 -o docs/models/lightgbm.md",
                "manifest-gen export schema",
            ],
        ),
        (
            "export cyclonedx",
            &["manifest-gen export cyclonedx lightgbm 2", "manifest-gen export cyclonedx lightgbm 2 --spec 1.5"],
        ),
        ("export card", &["manifest-gen export card lightgbm 2", "manifest-gen export card lightgbm 2 -o README.md"]),
        ("export schema", &["manifest-gen export schema -o manifest.schema.json"]),
        ("sync", &["manifest-gen sync", "manifest-gen sync --tracking-uri http://localhost:5000 --json"]),
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
