//! What `lint` says of each awkward benchmark file: status, line and column, rule, remedy.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn data(name: &str) -> String {
    let path: PathBuf = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data")).join(name);
    path.to_str().unwrap().to_owned()
}

fn edge(name: &str) -> String {
    data(&format!("benchmark/edge/{name}.json"))
}

/// Runs `bench-compare lint` and returns its status and output.
fn lint(args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bench-compare")).arg("lint").args(args).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

type Problem = (u64, u64, String);

/// Status, report, and line, column and rule of each problem.
fn lint_json(args: &[&str]) -> (i32, Value, Vec<Problem>) {
    let (status, text) = lint(&[args, &["--json"]].concat());
    let report: Value = serde_json::from_str(&text).unwrap();
    let number = |problem: &Value, key: &str| problem[key].as_u64().unwrap_or_default();
    let problem = |p: &Value| (number(p, "line"), number(p, "column"), p["rule"].as_str().unwrap().to_owned());
    let problems = report["problems"].as_array().unwrap().iter().map(problem).collect();
    (status, report, problems)
}

/// A line of the table: file, status, and of each problem its place, rule and a word of its remedy.
type Expected = (&'static str, i32, &'static [(u64, u64, &'static str, &'static str)]);

const EXPECTED: [Expected; 14] = [
    ("candidate_failed_silently", 0, &[]),
    ("duplicate_rows", 1, &[(17, 5, "duplicate-row", "--duplicates")]),
    ("empty_results", 1, &[(2, 14, "empty-results", "every model failed")]),
    ("extra_key", 1, &[(14, 7, "extra-key", "top level")]),
    ("fewer_samples_same_dataset", 0, &[]),
    (
        "infinity_metric",
        1,
        &[(6, 15, "non-finite", "failed"), (7, 15, "non-finite", "failed"), (8, 14, "non-finite", "failed")],
    ),
    ("mape_as_fraction", 0, &[(6, 15, "mape-fraction", "--mape-unit fraction")]),
    ("nan_in_params", 0, &[(14, 23, "non-finite-params", "null")]),
    (
        "nan_metric",
        1,
        &[
            (3, 5, "missing-row", "--require-dataset"),
            (6, 15, "non-finite", "failed"),
            (7, 15, "non-finite", "failed"),
            (8, 14, "non-finite", "failed"),
            (15, 5, "missing-row", "--require-dataset"),
        ],
    ),
    ("single_ok", 0, &[]),
    ("truncated_numpy_param", 2, &[(14, 23, "truncated", "numpy")]),
    ("utf8_bom_crlf", 1, &[(1, 1, "byte-order-mark", "without a mark")]),
    ("zero_actuals_mape", 1, &[(6, 15, "zero-actuals", "WAPE"), (18, 15, "zero-actuals", "WAPE")]),
    ("zero_metrics", 0, &[(6, 15, "perfect-score", "target among the features")]),
];

#[test]
fn every_edge_file_has_its_line_in_the_table() {
    let files: BTreeSet<String> = std::fs::read_dir(data("benchmark/edge"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    assert_eq!(files, EXPECTED.iter().map(|(name, ..)| (*name).to_owned()).collect());
}

#[test]
fn each_edge_file_gets_its_status_place_and_remedy() {
    for (name, status, expected) in EXPECTED {
        let path = edge(name);
        let (found_status, report, found) = lint_json(&[&path]);
        let places: Vec<Problem> =
            expected.iter().map(|(line, column, rule, _)| (*line, *column, (*rule).into())).collect();
        assert_eq!((found_status, found), (status, places), "{name}");
        assert_eq!(report["schema"], "bench-compare/lint/1");
        let (text_status, text) = lint(&[&path]);
        assert_eq!(text_status, status, "{name}");
        for (index, (line, column, _, remedy)) in expected.iter().enumerate() {
            assert!(report["problems"][index]["help"].as_str().unwrap().contains(remedy), "{name}");
            assert!(text.contains(&format!("{path}:{line}:{column}: ")), "{text}");
        }
    }
}

#[test]
fn what_only_shows_across_files_is_found() {
    let (status, report, found) = lint_json(&[&edge("single_ok"), &edge("fewer_samples_same_dataset")]);
    assert_eq!((status, found), (1, vec![(3, 5, "samples-differ".into())]));
    assert!(report["problems"][0]["path"].as_str().unwrap().ends_with("fewer_samples_same_dataset.json"));
    let candidate = data("benchmark/candidate/benchmark_results.json");
    assert_eq!(lint(&[&candidate, &edge("mape_as_fraction")]).0, 0);
    let (status, _, found) = lint_json(&[&candidate, &edge("mape_as_fraction"), "--mape-unit", "percent"]);
    assert!(status == 1 && found.iter().all(|(.., rule)| rule == "unit-jump"), "{found:?}");
}

#[test]
fn expected_rows_are_asked_for() {
    let file = edge("candidate_failed_silently");
    let (status, text) = lint(&[&file, "--require-model", "lightgbm_v2"]);
    assert!(status == 1 && text.contains("no row of the required model \"lightgbm_v2\""), "{text}");
    let (status, text) = lint(&[&file, "--require-dataset", "tsi,ola"]);
    assert!(status == 1 && text.contains("required dataset \"ola\"") && !text.contains("dataset \"tsi\""), "{text}");
    assert_eq!(lint(&[&edge("zero_metrics"), "--strict"]).0, 1);
    assert_eq!(lint(&[&edge("mape_as_fraction"), "--strict", "--mape-unit", "fraction"]).0, 0);
}

#[test]
fn good_files_are_clean() {
    for run in ["baseline", "candidate", "rolling_baseline", "rolling_candidate"] {
        let file = data(&format!("benchmark/{run}/benchmark_results.json"));
        assert_eq!(lint(&[&file]), (0, "1 file, 0 errors, 0 warnings\n".to_owned()));
    }
    let (status, report, found) = lint_json(&[&data("cv/bls_unemployment_cv.csv")]);
    assert_eq!((status, found), (0, vec![]));
    assert_eq!((&report["files"][0]["kind"], &report["files"][0]["rows"]), (&"forecast-table".into(), &1932.into()));
    assert_eq!(lint(&[&data("cv/bls_unemployment_train.csv")]).0, 0);
}

#[test]
fn unreadable_files_are_bad_input_and_do_not_hide_others() {
    let (status, text) = lint(&["/absent/a.json", &edge("extra_key")]);
    assert!(status == 2 && text.contains("/absent/a.json: error: cannot be opened"), "{text}");
    assert!(text.contains("extra-key"), "{text}");
    assert_eq!(lint(&[&data("cv/bls_unemployment_cv.parquet")]).0, 2);
    assert_eq!(lint(&["mlflow:nonsense"]).0, 2);
}

#[test]
fn an_mlflow_run_of_a_file_store_is_an_input() {
    let ask = |argument: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-compare"));
        command.args(["lint", argument]).env("MLFLOW_TRACKING_URI", data("artifacts/mlruns")).output().unwrap()
    };
    let output = ask("mlflow:76af81e81f2d4cae80202c1f4c7612b4");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = ask("mlflow:76af81e81f2d4cae80202c1f4c7612b4/absent.json");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("has no artifact absent.json"));
}

#[test]
fn tables_are_checked_cell_by_cell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cv.csv");
    let text = "unique_id,ds,cutoff,y,A\na,2024-02-01,2024-01-01,1,2\na,2024-02-01,2024-01-01,1,nan\n\
                b,2024-02-01,2024-01-01,x,\nb,2024-02-01\n";
    shared::fsio::write_atomic(&path, text.as_bytes()).unwrap();
    let (status, _, found) = lint_json(&[path.to_str().unwrap()]);
    let expected = [
        (3, 1, "duplicate-row"),
        (3, 5, "non-finite"),
        (4, 4, "not-a-number"),
        (4, 5, "empty-cell"),
        (5, 2, "row-length"),
    ];
    let expected: Vec<Problem> = expected.iter().map(|(line, column, rule)| (*line, *column, (*rule).into())).collect();
    assert_eq!((status, found), (1, expected));
}
