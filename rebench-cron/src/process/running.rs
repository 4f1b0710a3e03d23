//! A program while it runs: its time is watched, and in the end nothing of it is left, whatever it started and however.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open, pidfd_send_signal,
    waitid,
};
use wait4::{Wait4, try_wait4_pid};

use super::cancel::Cancel;
use super::capture::ready;
use super::family::Family;
use super::identity::Identity;
use super::nursery::{self, Membership};
use super::table::{self, Row};
use super::usage::Usage;

/// How soon its processes are looked at, and how often at least; in between the time doubles.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How soon and how often it is looked whether it is gone, once it has been told to end.
const FIRST_CHECK: Duration = Duration::from_millis(2);
const LONGEST_CHECK: Duration = Duration::from_millis(100);

/// The grace of what a program leaves behind that ended by itself.
const LEFTOVER_GRACE: Duration = Duration::from_secs(1);

/// How long the killed may take to go; only those that hang in the kernel take any time.
const MOST_DYING: Duration = Duration::from_secs(5);

/// How long orphans are killed as they come, between two looks at all.
const HUNT: Duration = Duration::from_millis(20);

/// A process that is named in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// The name of its program, up to 15 bytes of it.
    pub name: String,
}

/// What a look found.
#[derive(Debug, Default)]
struct Look {
    living: Vec<Row>,
    /// How many orphans had ended since the last one, of the run or of nobody who is known.
    ended: usize,
}

impl Look {
    /// Whether nothing lives, and nothing ended that may have started another just before.
    fn is_quiet(&self) -> bool {
        self.living.is_empty() && self.ended == 0
    }

    fn processes(self) -> Vec<Process> {
        self.living.into_iter().map(|row| Process { pid: row.pid, name: row.name }).collect()
    }
}

/// Why a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    ByItself,
    TimedOut,
    Cancelled,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) over: Over,
    pub(super) status: Option<ExitStatus>,
    pub(super) usage: Usage,
    /// What it left behind, which was ended.
    pub(super) leftovers: Vec<Process>,
    /// What could not be ended.
    pub(super) survivors: Vec<Process>,
}

impl Ended {
    /// Of one that never began.
    pub(super) fn never() -> Self {
        let (usage, leftovers, survivors) = (Usage::default(), Vec::new(), Vec::new());
        Self { over: Over::ByItself, status: None, usage, leftovers, survivors }
    }
}

/// A program in a process group of its own. Dropped early, the group is killed.
pub(super) struct Running {
    /// Until its status is collected; then another process may have the number.
    child: Option<Child>,
    pid: Pid,
    /// Readable once it ended; without one it is looked at often.
    pidfd: Option<OwnedFd>,
    membership: Membership,
    own: Option<Row>,
    family: Family,
    usage: Usage,
    /// What the program's own peak of memory says nothing below: it begins with that of this process.
    floor_bytes: u64,
}

impl Running {
    pub(super) fn new(child: Child, membership: Membership) -> io::Result<Self> {
        let raw = i32::try_from(child.id()).map_err(io::Error::other)?;
        let pid = Pid::from_raw(raw).ok_or_else(|| io::Error::other("the number 0"))?;
        let own = table::own();
        if let Some(row) = own.as_ref().and_then(|_| table::read(raw)) {
            membership.started(raw, row.start_ticks);
        }
        let floor_bytes = own.as_ref().and_then(|own| table::peak_rss_bytes(own.pid)).unwrap_or_default();
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok();
        let (family, usage) = (Family::new(raw), Usage::default());
        Ok(Self { child: Some(child), pid, pidfd, membership, own, family, usage, floor_bytes })
    }

    pub(super) fn identity(&self) -> Identity {
        let row = self.own.as_ref().and_then(|_| table::read(self.raw_pid()));
        Identity::of(self.raw_pid(), row.map(|row| row.start_ticks), self.membership.token())
    }

    fn raw_pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits for its end; when `timeout` is over, or on demand, brings the end about. Then ends what is left of it.
    pub(super) fn finish(mut self, timeout: Duration, grace: Duration, cancel: &Cancel) -> io::Result<Ended> {
        let over = self.wait(timeout, cancel)?;
        let grace = if over == Over::ByItself { grace.min(LEFTOVER_GRACE) } else { grace };
        let left = self.look().processes();
        let survivors = self.end(grace, cancel)?;
        let leftovers = if over == Over::ByItself { left } else { Vec::new() };
        let status = self.collect(&survivors)?;
        Ok(Ended { over, status, usage: self.usage, leftovers, survivors })
    }

    fn wait(&mut self, timeout: Duration, cancel: &Cancel) -> io::Result<Over> {
        let started = Instant::now();
        let (mut pause, mut next_look) = (FIRST_LOOK, FIRST_LOOK);
        loop {
            let elapsed = started.elapsed();
            if self.has_ended()? {
                return Ok(Over::ByItself);
            } else if cancel.is_cancelled() {
                return Ok(Over::Cancelled);
            } else if elapsed >= timeout {
                return Ok(Over::TimedOut);
            }
            if elapsed >= next_look {
                self.look();
                pause = (2 * pause).min(LONGEST_PAUSE);
                next_look = started.elapsed() + pause;
            }
            self.sleep(timeout.min(next_look).saturating_sub(started.elapsed()), cancel)?;
        }
    }

    /// Sleeps until it ended, is cancelled, or the time is over.
    fn sleep(&self, patience: Duration, cancel: &Cancel) -> io::Result<()> {
        match &self.pidfd {
            Some(pidfd) => ready(&[cancel.wake(), pidfd.as_fd()], patience).map(drop),
            None => ready(&[cancel.wake()], patience.min(FIRST_LOOK)).map(drop),
        }
    }

    fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(status) => Ok(status.is_some()),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks at its processes: notes them and their memory, collects those that ended.
    fn look(&mut self) -> Look {
        let Some(own) = &self.own else { return Look::default() };
        let table = table::all();
        let orphans = self.membership.orphans(own, &table);
        let members = self.family.members(&table, |row| orphans.contains(&row.pid));
        let (ended, living): (Vec<&Row>, Vec<&Row>) = members.into_iter().partition(|row| row.ended);
        let root = self.pid.as_raw_nonzero().get();
        let collected: Vec<Usage> = ended
            .into_iter()
            .filter(|row| row.parent == own.pid && row.pid != root)
            .filter_map(|row| collect_orphan(row.pid))
            .collect();
        let others = nursery::reap(own, &table);
        living.iter().filter_map(|row| table::peak_rss_bytes(row.pid)).for_each(|bytes| self.usage.peak(bytes));
        collected.iter().for_each(|usage| self.usage.add(*usage));
        Look { living: living.into_iter().cloned().collect(), ended: collected.len() + others }
    }

    /// Ends all that is left of it; says what could not be ended.
    fn end(&mut self, grace: Duration, cancel: &Cancel) -> io::Result<Vec<Process>> {
        if self.is_gone_within(Duration::ZERO, cancel)? {
            return Ok(Vec::new());
        }
        self.signal(Signal::TERM);
        // One that is stopped hears nothing else.
        self.signal(Signal::CONT);
        if self.is_gone_within(grace, cancel)? {
            return Ok(Vec::new());
        }
        let started = Instant::now();
        loop {
            // Each time again: one that was just being started is not there at the first look.
            self.signal(Signal::KILL);
            self.hunt();
            if self.is_dead_within(LONGEST_CHECK)? {
                return Ok(Vec::new());
            } else if started.elapsed() >= MOST_DYING {
                return Ok(self.look().processes());
            }
        }
    }

    /// Whether nothing of it lives within this time, or until it is to be killed at once.
    fn is_gone_within(&mut self, patience: Duration, cancel: &Cancel) -> io::Result<bool> {
        self.is_empty_within(patience, || cancel.is_killed())
    }

    fn is_dead_within(&mut self, patience: Duration) -> io::Result<bool> {
        self.is_empty_within(patience, || false)
    }

    fn is_empty_within(&mut self, patience: Duration, stops: impl Fn() -> bool) -> io::Result<bool> {
        let started = Instant::now();
        let mut pause = FIRST_CHECK;
        loop {
            // Twice, since a look takes time: one that starts another and ends meanwhile may hide both.
            if self.has_ended()? && self.look().is_quiet() && self.look().is_quiet() {
                return Ok(true);
            }
            let left = patience.saturating_sub(started.elapsed());
            if left.is_zero() || stops() {
                return Ok(false);
            }
            thread::sleep(pause.min(left));
            pause = (2 * pause).min(LONGEST_CHECK);
        }
    }

    /// Sends it to the group at once, and to each process that has left it.
    fn signal(&mut self, signal: Signal) {
        // It fails only where nobody is left in the group.
        _ = kill_process_group(self.pid, signal);
        self.look().living.iter().filter(|row| !self.family.in_group(row)).for_each(|row| send(row, signal));
    }

    /// Kills orphans as they come, for those that are gone before a look at all processes is over, each leaving another.
    fn hunt(&self) {
        let Some(own) = &self.own else { return };
        let started = Instant::now();
        while started.elapsed() < HUNT {
            let children = table::children(own.pid);
            let orphans = self.membership.orphans(own, &children);
            if orphans.is_empty() {
                thread::yield_now();
            }
            children.iter().filter(|row| orphans.contains(&row.pid)).for_each(|row| send(row, Signal::KILL));
        }
    }

    /// Collects its status, last of all, so that number and group were its own so far.
    fn collect(&mut self, survivors: &[Process]) -> io::Result<Option<ExitStatus>> {
        let raw = self.raw_pid();
        if survivors.iter().any(|process| process.pid == raw) {
            return Ok(None);
        }
        let Some(child) = self.child.take() else { return Ok(None) };
        // Also where `/proc` is not to be had.
        _ = kill_process_group(self.pid, Signal::KILL);
        let found = child.wait4()?;
        let reported = found.rusage.maxrss;
        let peak_rss_bytes = if reported > self.floor_bytes { reported } else { 0 };
        self.usage.add(Usage { user: found.rusage.utime, system: found.rusage.stime, peak_rss_bytes });
        Ok(Some(found.status))
    }
}

/// Signals this process, and no other that may have got its number.
pub(super) fn send(row: &Row, signal: Signal) {
    let Some(pid) = Pid::from_raw(row.pid) else { return };
    let same = || table::read(row.pid).is_some_and(|now| now.id() == row.id());
    match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) if same() => _ = pidfd_send_signal(pidfd, signal),
        Err(Errno::NOSYS) if same() => _ = kill_process(pid, signal),
        // It is gone.
        _ => {}
    }
}

/// Collects an orphan that has ended; nothing where it was another's, or another thread was faster.
fn collect_orphan(pid: i32) -> Option<Usage> {
    let found = try_wait4_pid(u32::try_from(pid).ok()?).ok()??;
    // Its own peak begins with that of who started it, which was looked at.
    Some(Usage { user: found.rusage.utime, system: found.rusage.stime, peak_rss_bytes: 0 })
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            _ = kill_process_group(self.pid, Signal::KILL);
            // Collects it if it is gone already; one that hangs is left to the system.
            _ = child.try_wait();
        }
    }
}
