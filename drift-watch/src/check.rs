//! `drift-watch check`: whether a daemon could start with this configuration. Starts nothing and changes nothing.

use shared::Exit;
use shared::cli::{CommonCommand, Context, parse_from, run_common};

use crate::args::{Cli, Command};
use crate::run::{self as daemon, args::Args};

/// Checks what all tools check, then profiles, patterns, tokens, receivers and the address.
///
/// # Errors
/// What is wrong.
pub fn run(context: &Context) -> anyhow::Result<Exit> {
    if let Some(args) = flags(context)? {
        daemon::check(&args)?;
    }
    run_common::<Cli>(&CommonCommand::Check, context)
}

/// The flags of `run`, as the file and the environment set them.
fn flags(context: &Context) -> anyhow::Result<Option<Args>> {
    let Some(path) = &context.config.path else { return Ok(None) };
    let path = path.display().to_string();
    let words = ["drift-watch", "run", "--config", &path];
    let parsed = parse_from::<Cli>(&words, &|name| std::env::var_os(name))?;
    Ok(match parsed.arguments.command {
        Command::Run(args) => Some(*args),
        _ => None,
    })
}
