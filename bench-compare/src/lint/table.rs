//! Basic checks of CSV tables: header, row lengths, duplicates, cells that are no finite number.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::path::Path;

use csv::ByteRecord;
use shared::error::{Place, Problem, SHOWN_PROBLEMS};
use shared::format::benchmark::{Finding, Severity};

use super::Kind;
use crate::load::forecasts::is_time;

/// What was found in a table.
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) rows: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) hidden: u64,
}

/// Columns of fev-bench that are not part of a task's or model's identity.
const FEV_MEASURES: [&str; 7] = ["test_error", "SQL", "MASE", "WAPE", "WQL", "training_time_s", "inference_time_s"];

/// Columns of fev-bench that make a task, with the model's name.
const FEV_KEY: [&str; 18] = [
    "model_name",
    "dataset_path",
    "dataset_config",
    "horizon",
    "initial_cutoff",
    "min_context_length",
    "max_context_length",
    "seasonality",
    "eval_metric",
    "extra_metrics",
    "quantile_levels",
    "id_column",
    "timestamp_column",
    "target",
    "generate_univariate_targets_from",
    "known_dynamic_columns",
    "past_dynamic_columns",
    "static_columns",
];

/// Columns of a forecast table that may hold text; all others that begin with a number must hold numbers.
const FORECAST_KEY: [&str; 3] = ["unique_id", "cutoff", "ds"];

/// What the columns of a table are for.
struct Layout {
    kind: Kind,
    /// Fields that together occur once.
    key: Vec<usize>,
    /// Fields that must be times.
    times: Vec<usize>,
    /// Fields that must be finite numbers.
    measures: Vec<usize>,
    /// Whether a measure may be text throughout, which its first cell decides.
    guess: bool,
}

impl Layout {
    fn of(header: &[String]) -> Self {
        let at = |name: &str| header.iter().position(|column| column == name);
        let all = |names: &[&str]| names.iter().copied().map(at).collect::<Option<Vec<usize>>>();
        let some = |names: &[&str]| names.iter().copied().filter_map(at).collect::<Vec<usize>>();
        let except = |key: &[usize]| (0..header.len()).filter(|index| !key.contains(index)).collect::<Vec<usize>>();
        let times = some(&["cutoff", "ds"]);
        if let Some(key) = all(&FORECAST_KEY) {
            return Self { kind: Kind::ForecastTable, times, measures: except(&key), key, guess: true };
        }
        if let Some(key) = all(&["unique_id", "ds"]) {
            return Self { kind: Kind::TrainingTable, times, measures: except(&key), key, guess: true };
        }
        let times = Vec::new();
        if at("model_name").is_some() && at("dataset_path").is_some() {
            let (key, measures) = (some(&FEV_KEY), some(&FEV_MEASURES));
            return Self { kind: Kind::ResultTable, key, times, measures, guess: false };
        }
        if let Some(key) = all(&["dataset", "model"]) {
            let measures = except(&key).into_iter().filter(|&i| header[i].starts_with("eval_metrics/")).collect();
            return Self { kind: Kind::ResultTable, key, times, measures, guess: false };
        }
        Self { kind: Kind::UnknownTable, key: Vec::new(), times, measures: Vec::new(), guess: false }
    }
}

/// Checks a table; memory grows with the number of keys.
pub(super) fn check(path: &Path, reader: impl Read) -> Found {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(str::to_owned).collect(),
        Err(error) => return unreadable(path, &error),
    };
    let mut table = Table::new(path, header);
    table.check_header();
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => table.check_row(&record),
            Ok(false) => return table.finish(),
            Err(error) => return unreadable(path, &error),
        }
    }
}

fn unreadable(path: &Path, error: &csv::Error) -> Found {
    let line = error.position().map(csv::Position::line);
    let place = Place { path: path.to_owned(), line, column: None };
    let problem = Problem { place, found: error.to_string(), expected: "a CSV table in UTF-8".to_owned() };
    let help = "write the table again as UTF-8 CSV".to_owned();
    let finding = Finding { rule: "not-csv", severity: Severity::Unreadable, problem, help };
    Found { kind: Kind::Unreadable, rows: 0, findings: vec![finding], hidden: 0 }
}

struct Table<'a> {
    path: &'a Path,
    header: Vec<String>,
    layout: Layout,
    hashers: [RandomState; 2],
    /// Hash of a key (128 bits, so that two keys are not taken for one) and the line of its first row.
    seen: HashMap<(u64, u64), u64>,
    rows: u64,
    kept: HashMap<&'static str, usize>,
    findings: Vec<Finding>,
    hidden: u64,
}

impl<'a> Table<'a> {
    fn new(path: &'a Path, header: Vec<String>) -> Self {
        let layout = Layout::of(&header);
        let hashers = [RandomState::new(), RandomState::new()];
        let (seen, kept) = (HashMap::new(), HashMap::new());
        Self { path, header, layout, hashers, seen, rows: 0, kept, findings: Vec::new(), hidden: 0 }
    }

