//! A run and its end: nothing of it is left, whatever it started and however it ended.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rebench_cron::process::{Command, Exit, run};
use shared::fsio;

use crate::process_support::{LONG, Trial, alive, text, unique, wait_until};

const SHORT: Duration = Duration::from_millis(200);

/// Far more than a run needs, far less than what it would sleep.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn its_exit_status_is_told_from_a_signal() {
    assert_eq!(Trial::new().shell("exit 0").exit, Exit::Exited(0));
    assert_eq!(Trial::new().shell("exit 137").exit, Exit::Exited(137));
    assert_eq!(Trial::new().shell("kill -KILL $$").exit, Exit::Signalled(9));
    assert_eq!(Trial::new().shell("kill -SEGV $$").exit, Exit::Signalled(11));
}

#[test]
fn times_are_of_the_given_clock_and_lengths_are_not() {
    let trial = Trial::new();
    let time: Timestamp = "2000-01-01T00:00:00Z".parse().unwrap();
    let mut identity = None;
    let command = trial.command(&["sleep", "0.1"]);
    let outcome = run(&command, &trial.slot(), &trial.cancel, || time, |found| identity = Some(found.clone())).unwrap();
    assert_eq!((outcome.started, outcome.ended), (time, time));
    assert!(outcome.took >= Duration::from_millis(100) && outcome.took < SOON, "{:?}", outcome.took);
    let identity = identity.unwrap();
    assert!(identity.pid > 1 && identity.start_ticks.is_some() && !identity.lives(), "{identity:?}");
}

#[test]
fn its_identity_lives_while_it_runs() {
    let trial = Trial::new();
    let cancel = trial.cancel.clone();
    let command = trial.command(&["sleep", &unique()]);
    let outcome = run(&command, &trial.slot(), &trial.cancel, Timestamp::now, |identity| {
        assert!(identity.lives());
        cancel.cancel();
    });
    assert_eq!(outcome.unwrap().exit, Exit::Cancelled);
}

#[test]
fn one_that_takes_too_long_may_tidy_up() {
    let mut trial = Trial::within(SHORT);
    trial.limits.grace = LONG;
    let outcome = trial.shell("trap 'echo tidied; exit 7' TERM; echo begun; while :; do sleep 0.02; done");
    assert_eq!(outcome.exit, Exit::TimedOut);
    assert_eq!(outcome.status.unwrap().code(), Some(7));
    assert!(text(&outcome.stdout.path).ends_with("tidied\n"));
    assert!(outcome.took >= SHORT && outcome.took < SOON, "{:?}", outcome.took);
}

#[test]
fn one_that_ignores_term_is_killed_with_its_children() {
    let (trial, word) = (Trial::within(SHORT), unique());
    let script = format!("trap '' TERM; (trap '' TERM; sleep {word}) & sleep {word}; sleep {word}");
    let outcome = trial.shell(&script);
    assert_eq!((outcome.exit, outcome.status.unwrap().code()), (Exit::TimedOut, None));
    assert!(outcome.took >= SHORT + trial.limits.grace && outcome.took < SOON, "{:?}", outcome.took);
    assert_eq!((alive(&word), outcome.survivors.len()), (vec![], 0));
}

#[test]
fn one_that_is_stopped_is_ended() {
    let (trial, word) = (Trial::within(SHORT), unique());
    let outcome = trial.shell(&format!("sleep {word} & kill -STOP $!; kill -STOP $$"));
    assert_eq!(outcome.exit, Exit::TimedOut);
    assert_eq!(alive(&word), Vec::<String>::new());
}

/// A daemon as of the book: forks, leaves the session, forks again, closes what it has, and ignores TERM.
fn daemon(word: &str, then: &str) -> String {
    format!(
        "import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for file in (0, 1, 2): os.close(file)
        os.open('up', os.O_CREAT | os.O_WRONLY)
        os.execvp('sleep', ['sleep', '{word}'])
    os._exit(0)
while not os.path.exists('up'): time.sleep(0.01)
{then}
"
    )
}

#[test]
fn a_double_fork_does_not_outlive_a_timeout() {
    let (trial, word) = (Trial::within(Duration::from_secs(3)), unique());
    let outcome = trial.python(&daemon(&word, &format!("time.sleep({word})")));
    assert_eq!(outcome.exit, Exit::TimedOut);
    assert!(trial.file("up").exists(), "the daemon never was: {}", text(&outcome.stderr.path));
    assert_eq!((alive(&word), outcome.survivors.len()), (vec![], 0));
}

#[test]
fn a_double_fork_does_not_outlive_a_run_that_ends_by_itself() {
    let (trial, word) = (Trial::new(), unique());
    let outcome = trial.python(&daemon(&word, "raise SystemExit(4)"));
    assert_eq!(outcome.exit, Exit::Exited(4));
    assert_eq!((alive(&word), outcome.survivors.len()), (vec![], 0));
    assert_eq!(outcome.leftovers.iter().map(|left| left.name.as_str()).collect::<Vec<_>>(), ["sleep"]);
    assert!(outcome.took < SOON);
}

