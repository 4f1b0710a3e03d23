//! Settings in layers: command line, environment, file, default.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};

use super::keys;
use crate::config::{Config, Entry, Position, Table, Value};
use crate::error::{Error, Result};

/// Where a setting comes from; the first of these that has it wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This variable of the environment.
    Environment(String),
    /// This place in the file.
    File(PathBuf, Position),
    /// The command itself.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::File(path, at) => write!(f, "{}", at.of(path)),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting of a command that was not given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key: the long name of the flag.
    pub key: String,
    /// Its values; a list for flags that repeat.
    pub values: Vec<OsString>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Looks up a variable of the environment.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where the settings of one command are looked up.
pub(super) struct Layers<'a> {
    /// The tool.
    pub(super) tool: &'a str,
    /// The subcommands below it.
    pub(super) path: Vec<&'a str>,
    /// The environment.
    pub(super) environment: Environment<'a>,
    /// The file.
    pub(super) config: &'a Config,
}

impl Layers<'_> {
    /// The settings from environment and file of all arguments of `command` that are not `given`, and do not contradict one
    /// that is.
    ///
    /// # Errors
    /// If a variable holds what its flag cannot be.
    pub(super) fn settings(&self, command: &Command, given: &BTreeSet<String>) -> Result<Vec<Setting>> {
        let mut taken = given.clone();
        let mut settings = Vec::new();
        for from in [Self::from_environment, Self::from_file] {
            let free = keys::settable(command).filter(|arg| is_free(command, arg, &taken));
            let found: Result<Vec<_>> = free.filter_map(|arg| from(self, arg).transpose()).collect();
            let found = found?;
            taken.extend(found.iter().filter_map(|setting| id_of(command, setting)));
            settings.extend(found);
        }
        Ok(settings)
    }

    fn from_environment(&self, arg: &Arg) -> Result<Option<Setting>> {
        let key = keys::name(arg);
        if arg.get_env().and_then(|name| (self.environment)(&name.to_string_lossy())).is_some() {
            return Ok(None); // clap reads that one itself
        }
        let mut names = keys::variables(self.tool, &self.path, &key).into_iter();
        let set = names.find_map(|name| Some(((self.environment)(&name).filter(|value| !value.is_empty())?, name)));
        set.map(|(value, variable)| {
            Ok(Setting {
                key,
                values: environment_values(arg, &value, &variable)?,
                origin: Origin::Environment(variable),
            })
        })
        .transpose()
    }

    #[expect(clippy::unnecessary_wraps, reason = "one signature for both layers")]
    fn from_file(&self, arg: &Arg) -> Result<Option<Setting>> {
        let key = keys::name(arg);
        let tables = self.tables();
        let entry = tables.iter().rev().find_map(|table| table.get(&key).filter(|entry| is_value(entry)));
        let file = self.config.path.clone().unwrap_or_default();
        Ok(entry.map(|entry| Setting {
            values: file_values(arg, &entry.value, self.config.folder()),
            key,
            origin: Origin::File(file, entry.at),
        }))
    }

    /// The tables that speak of this command, the tool's own first.
    fn tables(&self) -> Vec<&Table> {
        let mut tables: Vec<&Table> = self.config.tool(self.tool).into_iter().collect();
        for name in &self.path {
            let Some(inner) = tables.last().and_then(|table| table.table(name)) else { break };
            tables.push(inner);
        }
        tables
    }
}

impl Setting {
    /// The setting as words of a command line.
    pub(super) fn words(&self, arg: &Arg) -> Vec<OsString> {
        let flag = format!("--{}", self.key);
        match arg.get_action() {
            ArgAction::SetTrue | ArgAction::SetFalse => {
                self.first_is("true").then(|| flag.into()).into_iter().collect()
            }
            ArgAction::Count => vec![flag.into(); self.count()],
            _ if arg.is_positional() => self.values.clone(),
            _ => self.values.iter().map(|value| joined(&flag, value)).collect(),
        }
    }

    /// The values as text, hidden where the key speaks of a secret.
    pub fn shown(&self) -> Vec<String> {
        let secret = ["token", "secret", "password"].iter().any(|word| self.key.contains(word));
        let hidden = secret && !self.key.ends_with("-file");
        self.values
            .iter()
            .map(|value| if hidden { "***".into() } else { value.to_string_lossy().into_owned() })
            .collect()
    }

    fn first_is(&self, text: &str) -> bool {
        self.values.first().is_some_and(|value| value == text)
    }

