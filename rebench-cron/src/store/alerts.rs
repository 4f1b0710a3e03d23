//! What is to be told: an outbox in the records.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde_json::Value;
use shared::Result;

use super::column::{At, Json, ids, words};
use super::{RunId, Store};

ids! {
    /// The number of an alert's transition.
    AlertId,
}

words! {
    /// Which transition it is.
    AlertState {
        /// It begins.
        Firing = "firing",
        /// It has ended.
        Resolved = "resolved",
    }
}

/// A transition of an alert, to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// What names the alert from its beginning to its end. Each of its two transitions is recorded once.
    pub id: String,
    /// The job.
    pub job: String,
    /// What it is about, as a word: `regression`, `missed`.
    pub kind: String,
    /// Which transition it is.
    pub state: AlertState,
    /// The alert, as receivers get it.
    pub body: Value,
}

/// A transition in the records.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRow {
    /// Its number, in the order of recording.
    pub number: AlertId,
    /// The run that it came with.
    pub run: Option<RunId>,
    /// When it was recorded.
    pub created: Timestamp,
    /// When it was told.
    pub told_at: Option<Timestamp>,
    /// The transition.
    pub alert: NewAlert,
}

impl Store {
    /// Records transitions that come with no run. Those that are known stay as they are.
    ///
    /// # Errors
    /// [`shared::Error::Usage`] if a job is not defined; [`shared::Error::Environment`] if it cannot be written.
    pub fn alert(&self, alerts: &[NewAlert], now: Timestamp) -> Result<()> {
        Ok(self.write(|transaction| Ok(add(transaction, alerts, None, now)?))?)
    }

    /// What is still to be told, oldest first.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn untold(&self) -> Result<Vec<AlertRow>> {
        let sql = "SELECT * FROM alerts WHERE told_at IS NULL ORDER BY number";
        self.look(|connection| connection.prepare_cached(sql)?.query_map([], read)?.collect())
    }

    /// The transition was told. Saying so twice changes nothing.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if it cannot be written.
    pub fn told(&self, number: AlertId, at: Timestamp) -> Result<()> {
        let sql = "UPDATE alerts SET told_at = coalesce(told_at, ?2) WHERE number = ?1";
        Ok(self.write(|transaction| Ok(transaction.execute(sql, params![number, At(at)]).map(drop)?))?)
    }

    /// The alerts of a job that have begun and not ended, told or not.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn firing(&self, job: &str) -> Result<Vec<AlertRow>> {
        let sql = "SELECT * FROM alerts a WHERE job = ?1 AND state = 'firing' AND NOT EXISTS
            (SELECT 1 FROM alerts e WHERE e.id = a.id AND e.state = 'resolved') ORDER BY number";
        self.look(|connection| connection.prepare_cached(sql)?.query_map([job], read)?.collect())
    }

    /// The alerts of all jobs that have begun and not ended, told or not.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn all_firing(&self) -> Result<Vec<AlertRow>> {
        let sql = "SELECT * FROM alerts a WHERE state = 'firing' AND NOT EXISTS
            (SELECT 1 FROM alerts e WHERE e.id = a.id AND e.state = 'resolved') ORDER BY number";
        self.look(|connection| connection.prepare_cached(sql)?.query_map([], read)?.collect())
    }
}

/// Adds transitions that are not known yet.
pub(super) fn add(
    connection: &Connection,
    alerts: &[NewAlert],
    run: Option<RunId>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO alerts (id, job, run, kind, state, body, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (id, state) DO NOTHING";
    for NewAlert { id, job, kind, state, body } in alerts {
        let values = params![id, job, run, kind, state, body.to_string(), At(now)];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<AlertRow> {
    Ok(AlertRow {
        number: row.get("number")?,
        run: row.get("run")?,
        created: row.get::<_, At>("created")?.0,
        told_at: row.get::<_, Option<At>>("told_at")?.map(|At(at)| at),
        alert: NewAlert {
            id: row.get("id")?,
            job: row.get("job")?,
            kind: row.get("kind")?,
            state: row.get("state")?,
            body: row.get::<_, Json>("body")?.0,
        },
    })
}
