//! The handle by which a run is ended from another thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::event::{EventfdFlags, eventfd};
use shared::Result;

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const KILLED: u8 = 2;

/// Ends the runs that were started with it; a copy is the same handle. It stays cancelled: a later run with it ends at once.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<State>);

#[derive(Debug)]
struct State {
    level: AtomicU8,
    wake: OwnedFd,
}

impl Cancel {
    /// A handle that is not cancelled.
    ///
    /// # Errors
    /// [`Error::Environment`](shared::Error::Environment) if no more files can be open.
    pub fn new() -> Result<Self> {
        let wake = wake().map_err(|source| super::environment("a run cannot be watched", &source.into()))?;
        Ok(Self(Arc::new(State { level: AtomicU8::new(RUNNING), wake })))
    }

    /// Tells the runs to end (SIGTERM), and kills them when their grace is over.
    pub fn cancel(&self) {
        self.raise(CANCELLED);
    }

    /// Kills the runs at once (SIGKILL).
    pub fn kill(&self) {
        self.raise(KILLED);
    }

    /// Whether it was cancelled or killed.
    pub fn is_cancelled(&self) -> bool {
        self.0.level.load(Ordering::SeqCst) >= CANCELLED
    }

    pub(super) fn is_killed(&self) -> bool {
        self.0.level.load(Ordering::SeqCst) >= KILLED
    }

    /// Readable as soon as it is cancelled.
    pub(super) fn wake(&self) -> BorrowedFd<'_> {
        self.0.wake.as_fd()
    }

    fn raise(&self, level: u8) {
        self.0.level.fetch_max(level, Ordering::SeqCst);
        notify(&self.0.wake);
    }
}

/// A file that becomes readable, and stays so, with [`notify`].
pub(super) fn wake() -> rustix::io::Result<OwnedFd> {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
}

pub(super) fn notify(wake: &OwnedFd) {
    // It fails only where it is readable already.
    _ = rustix::io::write(wake, &1_u64.to_ne_bytes());
}
