//! Folders of tables as other programs write them, and the cache of their sums, through the binary.

use std::process::Command;

use e2e::{Place, Said, data};
use serde_json::Value;

use crate::team_project::python;

const WRITE: &str = "
import pathlib, sys, pandas
table = pandas.read_csv(sys.argv[1], parse_dates=['ds', 'cutoff'])
table.to_parquet(sys.argv[2] + '/moved', partition_cols=['cutoff', 'holiday'], index=False)
for keys, rows in table.groupby(['cutoff', 'holiday']):
    folder = pathlib.Path(sys.argv[2], 'kept', f'cutoff={keys[0].date()}', f'holiday={keys[1]}')
    folder.mkdir(parents=True)
    rows.to_parquet(folder / 'part-0.parquet', index=False)
";

fn gate(place: &Place, table: &str, extra: &[&str]) -> Said {
    let train = data("cv/bls_unemployment_train.csv");
    let models =
        ["--candidate-model", "LightGBM", "--baseline-model", "RandomForest", "--slice", "holiday = 1", "--json"];
    let args = ["gate", "--forecasts", table, "--train", &train, "--season", "12"];
    place.run("bench-compare", &[&args[..], &models, extra].concat())
}

/// The numbers of a verdict, rounded: rows of one window stand in two files.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => Value::from(format!("{:.9e}", number.as_f64().unwrap())),
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), rounded(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn a_folder_that_pandas_partitions_gives_the_verdict_of_the_whole_table() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let (whole, folder) = (data("cv/bls_unemployment_cv.csv"), place.path("weeks").display().to_string());
    let written = Command::new(python).args(["-c", WRITE, &whole, &folder]).status().unwrap();
    assert!(written.success());
    let one = gate(&place, &whole, &[]).json();
    // Columns that were moved into the paths, and columns that stand in both.
    for kind in ["moved", "kept"] {
        let many = gate(&place, &format!("{folder}/{kind}"), &[]).json();
        for part in ["decision", "gates", "series", "windows"] {
            assert!(!one[part].is_null());
            assert_eq!(rounded(&one[part]), rounded(&many[part]), "{kind}: {part}");
        }
        let inputs = many["inputs"].as_array().unwrap();
        assert!(inputs.len() > 23 && inputs.iter().all(|input| input["sha256"].as_str().unwrap().len() == 64));
    }
}

#[test]
fn a_second_run_with_a_cache_reads_nothing_and_says_the_same() {
    // Files that have lain here for a while: one that was written a moment ago is not remembered.
    for table in ["cv/bls_unemployment_cv.csv", "cv/bls_unemployment_cv.parquet"].map(data) {
        let place = Place::new();
        let plain = gate(&place, &table, &[]);
        let runs = [gate(&place, &table, &["--cache", "sums"]), gate(&place, &table, &["--cache", "sums"])];
        assert!(runs[0].stderr.contains("note: cache: 0 of 1 files known, 1 read"), "{}", runs[0].stderr);
        assert!(runs[1].stderr.contains("note: cache: 1 of 1 files known, 0 read"), "{}", runs[1].stderr);
        for run in &runs {
            assert_eq!((run.status, &run.stdout), (plain.status, &plain.stdout));
        }
    }
}

#[test]
fn hashing_all_files_again_finds_the_same_sums() {
    let (place, table) = (Place::new(), data("cv/bls_unemployment_cv.csv"));
    let score = ["score", &table, "--cache", "sums", "--cache-rehash", "--json"];
    let first = place.run("bench-compare", &score);
    let second = place.run("bench-compare", &score);
    assert!(second.stderr.contains("note: cache: 1 of 1 files known, 0 read"), "{}", second.stderr);
    assert_eq!((second.status, second.stdout), (0, first.stdout));
}
