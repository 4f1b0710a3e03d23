//! As the first process of a container: orphans are collected, and nobody's exit status is lost.

use std::fs;
use std::process::Command;
use std::thread;

use rebench_cron::process::{Exit, reap_orphans};

use crate::process_support::{Trial, alive, unique, wait_until};

const FIRST: &str = "PROCESS_FIRST";

/// The numbers of all processes but the first.
fn others() -> Vec<String> {
    let names = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name != "1" && name.parse::<i32>().is_ok()).collect()
}

/// Run by itself it has nothing to do.
#[test]
fn as_first_process() {
    if std::env::var_os(FIRST).is_none() {
        return;
    }
    assert_eq!(std::process::id(), 1);
    let word = unique();
    thread::scope(|scope| {
        for number in 0..8 {
            let script = format!(
                "for i in 1 2 3 4 5; do (setsid sh -c 'exit 1' &) ; (sh -c 'exit 2' &); done; (setsid sleep {word} &); sleep 0.1; exit {number}"
            );
            scope.spawn(move || assert_eq!(Trial::new().shell(&script).exit, Exit::Exited(number)));
        }
        scope.spawn(|| {
            for _ in 0..20 {
                assert_eq!(Command::new("sh").args(["-c", "sleep 0.01; exit 42"]).status().unwrap().code(), Some(42));
            }
        });
    });
    assert_eq!(alive(&word), Vec::<String>::new());
    // Also an orphan that no run brought up.
    assert!(Command::new("sh").args(["-c", "(setsid sh -c 'sleep 0.1' &)"]).status().unwrap().success());
    wait_until("all are collected", || {
        reap_orphans();
        others().is_empty()
    });
    eprintln!("first process: all are collected");
}

#[test]
fn the_first_process_collects_orphans_and_loses_no_status() {
    let exact = ["--exact", "process_first::as_first_process", "--nocapture"];
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(std::env::current_exe().unwrap())
        .args(exact)
        .env(FIRST, "1")
        .output();
    let Ok(output) = output else {
        return eprintln!("SKIPPED the_first_process: there is no unshare here");
    };
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && text.contains("unshare:") {
        return eprintln!("SKIPPED the_first_process: no namespaces here: {text}");
    }
    assert!(output.status.success(), "{}{text}", String::from_utf8_lossy(&output.stdout));
    assert!(text.contains("all are collected"), "{text}");
}

/// `/proc` of other numbers than ours would have us kill strangers.
#[test]
fn a_foreign_proc_is_not_believed() {
    if std::env::var_os("PROCESS_FOREIGN").is_some() {
        assert_eq!(std::process::id(), 1);
        let outcome = Trial::new().shell("sleep 600 & exit 6");
        assert_eq!((outcome.exit, outcome.leftovers.len()), (Exit::Exited(6), 0));
        eprintln!("foreign proc: done");
        return;
    }
    let exact = ["--exact", "process_first::a_foreign_proc_is_not_believed", "--nocapture"];
    let output = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child"])
        .arg(std::env::current_exe().unwrap())
        .args(exact)
        .env("PROCESS_FOREIGN", "1")
        .output();
    let Ok(output) = output else { return eprintln!("SKIPPED a_foreign_proc: there is no unshare here") };
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && text.contains("unshare:") {
        return eprintln!("SKIPPED a_foreign_proc: no namespaces here: {text}");
    }
    assert!(output.status.success() && text.contains("foreign proc: done"), "{text}");
}
