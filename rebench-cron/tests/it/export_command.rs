//! `rebench-cron export`, as one types it: files, reports, and what is never written over.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rebench_cron::commands::export::Report;
use schemars::schema_for;
use serde_json::Value;
use shared::fsio;
use tempfile::TempDir;

const JOBS: &str = "\
[rebench-cron.jobs.walmart]
schedule = \"30 2 * * 1\"
command = [\"true\"]

[rebench-cron.jobs.retail]
schedule = \"0 0 L * *\"
command = [\"true\"]

[rebench-cron.jobs.old]
schedule = \"0 0 1 * *\"
command = [\"true\"]
disabled = true
";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fsio::write_atomic(&folder.path().join("promotion.toml"), JOBS.as_bytes()).unwrap();
    folder
}

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rebench-cron"));
    command.env_clear().env("SOURCE_DATE_EPOCH", "1767225600").current_dir(folder);
    command.arg("export").args(words).args(["-o", "out"]).output().unwrap()
}

#[track_caller]
fn said(output: &Output, status: i32) -> String {
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

#[test]
fn the_report_lists_files_and_warnings() {
    let folder = folder();
    let output = run(folder.path(), &["--to", "systemd", "--json"]);
    said(&output, 0);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema"], "rebench-cron/export/1");
    assert_eq!(report["jobs"], serde_json::json!(["walmart", "retail"]));
    let files: Vec<&str> = report["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap()).collect();
    assert_eq!(files.len(), 4);
    assert!(files.iter().all(|file| folder.path().join(file).is_file()), "{files:?}");
    let warnings = report["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["job"] == "old"), "{warnings:?}");
    let validator = jsonschema::validator_for(schema_for!(Report).as_value()).unwrap();
    assert!(validator.is_valid(&report));
}

#[test]
fn jobs_share_a_crontab() {
    let folder = folder();
    said(&run(folder.path(), &["walmart", "--to", "crontab"]), 0);
    let crontab = fs::read_to_string(folder.path().join("out/rebench-cron.crontab")).unwrap();
    let config = folder.path().join("promotion.toml");
    assert!(crontab.ends_with(&format!("rebench-cron once walmart --config {}\n", config.display())), "{crontab}");
}

#[test]
fn nothing_is_written_where_a_job_is_refused() {
    let folder = folder();
    let said = said(&run(folder.path(), &["--to", "crontab"]), 1);
    assert!(said.contains("retail: L and W in the days of the month are not known here"), "{said}");
    assert!(!folder.path().join("out").exists());
    let disabled = self::said(&run(folder.path(), &["old", "--to", "systemd"]), 1);
    assert!(disabled.contains("old: it is disabled"), "{disabled}");
}

#[test]
fn files_of_others_are_not_written_over() {
    let folder = folder();
    let timer = folder.path().join("out/rebench-cron-walmart.timer");
    fs::create_dir(folder.path().join("out")).unwrap();
    fsio::write_atomic(&timer, b"[Timer]\nOnCalendar=daily\n").unwrap();
    let refused = said(&run(folder.path(), &["walmart", "--to", "systemd"]), 1);
    assert!(refused.contains("rebench-cron-walmart.timer was not made here"), "{refused}");
    assert_eq!(fs::read(&timer).unwrap(), b"[Timer]\nOnCalendar=daily\n");
    assert!(!folder.path().join("out/rebench-cron-walmart.service").exists());
    said(&run(folder.path(), &["walmart", "--to", "systemd", "--force"]), 0);
    // Now it is ours.
    said(&run(folder.path(), &["walmart", "--to", "systemd", "--user", "bench"]), 0);
    assert!(fs::read_to_string(folder.path().join("out/rebench-cron-walmart.service")).unwrap().contains("User=bench"));
}

#[test]
fn the_same_jobs_make_the_same_bytes() {
    let folder = folder();
    for engine in ["systemd", "slurm"] {
        said(&run(folder.path(), &["walmart", "--to", engine]), 0);
        let read =
            || fs::read_dir(folder.path().join("out")).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
        let before: Vec<_> = read().collect();
        said(&run(folder.path(), &["walmart", "--to", engine]), 0);
        assert_eq!(read().collect::<Vec<_>>(), before);
    }
}

#[test]
fn flags_that_make_no_sense_are_said() {
    let folder = folder();
    for (words, text) in [
        (&["walmart", "--to", "kubernetes"][..], "--image"),
        (&["walmart", "--to", "systemd", "--user", "a\nExecStart=b"], "control characters"),
        (&["walmart", "--to", "systemd", "--target-config", "promotion.toml"], "absolute path"),
        (&["walmrt", "--to", "systemd"], "did you mean walmart?"),
        (&["walmart", "--to", "crontab", "--system-tz", "Europe/Berlni"], "Europe/Berlin"),
        (&["walmart", "--to", "crontabs"], "crontab"),
    ] {
        let said = said(&run(folder.path(), words), 2);
        assert!(said.contains(text), "{words:?}: {said}");
        assert!(!folder.path().join("out").exists(), "{words:?}");
    }
}

#[test]
fn a_crontab_for_two_zones_needs_to_know_that_of_its_machine() {
    let folder = folder();
    let two = JOBS.replace("\"0 0 L * *\"", "\"0 0 1 * *\"\ntz = \"Europe/Berlin\"");
    fsio::write_atomic(&folder.path().join("promotion.toml"), two.as_bytes()).unwrap();
    let refused = said(&run(folder.path(), &["--to", "crontab"]), 1);
    assert!(refused.contains("jobs are in Europe/Berlin, UTC"), "{refused}");
    said(&run(folder.path(), &["--to", "crontab", "--cron-tz"]), 0);
}
