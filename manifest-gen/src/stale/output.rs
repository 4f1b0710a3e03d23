//! The result of `stale`: for people, programs, tables and pull requests.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::format::input::Tool;

use super::{CellPlace, Finding, Kind, Report, Severity, Skipped};

/// The `schema` of the JSON output.
const SCHEMA: &str = "manifest-gen/stale/1";

/// The result of `manifest-gen stale`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaleReport {
    /// `manifest-gen/stale/1`.
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The alias that consumers should follow.
    pub alias: String,
    /// Files that were looked at.
    pub files: u64,
    /// Files that were not, by reason.
    pub skipped: Skipped,
    /// Findings that are errors, those not listed included.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings that a comment excuses.
    pub excused: u64,
    /// Findings that are not listed: more than 1000 in one file.
    pub hidden: u64,
    /// By file and place.
    pub findings: Vec<FindingReport>,
}

/// A stale reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingReport {
    /// The file.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// In a notebook, the cell and the line in it.
    pub cell: Option<CellPlace>,
    /// How much it matters.
    pub severity: Severity,
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

impl FindingReport {
    fn of(finding: &Finding) -> Self {
        let Finding { path, line, column, cell, kind, model, found, replacement, fix } = finding.clone();
        Self { path, line, column, cell, severity: kind.severity(), kind, model, found, replacement, fix }
    }

    fn place(&self) -> String {
        format!("{}:{}:{}", self.path.display(), self.line, self.column)
    }

    fn severity(&self) -> &'static str {
        if self.severity == Severity::Error { "error" } else { "warning" }
    }

    fn remedy(&self) -> String {
        self.replacement.as_ref().map_or_else(|| self.fix.clone(), |text| format!("write {text}; {}", self.fix))
    }

    fn line(&self) -> String {
        let cell = self.cell.map(|at| format!(" (cell {}, line {})", at.cell, at.line)).unwrap_or_default();
        let (place, severity, kind) = (self.place(), self.severity(), self.kind.name());
        format!("{place}: {severity}: {}{cell} [{kind}]\n    help: {}\n", self.found, self.remedy())
    }

    fn row(&self) -> [String; 9] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            self.path.display().to_string(),
            self.line.to_string(),
            self.column.to_string(),
            self.severity().to_owned(),
            self.kind.name().to_owned(),
            text(&self.model),
            self.found.clone(),
            text(&self.replacement),
            self.fix.clone(),
        ]
    }
}

impl StaleReport {
    pub(super) fn of(report: &Report, alias: &str) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool: crate::print::tool(),
            alias: alias.to_owned(),
            files: report.files,
            skipped: report.skipped,
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            excused: report.excused,
            hidden: report.hidden,
            findings: report.findings.iter().map(FindingReport::of).collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let lines: String = self.findings.iter().map(FindingReport::line).collect();
        format!("{lines}{}\n", self.summary())
    }

    fn summary(&self) -> String {
        let number = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (files, errors) = (number(self.files, "file"), number(self.errors, "error"));
        let hidden = if self.hidden > 0 { format!(", {} not listed", self.hidden) } else { String::new() };
        format!("{files}, {errors}, {}, {} excused{hidden}", number(self.warnings, "warning"), self.excused)
    }

    pub(super) fn json(&self) -> String {
        // These types hold nothing that JSON cannot say.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    pub(super) fn csv(&self) -> String {
        let header = ["path", "line", "column", "severity", "kind", "model", "found", "replacement", "fix"];
        let mut out = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(header.map(str::to_owned)).chain(self.findings.iter().map(FindingReport::row)) {
            // Writing to memory cannot fail, and all rows have as many fields.
            _ = out.write_record(row);
        }
        String::from_utf8(out.into_inner().unwrap_or_default()).unwrap_or_default()
    }

    pub(super) fn markdown(&self) -> String {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let row = |finding: &FindingReport| {
            let (place, severity, found) = (finding.place(), finding.severity(), cell(&finding.found));
            format!("| `{}` | {severity} | `{found}` | {} |\n", cell(&place), cell(&finding.remedy()))
        };
        let rows: String = self.findings.iter().map(row).collect();
        let table =
            if rows.is_empty() { rows } else { format!("\n| place | | found | help |\n|---|---|---|---|\n{rows}") };
        format!("**manifest-gen stale**: {}\n{table}", self.summary())
    }
}
