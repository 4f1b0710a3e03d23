//! The time of day, and waiting: by the wall for a daemon, by hand in tests.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use jiff::Timestamp;

/// However long there is nothing to do, the clock and the records are looked at so often: the clock may be set, the machine may have
/// slept, and others may ask for runs.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// What came of waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited<T> {
    /// Something came.
    Came(T),
    /// The time has come, or it is time to look.
    Over,
    /// Nobody is left from whom something could come.
    Alone,
}

/// A clock.
pub trait Clock: fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits for what comes, until then at the latest; `busy` says that something must come.
    fn wait(&self, inbox: &Receiver<Event>, until: Timestamp, busy: bool) -> Waited<Event>;
}

/// What a daemon is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A run has ended.
    Ended(Box<super::Report>),
    /// The settings are to be read again.
    Reload,
    /// It is to end.
    Stop,
}

/// The clock on the wall.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, inbox: &Receiver<Event>, until: Timestamp, _busy: bool) -> Waited<Event> {
        let left = Duration::try_from(until.duration_since(self.now())).unwrap_or(Duration::ZERO);
        match inbox.recv_timeout(left.min(LONGEST_SLEEP)) {
            Ok(event) => Waited::Came(event),
            Err(RecvTimeoutError::Timeout) => Waited::Over,
            Err(RecvTimeoutError::Disconnected) => Waited::Alone,
        }
    }
}
