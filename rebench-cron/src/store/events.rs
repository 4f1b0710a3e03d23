//! What happened, one after the other, for good.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde_json::Value;
use shared::Result;

use super::column::At;
use super::{RunId, Store};

impl Store {
    /// Notes what no other record says: a reload, a time zone that changed, a clock that was set.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if it cannot be written.
    pub fn note(&self, kind: &str, job: Option<&str>, detail: &Value, at: Timestamp) -> Result<()> {
        Ok(self.write(|transaction| Ok(note(transaction, kind, job, None, detail, at)?))?)
    }
}

/// Appends an event.
pub(super) fn note(
    connection: &Connection,
    kind: &str,
    job: Option<&str>,
    run: Option<RunId>,
    detail: &Value,
    at: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO events (at, kind, job, run, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![At(at), kind, job, run, detail.to_string()])?;
    Ok(())
}
