//! The command line: one enum of subcommands, each with its flags in its own module.

use clap::{Parser, Subcommand};
use shared::cli::{CommonArgs, CommonCommand, Examples, Tool};

use crate::mlflow::sync;
use crate::{
    audit, contract, diff, export, new, promote, render, repair, resolve, rollback, scan, sign, stale, verify, yank,
};

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
    /// Make a release: artefacts, evidence and the manifest that names them
    New(Box<new::Args>),
    /// List what pickles would import, without loading them
    Scan(scan::Args),
    /// Sign the whole release folder
    Sign(sign::Args),
    /// Check a release against manifest, signature, registry and published copies
    Verify(verify::Args),
    /// Set an alias to a release, if the evidence allows it
    Promote(Box<promote::Args>),
    /// Set an alias back to the version before
    Rollback(rollback::Args),
    /// Withdraw a version for good
    Yank(yank::Args),
    /// Print the path of an artefact
    Resolve(resolve::Args),
    /// Bring README table, model cards and stable paths up to date
    Render(render::Args),
    /// Find references to versions that an alias has left behind
    Stale(stale::Args),
    /// Compare a request with what a model was released for
    CheckRequest(contract::Args),
    /// Go through the checklist of a promotion, with evidence for each row
    Audit(Box<audit::Args>),
    /// Say what changed between two releases
    Diff(diff::Args),
    /// Write a release in the form of other tools: CycloneDX, model card, JSON Schema
    Export(export::Args),
    /// Deliver what waits for MLflow
    Sync(sync::Args),
    /// Finish or undo what a crash has left
    Repair(repair::Args),
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
