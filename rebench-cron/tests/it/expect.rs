//! What a run must have produced, on files of the `ModelBenchmark` class and on tables.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rebench_cron::expect::{Measured, RowCount, check, look_at_data, read};
use rebench_cron::job::ExpectKeys;
use rebench_cron::judge::results_of_file;
use shared::fsio;
use tempfile::TempDir;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)
}

/// A folder of a run that began a minute ago.
struct Run {
    folder: TempDir,
    started: Timestamp,
    keys: ExpectKeys,
}

impl Run {
    /// Of which these files are expected.
    fn new(files: &[&str]) -> Self {
        let files = files.iter().map(ToString::to_string).collect();
        let started = Timestamp::now() - Duration::from_mins(1);
        let keys = ExpectKeys { files, fewer_rows: 0.1, ..ExpectKeys::default() };
        Self { folder: tempfile::tempdir().unwrap(), started, keys }
    }

    fn with(source: &str) -> Self {
        let run = Self::new(&["benchmark_results.json"]);
        run.write("benchmark_results.json", &fs::read(data(source)).unwrap());
        run
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fsio::write_atomic(&self.file(name), bytes).unwrap();
    }

    /// Rule and text of each fault.
    fn faults(&self, before: &[RowCount]) -> Vec<(String, String)> {
        let produced = read(&self.keys, self.folder.path(), self.started);
        check(&self.keys, &produced, before).into_iter().map(|fault| (fault.rule, fault.text)).collect()
    }

    fn rules(&self) -> Vec<String> {
        self.faults(&[]).into_iter().map(|(rule, _)| rule).collect()
    }

