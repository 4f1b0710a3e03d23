//! `manifest-gen stale`: references to versions that an alias has left behind, and what will become one.
//!
//! The finder knows texts and names only; [`Catalogue`] tells it what the registry knows. An *error* names a version that is
//! not served any more; a *warning* works today and breaks, or goes stale unseen, at a promotion to come.

mod catalogue;
mod language;
mod mlflow;
mod notebook;
mod output;
mod reference;
mod scan;
mod walk;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::cli::{Context, Format, note};
use shared::{Error, Exit, Result};

use crate::store::StoreArgs;
use language::Language;
use scan::{Hit, Hits};

pub use catalogue::Catalogue;
pub use output::StaleReport;

/// How many findings of a file are kept; the others are counted.
const MAX_FINDINGS_PER_FILE: usize = 1000;

/// Larger files are no sources.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// How much of a file is searched for the byte that no text has.
const BINARY_HEAD_BYTES: usize = 8192;

/// Flags of `manifest-gen stale`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Folders and files to look at
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The alias that consumers should follow
    #[arg(long, value_name = "ALIAS", default_value = "champion")]
    pub alias: String,
    /// Let warnings count as errors
    #[arg(long)]
    pub strict: bool,
    /// Look at changelogs too, which name old versions rightly
    #[arg(long)]
    pub changelogs: bool,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Runs the command.
///
/// # Errors
/// If the registry or a path cannot be read.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let registry = store.registry()?;
    if registry.models.is_empty() {
        let place = store.registry_path();
        let error = Error::usage(format!("{}: no model is registered", place.display()), "a registry with models");
        return Err(error.with_help("name the folder of models with --root, or promote a model first").into());
    }
    let catalogue = Catalogue::of(&registry, &args.alias, &context.config)?;
    let report = find_with(&args.paths, &catalogue, Options { changelogs: args.changelogs })?;
    if report.excused > 0 {
        note(&format!("note: {} excused by `manifest-gen: allow stale`", report.excused));
    }
    let output = StaleReport::of(&report, &args.alias);
    context.emit(&match context.format {
        Format::Text => output.text(),
        Format::Json => output.json(),
        Format::Csv => output.csv(),
        Format::Markdown => output.markdown(),
    })?;
    Ok(report.exit(args.strict))
}

/// What is wrong with a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It names a version that the alias has left behind.
    LeftBehind,
    /// It is the path of an artefact, which the registry should give.
    HardCodedPath,
    /// It is preprocessing that no version binds to its model.
    UnversionedPreprocessing,
    /// It uses MLflow's stages, which are deprecated.
    MlflowStage,
    /// It is a version of MLflow's registry.
    MlflowVersion,
}

impl Kind {
    /// How much it matters.
    pub fn severity(self) -> Severity {
        match self {
            Self::LeftBehind => Severity::Error,
            _ => Severity::Warning,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftBehind => "left-behind",
            Self::HardCodedPath => "hard-coded-path",
            Self::UnversionedPreprocessing => "unversioned-preprocessing",
            Self::MlflowStage => "mlflow-stage",
            Self::MlflowVersion => "mlflow-version",
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It works today.
    Warning,
    /// It names what is not served any more.
    Error,
}

/// A cell of a notebook and a line in it, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CellPlace {
    /// The number of the cell.
    pub cell: u64,
    /// The line in its source.
    pub line: u64,
}

/// A stale reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, as reached from the path that was given.
    pub path: PathBuf,
    /// Line in the file, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// In a notebook, the cell and the line in it.
    pub cell: Option<CellPlace>,
    /// What is wrong.
    pub kind: Kind,
    /// The model, if it is a registered one.
    pub model: Option<String>,
    /// The text at this place.
    pub found: String,
    /// The text that can stand there instead, where it is known.
    pub replacement: Option<String>,
    /// The remedy.
    pub fix: String,
}

/// What was found, and in how much.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// By path as given, file and place.
    pub findings: Vec<Finding>,
    /// Files that were looked at.
    pub files: u64,
    /// Findings that a comment excuses.
    pub excused: u64,
    /// Findings beyond those that are kept of one file.
    pub hidden: u64,
    /// Files that were not looked at, by reason.
    pub skipped: Skipped,
}

/// Files that were not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Of a kind in which models are not named.
    pub other_kinds: u64,
    /// Not text.
    pub binary: u64,
    /// Larger than 16 MiB.
    pub too_large: u64,
    /// Changelogs.
    pub changelogs: u64,
    /// Evidence, results and settings of these tools, which name old versions rightly.
    pub own_files: u64,
}

impl Report {
    /// How many findings are of a severity; those beyond the kept ones count as errors.
    pub fn count(&self, severity: Severity) -> u64 {
        let kept = self.findings.iter().filter(|finding| finding.kind.severity() == severity).count() as u64;
        kept + if severity == Severity::Error { self.hidden } else { 0 }
    }

    fn exit(&self, strict: bool) -> Exit {
        let errors = self.count(Severity::Error);
        let warnings = if strict { self.count(Severity::Warning) } else { 0 };
        if errors + warnings > 0 { Exit::No } else { Exit::Ok }
    }
}

