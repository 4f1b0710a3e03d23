//! The source of a daemon that runs: its last turn, and its records, read beside it.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use shared::Result;
use shared::alert::ReceiverView;
use shared::span;

use super::{Snapshot, Source};
use crate::daemon::{Daemon, Pulse};
use crate::job::Job;
use crate::store::Store;
use crate::work::clock::Clock;

/// A loop that has not turned for so long hangs: it looks at its clock each minute, whatever there is to do.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// What a turn of the loop leaves.
#[derive(Debug, Clone)]
pub struct Beat {
    /// When it was.
    pub at: Timestamp,
    /// How the daemon fares.
    pub pulse: Pulse,
    /// The jobs, each with its next slot.
    pub jobs: Vec<(Arc<Job>, Option<Timestamp>)>,
}

impl Beat {
    /// After a turn at `at`.
    pub fn of(daemon: &Daemon, at: Timestamp) -> Self {
        let plan = daemon.plan();
        let jobs = plan.jobs().map(|job| (Arc::clone(job), plan.next(&job.name))).collect();
        Self { at, pulse: daemon.pulse().clone(), jobs }
    }
}

/// Whether a daemon does its work whose loop turned so long ago.
///
/// # Errors
/// Why not, in a sentence.
pub fn health(since: Duration, trouble: Option<&str>) -> Result<(), String> {
    match trouble {
        _ if since > PATIENCE => {
            Err(format!("the loop has not turned for {}", span::text(Duration::from_secs(since.as_secs()))))
        }
        Some(why) => Err(why.to_owned()),
        None => Ok(()),
    }
}

/// A daemon that runs.
pub struct Live {
    records: Store,
    clock: Arc<dyn Clock>,
    beat: Mutex<(Beat, Instant)>,
    receivers: Box<dyn Fn() -> Vec<ReceiverView> + Send + Sync>,
    status: Box<dyn Fn() -> Result<Value> + Send + Sync>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("records", &self.records).finish_non_exhaustive()
    }
}

impl Live {
    /// The daemon whose state folder this is, before its first turn. `receivers` says how deliveries fare, `status` what the command
    /// of this name prints.
    ///
    /// # Errors
    /// If the records cannot be read.
    pub fn new(
        folder: &Path,
        clock: Arc<dyn Clock>,
        daemon: &Daemon,
        receivers: impl Fn() -> Vec<ReceiverView> + Send + Sync + 'static,
        status: impl Fn() -> Result<Value> + Send + Sync + 'static,
    ) -> Result<Self> {
        let beat = Mutex::new((Beat::of(daemon, clock.now()), Instant::now()));
        Ok(Self {
            records: Store::read(folder)?,
            clock,
            beat,
            receivers: Box::new(receivers),
            status: Box::new(status),
        })
    }

    /// The loop has turned; call it at each turn.
    pub fn beat(&self, daemon: &Daemon) {
        let beat = Beat::of(daemon, self.clock.now());
        *self.beat.lock().unwrap_or_else(PoisonError::into_inner) = (beat, Instant::now());
    }

    fn last(&self) -> (Beat, Instant) {
        self.beat.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Source for Live {
    fn snapshot(&self) -> Snapshot {
        let census = self.records.census().inspect_err(|error| tracing::warn!(%error, "metrics without the records"));
        Snapshot::of(&self.last().0, census.ok().as_ref(), (self.receivers)(), self.clock.now())
    }

    fn status(&self) -> Result<Value> {
        (self.status)()
    }

    fn health(&self) -> Result<(), String> {
        let (beat, at) = self.last();
        health(at.elapsed(), beat.pulse.trouble.as_deref())
    }
}