    fn count(&self) -> usize {
        self.values.first().and_then(|value| value.to_str()?.parse().ok()).unwrap_or_default()
    }
}

fn joined(flag: &str, value: &OsStr) -> OsString {
    let mut word = OsString::from(flag);
    word.push("=");
    word.push(value);
    word
}

fn id_of(command: &Command, setting: &Setting) -> Option<String> {
    keys::find(command, &setting.key).map(|arg| arg.get_id().as_str().to_owned())
}

/// Whether `arg` is not taken, nor excluded by what is.
fn is_free(command: &Command, arg: &Arg, taken: &BTreeSet<String>) -> bool {
    let is_taken = |other: &Arg| taken.contains(other.get_id().as_str());
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|conflict| conflict.get_id() == other.get_id())
    };
    let mut others = command.get_arguments().filter(|other| is_taken(other));
    !is_taken(arg)
        && !others.any(|other| excludes(arg, other) || excludes(other, arg) || share_a_choice(command, arg, other))
}

/// Whether both belong to a group of which only one may be given.
fn share_a_choice(command: &Command, left: &Arg, right: &Arg) -> bool {
    let holds = |group: &clap::ArgGroup, arg: &Arg| group.get_args().any(|id| id == arg.get_id());
    command.get_groups().any(|group| holds(group, left) && holds(group, right) && !group.clone().is_multiple())
}

fn is_value(entry: &Entry) -> bool {
    matches!(entry.value, Value::One(_) | Value::Many(_))
}

/// A variable's values: one a line for flags that repeat, true or false for switches.
fn environment_values(arg: &Arg, value: &OsStr, variable: &str) -> Result<Vec<OsString>> {
    let text = value.to_string_lossy();
    if keys::is_switch(arg) {
        return Ok(vec![truth(&text).ok_or_else(|| not_a_switch(variable, &text))?.to_string().into()]);
    }
    if keys::repeats(arg) {
        return Ok(text.lines().filter(|line| !line.trim().is_empty()).map(OsString::from).collect());
    }
    Ok(vec![value.to_owned()])
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn not_a_switch(variable: &str, text: &str) -> Error {
    Error::usage(format!("environment variable {variable} is {text:?}"), "true or false")
}

pub(super) fn file_values(arg: &Arg, value: &Value, folder: &Path) -> Vec<OsString> {
    let scalars = match value {
        Value::One(scalar) => std::slice::from_ref(scalar),
        Value::Many(scalars) => scalars,
        Value::Table(_) | Value::Other => &[],
    };
    scalars
        .iter()
        .map(
            |scalar| {
                if keys::is_path(arg) { from_folder(arg, folder, &scalar.text) } else { scalar.text.clone().into() }
            },
        )
        .collect()
}

/// A path of the file as seen from the working folder. `-`, and what another scheme names (`mlflow:…`), stay as they are; in
/// `ROLE=PATH` the path is what follows the sign.
fn from_folder(arg: &Arg, folder: &Path, text: &str) -> OsString {
    let is_pair = arg.get_value_names().unwrap_or_default().iter().any(|name| name.contains('='));
    match text.split_once('=') {
        Some((role, path)) if is_pair => joined(role, &rebased(folder, path)),
        _ => rebased(folder, text),
    }
}

fn rebased(folder: &Path, text: &str) -> OsString {
    let scheme =
        text.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1 && scheme.chars().all(char::is_alphanumeric));
    if text == "-" || scheme { text.into() } else { folder.join(text).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_start_from_the_folder_of_the_file() {
        let rebased = |text| rebased(Path::new(".."), text).into_string().unwrap();
        assert_eq!(rebased("a/b.csv"), "../a/b.csv");
        assert_eq!(rebased("/a/b.csv"), "/a/b.csv");
        assert_eq!(rebased("mlflow:1234"), "mlflow:1234");
        assert_eq!(rebased("-"), "-");
        let about = Arg::new("about").value_name("ROLE=PATH");
        assert_eq!(from_folder(&about, Path::new("m"), "model=x.pkl"), "model=m/x.pkl");
    }

    #[test]
    fn secrets_are_not_shown() {
        let setting = |key: &str| Setting { key: key.into(), values: vec!["abc".into()], origin: Origin::Default };
        assert_eq!(setting("bearer-token").shown(), ["***"]);
        assert_eq!(setting("bearer-token-file").shown(), ["abc"]);
    }
}
