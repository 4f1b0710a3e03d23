//! A shell as a reader has it: the tools in PATH, the clock and whoever commits held fast, so that digests are the same each time.

use std::path::Path;
use std::process::{Command, Stdio};

use e2e::binaries;

/// The time of all that has one: 2026-01-05T09:00:00Z.
const NOW: &str = "1767603600";

/// Runs a command line in a folder; what a terminal would show.
pub(super) fn run(folder: &Path, command: &str) -> String {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("exec 2>&1\n{command}")])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    shell.env("PATH", search_path()).env("NO_COLOR", "1").env("COLUMNS", "100").env("LC_ALL", "C.UTF-8");
    shell.env("SOURCE_DATE_EPOCH", NOW).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("MLFLOW_TRACKING_URI");
    shell.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env_remove("MAKEFLAGS");
    for who in ["AUTHOR", "COMMITTER"] {
        shell.env(format!("GIT_{who}_NAME"), "ana").env(format!("GIT_{who}_EMAIL"), "ana@example.org");
        shell.env(format!("GIT_{who}_DATE"), format!("@{NOW} +0000"));
    }
    String::from_utf8(shell.output().unwrap().stdout).unwrap()
}

/// The tools under test, then the Python of the tests, then the rest.
fn search_path() -> String {
    let python = std::env::var("FORECAST_PYTHON").unwrap_or_default();
    let python = Path::new(&python).parent().unwrap_or(Path::new("")).display();
    format!("{}:{python}:{}", binaries().display(), std::env::var("PATH").unwrap_or_default())
}
