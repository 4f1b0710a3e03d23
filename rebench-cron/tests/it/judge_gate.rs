//! The judge asks the real `bench-compare`, about real files, and programs that only pretend to be it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use std::time::Duration;

use rebench_cron::job::JudgeKeys;
use rebench_cron::judge::{Asked, Baseline, Judgement, Noise, Outcome, Program, Question, judge};
use rebench_cron::process::Cancel;
use shared::fsio;
use tempfile::TempDir;

/// The program beside these tests, which is built where it is missing.
pub(crate) fn bench_compare() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let tests = std::env::current_exe().unwrap();
        let folder = tests.parent().unwrap().parent().unwrap();
        let program = folder.join("bench-compare");
        if !program.exists() {
            let mut cargo = process::Command::new(env!("CARGO"));
            cargo.args(["build", "-p", "bench-compare", "--target-dir"]).arg(folder.parent().unwrap());
            let release = folder.file_name().is_some_and(|name| name == "release");
            let status = cargo.args(release.then_some("--release")).current_dir(data("../..")).status().unwrap();
            assert!(status.success(), "bench-compare cannot be built");
        }
        program
    })
}

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name).canonicalize().unwrap()
}

/// A folder with the results of a run, and what is asked of them.
struct Run {
    folder: TempDir,
    keys: JudgeKeys,
    timeout: Duration,
}

