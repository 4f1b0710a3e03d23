//! Slots: what was decided on each, and what became of it.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde_json::json;
use shared::Result;

use super::alerts::{self, NewAlert};
use super::column::{At, ids, words};
use super::{Denied, Store, Ticket, events, tickets};

ids! {
    /// The number of a slot.
    SlotId,
}

words! {
    /// What a slot is for.
    Reason {
        /// The schedule.
        Cron = "cron",
        /// The schedule, too late.
        Catchup = "catchup",
        /// Drift was found.
        Drift = "drift",
        /// Somebody asked.
        Manual = "manual",
    }
}

words! {
    /// What became of a slot.
    SlotState {
        /// It is being run, or waits for its next attempt.
        Claimed = "claimed",
        /// It has its verdict.
        Done = "done",
        /// All attempts failed.
        Failed = "failed",
        /// It was not to be run.
        Skipped = "skipped",
    }
}

impl Reason {
    /// Whether the schedule made it, so that it has no key.
    pub fn is_scheduled(self) -> bool {
        matches!(self, Self::Cron | Self::Catchup)
    }
}

/// Slots of the schedule that are not to be run, under the newest of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// The job.
    pub job: String,
    /// The newest slot's time.
    pub scheduled_at: Timestamp,
    /// The same on the wall of the job's time zone.
    pub wall: String,
    /// The version of the time zone data that it was computed with.
    pub tzdb: String,
    /// [`Reason::Cron`] or [`Reason::Catchup`].
    pub reason: Reason,
    /// Why, as a word: `overlap`, `missed`.
    pub why: String,
    /// How many slots it stands for.
    pub count: u64,
}

impl Store {
    /// Records slots that are not run, and what is to be told of it. Those that were decided on before stay as they are.
    ///
    /// # Errors
    /// [`shared::Error::Usage`] if a job is not defined, or the reason needs a key; [`shared::Error::Environment`] if it
    /// cannot be written.
    pub fn skipped(&self, skips: &[Skip], alerts: &[NewAlert], now: Timestamp) -> Result<()> {
        Ok(self.write(|transaction| {
            for entry in skips {
                skip(transaction, entry, now)?;
            }
            Ok(alerts::add(transaction, alerts, None, now)?)
        })?)
    }

    /// Ends a slot without a verdict, after its last attempt failed or was lost.
    ///
    /// # Errors
    /// [`Denied::Stale`] as for [`Self::retry`].
    pub fn give_up(&self, last: &Ticket, why: &str, alerts: &[NewAlert], now: Timestamp) -> Result<(), Denied> {
        self.write(|transaction| {
            let row = tickets::awaiting(transaction, last, "given up")?;
            let sql = "UPDATE slots SET state = 'failed', why = ?2 WHERE id = ?1";
            transaction.execute(sql, params![row.slot, why])?;
            events::note(transaction, "given_up", Some(&row.job), Some(row.run), &json!({ "why": why }), now)?;
            Ok(alerts::add(transaction, alerts, Some(row.run), now)?)
        })
    }

    /// How many slots were claimed for this reason at or after `since`.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn count_of(&self, job: &str, reason: Reason, since: Timestamp) -> Result<u64> {
        let sql = "SELECT count(*) FROM slots
            WHERE job = ?1 AND reason = ?2 AND decided_at >= ?3 AND state <> 'skipped'";
        self.look(|connection| {
            connection.prepare_cached(sql)?.query_row(params![job, reason, At(since)], |row| row.get(0))
        })
    }

    /// When a slot was last claimed for this reason.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn last_of(&self, job: &str, reason: Reason) -> Result<Option<Timestamp>> {
        let sql = "SELECT max(decided_at) FROM slots WHERE job = ?1 AND reason = ?2 AND state <> 'skipped'";
        self.look(|connection| {
            let newest: Option<At> =
                connection.prepare_cached(sql)?.query_row(params![job, reason], |row| row.get(0))?;
            Ok(newest.map(|At(at)| at))
        })
    }
}

fn skip(connection: &Connection, skip: &Skip, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO slots (job, scheduled_at, wall, tzdb, reason, state, why, skipped_count, decided_at)
        VALUES (?1, ?2, ?3, ?4, ?5, 'skipped', ?6, ?7, ?8) ON CONFLICT DO NOTHING";
    let Skip { job, scheduled_at, wall, tzdb, reason, why, count } = skip;
    let values = params![job, At(*scheduled_at), wall, tzdb, reason, why, count, At(now)];
    if connection.prepare_cached(sql)?.execute(values)? == 0 {
        return Ok(());
    }
    events::note(connection, "skipped", Some(job), None, &json!({ "wall": wall, "why": why, "count": count }), now)
}
