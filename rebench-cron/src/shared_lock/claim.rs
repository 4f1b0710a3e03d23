//! A slot that this host has, and no other.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use postgres::Error;
use postgres::error::SqlState;
use shared::error::Result;

use super::failure::explain;
use super::pause::pause;
use super::session::Session;
use super::standing::{Facts, Standing, standing};
use super::{Hosts, key};
use crate::job::Overlap;
use crate::plan::Ready;
use crate::process::Cancel;

/// How often it is looked whether the wait for a server is to end.
const LOOK: Duration = Duration::from_millis(200);

const HOST: &str = "SELECT host FROM rebench_cron_slots
    WHERE namespace = $1 AND job = $2 AND key = $4 AND (scheduled_at = $3 OR key <> '')";

/// A host that claims again, after a failed attempt or a crash, has a newer fence by it.
const CLAIM: &str = "INSERT INTO rebench_cron_slots AS slots (namespace, job, scheduled_at, key, host, fence)
    VALUES ($1, $2, $3, $4, $5, nextval('rebench_cron_fences'))
    ON CONFLICT (namespace, job, scheduled_at, key) DO UPDATE SET fence = excluded.fence, claimed_at = now()
    WHERE slots.host = excluded.host RETURNING fence";

/// Whether the lock is held is read, not assumed: a pool between here and the server may hand out another session.
const STANDING: &str = "SELECT
    (SELECT max(fence) FROM rebench_cron_slots WHERE namespace = $1 AND job = $2),
    EXISTS (SELECT 1 FROM rebench_cron_slots
        WHERE namespace = $1 AND job = $2 AND scheduled_at = $3 AND key = $4 AND host = $5),
    EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid = pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid::bigint << 32) | objid::bigint = $6)";

const RECORDED: &str = "UPDATE rebench_cron_slots SET recorded_at = now()
    WHERE namespace = $1 AND job = $2 AND scheduled_at = $3 AND key = $4 AND host = $5";

/// A slot that hosts want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedSlot {
    /// The job.
    pub job: String,
    /// The slot's time.
    pub scheduled_at: Timestamp,
    /// What asked for it; empty for those of the schedule.
    pub key: String,
    /// Whether no other run of the job may be on beside it, on whatever host.
    pub is_alone: bool,
}

impl From<&Ready> for SharedSlot {
    fn from(ready: &Ready) -> Self {
        Self {
            job: ready.job.name.clone(),
            scheduled_at: ready.scheduled_at,
            key: ready.key.clone(),
            is_alone: ready.job.overlap != Overlap::Allow,
        }
    }
}

/// What comes of asking for a slot.
#[derive(Debug)]
pub enum Answer {
    /// It is this host's.
    Ours(HostsClaim),
    /// It is this other host's, for good.
    Elsewhere(String),
    /// A run of the job is on, here or on another host.
    Busy,
}

impl Answer {
    /// The claim, if it is ours.
    pub fn ours(self) -> Option<HostsClaim> {
        match self {
            Self::Ours(claim) => Some(claim),
            Self::Elsewhere(_) | Self::Busy => None,
        }
    }
}

/// The right to run a slot, and to record what comes of it. It ends when this is dropped.
pub struct HostsClaim {
    hosts: Hosts,
    slot: SharedSlot,
    fence: i64,
    /// The session that holds the lock; none where no lock is needed, or it was lost.
    session: Mutex<Option<Box<Session>>>,
}

impl fmt::Debug for HostsClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostsClaim").field("slot", &self.slot).field("fence", &self.fence).finish_non_exhaustive()
    }
}

/// Asks for a slot.
pub(super) fn claim(hosts: &Hosts, slot: &SharedSlot) -> Result<Answer, Error> {
    let mut session = hosts.session()?;
    if let Some(other) = other(hosts, slot, &mut session)? {
        return Ok(Answer::Elsewhere(other));
    }
    if slot.is_alone && !session.try_lock(key(&hosts.namespace, &slot.job))? {
        return Ok(Answer::Busy);
    }
    let Some(fence) = insert(hosts, slot, &mut session)? else {
        return Ok(Answer::Elsewhere(other(hosts, slot, &mut session)?.unwrap_or_default()));
    };
    let session = Mutex::new(slot.is_alone.then(|| Box::new(session)));
    Ok(Answer::Ours(HostsClaim { hosts: hosts.clone(), slot: slot.clone(), fence, session }))
}

