//! The result of `check-request`: for people and programs.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::Place;
use shared::error::SHOWN_PROBLEMS;
use shared::format::input::{Input, Tool};

use super::Contract;
use super::check::{Finding, Severity, Verdict};
use super::request::Request;

/// The `schema` of the JSON output.
const SCHEMA: &str = "manifest-gen/check-request/1";

/// The result of `manifest-gen check-request`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestReport {
    /// `manifest-gen/check-request/1`.
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The model.
    pub model: String,
    /// Its strict semantic version.
    pub version: String,
    /// The request.
    pub request: Input,
    /// `json`, `jsonl` or `csv`.
    pub format: String,
    /// Its rows.
    pub rows: u64,
    /// The time of the request, in RFC 3339.
    pub as_of: String,
    /// When the model is due to be trained again, in RFC 3339.
    pub retrain_due: Option<String>,
    /// Problems that are errors, those not listed included.
    pub errors: u64,
    /// Problems that are warnings.
    pub warnings: u64,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
    /// The first 1000 problems.
    pub problems: Vec<ProblemReport>,
}

/// A problem of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProblemReport {
    /// The request.
    pub path: PathBuf,
    /// Line, from 1; nothing if it is about the model.
    pub line: Option<u64>,
    /// Column, from 1; in tables the number of the field.
    pub column: Option<u64>,
    /// How much it matters.
    pub severity: Severity,
    /// A name that programs can rely on.
    pub rule: String,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

impl ProblemReport {
    fn of(path: &Path, finding: &Finding) -> Self {
        Self {
            path: path.to_owned(),
            line: finding.at.map(|at| at.line),
            column: finding.at.map(|at| at.column),
            severity: finding.severity,
            rule: finding.rule.to_owned(),
            found: finding.found.clone(),
            expected: finding.expected.clone(),
        }
    }

    fn text(&self) -> String {
        let place = Place { path: self.path.clone(), line: self.line, column: self.column };
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        format!("{place}: {severity}: {} (expected {}) [{}]\n", self.found, self.expected, self.rule)
    }
}

impl RequestReport {
    pub(super) fn of(
        contract: &Contract,
        path: &Path,
        sha256: &str,
        request: &Request,
        as_of: Timestamp,
        verdict: &Verdict,
    ) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool: crate::print::tool(),
            model: contract.name.clone(),
            version: contract.version.clone(),
            request: Input { role: "request".to_owned(), path: path.to_owned(), sha256: sha256.to_owned() },
            format: request.format.to_owned(),
            rows: request.rows.len() as u64,
            as_of: as_of.to_string(),
            retrain_due: verdict.retrain_due.map(|due| due.to_string()),
            errors: verdict.errors,
            warnings: verdict.warnings,
            unchecked: verdict.unchecked.clone(),
            problems: verdict.findings.iter().map(|finding| ProblemReport::of(path, finding)).collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text: String = self.problems.iter().take(SHOWN_PROBLEMS).map(ProblemReport::text).collect();
        let hidden = (self.errors + self.warnings).saturating_sub(self.problems.len().min(SHOWN_PROBLEMS) as u64);
        if hidden > 0 {
            text += &format!("… and {hidden} more\n");
        }
        self.unchecked.iter().for_each(|what| text += &format!("not checked: {what}\n"));
        let number = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let (rows, errors) = (number(self.rows, "row"), number(self.errors, "error"));
        text + &format!("{} {}: {rows}, {errors}, {}\n", self.model, self.version, number(self.warnings, "warning"))
    }

    pub(super) fn json(&self) -> String {
        // These types hold nothing that JSON cannot say.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}
