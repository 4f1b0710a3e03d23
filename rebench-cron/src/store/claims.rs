//! Claiming slots: each is somebody's, once.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use shared::{Error, Result};

use super::column::At;
use super::failure::Trouble;
use super::requests;
use super::tickets::{Attempt, Host, Ticket, begin, whole};
use super::{Reason, RequestId, RunId, SlotId, Store};

/// A slot that somebody wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub job: String,
    /// The slot's time, before jitter.
    pub scheduled_at: Timestamp,
    /// The same on the wall of the job's time zone.
    pub wall: String,
    /// The version of the time zone data that it was computed with.
    pub tzdb: String,
    /// What it is run for.
    pub reason: Reason,
    /// Names a run for drift or by hand, once for ever; empty for those of the schedule, and only for those.
    pub key: String,
    /// How late it is.
    pub lateness: Duration,
    /// Whether it must not be while another slot of the job is open.
    pub forbid_overlap: bool,
    /// The request that is taken by it.
    pub request: Option<RequestId>,
}

/// What comes of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is ours.
    Ticket(Ticket),
    /// It was decided on before, by whomever.
    Known(SlotId),
    /// Another slot of the job is open; this is its last run.
    Overlap(RunId),
}

impl Claimed {
    /// The ticket, if it is ours.
    pub fn ticket(self) -> Option<Ticket> {
        match self {
            Self::Ticket(ticket) => Some(ticket),
            Self::Known(_) | Self::Overlap(_) => None,
        }
    }
}

impl Store {
    /// Claims all these slots in one transaction, and makes the first run of each that is new.
    ///
    /// # Errors
    /// [`Error::Usage`] if a job is not defined, key and reason contradict each other, or a request was refused: then
    /// nothing is claimed.
    /// [`Error::Environment`] if it cannot be written.
    pub fn claim_all(&self, claims: &[Claim], now: Timestamp, host: &Host) -> Result<Vec<Claimed>> {
        Ok(self.write(|transaction| claims.iter().map(|due| claim(transaction, due, now, host)).collect())?)
    }

    /// Claims one slot.
    ///
    /// # Errors
    /// As [`Self::claim_all`].
    pub fn claim(&self, due: &Claim, now: Timestamp, host: &Host) -> Result<Claimed> {
        Ok(self.write(|transaction| claim(transaction, due, now, host))?)
    }
}

fn claim(connection: &Connection, due: &Claim, now: Timestamp, host: &Host) -> Result<Claimed, Trouble> {
    check(due)?;
    if let Some(slot) = known(connection, due)? {
        take(connection, due, slot)?;
        return Ok(Claimed::Known(slot));
    }
    if let Some(run) = overlap(connection, due)? {
        return Ok(Claimed::Overlap(run));
    }
    let slot = insert(connection, due, now)?;
    take(connection, due, slot)?;
    let attempt = Attempt { slot, number: 1, lateness_ms: whole(due.lateness.as_millis()) };
    Ok(Claimed::Ticket(begin(connection, &due.job, &attempt, host, now)?))
}

fn check(due: &Claim) -> Result<()> {
    match due.reason.is_scheduled() == due.key.is_empty() {
        true => Ok(()),
        false => Err(Error::usage(
            format!("a {} slot of {} with the key \"{}\"", due.reason.name(), due.job, due.key),
            "a key for drift and manual, none for cron and catchup",
        )),
    }
}

fn known(connection: &Connection, due: &Claim) -> rusqlite::Result<Option<SlotId>> {
    let sql = "SELECT id FROM slots WHERE job = ?1 AND scheduled_at = ?2 AND key = ?3
        UNION ALL SELECT id FROM slots WHERE job = ?1 AND key = ?3 AND key <> '' LIMIT 1";
    let values = params![due.job, At(due.scheduled_at), due.key];
    connection.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()
}

/// The last run of another open slot, where that must not be.
fn overlap(connection: &Connection, due: &Claim) -> rusqlite::Result<Option<RunId>> {
    if !due.forbid_overlap {
        return Ok(None);
    }
    let sql = "SELECT max(r.id) FROM slots s JOIN runs r ON r.slot = s.id WHERE s.job = ?1 AND s.state = 'claimed'";
    connection.prepare_cached(sql)?.query_row([&due.job], |row| row.get(0))
}

fn insert(connection: &Connection, due: &Claim, now: Timestamp) -> rusqlite::Result<SlotId> {
    let sql = "INSERT INTO slots (job, scheduled_at, wall, tzdb, reason, key, state, decided_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'claimed', ?7) RETURNING id";
    let Claim { job, scheduled_at, wall, tzdb, reason, key, .. } = due;
    let values = params![job, At(*scheduled_at), wall, tzdb, reason, key, At(now)];
    connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))
}

fn take(connection: &Connection, due: &Claim, slot: SlotId) -> Result<(), Trouble> {
    due.request.map_or(Ok(()), |request| requests::take(connection, request, slot))
}