#[test]
fn a_double_fork_that_hides_its_environment_is_found() {
    let (trial, word) = (Trial::new(), unique());
    // Gone from its parents before anyone looks, in a session of its own, and with nothing in its environment.
    let outcome = trial.shell(&format!("(setsid env -i sleep {word} >/dev/null 2>&1 &) & exit 0"));
    assert_eq!(outcome.exit, Exit::Exited(0));
    // A test beside this one may have been on when it was started: then it goes with that one.
    wait_until("it is gone", || {
        Trial::new().shell("exit 0");
        alive(&word).is_empty()
    });
}

#[test]
fn background_children_go_with_it_and_hold_nobody_up() {
    let (trial, word) = (Trial::new(), unique());
    let outcome = trial.shell(&format!("sleep {word} & setsid sleep {word} & echo left; exit 3"));
    assert_eq!(outcome.exit, Exit::Exited(3));
    assert_eq!(text(&outcome.stdout.path), "left\n");
    assert!(outcome.took < SOON, "{:?}", outcome.took);
    assert_eq!(alive(&word), Vec::<String>::new());
}

#[test]
fn one_that_forks_all_the_time_is_ended() {
    let (trial, word) = (Trial::within(Duration::from_millis(500)), unique());
    let script = format!(
        "import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
word = '{word}'
# Ends by itself at last, so that a failure leaves nothing behind.
end = time.monotonic() + 30
while time.monotonic() < end:
    if os.fork() != 0: os._exit(0)
    os.setsid()
"
    );
    let outcome = trial.run(&["python3", "-c", &script, &word]);
    assert_eq!(outcome.exit, Exit::Exited(0));
    assert_eq!((alive(&word), outcome.survivors.len()), (vec![], 0));
}

#[test]
fn runs_at_once_leave_each_other_alone() {
    let words: Vec<String> = (0..4).map(|_| unique()).collect();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let start = |(number, word): (usize, &String)| {
            let script = daemon(word, &format!("time.sleep(0.{number}); raise SystemExit({number})"));
            scope.spawn(move || Trial::new().python(&script))
        };
        let handles: Vec<_> = words.iter().enumerate().map(start).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    for (number, (outcome, word)) in outcomes.iter().zip(&words).enumerate() {
        assert_eq!(outcome.exit, Exit::Exited(i32::try_from(number).unwrap()));
        assert_eq!(outcome.leftovers.len(), 1, "each ends its own daemon: {outcome:?}");
        assert_eq!(alive(word), Vec::<String>::new());
    }
}

#[test]
fn other_children_of_this_process_are_left_alone() {
    use std::os::unix::process::CommandExt;
    let hook = |group: bool| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "sleep 0.3; exit 42"]);
        if group {
            command.process_group(0);
        }
        command.spawn().unwrap()
    };
    let mut children = [hook(true), hook(false)];
    for _ in 0..5 {
        assert_eq!(Trial::new().shell("sleep 0.05 & exit 0").exit, Exit::Exited(0));
    }
    assert_eq!(children.each_mut().map(|child| child.wait().unwrap().code()), [Some(42); 2]);
}

#[test]
fn it_is_cancelled_from_another_thread() {
    let (trial, word) = (Trial::new(), unique());
    let cancel = trial.cancel.clone();
    let outcome = thread::scope(|scope| {
        let run = scope.spawn(|| trial.shell(&format!("touch up; sleep {word} & wait")));
        wait_until("it is up", || trial.file("up").exists());
        cancel.cancel();
        run.join().unwrap()
    });
    assert_eq!(outcome.exit, Exit::Cancelled);
    assert!(outcome.took < SOON);
    assert_eq!(alive(&word), Vec::<String>::new());
    assert_eq!(trial.shell("exit 0").exit, Exit::Cancelled, "a cancelled handle stays so");
}

#[test]
fn a_kill_does_not_wait_for_the_grace() {
    let (mut trial, word) = (Trial::new(), unique());
    trial.limits.grace = LONG;
    let cancel = trial.cancel.clone();
    let outcome = thread::scope(|scope| {
        let run =
            // A shell that waits hears a signal at once; one that runs a program hears it after that.
            scope.spawn(|| trial.shell(&format!("trap 'touch heard' TERM; touch up; while :; do sleep {word} & wait; done")));
        wait_until("it is up", || trial.file("up").exists());
        cancel.cancel();
        wait_until("it heard", || trial.file("heard").exists());
        cancel.kill();
        run.join().unwrap()
    });
    assert_eq!(outcome.exit, Exit::Cancelled);
    assert!(outcome.took < SOON);
    assert_eq!(alive(&word), Vec::<String>::new());
}

