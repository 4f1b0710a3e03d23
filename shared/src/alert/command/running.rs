//! A program while it runs: its pipes are served and its time is watched by one thread, which nothing it does can hold up.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How much of the end of the output is kept, in bytes.
pub(super) const MOST_OUTPUT_BYTES: usize = 16 << 10;

/// What a pipe takes without making the writer wait, once it is ready (POSIX's smallest `PIPE_BUF` is 512, Linux has 4096).
const PIECE_BYTES: usize = 512;

/// How often the program is looked at while its pipes are quiet.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// Nothing: what is there now.
const NO_PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// How long a killed program may take to go; only one that hangs in the kernel takes any time.
const MOST_DYING: Duration = Duration::from_secs(5);

/// How many pieces are read after its end at most: something in the background may go on writing.
const MOST_LAST_PIECES: usize = 32;

/// How it ended.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) timed_out: bool,
    pub(super) output: Vec<u8>,
}

/// A program in a process group of its own. Dropped early, the group is killed.
pub(super) struct Running {
    child: Child,
    /// The program's own, until its status is collected; then another process may have the number.
    group: Option<Pid>,
    input: Option<ChildStdin>,
    text: Vec<u8>,
    /// How much of the text is written.
    written: usize,
    output: Option<PipeReader>,
    tail: Vec<u8>,
}

impl Running {
    pub(super) fn new(mut child: Child, input: Vec<u8>, output: PipeReader) -> Self {
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let stdin = child.stdin.take();
        Self { child, group, input: stdin, text: input, written: 0, output: Some(output), tail: Vec::new() }
    }

    /// Waits for its end; when `timeout` is over tells its group to end, and kills it after `grace`.
    pub(super) fn finish(mut self, timeout: Duration, grace: Duration) -> io::Result<Ended> {
        let in_time = self.wait(timeout)?;
        if !in_time {
            self.signal(Signal::TERM);
            self.wait(grace)?;
            // Also where the program itself went: others of its group may have stayed.
            self.signal(Signal::KILL);
            if !self.wait(MOST_DYING)? {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it does not even end when killed"));
            }
        }
        for _ in 0..MOST_LAST_PIECES {
            if !self.serve(&NO_PAUSE)? {
                break;
            }
        }
        self.group = None;
        let status = self.child.wait()?;
        let start = self.tail.len().saturating_sub(MOST_OUTPUT_BYTES);
        Ok(Ended { status, timed_out: !in_time, output: self.tail.split_off(start) })
    }

    /// Whether it ended within this time; its status stays to be collected, so that its number stays its own.
    fn wait(&mut self, patience: Duration) -> io::Result<bool> {
        let started = Instant::now();
        while !self.has_ended()? {
            if started.elapsed() >= patience {
                return Ok(false);
            }
            self.serve(&PAUSE)?;
        }
        Ok(true)
    }

    fn has_ended(&self) -> io::Result<bool> {
        let Some(pid) = self.group else { return Ok(true) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(pid), options) {
            Ok(status) => Ok(status.is_some()),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn signal(&self, signal: Signal) {
        // It fails only where nobody is left in the group.
        self.group.into_iter().for_each(|group| _ = kill_process_group(group, signal));
    }

    /// Waits until a pipe is ready or the pause is over, and moves one piece; says whether anything moved.
    fn serve(&mut self, pause: &Timespec) -> io::Result<bool> {
        let (readable, writable) = self.ready(pause)?;
        let read = if readable { self.read()? } else { false };
        let wrote = if writable { self.write() } else { false };
        Ok(read || wrote)
    }

    /// Whether output can be read and input be written; an end of the other side counts as ready.
    fn ready(&self, pause: &Timespec) -> io::Result<(bool, bool)> {
        let output = self.output.as_ref().map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN));
        let input = self.input.as_ref().map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::OUT));
        let (has_output, has_input) = (output.is_some(), input.is_some());
        let mut all: Vec<PollFd<'_>> = output.into_iter().chain(input).collect();
        match poll(&mut all, Some(pause)) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok((false, false)),
            Err(error) => return Err(error.into()),
        }
        let ready = |fd: Option<&PollFd<'_>>| fd.is_some_and(|fd| !fd.revents().is_empty());
        Ok((has_output && ready(all.first()), has_input && ready(all.last())))
    }

    fn read(&mut self) -> io::Result<bool> {
        let Some(pipe) = &mut self.output else { return Ok(false) };
        let mut piece = [0; 4096];
        let count = match pipe.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            read => read?,
        };
        if count == 0 {
            self.output = None;
        }
        self.tail.extend_from_slice(&piece[..count]);
        if self.tail.len() > 2 * MOST_OUTPUT_BYTES {
            self.tail.drain(..self.tail.len() - MOST_OUTPUT_BYTES);
        }
        Ok(count > 0)
    }

    /// A program need not read its input, so that a failure ends the input and nothing else.
    fn write(&mut self) -> bool {
        let Some(pipe) = &mut self.input else { return false };
        let left = &self.text[self.written..];
        self.written += match pipe.write(&left[..left.len().min(PIECE_BYTES)]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return false,
            Err(_) => left.len(),
        };
        if self.written == self.text.len() {
            self.input = None;
        }
        true
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.group.is_some() {
            self.signal(Signal::KILL);
            // Collects it if it is gone already; one that hangs is left to the system.
            _ = self.child.try_wait();
        }
    }
}
