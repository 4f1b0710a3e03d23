//! `status`, `trigger` and SIGHUP, with the real daemon and without it.

use std::process::Output;

use serde_json::Value;

use crate::living::{Daemon, wait_for};
use crate::real::{Place, said};

fn job(script: &str, keys: &str) -> String {
    format!(
        "[rebench-cron.jobs.one]\nschedule = '0 3 1 1 *'\nretries = 0\ncommand = ['sh', '-c', '''{script}''', '{{scheduled_at}}']\n{keys}\n"
    )
}

#[track_caller]
fn ends(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{}", said(output));
    said(output)
}

#[track_caller]
fn trigger(place: &Place, words: &[&str]) -> (String, String) {
    let output = place.output(&[&["trigger", "one", "--json"], words].concat());
    ends(&output, 0);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |key: &str| report[key].as_str().unwrap_or_default().to_owned();
    (text("answer"), text("why"))
}

fn daemon(place: &Place) -> Daemon {
    let daemon = place.daemon(&["--bench-compare", "/bin/true"]);
    daemon.says("state in");
    daemon
}

#[test]
fn status_says_what_is_wrong() {
    let place = Place::new(&job("test ! -e bad", ""));
    ends(&place.output(&["status"]), 2);
    ends(&place.output(&["once", "one"]), 0);
    assert!(ends(&place.output(&["status"]), 0).contains("one ok"));
    place.write("bad", "");
    ends(&place.output(&["once", "one"]), 3);
    let text = ends(&place.output(&["status"]), 1);
    assert!(text.contains("NOT OK") && text.contains("RebenchFailed"), "{text}");
    std::fs::remove_file(place.path("bad")).unwrap();
    ends(&place.output(&["once", "one"]), 0);
    let text = ends(&place.output(&["status"]), 0);
    assert!(!text.contains("RebenchFailed"), "{text}");
}

#[test]
fn a_daemon_that_is_away_is_seen_by_what_is_overdue() {
    let hourly = job("true", "").replace("0 3 1 1 *", "@every 10m");
    let place = Place::new(&hourly);
    daemon(&place).stop();
    ends(&place.output(&["status"]), 0);
    // As if it had been defined two hours ago, and nobody had run it since.
    let ago = "UPDATE jobs SET created = strftime('%Y-%m-%dT%H:%M:%S', 'now', '-2 hours') || '.000000000Z'";
    place.records().execute(ago, []).unwrap();
    let text = ends(&place.output(&["status"]), 1);
    assert!(text.contains("OVERDUE"), "{text}");
    let daemon = daemon(&place);
    wait_for("the run that was missed", || place.output(&["status"]).status.success());
    daemon.stop();
}

#[test]
fn until_idle_runs_what_is_asked_for_and_ends() {
    let place = Place::new(&job("echo x >> runs", "overlap = 'allow'"));
    let idle = ["run", "--no-listen", "--until-idle", "--bench-compare", "/bin/true"];
    ends(&place.output(&idle), 0);
    assert!(place.rows("SELECT state FROM slots").is_empty(), "nothing was asked for yet");
    trigger(&place, &["--key", "a", "--reason", "drift"]);
    trigger(&place, &["--key", "b"]);
    ends(&place.output(&idle), 0);
    assert_eq!(place.rows("SELECT state FROM slots"), ["done", "done"]);
    assert_eq!(std::fs::read_to_string(place.path("runs")).unwrap(), "x\nx\n");
}

#[test]
fn until_idle_ends_when_its_alerts_are_told() {
    let place = Place::new(&job("exit 1", ""));
    // The receiver fails at first, and is asked again.
    let script = "cd \"$(dirname \"$0\")\"\ntest -e failed || { touch failed; exit 1; }\necho $1 >> told\n";
    place.write("hook.sh", script);
    let hook = place.path("hook.sh").display().to_string();
    trigger(&place, &["--key", "a"]);
    let idle = ["run", "--no-listen", "--until-idle", "--bench-compare", "/bin/true"];
    let hooked = ["--on-alert", "sh", "--on-alert", &hook, "--on-alert", "{status}"];
    ends(&place.output(&[&idle[..], &hooked].concat()), 0);
    assert_eq!(place.lines("told"), ["firing"]);
}

