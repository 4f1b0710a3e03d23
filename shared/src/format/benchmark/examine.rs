//! Reading a benchmark file: its rows, and everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::error::Problem;

use super::super::json::{self, Fault, Member, Node, Position, Value};
use super::{Examined, Finding, MapeUnit, Measure, Row, Severity, UnitGuess, ZERO_ACTUALS_MAPE_RATIO, guess_unit};

/// The keys of a row, in the order in which the class writes them.
pub(super) const ROW_KEYS: [&str; 10] = [
    "model_name",
    "dataset_name",
    "mape",
    "rmse",
    "mae",
    "training_time",
    "prediction_time",
    "n_samples",
    "n_features",
    "params",
];

/// Top-level key of what this project adds; the class and its loader do not look at it.
pub(super) const OUR_KEY: &str = "bench_compare";

/// Under [`OUR_KEY`]: names of measures that were not measured and stand as 0.
pub(super) const NOT_MEASURED: &str = "not_measured";

/// By how much of MAE the RMSE may lie below it through rounding alone.
const ROUNDING: f64 = 1e-9;

/// Reads the bytes of the file at `path` and reports all that is wrong with them.
pub fn examine(path: &Path, bytes: &[u8]) -> Examined {
    let mut exam = Exam { path, not_measured: BTreeSet::new(), findings: Vec::new() };
    if json::byte_order_mark(bytes) > 0 {
        exam.byte_order_mark();
    }
    let (rows, timestamp) = match json::parse(bytes) {
        Ok(root) => exam.file(&root),
        Err(fault) => {
            exam.not_json(fault);
            (Vec::new(), None)
        }
    };
    exam.findings.sort_by_key(|finding| (finding.problem.place.line, finding.problem.place.column));
    Examined { path: path.to_owned(), rows, timestamp, findings: exam.findings }
}

/// A value that makes its row unusable; the finding says why.
struct Refused;

struct Exam<'a> {
    path: &'a Path,
    not_measured: BTreeSet<String>,
    findings: Vec<Finding>,
}