#[test]
fn the_environment_is_what_is_listed() {
    // Cargo sets these; they stand for all that a run should not see, unless it is listed.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && std::env::var_os("CARGO_PKG_NAME").is_some());
    let mut trial = Trial::new();
    trial.inherit = vec!["CARGO_PKG_NAME".to_owned()];
    trial.variables = vec![("DATA".to_owned(), "/d".to_owned()), ("TZ".to_owned(), "Asia/Tokyo".to_owned())];
    let outcome = trial.run(&["env", "-0"]);
    let found = text(&outcome.stdout.path);
    let pairs: Vec<(&str, &str)> = found.split('\0').filter_map(|pair| pair.split_once('=')).collect();
    for pair in [("CARGO_PKG_NAME", "rebench-cron"), ("DATA", "/d"), ("TZ", "Asia/Tokyo")] {
        assert!(pairs.contains(&pair), "{pair:?} is missing in {pairs:?}");
    }
    let listed =
        ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "CARGO_PKG_NAME", "DATA", "REBENCH_RUN", "REBENCH_TICKET"];
    assert!(pairs.iter().all(|(name, _)| listed.contains(name)), "{pairs:?}");
}

#[test]
fn it_runs_in_its_folder_with_nothing_to_read_and_no_shell_sees_its_words() {
    let trial = Trial::new();
    assert_eq!(
        text(&trial.run(&["pwd", "-P"]).stdout.path).trim(),
        trial.folder.path().canonicalize().unwrap().to_str().unwrap()
    );
    assert_eq!(trial.run(&["cat"]).exit, Exit::Exited(0));
    assert_eq!(
        text(&trial.run(&["echo", "$HOME", "a;b", "*", "{job}", "{scheduled_at}"]).stdout.path),
        "$HOME a;b * walmart 2026-01-05T03:00:00Z\n"
    );
    fsio::write_atomic(&trial.file("bench.sh"), b"#!/bin/sh\necho \"$1\"\n").unwrap();
    fs::set_permissions(trial.file("bench.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(text(&trial.run(&["./bench.sh", "{out_dir}/x"]).stdout.path).trim(), trial.file("x").to_str().unwrap());
}

#[test]
fn one_that_cannot_be_started_says_why() {
    let trial = Trial::new();
    fsio::write_atomic(&trial.file("plain"), b"#!/bin/sh\n").unwrap();
    fsio::write_atomic(&trial.file("orphaned"), b"#!/nonexistent/python3\n").unwrap();
    fs::set_permissions(trial.file("orphaned"), fs::Permissions::from_mode(0o755)).unwrap();
    let not_started = |argv: &[&str], expected: &str| {
        let outcome = trial.run(argv);
        assert!(matches!(&outcome.exit, Exit::NotStarted(why) if why.contains(expected)), "{:?}", outcome.exit);
        assert_eq!((outcome.status, outcome.stdout.bytes, outcome.stdout.fault), (None, 0, None));
    };
    not_started(&["no-such-program-9f3a"], "not in PATH");
    not_started(&["./absent"], "whether it is there");
    not_started(&["./orphaned"], "its first line names");
    not_started(&["./plain"], "chmod +x");
    let missing = Command::new(&["true".to_owned()], trial.file("absent")).unwrap();
    let outcome = run(&missing, &trial.slot(), &trial.cancel, Timestamp::now, |_| panic!("never started")).unwrap();
    assert!(
        matches!(&outcome.exit, Exit::NotStarted(why) if why.contains("absent is not there")),
        "{:?}",
        outcome.exit
    );
}

#[test]
fn what_it_used_is_told() {
    // Held for longer than from one look to the next: below the peak of this process itself looks are all there is.
    let busy = "import time\nwhile time.process_time() < 0.4: pass\nheld = bytearray(300_000_000)\ntime.sleep(1.5)\n";
    let outcome = Trial::new().python(busy);
    let processor = outcome.usage.user + outcome.usage.system;
    assert!(processor >= Duration::from_millis(400) && processor < Duration::from_secs(20), "{processor:?}");
    let peak = outcome.usage.peak_rss_bytes;
    assert!((300_000_000..500_000_000).contains(&peak), "{peak}");
    // A child that was waited for counts; so does one in the background, which nobody waited for.
    for script in ["python3 -c \"$1\"", "python3 -c \"$1\" & until [ -e up ]; do sleep 0.02; done"] {
        let busy = "import time\nwhile time.process_time() < 0.4: pass\nopen('up', 'w')\n";
        let usage = Trial::new().run(&["sh", "-c", script, "sh", busy]).usage;
        assert!(usage.user + usage.system >= Duration::from_millis(400), "{script}: {usage:?}");
    }
}

#[test]
fn the_memory_of_a_small_program_is_not_that_of_this_process() {
    let held = vec![1_u8; 200_000_000];
    let usage = Trial::new().shell("sleep 0.2").usage;
    assert!(held.iter().all(|byte| *byte == 1));
    assert!((100_000..50_000_000).contains(&usage.peak_rss_bytes), "{usage:?}");
}

#[test]
fn short_runs_take_no_longer_than_they_need() {
    let started = Instant::now();
    let trial = Trial::new();
    for _ in 0..20 {
        assert_eq!(trial.run(&["true"]).exit, Exit::Exited(0));
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
