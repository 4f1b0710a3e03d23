//! `rebench-cron next` and `explain`, as one types them.

use std::process::{Command, Output};

use jsonschema::Validator;
use rebench_cron::commands::{explain, next};
use schemars::schema_for;
use serde_json::Value;

fn run(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rebench-cron"));
    command.env_clear().env("SOURCE_DATE_EPOCH", "1767225600").arg("--no-config").args(words);
    command.output().unwrap()
}

#[track_caller]
fn ok(words: &[&str]) -> String {
    let output = run(words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(words: &[&str]) -> String {
    let output = run(words);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn json(words: &[&str]) -> Value {
    serde_json::from_str(&ok(words)).unwrap()
}

#[track_caller]
fn is_valid(schema: &schemars::Schema, value: &Value) {
    let validator: Validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let problems: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn next_says_when_in_local_time() {
    let flags =
        ["next", "--expr", "30 2 * * 0", "--tz", "America/New_York", "--from", "2026-03-01T00:00:00Z", "-n", "3"];
    // 8 March has no 02:30.
    let fires = ["2026-03-01T02:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-15T02:30:00-04:00"];
    assert_eq!(ok(&flags), fires.map(|fire| format!("{fire}\n")).concat());
    let report = json(&[&flags[..], &["--json"]].concat());
    assert_eq!(report["schema"], "rebench-cron/next/1");
    assert_eq!(report["tool"]["name"], "rebench-cron");
    assert_eq!(report["expr"], "30 2 * * 0");
    assert_eq!(report["tz"], "America/New_York");
    assert_eq!(report["fires"], serde_json::json!(fires));
    is_valid(&schema_for!(next::Report), &report);
}

#[test]
fn the_rule_for_changes_of_clocks_can_be_chosen() {
    let flags =
        ["next", "--expr", "30 2 * * *", "--tz", "America/New_York", "--from", "2026-03-07T12:00:00Z", "-n", "1"];
    for (rule, fire) in [
        ("vixie", "2026-03-08T03:00:00-04:00"),
        ("skip", "2026-03-09T02:30:00-04:00"),
        ("instant", "2026-03-09T02:30:00-04:00"),
    ] {
        assert_eq!(ok(&[&flags[..], &["--dst", rule]].concat()).trim(), fire, "{rule}");
    }
    let flags =
        ["next", "--expr", "30 1 * * *", "--tz", "America/New_York", "--from", "2026-11-01T05:30:00Z", "-n", "1"];
    for (rule, fire) in [
        ("vixie", "2026-11-02T01:30:00-05:00"),
        ("skip", "2026-11-02T01:30:00-05:00"),
        ("instant", "2026-11-01T01:30:00-05:00"),
    ] {
        assert_eq!(ok(&[&flags[..], &["--dst", rule]].concat()).trim(), fire, "{rule}");
    }
}

#[test]
fn dialects_are_asked_for_by_name() {
    for (dialect, text, fire) in [
        ("cron", "@weekly", "2026-01-04T00:00:00+00:00"),
        ("cron", "@every 90m", "2026-01-01T01:30:00+00:00"),
        ("cron", "@every 2d", "2026-01-03T00:00:00+00:00"),
        ("cron-seconds", "*/20 * * * * *", "2026-01-01T00:00:20+00:00"),
        ("quartz", "0 0 12 ? * 6#3", "2026-01-16T12:00:00+00:00"),
        ("oncalendar", "Sun *-*~07/1 04:00", "2026-01-25T04:00:00+00:00"),
        ("oncalendar", "Mon 04:00 Europe/Berlin", "2026-01-05T04:00:00+01:00"),
    ] {
        assert_eq!(ok(&["next", "--expr", text, "--dialect", dialect, "-n", "1"]).trim(), fire, "{text}");
    }
}

#[test]
fn a_job_keeps_its_hashed_time() {
    let walmart = ok(&["next", "walmart", "--expr", "H H * * 1", "-n", "1"]);
    assert_eq!(walmart, ok(&["next", "walmart", "--expr", "H H * * 1", "-n", "1"]));
    assert_ne!(walmart, ok(&["next", "retail", "--expr", "H H * * 1", "-n", "1"]));
}

#[test]
fn what_is_wrong_is_shown_where_it_stands() {
    let said = refused(&["next", "--expr", "0 24 * * 1"]);
    assert!(said.contains("column 3: \"24\" in the hours (expected 0 to 23)"), "{said}");
    assert!(said.contains("help: 0 24 * * 1\n        ^"), "{said}");
    assert!(refused(&["next", "--expr", "0 0 31 2 *"]).contains("never comes"));
    assert!(refused(&["next", "--expr", "0 6 * * 1", "--tz", "Europe/Berlni"]).contains("did you mean Europe/Berlin?"));
    assert!(refused(&["next"]).contains("--expr"));
    assert!(refused(&["next", "walmart"]).contains("no promotion.toml"));
    let both = refused(&["next", "--expr", "Mon 04:00 UTC", "--dialect", "oncalendar", "--tz", "Europe/Berlin"]);
    assert!(both.contains("one time zone"), "{both}");
}

#[test]
fn years_that_are_over_leave_no_fire() {
    let output = run(&["next", "--expr", "0 0 12 1 1 ? 2020", "--dialect", "quartz", "--json"]);
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["fires"], serde_json::json!([]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no fire after"));
}

#[test]
fn explain_says_it_in_words_and_warns() {
    let said = ok(&["explain", "0 3 1-7 * 1"]);
    assert!(
        said.starts_with("At 03:00 on days 1 to 7 of the month or on Monday, UTC.\n  Thu 2026-01-01T03:00:00+00:00\n"),
        "{said}"
    );
    assert!(said.contains("warning: day of the month and weekday are both restricted"), "{said}");
    for (words, warning) in [
        (&["explain", "0 0 31 * *"][..], "months without a day 31 are skipped"),
        (&["explain", "0 0 29 2 *"], "leap years only"),
        (&["explain", "0 0 */2 * 1"], "counts as a star"),
        (&["explain", "*/7 * * * *"], "a step of 7 does not divide"),
        (&["explain", "*/90 * * * *"], "larger than the field"),
        (&["explain", "0 0 * * 1#5"], "without a fifth"),
        (&["explain", "H 3 * * *", "--job", "walmart"], "H in the minutes is "),
        (
            &["explain", "30 2 * * *", "--tz", "Europe/Berlin"],
            "on 2026-03-29 clocks in Europe/Berlin go from 02:00 to 03:00: 02:30 does not exist; what falls between fires once, at 03:00",
        ),
        (
            &["explain", "30 2 * * *", "--tz", "Europe/Berlin"],
            "on 2026-10-25 clocks in Europe/Berlin go back from 03:00 to 02:00: 02:30 comes twice; it fires the first time only",
        ),
        (&["explain", "30 2 * * *", "--tz", "Europe/Berlin", "--dst", "skip"], "what falls between is left out"),
        (&["explain", "*/30 * * * *", "--tz", "Europe/Berlin"], "it fires both times"),
    ] {
        let said = ok(words);
        assert!(said.contains(warning), "{words:?}: {said}");
    }
    assert!(!ok(&["explain", "0 6 * * 1", "--tz", "Europe/Berlin"]).contains("warning"));
}

#[test]
fn explain_has_a_schema() {
    let report = json(&["explain", "30 2 31 * 1", "--tz", "Europe/Berlin", "--json"]);
    assert_eq!(report["schema"], "rebench-cron/explain/1");
    assert!(report["warnings"].as_array().unwrap().len() >= 2);
    is_valid(&schema_for!(explain::Report), &report);
}
