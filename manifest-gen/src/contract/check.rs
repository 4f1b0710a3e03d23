//! Compares a request with the contract of a model.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::format::json::Position;
use shared::format::manifest::Horizon;
use shared::{Exit, suggest};

use super::cadence::retrain_due;
use super::request::{Cell, Layout, Request, Row, Value};
use super::{Contract, Staleness};

/// How many problems are kept; the others are counted.
const MAX_KEPT: usize = 1000;

/// Fields that say how far ahead a forecast is asked for.
pub(super) const HORIZON_FIELDS: [&str; 4] = ["horizon", "h", "fh", "steps"];

/// What is allowed beside the contract.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Fields beside the features.
    pub allowed: Vec<String>,
    /// What a stale model is.
    pub staleness: Staleness,
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The model takes it; worth knowing.
    Warning,
    /// The model would refuse it, or answer wrongly.
    Error,
}

/// A problem of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where in the request; nothing if it is about the model.
    pub at: Option<Position>,
    /// How much it matters.
    pub severity: Severity,
    /// A name that programs can rely on.
    pub rule: &'static str,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The first 1000 problems.
    pub findings: Vec<Finding>,
    /// How many errors there are.
    pub errors: u64,
    /// How many warnings.
    pub warnings: u64,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
    /// When the model is due to be trained again.
    pub retrain_due: Option<Timestamp>,
}

impl Verdict {
    /// 0 or 1.
    pub fn exit(&self, strict: bool) -> Exit {
        let count = self.errors + if strict { self.warnings } else { 0 };
        if count == 0 { Exit::Ok } else { Exit::No }
    }

    fn add(&mut self, severity: Severity, rule: &'static str, at: Option<Position>, found: String, expected: &str) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.findings.len() < MAX_KEPT {
            self.findings.push(Finding { at, severity, rule, found, expected: expected.to_owned() });
        }
    }

    fn error(&mut self, rule: &'static str, at: Position, found: String, expected: &str) {
        self.add(Severity::Error, rule, Some(at), found, expected);
    }
}

/// Every way in which a request at `as_of` is not what the contract promises to take.
pub fn check(contract: &Contract, request: &Request, as_of: Timestamp, rules: &Rules) -> Verdict {
    let features = contract.features.iter().enumerate();
    let index = features.map(|(index, feature)| (feature.name.as_str(), index)).collect();
    let mut checked = Check { contract, rules, index, verdict: Verdict::default(), order_said: false };
    checked.rows(request);
    checked.staleness(as_of);
    checked.verdict
}

struct Check<'a> {
    contract: &'a Contract,
    rules: &'a Rules,
    /// Where each feature stands.
    index: HashMap<&'a str, usize>,
    verdict: Verdict,
    /// The order of named fields is remarked on once.
    order_said: bool,
}

