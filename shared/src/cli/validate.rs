//! The table of a tool in `promotion.toml`, held against the flags that the tool has.

use std::error::Error as _;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command};

use super::keys::{self, ValueType};
use super::named::{self, Tables};
use crate::config::{self, Config, Entry, Kind, Scalar, Table, Value};
use crate::error::{Problem, Result};
use crate::predicate;

/// Refuses unknown keys, and values that their flag would refuse, each with its place.
///
/// # Errors
/// All problems at once.
pub(super) fn check_file(command: &Command, tables: Tables, config: &Config) -> Result<()> {
    let (Some(file), Some(table)) = (&config.path, config.tool(command.get_name())) else { return Ok(()) };
    let mut problems = Vec::new();
    let (named, flags) = table.entries.iter().partition::<Vec<_>, _>(|entry| named::find(tables, &entry.key).is_some());
    for entry in named {
        check_named(file, tables, entry, &mut problems);
    }
    check_entries(file, command, tables, flags, &mut problems);
    config::reject(problems)
}

/// Each table below this one has a name of its own, and the keys that all of them have.
fn check_named(file: &Path, tables: Tables, entry: &Entry, problems: &mut Vec<Problem>) {
    let Some(kind) = named::find(tables, &entry.key) else { return };
    let Value::Table(table) = &entry.value else {
        problems.push(config::wrong(file, entry.at, &entry.key, &entry.value, "a table of tables"));
        return;
    };
    let command = kind.command();
    for entry in &table.entries {
        match &entry.value {
            Value::Table(inner) => check_table(file, &command, inner, problems),
            other => problems.push(config::wrong(file, entry.at, &entry.key, other, "a table")),
        }
    }
}

/// Checks a table against a command: its keys are flags, its tables commands below it.
pub(super) fn check_table(file: &Path, command: &Command, table: &Table, problems: &mut Vec<Problem>) {
    check_entries(file, command, &[], table.entries.iter().collect(), problems);
}

fn check_entries(file: &Path, command: &Command, tables: Tables, entries: Vec<&Entry>, problems: &mut Vec<Problem>) {
    for entry in entries {
        match (command.find_subcommand(&entry.key), &entry.value) {
            (Some(below), Value::Table(inner)) => check_table(file, below, inner, problems),
            _ => problems.extend(check_entry(file, command, tables, entry).err()),
        }
    }
}

/// A key of a table must be a flag of the command or of one below it, and its value must suit at least one of these.
fn check_entry(file: &Path, command: &Command, tables: Tables, entry: &Entry) -> Result<(), Problem> {
    let flags = flags_named(command, &entry.key);
    let answers: Vec<_> = flags.iter().map(|arg| check_value(file, arg, entry)).collect();
    if answers.iter().any(Result::is_ok) {
        return Ok(());
    }
    answers.into_iter().next().unwrap_or_else(|| {
        let mut known = known_keys(command);
        known.extend(tables.iter().map(|kind| kind.key.to_owned()));
        Err(config::unknown(file, entry.at, &entry.key, known.iter().map(String::as_str)))
    })
}

/// The flags of that name, of the command and of all below it.
fn flags_named<'a>(command: &'a Command, key: &str) -> Vec<&'a Arg> {
    let below = command.get_subcommands().flat_map(|sub| flags_named(sub, key));
    keys::find(command, key).into_iter().chain(below).collect()
}

/// The keys that a table may have, sorted.
fn known_keys(command: &Command) -> Vec<String> {
    let below = command.get_subcommands().flat_map(|sub| {
        let own = (!super::commands::is_common(sub.get_name())).then(|| sub.get_name().to_owned());
        own.into_iter().chain(known_keys(sub))
    });
    let mut keys: Vec<String> = keys::settable(command).map(keys::name).chain(below).collect();
    keys.sort();
    keys.dedup();
    keys
}

fn check_value(file: &Path, arg: &Arg, entry: &Entry) -> Result<(), Problem> {
    match &entry.value {
        Value::One(scalar) => check_scalar(file, arg, entry, scalar),
        Value::Many(scalars) if keys::repeats(arg) => {
            scalars.iter().try_for_each(|scalar| check_scalar(file, arg, entry, scalar))
        }
        other => Err(config::wrong(file, entry.at, &entry.key, other, expected(arg))),
    }
}

fn check_scalar(file: &Path, arg: &Arg, entry: &Entry, scalar: &Scalar) -> Result<(), Problem> {
    let kind_fits = match arg.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => scalar.kind == Kind::Bool,
        ArgAction::Count => scalar.text.parse::<u8>().is_ok(),
        _ => {
            return parses(arg, &scalar.text).map_err(|(found, expected)| Problem {
                place: scalar.at.of(file),
                found: format!("\"{}\": {found}", entry.key),
                expected,
            });
        }
    };
    let value = Value::One(scalar.clone());
    if kind_fits { Ok(()) } else { Err(config::wrong(file, scalar.at, &entry.key, &value, expected(arg))) }
}

/// Tries the value on a flag that is alone in its command; slices are read as such even where the flag takes any text.
fn parses(arg: &Arg, text: &str) -> Result<(), (String, String)> {
    if let (true, Err(error)) = (keys::is_predicate(arg), predicate::parse(text)) {
        return Err((format!("{text:?}, column {}: found {}", error.column, error.found), error.expected));
    }
    let alone = Arg::new("value")
        .long("value")
        .action(ArgAction::Append)
        .value_parser(arg.get_value_parser().clone())
        .ignore_case(arg.is_ignore_case_set())
        .value_delimiter(arg.get_value_delimiter());
    let words = [String::new(), format!("--value={text}")];
    let outcome = Command::new("").arg(alone).try_get_matches_from(words);
    outcome.map(|_| ()).map_err(|error| explain(arg, text, &error))
}

/// What was found, and what was expected.
fn explain(arg: &Arg, text: &str, error: &clap::Error) -> (String, String) {
    let choices: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if error.kind() == ErrorKind::InvalidValue && !choices.is_empty() {
        return (format!("{text:?} is no choice"), format!("one of {}", choices.join(", ")));
    }
    let reason = error.source().map(|source| source.to_string().replace('\n', ", "));
    (format!("{text:?} is not valid: {}", reason.unwrap_or_default()), expected(arg).to_owned())
}

fn expected(arg: &Arg) -> &'static str {
    match keys::value_type(arg) {
        ValueType::Bool => "true or false",
        ValueType::Integer => "a whole number",
        ValueType::Number => "a number",
        ValueType::Text if keys::repeats(arg) => "a text or a list of texts",
        ValueType::Text => "a text",
    }
}
