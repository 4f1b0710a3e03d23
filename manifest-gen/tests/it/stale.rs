//! What `stale` finds in a project of every kind of file, against findings written by hand, and what it must leave alone.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::registered::{Models, Release, data, write};
use manifest_gen::stale::{Catalogue, Kind, find};
use serde_json::Value;
use shared::config::Config;

/// `lightgbm` with the champion 2 after 1, and a forest with an odd file name.
fn models() -> Models {
    let mut models = Models::new();
    for file_version in ["1", "2"] {
        let (model, scaler) =
            (format!("lightgbm_v{file_version}.pkl"), format!("preprocessing_lightgbm_v{file_version}.pkl"));
        let artifacts = [("model", model.as_str(), b"m".as_slice()), ("preprocessing", scaler.as_str(), b"p")];
        models.release(&Release { name: "lightgbm", file_version, artifacts: &artifacts, features: &[] });
        models.promote("lightgbm", &format!("{file_version}.0.0"), "champion");
    }
    let artifacts = [("model", "store1_trees.bin", b"f".as_slice())];
    models.release(&Release { name: "random_forest", file_version: "1", artifacts: &artifacts, features: &[] });
    models.promote("random_forest", "1.0.0", "champion");
    models
}

/// Copies a corpus beside the folder of models.
fn project(corpus: &str) -> Models {
    let models = models();
    copy(&data("stale").join(corpus), models.folder.path());
    models
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => write(&target, &fs::read(entry.path()).unwrap()),
        }
    }
}

