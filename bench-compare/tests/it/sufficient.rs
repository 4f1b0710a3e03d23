//! Sufficient statistics in place of a table: the same answers, and no change of the file that goes unnoticed.
//!
//! `tests/data/sufficient/duckdb.csv` is what `DuckDB` made of two series of the unemployment table.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::path::{Path, PathBuf};

use bench_compare::args::{Cli, Command};
use bench_compare::load::forecasts::{self, Loaded, Request, Statistics};
use bench_compare::score::{Score, score};
use clap::Parser;
use shared::format::sufficient::{Measure, Panel};
use shared::{Error, Result};

const STATISTICS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/sufficient/duckdb.csv");
const CV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv/bls_unemployment_cv.csv");
const TRAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv/bls_unemployment_train.csv");
const MODELS: [&str; 2] = ["LightGBM", "SeasonalNaive"];

/// A result as rows of fields, to be changed.
#[derive(Clone)]
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Files in a folder of their own.
struct Files {
    folder: tempfile::TempDir,
}

impl Table {
    fn read() -> Self {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(STATISTICS).unwrap();
        let fields = |record: csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
        let mut rows: Vec<Vec<String>> = reader.records().map(|record| fields(record.unwrap())).collect();
        Self { header: rows.remove(0), rows }
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|column| column == name).expect(name)
    }

    /// The place of the first cell of a group that has paired rows.
    fn cell(&self, group: &str) -> usize {
        let column = self.column("group_id");
        self.rows.iter().position(|row| row[column] == group).unwrap()
    }

    fn set(&mut self, row: usize, name: &str, value: &str) -> String {
        let column = self.column(name);
        std::mem::replace(&mut self.rows[row][column], value.to_owned())
    }

    fn text(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        std::iter::once(&self.header).chain(&self.rows).for_each(|row| writer.write_record(row).unwrap());
        writer.into_inner().unwrap()
    }

    fn loaded(&self) -> Result<Loaded> {
        let files = Files::new();
        files.write("s.csv", &self.text());
        read(&[files.path("s.csv")], &request())
    }

    fn refused(&self) -> Error {
        let error = self.loaded().expect_err("the change is refused");
        assert!(error.help().is_some(), "{error}");
        error
    }
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        shared::fsio::write_atomic(&self.path(name), bytes).unwrap();
    }
}

fn request() -> Request {
    Request {
        models: MODELS.map(str::to_owned).into(),
        measures: vec![Measure::AbsoluteError, Measure::AbsolutePercentageError, Measure::AbsoluteScaledError],
        slices: vec!["holiday = 1".to_owned()],
        by: vec!["holiday".to_owned()],
        ..Request::default()
    }
}

fn read(files: &[PathBuf], request: &Request) -> Result<Loaded> {
    Statistics::open(files, request)?.read(request)
}

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

#[test]
fn any_changed_number_is_refused_with_its_place() {
    let table = Table::read();
    let numbers: Vec<String> = table
        .header
        .iter()
        .filter(|name| ["n_", "sum_", "count_"].iter().any(|start| name.starts_with(start)))
        .cloned()
        .collect();
    assert!(numbers.len() > 25, "{numbers:?}");
    for group in ["0", "1", "2", "-1"] {
        for name in &numbers {
            let mut changed = table.clone();
            let row = changed.cell(group);
            let before = changed.set(row, name, "0");
            let value: f64 = before.parse().unwrap();
            changed.set(row, name, &(value + 1.0).to_string());
            let error = changed.refused();
            let text = error.to_string();
            assert!(text.contains("s.csv:") && text.contains("(expected "), "group {group}, {name}: {text}");
        }
    }
}

#[test]
fn a_changed_sum_is_refused_at_the_row_of_totals() {
    let mut table = Table::read();
    let (cell, totals) = (table.cell("0"), table.cell("-1"));
    let before: f64 = table.set(cell, "sum_absolute_error_m0", "0").parse().unwrap();
    table.set(cell, "sum_absolute_error_m0", &(before * 1.01).to_string());
    let column = table.column("sum_absolute_error_m0") + 1;
    let error = table.refused().to_string();
    assert!(error.contains(&format!("s.csv:{}:{column}: totals: ", totals + 2)), "{error}");
}

#[test]
fn counts_that_contradict_each_other_are_told_at_their_column() {
    let mut table = Table::read();
    let (cell, totals) = (table.cell("0"), table.cell("-1"));
    let rows: u64 = table.set(cell, "n_rows", "2").parse().unwrap();
    let all: u64 = table.set(totals, "n_rows", "0").parse().unwrap();
    // Totals that agree do not save it: fewer rows than are paired.
    table.set(totals, "n_rows", &(all - rows + 2).to_string());
    let error = table.refused().to_string();
    let column = table.column("n_times") + 1;
    assert!(
        error.contains(&format!(
            "s.csv:{}:{column}: series \"agriculture\", cutoff 2004-01-01: 6 (expected at most n_rows, which is 2)",
            cell + 2
        )),
        "{error}"
    );
}

#[test]
fn what_is_no_number_is_told_at_its_column() {
    for (name, value, expected) in [
        ("sum_absolute_error_m1", "NaN", "a finite sum"),
        ("sum_absolute_error_m1", "inf", "a finite sum"),
        ("sum_absolute_error_m1", "", "a finite sum"),
        ("n_paired", "-1", "a count"),
        ("n_paired", "5.5", "a count"),
        ("group_id", "7", "the number of a group"),
        ("first_ds", "soon", "a time"),
    ] {
        let mut table = Table::read();
        let cell = table.cell("0");
        table.set(cell, name, value);
        let place = format!("s.csv:{}:{}: ", cell + 2, table.column(name) + 1);
        let error = table.refused().to_string();
        assert!(error.contains(&place) && error.contains(expected), "{name} {value}: {error}");
    }
}

