//! A run, and the states that it goes through.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use shared::Error;

use super::column::{At, ids, words};
use super::failure::Trouble;
use super::{SlotId, SlotState, Stale};

ids! {
    /// The number of a run.
    RunId,
}

words! {
    /// How far a run has come.
    RunState {
        /// It is to be.
        Claimed = "claimed",
        /// Its program runs.
        Started = "started",
        /// Its program has ended.
        Exited = "exited",
        /// What it left is kept.
        Archived = "archived",
        /// Its metrics are known.
        Compared = "compared",
        /// It has its verdict, and the slot is done.
        Recorded = "recorded",
        /// Its alerts are handed out: nothing is left to do.
        Alerted = "alerted",
        /// It came to no verdict.
        Failed = "failed",
        /// The daemon that ran it is no more, and nobody knows how it ended.
        Lost = "lost",
    }
}

impl RunState {
    /// Whether the run is still on its way to a verdict.
    pub fn is_underway(self) -> bool {
        matches!(self, Self::Claimed | Self::Started | Self::Exited | Self::Archived | Self::Compared)
    }
}

/// What a step has to know of its run.
pub(super) struct RunRow {
    pub(super) run: RunId,
    pub(super) state: RunState,
    pub(super) fence: u64,
    pub(super) attempt: u32,
    pub(super) slot: SlotId,
    pub(super) slot_state: SlotState,
    pub(super) scheduled_at: Timestamp,
    pub(super) job: String,
    /// Whether no later attempt at the slot was made.
    pub(super) is_last: bool,
}

impl RunRow {
    /// That it cannot become `to` for who holds this fencing number.
    pub(super) fn stale(&self, held: u64, to: &'static str) -> Stale {
        Stale { run: self.run, state: self.state, fence: self.fence, held, to }
    }
}

/// The run of this number.
pub(super) fn row(connection: &Connection, run: RunId) -> Result<RunRow, Trouble> {
    let sql = "SELECT r.id, r.state, r.fencing, r.attempt, s.id, s.state, s.scheduled_at, s.job,
            NOT EXISTS (SELECT 1 FROM runs later WHERE later.slot = r.slot AND later.attempt > r.attempt)
        FROM runs r JOIN slots s ON s.id = r.slot WHERE r.id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(RunRow {
            run: row.get(0)?,
            state: row.get(1)?,
            fence: row.get(2)?,
            attempt: row.get(3)?,
            slot: row.get(4)?,
            slot_state: row.get(5)?,
            scheduled_at: row.get::<_, At>(6)?.0,
            job: row.get(7)?,
            is_last: row.get(8)?,
        })
    };
    let found = connection.prepare_cached(sql)?.query_row([run], read).optional()?;
    found.ok_or_else(|| Error::usage(format!("run {run} is not in the records"), "a run of these records").into())
}
