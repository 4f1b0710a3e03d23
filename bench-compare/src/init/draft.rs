//! The text of a new promotion.toml: made from the flags themselves, so that no setting is missing from it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use clap::Command;
use shared::cli::{self, Key, quoted};

use super::names;
use super::scan::Found;
use crate::args::Cli;

const TITLE: &str = "\
# Settings of this project, for bench-compare, manifest-gen, drift-watch and rebench-cron: promotion.toml(5).
# Written by `bench-compare init` from what it found here. Commented settings show their default, or what a value looks like.
# Paths start from the folder of this file. `bench-compare check` checks it, `bench-compare show-config` prints the outcome.
";

/// Commands whose settings are no project's business.
const LEFT_OUT: [&str; 6] = ["init", "check", "show-config", "completions", "man", "help"];

/// What was found for one key.
struct Fill {
    /// The value in TOML.
    value: String,
    /// Whether it holds, or is only proposed.
    holds: bool,
}

/// The whole file.
pub(super) fn text(project: &str, found: &Found) -> String {
    let mut command = cli::command::<Cli>();
    command.build();
    let mut text = format!("{TITLE}\nproject = {}\n", quoted(project));
    text += &model_tables(found);
    text += &general_table(&command);
    let commands = command.get_subcommands().filter(|sub| !LEFT_OUT.contains(&sub.get_name()));
    commands.for_each(|sub| text += &table(&format!("bench-compare.{}", sub.get_name()), sub, &fills(sub, found)));
    text
}

fn model_tables(found: &Found) -> String {
    let names = found.model_names();
    let groups = names::alike(&names);
    let mut text = "\n# One identity for what files call differently.\n".to_owned();
    if groups.is_empty() {
        text += "# [models.lightgbm]\n# names = [\"LightGBM\", \"lightgbm_v2\"]\n";
    }
    for (model, names) in &groups {
        let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        text += &format!(
            "[models.{}]\nnames = [{}] # these look alike: correct it if they are not\n",
            key(model),
            names.join(", ")
        );
    }
    if !names.is_empty() {
        text += &format!("# Models found: {}\n", names.join(", ").replace(char::is_control, " "));
    }
    text
}

/// A key of a table, quoted where TOML wants that.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if bare { name.to_owned() } else { quoted(name) }
}

/// The settings that every command has.
fn general_table(command: &Command) -> String {
    let keys = cli::keys_of(command).into_iter().filter(|key| key.global);
    let lines: String = keys.map(|key| line(&key, None)).collect();
    format!("\n[bench-compare] # holds for every command\n{lines}")
}

fn table(path: &str, command: &Command, fills: &BTreeMap<&str, Fill>) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("\n[{path}] # {about}\n");
    for key in cli::keys_of(command).iter().filter(|key| !key.global) {
        text += &line(key, fills.get(key.name.as_str()));
    }
    for below in command.get_subcommands().filter(|below| !LEFT_OUT.contains(&below.get_name())) {
        text += &table(&format!("{path}.{}", below.get_name()), below, &BTreeMap::new());
    }
    text
}

fn line(key: &Key, fill: Option<&Fill>) -> String {
    let mut line = format!("# {}\n", key.help.lines().next().unwrap_or_default());
    let (mark, value) = match fill {
        Some(Fill { value, holds: true }) => ("", value.as_str()),
        Some(Fill { value, holds: false }) => ("# ", value.as_str()),
        None => ("# ", key.sample.as_str()),
    };
    // Writing to a String cannot fail.
    _ = writeln!(line, "{mark}{} = {value}", key.name);
    line
}

/// What was found for the keys of a command. Only `gate` is filled in: it is the one that is run again and again.
fn fills(command: &Command, found: &Found) -> BTreeMap<&'static str, Fill> {
    if command.get_name() != "gate" {
        return BTreeMap::new();
    }
    let mut fills = BTreeMap::new();
    let mut add = |key, value: Option<String>, holds| {
        if let Some(value) = value {
            fills.insert(key, Fill { value, holds });
        }
    };
    let table = found.forecasts.first();
    add("forecasts", table.map(|table| path(&table.path)), true);
    add("train", found.training.first().map(|training| path(training)), table.is_some());
    add("season", table.and_then(|table| table.season).map(|season| season.to_string()), true);
    add("slice", table.and_then(|table| slices(&table.flags)), true);
    add("baseline", in_folder(found, "baseline"), table.is_none());
    add("candidate", in_folder(found, "candidate"), table.is_none());
    add(
        "about",
        found.artefacts.first().map(|file| format!("[{}]", quoted(&format!("model={}", slashed(file))))),
        false,
    );
    fills
}

/// The benchmark file in a folder whose name says which side it is.
fn in_folder(found: &Found, side: &str) -> Option<String> {
    let is_side = |file: &Path| file.parent().and_then(Path::file_name).is_some_and(|name| name == side);
    found.benchmarks.iter().find(|file| is_side(&file.path)).map(|file| path(&file.path))
}

fn slices(flags: &[String]) -> Option<String> {
    let slices = flags.iter().map(|flag| quoted(&format!("\"{}\" = 1", flag.replace('"', "\"\""))));
    let joined = slices.collect::<Vec<_>>().join(", ");
    (!joined.is_empty()).then(|| format!("[{joined}]"))
}

fn path(path: &Path) -> String {
    quoted(&slashed(path))
}

fn slashed(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
