//! What a test prints: one object for programs, lines for people.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use shared::cli::Format;
use shared::format::input::{Input, Tool};
use shared::stats::Undefined;
use shared::{Error, Exit, Place};

use super::table::Table;

/// The `schema` of the JSON output.
pub const SCHEMA: &str = "bench-compare/test/1";

/// A test's answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// The name of the subcommand.
    pub test: String,
    /// Whether the test has an answer on this data; if not, `note` says why and the exit status is 4.
    pub decided: bool,
    /// The statistic, if it is a finite number.
    pub statistic: Option<f64>,
    /// The p-value, if there is one.
    pub p_value: Option<f64>,
    /// Pairs, times or tasks.
    pub n: u64,
    /// The columns tested, in order: the first is the first method.
    pub columns: Vec<String>,
    /// The settings that took part.
    pub settings: Map<String, Value>,
    /// What else the test computes.
    pub details: Map<String, Value>,
    /// What a reader should know.
    pub note: Option<String>,
    /// The file read.
    pub inputs: Vec<Input>,
}

impl Report {
    /// A report of a test on a table, not decided so far.
    pub(super) fn new(test: &str, table: &Table, settings: Value) -> Self {
        let tool = Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        let note = (!table.notes.is_empty()).then(|| table.notes.join("; "));
        Self {
            schema: SCHEMA.to_owned(),
            tool,
            test: test.to_owned(),
            decided: false,
            statistic: None,
            p_value: None,
            n: table.columns.first().map_or(0, Vec::len) as u64,
            columns: table.names.clone(),
            settings: object(settings),
            details: Map::new(),
            note,
            inputs: vec![table.input.clone()],
        }
    }

    /// The same with an answer; what is not finite is left out.
    pub(super) fn answer(mut self, statistic: impl Into<Option<f64>>, p_value: f64, details: Value) -> Self {
        self.decided = true;
        self.statistic = statistic.into().filter(|value| value.is_finite());
        self.p_value = Some(p_value);
        self.details = object(details);
        self
    }

    /// The same with a remark.
    pub(super) fn remark(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.note = Some(self.note.map_or(text.clone(), |before| format!("{before}; {text}")));
        self
    }

    /// Bad input is an error; a test without an answer is a report that says so.
    ///
    /// # Errors
    /// With the file's name where the input is bad: exit status 2.
    pub(super) fn without_answer(self, reason: &Undefined) -> anyhow::Result<Self> {
        if reason.is_bad_input() {
            let path = self.inputs.first().map(|input| input.path.clone()).unwrap_or_default();
            return Err(Error::input(Place::file(path), reason.to_string(), "").into());
        }
        Ok(self.remark(reason.to_string()))
    }

    /// 0 where the test has an answer, 4 where not.
    pub fn exit(&self) -> Exit {
        if self.decided { Exit::Ok } else { Exit::Undecided }
    }

    /// The text of the output.
    ///
    /// # Errors
    /// If a number cannot be written as JSON, which does not happen with finite ones.
    pub fn render(&self, format: Format) -> anyhow::Result<String> {
        Ok(match format {
            Format::Json => format!("{}\n", serde_json::to_string_pretty(self)?),
            Format::Text => self.text(),
            Format::Csv => self.csv(),
            Format::Markdown => self.markdown(),
        })
    }

    fn text(&self) -> String {
        let mut out = format!("{} of {}\n", title(&self.test), self.columns.join(", "));
        for (name, value) in self.lines() {
            // Writing to a String cannot fail.
            _ = writeln!(out, "  {name:<28} {value}");
        }
        if let Some(note) = &self.note {
            _ = writeln!(out, "note: {note}");
        }
        out
    }

    fn markdown(&self) -> String {
        let mut out = format!("**{}** of {}\n\n| | |\n|---|---:|\n", title(&self.test), self.columns.join(", "));
        for (name, value) in self.lines() {
            _ = writeln!(out, "| {name} | {value} |");
        }
        if let Some(note) = &self.note {
            _ = writeln!(out, "\n{note}");
        }
        out
    }

    fn csv(&self) -> String {
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let (statistic, p_value) = (number(self.statistic), number(self.p_value));
        format!("test,statistic,p_value,n,decided\n{},{statistic},{p_value},{},{}\n", self.test, self.n, self.decided)
    }

    fn lines(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        let headline = [("statistic", self.statistic), ("p-value", self.p_value)];
        lines.extend(headline.map(|(name, value)| (name.to_owned(), value.map_or("-".to_owned(), significant))));
        lines.push(("n".to_owned(), self.n.to_string()));
        for (name, value) in self.settings.iter().chain(&self.details) {
            flatten(&name.replace('_', " "), value, &mut lines);
        }
        lines
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn title(test: &str) -> &'static str {
    match test {
        "dm" => "Diebold-Mariano test",
        "wilcoxon" => "Wilcoxon signed-rank test",
        "sign" => "Sign test",
        "friedman" => "Friedman test",
        "nemenyi" => "Nemenyi test",
        "mcs" => "Model confidence set",
        "spa" => "Test of superior predictive ability",
        "pt" => "Pesaran-Timmermann test",
        _ => "Giacomini-White test",
    }
}

/// Objects become a line for each member, arrays of words one line.
fn flatten(name: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                flatten(&format!("{name}: {member}"), value, lines);
            }
        }
        Value::Array(items) if items.is_empty() => lines.push((name.to_owned(), "none".to_owned())),
        Value::Array(items) => lines.push((name.to_owned(), items.iter().map(scalar).collect::<Vec<_>>().join(", "))),
        _ => lines.push((name.to_owned(), scalar(value))),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().map_or_else(String::new, significant),
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        other => other.to_string(),
    }
}

/// Six significant digits; powers of ten where the number is far from 1.
fn significant(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e7 {
        return format!("{value:.0}");
    }
    if size != 0.0 && !(1e-4..1e7).contains(&size) {
        return format!("{value:.5e}");
    }
    let digits = if size < 1.0 { 7 } else { 6_usize.saturating_sub(whole_digits(size)) };
    format!("{value:.digits$}")
}

fn whole_digits(size: f64) -> usize {
    format!("{size:.0}").len()
}
