//! What a daemon that starts has to see to.

use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Row, params};
use shared::Result;

use crate::process::Identity;

use super::column::{At, instant, path_of};
use super::{Reason, RunId, RunState, SlotId, Store, Ticket};

/// A run that something is left to do for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// The right to record it, which another [`Store::take_over`] ends.
    pub ticket: Ticket,
    /// The job.
    pub job: String,
    /// The slot's time.
    pub scheduled_at: Timestamp,
    /// What the slot is for.
    pub reason: Reason,
    /// The slot's key.
    pub key: String,
    /// How far the run has come; failed or lost if its slot waits for the next attempt.
    pub state: RunState,
    /// The host that has it.
    pub host: String,
    /// Who it is among the processes of the host, if it was started.
    pub identity: Option<Identity>,
    /// Where it works.
    pub folder: Option<PathBuf>,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
}

/// All columns of runs, and those of their slots that are needed here.
const SELECT: &str = "SELECT r.*, s.job, s.scheduled_at, s.reason, s.key FROM runs r JOIN slots s ON s.id = r.slot";

impl Store {
    /// The last run of each slot that is not over, and each run with alerts to be handed out; oldest first. Of one host, or
    /// of all.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn unfinished(&self, host: Option<&str>) -> Result<Vec<UnfinishedRun>> {
        let sql = format!(
            "{SELECT} WHERE (?1 IS NULL OR r.host = ?1) AND r.id IN (SELECT id FROM runs WHERE state = 'recorded' UNION ALL
                SELECT max(id) FROM runs WHERE slot IN (SELECT id FROM slots WHERE state = 'claimed') GROUP BY slot)
            ORDER BY r.id"
        );
        self.look(|connection| connection.prepare_cached(&sql)?.query_map(params![host], read)?.collect())
    }

    /// The runs of a job that are on their way to a verdict, oldest first.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn running(&self, job: &str) -> Result<Vec<UnfinishedRun>> {
        let sql = format!(
            "{SELECT} WHERE s.job = ?1 AND s.state = 'claimed'
                AND r.state IN ('claimed', 'started', 'exited', 'archived', 'compared') ORDER BY r.id"
        );
        self.look(|connection| connection.prepare_cached(&sql)?.query_map([job], read)?.collect())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<UnfinishedRun> {
    Ok(UnfinishedRun {
        ticket: ticket(row)?,
        job: row.get("job")?,
        scheduled_at: row.get::<_, At>("scheduled_at")?.0,
        reason: row.get("reason")?,
        key: row.get("key")?,
        state: row.get("state")?,
        host: row.get("host")?,
        identity: identity(row)?,
        folder: path_of(row.get("folder")?),
        started: instant(row.get("started")?),
        ended: instant(row.get("ended")?),
        error: row.get("error")?,
    })
}

fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    let (slot, run): (SlotId, RunId) = (row.get("slot")?, row.get("id")?);
    let boot_id: Option<String> = row.get("boot_id")?;
    Ok(Ticket::new(slot, run, row.get("attempt")?, row.get("fencing")?, boot_id.as_deref()))
}

fn identity(row: &Row<'_>) -> rusqlite::Result<Option<Identity>> {
    let (pid, token): (Option<i32>, Option<String>) = (row.get("pid")?, row.get("token")?);
    let (start_ticks, boot_id) = (row.get("start_ticks")?, row.get("boot_id")?);
    Ok(pid.zip(token).map(|(pid, token)| Identity { pid, start_ticks, boot_id, token }))
}
