//! Runs of real programs in folders of their own, and a look at who is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rebench_cron::process::{Cancel, Command, Limits, Outcome, Sizes, Slot, run};
use tempfile::TempDir;

/// Long enough that no test waits for it.
pub(crate) const LONG: Duration = Duration::from_mins(2);

/// A run to be.
pub(crate) struct Trial {
    pub(crate) folder: TempDir,
    pub(crate) limits: Limits,
    pub(crate) cancel: Cancel,
    pub(crate) inherit: Vec<String>,
    pub(crate) variables: Vec<(String, String)>,
}

impl Trial {
    pub(crate) fn new() -> Self {
        let limits = Limits { timeout: LONG, grace: Duration::from_millis(300), output: Sizes::default() };
        let (folder, cancel) = (tempfile::tempdir().unwrap(), Cancel::new().unwrap());
        Self { folder, limits, cancel, inherit: vec![], variables: vec![] }
    }

    pub(crate) fn within(timeout: Duration) -> Self {
        let mut trial = Self::new();
        trial.limits.timeout = timeout;
        trial
    }

    pub(crate) fn sized(head_bytes: u64, tail_bytes: u64) -> Self {
        let mut trial = Self::new();
        trial.limits.output = Sizes { head_bytes, tail_bytes };
        trial
    }

    pub(crate) fn slot(&self) -> Slot {
        let folder = self.folder.path().to_owned();
        let scheduled_at = "2026-01-05T03:00:00Z".parse().unwrap();
        Slot {
            job: "walmart".to_owned(),
            scheduled_at,
            out_dir: folder.clone(),
            log_dir: folder,
            ticket: String::new(),
        }
    }

    pub(crate) fn command(&self, argv: &[&str]) -> Command {
        let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
        let command = Command::new(&argv, self.folder.path()).unwrap().with_limits(self.limits);
        command.with_environment(self.inherit.clone(), self.variables.clone()).unwrap()
    }

    pub(crate) fn run(&self, argv: &[&str]) -> Outcome {
        run(&self.command(argv), &self.slot(), &self.cancel, Timestamp::now, |_| {}).unwrap()
    }

    pub(crate) fn shell(&self, script: &str) -> Outcome {
        self.run(&["sh", "-c", script])
    }

    pub(crate) fn python(&self, script: &str) -> Outcome {
        self.run(&["python3", "-c", script])
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(crate) fn text(path: &Path) -> String {
    String::from_utf8(fs::read(path).unwrap()).unwrap()
}

pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A number of seconds for `sleep` that nobody else on this machine sleeps, by which its process is found.
pub(crate) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("7{}.{:04}1", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The processes with this word in their command line, but for those that have ended.
pub(crate) fn alive(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some(format!("{}: {line}", entry.file_name().to_str()?))
    });
    lines.filter(|line| line.split(' ').any(|found| found == word)).collect()
}
