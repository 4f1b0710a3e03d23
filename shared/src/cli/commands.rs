//! The subcommands that every tool has.

use clap::{Command, Subcommand};
use clap_complete::Shell;

use super::check;
use super::context::Context;
use super::help::{self, Tool};
use super::man;
use super::show;
use crate::error::Error;
use crate::exit::Exit;

/// The subcommands that every tool has.
#[derive(Debug, Clone, Subcommand)]
pub enum CommonCommand {
    /// Check promotion.toml and the files that it names; change nothing
    Check,
    /// Print every setting and where it comes from
    ShowConfig {
        /// Only the settings of this command
        command: Option<String>,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page of the tool, or of one of its commands
    Man {
        /// The command
        command: Option<String>,
    },
}

/// Whether `name` is one of the subcommands that every tool has, or clap's own `help`.
pub(super) fn is_common(name: &str) -> bool {
    name == "help" || CommonCommand::has_subcommand(name)
}

/// Runs a subcommand that every tool has.
///
/// # Errors
/// On bad settings, or where the result cannot be written.
pub fn run_common<C: Tool>(common: &CommonCommand, context: &Context) -> anyhow::Result<Exit> {
    let mut command = help::command::<C>();
    command.build();
    match common {
        CommonCommand::Check => return check::run(&command, context),
        CommonCommand::ShowConfig { command: only } => show::run(&command, only.as_deref(), context)?,
        CommonCommand::Completions { shell } => context.emit(&completions(help::command::<C>(), *shell))?,
        CommonCommand::Man { command: wanted } => {
            let page = man::page_of(&<C as clap::CommandFactory>::command(), C::EXAMPLES, wanted.as_deref());
            context.emit(&page.ok_or_else(|| no_command(&command, wanted.as_deref()))?.text)?;
        }
    }
    Ok(Exit::Ok)
}

fn completions(mut command: Command, shell: Shell) -> String {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn names(command: &Command) -> String {
    command.get_subcommands().map(Command::get_name).collect::<Vec<_>>().join(", ")
}

/// The error for a command that the tool does not have.
pub(super) fn no_command(command: &Command, wanted: Option<&str>) -> Error {
    Error::usage(format!("no command {:?}", wanted.unwrap_or_default()), format!("one of {}", names(command)))
}