/// What else to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Changelogs.
    pub changelogs: bool,
}

/// Looks for stale references in the files below `paths`.
///
/// # Errors
/// If a path is not there or cannot be read.
pub fn find(paths: &[PathBuf], catalogue: &Catalogue) -> Result<Report> {
    find_with(paths, catalogue, Options::default())
}

/// As [`find`], with more to look at.
///
/// # Errors
/// As [`find`].
pub fn find_with(paths: &[PathBuf], catalogue: &Catalogue, options: Options) -> Result<Report> {
    let mut report = Report::default();
    for path in walk::files(paths)? {
        let named = paths.contains(&path);
        look_at(&path, named, catalogue, options, &mut report)?;
    }
    Ok(report)
}

fn look_at(path: &Path, named: bool, catalogue: &Catalogue, options: Options, report: &mut Report) -> Result<()> {
    let skipped = &mut report.skipped;
    match () {
        () if !named && !options.changelogs && is_changelog(path) => skipped.changelogs += 1,
        () if path.file_name() == Some(shared::config::FILE_NAME.as_ref()) => skipped.own_files += 1,
        () if size(path)? > MAX_FILE_BYTES => skipped.too_large += 1,
        () => look_into(path, &shared::fsio::read(path)?, catalogue, report),
    }
    Ok(())
}

fn look_into(path: &Path, bytes: &[u8], catalogue: &Catalogue, report: &mut Report) {
    let language = Language::of(path, bytes);
    let skipped = &mut report.skipped;
    match language {
        _ if bytes[..bytes.len().min(BINARY_HEAD_BYTES)].contains(&0) => skipped.binary += 1,
        None => skipped.other_kinds += 1,
        Some(Language::Json) if is_own(bytes) => skipped.own_files += 1,
        Some(language) => {
            report.files += 1;
            search(path, bytes, language, catalogue, report);
        }
    }
}

fn size(path: &Path) -> Result<u64> {
    std::fs::metadata(path).map(|data| data.len()).map_err(|source| Error::Open { path: path.to_owned(), source })
}

fn is_changelog(path: &Path) -> bool {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    ["changelog", "changes", "history", "news", "release-notes", "release_notes"].contains(&name.as_str())
}

/// Results and evidence: they say what was compared, old versions included.
fn is_own(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(BINARY_HEAD_BYTES)]);
    let compact: String = head.chars().filter(|char| !char.is_whitespace()).collect();
    let of_tool = |tool: &&str| compact.contains(&format!("\"schema\":\"{tool}/"));
    let is_benchmark =
        compact.contains("\"results\":[") && compact.contains("\"model_name\":") && compact.contains("\"mape\":");
    is_benchmark || shared::config::TOOLS.iter().any(of_tool)
}

/// Searches a file and notes what is found with its place.
fn search(path: &Path, bytes: &[u8], language: Language, catalogue: &Catalogue, report: &mut Report) {
    let mlflow = scan::mentions_mlflow(bytes, catalogue);
    let cells = (language == Language::Notebook).then(|| notebook::cells(path, bytes).ok()).flatten();
    let mut places = Places::new(bytes);
    let Some(cells) = cells else {
        // A notebook that is no JSON is searched as it stands.
        let hits = scan::hits(bytes, language, mlflow, catalogue);
        return note_hits(path, hits, report, |hit| (places.of(hit.span.start), None, text(bytes, hit)));
    };
    for cell in cells {
        let hits = scan::hits(&cell.text, cell.language, mlflow, catalogue);
        let mut lines = Places::new(&cell.text);
        note_hits(path, hits, report, |hit| {
            let line = lines.of(hit.span.start).0;
            let place = CellPlace { cell: cell.number, line };
            (places.of(cell.offsets[hit.span.start]), Some(place), text(&cell.text, hit))
        });
    }
}

fn text(bytes: &[u8], hit: &Hit) -> String {
    String::from_utf8_lossy(&bytes[hit.span.clone()]).into_owned()
}

type Found = ((u64, u64), Option<CellPlace>, String);

fn note_hits(path: &Path, found: Hits, report: &mut Report, mut place: impl FnMut(&Hit) -> Found) {
    report.excused += found.excused;
    report.hidden += found.hidden;
    for hit in found.kept {
        let ((line, column), cell, text) = place(&hit);
        let Hit { kind, model, replacement, fix, .. } = hit;
        let path = path.to_owned();
        report.findings.push(Finding { path, line, column, cell, kind, model, found: text, replacement, fix });
    }
}

/// Turns offsets, which come in order, into line and column.
struct Places<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
    column: u64,
}

impl<'a> Places<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: shared::format::json::byte_order_mark(bytes), line: 1, column: 1 }
    }

    fn of(&mut self, offset: usize) -> (u64, u64) {
        for &byte in self.bytes.get(self.at..offset).unwrap_or_default() {
            match byte {
                b'\n' => (self.line, self.column) = (self.line + 1, 1),
                0x80..0xC0 => {}
                _ => self.column += 1,
            }
        }
        self.at = self.at.max(offset);
        (self.line, self.column)
    }
}
