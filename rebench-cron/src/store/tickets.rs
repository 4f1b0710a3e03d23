//! Who may record a run: the holder of the newest fencing number.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};
use serde_json::json;

use super::failure::Trouble;
use super::runs::{self, RunRow};
use super::{Denied, RunId, RunState, SlotId, SlotState, Store, events};

/// A machine between two boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// The boot, if it is known.
    pub boot_id: Option<String>,
}

/// The right to record a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The slot that the run is for.
    pub slot: SlotId,
    /// The run.
    pub run: RunId,
    /// Which attempt at the slot it is, from 1.
    pub attempt: u32,
    /// The fencing number: a later holder of any run of the job has a higher one.
    pub fence: u64,
    /// A word for this run and holder that no other has.
    pub token: String,
}

impl Ticket {
    pub(super) fn new(slot: SlotId, run: RunId, attempt: u32, fence: u64, boot_id: Option<&str>) -> Self {
        let token = format!("{run}-{fence}-{}", boot_id.unwrap_or("unknown"));
        Self { slot, run, attempt, fence, token }
    }
}

impl Store {
    /// Begins the next attempt at the slot of a run that failed or was lost.
    ///
    /// # Errors
    /// [`Denied::Stale`] if the run is in another state or another's, or is not the last attempt at an open slot.
    pub fn retry(&self, last: &Ticket, host: &Host, now: Timestamp) -> Result<Ticket, Denied> {
        self.write(|transaction| {
            let row = awaiting(transaction, last, "retried")?;
            let lateness = now.duration_since(row.scheduled_at).as_millis().max(0);
            let attempt = Attempt { slot: last.slot, number: last.attempt + 1, lateness_ms: whole(lateness) };
            Ok(begin(transaction, &row.job, &attempt, host, now)?)
        })
    }

    /// Takes over a run whose slot is not over, or whose alerts are not handed out: whoever held it can no longer record it.
    /// The caller has seen to it (by a lock) that it is his to take.
    ///
    /// # Errors
    /// [`Denied::Stale`] if there is nothing left to do for the run.
    pub fn take_over(&self, run: RunId, host: &Host, now: Timestamp) -> Result<Ticket, Denied> {
        self.write(|transaction| {
            let row = runs::row(transaction, run)?;
            let open = row.slot_state == SlotState::Claimed || row.state == RunState::Recorded;
            if !open || !row.is_last {
                return Err(row.stale(row.fence, "taken over").into());
            }
            let fence = next_fence(transaction, &row.job)?;
            let sql = "UPDATE runs SET fencing = ?2, host = ?3 WHERE id = ?1";
            transaction.execute(sql, params![run, fence, host.name])?;
            let detail = json!({ "host": host.name, "fence": fence });
            events::note(transaction, "taken_over", Some(&row.job), Some(run), &detail, now)?;
            Ok(Ticket::new(row.slot, run, row.attempt, fence, host.boot_id.as_deref()))
        })
    }
}

/// The run of the ticket, if it is the last and failed attempt at an open slot.
pub(super) fn awaiting(transaction: &Transaction<'_>, last: &Ticket, to: &'static str) -> Result<RunRow, Trouble> {
    let row = runs::row(transaction, last.run)?;
    let ended = matches!(row.state, RunState::Failed | RunState::Lost);
    match ended && row.is_last && row.slot_state == SlotState::Claimed && row.fence == last.fence {
        true => Ok(row),
        false => Err(row.stale(last.fence, to).into()),
    }
}

/// An attempt to be.
pub(super) struct Attempt {
    pub(super) slot: SlotId,
    pub(super) number: u32,
    pub(super) lateness_ms: i64,
}

/// Makes the run of an attempt, in state claimed.
pub(super) fn begin(
    connection: &Connection,
    job: &str,
    attempt: &Attempt,
    host: &Host,
    now: Timestamp,
) -> rusqlite::Result<Ticket> {
    let fence = next_fence(connection, job)?;
    let sql = "INSERT INTO runs (slot, attempt, state, host, boot_id, lateness_ms, fencing)
        VALUES (?1, ?2, 'claimed', ?3, ?4, ?5, ?6) RETURNING id";
    let &Attempt { slot, number, lateness_ms } = attempt;
    let values = params![slot, number, host.name, host.boot_id, lateness_ms, fence];
    let run: RunId = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    let detail = json!({ "slot": slot.0, "attempt": number, "fence": fence, "host": host.name });
    events::note(connection, "claimed", Some(job), Some(run), &detail, now)?;
    Ok(Ticket::new(slot, run, number, fence, host.boot_id.as_deref()))
}

/// The next fencing number of the job.
fn next_fence(connection: &Connection, job: &str) -> rusqlite::Result<u64> {
    let sql = "INSERT INTO fences (job, token) VALUES (?1, 1)
        ON CONFLICT (job) DO UPDATE SET token = token + 1 RETURNING token";
    connection.prepare_cached(sql)?.query_row([job], |row| row.get(0))
}

/// Milliseconds as a column has them.
pub(super) fn whole(milliseconds: impl TryInto<i64>) -> i64 {
    milliseconds.try_into().unwrap_or(i64::MAX)
}
