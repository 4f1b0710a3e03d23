//! What `--help` says beyond the flags: a sentence and examples first, exit statuses last.

use clap::{Command, CommandFactory, Parser};

use super::named::Tables;
use crate::exit::Exit;

/// How many flags `-h` lists; `--help` and the manual list all. The first ones declared are the ones shown.
const SHORT_HELP_FLAGS: usize = 14;

/// Lines are no wider than this on a wide terminal.
const MAX_WIDTH: usize = 110;

/// Examples of each command: the words after the tool's name (`gate`; empty for the tool itself), and command lines.
pub type Examples = &'static [(&'static str, &'static [&'static str])];

/// The command line of a tool.
pub trait Tool: Parser {
    /// What `--help` and the manual show of each command.
    const EXAMPLES: Examples;
    /// The tables of promotion.toml that are no flags.
    const TABLES: Tables = &[];
}

/// The command line of `C` with its help in the form that all tools share.
pub fn command<C: Tool>() -> Command {
    let command = <C as CommandFactory>::command().max_term_width(MAX_WIDTH);
    let name = command.get_name().to_owned();
    dress(command, C::EXAMPLES, &name, "")
}

/// The examples of the command that the words in `path` name.
pub(super) fn examples_of(examples: Examples, path: &str) -> &'static [&'static str] {
    examples.iter().find(|(name, _)| *name == path).map_or(&[], |(_, lines)| lines)
}

fn dress(command: Command, examples: Examples, tool: &str, path: &str) -> Command {
    let lines = examples_of(examples, path);
    let command = command.mut_subcommands(|below| {
        let path = format!("{path} {}", below.get_name());
        dress(below, examples, tool, path.trim_start())
    });
    let long_about = long_about(&command, lines);
    shorten(command).long_about(long_about).after_long_help(closing(tool))
}

/// The sentence, the examples, then what else there is to say.
fn long_about(command: &Command, examples: &[&str]) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    let rest = long.strip_prefix(&about).unwrap_or(&long).trim_start_matches('.').trim();
    let shown = if examples.is_empty() { String::new() } else { format!("Examples:\n  {}", examples.join("\n  ")) };
    let parts = [about.as_str(), shown.as_str(), rest];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Hides from `-h` what would not fit one screen.
fn shorten(command: Command) -> Command {
    let mut shown = 0;
    command.mut_args(|arg| {
        shown += usize::from(!arg.is_positional() && !arg.is_hide_short_help_set());
        if shown > SHORT_HELP_FLAGS { arg.hide_short_help(true) } else { arg }
    })
}

fn closing(tool: &str) -> String {
    let lines: Vec<String> =
        exit_status_lines().iter().map(|(code, meaning)| format!("  {code:<4} {meaning}")).collect();
    let settings = "Every flag can also be set in promotion.toml and in the environment";
    format!("{settings}: `{tool} show-config`, promotion.toml(5).\n\nEXIT STATUS:\n{}", lines.join("\n"))
}

/// Each exit status and what it means.
pub fn exit_status_lines() -> Vec<(String, &'static str)> {
    let known = Exit::ALL.iter().map(|exit| (exit.code().to_string(), exit.meaning()));
    known.chain([("134".to_owned(), "a bug: the program stopped itself")]).collect()
}
