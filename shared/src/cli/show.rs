//! `show-config`: every setting and where it comes from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;

use clap::{Arg, Command};
use schemars::JsonSchema;
use serde::Serialize;

use super::command_line::settings_at;
use super::commands::{is_common, no_command};
use super::common::Format;
use super::context::Context;
use super::keys;
use super::settings::{Origin, Setting};
use crate::error::Result;
use crate::format::input::Tool;

/// What `show-config --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SettingsReport {
    /// `promotion/settings/1`.
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// The file that was read, if there is one.
    pub file: Option<String>,
    /// The name of the project.
    pub project: Option<String>,
    /// The models and all their names.
    pub models: BTreeMap<String, Vec<String>>,
    /// The settings of each command, in the order of its flags.
    pub commands: BTreeMap<String, Vec<ShownSetting>>,
}

/// A setting of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ShownSetting {
    /// The key: the long name of the flag.
    pub key: String,
    /// Its values; empty where it is not set.
    pub values: Vec<String>,
    /// `default`, `not set`, `environment NAME`, or `file:line:column`.
    pub origin: String,
}

/// Prints the settings of all commands, or of one.
pub(super) fn run(command: &Command, only: Option<&str>, context: &Context) -> Result<()> {
    let report = report(command, only, context)?;
    match context.format {
        Format::Json => {
            let text = serde_json::to_string_pretty(&report).unwrap_or_default();
            context.emit(&format!("{text}\n"))
        }
        Format::Csv => context.emit(&csv_text(&report)),
        Format::Text | Format::Markdown => context.emit(&text(&report)),
    }
}

fn report(command: &Command, only: Option<&str>, context: &Context) -> Result<SettingsReport> {
    let wanted =
        command.get_subcommands().filter(|sub| only.map_or(!is_common(sub.get_name()), |name| sub.get_name() == name));
    let mut commands = BTreeMap::new();
    for sub in wanted {
        list(command, sub, &[sub.get_name().to_owned()], context, &mut commands)?;
    }
    if only.is_some() && commands.is_empty() {
        return Err(no_command(command, only));
    }
    Ok(SettingsReport { commands, ..header(command, context) })
}

fn header(command: &Command, context: &Context) -> SettingsReport {
    let own = |names: Vec<&str>| names.into_iter().map(ToOwned::to_owned).collect();
    let models = context.config.models.all().into_iter().map(|(model, names)| (model.to_owned(), own(names)));
    SettingsReport {
        schema: "promotion/settings/1".to_owned(),
        tool: Tool {
            name: command.get_name().to_owned(),
            version: command.get_version().unwrap_or_default().to_owned(),
        },
        file: context.config.path.as_ref().map(|path| path.display().to_string()),
        project: context.config.project.clone(),
        models: models.collect(),
        commands: BTreeMap::new(),
    }
}

/// The settings of `sub` and of the commands below it.
fn list(
    root: &Command,
    sub: &Command,
    path: &[String],
    context: &Context,
    into: &mut BTreeMap<String, Vec<ShownSetting>>,
) -> Result<()> {
    let set = settings_at(root, path, &context.config, &|name| std::env::var_os(name))?;
    into.insert(path.join(" "), keys::settable(sub).map(|arg| shown(arg, &set)).collect());
    for below in sub.get_subcommands().filter(|below| !is_common(below.get_name())) {
        list(root, below, &[path, &[below.get_name().to_owned()]].concat(), context, into)?;
    }
    Ok(())
}

fn shown(arg: &Arg, set: &[Setting]) -> ShownSetting {
    let key = keys::name(arg);
    let found = set.iter().find(|setting| setting.key == key).cloned().unwrap_or_else(|| default_of(arg, key));
    let origin = if found.values.is_empty() { "not set".to_owned() } else { found.origin.to_string() };
    ShownSetting { values: found.shown(), key: found.key, origin }
}

fn default_of(arg: &Arg, key: String) -> Setting {
    let values: Vec<OsString> = arg.get_default_values().iter().map(OsString::from).collect();
    Setting { key, values: if keys::is_switch(arg) { vec!["false".into()] } else { values }, origin: Origin::Default }
}

fn text(report: &SettingsReport) -> String {
    let mut text = format!("# {}\n", report.file.as_deref().unwrap_or("no promotion.toml"));
    if let Some(project) = &report.project {
        text += &format!("project = {project}\n");
    }
    for (model, names) in &report.models {
        text += &format!("model {model}: {}\n", names.join(", "));
    }
    for (command, settings) in &report.commands {
        text += &format!("\n[{}.{}]\n{}", report.tool.name, command.replace(' ', "."), aligned(settings));
    }
    text
}

fn aligned(settings: &[ShownSetting]) -> String {
    let width = |of: fn(&ShownSetting) -> usize| settings.iter().map(of).max().unwrap_or_default();
    let (keys, values) = (width(|s| s.key.len()), width(|s| joined(s).chars().count()).min(40));
    settings.iter().fold(String::new(), |mut text, setting| {
        // Writing to a String cannot fail.
        _ = writeln!(text, "{:keys$}  {:values$}  {}", setting.key, joined(setting), setting.origin);
        text
    })
}

fn joined(setting: &ShownSetting) -> String {
    setting.values.join("; ")
}

fn csv_text(report: &SettingsReport) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    _ = writer.write_record(["command", "key", "value", "origin"]);
    for (command, settings) in &report.commands {
        for setting in settings {
            _ = writer.write_record([command, &setting.key, &joined(setting), &setting.origin]);
        }
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
