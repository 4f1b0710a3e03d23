//! A first look at the command line: which command is meant, where its own words begin, what was given by hand.
//!
//! The settings of the environment and the file must be known before the command line can be parsed for good, since they may
//! fill in what is required. So the same flags are first parsed without their rules.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::OsStringValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// What the command line says at first sight.
#[derive(Debug, Default)]
pub(super) struct Glance {
    /// The names of the subcommands, outermost first.
    pub(super) path: Vec<String>,
    /// The index in `argv` of the first word after the last subcommand.
    pub(super) words_start: usize,
    /// The arguments that were given.
    pub(super) given: BTreeSet<String>,
    /// The file that `--config` names.
    pub(super) config: Option<PathBuf>,
    /// Whether `--no-config` was given.
    pub(super) no_config: bool,
    /// What `--color` says.
    pub(super) color: Option<String>,
}

/// Looks at the command line.
///
/// # Errors
/// What clap says: also where help or the version is asked for.
pub(super) fn glance(command: &Command, argv: &[OsString]) -> Result<Glance, clap::Error> {
    let matches = lenient(command).try_get_matches_from(argv)?;
    let mut glance = Glance { path: Vec::new(), words_start: 1, ..Glance::default() };
    glance.take_common(&matches);
    let mut level = (command, &matches);
    let mut globals = global_args(command);
    while let Some((name, inner)) = level.1.subcommand() {
        let Some(below) = level.0.find_subcommand(name) else { break };
        glance.words_start += words_before_subcommand(level.0, &globals, &argv[glance.words_start..])? + 1;
        glance.path.push(name.to_owned());
        level = (below, inner);
        globals.extend(global_args(below));
    }
    glance.given = given(level.1);
    Ok(glance)
}

impl Glance {
    fn take_common(&mut self, matches: &ArgMatches) {
        let text = |id: &str| matches.try_get_one::<OsString>(id).ok().flatten();
        self.config = text("config").map(PathBuf::from);
        self.color = text("color").map(|color| color.to_string_lossy().into_owned());
        self.no_config = matches.try_get_one::<bool>("no_config").ok().flatten().copied().unwrap_or(false);
    }
}

/// The arguments that stand on the command line.
fn given(matches: &ArgMatches) -> BTreeSet<String> {
    let by_hand = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    matches.ids().filter(by_hand).map(|id| id.as_str().to_owned()).collect()
}

/// How many words of `argv` stand before the subcommand.
fn words_before_subcommand(command: &Command, globals: &[Arg], argv: &[OsString]) -> Result<usize, clap::Error> {
    let inherited = globals.iter().filter(|global| command.get_arguments().all(|own| own.get_id() != global.get_id()));
    let level = bare(command)
        .args(inherited.cloned())
        .args(command.get_arguments().filter_map(loosened))
        .allow_external_subcommands(true)
        .external_subcommand_value_parser(OsStringValueParser::new())
        .no_binary_name(true);
    let matches = level.try_get_matches_from(argv)?;
    let after = matches.subcommand().and_then(|(_, rest)| Some(rest.get_many::<OsString>("")?.len()));
    Ok(argv.len().saturating_sub(after.unwrap_or_default() + 1))
}

fn global_args(command: &Command) -> Vec<Arg> {
    command.get_arguments().filter(|arg| arg.is_global_set()).filter_map(loosened).collect()
}

/// The command and all below it, with loosened arguments.
fn lenient(command: &Command) -> Command {
    bare(command).args(command.get_arguments().filter_map(loosened)).subcommands(command.get_subcommands().map(lenient))
}

fn bare(command: &Command) -> Command {
    let aliases: Vec<String> = command.get_all_aliases().map(ToOwned::to_owned).collect();
    let version = command.get_version().unwrap_or_default().to_owned();
    Command::new(command.get_name().to_owned())
        .aliases(aliases)
        .version(version)
        .disable_help_subcommand(true)
        .allow_external_subcommands(command.is_allow_external_subcommands_set())
        .external_subcommand_value_parser(OsStringValueParser::new())
}

/// The argument without what it requires, excludes or demands of its value.
fn loosened(arg: &Arg) -> Option<Arg> {
    let action = match arg.get_action() {
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version => return None,
        action => action.clone(),
    };
    let takes_values = action.takes_values();
    let loose = Arg::new(arg.get_id().clone())
        .action(action)
        .global(arg.is_global_set())
        .short(arg.get_short())
        .aliases(arg.get_all_aliases().unwrap_or_default().into_iter().map(ToOwned::to_owned).collect::<Vec<_>>())
        .short_aliases(arg.get_all_short_aliases().unwrap_or_default());
    let loose = match arg.get_long() {
        Some(long) => loose.long(long.to_owned()),
        None => loose,
    };
    Some(if takes_values { with_values_of(arg, loose) } else { loose })
}

fn with_values_of(arg: &Arg, loose: Arg) -> Arg {
    let loose = loose
        .value_parser(OsStringValueParser::new())
        .index(arg.get_index())
        .value_delimiter(arg.get_value_delimiter())
        .allow_hyphen_values(arg.is_allow_hyphen_values_set())
        .allow_negative_numbers(arg.is_allow_negative_numbers_set())
        .require_equals(arg.is_require_equals_set())
        .trailing_var_arg(arg.is_trailing_var_arg_set())
        .last(arg.is_last_set());
    match arg.get_num_args() {
        Some(range) => loose.num_args(range),
        None => loose,
    }
}
