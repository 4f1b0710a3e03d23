//! `manifest-gen new`: a release folder and its published copies.

mod args;
mod benchmark;
mod code;
mod data;
mod gather;
mod install;
pub(crate) mod span;
mod stage;
pub(crate) mod verdict;

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format, note};
use shared::format::input::Tool;
use shared::{Error, Exit, Result};

use crate::store::Store;
use crate::version::{ModelVersion, check_name};

pub use args::Args;

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/new/1";

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NewReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The model.
    pub name: String,
    /// Strict semantic version.
    pub version: String,
    /// The release folder.
    pub release: String,
    /// SHA-256 of `manifest.json`.
    pub manifest_sha256: String,
    /// False where the release was there already, with the same bytes.
    pub made: bool,
    /// The published copies, relative to the folder of models.
    pub published: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// On bad input, on artefacts that are not allowed, and where the version exists with other bytes.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    check_name(&args.name, "model")?;
    let version = ModelVersion::parse(&args.model_version)?;
    check_name(&version.written, "version")?;
    let store = args.store.store();
    let gathered = gather::gather(args, &version, &store, &context.config)?;
    let report = match args.check {
        true => install::compare(&store, &gathered)?,
        false => install::install(&store, gathered)?,
    };
    report.notes.iter().for_each(|text| note(&format!("note: {text}")));
    context.emit(&print(&report, &store, context.format)?)?;
    Ok(Exit::Ok)
}

fn print(report: &NewReport, store: &Store, format: Format) -> Result<String> {
    match format {
        Format::Json => crate::print::json(report),
        Format::Text | Format::Markdown => Ok(text(report, store)),
        Format::Csv => Err(Error::usage("--format csv", "text or json")),
    }
}

fn text(report: &NewReport, store: &Store) -> String {
    let done = if report.made { "made" } else { "unchanged" };
    let mut text = format!("{done} {}\nmanifest sha256 {}\n", report.release, report.manifest_sha256);
    for path in &report.published {
        text.push_str(&format!("published {}\n", store.root.join(path).display()));
    }
    text
}
