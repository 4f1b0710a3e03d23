//! Compare a candidate forecaster with its baselines and give a verdict with an honest error rate.

pub mod args;
pub mod examples;
pub mod gate;
pub mod init;
pub mod leaderboard;
pub mod lint;
pub mod load;
pub mod profile;
pub mod report;
pub mod score;
pub mod sql;
pub mod test;

use shared::Exit;
use shared::cli::Context;

use args::{Cli, Command};

/// Carries out the parsed command line.
///
/// # Errors
/// What the command says.
pub fn run(cli: &Cli, context: &Context) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Gate(args) => gate::run(args, context),
        Command::Score(args) => score::run(args, context),
        Command::Sql(args) => sql::run(args, context),
        Command::Profile(args) => profile::run(args, context),
        Command::Leaderboard(args) => leaderboard::run(args, context),
        Command::Test(args) => test::run(args, context),
        Command::Lint(args) => lint::run(args, context),
        Command::Init(args) => init::run(args, context),
        Command::Common(common) => shared::cli::run_common::<Cli>(common, context),
    }
}
