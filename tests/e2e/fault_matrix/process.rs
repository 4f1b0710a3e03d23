//! A process that is watched until it ends, or until what is waited for has come.

use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What ends with a kill: no command of the matrix takes a second on a machine that has nothing else to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a process ended, and what it said.
pub(crate) struct Ended {
    /// Nothing where it had to be killed.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command to its end; one that is `ready` is asked to end.
pub(crate) fn until(command: &mut Command, ready: impl Fn(&str) -> bool) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
    command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap()).stdin(Stdio::null());
    let text = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let status = watch(command.spawn().unwrap(), || ready(&text(&err)));
    Ended { status, stdout: text(&out), stderr: text(&err) }
}

fn watch(mut child: Child, ready: impl Fn() -> bool) -> Option<ExitStatus> {
    let start = Instant::now();
    let mut asked = false;
    while start.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if !asked && ready() {
            asked = true;
            Command::new("kill").arg(child.id().to_string()).status().unwrap();
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}
