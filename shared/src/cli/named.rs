//! Tables of promotion.toml that hold things by name, such as `[rebench-cron.jobs.NAME]`: their keys are described as the flags of
//! a command, so that they are checked, documented and read as flags are, and stand in the file only.

use std::ffi::OsString;
use std::marker::PhantomData;

use clap::{Args, Command};

use super::keys;
use super::settings::{Origin, Setting, file_values};
use super::validate;
use crate::config::{self, Config, Table, Value};
use crate::error::{Error, Result};

/// The kinds of tables that a tool has.
pub type Tables = &'static [NamedTables];

/// A kind of tables that have names of their own.
#[derive(Debug, Clone, Copy)]
pub struct NamedTables {
    /// The key above the names: `jobs`.
    pub key: &'static str,
    /// The name that stands for all names: `JOB`.
    pub name: &'static str,
    /// The keys as flags; a table below one is a command below.
    pub keys: fn() -> Command,
}

/// A tool as the documents of promotion.toml see it.
#[derive(Debug, Clone)]
pub struct Described {
    /// Its command line.
    pub command: Command,
    /// Its tables that are no flags.
    pub tables: Tables,
}

impl Described {
    /// The description of a tool.
    pub fn of<C: super::Tool>() -> Self {
        Self { command: <C as clap::CommandFactory>::command(), tables: C::TABLES }
    }
}

impl NamedTables {
    /// The keys of each of its tables.
    pub(super) fn command(&self) -> Command {
        let mut command = (self.keys)().no_binary_name(true).disable_help_flag(true).disable_help_subcommand(true);
        command.build();
        command
    }
}

pub(super) fn find(tables: Tables, key: &str) -> Option<&'static NamedTables> {
    tables.iter().find(|kind| kind.key == key)
}

/// Reads tables whose keys are the flags of `T`.
#[derive(Debug)]
pub struct TableReader<T> {
    command: Command,
    of: PhantomData<T>,
}

impl<T: Args> Default for TableReader<T> {
    fn default() -> Self {
        let mut command = T::augment_args(Command::new("table")).no_binary_name(true).disable_help_flag(true);
        command.build();
        Self { command, of: PhantomData }
    }
}

impl<T: Args> TableReader<T> {
    /// Reads a table; paths start from the folder of the file. `what` names it in errors.
    ///
    /// # Errors
    /// Unknown keys and values that are refused, with their places; keys that must be there and are not.
    pub fn read(&mut self, config: &Config, what: &str, table: &Table) -> Result<T> {
        check(&self.command, config, table)?;
        let words = words(&self.command, config, table);
        let matches = self.command.try_get_matches_from_mut(words).map_err(|error| incomplete(what, &error))?;
        T::from_arg_matches(&matches).map_err(|error| incomplete(what, &error))
    }
}

/// Reads one table: see [`TableReader::read`].
///
/// # Errors
/// As that.
pub fn read_table<T: Args>(config: &Config, what: &str, table: &Table) -> Result<T> {
    TableReader::default().read(config, what, table)
}

/// The table as words of a command line.
fn words(command: &Command, config: &Config, table: &Table) -> Vec<OsString> {
    let settings = table.entries.iter().filter_map(|entry| Some((keys::find(command, &entry.key)?, entry)));
    let words = settings.flat_map(|(arg, entry)| {
        let values = file_values(arg, &entry.value, config.folder());
        Setting { key: entry.key.clone(), values, origin: Origin::Default }.words(arg)
    });
    words.collect()
}

/// Checks the keys of the table itself; the tables below it are read on their own.
fn check(command: &Command, config: &Config, table: &Table) -> Result<()> {
    let own = table.entries.iter().filter(|entry| !matches!(entry.value, Value::Table(_)));
    let own = Table { entries: own.cloned().collect() };
    let mut problems = Vec::new();
    validate::check_table(&config.path.clone().unwrap_or_default(), command, &own, &mut problems);
    config::reject(problems)
}

fn incomplete(what: &str, error: &clap::Error) -> Error {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let flags = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(flags)) => flags.join(", "),
        Some(ContextValue::String(flag)) => flag.clone(),
        _ => error.to_string(),
    };
    let flags = flags.split([' ', '=']).next().unwrap_or_default().trim_start_matches('-').to_owned();
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return Error::usage(format!("[{what}] does not say {flags}"), format!("the key {flags}"));
    }
    let lines = error.to_string();
    let first = lines.lines().next().unwrap_or_default().trim_start_matches("error: ");
    Error::usage(format!("[{what}]: {first}"), "keys that go together")
}