/// Status and output of `manifest-gen stale` in the folder.
fn stale(models: &Models, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manifest-gen"));
    let output = command.arg("stale").args(args).current_dir(models.folder.path()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn stale_json(models: &Models, args: &[&str]) -> (i32, Value) {
    let (status, text) = stale(models, &[args, &["--json"]].concat());
    (status, serde_json::from_str(&text).unwrap())
}

/// A finding as `expected.txt` writes it.
fn line(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap_or_default();
    let place = format!("{}:{}:{}", text("path"), finding["line"], finding["column"]);
    let to = finding["replacement"].as_str().map(|to| format!(" -> {to}")).unwrap_or_default();
    format!("{place} {} {} {}{to}", text("severity"), text("kind"), text("found"))
}

#[test]
fn everything_in_the_corpus_is_found_at_its_place() {
    let models = project("found");
    let (status, report) = stale_json(&models, &["."]);
    let found: Vec<String> = report["findings"].as_array().unwrap().iter().map(line).collect();
    let expected = fs::read_to_string(data("stale/expected.txt")).unwrap();
    assert_eq!(found.join("\n"), expected.trim_end());
    assert_eq!(status, 1);
    let expected_of = |severity: &str| expected.matches(&format!(" {severity} ")).count();
    assert_eq!(report["errors"], expected_of("error"));
    assert_eq!(report["warnings"], expected_of("warning"));
    assert_eq!(report["excused"], 4);
    assert_eq!(report["skipped"]["changelogs"], 1);
    assert_eq!(report["skipped"]["own_files"], 1);
}

#[test]
fn a_finding_in_a_notebook_names_its_cell_and_says_what_to_do() {
    let models = project("found");
    let (_, report) = stale_json(&models, &["notebooks"]);
    let cells: Vec<(u64, u64)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["cell"]["cell"].as_u64().unwrap(), finding["cell"]["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(cells, [(1, 2), (2, 3), (3, 3)]);
    assert_eq!(
        report["findings"][1]["fix"],
        "resolve(\"lightgbm\", alias=\"champion\") of registry.py gives the path of \"model\""
    );
    let (_, text) = stale(&models, &["jobs"]);
    assert!(text.contains("jobs/score.sh:4:32: error: lightgbm_v1.pkl [left-behind]\n    help: write lightgbm_v2.pkl; `manifest-gen resolve lightgbm@champion --artifact model --verify` prints the path\n"), "{text}");
}

#[test]
fn nothing_is_found_where_nothing_is_stale() {
    let models = project("clean");
    let root = models.folder.path();
    write(&root.join(".gitignore"), b"ignored/\n");
    for folder in ["ignored", ".git", "target", ".venv", "env", "node_modules", "build", "mlruns", "__pycache__"] {
        write(&root.join(folder).join("a.py"), b"x = 'lightgbm_v1'\n");
    }
    write(&root.join("env/pyvenv.cfg"), b"home = /usr\n");
    write(&root.join("binary.py"), b"lightgbm_v1\0");
    let (status, report) = stale_json(&models, &[".", "--strict"]);
    assert_eq!(report["findings"].as_array().unwrap().iter().map(line).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!((status, &report["excused"]), (0, &Value::from(0)));
    assert_eq!(report["skipped"]["own_files"], 2);
    assert_eq!(report["skipped"]["binary"], 1);
    assert!(report["files"].as_u64().unwrap() >= 5);
}

#[test]
fn what_is_left_out_is_found_where_it_is_asked_for() {
    let models = project("clean");
    assert_eq!(stale(&models, &[".", "--changelogs"]).0, 1);
    assert_eq!(stale(&models, &["CHANGELOG.md"]).0, 1);
}

#[test]
fn warnings_count_only_when_strict() {
    let models = models();
    write(&models.folder.path().join("a.py"), b"load('models/lightgbm_v2.pkl')\n");
    assert_eq!(stale(&models, &["a.py"]).0, 0);
    assert_eq!(stale(&models, &["a.py", "--strict"]).0, 1);
}

/// The kinds of what is found in one line of Python.
fn kinds(models: &Models, alias: &str, text: &str) -> Vec<Kind> {
    let path: PathBuf = models.folder.path().join("a.py");
    write(&path, text.as_bytes());
    let catalogue = Catalogue::of(&models.registry, alias, &Config::default()).unwrap();
    find(&[path], &catalogue).unwrap().findings.into_iter().map(|finding| finding.kind).collect()
}

#[test]
fn a_version_above_is_behind_once_the_alias_has_left_it() {
    let mut models = models();
    assert_eq!(kinds(&models, "champion", "'lightgbm_v3'"), []);
    assert_eq!(kinds(&models, "champion", "'lightgbm_v2'"), []);
    models.promote("lightgbm", "1.0.0", "champion");
    assert_eq!(kinds(&models, "champion", "'lightgbm_v2'"), [Kind::LeftBehind]);
    assert_eq!(kinds(&models, "champion", "'lightgbm_v1'"), []);
}

#[test]
fn each_alias_has_its_own_past() {
    let mut models = models();
    models.promote("lightgbm", "1.0.0", "fallback");
    assert_eq!(kinds(&models, "fallback", "'lightgbm_v1'"), []);
    assert_eq!(kinds(&models, "fallback", "'lightgbm_v2'"), []);
    assert_eq!(kinds(&models, "champion", "'lightgbm_v1'"), [Kind::LeftBehind]);
}

#[test]
fn yanked_versions_are_behind_every_alias() {
    let mut models = models();
    let artifacts = [("model", "lightgbm_v3.pkl", b"m".as_slice())];
    models.release(&Release { name: "lightgbm", file_version: "3", artifacts: &artifacts, features: &[] });
    assert_eq!(kinds(&models, "champion", "'lightgbm_v3'"), []);
    models.yank("lightgbm", "3.0.0");
    assert_eq!(kinds(&models, "champion", "'lightgbm_v3'"), [Kind::LeftBehind]);
}

#[test]
fn ten_is_above_nine() {
    let mut models = models();
    models.release(&Release { name: "lightgbm", file_version: "10", artifacts: &[], features: &[] });
    models.promote("lightgbm", "10.0.0", "champion");
    assert_eq!(kinds(&models, "champion", "'lightgbm_v9'"), [Kind::LeftBehind]);
    assert_eq!(kinds(&models, "champion", "'lightgbm_v10' 'lightgbm_v11'"), []);
}

#[test]
fn many_findings_are_counted_and_the_time_stays_linear() {
    let models = models();
    let started = std::time::Instant::now();
    write(&models.folder.path().join("many.json"), "\"lightgbm_v1\",".repeat(300_000).as_bytes());
    write(&models.folder.path().join("open.md"), "<!-- manifest-gen:begin x ".repeat(100_000).as_bytes());
    write(&models.folder.path().join("long.py"), "x='lightgbm_v".repeat(200_000).as_bytes());
    let (status, report) = stale_json(&models, &["many.json", "open.md", "long.py"]);
    assert_eq!((status, &report["errors"], &report["hidden"]), (1, &Value::from(300_000), &Value::from(299_000)));
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn what_is_not_there_is_bad_input() {
    let models = models();
    assert_eq!(stale(&models, &["absent"]).0, 2);
    assert_eq!(stale(&models, &[".", "--root", "elsewhere"]).0, 2);
}

#[test]
fn every_format_lists_the_same_findings() {
    let models = project("found");
    let expected = fs::read_to_string(data("stale/expected.txt")).unwrap().lines().count();
    let (_, csv) = stale(&models, &[".", "--format", "csv"]);
    assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).count(), expected);
    let (_, markdown) = stale(&models, &[".", "--format", "markdown"]);
    assert_eq!(markdown.lines().filter(|line| line.starts_with("| `")).count(), expected);
}
