//! All six dialects, read by a parser that knows them.

use std::io::Write;
use std::process::{Command, Stdio};

use e2e::Place;
use serde_json::{Map, Value};

use super::table::{BASELINE, CANDIDATE, script};
use crate::python::python;

const DIALECTS: [&str; 6] = ["duckdb", "spark", "postgres", "bigquery", "trino", "datafusion"];

/// A query with everything that can be asked for, and flags that change it.
fn query(dialect: &str, more: &[&str]) -> String {
    let models = format!("{CANDIDATE},{BASELINE}");
    let mut words =
        vec!["sql", "--dialect", dialect, "--table", "lake.sales.cv", "--models", &models, "--level", "97.5"];
    words.extend(["--by", "h,it's,a\"b", "--slice", "not (ds < '2024-01-01' or region >= 'it''s' or open = false)"]);
    words.extend(more);
    let said = Place::new().run("bench-compare", &words);
    assert_eq!(said.status, 0, "{}", said.stderr);
    said.stdout
}

#[test]
fn every_dialect_is_read_by_its_parser_as_one_query() {
    let Some(python) = python("sqlglot") else { return };
    let variants: [&[&str]; 3] = [
        &["--train", "lake.sales.history", "--season", "12"],
        &["--train", "(SELECT 1)", "--direction", "diff"],
        &["--no-cutoff"],
    ];
    for more in variants {
        let queries: Map<String, Value> =
            DIALECTS.iter().map(|dialect| ((*dialect).to_owned(), query(dialect, more).into())).collect();
        let mut parse = Command::new(&python);
        parse.arg(script("parse_queries.py")).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = parse.spawn().unwrap();
        child.stdin.take().unwrap().write_all(serde_json::to_string(&queries).unwrap().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{more:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