impl Run {
    fn new(keys: JudgeKeys) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), keys, timeout: Duration::from_mins(2) }
    }

    /// Of the model against a baseline that ran beside it.
    fn beside(candidate: &str, baseline: &str) -> Self {
        let run = Self::new(JudgeKeys { beside: Some("baseline.json".into()), ..keys() });
        fs::copy(data(candidate), run.file("benchmark_results.json")).unwrap();
        fs::copy(data(baseline), run.file("baseline.json")).unwrap();
        run
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn question(&self) -> Question {
        Question::of(&self.keys, Some("lightgbm_v2"), self.folder.path(), &data("benchmark")).unwrap()
    }

    fn ask(&self, program: &Path) -> Asked {
        let cancel = Cancel::new().unwrap();
        let program = Program { path: program, timeout: self.timeout, ticket: "", cancel: &cancel };
        program.ask(&self.question(), &self.file("judge")).unwrap()
    }

    fn judge(&self, noise: Option<&Noise>) -> Judgement {
        judge(&self.ask(bench_compare()).verdict.unwrap(), noise)
    }

    /// Asks a shell script that is given the command line of a gate.
    fn pretend(&self, script: &str) -> Result<(), String> {
        let program = self.file("bench-compare");
        fsio::write_atomic(&program, format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        self.ask(&program).verdict.map(drop)
    }
}

/// What bench-compare says of a model that is 2.5 % worse, where so much worse still holds.
pub(crate) fn verdict(margin: f64) -> String {
    let mut run = Run::beside(NEW, OLD);
    run.keys.margin = margin;
    serde_json::to_string(&run.ask(bench_compare()).verdict.unwrap()).unwrap()
}

fn keys() -> JudgeKeys {
    JudgeKeys { metric: "mape".into(), baseline_model: Some("random_forest_v1".into()), ..JudgeKeys::default() }
}

const NEW: &str = "benchmark/candidate/benchmark_results.json";
const OLD: &str = "benchmark/baseline/benchmark_results.json";

#[test]
fn four_datasets_have_no_interval_and_are_held_against_their_spread() {
    // Ratios of the two files: 1.0428, 1.0026, 1.0408, 1.0148; logs .04190, .00258, .04003, .01464. Mean .02479, standard deviation .01936, error .00968
    // at exp(.02479); t(.95, 3) = 2.3534.
    let mut run = Run::beside(NEW, OLD);
    let found = run.judge(None);
    assert!((found.effect.unwrap() - 0.0251).abs() < 1e-4, "{found:?}");
    assert!((found.standard_error.unwrap() - 0.00993).abs() < 2e-4 && found.df == Some(3.0), "{found:?}");
    assert_eq!((found.outcome, found.interval), (Outcome::Regressed, None));
    run.keys.margin = 0.02;
    assert_eq!(run.judge(None).outcome, Outcome::Inconclusive);
    run.keys.margin = 0.06;
    assert_eq!(run.judge(None).outcome, Outcome::Holds);
}

#[test]
fn one_dataset_is_held_against_the_noise_floor_or_decides_nothing() {
    let mut run = Run::beside("benchmark/edge/single_ok.json", OLD);
    run.keys.gate = ["--duplicates", "last"].map(str::to_owned).to_vec();
    // Only in the baseline file are three datasets: gates of missing evidence fail.
    let found = run.judge(None);
    assert_eq!(found.outcome, Outcome::Invalid);
    assert!(found.reason.starts_with("evidence 1: "), "{}", found.reason);
    keep_rows(&run.file("baseline.json"), "tsi");
    // 5.4492 against 5.4352 is 0.26 % more.
    let bare = run.judge(None);
    assert!(bare.outcome == Outcome::Inconclusive && bare.reason.contains("two bare numbers"), "{bare:?}");
    let noise = Noise { sd: 0.01, df: 20.0 };
    let held = run.judge(Some(&noise));
    assert_eq!(held.outcome, Outcome::Inconclusive, "{held:?}");
    assert!((held.standard_error.unwrap() - 0.01 * 2.0_f64.sqrt()).abs() < 1e-12 && held.df == Some(20.0));
}

fn keep_rows(path: &Path, dataset: &str) {
    let mut file: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    file["results"].as_array_mut().unwrap().retain(|row| row["dataset_name"] == dataset);
    (file["n_datasets"], file["n_models"]) = (1.into(), 2.into());
    fsio::write_atomic(path, file.to_string().as_bytes()).unwrap();
}

#[test]
fn twenty_windows_give_an_interval_and_its_standard_error() {
    let rolling = ["candidate", "baseline"].map(|of| format!("benchmark/rolling_{of}/benchmark_results.json"));
    let mut run = Run::beside(&rolling[0], &rolling[1]);
    run.keys.gate = ["--series", "fixed"].map(str::to_owned).to_vec();
    let found = run.judge(None);
    // The interval is -4.1 % to +7.1 %; t(.975, 19) = 2.0930.
    let [low, high] = found.interval.unwrap();
    assert!((low + 0.0411).abs() < 1e-4 && (high - 0.0706).abs() < 1e-4, "{found:?}");
    assert!((found.standard_error.unwrap() - (high - low) / 2.0 / 2.0930).abs() < 1e-5 && found.df == Some(19.0));
    assert_eq!(found.outcome, Outcome::Inconclusive);
}

#[test]
fn a_model_that_is_worse_everywhere_has_regressed_and_one_that_is_better_improved() {
    let rolling = "benchmark/rolling_candidate/benchmark_results.json";
    for (factor, expected) in [(1.1, Outcome::Regressed), (0.9, Outcome::Improved), (1.0, Outcome::Holds)] {
        let mut run = Run::beside(rolling, rolling);
        run.keys.baseline_model = None;
        run.keys.gate = ["--series", "fixed"].map(str::to_owned).to_vec();
        scale(&run.file("benchmark_results.json"), factor);
        assert_eq!(run.judge(None).outcome, expected);
    }
}

/// Multiplies each result by the factor, give or take a hundredth.
fn scale(path: &Path, factor: f64) {
    let mut file: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    for (index, row) in file["results"].as_array_mut().unwrap().iter_mut().enumerate() {
        let wobble = if factor == 1.0 { 1.0 } else { 1.0 + 0.01 * (index % 3) as f64 };
        row["mape"] = (row["mape"].as_f64().unwrap() * factor * wobble).into();
    }
    fsio::write_atomic(path, file.to_string().as_bytes()).unwrap();
}

#[test]
fn a_forecast_table_holds_both_models() {
    let keys = JudgeKeys {
        forecasts: Some("cv.csv".into()),
        candidate_model: Some("LightGBM".into()),
        baseline_model: Some("XGBoost".into()),
        ..keys()
    };
    let run = Run::new(keys);
    fs::copy(data("cv/bls_unemployment_cv.csv"), run.file("cv.csv")).unwrap();
    let found = run.judge(None);
    // bench-compare: 1.6 % lower, -4.9 % to +0.7 %, 6 degrees of freedom; t(.975, 6) = 2.4469.
    assert!(found.outcome == Outcome::Inconclusive && found.df == Some(6.0), "{found:?}");
    assert!((found.standard_error.unwrap() - f64::midpoint(0.0493, 0.0075) / 2.4469).abs() < 1e-4, "{found:?}");
    assert_eq!(run.question().way.baseline(), Baseline::Fresh);
}

#[test]
fn a_recorded_file_is_found_from_the_folder_of_the_job() {
    let run = Run::new(JudgeKeys { recorded: Some("baseline/benchmark_results.json".into()), ..keys() });
    fs::copy(data(NEW), run.file("benchmark_results.json")).unwrap();
    assert!((run.judge(None).effect.unwrap() - 0.0251).abs() < 1e-4);
    let way = run.question().way;
    assert_eq!((way.baseline(), way.recorded()), (Baseline::Reused, Some(&*data(OLD))));
}

#[test]
fn the_version_is_what_the_program_says() {
    let (folder, cancel) = (tempfile::tempdir().unwrap(), Cancel::new().unwrap());
    let program = |path| Program { path, timeout: Duration::from_mins(1), ticket: "", cancel: &cancel };
    assert!(program(bench_compare()).version(folder.path()).unwrap().starts_with("bench-compare 0."));
    let missing = program(Path::new("/nowhere/bench-compare")).version(folder.path()).unwrap_err();
    assert!(missing.to_string().contains("cannot be started"), "{missing}");
}

#[test]
fn what_bench_compare_refuses_is_invalid_with_its_first_line() {
    let mut run = Run::beside("benchmark/edge/truncated_numpy_param.json", OLD);
    let why = run.ask(bench_compare()).verdict.unwrap_err();
    assert!(why.contains("benchmark_results.json:14:23: the file ends in the middle of a value"), "{why}");
    fs::copy(data(NEW), run.file("benchmark_results.json")).unwrap();
    run.keys.candidate_model = Some("nobody".into());
    assert!(run.ask(bench_compare()).verdict.unwrap_err().contains("no row of candidate model \"nobody\""));
}

#[test]
fn only_a_whole_verdict_on_these_models_counts() {
    let run = Run::beside(NEW, OLD);
    let verdict = serde_json::to_value(run.ask(bench_compare()).verdict.unwrap()).unwrap();
    let why = |change: fn(&mut serde_json::Value)| {
        let mut changed = verdict.clone();
        change(&mut changed);
        fsio::write_atomic(&run.file("other.json"), changed.to_string().as_bytes()).unwrap();
        run.pretend(&format!("cp {:?} {:?}", run.file("other.json"), run.file("judge/verdict.json")))
    };
    assert_eq!(why(|_| {}), Ok(()));
    for (change, expected) in [
        (|verdict| verdict["complete"] = false.into(), "an incomplete verdict"),
        (|verdict| verdict["candidate"] = "other".into(), "a verdict on other against random_forest_v1"),
        (|verdict| verdict["baselines"] = serde_json::json!([]), "against  (expected lightgbm_v2 against"),
        (|verdict| verdict["metric"] = "rmse".into(), "a verdict by rmse (expected mape)"),
        (|verdict| verdict["schema"] = "x/2".into(), "schema \"x/2\""),
        (|verdict| verdict["decision"] = "won".into(), "verdict.json:1:"),
    ] as [(fn(&mut serde_json::Value), &str); 6]
    {
        let text = why(change).unwrap_err();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_program_that_leaves_no_verdict_is_no_pass() {
    let mut run = Run::beside(NEW, OLD);
    assert!(run.pretend("exit 0").unwrap_err().contains("verdict.json: cannot be opened"));
    assert_eq!(run.pretend("echo >&2; echo 'disk is full' >&2; exit 3"), Err("disk is full".to_owned()));
    assert_eq!(run.pretend("exit 2"), Err("bench-compare said nothing; it ended with status 2".to_owned()));
    assert_eq!(run.pretend("kill -9 $$"), Err("bench-compare was ended by signal 9".to_owned()));
    run.timeout = Duration::from_millis(50);
    assert!(run.pretend("sleep 60").unwrap_err().contains("took longer than 0.05 s"));
}

#[test]
fn a_program_that_is_killed_or_has_no_room_is_asked_again_and_one_that_refuses_is_not() {
    let run = Run::beside(NEW, OLD);
    let (real, count) = (bench_compare().display().to_string(), run.file("count"));
    let after = |end: &str, tries: usize| {
        fsio::write_atomic(&count, b"").unwrap();
        let script =
            format!("echo x >> {count:?}; [ $(wc -l < {count:?}) -gt {tries} ] || {end}; exec '{real}' \"$@\"");
        (run.pretend(&script).is_ok(), fs::read_to_string(&count).unwrap().lines().count())
    };
    assert_eq!(after("kill -9 $$", 2), (true, 3));
    assert_eq!(after("exit 3", 1), (true, 2));
    assert_eq!(after("kill -9 $$", 3), (false, 3), "and no fourth time");
    assert_eq!(after("exit 2", 1), (false, 1));
}

#[test]
fn the_verdict_of_an_earlier_question_does_not_answer_this_one() {
    let run = Run::beside(NEW, OLD);
    assert!(run.ask(bench_compare()).verdict.is_ok());
    assert!(run.pretend("exit 0").unwrap_err().contains("verdict.json: cannot be opened"));
}

#[test]
fn limits_of_the_job_are_not_overruled_and_braces_stay() {
    let mut run = Run::beside(NEW, OLD);
    run.keys.gate = ["--dataset-limit=0.5", "--seed", "7"].map(str::to_owned).to_vec();
    let argv = run.question().argv(Path::new("bench-compare"), Path::new("/x"));
    assert!(!argv.contains(&"--dataset-limit".to_owned()) && argv.contains(&"--window-limit".to_owned()), "{argv:?}");
    run.keys.candidate_model = Some("{job}".into());
    assert!(run.ask(bench_compare()).verdict.unwrap_err().contains("candidate model \"{job}\""));
}
