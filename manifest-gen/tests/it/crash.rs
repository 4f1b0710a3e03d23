//! `kill -9` at every write of a promotion, then `repair`: the old state or the new one.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test: a panic is its answer, what it prints is its record"
)]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::support::Project;

/// The system calls by which anything on disk changes, and the opening of files between them.
const WRITES: [&str; 13] = [
    "write",
    "pwrite64",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "fsync",
    "fdatasync",
    "mkdir",
    "mkdirat",
    "ftruncate",
    "openat",
];

/// Every how many writes one is tried; `CRASH_STRIDE` of 1 tries all.
fn stride() -> usize {
    std::env::var("CRASH_STRIDE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Copies of evidence are put in place before anything is decided, named by digest; left over, they harm nobody.
fn without_copies(files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    files.into_iter().filter(|(name, _)| !name.starts_with("models/evidence/")).collect()
}

/// Runs a command that is killed at its `when`-th call of `call`; says whether it was.
fn killed_at(project: &Project, call: &str, when: usize, line: &str) -> bool {
    let mut strace = Command::new("strace");
    let inject = format!("inject={call}:signal=SIGKILL:when={when}");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]);
    strace.arg(env!("CARGO_BIN_EXE_manifest-gen")).args(line.split_whitespace());
    project.furnish(&mut strace);
    let status = strace.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.code() == Some(0) || status.signal() == Some(9), "{status}");
    status.signal() == Some(9)
}

fn has_strace() -> bool {
    Command::new("strace").arg("--version").stdout(Stdio::null()).status().is_ok()
}

fn old_or_new(line: &str) {
    if !has_strace() {
        assert!(std::env::var_os("CI").is_none(), "CI has no strace");
        println!("SKIPPED: strace is not installed; no command was killed");
        return;
    }
    let project = Project::new();
    for version in ["1", "2"] {
        project.run(&Project::new_line(version)).ok();
    }
    project.write("good.xml", "<testsuite><testcase name='a'/></testsuite>");
    project.run("promote lightgbm 1").ok();
    let before = project.files();
    project.run(line).ok();
    let after = without_copies(project.files());
    let (mut olds, mut news) = (0, 0);
    for call in WRITES {
        for when in (1..).step_by(stride()) {
            project.restore(&before);
            if !killed_at(&project, call, when, line) {
                break;
            }
            project.run("repair").ok();
            let found = without_copies(project.files());
            match (found == before, found == after) {
                (true, _) => olds += 1,
                (_, true) => news += 1,
                _ => panic!("killed at {call} {when}: neither old nor new: {:?}", differing(&found, &before, &after)),
            }
            project.run("verify --all").ok();
        }
    }
    println!("{line}: killed at {} calls: {olds} times the old state, {news} times the new one", olds + news);
    assert!(olds > 10 && news > 5, "the kills fell on both sides of the decision");
}

fn differing(
    found: &BTreeMap<String, Vec<u8>>,
    before: &BTreeMap<String, Vec<u8>>,
    after: &BTreeMap<String, Vec<u8>>,
) -> Vec<String> {
    let names = found.keys().chain(before.keys()).chain(after.keys());
    let is_odd = |name: &&String| found.get(*name) != before.get(*name) || found.get(*name) != after.get(*name);
    let mut odd: Vec<String> = names.filter(is_odd).cloned().collect();
    odd.sort();
    odd.dedup();
    odd
}

#[test]
fn a_killed_promotion_is_repaired() {
    old_or_new("promote lightgbm 2 --evidence tests=good.xml");
}

#[test]
fn a_killed_yank_is_repaired() {
    old_or_new("yank lightgbm 1 --reason leak");
}