/// The other host that has the slot, if one has.
pub(super) fn other(hosts: &Hosts, slot: &SharedSlot, session: &mut Session) -> Result<Option<String>, Error> {
    let found = session.client.query_opt(HOST, &[&hosts.namespace, &slot.job, &slot.scheduled_at, &slot.key])?;
    Ok(found.map(|row| row.get(0)).filter(|host| *host != hosts.holder))
}

/// The fence of the slot; none if another host was faster.
fn insert(hosts: &Hosts, slot: &SharedSlot, session: &mut Session) -> Result<Option<i64>, Error> {
    let Hosts { namespace, holder, .. } = hosts;
    match session.client.query_opt(CLAIM, &[namespace, &slot.job, &slot.scheduled_at, &slot.key, holder]) {
        Ok(row) => Ok(row.map(|row| row.get(0))),
        // The same key with another time.
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}

impl HostsClaim {
    /// Its number: whoever claims a slot of the job later has a higher one.
    pub fn fence(&self) -> i64 {
        self.fence
    }

    /// The name under which the job is shared.
    pub fn namespace(&self) -> &str {
        &self.hosts.namespace
    }

    /// Whether the run may be recorded, which the server notes. A server that cannot be reached is waited for, as long as [`Hosts`] have
    /// patience and nobody cancels; then nothing may be recorded.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if it could not be found out.
    pub fn confirm(&self, cancel: &Cancel) -> Result<bool> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        let mut failures = 0;
        loop {
            let trouble = match self.look(&mut session) {
                Ok(Standing::Ours) => return Ok(true),
                Ok(Standing::Overtaken) => return Ok(false),
                Ok(Standing::Unclear) => unclear(&self.slot.job),
                Err(error) => explain(&error),
            };
            failures += 1;
            if started.elapsed() + pause(failures) > self.hosts.patience || !rest(pause(failures), cancel) {
                return Err(trouble);
            }
        }
    }

    /// Looks once; where the session is lost, with another one that tries to have the lock again.
    fn look(&self, session: &mut Option<Box<Session>>) -> Result<Standing, Error> {
        let found = session.take().and_then(|mut live| Some((self.ask(&mut live).ok()?, live)));
        let (standing, live) = match found {
            Some(found) => found,
            None => self.ask_anew()?,
        };
        *session = (standing != Standing::Unclear).then_some(live);
        Ok(standing)
    }

    fn ask_anew(&self) -> Result<(Standing, Box<Session>), Error> {
        let mut session = Box::new(self.hosts.session()?);
        Ok((self.ask(&mut session)?, session))
    }

    fn ask(&self, session: &mut Session) -> Result<Standing, Error> {
        let SharedSlot { job, scheduled_at, key: asked, is_alone } = &self.slot;
        let Hosts { namespace, holder, .. } = &self.hosts;
        let lock = key(namespace, job);
        if *is_alone {
            session.try_lock(lock)?;
        }
        let row = session.client.query_one(STANDING, &[namespace, job, scheduled_at, asked, holder, &lock])?;
        let facts = Facts {
            fence: self.fence,
            newest: row.get(0),
            is_alone: *is_alone,
            is_listed: row.get(1),
            is_locked: row.get(2),
        };
        let standing = standing(facts);
        if standing == Standing::Ours {
            session.client.execute(RECORDED, &[namespace, job, scheduled_at, asked, holder])?;
        }
        Ok(standing)
    }
}

fn unclear(job: &str) -> shared::Error {
    shared::Error::Environment {
        what: format!("another session has the lock of {job}, and no host says what for"),
        help: Some(
            "see pg_stat_activity of the server; connect to it directly, not through a pool of transactions".to_owned(),
        ),
    }
}

/// Waits; false if somebody cancels.
fn rest(pause: Duration, cancel: &Cancel) -> bool {
    let started = Instant::now();
    while started.elapsed() < pause && !cancel.is_cancelled() {
        std::thread::sleep(LOOK.min(pause));
    }
    !cancel.is_cancelled()
}
