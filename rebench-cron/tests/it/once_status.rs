//! The exit status of `rebench-cron once`, and what signals and others of its kind do to it.

use std::process::{Child, Output, Stdio};

use crate::judge_gate::{data, verdict};
use crate::living::wait_for;
use crate::process_support::{alive, unique};
use crate::real::{Place, said};

/// A job with this command; further keys stand before its tables.
fn job(script: &str, keys: &str) -> String {
    format!(
        "[rebench-cron.jobs.one]\nschedule = '0 3 1 1 *'\ngrace = '200ms'\nretries = 0\ncommand = ['sh', '-c', '''{script}''', '{{out_dir}}']\n{keys}\n"
    )
}

/// A job that is judged by a stand-in, which ends with this status and leaves this verdict.
fn judged(status: u8, margin: f64) -> Place {
    let data = data("benchmark");
    let data = data.display();
    let script = format!(
        "cp {data}/candidate/benchmark_results.json \"$0\"; cp {data}/baseline/benchmark_results.json \"$0/baseline.json\""
    );
    let keys = "model = 'lightgbm_v2'\n[rebench-cron.jobs.one.judge]\nbeside = 'baseline.json'\nbaseline-model = 'random_forest_v1'";
    let place = Place::new(&job(&script, keys));
    place.write("said.json", &verdict(margin));
    place.program(
        "stand-in",
        &format!("while [ $# -gt 0 ]; do [ \"$1\" = -o ] && cp said.json \"$2\"; shift; done; exit {status}"),
    );
    place
}

fn once(place: &Place, flags: &[&str]) -> Output {
    place.output(&[&["once", "one", "--bench-compare", "./stand-in"], flags].concat())
}

#[track_caller]
fn ends(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}", said(output));
}

#[test]
fn a_verdict_is_the_status() {
    // 2.5 % worse: within 6 %, beyond 0 %, and neither for sure at 2 %.
    ends(&once(&judged(0, 0.06), &[]), 0);
    ends(&once(&judged(1, 0.0), &[]), 1);
    ends(&once(&judged(4, 0.02), &[]), 4);
    ends(&once(&judged(4, 0.02), &["--inconclusive=pass"]), 0);
    ends(&once(&judged(4, 0.02), &["--inconclusive=fail"]), 1);
    // Only what is undecided is folded.
    ends(&once(&judged(1, 0.0), &["--inconclusive=pass"]), 1);
    ends(&once(&judged(0, 0.06), &["--inconclusive=fail"]), 0);
}

#[test]
fn results_that_cannot_be_judged_are_status_2() {
    ends(&once(&judged(2, 0.06), &[]), 2);
    let expects = job("true", "[rebench-cron.jobs.one.expect]\nfiles = ['benchmark_results.json']");
    ends(&once(&Place::new(&expects), &[]), 2);
    ends(&Place::new(&expects).output(&["once", "other"]), 2);
    ends(&Place::new(&expects).output(&["once"]), 2);
    ends(&Place::new(&job("true", "overlap = 'perhaps'")).output(&["once", "one"]), 2);
}

#[test]
fn a_run_that_fails_is_status_3() {
    ends(&once(&Place::new(&job("exit 1", "")), &[]), 3);
    ends(&once(&Place::new(&job("kill -9 $$", "")), &[]), 3);
    let output = once(&Place::new(&job("sleep 100", "timeout = '100ms'")), &[]);
    ends(&output, 3);
    assert!(said(&output).contains("took longer than its timeout"), "{}", said(&output));
    let missing = job("true", "").replace("'sh'", "'/nowhere/program'");
    ends(&once(&Place::new(&missing), &[]), 3);
}

#[test]
fn attempts_that_are_left_are_made() {
    let place = Place::new(
        &job("echo x >> runs; test $(wc -l < runs) -gt 2", "")
            .replace("retries = 0", "retries = 2\nretry-delay = '50ms'"),
    );
    ends(&once(&place, &[]), 0);
    assert_eq!(place.lines("runs").len(), 3);
}

fn start(place: &Place) -> Child {
    let mut command = place.command(&["once", "one"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let kill = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

#[test]
fn sigterm_ends_the_run_with_all_its_processes() {
    for ends_with in ["-TERM", "-INT"] {
        let word = unique();
        let place = Place::new(&job(&format!("sleep {word} & (setsid sleep {word} &) ; sleep {word}"), ""));
        let child = start(&place);
        wait_for("the run", || alive(&word).len() >= 3);
        signal(&child, ends_with);
        ends(&child.wait_with_output().unwrap(), 3);
        assert_eq!(alive(&word), Vec::<String>::new());
        assert_eq!(place.rows("SELECT state, why FROM slots"), ["failed ended on demand"]);
    }
}

#[test]
fn a_run_that_was_killed_is_ended_by_the_next() {
    let word = unique();
    let place =
        Place::new(&job(&format!("test -e ready || {{ touch ready; (setsid sleep {word} &) ; sleep {word}; }}"), ""));
    let mut child = start(&place);
    wait_for("the run", || alive(&word).len() >= 2);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!alive(&word).is_empty());
    ends(&once(&place, &[]), 0);
    assert_eq!(alive(&word), Vec::<String>::new());
    assert_eq!(place.rows("SELECT state FROM slots ORDER BY id"), ["failed", "done"]);
}

#[test]
fn a_second_one_beside_it_says_what_to_do_and_that_helps() {
    let script = "echo x >> runs; test $(wc -l < runs) -gt 1 || while ! test -e go; do sleep 0.02; done";
    let place = Place::new(&job(script, ""));
    let child = start(&place);
    wait_for("the run", || place.lines("runs").len() == 1);
    let output = once(&place, &[]);
    ends(&output, 3);
    let text = said(&output);
    assert!(text.contains("a run of one is on") && text.contains("overlap = \"allow\""), "{text}");
    place.jobs(&job(script, "overlap = 'allow'"));
    ends(&once(&place, &[]), 0);
    place.write("go", "");
    ends(&child.wait_with_output().unwrap(), 0);
    assert_eq!(place.rows("SELECT count(*) FROM slots WHERE state = 'done'"), ["2"]);
}
