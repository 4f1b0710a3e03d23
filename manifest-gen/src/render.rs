//! `manifest-gen render`: the README's table of models, and model cards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format};
use shared::format::input::Tool;
use shared::format::manifest::Manifest;
use shared::format::registry::{Registry, Version};
use shared::{Error, Exit, Place, Result};

use crate::derive::{self, CHAMPION, DerivedArgs};
use crate::export::card::{code, filled};
use crate::store::{StoreArgs, Stored};

/// What opens the part of a README that is written by this tool.
pub const BEGIN: &str = "<!-- manifest-gen:begin -->";

/// What closes it.
pub const END: &str = "<!-- manifest-gen:end -->";

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/render/1";

/// Flags of `manifest-gen render`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// What to write.
    #[command(flatten)]
    pub derived: DerivedArgs,
    /// Change nothing; status 1 if a file is not as it should be
    #[arg(long)]
    pub check: bool,
}

/// What was written, or should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RenderReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The files that were not as they should be.
    pub changed: Vec<PathBuf>,
    /// Whether they are now.
    pub written: bool,
}

/// Runs the command.
///
/// # Errors
/// If nothing is asked for, a README has no markers, or a file cannot be written.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let derived = args.derived.derived()?;
    if derived == derive::Derived::default() {
        let error = Error::usage("nothing to render", "--readme FILE, --card DIR or --publish KIND=PATH");
        return Err(error.with_help("they can be set for all commands under [manifest-gen] in promotion.toml").into());
    }
    let files = derive::files(&store, &store.registry()?, &derived)?;
    let changed: Vec<PathBuf> = derive::stale(&files).into_iter().cloned().collect();
    if !args.check {
        derive::write(&files)?;
    }
    let report = RenderReport { schema: SCHEMA.to_owned(), tool: crate::print::tool(), changed, written: !args.check };
    context.emit(&print(&report, context.format)?)?;
    Ok(if args.check && !report.changed.is_empty() { Exit::No } else { Exit::Ok })
}

fn print(report: &RenderReport, format: Format) -> Result<String> {
    if format == Format::Json {
        return crate::print::json(report);
    }
    let word = if report.written { "wrote" } else { "not as it should be:" };
    let lines: Vec<String> = report.changed.iter().map(|path| format!("{word} {}", path.display())).collect();
    Ok(if lines.is_empty() { "all as it should be\n".to_owned() } else { lines.join("\n") + "\n" })
}

/// The README with its table brought up to date; every other byte stays.
///
/// # Errors
/// If it does not have the two markers, once each and in order.
pub fn readme(path: &Path, old: &[u8], registry: &Registry, champions: &BTreeMap<String, Stored>) -> Result<Vec<u8>> {
    let begin = only(path, old, BEGIN)?;
    let end = only(path, old, END)?;
    if end < begin {
        return Err(missing(path, END, "is above the one that opens the part"));
    }
    let line_end = if old[begin..].starts_with(format!("{BEGIN}\r\n").as_bytes()) { "\r\n" } else { "\n" };
    let table = table(registry, champions).replace('\n', line_end);
    let new = format!("{BEGIN}{line_end}{line_end}{table}{line_end}");
    Ok([&old[..begin], new.as_bytes(), &old[end..]].concat())
}

/// Where the marker stands, alone on its line.
fn only(path: &Path, text: &[u8], marker: &str) -> Result<usize> {
    let wanted = marker.as_bytes();
    let is_line = |at: usize| {
        let before = at == 0 || text[at - 1] == b'\n';
        let after = &text[at + wanted.len()..];
        before && (after.is_empty() || after.starts_with(b"\n") || after.starts_with(b"\r\n"))
    };
    let places: Vec<usize> = text
        .windows(wanted.len())
        .enumerate()
        .filter(|(at, window)| *window == wanted && is_line(*at))
        .map(|(at, _)| at)
        .collect();
    match places.as_slice() {
        [at] => Ok(*at),
        [] => Err(missing(path, marker, "is not there")),
        _ => Err(missing(path, marker, "is there more than once")),
    }
}

fn missing(path: &Path, marker: &str, how: &str) -> Error {
    Error::input(Place::file(path), format!("the marker {marker} {how}"), "each marker once, on a line of its own")
        .with_help(format!("put these two lines where the table of models belongs:\n{BEGIN}\n{END}"))
}

/// A row for each champion, and below the table what does not fit into 80 columns.
fn table(registry: &Registry, champions: &BTreeMap<String, Stored>) -> String {
    let header = ["Model", "Version", "MAPE", "RMSE", "Series", "Rows", "Promoted"];
    let shown: Vec<(&Version, &Manifest)> = champions
        .iter()
        .filter_map(|(name, stored)| Some((registry.models.get(name)?.aliased(CHAMPION)?.1, &stored.manifest)))
        .collect();
    if shown.is_empty() {
        return "No model has been promoted yet.\n".to_owned();
    }
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    rows.extend(shown.iter().map(|(version, manifest)| row(version, manifest)));
    let items: Vec<String> = shown.iter().map(|(_, manifest)| filled(&item(manifest), "- ", "  ")).collect();
    format!("{}\n{}\n", markdown(&rows), items.join("\n"))
}

