//! The command line: one enum of subcommands, each with its flags in its own module.

use clap::{Parser, Subcommand};

use crate::{gate, init, leaderboard, lint, profile, score, sql, test};

/// Compare a candidate forecaster with its baselines and give a verdict with an honest error rate.
#[derive(Debug, Parser)]
#[command(name = "bench-compare", version, propagate_version = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub common: shared::cli::CommonArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge a candidate against baselines: verdict, reasons, exit status
    Gate(gate::Args),
    /// Compute the metrics of a forecast table
    Score(score::Args),
    /// Print the query that makes sufficient statistics where the forecast table lives
    Sql(sql::Args),
    /// Write a model's error distribution by horizon, for live monitoring
    Profile(profile::Args),
    /// Rank many models on many tasks
    Leaderboard(leaderboard::Args),
    /// Run a bare statistical test
    Test(test::Args),
    /// Report what is wrong with result files
    Lint(lint::Args),
    /// Write a commented promotion.toml from what is found here
    Init(init::Args),
    /// What every tool has.
    #[command(flatten)]
    Common(shared::cli::CommonCommand),
}

impl shared::cli::Tool for Cli {
    const EXAMPLES: shared::cli::Examples = crate::examples::ALL;
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