    /// Keeps the first problems of a rule and counts the others.
    fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        at: (u64, usize),
        found: String,
        expected: &str,
        help: &str,
    ) {
        let kept = self.kept.entry(rule).or_default();
        if *kept >= SHOWN_PROBLEMS {
            self.hidden += 1;
            return;
        }
        *kept += 1;
        let place = Place::at(self.path, at.0, at.1 as u64 + 1);
        let problem = Problem { place, found, expected: expected.to_owned() };
        self.findings.push(Finding { rule, severity, problem, help: help.to_owned() });
    }

    fn check_header(&mut self) {
        for index in 0..self.header.len() {
            let name = self.header[index].clone();
            if name.trim().is_empty() || self.header[..index].contains(&name) {
                let found = format!("column {} is named {name:?}, as another or not at all", index + 1);
                self.add(Severity::Fatal, "header", (1, index), found, "a name for each column", "rename the column");
            }
        }
        if self.layout.kind == Kind::ForecastTable && !self.header.iter().any(|name| name == "y") {
            let help = "where the table is read, --map y=COLUMN says what the column of actuals is called";
            self.add(Severity::Warning, "no-actuals", (1, 0), "no column \"y\"".to_owned(), "the actuals", help);
        }
        let is_one = self.header.len() > 1 && self.path.extension().is_none_or(|end| end != "json");
        if self.layout.kind == Kind::UnknownTable && !is_one {
            let found = format!("it begins with {:?}", shown(&self.header.join(",")));
            let help =
                "this is what a writer that stopped, a failed download or a wrong path leaves; make the file again";
            self.add(Severity::Fatal, "not-a-table", (1, 0), found, "JSON, or a table with several columns", help);
        } else if self.layout.kind == Kind::UnknownTable {
            let found = format!("the columns {} make no table that is known here", self.header.join(", "));
            let expected = "unique_id, ds, cutoff, y, MODEL… or a result table of fev-bench or GIFT-Eval";
            let help = "only header and row lengths were checked; name the columns with --map where the table is read";
            self.add(Severity::Warning, "unknown-columns", (1, 0), found, expected, help);
        }
    }

    fn check_row(&mut self, record: &ByteRecord) {
        let line = record.position().map_or(0, csv::Position::line);
        self.rows += 1;
        if record.len() != self.header.len() {
            let found = format!("{} fields", record.len());
            let expected = format!("{}, as in the header", self.header.len());
            let help = "look for a stray separator, an open quote or a writer that stopped";
            self.add(Severity::Fatal, "row-length", (line, record.len().saturating_sub(1)), found, &expected, help);
            return;
        }
        if self.rows == 1 && self.layout.guess {
            self.layout.measures.retain(|&index| record[index].is_empty() || number(&record[index]).is_some());
        }
        self.check_key(record, line);
        for position in 0..self.layout.times.len() {
            self.check_time(record, line, self.layout.times[position]);
        }
        for position in 0..self.layout.measures.len() {
            self.check_measure(record, line, self.layout.measures[position]);
        }
    }

    fn check_key(&mut self, record: &ByteRecord, line: u64) {
        if self.layout.key.is_empty() {
            return;
        }
        let key: Vec<&[u8]> = self.layout.key.iter().map(|&index| &record[index]).collect();
        let hash = (self.hashers[0].hash_one(&key), self.hashers[1].hash_one(&key));
        let first = *self.seen.entry(hash).or_insert(line);
        if first != line {
            let names: Vec<&str> = self.layout.key.iter().take(3).map(|&index| self.header[index].as_str()).collect();
            let found = format!("the same {} as in line {first}", names.join(", "));
            let help = "keep one of the rows; reruns and joins that multiply rows cause this";
            self.add(Severity::Error, "duplicate-row", (line, self.layout.key[0]), found, "each once", help);
        }
    }

    fn check_time(&mut self, record: &ByteRecord, line: u64, index: usize) {
        let cell = &record[index];
        if !is_time(cell) {
            let found = format!("column {:?}: {:?} is not a time", self.header[index], String::from_utf8_lossy(cell));
            let help = "look for a date that does not exist, and for day and month in the wrong order";
            self.add(Severity::Fatal, "not-a-time", (line, index), found, "2024-01-31 or 2024-01-31T06:00:00", help);
        }
    }

    fn check_measure(&mut self, record: &ByteRecord, line: u64, index: usize) {
        let cell = &record[index];
        let text = String::from_utf8_lossy(cell);
        let named = format!("column {:?}: {text:?}", self.header[index]);
        match number(cell) {
            Some(value) if value.is_finite() => {}
            Some(_) => {
                let help =
                    "a failed result: it never wins and never reaches a statistic; find out why the model failed";
                let found = format!("{named} is not finite");
                self.add(Severity::Error, "non-finite", (line, index), found, "a finite number", help);
            }
            None if cell.is_empty() => {
                let found = format!("column {:?} is empty", self.header[index]);
                let help = "a missing value: the row counts for no model that needs it";
                self.add(Severity::Warning, "empty-cell", (line, index), found, "a finite number", help);
            }
            None => {
                let help = "write numbers with a decimal point and without thousands separators or units";
                self.add(
                    Severity::Fatal,
                    "not-a-number",
                    (line, index),
                    named + " is not a number",
                    "a finite number",
                    help,
                );
            }
        }
    }

    fn finish(mut self) -> Found {
        if self.rows == 0 {
            let help = "see whether the writer stopped after the header".to_owned();
            self.add(Severity::Fatal, "empty-table", (1, 0), "the table has no rows".to_owned(), "rows", &help);
        }
        Found { kind: self.layout.kind, rows: self.rows, findings: self.findings, hidden: self.hidden }
    }
}

/// The beginning of a text that may be anything.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The number in a cell, `nan` and `inf` in any spelling included; booleans count as numbers.
fn number(cell: &[u8]) -> Option<f64> {
    match std::str::from_utf8(cell).ok()?.trim() {
        "True" | "true" => Some(1.0),
        "False" | "false" => Some(0.0),
        text => text.parse().ok(),
    }
}
