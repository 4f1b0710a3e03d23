//! `benchmark_results.json` and `benchmark_report.txt`, byte for byte as the class and pandas write them.
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use shared::format::benchmark::{Examined, MapeUnit, Record, Severity, UnitGuess};
use shared::format::benchmark::{examine, guess_unit, report, results, timestamp, write};
use shared::format::json;

fn data(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data")).join(name)
}

fn read(name: &str) -> (Vec<u8>, Examined) {
    let bytes = std::fs::read(data(name)).unwrap();
    let examined = examine(Path::new(name), &bytes);
    (bytes, examined)
}

fn edge(name: &str) -> Examined {
    read(&format!("benchmark/edge/{name}.json")).1
}

fn records(examined: &Examined) -> Vec<Record> {
    examined.rows.iter().map(|row| Record::of_row(row).unwrap()).collect()
}

/// Runs the dataclass loader on a file; `None`, loudly, without Python.
fn load_in_python(file: &Path) -> Option<Output> {
    let run = Command::new("python3").arg(data("python/load_benchmark.py")).arg(file).output();
    if run.is_err() {
        eprintln!("SKIPPED: python3 is not in PATH, so the Python loader was not run");
    }
    run.ok()
}

const OWN_RUNS: [&str; 4] = ["baseline", "candidate", "rolling_baseline", "rolling_candidate"];

#[test]
fn results_are_written_as_the_class_writes_them() {
    for run in OWN_RUNS {
        let (bytes, examined) = read(&format!("benchmark/{run}/benchmark_results.json"));
        let text = results(&records(&examined), examined.timestamp.as_deref().unwrap());
        assert!(text.as_bytes() == bytes, "{run} differs");
        assert_eq!(examined.findings, [], "{run}");
    }
}

#[test]
fn reports_are_laid_out_as_the_class_lays_them_out() {
    for run in OWN_RUNS {
        let (_, examined) = read(&format!("benchmark/{run}/benchmark_results.json"));
        let expected = std::fs::read_to_string(data(&format!("benchmark/{run}/benchmark_report.txt"))).unwrap();
        assert_eq!(report(&records(&examined)), expected, "{run}");
    }
}

#[test]
fn reports_are_laid_out_as_pandas_does_on_awkward_numbers() {
    let cases = json::parse(&std::fs::read(data("reference/benchmark_reports.json")).unwrap()).unwrap();
    assert_eq!(cases.items().unwrap().len(), 120);
    for (number, case) in cases.items().unwrap().iter().enumerate() {
        let examined = examine(Path::new("case"), json::to_python(case).as_bytes());
        let expected = case.get("report").unwrap().as_str().unwrap();
        assert_eq!(report(&records(&examined)), expected, "case {number}");
    }
}

#[test]
fn a_written_folder_reads_back_and_undefined_rows_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = records(&read("benchmark/baseline/benchmark_results.json").1);
    rows[2].mape_percent = f64::NAN;
    rows[3].training_seconds = None;
    let written = write(folder.path(), &rows, "2026-11-23T00:00:00").unwrap();
    assert_eq!(written.left_out, ["left out \"random_forest_v1\" on \"tsi\": its mape is undefined"]);
    let again = examine(&written.results, &std::fs::read(&written.results).unwrap());
    assert_eq!(again.rows.len(), 7);
    assert_eq!(again.rows[2].training_time.text, "not measured");
    assert!(again.rows[2].training_time.finite().is_none());
    assert!(again.rows[1].training_time.finite().is_some());
}

#[test]
fn nothing_to_write_leaves_earlier_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = records(&edge("single_ok"));
    let written = write(folder.path(), &rows, "2026-11-23T00:00:00").unwrap();
    let before = std::fs::read(&written.results).unwrap();
    rows[0].rmse = f64::INFINITY;
    assert!(write(folder.path(), &rows, "2026-11-24T00:00:00").is_err());
    assert_eq!(std::fs::read(&written.results).unwrap(), before);
}

#[test]
fn the_time_is_stated_as_the_class_states_it() {
    let now: jiff::Timestamp = "2026-11-23T02:54:38.433148Z".parse().unwrap();
    assert_eq!(timestamp(now, None).unwrap(), "2026-11-23T02:54:38.433148");
    assert_eq!(timestamp(now, Some("1763856000")).unwrap(), "2025-11-23T00:00:00");
    assert!(timestamp(now, Some("yesterday")).is_err());
}

#[test]
fn the_unit_is_told_from_the_whole_file() {
    let unit = |name: &str| guess_unit(&edge(name).rows);
    assert!(matches!(unit("mape_as_fraction"), UnitGuess::Likely { unit: MapeUnit::Fraction, .. }));
    assert!(matches!(unit("single_ok"), UnitGuess::Likely { unit: MapeUnit::Percent, .. }));
    for silent in ["zero_metrics", "zero_actuals_mape"] {
        assert_eq!(unit(silent), UnitGuess::Nothing, "{silent}");
    }
}

#[test]
fn a_half_file_names_the_place_and_the_remedy() {
    let error = edge("truncated_numpy_param").into_file().unwrap_err();
    let place = "benchmark/edge/truncated_numpy_param.json:14:23: the file ends in the middle of a value";
    assert!(error.to_string().starts_with(place), "{error}");
    assert!(error.help().unwrap().contains("numpy"));
}

#[test]
fn a_python_loader_that_knows_ten_keys_reads_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = records(&read("benchmark/candidate/benchmark_results.json").1);
    rows[0].training_seconds = None;
    rows[1].model_name = "modèle \"x\"\n".to_owned();
    rows[2].rmse = f64::NAN;
    let written = write(folder.path(), &rows, "2026-11-23T02:54:38.433148").unwrap();
    let Some(output) = load_in_python(&written.results) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let echoed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(echoed.as_array().unwrap().len(), 7);
    assert_eq!(echoed[1]["model_name"], "modèle \"x\"\n");
    assert_eq!(echoed[1]["prediction_time"], 0.000_563_383_102_416_992_2);
}

#[test]
fn the_python_loader_refuses_what_is_called_an_error() {
    for (name, rule) in
        [("extra_key", "extra-key"), ("utf8_bom_crlf", "byte-order-mark"), ("truncated_numpy_param", "truncated")]
    {
        let found = edge(name).findings.into_iter().find(|finding| finding.rule == rule).unwrap();
        assert!(found.severity >= Severity::Error);
        let loaded = load_in_python(&data(&format!("benchmark/edge/{name}.json")));
        assert!(loaded.is_none_or(|output| !output.status.success()), "{name}");
    }
}
#[test]
fn floats_are_printed_as_python_prints_them() {
    // Python 3.11: repr() of random bit patterns and of binary fractions, where ties between shortest digits occur.
    for line in std::fs::read_to_string(data("reference/python_reprs.txt")).unwrap().lines() {
        assert_eq!(json::python_float(line.parse().unwrap()), line);
    }
    // Python 3.11: "%.4f %.2f %.2f %.0f" % (1.03125, 0.125, 0.375, 2.5), which the report's layout relies on.
    assert_eq!(format!("{:.4} {:.2} {:.2} {:.0}", 1.03125, 0.125, 0.375, 2.5), "1.0312 0.12 0.38 2");
}
