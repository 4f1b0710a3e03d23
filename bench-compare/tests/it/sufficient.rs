//! Sufficient statistics in place of a table: the same answers.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;

use bench_compare::args::{Cli, Command};
use bench_compare::load::forecasts::{self, Loaded, Request};
use bench_compare::score::{Score, score};
use clap::Parser;
use shared::format::sufficient::Panel;

use crate::sufficient_support::{CV, Files, STATISTICS, Table, read, request};

const TRAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv/bls_unemployment_train.csv");

/// The same two series, read row by row.
fn direct() -> Loaded {
    let files = Files::new();
    let text = String::from_utf8(shared::fsio::read(Path::new(CV)).unwrap()).unwrap();
    let is_kept = |line: &&str| ["unique_id,", "agriculture,", "construction,"].iter().any(|id| line.starts_with(id));
    let kept: Vec<&str> = text.lines().filter(is_kept).collect();
    files.write("cv.csv", kept.join("\n").as_bytes());
    let request = Request { files: vec![files.path("cv.csv")], train: Some(TRAIN.into()), season: 12, ..request() };
    forecasts::read(&request).unwrap()
}

fn assert_same_sums(left: &Panel, right: &Panel) {
    assert_eq!((&left.series, &left.cutoffs, &left.rows), (&right.series, &right.cutoffs, &right.rows));
    assert_eq!(left.counts, right.counts);
    assert_eq!(left.sums.len(), right.sums.len());
    for (one, other) in left.sums.iter().zip(&right.sums) {
        assert!((one - other).abs() <= 1e-12 * one.abs().max(other.abs()), "{one} {other}");
    }
}

#[test]
fn the_sums_of_an_engine_are_those_of_the_rows() {
    let (ours, theirs) = (direct().sufficient, Table::read().loaded().unwrap().sufficient);
    let names = |groups: &[shared::format::sufficient::Group]| {
        groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&ours.groups), ["all", "holiday = 1", "holiday=0", "holiday=1"]);
    assert_eq!(names(&ours.groups), names(&theirs.groups));
    for (ours, theirs) in ours.groups.iter().zip(&theirs.groups) {
        assert_same_sums(&ours.panel, &theirs.panel);
    }
    assert_eq!((&ours.series, &ours.cutoffs, ours.horizon), (&theirs.series, &theirs.cutoffs, theirs.horizon));
    assert_eq!((&ours.checks, &ours.span), (&theirs.checks, &theirs.span));
}

#[test]
fn what_the_query_says_of_itself_keeps_to_its_schema() {
    let table = Table::read();
    let header = serde_json::from_str(&table.rows[0][table.column("statistics")]).unwrap();
    let schema = serde_json::to_value(schemars::schema_for!(bench_compare::sql::Header)).unwrap();
    jsonschema::validate(&schema, &header).unwrap();
}

#[test]
fn parts_in_a_folder_are_one_result_and_a_lost_part_is_refused() {
    let (table, files) = (Table::read(), Files::new());
    let (one, other) = table.rows.split_at(table.rows.len() / 2);
    for (name, rows) in [("part-00000.csv", one), ("part-00001.csv", other)] {
        files.write(name, &Table { rows: rows.to_vec(), ..table.clone() }.text());
    }
    files.write("_SUCCESS", b"");
    let whole = read(&[files.path("")], &request()).unwrap();
    assert_eq!(whole.sufficient.groups, table.loaded().unwrap().sufficient.groups);
    assert_eq!(whole.inputs.len(), 2, "each part with its digest");
    for lost in ["part-00000.csv", "part-00001.csv"] {
        let error = read(&[files.path(lost)], &request()).unwrap_err();
        assert!(error.help().unwrap().contains("part"), "{error}");
    }
    std::fs::create_dir(files.path("_temporary")).unwrap();
    let error = read(&[files.path("")], &request()).unwrap_err();
    assert!(error.to_string().contains("has not finished"), "{error}");
}

#[test]
fn the_order_of_rows_does_not_change_a_bit() {
    let table = Table::read();
    let turned = Table { rows: table.rows.iter().rev().cloned().collect(), ..table.clone() };
    assert_eq!(table.loaded().unwrap().sufficient, turned.loaded().unwrap().sufficient);
}

fn scored(more: &[&str]) -> Score {
    let words = ["bench-compare", "score", "--sufficient", STATISTICS];
    let Command::Score(args) = Cli::try_parse_from(words.iter().chain(more)).unwrap().command else { panic!("score") };
    score(&args, true).unwrap()
}

#[test]
fn a_score_takes_the_metrics_that_the_query_allows() {
    let score = scored(&["--by", "unique_id,cutoff,holiday"]);
    assert!(score.complete, "{:?}", score.missing);
    assert_eq!((score.season, score.level_percent), (12, Some(90.0)));
    let json = serde_json::to_value(&score).unwrap();
    for key in ["mape_ratio", "mase", "rmsse", "da_ratio", "coverage_ratio", "pinball"] {
        assert!(json["models"]["LightGBM"][key].is_f64(), "{key}: {json}");
    }
    assert!(json["models"]["SeasonalNaive"]["coverage_ratio"].is_null());
    assert_eq!(json["groups"]["unique_id"]["construction"]["LightGBM"]["n"], 23 * 6);
    assert_eq!(json["inputs"][0]["role"], "sufficient");
}