#[test]
fn a_key_is_one_run_for_ever() {
    let place = Place::new(&job("echo x >> runs", ""));
    let daemon = daemon(&place);
    assert_eq!(trigger(&place, &["--key", "a"]).0, "queued");
    for _ in 0..3 {
        assert_eq!(trigger(&place, &["--key", "a"]).0, "known");
    }
    wait_for("the run", || place.rows("SELECT state FROM slots") == ["done"]);
    assert_eq!(trigger(&place, &["--key", "a"]).0, "known");
    assert_eq!(trigger(&place, &["--key", "b"]).0, "queued");
    wait_for("the other run", || place.rows("SELECT state FROM slots") == ["done", "done"]);
    daemon.stop();
    assert_eq!(place.lines("runs").len(), 2);
}

#[test]
fn drift_keeps_its_cool_down_and_its_budget() {
    let place = Place::new(&job("true", "cooldown = '1h'\nbudget = 2"));
    let daemon = daemon(&place);
    let drift = |key: &str| trigger(&place, &["--reason", "drift", "--key", key]);
    assert_eq!(drift("a").0, "queued");
    wait_for("the run", || place.rows("SELECT state FROM slots") == ["done"]);
    let (answer, why) = drift("b");
    assert!(answer == "refused" && why.contains("until"), "{why}");
    let (answer, again) = drift("b");
    assert_eq!((answer.as_str(), again), ("known", why));
    // A person waits for nobody.
    assert_eq!(trigger(&place, &["--key", "c"]).0, "queued");
    wait_for("his run", || place.rows("SELECT state FROM slots") == ["done", "done"]);
    place.jobs(&job("true", "cooldown = '0s'\nbudget = 2"));
    daemon.signal("HUP");
    daemon.stop();
    let daemon = self::daemon(&place);
    assert_eq!(drift("d").0, "queued");
    wait_for("the runs", || place.rows("SELECT count(*) FROM slots WHERE state = 'done'") == ["3"]);
    let (answer, why) = drift("e");
    assert!(answer == "refused" && why.contains("budget"), "{why}");
    let output = place.output(&["trigger", "one", "--reason", "drift"]);
    assert!(ends(&output, 2).contains("--key"));
    daemon.stop();
}

#[test]
fn settings_are_read_again_at_sighup_and_bad_ones_are_not_taken() {
    let place = Place::new(&job("echo old >> runs", ""));
    let mut daemon = daemon(&place);
    let run = |key: &str, count: usize| {
        assert_eq!(trigger(&place, &["--key", key]).0, "queued");
        wait_for("a run", || place.lines("runs").len() == count);
    };
    run("a", 1);
    let often = "echo new >> runs";
    let second = job("echo second >> more", "").replace("jobs.one", "jobs.two").replace("0 3 1 1 *", "@every 1s");
    place.jobs(&format!("{}{second}", job(often, "")));
    assert!(daemon.signal("HUP"));
    wait_for("the job that is new", || !place.lines("more").is_empty());
    run("b", 2);
    assert_eq!(place.lines("runs"), ["old", "new"]);
    place.jobs(&job(often, "").replace("0 3 1 1 *", "0 25 1 1 *"));
    assert!(daemon.signal("HUP"));
    daemon.says("the settings stay as they were");
    daemon.get("/healthz").unwrap().is(200);
    let before = place.lines("more").len();
    wait_for("the job that stays", || place.lines("more").len() > before);
    place.jobs(&job(often, ""));
    run("c", 3);
    daemon.stop();
}