impl Exam<'_> {
    fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        at: Position,
        found: impl Into<String>,
        expected: impl Into<String>,
        help: impl Into<String>,
    ) {
        let problem = Problem { place: at.of(self.path), found: found.into(), expected: expected.into() };
        self.findings.push(Finding { rule, severity, problem, help: help.into() });
    }

    fn byte_order_mark(&mut self) {
        let help = "save the file as UTF-8 without a mark: Python's json.load refuses it; this tool reads it";
        let at = Position { line: 1, column: 1 };
        self.add(Severity::Error, "byte-order-mark", at, "a UTF-8 byte order mark", "none", help);
    }

    fn not_json(&mut self, fault: Fault) {
        let help = if fault.truncated {
            "the writer stopped here: json.dump raises TypeError on numpy values such as int64 or float32 and leaves half a \
             file; convert them (int(…), float(…), .item()) before saving, and run the benchmark again"
        } else {
            "correct the file at this place, or write it again with ModelBenchmark.save_results"
        };
        let rule = if fault.truncated { "truncated" } else { "not-json" };
        self.add(Severity::Unreadable, rule, fault.at, fault.found, fault.expected, help);
    }

    fn file(&mut self, root: &Node) -> (Vec<Row>, Option<String>) {
        let Some(results) = self.results(root) else { return (Vec::new(), None) };
        self.not_measured = not_measured(root);
        let rows: Vec<Row> = results.iter().filter_map(|node| self.row(node)).collect();
        if results.is_empty() {
            let help = "every model failed or none was run: the class prints why and writes no row; see its output";
            let at = root.get("results").map_or(root.at, |node| node.at);
            self.add(
                Severity::Fatal,
                "empty-results",
                at,
                "\"results\" is empty",
                "a row for each model and dataset",
                help,
            );
        }
        self.counts(root, &rows, results.len());
        self.unit(&rows);
        self.grid(&rows);
        self.duplicates(&rows);
        (rows, self.timestamp(root))
    }

    fn results<'n>(&mut self, root: &'n Node) -> Option<&'n [Node]> {
        let node = root.get("results");
        let items = node.and_then(Node::items);
        if items.is_none() {
            let found = node.map_or("no key \"results\"".to_owned(), |node| format!("\"results\" is {}", node.value));
            let at = node.map_or(root.at, |node| node.at);
            let help = "give a benchmark_results.json as ModelBenchmark.save_results writes it";
            self.add(Severity::Fatal, "not-a-benchmark", at, found, "an object with an array \"results\"", help);
        }
        items
    }

    fn row(&mut self, node: &Node) -> Option<Row> {
        let Some(members) = node.members() else {
            let help = "give a benchmark_results.json as ModelBenchmark.save_results writes it";
            self.add(Severity::Fatal, "wrong-type", node.at, format!("a row is {}", node.value), "an object", help);
            return None;
        };
        self.extra_keys(members);
        let row = Row {
            place: node.at.of(self.path),
            model_name: self.name(node, "model_name")?,
            dataset_name: self.name(node, "dataset_name")?,
            mape: self.accuracy(node, "mape")?,
            rmse: self.accuracy(node, "rmse")?,
            mae: self.accuracy(node, "mae")?,
            training_time: self.time(node, "training_time")?,
            prediction_time: self.time(node, "prediction_time")?,
            n_samples: self.count(node, "n_samples").ok()?,
            n_features: self.count(node, "n_features").ok()?,
            params: node.get("params").filter(|params| params.value != Value::Null).cloned(),
        };
        self.plausible(&row);
        self.params(&row);
        Some(row)
    }

    fn extra_keys(&mut self, members: &[Member]) {
        for member in members.iter().filter(|member| !ROW_KEYS.contains(&member.key.as_str())) {
            let help = "the class's loader raises TypeError on a key it does not know: move it into \"params\" or to the top \
                        level; this tool reads the row without it";
            let found = format!("unknown key {:?} in a row", member.key);
            self.add(Severity::Error, "extra-key", member.at, found, "the ten keys that the class writes", help);
        }
    }

    /// A key that must be there; its absence is fatal.
    fn required<'n>(&mut self, row: &'n Node, key: &str, expected: &str) -> Option<&'n Node> {
        let node = row.get(key);
        if node.is_none() {
            let help = "run the benchmark again, or remove the row";
            self.add(Severity::Fatal, "missing-key", row.at, format!("the row has no {key:?}"), expected, help);
        }
        node
    }

    fn wrong_type(&mut self, node: &Node, key: &str, expected: &str) {
        let found = format!("{key:?}: {}", node.value);
        self.add(
            Severity::Fatal,
            "wrong-type",
            node.at,
            found,
            expected,
            "correct the value or run the benchmark again",
        );
    }

    fn name(&mut self, row: &Node, key: &str) -> Option<String> {
        let node = self.required(row, key, "a name")?;
        let text = node.as_str().filter(|text| !text.trim().is_empty());
        if text.is_none() {
            self.wrong_type(node, key, "a name in quotes, not empty");
        }
        text.map(str::to_owned)
    }

    /// A number that may have failed; `null` is a failed one.
    fn number(&mut self, node: &Node, key: &str) -> Option<Measure> {
        match &node.value {
            Value::Number(number) => Some(Measure { value: number.value, text: number.text.clone(), at: node.at }),
            Value::Null => Some(Measure { value: f64::NAN, text: "null".to_owned(), at: node.at }),
            _ => {
                self.wrong_type(node, key, "a number");
                None
            }
        }
    }

    fn accuracy(&mut self, row: &Node, key: &str) -> Option<Measure> {
        let node = self.required(row, key, "a number")?;
        let measure = self.number(node, key)?;
        if measure.value < 0.0 {
            self.negative(&measure, key, Severity::Fatal);
            return None;
        }
        if measure.finite().is_none() {
            self.non_finite(&measure, key);
        }
        Some(measure)
    }

    fn negative(&mut self, measure: &Measure, key: &str, severity: Severity) {
        let found = format!("{key:?}: {} is below zero", measure.text);
        self.add(severity, "negative", measure.at, found, "zero or more", "run the benchmark again");
    }

    fn non_finite(&mut self, measure: &Measure, key: &str) {
        let help = "a failed result: it never wins and counts as no evidence; look for missing actuals or predictions that \
                    are NaN or overflow, and run this model again on this dataset";
        let found = format!("{key:?}: {} is not finite", measure.text);
        self.add(Severity::Error, "non-finite", measure.at, found, "a finite number", help);
    }

    fn time(&mut self, row: &Node, key: &str) -> Option<Measure> {
        let Some(node) = row.get(key) else {
            self.absent(row, key);
            return Some(Measure { value: f64::NAN, text: "absent".to_owned(), at: row.at });
        };
        let measure = self.number(node, key)?;
        if self.not_measured.contains(key) && measure.value == 0.0 {
            return Some(Measure { value: f64::NAN, text: "not measured".to_owned(), at: node.at });
        }
        if measure.value < 0.0 {
            self.negative(&measure, key, Severity::Error);
            return Some(Measure { value: f64::NAN, ..measure });
        }
        if measure.finite().is_none() {
            self.non_finite(&measure, key);
        }
        Some(measure)
    }

    /// A key without which this tool can do, and the class's loader cannot.
    fn absent(&mut self, row: &Node, key: &str) {
        let help = "the class's loader raises TypeError without it: write the file with ModelBenchmark.save_results";
        self.add(
            Severity::Error,
            "missing-key",
            row.at,
            format!("the row has no {key:?}"),
            "the ten keys of the class",
            help,
        );
    }

    /// A count, or nothing where the row does not say.
    fn count(&mut self, row: &Node, key: &str) -> Result<Option<u64>, Refused> {
        let Some(node) = row.get(key) else {
            self.absent(row, key);
            return Ok(None);
        };
        let value = node.as_u64().filter(|&value| key != "n_samples" || value > 0);
        let Some(value) = value else {
            self.wrong_type(node, key, "a whole number, and of samples at least 1");
            return Err(Refused);
        };
        Ok(Some(value).filter(|&value| value > 0 || !self.not_measured.contains(key)))
    }

    fn plausible(&mut self, row: &Row) {
        if row.mape.finite().is_some_and(|mape| mape > 100.0 * ZERO_ACTUALS_MAPE_RATIO) {
            let help = "it says how many actuals are zero, nothing of the forecast: gate on WAPE, MAE or RMSE, or score the \
                        forecast table, where rows with zero actuals are excluded and counted";
            let found =
                format!("\"mape\": {} is inflated by zero actuals (the class divides by max(|y|,1e-8))", row.mape.text);
            self.add(Severity::Error, "zero-actuals", row.mape.at, found, "at most 1e6 percent", help);
        }
        if let (Some(rmse), Some(mae)) = (row.rmse.finite(), row.mae.finite()) {
            self.order(row, rmse, mae);
        }
        if row.accuracy().iter().all(|(_, measure)| measure.value == 0.0) {
            let help = "look for the target among the features before you trust it";
            let found = format!("model {:?} has no error at all on {:?}", row.model_name, row.dataset_name);
            self.add(Severity::Warning, "perfect-score", row.mape.at, found, "some error", help);
        }
    }

    fn order(&mut self, row: &Row, rmse: f64, mae: f64) {
        if rmse < mae * (1.0 - ROUNDING) {
            let found = format!("\"rmse\": {} is below the mae of the same row, {}", row.rmse.text, row.mae.text);
            let help = "no set of errors gives these two numbers: see whether columns were swapped";
            self.add(Severity::Error, "rmse-below-mae", row.rmse.at, found, "rmse >= mae", help);
        }
    }

    fn params(&mut self, row: &Row) {
        if let Some((node, number)) = row.params.as_ref().and_then(Node::non_finite) {
            let found = format!("\"params\" holds {}", number.text);
            let help = "Python and this tool read it, strict JSON readers refuse the file: write null";
            self.add(Severity::Warning, "non-finite-params", node.at, found, "numbers that JSON knows", help);
        }
    }

    fn counts(&mut self, root: &Node, rows: &[Row], all_rows: usize) {
        if rows.len() < all_rows {
            return;
        }
        let distinct = |name: fn(&Row) -> &str| rows.iter().map(name).collect::<BTreeSet<_>>().len() as u64;
        self.top_count(root, "n_models", distinct(|row| &row.model_name), "models");
        self.top_count(root, "n_datasets", distinct(|row| &row.dataset_name), "datasets");
    }

    fn top_count(&mut self, root: &Node, key: &str, counted: u64, what: &str) {
        let Some(node) = root.get(key) else { return };
        if node.as_u64() != Some(counted) {
            let found = format!("{key:?}: {}, but the rows name {counted} {what}", node.value);
            let help = "rows were added or removed by hand, or files were merged: write the file again";
            self.add(Severity::Error, "count-mismatch", node.at, found, counted.to_string(), help);
        }
    }

    fn unit(&mut self, rows: &[Row]) {
        let Some(first) = rows.first() else { return };
        let at = first.mape.at;
        match guess_unit(rows) {
            UnitGuess::Likely { unit: MapeUnit::Fraction, least, most } => {
                let found = format!("\"mape\" looks like a fraction ({least} to {most} in this file)");
                let help = "say --mape-unit fraction, or multiply by 100: the class writes percent";
                self.add(Severity::Warning, "mape-fraction", at, found, "percent", help);
            }
            UnitGuess::Unclear { least, most } => {
                let found =
                    format!("\"mape\" is neither clearly percent nor a fraction ({least} to {most} in this file)");
                self.add(Severity::Warning, "mape-unit", at, found, "one unit", "say --mape-unit percent or fraction");
            }
            _ => {}
        }
    }

    /// Models that miss datasets on which others were run: the class writes no row for a failure.
    fn grid(&mut self, rows: &[Row]) {
        let datasets: BTreeSet<&str> = rows.iter().map(|row| row.dataset_name.as_str()).collect();
        let mut by_model: BTreeMap<&str, (&Row, BTreeSet<&str>)> = BTreeMap::new();
        for row in rows {
            by_model.entry(&row.model_name).or_insert((row, BTreeSet::new())).1.insert(&row.dataset_name);
        }
        for (model, (row, known)) in by_model.into_iter().filter(|(_, (_, known))| known.len() < datasets.len()) {
            let missing: Vec<&str> = datasets.difference(&known).copied().take(5).collect();
            let found = format!(
                "model {model:?} has no row for {} of {} datasets: {}",
                datasets.len() - known.len(),
                datasets.len(),
                missing.join(", ")
            );
            let help = "it failed or was not run (the class prints why and writes no row); name what must be there with \
                        --require-dataset";
            let finding = Problem { place: row.place.clone(), found, expected: "a row for every dataset".to_owned() };
            self.findings.push(Finding {
                rule: "missing-row",
                severity: Severity::Warning,
                problem: finding,
                help: help.to_owned(),
            });
        }
    }

    fn duplicates(&mut self, rows: &[Row]) {
        let mut first: BTreeMap<(&str, &str), &Row> = BTreeMap::new();
        for row in rows {
            let Some(earlier) = first.get(&(row.model_name.as_str(), row.dataset_name.as_str())) else {
                first.insert((&row.model_name, &row.dataset_name), row);
                continue;
            };
            let found = format!(
                "a second row for model {:?} on {:?}; the first is in line {}",
                row.model_name,
                row.dataset_name,
                earlier.place.line.unwrap_or_default()
            );
            let help = "reruns append: keep one, or say --duplicates last, mean, or identical";
            let problem = Problem { place: row.place.clone(), found, expected: "one row".to_owned() };
            self.findings.push(Finding {
                rule: "duplicate-row",
                severity: Severity::Error,
                problem,
                help: help.to_owned(),
            });
        }
    }

    fn timestamp(&mut self, root: &Node) -> Option<String> {
        let text = root.get("timestamp").and_then(Node::as_str);
        if text.is_none_or(|text| text.parse::<jiff::civil::DateTime>().is_err()) {
            let at = root.get("timestamp").map_or(root.at, |node| node.at);
            let found =
                root.get("timestamp").map_or("no \"timestamp\"".to_owned(), |n| format!("\"timestamp\": {}", n.value));
            let help = "without it nobody can tell how old the evidence is: write the file again";
            self.add(Severity::Warning, "timestamp", at, found, "a time such as 2026-11-23T02:54:38.433148", help);
        }
        text.map(str::to_owned)
    }
}

