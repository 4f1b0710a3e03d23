//! Builds the release binaries once and runs them as a user would: in a folder of their own, from the command line.

pub mod docs;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap_or_else(|_| PathBuf::from(".."))
}

/// A file below `tests/data`.
pub fn data(path: &str) -> String {
    root().join("tests/data").join(path).display().to_string()
}

/// What a tool said.
#[derive(Debug)]
pub struct Said {
    /// Exit status; -1 after a signal.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Said {
    /// Standard output as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_default()
    }
}

/// A new, empty folder to work in.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// Makes the folder.
    ///
    /// # Panics
    /// If the system has no room for one.
    #[expect(clippy::expect_used, reason = "a test without a folder cannot run")]
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A path inside it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a tool here.
    pub fn run<A: AsRef<OsStr>>(&self, tool: &str, args: &[A]) -> Said {
        said(&self.command(tool).args(args).stdin(Stdio::null()).output())
    }

    /// The command of a tool, to be run here.
    pub fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(binary(tool));
        command.current_dir(self.folder.path()).env_remove("MLFLOW_TRACKING_URI").env("NO_COLOR", "1");
        command
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

/// The path of a tool: in the folder that `FORECAST_BIN` names (installed tools, or a debug build), or the release binary, built on
/// first use.
pub fn binary(tool: &str) -> PathBuf {
    binaries().join(tool)
}

/// The folder of the tools under test.
///
/// # Panics
/// If they cannot be built; tried once, whatever the number of tests.
pub fn binaries() -> PathBuf {
    static BUILT: OnceLock<bool> = OnceLock::new();
    if let Some(folder) = std::env::var_os("FORECAST_BIN") {
        return root().join(folder);
    }
    assert!(*BUILT.get_or_init(build), "cargo build --release --bins failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("release")
}

fn build() -> bool {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--quiet", "--bins"]).current_dir(root());
    cargo.status().is_ok_and(|status| status.success())
}

/// What a finished command said.
pub fn said(output: &std::io::Result<Output>) -> Said {
    match output {
        Ok(output) => Said {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        },
        Err(error) => Said { status: -1, stdout: String::new(), stderr: error.to_string() },
    }
}
