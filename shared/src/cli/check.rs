//! `check`: promotion.toml and the files that it names. Changes nothing.
//!
//! The file itself is checked before any command runs: unknown keys, and values that a flag would refuse. What is left is
//! whether the files that the settings name are there.

use std::path::{Path, PathBuf};

use clap::{Arg, Command};

use super::command_line::settings_at;
use super::commands::is_common;
use super::context::Context;
use super::keys;
use super::settings::{Origin, Setting};
use crate::error::{Error, Place, Problem, Result};
use crate::exit::Exit;

/// Checks the settings of all commands.
pub(super) fn run(command: &Command, context: &Context) -> anyhow::Result<Exit> {
    let mut problems = Vec::new();
    let mut files = 0;
    for sub in command.get_subcommands().filter(|sub| !is_common(sub.get_name())) {
        let found =
            settings_at(command, &[sub.get_name().to_owned()], &context.config, &|name| std::env::var_os(name))?;
        let named = found.iter().flat_map(|setting| named_files(sub, setting));
        for (setting, path) in named {
            files += 1;
            problems.extend(unreadable(setting, &path));
        }
    }
    problems.dedup();
    refuse(problems)?;
    context.emit(&summary(command.get_name(), context, files))?;
    Ok(Exit::Ok)
}

/// The files that a setting wants read.
fn named_files<'a>(command: &'a Command, setting: &'a Setting) -> Vec<(&'a Setting, PathBuf)> {
    let reads = |arg: &&Arg| keys::is_path(arg) && !keys::is_output(arg);
    let Some(arg) = keys::find(command, &setting.key).filter(reads) else { return Vec::new() };
    let is_pair = arg.get_value_names().unwrap_or_default().iter().any(|name| name.contains('='));
    let path_of = |text: &str| match text.split_once('=') {
        Some((_, path)) if is_pair => PathBuf::from(path),
        _ => PathBuf::from(text),
    };
    setting
        .values
        .iter()
        .map(|value| (setting, path_of(&value.to_string_lossy())))
        .filter(|(_, path)| is_local(path))
        .collect()
}

/// Whether the path is one, and not standard input or another scheme.
fn is_local(path: &Path) -> bool {
    path != Path::new("-") && !path.to_string_lossy().split('/').next().is_some_and(|first| first.contains(':'))
}

fn unreadable(setting: &Setting, path: &Path) -> Option<Problem> {
    let reason = match std::fs::metadata(path) {
        Ok(_) => return None,
        Err(error) => error.to_string(),
    };
    let place = match &setting.origin {
        Origin::File(file, at) => at.of(file),
        Origin::Environment(variable) => Place::file(format!("environment {variable}")),
        Origin::Default => Place::file("default"),
    };
    let found = format!("\"{}\": {} cannot be opened: {reason}", setting.key, path.display());
    Some(Problem { place, found, expected: "a file that is there".to_owned() })
}

fn refuse(problems: Vec<Problem>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let total = problems.len() as u64;
    Err(Error::rows(problems, total).with_help("relative paths start from the folder of promotion.toml"))
}

fn summary(tool: &str, context: &Context, files: usize) -> String {
    let file =
        context.config.path.as_ref().map_or_else(|| "no promotion.toml".to_owned(), |path| path.display().to_string());
    match context.format {
        super::Format::Json => {
            let tool = serde_json::json!({"name": tool, "version": env!("CARGO_PKG_VERSION")});
            let report = serde_json::json!({"schema": "promotion/check/1", "tool": tool, "ok": true, "file": context.config.path, "files_checked": files});
            format!("{report:#}\n")
        }
        _ => format!("{file}: ok, {files} named file(s) there\n"),
    }
}
