//! What `examples/live/log_live.py` writes is read without a fault. Runs where there is a python3.
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::replayed::Place;
use serde_json::Value;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/live");

/// Runs a program in a folder; whether there is a python3.
fn python(place: &Place, words: &[&str]) -> bool {
    let folder = place.path("");
    let path = Path::new(EXAMPLES).canonicalize().unwrap();
    let command = || {
        let mut command = Command::new("python3");
        command.current_dir(&folder).env("PYTHONPATH", &path).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    if !command().arg("--version").output().is_ok_and(|output| output.status.success()) {
        std::io::stderr().write_all(b"\n*** SKIPPED: there is no python3\n").unwrap();
        return false;
    }
    let output = command().args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

fn replay(place: &Place, status: i32) -> Value {
    replay_of(place, "", status)
}

/// The same of files in a folder.
fn replay_of(place: &Place, folder: &str, status: i32) -> Value {
    let [predictions, actuals] = ["predictions", "actuals"].map(|kind| format!("{folder}{kind}.jsonl"));
    let words = ["--predictions", &predictions, "--actuals", &actuals, "--warm-up", "40d", "--json"];
    let said = place.replay(&words).is(status);
    assert_eq!(said.stderr, "", "no row is complained of");
    said.json()
}

/// Faults that were counted.
fn faults(report: &Value) -> Vec<&str> {
    let all = report["faults"].as_object().unwrap();
    all.iter().filter(|(_, n)| n.as_u64() != Some(0)).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn every_record_is_read() {
    let place = Place::new();
    // Times in another zone, numbers of other types, names with quotes, a series that is a number.
    let program = r#"
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from log_live import log_actual, log_prediction
zone = timezone(timedelta(hours=-5))
for day in range(1, 29):
    for series in ["EWR \"B6\", é\n", 17]:
        target = datetime(2026, 3, day, tzinfo=zone)
        log_prediction("predictions.jsonl", "m", 2, series, target, Decimal("17.5"), issued_at=target - timedelta(hours=22), horizon=1,
                       lo=15, hi=20.25, level=90, region="north", tier=3)
        log_actual("actuals.jsonl", series, target, day + 0.5, observed_at=target + timedelta(hours=25), revision=0)
"#;
    if !python(&place, &["-c", program]) {
        return;
    }
    let report = replay(&place, 4);
    assert_eq!(faults(&report), Vec::<&str>::new());
    let model = &report["models"][0];
    assert_eq!((&model["series"], &model["steps"]), (&Value::from(2), &Value::from(28)), "{model}");
    let groups: Vec<&str> =
        model["metrics"].as_array().unwrap().iter().map(|metric| metric["group"].as_str().unwrap()).collect();
    assert!(groups.contains(&"region=north") && groups.contains(&"tier=3"), "{groups:?}");
}

#[test]
fn what_is_no_record_is_refused_before_it_is_written() {
    let place = Place::new();
    let program = r#"
import os
from datetime import datetime, timezone
from log_live import log_actual
for time, y in [(datetime(2026, 3, 1), 1.0), (datetime(2026, 3, 1, tzinfo=timezone.utc), float("nan"))]:
    try:
        log_actual("actuals.jsonl", "a", time, y)
    except ValueError:
        continue
    raise SystemExit("taken")
assert not os.path.exists("actuals.jsonl")
"#;
    python(&place, &["-c", program]);
}

#[test]
fn ninety_days_with_and_without_a_shift() {
    let place = Place::new();
    let program = format!("{EXAMPLES}/serve_90_days.py");
    if !python(&place, &[&program, "--until", "2026-04-01"]) {
        return;
    }
    let report = replay_of(&place, "records/", 0);
    assert_eq!(faults(&report), Vec::<&str>::new());
    python(&place, &[&program, "--until", "2026-04-01", "--shift"]);
    let report = replay_of(&place, "records/", 1);
    let fired = report["alerts"][0]["fired_at"].as_str().unwrap();
    // The last of the 90 days is 1 April, so that day 60 is 3 March; it is known on the 5th.
    assert!(("2026-03-05".."2026-03-12").contains(&fired), "{fired}");
}
