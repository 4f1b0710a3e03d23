//! `manifest-gen render`: the README's table of models, and model cards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format};
use shared::format::manifest::Manifest;
use shared::format::registry::{Model, Registry};
use shared::{Error, Exit, Place, Result};

use crate::derive::{self, CHAMPION, DerivedArgs};
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
    let report = RenderReport { schema: SCHEMA.to_owned(), changed, written: !args.check };
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

/// A row for each champion.
fn table(registry: &Registry, champions: &BTreeMap<String, Stored>) -> String {
    let header = ["Model", "Version", "Metrics", "Against", "Trained on", "Coverage", "Promoted"];
    let mut rows: Vec<Vec<String>> = vec![header.map(str::to_owned).to_vec()];
    rows.extend(champions.iter().filter_map(|(name, stored)| row(name, registry.models.get(name)?, &stored.manifest)));
    if rows.len() == 1 {
        return "No model has been promoted yet.\n".to_owned();
    }
    markdown(&rows)
}

fn row(name: &str, model: &Model, manifest: &Manifest) -> Option<Vec<String>> {
    let (_, version) = model.aliased(CHAMPION)?;
    let window = manifest.training.window.as_ref();
    Some(vec![
        format!("`{name}`"),
        manifest.file_version.clone(),
        metrics(manifest),
        against(manifest),
        window.map(|window| format!("{} to {}", window.from, window.to)).unwrap_or_default(),
        coverage(manifest),
        version.promoted_at.split('T').next().unwrap_or_default().to_owned(),
    ])
}

/// The accuracy of the first dataset, or of each if there are a few.
fn metrics(manifest: &Manifest) -> String {
    let wanted = |name: &str| name == "mape_ratio" || name == "rmse" || name == "mae";
    let metrics: Vec<_> = manifest.metrics.iter().filter(|metric| wanted(&metric.name)).collect();
    let few = metrics.iter().take(3).map(|metric| match metric.name.strip_suffix("_ratio") {
        Some(name) => format!("{} {:.2} %", name.to_uppercase(), metric.value * 100.0),
        None => format!("{} {}", metric.name.to_uppercase(), significant(metric.value)),
    });
    let more = metrics.len().saturating_sub(3) / 3;
    let text = few.collect::<Vec<_>>().join(", ");
    if more == 0 { text } else { format!("{text} (and {more} more)") }
}

fn significant(value: f64) -> String {
    if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

fn against(manifest: &Manifest) -> String {
    let Some(gate) = &manifest.gate else { return String::new() };
    let effect = gate.estimate.map(|estimate| format!(" {:+.1} %", estimate * 100.0)).unwrap_or_default();
    format!("{}: {}{effect}", gate.baselines.join(", "), gate.metric)
}

fn coverage(manifest: &Manifest) -> String {
    let Some(coverage) = &manifest.training.coverage else { return String::new() };
    format!("{} series, {} rows, {:.1} % missing", coverage.series, coverage.rows, coverage.missing_ratio * 100.0)
}

/// A table as markdownlint likes it: padded cells, one space at each side.
fn markdown(rows: &[Vec<String>]) -> String {
    let cells: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| escape(cell)).collect()).collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(3);
    let widths: Vec<usize> = (0..cells[0].len()).map(width).collect();
    let line = |row: &[String]| {
        let padded = row.iter().zip(&widths).map(|(cell, &width)| format!(" {cell:<width$} |"));
        format!("|{}\n", padded.collect::<String>())
    };
    let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
    let body: String = cells[1..].iter().map(|row| line(row)).collect();
    line(&cells[0]) + &line(&rule) + &body
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
        assert_eq!(text, "| a         |\n| --------- |\n| x\\|y \\<b> |\n");
    }
}
