//! Hooks: what they are given, and that nothing they do holds up who runs them.
#![cfg(feature = "http")]
use std::path::Path;
use std::time::{Duration, Instant};

use crate::alert_support::{alert, wait_until};
use serde_json::{Value, json};
use shared::alert::{Channel, Command, INHERITED, Limits, Receiver, Run, Transition};
use shared::outbox::Delivered;

fn transition() -> Transition {
    Transition::new("drift-watch", alert("a1"), json!({"drivers": ["EWR_B6"]}))
}

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

fn limits(timeout: Duration) -> Limits {
    Limits { timeout, grace: Duration::from_millis(300), ..Limits::default() }
}

fn run_within(script: &str, timeout: Duration) -> Run {
    Command::new(shell(script), vec![], limits(timeout)).unwrap().run(&transition()).unwrap()
}

fn run(script: &str) -> Run {
    run_within(script, Duration::from_secs(30))
}

fn lives(pid: &str) -> bool {
    // A zombie has ended; who collects it is not our matter.
    std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn the_alert_comes_on_standard_input() {
    let run = run("cat");
    assert!(run.status.success());
    let found: Value = serde_json::from_str(&run.output).unwrap();
    assert_eq!(found, serde_json::to_value(transition()).unwrap());
}

#[test]
fn the_environment_is_what_is_listed() {
    let names = |inherit: Vec<String>| {
        let command = Command::new(vec!["/usr/bin/env".to_owned(), "-0".to_owned()], inherit, Limits::default());
        let output = command.unwrap().run(&transition()).unwrap().output;
        let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        output.split('\0').filter_map(pair).collect::<Vec<_>>()
    };
    // Cargo sets this one; it stands for all that a hook should not see.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let bare = names(vec![]);
    let own = [
        ("ALERT_ID", "a1"),
        ("ALERT_NAME", "ForecastDrift"),
        ("ALERT_STATUS", "firing"),
        ("ALERT_SEVERITY", "critical"),
    ];
    for (key, value) in own {
        assert!(bare.contains(&(key.to_owned(), value.to_owned())), "{key}");
    }
    let known = |key: &str| INHERITED.contains(&key) || own.iter().any(|(own, _)| *own == key);
    assert!(bare.iter().all(|(key, _)| known(key)), "{bare:?}");
    assert!(names(vec!["CARGO_MANIFEST_DIR".to_owned()]).iter().any(|(key, _)| key == "CARGO_MANIFEST_DIR"));
}

#[test]
fn no_shell_sees_the_arguments_or_the_name_of_a_series() {
    let mut hostile = transition();
    hostile.alert.id = "$(touch /tmp/x)\0;`id`".to_owned();
    let argv = ["/bin/echo", "$HOME", "a;b", "*"].map(str::to_owned).to_vec();
    let run = Command::new(argv, vec![], Limits::default()).unwrap().run(&hostile).unwrap();
    assert_eq!(run.output, "$HOME a;b *\n");
}

#[test]
fn arguments_hold_values_of_the_alert_and_hostile_ones_are_laid_aside() {
    let argv = ["/bin/echo", "{model}", "--series={series}", "{evidence}", "{status}"].map(str::to_owned).to_vec();
    let hook = Command::new(argv, vec![], Limits::default()).unwrap().with_placeholders(&["model", "series"]).unwrap();
    let mut transition = Transition::new("drift-watch", alert("$(id); -x"), json!({"evidence": "/e/a b.json"}));
    assert_eq!(hook.run(&transition).unwrap().output, "m --series=$(id); -x /e/a b.json firing\n");
    transition.alert.labels.insert("model".to_owned(), "--help".to_owned());
    let message = transition.message("hook", jiff::Timestamp::UNIX_EPOCH).unwrap();
    let refused = Receiver::new("hook", Channel::Command(hook)).unwrap().deliver(&message).unwrap();
    assert!(matches!(&refused, Delivered::Refused(why) if why.contains("\"--help\"")), "{refused:?}");
}

#[test]
fn a_program_need_not_read_its_input() {
    let large = Transition::new("drift-watch", alert("a1"), json!("x".repeat(250_000)));
    let command = |script| Command::new(shell(script), vec![], limits(Duration::from_secs(30))).unwrap();
    assert!(command("exec <&-; sleep 0.1").run(&large).unwrap().status.success());
    assert!(command("true").run(&large).unwrap().status.success());
    assert!(command("sleep 0.1; exit 0").run(&large).unwrap().status.success());
    let read = command("echo early; sleep 0.1; wc -c").run(&large).unwrap();
    let expected = serde_json::to_vec(&large).unwrap().len();
    assert_eq!(read.output.split_whitespace().collect::<Vec<_>>(), ["early", &expected.to_string()]);
}

#[test]
fn both_outputs_are_kept_and_bounded() {
    assert_eq!(run("echo out; echo err >&2").output, "out\nerr\n");
    let flood = run("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo the end >&2; exit 3");
    assert_eq!((flood.status.code(), flood.output.len()), (Some(3), 16 << 10));
    assert!(flood.output.ends_with("x\nthe end\n"));
    assert!(!run("printf '\\377\\376'").output.is_empty(), "no UTF-8 is no reason to fail");
}

#[test]
fn a_program_that_takes_too_long_is_told_to_end_and_may_tidy_up() {
    let run = run_within(
        "trap 'echo tidied; exit 7' TERM; echo begun; while :; do sleep 0.02; done",
        Duration::from_millis(500),
    );
    assert!(run.timed_out);
    // In between the shell may tell of its `sleep`, which is told to end as well.
    assert!(run.output.starts_with("begun\n") && run.output.ends_with("tidied\n"), "{}", run.output);
    assert_eq!(run.status.code(), Some(7));
}

#[test]
fn a_program_that_does_not_listen_is_killed_with_its_children() {
    let started = Instant::now();
    let run = run_within("trap '' TERM; (trap '' TERM; sleep 600) & echo $!; sleep 600", Duration::from_millis(500));
    assert!(run.timed_out && run.status.code().is_none(), "{run:?}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let child = run.output.trim().to_owned();
    assert!(!child.is_empty());
    wait_until("the child is gone", || !lives(&child));
}

#[test]
fn children_that_outlive_an_obedient_program_are_killed_when_time_is_over() {
    let run = run_within("(trap '' TERM; sleep 600) & echo $!; wait", Duration::from_millis(500));
    assert!(run.timed_out);
    let child = run.output.trim().to_owned();
    wait_until("the child is gone", || !lives(&child));
}

#[test]
fn something_left_in_the_background_holds_nobody_up() {
    let started = Instant::now();
    // One that stays in the group, and one that leaves it, both with our pipe open.
    let run = run("sleep 5 & setsid sleep 5 & echo $!");
    assert!(run.status.success() && !run.timed_out);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn failures_are_tried_again_and_then_laid_aside() {
    let hook = |argv: Vec<String>| {
        let limits = Limits { most_attempts: 3, ..Limits::default() };
        Receiver::new("hook", Channel::Command(Command::new(argv, vec![], limits).unwrap())).unwrap()
    };
    let mut message = transition().message("hook", jiff::Timestamp::UNIX_EPOCH).unwrap();
    let broken = hook(shell("echo; echo 'no \x1b[31mroute'; exit 9"));
    let error = broken.deliver(&message).unwrap_err().to_string();
    assert_eq!(error, "hook /bin/sh: exit status: 9: no [31mroute");
    let absent = hook(vec!["/nonexistent/hook".to_owned()]);
    assert!(absent.deliver(&message).unwrap_err().to_string().starts_with("hook /nonexistent/hook: cannot be started"));
    message.attempts = 2;
    for hook in [&broken, &absent] {
        let refused = hook.deliver(&message).unwrap();
        assert!(matches!(&refused, Delivered::Refused(why) if why.ends_with("(3 attempts)")), "{refused:?}");
    }
    assert_eq!(hook(shell("true")).deliver(&message).unwrap(), Delivered::Done);
}

#[test]
fn a_hook_needs_a_program() {
    for argv in [vec![], vec![String::new()], vec!["a\0b".to_owned()]] {
        assert!(Command::new(argv, vec![], Limits::default()).is_err());
    }
    for name in ["", "a/b", "..", "ä", &"x".repeat(65)] {
        let command = Command::new(shell("true"), vec![], Limits::default()).unwrap();
        assert!(Receiver::new(name, Channel::Command(command)).is_err(), "{name:?}");
    }
}