#[test]
fn a_missing_cell_and_one_that_is_there_twice_are_refused() {
    for group in ["0", "1", "2", "-1"] {
        let mut table = Table::read();
        let row = table.cell(group);
        let removed = table.rows.remove(row);
        table.refused();
        table.rows.extend([removed.clone(), removed]);
        let error = table.refused().to_string();
        assert!(error.contains("is at") && error.contains("already"), "{error}");
    }
}

#[test]
fn a_slice_is_no_more_than_all_rows_though_totals_agree() {
    let mut table = Table::read();
    let slice = table.cell("1");
    // The cell of another cutoff: the totals stay as they are.
    let free = table
        .rows
        .iter()
        .find(|row| {
            row[table.column("group_id")] == "0"
                && row[table.column("cutoff")] != table.rows[slice][table.column("cutoff")]
        })
        .unwrap()
        .clone();
    assert!(!free.is_empty());
    table.set(slice, "series", "nobody");
    let error = table.refused().to_string();
    assert!(error.contains("at most 0, as among all rows"), "{error}");
}

/// Sets a count of the first cell and of the totals.
fn counted(name: &str, less_times: bool) -> Error {
    let mut table = Table::read();
    for row in [table.cell("0"), table.cell("-1")] {
        let value: u64 = table.set(row, name, "0").parse().unwrap();
        let value = if less_times { value - 1 } else { value + 1 };
        table.set(row, name, &value.to_string());
    }
    table.refused()
}

#[test]
fn what_a_table_is_refused_for_its_statistics_are_with_a_query_that_shows_the_rows() {
    let late = counted("n_not_after", false);
    assert!(late.to_string().contains("1 rows have no target time after the cutoff"), "{late}");
    assert_eq!(late.help(), Some(r#"SELECT * FROM "cv" WHERE "ds" IS NULL OR "ds" <= "cutoff""#));
    let twice = counted("n_times", true);
    assert!(
        twice.to_string().contains("series \"agriculture\", cutoff 2004-01-01: 6 rows have 5 different"),
        "{twice}"
    );
    let query = r#"SELECT "unique_id", "cutoff", "ds", COUNT(*) FROM "cv" GROUP BY "unique_id", "cutoff", "ds" HAVING COUNT(*) > 1"#;
    assert_eq!(twice.help(), Some(query));
    let other = counted("n_other_actual", false);
    assert!(other.to_string().contains("1 actuals are others in the training table"), "{other}");
    let train = counted("n_train_twice", false);
    assert!(train.help().unwrap().contains(r#"FROM "train" GROUP BY"#), "{train}");
}

#[test]
fn too_many_unpaired_rows_are_refused_as_in_a_table() {
    let mut table = Table::read();
    let (cell, totals) = (table.cell("0"), table.cell("-1"));
    for name in ["n_rows", "n_times", "n_missing_m1"] {
        for row in [cell, totals] {
            let value: u64 = table.set(row, name, "0").parse().unwrap();
            table.set(row, name, &(value + 40).to_string());
        }
    }
    let error = table.refused().to_string();
    assert!(error.contains("of the rows are unpaired") && error.contains("SeasonalNaive"), "{error}");
}

#[test]
fn what_the_query_did_not_ask_is_refused_with_the_flag_that_asks_it() {
    let refused = |change: fn(&mut Request)| {
        let mut request = request();
        change(&mut request);
        let error = read(&[STATISTICS.into()], &request).unwrap_err();
        assert_eq!(error.help(), Some("print the query again with `bench-compare sql` and run it"));
        error.to_string()
    };
    assert!(refused(|request| request.models[1] = "SesonalNaive".into()).contains("did you mean \"SeasonalNaive\"?"));
    assert!(refused(|request| request.models.truncate(1)).contains("\"SeasonalNaive\" has no forecast"));
    assert!(refused(|request| request.slices.push("holiday=1".into())).contains("no slice \"holiday=1\""));
    assert!(refused(|request| request.by.push("n_train".into())).contains("no levels of \"n_train\""));
    assert!(refused(|request| request.measures.push(Measure::IntervalHit { level: 80.0 })).contains("interval_hit"));
}

#[test]
fn a_table_of_forecasts_and_results_of_two_queries_are_told_apart() {
    let error = read(&[CV.into()], &request()).unwrap_err();
    assert!(error.to_string().contains("no column \"statistics\""), "{error}");
    let mut table = Table::read();
    let header = table.set(3, "statistics", "").replace("\"season\":12", "\"season\":7");
    table.set(3, "statistics", &header);
    assert!(
        table.refused().to_string().contains("s.csv:5: the result of another query than at"),
        "{}",
        table.refused()
    );
    let mut table = Table::read();
    for row in 0..table.rows.len() {
        table.set(row, "statistics", "{\"schema\":\"x\"}");
    }
    assert!(table.refused().to_string().contains("JSON with the schema"), "{}", table.refused());
}

fn scored(more: &[&str]) -> Score {
    let words = ["bench-compare", "score", "--sufficient", STATISTICS];
    let Command::Score(args) = Cli::try_parse_from(words.iter().chain(more)).unwrap().command else { panic!("score") };
    score(&args).unwrap()
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