fn not_measured(root: &Node) -> BTreeSet<String> {
    let names = root.get(OUR_KEY).and_then(|ours| ours.get(NOT_MEASURED)).and_then(Node::items);
    names.unwrap_or_default().iter().filter_map(Node::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = r#"{"results": [{"model_name": "a", "dataset_name": "d@w", "mape": 5.4, "rmse": 2.0, "mae": 1.0,
        "training_time": 1.0, "prediction_time": 0.1, "n_samples": 9, "n_features": 1, "params": null}],
        "timestamp": "2026-11-23T02:54:38", "n_models": 1, "n_datasets": 1}"#;

    /// The rules that `text` breaks.
    fn rules(text: &str) -> Vec<&'static str> {
        examine(Path::new("x"), text.as_bytes()).findings.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn each_rule_finds_its_fault() {
        assert_eq!(rules(GOOD), [""; 0]);
        for (from, to, rule) in [
            ("\"mape\": 5.4", "\"mape\": \"5.4\"", "wrong-type"),
            ("\"mape\": 5.4", "\"mape\": -5.4", "negative"),
            ("\"mape\": 5.4", "\"mape\": null", "non-finite"),
            ("\"mape\": 5.4,", "", "missing-key"),
            ("\"training_time\": 1.0,", "", "missing-key"),
            ("\"training_time\": 1.0", "\"training_time\": -1.0", "negative"),
            ("\"rmse\": 2.0", "\"rmse\": 0.5", "rmse-below-mae"),
            ("\"n_samples\": 9", "\"n_samples\": 0", "wrong-type"),
            ("\"n_samples\": 9", "\"n_samples\": 9.5", "wrong-type"),
            ("\"n_models\": 1", "\"n_models\": 2", "count-mismatch"),
            ("\"model_name\": \"a\"", "\"model_name\": \" \"", "wrong-type"),
            ("2026-11-23T", "yesterday ", "timestamp"),
            ("\"results\": [", "\"results\": [7, ", "wrong-type"),
            ("\"results\"", "\"result\"", "not-a-benchmark"),
            ("\"n_samples\": 9", "\"n_samples\": 9, \"n_samples\": 9", "not-json"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            assert_eq!(rules(&GOOD.replace(from, to)), [rule], "{from} -> {to}");
        }
        assert_eq!(rules("[]"), ["not-a-benchmark"]);
        assert_eq!(rules(""), ["truncated"]);
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(cut in 0usize..600, at in 0usize..600, with in any::<u8>()) {
            let mut bytes = GOOD.as_bytes().to_vec();
            let length = bytes.len();
            bytes[at % length] = with;
            bytes.truncate(length - cut % length / 2);
            _ = examine(Path::new("x"), &bytes).into_file();
        }
    }
}
