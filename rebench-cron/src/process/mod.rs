//! Running a command, and being sure of its end.
//!
//! [`run`] starts a program in a process group of its own, keeps head and tail of its outputs, ends it when its time is over or
//! its [`Cancel`] says so, and then sees to it that nothing of it is left: its group, children that left the group, and
//! orphans of these, which come to this process. So it makes this process the one that orphans come to (`PR_SET_CHILD_SUBREAPER`),
//! for good. What a run started through another daemon (`at`, `systemd-run`, a container engine) is not its child and stays.

mod cancel;
mod capture;
mod command;
mod family;
mod identity;
mod kept;
mod nursery;
mod running;
mod table;
mod usage;

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use shared::{Error, Result};

use capture::Capture;
use running::{Ended, Over, Running};

pub use cancel::Cancel;
pub use command::{Command, Limits, PLACEHOLDERS, Slot};
pub use identity::{Identity, end_ticket};
pub use kept::{Captured, Sizes};
pub use nursery::reap_orphans;
pub use running::Process;
pub use usage::Usage;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// Its time was over.
    TimedOut,
    /// On demand.
    Cancelled,
    /// It did not begin, for this reason.
    NotStarted(String),
}

/// All that is known of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// When it was started.
    pub started: Timestamp,
    /// When nothing of it was left.
    pub ended: Timestamp,
    /// The time between, by a clock that nobody sets.
    pub took: Duration,
    /// How it ended.
    pub exit: Exit,
    /// What the system says of its end, also where we brought it about; nothing where it never began or does not end.
    pub status: Option<ExitStatus>,
    /// What it used.
    pub usage: Usage,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// What it left in the background when it ended by itself, and what was ended then.
    pub leftovers: Vec<Process>,
    /// What could not even be killed: it hangs in the kernel, or belongs to another user.
    pub survivors: Vec<Process>,
}

/// Runs the command for a slot to its end, and tells `on_start` who it is as soon as it is there. Blocks; runs in several threads
/// at once do not disturb each other. `clock` says what time it is in the outcome; limits are measured by a clock of their own.
///
/// # Errors
/// [`Error::Usage`] if a value must not become an argument, [`Error::Environment`] if the program cannot be watched. One that
/// cannot be started is [`Exit::NotStarted`].
pub fn run(
    command: &Command,
    slot: &Slot,
    cancel: &Cancel,
    clock: impl Fn() -> Timestamp,
    on_start: impl FnOnce(&Identity),
) -> Result<Outcome> {
    let argv = command.argv(slot)?;
    let limits = command.limits();
    let (started, begun) = (clock(), Instant::now());
    let failed = |source: io::Error| environment(&format!("command {} cannot be watched", command.program()), &source);
    let (stdout, stdout_end) = output(slot, "stdout", limits).map_err(failed)?;
    let (stderr, stderr_end) = output(slot, "stderr", limits).map_err(failed)?;
    let membership = nursery::enter();
    let spawned = match cancel.is_cancelled() {
        true => Err(Exit::Cancelled),
        false => {
            spawn(command, &argv, (membership.token(), &slot.ticket), stdout_end, stderr_end).map_err(Exit::NotStarted)
        }
    };
    let (exit, ended) = match spawned {
        Ok(child) => {
            let running = Running::new(child, membership).map_err(failed)?;
            on_start(&running.identity());
            let ended = running.finish(limits.timeout, limits.grace, cancel).map_err(failed)?;
            (exit(&ended), ended)
        }
        Err(exit) => (exit, Ended::never()),
    };
    let (stdout, stderr) = (stdout.finish(), stderr.finish());
    let Ended { status, usage, leftovers, survivors, .. } = ended;
    Ok(Outcome {
        started,
        ended: clock(),
        took: begun.elapsed(),
        exit,
        status,
        usage,
        stdout,
        stderr,
        leftovers,
        survivors,
    })
}

/// A pipe whose output goes to the file of this name.
fn output(slot: &Slot, name: &str, limits: Limits) -> io::Result<(Capture, io::PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    Ok((Capture::start(reader, &slot.log_dir.join(name), limits.output)?, writer))
}

/// Starts it, or says why it cannot be. Our ends of the pipes go with the builder, else their end would never be seen.
fn spawn(
    command: &Command,
    argv: &[String],
    (token, ticket): (&str, &str),
    stdout: io::PipeWriter,
    stderr: io::PipeWriter,
) -> Result<Child, String> {
    let folder = command.folder();
    if !folder.is_dir() {
        return Err(format!("the working folder {} is not there, or no folder", folder.display()));
    }
    std::process::Command::new(command.program())
        .args(&argv[1..])
        .env_clear()
        .envs(command.environment(token, ticket, |name| std::env::var_os(name)))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn()
        .map_err(|error| not_started(command.program(), &error))
}

fn not_started(program: &str, error: &io::Error) -> String {
    let remedy = match (error.kind(), program.contains('/')) {
        (io::ErrorKind::NotFound, false) => "; it is not in PATH",
        (io::ErrorKind::NotFound, true) => "; see whether it is there, and the interpreter that its first line names",
        (io::ErrorKind::PermissionDenied, _) => "; see whether it is executable (chmod +x)",
        _ => "",
    };
    format!("{program} cannot be started: {error}{remedy}")
}

fn exit(ended: &Ended) -> Exit {
    match (ended.over, ended.status) {
        (Over::TimedOut, _) => Exit::TimedOut,
        (Over::Cancelled, _) => Exit::Cancelled,
        (Over::ByItself, status) => {
            let signal = status.and_then(|status| status.signal());
            let code = status.and_then(|status| status.code());
            signal.map_or(Exit::Exited(code.unwrap_or_default()), Exit::Signalled)
        }
    }
}

/// A failure of the machine.
fn environment(what: &str, source: &io::Error) -> Error {
    let help = "see what the system lacks: open files (ulimit -n), processes (ulimit -u), memory";
    Error::Environment { what: format!("{what}: {source}"), help: Some(help.to_owned()) }
}
