//! Schedule re-benchmarks of promoted forecasters and judge them over time.
//!
//! Values in, values out: [`schedule`] says when something is due, [`plan`] what becomes of it, [`expect`] and [`judge`] what a run says of its model.
//! Around these, [`work`] takes one slot from its ticket to its verdict, step by step on record in [`store`]; [`daemon`] does that for all jobs, for as long as
//! it lives; [`shared_lock`] keeps several hosts from doing the same; [`commands`] are the command line.

pub mod args;
pub mod commands;
pub mod daemon;
pub mod expect;
pub mod export;
pub mod history;
pub mod job;
pub mod judge;
pub mod mlflow;
pub mod plan;
pub mod process;
pub mod schedule;
pub mod serve;
pub mod shared_lock;
mod signals;
pub mod store;
pub mod work;

use shared::Exit;
use shared::cli::{self, CommonCommand, Context};

use commands::{
    explain, export as export_command, history as history_command, next, once, run as daemon_command, status, trigger,
};

use args::{Cli, Command};

/// Carries out the parsed command line.
///
/// # Errors
/// What the command says.
pub fn run(arguments: &Cli, context: &Context) -> anyhow::Result<Exit> {
    match &arguments.command {
        Command::Run(args) => daemon_command::run(args, context),
        Command::Once(args) => once::run(args, context),
        Command::Status(args) => status::run(args, context),
        Command::History(args) => history_command::run(args, context),
        Command::Trigger(args) => trigger::run(args, context),
        Command::Next(args) => next::run(args, context),
        Command::Explain(args) => explain::run(args, context),
        Command::Common(CommonCommand::Check) => check(context),
        Command::Export(args) => export_command::run(args, context),
        Command::Common(common) => cli::run_common::<Cli>(common, context),
    }
}

/// Checks what all tools check, then jobs and receivers.
fn check(context: &Context) -> anyhow::Result<Exit> {
    if let Some(path) = &context.config.path {
        let path = path.display().to_string();
        let words = ["rebench-cron", "run", "--config", &path];
        if let Command::Run(args) = cli::parse_from::<Cli>(&words, &|name| std::env::var_os(name))?.arguments.command {
            daemon_command::check(&args, context)?;
        }
    }
    cli::run_common::<Cli>(&CommonCommand::Check, context)
}
