//! The result of `lint`: for people, programs, tables and pull requests.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::error::SHOWN_PROBLEMS;
use shared::format::benchmark::{Finding, Severity};
use shared::format::input::Tool;

use super::Looked;

/// The `schema` of the JSON output.
const SCHEMA: &str = "bench-compare/lint/1";

/// The result of `bench-compare lint`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LintReport {
    /// `bench-compare/lint/1`.
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// How many problems are errors, those not listed included.
    pub errors: u64,
    /// How many are warnings.
    pub warnings: u64,
    /// The files, in the order given.
    pub files: Vec<FileReport>,
    /// The problems, by file and place.
    pub problems: Vec<ProblemReport>,
}

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileReport {
    /// The path as the user gave it.
    pub path: PathBuf,
    /// SHA-256 in lower-case hexadecimal; nothing if the file cannot be read.
    pub sha256: Option<String>,
    /// `benchmark`, `forecast-table`, `training-table`, `result-table`, `table` or `unreadable`.
    pub kind: String,
    /// Rows that could be read.
    pub rows: u64,
    /// Problems of this file, those not listed included.
    pub problems: u64,
}

/// Something wrong, or worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemReport {
    /// The file.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column, from 1; in tables the number of the field.
    pub column: Option<u64>,
    /// `error` or `warning`.
    pub severity: String,
    /// A name that programs can rely on.
    pub rule: String,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// The remedy.
    pub help: String,
}

impl ProblemReport {
    fn of(finding: &Finding) -> Self {
        let problem = &finding.problem;
        Self {
            path: problem.place.path.clone(),
            line: problem.place.line,
            column: problem.place.column,
            severity: finding.severity.name().to_owned(),
            rule: finding.rule.to_owned(),
            found: problem.found.clone(),
            expected: problem.expected.clone(),
            help: finding.help.clone(),
        }
    }

    fn place(&self) -> String {
        let number = |number: Option<u64>| number.map(|number| format!(":{number}")).unwrap_or_default();
        format!("{}{}{}", self.path.display(), number(self.line), number(self.column))
    }

    fn what(&self) -> String {
        if self.expected.is_empty() {
            self.found.clone()
        } else {
            format!("{} (expected {})", self.found, self.expected)
        }
    }
}

impl LintReport {
    pub(super) fn of(files: &[Looked]) -> Self {
        let count = |severity: fn(Severity) -> bool| {
            files.iter().flat_map(|file| &file.findings).filter(|finding| severity(finding.severity)).count() as u64
        };
        let hidden: u64 = files.iter().map(|file| file.hidden).sum();
        Self {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "bench-compare".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            errors: count(|severity| severity > Severity::Warning) + hidden,
            warnings: count(|severity| severity == Severity::Warning),
            files: files.iter().map(file_report).collect(),
            problems: files.iter().flat_map(|file| file.findings.iter().map(ProblemReport::of)).collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for file in &self.files {
            let own: Vec<&ProblemReport> = self.problems.iter().filter(|problem| problem.path == file.path).collect();
            lines.extend(own.iter().take(SHOWN_PROBLEMS).map(|problem| {
                let ProblemReport { severity, rule, help, .. } = problem;
                format!("{}: {severity}: {} [{rule}]\n    help: {help}", problem.place(), problem.what())
            }));
            let hidden = file.problems.saturating_sub(own.len().min(SHOWN_PROBLEMS) as u64);
            if hidden > 0 {
                lines.push(format!("{}: … and {hidden} more", file.path.display()));
            }
        }
        lines.push(self.summary());
        lines.join("\n") + "\n"
    }

    fn summary(&self) -> String {
        let number = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let files = number(self.files.len() as u64, "file");
        format!("{files}, {}, {}", number(self.errors, "error"), number(self.warnings, "warning"))
    }

    pub(super) fn json(&self) -> String {
        // These types hold nothing that JSON cannot say.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    fn table(&self) -> Vec<[String; 8]> {
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        let row = |problem: &ProblemReport| {
            let ProblemReport { path, line, column, severity, rule, found, expected, help } = problem.clone();
            [path.display().to_string(), number(line), number(column), severity, rule, found, expected, help]
        };
        self.problems.iter().map(row).collect()
    }

    pub(super) fn csv(&self) -> String {
        let header = ["path", "line", "column", "severity", "rule", "found", "expected", "help"].map(str::to_owned);
        let mut out = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(header).chain(self.table()) {
            // Writing to memory cannot fail, and all rows have as many fields.
            _ = out.write_record(row);
        }
        String::from_utf8(out.into_inner().unwrap_or_default()).unwrap_or_default()
    }

    pub(super) fn markdown(&self) -> String {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let row = |problem: &ProblemReport| {
            let (what, help) = (cell(&problem.what()), cell(&problem.help));
            format!("| `{}` | {} | {what} | {help} |\n", problem.place(), problem.severity)
        };
        let rows: String = self.problems.iter().map(row).collect();
        let table =
            if rows.is_empty() { rows } else { format!("\n| place | | problem | help |\n|---|---|---|---|\n{rows}") };
        format!("**bench-compare lint**: {}\n{table}", self.summary())
    }
}

fn file_report(file: &Looked) -> FileReport {
    FileReport {
        path: file.path.clone(),
        sha256: file.sha256.clone(),
        kind: file.kind.name().to_owned(),
        rows: file.rows,
        problems: file.findings.len() as u64 + file.hidden,
    }
}
