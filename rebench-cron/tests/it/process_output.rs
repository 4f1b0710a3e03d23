//! Outputs of runs: bounded on disk, hashed as a whole, and nothing about the disk holds the program up.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rebench_cron::process::{Captured, Exit};
use shared::digest;

use crate::process_support::{Trial, text, unique};

/// What `sha256sum` says of the output of a script.
fn sha256sum(script: &str) -> String {
    let output = Command::new("sh").args(["-c", &format!("{{ {script}; }} | sha256sum")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

fn size(captured: &Captured) -> u64 {
    fs::metadata(&captured.path).unwrap().len()
}

#[test]
fn a_gib_of_output_is_bounded_and_hashed() {
    let started = Instant::now();
    let trial = Trial::new();
    let outcome = trial.shell("echo begin; head -c 1073741824 /dev/zero; echo; echo end");
    let took = started.elapsed();
    assert_eq!(outcome.exit, Exit::Exited(0));
    let out = &outcome.stdout;
    assert_eq!((out.bytes, out.kept, out.truncated), (1_073_741_824 + 11, (256 << 10) + (1 << 20), true));
    assert!(size(out) - out.kept < 200, "{}", size(out));
    assert_eq!(out.fault, None);
    assert_eq!(out.sha256, sha256sum("echo begin; head -c 1073741824 /dev/zero; echo; echo end"));
    let kept = fs::read(&out.path).unwrap();
    assert!(kept.starts_with(b"begin\n\0\0") && kept.ends_with(b"\0\nend\n"));
    let left_out = format!("\n[rebench-cron: {} bytes of the output are left out here]\n", out.bytes - out.kept);
    assert_eq!(&kept[256 << 10..][..left_out.len()], left_out.as_bytes());
    eprintln!("1 GiB of output took {:.1} s", took.as_secs_f64());
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[test]
fn lines_are_not_needed_and_bytes_need_not_be_text() {
    // Every byte there is, over and over: 25,600 of them.
    let script = "import os\nfor _ in range(100): os.write(1, bytes(range(256)))\n";
    let trial = Trial::sized(1000, 500);
    let outcome = trial.python(script);
    let all: Vec<u8> = (0..100).flat_map(|_| 0..=255).collect();
    assert_eq!(outcome.stdout.sha256, digest::of_bytes(&all));
    let kept = fs::read(&outcome.stdout.path).unwrap();
    assert!(kept.starts_with(&all[..1000]) && kept.ends_with(&all[25_100..]));
    assert_eq!(kept[1000..kept.len() - 500], *b"\n[rebench-cron: 24100 bytes of the output are left out here]\n");
}

#[test]
fn both_outputs_have_a_file_each() {
    let trial = Trial::new();
    let outcome = trial.shell("echo out; echo err >&2; exit 1");
    assert_eq!((text(&outcome.stdout.path), text(&outcome.stderr.path)), ("out\n".to_owned(), "err\n".to_owned()));
    assert!(outcome.stdout.path.ends_with("stdout") && outcome.stderr.path.ends_with("stderr"));
    assert!(!outcome.stdout.truncated && !outcome.stderr.truncated);
}

#[test]
fn one_that_closes_its_outputs_early_goes_on() {
    let trial = Trial::new();
    let outcome = trial.shell("echo first; exec >&- 2>&-; sleep 0.3; exit 5");
    assert_eq!(outcome.exit, Exit::Exited(5));
    assert!(outcome.took >= Duration::from_millis(300));
    assert_eq!(text(&outcome.stdout.path), "first\n");
}

#[test]
fn what_was_written_last_is_there_after_a_kill() {
    let mut trial = Trial::within(Duration::from_millis(500));
    trial.limits.grace = Duration::ZERO;
    let outcome = trial.shell(&format!("trap '' TERM; echo doing; sleep {}", unique()));
    assert_eq!((outcome.exit, text(&outcome.stdout.path)), (Exit::TimedOut, "doing\n".to_owned()));
}

#[test]
fn it_is_in_the_file_while_the_run_is_on() {
    // The program itself waits for its own words to be there.
    let trial = Trial::new();
    let outcome = trial.shell("echo doing; until grep -q doing stdout; do sleep 0.02; done");
    assert_eq!(outcome.exit, Exit::Exited(0));
}

#[test]
fn a_full_disk_is_a_fault_that_holds_nobody_up() {
    let trial = Trial::new();
    std::os::unix::fs::symlink("/dev/full", trial.file("stdout")).unwrap();
    let outcome = trial.shell("head -c 5000000 /dev/zero; echo done >&2");
    assert_eq!(outcome.exit, Exit::Exited(0));
    assert_eq!(text(&outcome.stderr.path), "done\n");
    let out = outcome.stdout;
    assert_eq!((out.bytes, out.kept, out.truncated), (5_000_000, 0, true));
    assert_eq!(out.sha256, sha256sum("head -c 5000000 /dev/zero"));
    assert!(out.fault.as_ref().unwrap().contains("No space left on device"), "{:?}", out.fault);
}

/// Runs the script as in [`a_small_disk_keeps_what_fits`], with this folder as a disk of 64 KiB.
fn on_a_small_disk(folder: &Path) -> Option<String> {
    let inner =
        "mount -t tmpfs -o size=64k none \"$1\" && exec \"$2\" --exact process_output::in_a_small_disk --nocapture";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", inner, "sh"])
        .arg(folder)
        .arg(std::env::current_exe().unwrap())
        .env("PROCESS_SMALL_DISK", folder)
        .output();
    let output = output.ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.success() {
        true => Some(text),
        false if text.contains("unshare") || text.contains("mount") => None,
        false => panic!("{}{text}", String::from_utf8_lossy(&output.stdout)),
    }
}

/// Run by itself it has nothing to do.
#[test]
fn in_a_small_disk() {
    let Some(folder) = std::env::var_os("PROCESS_SMALL_DISK") else { return };
    let trial = Trial { folder: tempfile::tempdir_in(folder).unwrap(), ..Trial::new() };
    let outcome = trial.shell("head -c 3000000 /dev/zero; echo end");
    assert_eq!((outcome.exit, outcome.stdout.bytes), (Exit::Exited(0), 3_000_004));
    let out = outcome.stdout;
    assert!(out.truncated && out.kept > 0 && size(&out) <= 64 << 10, "{out:?}");
    assert!(out.fault.as_ref().unwrap().contains("No space left on device"), "{:?}", out.fault);
    assert_eq!(out.sha256, sha256sum("head -c 3000000 /dev/zero; echo end"));
    eprintln!("small disk: kept {} bytes", out.kept);
}

#[test]
fn a_small_disk_keeps_what_fits() {
    let folder = tempfile::tempdir().unwrap();
    match on_a_small_disk(folder.path()) {
        Some(text) => assert!(text.contains("small disk: kept"), "{text}"),
        None => eprintln!("SKIPPED a_small_disk_keeps_what_fits: no mount namespace here"),
    }
}
