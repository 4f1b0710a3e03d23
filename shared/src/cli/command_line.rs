//! From the words of a command line to a parsed command and its context.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, ColorChoice, Command, FromArgMatches, ValueEnum};

use super::common::{Color, CommonArgs};
use super::context::Context;
use super::help::{self, Tool};
use super::keys;
use super::lenient::{self, Glance};
use super::output;
use super::settings::{Environment, Layers, Setting};
use super::validate;
use crate::config::{self, Config};
use crate::error::Error;
use crate::exit::Exit;

/// A command line that could be read: the tool's own arguments and the context.
#[derive(Debug)]
pub struct Parsed<C> {
    /// The tool's own arguments.
    pub arguments: C,
    /// What the command needs to know of the world around it.
    pub context: Context,
}

/// Why there is nothing to run.
enum Stop {
    /// clap answers: help, version, or a usage error.
    Clap(clap::Error),
    /// The file or the environment is wrong.
    Bad(anyhow::Error),
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Bad(error.into())
    }
}

/// The whole life of a tool: reads command line, environment and file, runs the command, turns its errors into text on
/// standard error and its answer into the exit status.
pub fn main<C: Tool>(run: impl FnOnce(&C, &Context) -> anyhow::Result<Exit>) -> ExitCode {
    let tool = C::command().get_name().to_owned();
    let argv: Vec<OsString> = std::env::args_os().collect();
    match prepare::<C>(&argv, &|name| std::env::var_os(name)) {
        Ok(Parsed { arguments, context }) => {
            output::set_up(context.color.into(), context.verbosity);
            run(&arguments, &context).unwrap_or_else(|error| output::report(&tool, &error)).into()
        }
        Err(Stop::Clap(error)) => answer(&error),
        Err(Stop::Bad(error)) => output::report(&tool, &error).into(),
    }
}

/// Reads a command line, as [`main`] does, with an environment of the caller's: for tests and for other programs.
///
/// # Errors
/// What clap or the file says, as text.
pub fn parse_from<C: Tool>(argv: &[&str], environment: &dyn Fn(&str) -> Option<OsString>) -> anyhow::Result<Parsed<C>> {
    let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
    prepare::<C>(&argv, environment).map_err(|stop| match stop {
        Stop::Clap(error) => error.into(),
        Stop::Bad(error) => error,
    })
}

/// Help and version go to standard output with 0, usage errors to standard error with 2. Nobody to read them is no error.
fn answer(error: &clap::Error) -> ExitCode {
    _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() }
}

fn prepare<C: Tool>(argv: &[OsString], environment: Environment<'_>) -> Result<Parsed<C>, Stop> {
    let mut command = help::command::<C>();
    let glance = match lenient::glance(&command, argv) {
        Ok(glance) => glance,
        Err(error) => return Err(command.try_get_matches_from(argv).err().unwrap_or(error).into()),
    };
    command = command.color(color_choice(&glance));
    let config = find_config(command.get_name(), &glance, environment)?;
    command.build();
    validate::check_file(&command, C::TABLES, &config)?;
    let settings = settings(&command, &glance, &config, environment)?;
    let settings = without_orphans(&command, argv, &glance, settings);
    let matches = parse(command, argv, &glance, &settings)?;
    let common = CommonArgs::from_arg_matches(&matches)?;
    Ok(Parsed { arguments: C::from_arg_matches(&matches)?, context: Context::new(&common, config, settings) })
}

fn color_choice(glance: &Glance) -> ColorChoice {
    let color = glance.color.as_deref().and_then(|text| Color::from_str(text, false).ok());
    color.unwrap_or_default().into()
}

