//! What a run was made with: commit, packages, processor, time zone data. Where two runs differ, this says what changed between them.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Map, Value, json};
use shared::digest;

use crate::job::Job;
use crate::process::{self, Cancel, Command, Limits, Slot};

/// A question to a program is given up after so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the system keeps the version of its time zone data.
const ZONES: [&str; 2] = ["/usr/share/zoneinfo/tzdata.zi", "/usr/share/zoneinfo/+VERSION"];

/// What a run is made with; what cannot be found out is left out. `scratch` is a folder for what the questions print.
pub fn capture(job: &Job, scratch: &Path, bench_compare: Option<&str>) -> Value {
    let ask = |argv: &[&str]| answer(job, scratch, argv);
    let commit = ask(&["git", "rev-parse", "HEAD"]);
    let is_dirty = commit.as_ref().and_then(|_| ask(&["git", "status", "--porcelain", "--untracked-files=no"]));
    let packages = python(job).and_then(|python| ask(&[&python, "-m", "pip", "list", "--format=freeze"]));
    let python = python(job).and_then(|python| ask(&[&python, "--version"]));
    let mut found = Map::new();
    let mut note = |name: &str, value: Option<Value>| found.extend(value.map(|value| (name.to_owned(), value)));
    note("commit", commit.map(Value::from));
    note("changed_since_commit", is_dirty.map(|changed| (!changed.is_empty()).into()));
    note("python", python.map(Value::from));
    note("packages", packages.as_deref().map(|text| text.lines().map(Value::from).collect()));
    note("packages_sha256", packages.map(|text| digest::of_bytes(text.as_bytes()).into()));
    note("cpu", first_of("/proc/cpuinfo", "model name").map(Value::from));
    note("cpus", std::thread::available_parallelism().ok().map(|count| count.get().into()));
    note("kernel", std::fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().into()));
    note("tzdb", Some(tzdb().into()));
    note("rebench_cron", Some(json!(env!("CARGO_PKG_VERSION"))));
    note("bench_compare", bench_compare.map(Value::from));
    Value::Object(found)
}

/// The version of the time zone data of the system, else that this program was built with.
pub fn tzdb() -> String {
    let version = ZONES.iter().find_map(|path| {
        let text = std::fs::read(path).ok()?;
        let text = String::from_utf8_lossy(&text[..text.len().min(200)]).into_owned();
        let line = text.lines().next()?.trim_start_matches("# version").trim().to_owned();
        (!line.is_empty()).then_some(line)
    });
    version.unwrap_or_else(|| "bundled".to_owned())
}

/// The Python that a job runs, if it does.
fn python(job: &Job) -> Option<String> {
    let program = job.argv.first()?;
    let name = Path::new(program).file_name()?.to_str()?;
    name.starts_with("python").then(|| program.clone())
}

/// What a program prints, in the folder and environment of the job; none if it fails.
fn answer(job: &Job, scratch: &Path, argv: &[&str]) -> Option<String> {
    let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
    let limits = Limits { timeout: PATIENCE, grace: Duration::from_secs(1), ..Limits::default() };
    let command = Command::new(&argv, &job.folder).ok()?.with_environment(Vec::new(), job.env.clone()).ok()?;
    let folder = tempfile::tempdir_in(scratch).ok()?;
    let slot = Slot {
        job: job.name.clone(),
        scheduled_at: jiff::Timestamp::UNIX_EPOCH,
        out_dir: folder.path().to_owned(),
        log_dir: folder.path().to_owned(),
        ticket: String::new(),
    };
    let cancel = Cancel::new().ok()?;
    let clock = || jiff::Timestamp::UNIX_EPOCH;
    let outcome = process::run(&command.with_limits(limits), &slot, &cancel, clock, |_| {}).ok()?;
    let text = std::fs::read_to_string(&outcome.stdout.path).ok()?;
    (outcome.exit == process::Exit::Exited(0)).then(|| text.trim_end().to_owned())
}

fn first_of(path: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The version of a program, as it prints it; none if it cannot be run.
pub fn version(program: &Path) -> Option<String> {
    let output = std::process::Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