fn row(version: &Version, manifest: &Manifest) -> Vec<String> {
    let metric = |name: &str| manifest.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value);
    let coverage = manifest.training.coverage.as_ref();
    let unknown = || "n/a".to_owned();
    let count = |count: Option<u64>| count.map_or_else(unknown, |count| count.to_string());
    vec![
        format!("`{}`", manifest.name),
        manifest.file_version.clone(),
        metric("mape_ratio").map_or_else(unknown, |ratio| format!("{:.2} %", ratio * 100.0)),
        metric("rmse").map_or_else(unknown, significant),
        count(coverage.map(|coverage| coverage.series)),
        count(coverage.map(|coverage| coverage.rows)),
        version.promoted_at.split('T').next().unwrap_or_default().to_owned(),
    ]
}

/// What the model was judged and trained on, in a sentence.
fn item(manifest: &Manifest) -> String {
    let parts = [metrics(manifest), against(manifest), trained(manifest), coverage(manifest)];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    format!("{} {}: {}", code(&manifest.name), manifest.file_version, said.join("; "))
}

fn metrics(manifest: &Manifest) -> Option<String> {
    let first = manifest.metrics.first()?;
    let datasets: BTreeSet<&String> = manifest.metrics.iter().filter_map(|metric| metric.dataset.as_ref()).collect();
    let n = first.n.map(|n| format!(", {n} forecasts")).unwrap_or_default();
    match (datasets.len(), &first.dataset) {
        (1, Some(dataset)) => Some(format!("metrics on {}{n}", code(dataset))),
        (0, _) | (_, None) => None,
        (count, Some(dataset)) => Some(format!("metrics on {}{n}, the first of {count} datasets", code(dataset))),
    }
}

fn significant(value: f64) -> String {
    if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

fn against(manifest: &Manifest) -> Option<String> {
    let gate = manifest.gate.as_ref()?;
    let baselines: Vec<String> = gate.baselines.iter().map(|name| code(name)).collect();
    let effect = gate.estimate.map(|estimate| format!(" {:+.1} %", estimate * 100.0)).unwrap_or_default();
    Some(format!("{}{effect} against {}", code(&gate.metric), baselines.join(", ")))
}

fn trained(manifest: &Manifest) -> Option<String> {
    manifest.training.window.as_ref().map(|window| format!("trained on {} to {}", window.from, window.to))
}

fn coverage(manifest: &Manifest) -> Option<String> {
    let coverage = manifest.training.coverage.as_ref()?;
    Some(format!("{:.1} % of the training data missing", coverage.missing_ratio * 100.0))
}

/// A table as markdownlint likes it: one space at each side of a cell, no padding that would make lines long.
fn markdown(rows: &[Vec<String>]) -> String {
    let line = |row: &[String]| row.iter().map(|cell| format!(" {} |", escape(cell))).collect::<Vec<_>>().concat();
    let rule = " --- |".repeat(rows[0].len());
    let mut lines = vec![format!("|{}", line(&rows[0])), format!("|{rule}")];
    lines.extend(rows[1..].iter().map(|row| format!("|{}", line(row))));
    lines.join("\n") + "\n"
}

fn escape(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "\\<")
}

/// The card of a model's champion.
pub fn card(registry: &Registry, name: &str, stored: &Stored) -> String {
    let version = registry.models.get(name).and_then(|model| model.versions.get(&stored.manifest.version));
    crate::export::card::text(&stored.manifest, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(old: &str) -> Result<String> {
        let bytes = readme(Path::new("README.md"), old.as_bytes(), &Registry::default(), &BTreeMap::new())?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn every_byte_outside_the_markers_stays() {
        let old = format!("# A\r\n\u{feff}x\n{BEGIN}\nold\n{END}\ntail without line end");
        let expected =
            format!("# A\r\n\u{feff}x\n{BEGIN}\n\nNo model has been promoted yet.\n\n{END}\ntail without line end");
        assert_eq!(rendered(&old).unwrap(), expected);
        assert_eq!(rendered(&expected).unwrap(), expected);
    }

    #[test]
    fn the_line_ends_of_the_file_are_kept() {
        let text = rendered(&format!("{BEGIN}\r\n{END}\r\n")).unwrap();
        assert_eq!(text, format!("{BEGIN}\r\n\r\nNo model has been promoted yet.\r\n\r\n{END}\r\n"));
    }

    #[test]
    fn markers_that_are_absent_doubled_or_swapped_are_refused() {
        for text in ["", BEGIN, &format!("{END}\n{BEGIN}\n"), &format!("{BEGIN}\n{BEGIN}\n{END}\n")] {
            assert!(rendered(text).is_err(), "{text:?}");
        }
        assert!(rendered(&format!("say `{BEGIN}`\n{BEGIN}\n{END}")).is_ok());
    }

    #[test]
    fn a_cell_cannot_break_the_table() {
        let text = markdown(&[vec!["a".into()], vec!["x|y\n<b>".into()]]);
        assert_eq!(text, "| a |\n| --- |\n| x\\|y \\<b> |\n");
    }
}