impl Check<'_> {
    fn rows(&mut self, request: &Request) {
        if request.rows.is_empty() {
            let start = Position { line: 1, column: 1 };
            self.verdict.error("empty", start, "no rows".to_owned(), "at least one");
        }
        if self.contract.horizon.is_none() {
            self.verdict.unchecked.push("horizon: the release states none".to_owned());
        }
        request.fields.iter().filter(|cell| is_horizon(cell)).for_each(|cell| self.horizon(cell));
        if let Some(header) = &request.header {
            let at = header.first().map_or(Position { line: 1, column: 1 }, |cell| cell.at);
            self.names(header, at);
            self.order(header, Severity::Error);
        }
        let columns = request.header.as_ref().map(Vec::len);
        request.rows.iter().for_each(|row| self.row(row, columns));
    }

    fn row(&mut self, row: &Row, columns: Option<usize>) {
        match row.layout {
            Layout::Named => {
                self.names(&row.cells, row.at);
                if !self.order_said {
                    self.order_said = self.order(&row.cells, Severity::Warning);
                }
            }
            Layout::Positional => self.length(row, self.contract.features.len(), "the features in order"),
            Layout::Table => self.length(row, columns.unwrap_or_default(), "as in the header"),
        }
        for (index, cell) in row.cells.iter().enumerate() {
            match row.layout {
                Layout::Positional => self.positional(index, cell),
                Layout::Named | Layout::Table => self.named(cell),
            }
        }
    }

    fn length(&mut self, row: &Row, expected: usize, what: &str) {
        if row.cells.len() != expected {
            let found = format!("{} values", row.cells.len());
            self.verdict.error("row-length", row.at, found, &format!("{expected}, {what}"));
        }
    }

    fn names(&mut self, cells: &[Cell], at: Position) {
        let given: BTreeSet<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
        for feature in &self.contract.features {
            if !given.contains(feature.name.as_str()) {
                let found = format!("the feature {:?} is missing", feature.name);
                self.verdict.error("missing-feature", at, found, "every feature of the model");
            }
        }
        let mut seen = BTreeSet::new();
        for cell in cells {
            if !seen.insert(cell.name.as_str()) {
                self.verdict.error(
                    "duplicate-field",
                    cell.name_at,
                    format!("{:?} occurs twice", cell.name),
                    "each once",
                );
            } else if !self.is_known(&cell.name) {
                self.unknown(cell);
            }
        }
    }

    fn is_feature(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    fn is_known(&self, name: &str) -> bool {
        self.is_feature(name) || HORIZON_FIELDS.contains(&name) || self.rules.allowed.iter().any(|field| field == name)
    }

    fn unknown(&mut self, cell: &Cell) {
        let names = self.contract.features.iter().map(|feature| feature.name.as_str());
        let near = suggest::nearest(&cell.name, names).map(|near| format!(": did you mean {near:?}?"));
        let found = format!("the model has no feature {:?}{}", cell.name, near.unwrap_or_default());
        self.verdict.error("unknown-field", cell.name_at, found, "features only, or a field that --allow-field names");
    }

    /// Whether the features stand in another order than the model's; says so at the first that does.
    fn order(&mut self, cells: &[Cell], severity: Severity) -> bool {
        let names: BTreeSet<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
        let expected = self.contract.features.iter().filter(|feature| names.contains(feature.name.as_str()));
        let given = cells.iter().filter(|cell| self.is_feature(&cell.name));
        let differs = given.zip(expected).find(|(cell, feature)| cell.name != feature.name);
        let Some((at, found, wanted)) =
            differs.map(|(cell, feature)| (cell.name_at, cell.name.clone(), feature.name.clone()))
        else {
            return false;
        };
        let found = format!("the feature {found:?} stands where the model has {wanted:?}");
        self.verdict.add(severity, "order", Some(at), found, "the order of the contract");
        true
    }

    fn positional(&mut self, index: usize, cell: &Cell) {
        let Some(feature) = self.contract.features.get(index) else { return };
        self.value(&Cell { name: feature.name.clone(), ..cell.clone() }, feature.kind.as_deref());
        if is_horizon(&Cell { name: feature.name.clone(), ..cell.clone() }) {
            self.horizon(cell);
        }
    }

    fn named(&mut self, cell: &Cell) {
        let feature = self.index.get(cell.name.as_str()).map(|&index| &self.contract.features[index]);
        if let Some(feature) = feature {
            self.value(cell, feature.kind.as_deref());
        }
        if is_horizon(cell) && !matches!(cell.value, Value::Null) {
            self.horizon(cell);
        }
    }

    fn value(&mut self, cell: &Cell, kind: Option<&str>) {
        let named = |what: &str| format!("the feature {:?} is {what}", cell.name);
        match &cell.value {
            Value::Null => self.verdict.error("null", cell.at, named("null or empty"), expected(kind)),
            Value::Number(number) if !number.is_finite() => {
                self.verdict.error("non-finite", cell.at, named(&number.to_string()), "a finite number");
            }
            value if !fits(kind, value) => {
                self.verdict.error("type", cell.at, named(&value.to_string()), expected(kind));
            }
            _ => {}
        }
    }

    fn horizon(&mut self, cell: &Cell) {
        let Some(horizon) = self.contract.horizon else { return };
        let steps = steps(&cell.value);
        let within =
            |step: &f64| *step >= f64::from(horizon.from) && *step <= f64::from(horizon.to) && step.fract() == 0.0;
        if steps.is_empty() || !steps.iter().all(within) {
            let found = format!("{:?} asks for {}", field(cell), shown(&cell.value));
            self.verdict.error("horizon", cell.at, found, &range(horizon));
        }
    }

    fn staleness(&mut self, as_of: Timestamp) {
        let severity = match self.rules.staleness {
            Staleness::Off => return self.verdict.unchecked.push("staleness: turned off".to_owned()),
            Staleness::Warning => Severity::Warning,
            Staleness::Error => Severity::Error,
        };
        let Contract { trained_to, cadence, time_zone, .. } = self.contract;
        let due = trained_to.as_deref().zip(cadence.as_deref());
        let due = due.and_then(|(to, cadence)| retrain_due(to, cadence, time_zone.as_deref()));
        self.verdict.retrain_due = due;
        let Some(due) = due else {
            let reason = "staleness: the release states no training window and cadence that can be read";
            return self.verdict.unchecked.push(reason.to_owned());
        };
        if as_of > due {
            let (to, cadence) = (trained_to.as_deref().unwrap_or_default(), cadence.as_deref().unwrap_or_default());
            let found = format!("the model was trained on data to {to} and was due again ({cadence}) at {due}");
            self.verdict.add(severity, "stale-model", None, found, &format!("a model that is not overdue at {as_of}"));
        }
    }
}

fn field(cell: &Cell) -> &str {
    if cell.name.is_empty() { "h" } else { &cell.name }
}

fn is_horizon(cell: &Cell) -> bool {
    HORIZON_FIELDS.contains(&cell.name.as_str())
}

/// The steps that a field asks for: a number, a list, or a range such as `1..6`.
fn steps(value: &Value) -> Vec<f64> {
    match value {
        Value::Number(step) => vec![*step],
        Value::List(steps) => steps.clone(),
        Value::Text(text) => text
            .split_once("..")
            .and_then(|(from, to)| Some(vec![from.parse().ok()?, to.parse().ok()?]))
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::List(steps) => format!("the steps {steps:?}"),
        other => other.to_string(),
    }
}

fn range(horizon: Horizon) -> String {
    format!("whole steps from {} to {}", horizon.from, horizon.to)
}

/// Whether a value that is not null is of the type.
fn fits(kind: Option<&str>, value: &Value) -> bool {
    match (kind, value) {
        (_, Value::Null | Value::List(_) | Value::Object) => false,
        (Some("number"), Value::Number(_)) => true,
        (Some("integer"), Value::Number(number)) => number.fract() == 0.0,
        (Some("boolean"), Value::Number(number)) => *number == 0.0 || *number == 1.0,
        (Some("boolean"), Value::Bool(_)) => true,
        (Some("category"), Value::Number(number)) => number.fract() == 0.0,
        (Some("category" | "text"), Value::Text(_)) => true,
        (Some("number" | "integer" | "boolean" | "category" | "text"), _) => false,
        _ => true,
    }
}

fn expected(kind: Option<&str>) -> &'static str {
    match kind {
        Some("number") => "a finite number",
        Some("integer") => "a whole number",
        Some("boolean") => "true, false, 0 or 1",
        Some("category") => "a text or the whole number of a category",
        Some("text") => "a text",
        _ => "a single value",
    }
}
