//! Tools that say when they begin, so that one of them can be killed at a given moment of its life.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use e2e::{Place, binaries};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use shared::fsio;

const TOOLS: [&str; 4] = ["bench-compare", "manifest-gen", "drift-watch", "rebench-cron"];

/// No tool of the loop takes as long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A run of a tool.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) tool: String,
    pub(crate) lasted: Duration,
    pub(crate) killed: bool,
}

/// Which run of a tool to kill, counted from the beginning of a step, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    pub(crate) number: usize,
    pub(crate) after: Duration,
}

#[derive(Default)]
struct Step {
    kill: Option<Kill>,
    begun: Vec<JoinHandle<Option<Life>>>,
}

/// A folder with the tools, each of which tells its process number before it becomes what it is.
pub(crate) struct Watched {
    place: Place,
    step: Arc<Mutex<Step>>,
}

impl Watched {
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let fifo = place.path("begun");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        for tool in TOOLS {
            // The number of a shell is that of what it becomes.
            let real = binaries().join(tool);
            let script =
                format!("#!/bin/sh\necho \"$$ {tool}\" > '{}'\nexec '{}' \"$@\"\n", fifo.display(), real.display());
            fsio::write_atomic(&place.path(tool), script.as_bytes()).unwrap();
            fs::set_permissions(place.path(tool), Permissions::from_mode(0o755)).unwrap();
        }
        let step = Arc::new(Mutex::new(Step::default()));
        // Open for both, so that neither side ever waits for the other.
        let lines = BufReader::new(OpenOptions::new().read(true).write(true).open(fifo).unwrap());
        let shared = Arc::clone(&step);
        thread::spawn(move || listen(lines, &shared));
        Self { place, step }
    }

    /// The folder of the tools.
    pub(crate) fn folder(&self) -> PathBuf {
        self.place.path("")
    }

    /// What ran while `step` ran.
    pub(crate) fn during<T>(&self, kill: Option<Kill>, step: impl FnOnce() -> T) -> (T, Vec<Life>) {
        *self.step.lock().unwrap() = Step { kill, begun: Vec::new() };
        let done = step();
        let begun = std::mem::take(&mut self.step.lock().unwrap().begun);
        (done, begun.into_iter().filter_map(|life| life.join().unwrap()).collect())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let fifo = OpenOptions::new().write(true).open(self.place.path("begun"));
        _ = fifo.and_then(|mut fifo| fifo.write_all(b"end\n"));
    }
}

fn listen(lines: BufReader<File>, step: &Mutex<Step>) {
    for line in lines.lines().map_while(Result::ok) {
        let Some((number, tool)) = line.split_once(' ') else { return };
        let pid = number.parse().ok().and_then(Pid::from_raw);
        // A process that is gone already cannot be killed.
        let Some(process) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { continue };
        let (tool, mut step) = (tool.to_owned(), step.lock().unwrap());
        let after = step.kill.filter(|kill| kill.number == step.begun.len()).map(|kill| kill.after);
        step.begun.push(thread::spawn(move || live(tool, &process, after)));
    }
}

/// Waits for the end of a process, or brings it about.
fn live(tool: String, process: &OwnedFd, after: Option<Duration>) -> Option<Life> {
    let begun = Instant::now();
    let has_ended = ends_within(process, after.unwrap_or(PATIENCE));
    let killed = !has_ended && after.is_some();
    if killed {
        pidfd_send_signal(process, Signal::KILL).ok()?;
        ends_within(process, PATIENCE);
    }
    Some(Life { tool, lasted: begun.elapsed(), killed })
}

fn ends_within(process: &OwnedFd, time: Duration) -> bool {
    let time = Timespec::try_from(time).unwrap();
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&time)).unwrap() > 0
}
