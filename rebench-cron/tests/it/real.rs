//! The real program in a folder of its own: its daemon, its commands, its records and the processes that it leaves.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rusqlite::Connection;
use shared::fsio;
use tempfile::TempDir;

use crate::living::Daemon;

/// The name of the file with the jobs.
const JOBS: &str = "promotion.toml";

/// A folder with jobs.
pub(crate) struct Place {
    folder: TempDir,
    /// Where records are kept.
    pub(crate) state: PathBuf,
}

impl Place {
    pub(crate) fn new(jobs: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self { state: folder.path().join("state"), folder };
        place.write(JOBS, jobs);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fsio::write_atomic(&self.path(name), text.as_bytes()).unwrap();
    }

    /// Other jobs; a daemon has to be told.
    pub(crate) fn jobs(&self, jobs: &str) {
        self.write(JOBS, jobs);
    }

    pub(crate) fn program(&self, name: &str, script: &str) {
        self.write(name, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rebench-cron"));
        self.set_up(&mut command, words);
        command
    }

    /// The same behind another program, which starts it.
    pub(crate) fn behind(&self, program: &[&str], words: &[&str]) -> Command {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).arg(env!("CARGO_BIN_EXE_rebench-cron"));
        self.set_up(&mut command, words);
        command
    }

    fn set_up(&self, command: &mut Command, words: &[&str]) {
        command.current_dir(self.folder.path()).args(words);
        command.env_remove("RUST_LOG");
        command.arg("--state").arg(&self.state);
    }

    pub(crate) fn output(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// A daemon with a port of its own.
    pub(crate) fn daemon(&self, flags: &[&str]) -> Daemon {
        Daemon::spawn(self.command(&[&["run", "--listen", "127.0.0.1:0"], flags].concat()))
    }

    /// The records, as they are at this moment.
    pub(crate) fn records(&self) -> Connection {
        let records = Connection::open(self.state.join("rebench.sqlite")).unwrap();
        records.busy_timeout(Duration::from_secs(30)).unwrap();
        records
    }

    /// The rows of a question, columns separated by blanks.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        rows(&self.records(), sql).unwrap()
    }

    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The command lines of all processes that work in this folder or below.
    pub(crate) fn processes(&self) -> Vec<String> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let own = entries.filter(|entry| is_below(&entry.path(), self.folder.path()));
        let said = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).replace('\0', " ");
        own.map(|entry| format!("{} {}", entry.file_name().display(), said(entry.path().join("cmdline")))).collect()
    }
}

/// Whether a process works in this folder; one that has ended works nowhere.
fn is_below(process: &Path, folder: &Path) -> bool {
    fs::read_link(process.join("cwd")).is_ok_and(|path| path.starts_with(folder))
}

pub(crate) fn rows(records: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = records.prepare(sql)?;
    let columns = statement.column_count();
    let line = |row: &rusqlite::Row<'_>| {
        let words = (0..columns).map(|column| row.get_ref(column).map(word));
        Ok(words.collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
    };
    statement.query_map([], line)?.collect()
}

fn word(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Null => "-".to_owned(),
    }
}

/// What a program said, for a test that fails.
pub(crate) fn said(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether a test that needs something of the machine is left out; where everything must be tested, that fails.
pub(crate) fn skip(test: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test} cannot be left out: {why}");
    eprintln!("SKIPPED {test}: {why}");
}
