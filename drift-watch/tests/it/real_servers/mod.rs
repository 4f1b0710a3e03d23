//! The daemon among real servers, each started by the test that asks it: Prometheus, Alertmanager, MLflow; and the program that
//! it runs for a re-benchmark.

mod alertmanager;
mod mlflow;
mod prometheus;
mod rebench;
mod stream;
mod walk_through;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::process::Daemon;
use crate::replayed::Place;
use serde_json::Value;

/// A file of the examples, or their folder.
fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/live").canonicalize().unwrap().join(name)
}

fn text_of_example(name: &str) -> String {
    std::fs::read_to_string(example(name)).unwrap()
}

/// The daemon on the records of the place: it learns for 40 hours, and looks for new records ten times a second.
fn command(place: &Place, words: &[&str]) -> Command {
    let mut command = place.command();
    command.args([
        "run",
        "--listen",
        "127.0.0.1:0",
        "--state",
        "state",
        "--poll-interval",
        "100ms",
        "--warm-up",
        "40h",
    ]);
    command.args(["--predictions", "predictions.jsonl", "--actuals", "actuals.jsonl"]);
    // Flags win over the environment.
    command.env("DRIFT_WATCH_RUN_PREDICTIONS_STALE", "4d").env("DRIFT_WATCH_RUN_ACTUALS_STALE", "4d").args(words);
    command
}

/// What the daemon shows, once `holds` is true of it.
#[track_caller]
fn status_when(daemon: &mut Daemon, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let mut found = Value::Null;
    crate::process::wait_for(what, || {
        found = daemon.status().unwrap_or_default();
        holds(&found)
    });
    found
}

/// Whether an alert of this kind and model is in this state.
fn has_alert(status: &Value, kind: &str, model: &str, state: &str) -> bool {
    let is_it = |alert: &Value| alert["kind"] == kind && alert["model"] == model && alert["state"] == state;
    status["alerts"].as_array().is_some_and(|alerts| alerts.iter().any(is_it))
}

fn steps(status: &Value, model: &str) -> u64 {
    let models = status["models"].as_array().map(Vec::as_slice).unwrap_or_default();
    models.iter().find(|one| one["model"] == model).and_then(|one| one["steps"].as_u64()).unwrap_or(0)
}

/// Runs a program that must succeed; what it printed.
#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", printed(&output));
    printed(&output)
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}