/// The file that the command line or the environment names, else the nearest one upward, else none.
fn find_config(tool: &str, glance: &Glance, environment: Environment<'_>) -> Result<Config, Error> {
    if glance.no_config {
        return Ok(Config::default());
    }
    let variable = keys::variables(tool, &[], "config").concat();
    let named =
        glance.config.clone().or_else(|| environment(&variable).filter(|path| !path.is_empty()).map(Into::into));
    let here = || std::env::current_dir().ok().and_then(|folder| config::find(&folder));
    named.or_else(here).map_or_else(|| Ok(Config::default()), |path| Config::load(&path))
}

fn settings(
    command: &Command,
    glance: &Glance,
    config: &Config,
    environment: Environment<'_>,
) -> Result<Vec<Setting>, Error> {
    let path: Vec<&str> = glance.path.iter().map(String::as_str).collect();
    let layers = Layers { tool: command.get_name(), path, environment, config };
    layers.settings(leaf(command, &glance.path), &glance.given)
}

/// The subcommand that `path` leads to.
fn leaf<'a>(command: &'a Command, path: &[String]) -> &'a Command {
    path.iter().fold(command, |level, name| level.find_subcommand(name).unwrap_or(level))
}

/// Parses for good, the settings written in as if by hand.
fn parse(command: Command, argv: &[OsString], glance: &Glance, settings: &[Setting]) -> Result<ArgMatches, Stop> {
    let words = with_settings(leaf(&command, &glance.path), argv, glance.words_start, settings);
    command.try_get_matches_from(words).map_err(|error| {
        if error.use_stderr() {
            say_where_from(settings);
        }
        error.into()
    })
}

/// Leaves out what can only stand beside a setting that gave way: the training table of a forecast table that is not used.
fn without_orphans(command: &Command, argv: &[OsString], glance: &Glance, settings: Vec<Setting>) -> Vec<Setting> {
    let leaf = leaf(command, &glance.path);
    let present: BTreeSet<String> = settings.iter().map(|setting| format!("--{}", setting.key)).collect();
    let already = missing_with(command, argv);
    let needs_nothing_new = |setting: &Setting| {
        let words = with_settings(leaf, argv, glance.words_start, std::slice::from_ref(setting));
        missing_with(command, &words).iter().all(|flag| present.contains(flag) || already.contains(flag))
    };
    settings.into_iter().filter(needs_nothing_new).collect()
}

/// The required flags that are missing from a command line.
fn missing_with(command: &Command, words: &[OsString]) -> BTreeSet<String> {
    let error = match command.clone().try_get_matches_from(words) {
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => error,
        _ => return BTreeSet::new(),
    };
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(flags)) => {
            flags.iter().filter_map(|flag| flag.split([' ', '=']).next()).map(ToOwned::to_owned).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// Flags go before the words of the command line, so that a `--` among these does not swallow them; positional arguments
/// go after.
fn with_settings(leaf: &Command, argv: &[OsString], start: usize, settings: &[Setting]) -> Vec<OsString> {
    let found = settings.iter().filter_map(|setting| Some((setting, keys::find(leaf, &setting.key)?)));
    let (positional, flags): (Vec<_>, Vec<_>) = found.partition(|(_, arg)| arg.is_positional());
    let (before, after) = argv.split_at(start.min(argv.len()));
    let mut all: Vec<OsString> = before.to_vec();
    all.extend(flags.iter().flat_map(|(setting, arg)| setting.words(arg)));
    all.extend_from_slice(after);
    all.extend(positional.iter().flat_map(|(setting, arg)| setting.words(arg)));
    all
}

/// A usage error may be about what nobody typed.
fn say_where_from(settings: &[Setting]) {
    for setting in settings {
        output::note(&format!("note: --{} = {} is set by {}", setting.key, setting.shown().join(", "), setting.origin));
    }
}

/// The settings of the command at `path` when nothing is given by hand.
pub(super) fn settings_at(
    command: &Command,
    path: &[String],
    config: &Config,
    environment: Environment<'_>,
) -> Result<Vec<Setting>, Error> {
    let glance = Glance { path: path.to_vec(), given: BTreeSet::new(), ..Glance::default() };
    settings(command, &glance, config, environment)
}
