//! `bench-compare lint`: what is wrong with result files.
//!
//! An *error* is what makes a row no evidence, or what the team's own loader refuses; a *warning* is used as it stands and
//! worth knowing. Status 0: no error; 1: errors (with `--strict` also warnings); 2: a file cannot be read at all.

mod across;
mod output;
mod table;

use std::path::Path;

use shared::cli::{Context, Format, MapeUnitArg};
use shared::error::{Error, Place, Problem};
use shared::format::benchmark::{Examined, Finding, MapeUnit, Severity, examine};
use shared::{Exit, digest};

use crate::load::input;

pub use output::{FileReport, LintReport, ProblemReport};

/// Flags of `bench-compare lint`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Files to look at: `benchmark_results.json`, result or forecast tables in CSV, `-`, `mlflow:RUN_ID[/PATH]`
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Unit of `mape` in benchmark files; told from the numbers, with a note, if not stated
    #[arg(long, value_enum, value_name = "UNIT")]
    pub mape_unit: Option<MapeUnitArg>,
    /// Datasets (or dataset@window) that every model must have a row for
    #[arg(long, value_delimiter = ',', value_name = "DATASET")]
    pub require_dataset: Vec<String>,
    /// Models that must be there
    #[arg(long, value_delimiter = ',', value_name = "MODEL")]
    pub require_model: Vec<String>,
    /// Let warnings count as errors
    #[arg(long)]
    pub strict: bool,
}

/// Runs the command.
///
/// # Errors
/// On a failing environment; what is wrong with the files is the result, not an error.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let mut files = args.files.iter().map(|name| look_at(name, args)).collect::<shared::Result<Vec<_>>>()?;
    across::check(&mut files, args);
    let exit = exit(&files, args.strict);
    let report = LintReport::of(&files);
    context.emit(&match context.format {
        Format::Text => report.text(),
        Format::Json => report.json(),
        Format::Csv => report.csv(),
        Format::Markdown => report.markdown(),
    })?;
    Ok(exit)
}

/// What kind of file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Benchmark,
    ForecastTable,
    TrainingTable,
    ResultTable,
    UnknownTable,
    Unreadable,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Benchmark => "benchmark",
            Self::ForecastTable => "forecast-table",
            Self::TrainingTable => "training-table",
            Self::ResultTable => "result-table",
            Self::UnknownTable => "table",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A file that was looked at.
struct Looked {
    path: std::path::PathBuf,
    sha256: Option<String>,
    kind: Kind,
    rows: u64,
    findings: Vec<Finding>,
    /// Findings that were counted and not kept.
    hidden: u64,
    /// The benchmark rows, for checks across files.
    benchmark: Option<Examined>,
}

impl Looked {
    fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

fn exit(files: &[Looked], strict: bool) -> Exit {
    match files.iter().filter_map(Looked::worst).max() {
        Some(Severity::Unreadable) => Exit::Usage,
        Some(Severity::Fatal | Severity::Error) => Exit::No,
        Some(Severity::Warning) if strict => Exit::No,
        _ => Exit::Ok,
    }
}

fn look_at(name: &str, args: &Args) -> shared::Result<Looked> {
    let source = input::resolve(name)?;
    let path = source.name();
    match source.read() {
        Ok(bytes) => Ok(look_at_bytes(&path, &bytes, args)),
        Err(error) if error.exit() == Exit::Usage => Ok(unreadable(&path, &error)),
        Err(error) => Err(error),
    }
}

fn unreadable(path: &Path, error: &Error) -> Looked {
    let (found, expected) = match error {
        Error::Open { source, .. } => (format!("cannot be opened: {source}"), "a readable file"),
        other => (other.to_string(), ""),
    };
    let problem = Problem { place: Place::file(path), found, expected: expected.to_owned() };
    let help = error.help().unwrap_or("correct the path").to_owned();
    let finding = Finding { rule: "unreadable", severity: Severity::Unreadable, problem, help };
    looked(path, None, Kind::Unreadable, 0, vec![finding])
}

fn looked(path: &Path, sha256: Option<String>, kind: Kind, rows: u64, findings: Vec<Finding>) -> Looked {
    Looked { path: path.to_owned(), sha256, kind, rows, findings, hidden: 0, benchmark: None }
}

fn look_at_bytes(path: &Path, bytes: &[u8], args: &Args) -> Looked {
    let sha256 = Some(digest::of_bytes(bytes));
    if bytes.starts_with(b"PAR1") {
        let help = "lint reads JSON and CSV; `bench-compare score` checks a Parquet table when it reads it";
        return unreadable(path, &Error::usage("a Parquet file", "JSON or CSV").with_help(help));
    }
    if looks_like_json(bytes) {
        let examined = examine(path, bytes);
        let findings = unit_settled(&examined.findings, args.mape_unit.map(Into::into));
        let rows = examined.rows.len() as u64;
        let file = looked(path, sha256, Kind::Benchmark, rows, findings);
        return Looked { benchmark: Some(examined), ..file };
    }
    let found = table::check(path, bytes);
    let file = looked(path, sha256, found.kind, found.rows, found.findings);
    Looked { hidden: found.hidden, ..file }
}

/// JSON begins with a brace or bracket; an empty file is taken for one that its writer never began.
fn looks_like_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    text.iter().find(|byte| !byte.is_ascii_whitespace()).is_none_or(|byte| matches!(byte, b'{' | b'['))
}

/// A stated unit answers the question of the unit.
fn unit_settled(findings: &[Finding], stated: Option<MapeUnit>) -> Vec<Finding> {
    let asks = |finding: &&Finding| matches!(finding.rule, "mape-fraction" | "mape-unit");
    findings.iter().filter(|finding| stated.is_none() || !asks(finding)).cloned().collect()
}
