//! The awkward table, what is asked of it, and the answer of the rows.

use std::path::PathBuf;
use std::process::Command;

use e2e::{Place, root};
use serde_json::Value;

use crate::python::python;

/// As `make_table.py` names the models.
pub(super) const CANDIDATE: &str = "Light \"GBM\" é`\\'";
pub(super) const BASELINE: &str = "sea-sonal";
/// Columns by whose levels rows are grouped.
const BY: &str = "h,holiday,promo,region,open";

/// A table whose times are of one kind.
pub(super) struct Table {
    pub(super) place: Place,
    pub(super) python: String,
    kind: &'static str,
}

/// A script of the tests.
pub(super) fn script(name: &str) -> PathBuf {
    root().join("tests/python/engines").join(name)
}

/// Runs a command to its good end.
pub(super) fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Table {
    /// Makes the table; none, loudly, without a Python that has these modules.
    pub(super) fn new(modules: &str, kind: &'static str) -> Option<Self> {
        let python = python(&format!("pyarrow, {modules}"))?;
        let place = Place::new();
        done(Command::new(&python).arg(script("make_table.py")).arg(place.path("")).arg(kind));
        Some(Self { place, python, kind })
    }

    /// Slices with every kind of comparison.
    fn slices(&self) -> Vec<String> {
        let time = match self.kind {
            "integer" => "1070",
            "date" => "'2024-03-20'",
            "offset" => "'2024-03-20T06:30:00Z'",
            _ => "'2024-03-20T06:30:00'",
        };
        let mut slices: Vec<String> = [
            "holiday = 1",
            "region = 'Nord''s' or region >= '9'",
            "promo > 0.6 and not holiday = 1",
            "region is null or h in (1, 2)",
            "open = true and unique_id <> 'it''s'",
            "y < 50 and h between 2 and 5",
            "region not in ('10', 'S') and promo is not null",
            "holiday < h",
        ]
        .map(str::to_owned)
        .into();
        slices.push(format!("ds >= {time}"));
        slices
    }

    fn sliced(&self, words: &[&str]) -> Vec<String> {
        let slices = self.slices().into_iter().flat_map(|slice| ["--slice".to_owned(), slice]);
        words.iter().map(|&word| word.to_owned()).chain(slices).collect()
    }

    /// The query for an engine.
    pub(super) fn query(&self, dialect: &str, direction: &str) -> String {
        let models = format!("{CANDIDATE},{BASELINE}");
        let words =
            ["sql", "--dialect", dialect, "--table", "cv", "--train", "train", "--season", "7", "--level", "90"];
        let more = ["--models", &models, "--interval-models", CANDIDATE, "--by", BY, "--direction", direction];
        let said = self.place.run("bench-compare", &self.sliced(&[&words[..], &more].concat()));
        assert_eq!(said.status, 0, "{}", said.stderr);
        said.stdout
    }

    /// A file of the place, with a query in it.
    pub(super) fn saved_query(&self, dialect: &str, direction: &str) -> PathBuf {
        let path = self.place.path(&format!("{dialect}.sql"));
        shared::fsio::write_atomic(&path, self.query(dialect, direction).as_bytes()).unwrap();
        path
    }

    /// The verdict of a gate on this evidence.
    pub(super) fn gate(&self, evidence: &[&str]) -> Value {
        let words = ["--candidate-model", CANDIDATE, "--baseline-model", BASELINE, "--metric", "mase", "--season", "7"];
        let rails = ["mape=0.02", "da=0.02", "coverage=0.05", "rmsse=0.1", "bias=0.1"];
        let rails = rails.iter().flat_map(|rail| ["--guardrail", rail]);
        let more = ["--max-unpaired", "0.2", "--json"];
        let words: Vec<&str> =
            ["gate"].iter().chain(evidence).chain(&words).copied().chain(rails).chain(more).collect();
        let said = self.place.run("bench-compare", &self.sliced(&words));
        assert!([0, 1, 4].contains(&said.status), "{}", said.stderr);
        said.json()
    }

    /// All metrics by all groups.
    pub(super) fn score(&self, evidence: &[&str]) -> Value {
        let by = format!("{BY},unique_id,cutoff");
        let words = ["--by", &by, "--max-unpaired", "0.2", "--season", "7", "--json"];
        let said = self.place.run("bench-compare", &self.sliced(&[&["score"], evidence, &words].concat()));
        assert_eq!(said.status, 0, "{}", said.stderr);
        said.json()
    }

    /// The same statistics of a file that an engine wrote give the verdict of the rows, and its metrics.
    pub(super) fn assert_same(&self, file: &str, direction: &str) {
        let models = format!("{CANDIDATE},{BASELINE}");
        let rows = ["cv.parquet", "--models", &models, "--train", "train.parquet", "--direction", direction];
        crate::same::assert_same(&self.score(&rows), &self.score(&["--sufficient", file]), file, 200);
        if direction == "last" {
            let rows = self.gate(&["--forecasts", "cv.parquet", "--train", "train.parquet"]);
            crate::same::assert_same(&rows, &self.gate(&["--sufficient", file]), file, 200);
        }
    }
}