    /// The only fault.
    fn fault(&self) -> (String, String) {
        let mut faults = self.faults(&[]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.remove(0)
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn results_that_are_all_there_are_right() {
    let mut run = Run::with("benchmark/baseline/benchmark_results.json");
    run.keys.models = names(&["random_forest_v1", "seasonal_naive"]);
    run.keys.datasets = names(&["walmart", "tsi", "inventory", "ola"]);
    assert_eq!(run.faults(&[]), []);
    let produced = read(&run.keys, run.folder.path(), run.started);
    let rows = produced.rows();
    assert_eq!(rows.len(), 8);
    assert!(rows.contains(&RowCount { model: "random_forest_v1".into(), dataset: "walmart".into(), rows: 540 }));
    // 8 results of five numbers.
    assert_eq!(produced.measured().len(), 40);
}

#[test]
fn windows_are_rows_of_one_dataset_and_results_of_their_own() {
    let run = Run::with("benchmark/rolling_baseline/benchmark_results.json");
    let produced = read(&run.keys, run.folder.path(), run.started);
    // Windows of 91, 99, 99, 99 and 99 rows.
    assert!(produced.rows().contains(&RowCount { model: "random_forest_v1".into(), dataset: "tsi".into(), rows: 487 }));
    let expected = Measured {
        model: "random_forest_v1".into(),
        dataset: "walmart".into(),
        window: Some("2012-08-03".into()),
        metric: "mape".into(),
        value: 3.826_385_282_076_214,
        n: Some(540),
    };
    assert!(produced.measured().contains(&expected));
    assert!(results_of_file(&data("benchmark/rolling_baseline/benchmark_results.json")).unwrap().contains(&expected));
}

#[test]
fn a_result_that_failed_is_a_fault_with_its_place() {
    let run = Run::with("benchmark/edge/nan_metric.json");
    let faults = run.faults(&[]);
    assert_eq!(faults.len(), 3, "{faults:?}");
    let expected = "benchmark_results.json:6:15: the mape of lightgbm_v2 on tsi_missing_actual is NaN";
    assert!(faults[0].0 == "failed-result" && faults[0].1.ends_with(expected), "{faults:?}");
    assert!(Run::with("benchmark/edge/infinity_metric.json").rules().contains(&"failed-result".to_owned()));
}

#[test]
fn a_failed_result_of_a_model_that_nobody_expects_is_none() {
    let mut run = Run::with("benchmark/edge/nan_metric.json");
    run.keys.models = names(&["seasonal_naive"]);
    assert_eq!(run.faults(&[]), []);
}

#[test]
fn a_model_that_failed_silently_is_missed() {
    let mut run = Run::with("benchmark/edge/candidate_failed_silently.json");
    run.keys.models = names(&["lightgbm_v2", "seasonal_naive"]);
    assert_eq!(run.fault(), ("missing-result".into(), "there is no result of lightgbm_v2".into()));
    run.keys.models = names(&["seasonal_naive"]);
    run.keys.datasets = names(&["tsi", "walmart"]);
    assert_eq!(run.fault().1, "there is no result of seasonal_naive on walmart");
    run.keys.models.clear();
    assert_eq!(run.fault().1, "there is no result on walmart");
}

#[test]
fn files_that_stop_a_reader_are_faults_with_their_places() {
    let (rule, text) = Run::with("benchmark/edge/truncated_numpy_param.json").fault();
    assert!(rule == "truncated" && text.contains("benchmark_results.json:14:23: "), "{rule} {text}");
    assert_eq!(Run::with("benchmark/edge/empty_results.json").rules(), ["empty-results"]);
    // The class's loader chokes on these two, shared's reader does not.
    for readable in ["extra_key", "utf8_bom_crlf", "nan_in_params"] {
        let faults = Run::with(&format!("benchmark/edge/{readable}.json")).faults(&[]);
        assert_eq!(faults, [], "{readable}");
    }
}

#[test]
fn a_file_must_be_there_new_and_not_empty() {
    let run = Run::new(&["report.txt"]);
    assert_eq!(run.rules(), ["missing-file"]);
    run.write("report.txt", b"");
    assert_eq!(run.rules(), ["empty-file"]);
    run.write("report.txt", b"all is well");
    assert_eq!(run.rules(), [""; 0]);
    let set = |ago: u64| {
        let time = SystemTime::from(run.started) - Duration::from_secs(ago);
        File::options().write(true).open(run.file("report.txt")).unwrap().set_modified(time).unwrap();
    };
    set(1);
    assert_eq!(run.rules(), [""; 0], "times on FAT are even seconds");
    set(3);
    assert_eq!(run.rules(), ["stale-file"]);
}

#[test]
fn names_do_not_lead_out_of_the_folder() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    fsio::write_atomic(outside.path(), b"secret").unwrap();
    let absolute = outside.path().to_str().unwrap();
    for name in [absolute, "../x", "a/../../x", "", "link"] {
        let run = Run::new(&[name]);
        symlink(outside.path(), run.file("link")).unwrap();
        assert_eq!(run.rules(), ["outside-file"], "{name}");
    }
    let run = Run::new(&["sub/../report.txt", "./report.txt", "latest", "sub"]);
    fs::create_dir(run.file("sub")).unwrap();
    run.write("report.txt", b"x");
    symlink("report.txt", run.file("latest")).unwrap();
    assert_eq!(run.rules(), ["outside-file", "no-file"], "the first, and the folder");
}

#[test]
fn a_pipe_holds_nobody_up() {
    let run = Run::new(&["pipe.json"]);
    assert!(std::process::Command::new("mkfifo").arg(run.file("pipe.json")).status().unwrap().success());
    assert_eq!(run.rules(), ["no-file"]);
}

#[test]
fn other_files_are_looked_into_by_their_ending() {
    let run = Run::new(&["a.json", "b.parquet"]);
    run.write("a.json", b"{\"x\": [1,\n 2,]}");
    run.write("b.parquet", b"PAR1 but cut off");
    let faults = run.faults(&[]);
    assert!(faults[0].1.contains("a.json:2:4: "), "{faults:?}");
    assert!(faults[1].1.contains("b.parquet: no Parquet"), "{faults:?}");
    run.write("a.json", b"{\"x\": [1, 2]}");
    run.write("b.parquet", &fs::read(data("cv/bls_unemployment_cv.parquet")).unwrap());
    assert_eq!(run.faults(&[]), []);
}

#[test]
fn forecasts_of_a_table_are_counted_by_series() {
    let mut run = Run::new(&["cv.csv"]);
    run.write("cv.csv", &fs::read(data("cv/bls_unemployment_cv.csv")).unwrap());
    run.keys.models = names(&["LightGBM"]);
    run.keys.datasets = names(&["agriculture", "construction"]);
    assert_eq!(run.faults(&[]), []);
    // 23 cutoffs of 6 steps.
    let rows = read(&run.keys, run.folder.path(), run.started).rows();
    assert!(rows.len() == 14 && rows.iter().all(|row| row.rows == 138), "{rows:?}");
    run.keys.models = names(&["Prophet"]);
    assert_eq!(run.rules(), ["missing-result", "missing-result"]);
}

#[test]
fn tables_are_refused_with_line_and_column() {
    let mut run = Run::new(&["cv.csv"]);
    run.keys.models = names(&["a"]);
    let said = |text: &str| {
        run.write("cv.csv", text.as_bytes());
        run.faults(&[]).into_iter().map(|(_, text)| text).next().unwrap()
    };
    assert!(
        said("unique_id,a\nx,1\ny,nan\ny,\n").ends_with("cv.csv:3:2: the forecast of a for \"y\" is \"nan\" (2 such)")
    );
    assert!(said("unique_id,a\nx,1\ny,1,2\n").contains("cv.csv:3: a row of 3 fields (expected 2, as in the header)"));
    assert!(said("unique_id,a\n").contains("cv.csv:2: a header and no row"));
    assert!(said("unique_id,a,a\nx,1,2\n").contains("cv.csv:1:3: a second column \"a\""));
    run.write("cv.csv", b"unique_id,a\nx,\xff\n");
    assert!(run.faults(&[])[0].1.contains("cv.csv:2: bytes that are no UTF-8"));
}

#[test]
fn fewer_rows_than_before_are_a_fault_beyond_the_share() {
    let mut run = Run::with("benchmark/baseline/benchmark_results.json");
    let before = |rows| [RowCount { model: "random_forest_v1".into(), dataset: "walmart".into(), rows }];
    // 540 is exactly a tenth less than 600.
    assert_eq!(run.faults(&before(600)), []);
    let faults = run.faults(&before(601));
    assert_eq!(faults[0].1, "random_forest_v1 has 540 rows on walmart, the run before had 601 (expected 541 or more)");
    assert_eq!(run.faults(&before(10)), []);
    let gone = [RowCount { model: "lstm".into(), dataset: "walmart".into(), rows: 9 }];
    assert_eq!(run.faults(&gone)[0].0, "fewer-rows");
    run.keys.models = names(&["seasonal_naive"]);
    assert_eq!(run.faults(&[before(601), gone].concat()), [], "nobody expects these");
}

/// A job's folder with data.
fn job(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        fsio::write_atomic(&folder.path().join(name), text.as_bytes()).unwrap();
    }
    folder
}

fn of_data(patterns: &[&str], time: Option<&str>) -> ExpectKeys {
    let data = patterns.iter().map(PathBuf::from).collect();
    ExpectKeys { data, data_time: time.map(str::to_owned), ..ExpectKeys::default() }
}

#[test]
fn the_state_of_data_is_that_of_sha256sum() {
    let folder = job(&[
        ("data/b.csv", "ds,y\n2026-01-05,1\n2026-01-12,2\n"),
        ("data/a.csv", "ds,y\n2026-01-19,3\n"),
        ("x.bin", "x"),
    ]);
    let state = look_at_data(&of_data(&["data/*.csv", "data/a.csv"], Some("ds")), folder.path()).unwrap().unwrap();
    let script = "sha256sum data/a.csv data/b.csv | sha256sum | cut -c1-64";
    let output = std::process::Command::new("sh").args(["-c", script]).current_dir(folder.path()).output().unwrap();
    assert_eq!(state.sha256, String::from_utf8(output.stdout).unwrap().trim());
    assert_eq!((state.files, state.rows, state.bytes), (2, 3, 31 + 18));
    assert_eq!(state.newest, Some("2026-01-19T00:00:00Z".parse().unwrap()));
}

#[test]
fn data_that_nobody_names_have_no_state_and_patterns_without_files_none_in_it() {
    let folder = job(&[]);
    assert_eq!(look_at_data(&of_data(&[], None), folder.path()).unwrap(), None);
    let state = look_at_data(&of_data(&["*.csv"], None), folder.path()).unwrap().unwrap();
    assert_eq!((state.files, state.newest), (0, None));
}

#[test]
fn a_folder_whose_name_looks_like_a_pattern_is_none() {
    let folder = job(&[("[ab]/x.csv", "y\n1\n"), ("a/x.csv", "y\n2\n")]);
    let within = folder.path().join("[ab]");
    let state = look_at_data(&of_data(&["*.csv"], None), &within).unwrap().unwrap();
    assert_eq!(
        (state.files, state.sha256),
        (1, look_at_data(&of_data(&["x.csv"], None), &within).unwrap().unwrap().sha256)
    );
}

#[test]
fn a_renamed_file_is_other_data() {
    let (one, two) = (job(&[("a.csv", "y\n1\n")]), job(&[("b.csv", "y\n1\n")]));
    let sha256 = |folder: &TempDir| look_at_data(&of_data(&["*.csv"], None), folder.path()).unwrap().unwrap().sha256;
    assert_ne!(sha256(&one), sha256(&two));
}

#[test]
fn times_that_are_none_are_refused_with_their_place() {
    let said = |text: &str, name: &str| {
        let folder = job(&[(name, text)]);
        look_at_data(&of_data(&["*"], Some("ds")), folder.path()).unwrap_err().to_string()
    };
    assert!(said("y,ds\n1,2026-01-05\n2,soon\n", "a.csv").contains("a.csv:3:2: \"soon\" is no time"));
    assert!(said("y,time\n1,2026-01-05\n", "a.csv").contains("a.csv:1: no column \"ds\" (expected one of y, time)"));
    assert!(said("PAR1", "a.parquet").contains("a.parquet: a file that is no CSV"));
    let folder = job(&[]);
    assert!(look_at_data(&of_data(&["a**b"], None), folder.path()).is_err());
}
