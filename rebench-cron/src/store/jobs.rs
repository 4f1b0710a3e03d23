//! The jobs that there are, and since when they are as they are.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use shared::Result;

use super::column::At;
use super::{Store, events};

/// A job as its settings say.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// All that the settings say of it.
    pub spec: Value,
    /// What changes when the settings do.
    pub spec_hash: String,
    /// Its time zone.
    pub tz: String,
}

impl Store {
    /// Defines a job, and says since when it is as it is now: `now` if it is new or has changed, so that an edited schedule
    /// never fires in the past.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if it cannot be written.
    pub fn define(&self, job: &Job, now: Timestamp) -> Result<Timestamp> {
        let known = self.look(|connection| created(connection, job))?;
        match known {
            Some(created) => Ok(created),
            None => self.redefine(job, now),
        }
    }

    fn redefine(&self, job: &Job, now: Timestamp) -> Result<Timestamp> {
        let sql = "INSERT INTO jobs (name, spec, spec_hash, tz, created) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (name) DO UPDATE SET spec = ?2, spec_hash = ?3, tz = ?4, created = ?5";
        Ok(self.write(|transaction| {
            if let Some(created) = created(transaction, job)? {
                return Ok(created);
            }
            let Job { name, spec, spec_hash, tz } = job;
            transaction.execute(sql, params![name, spec.to_string(), spec_hash, tz, At(now)])?;
            events::note(transaction, "defined", Some(name), None, &json!({ "spec_hash": spec_hash, "tz": tz }), now)?;
            Ok(now)
        })?)
    }

    /// The newest slot of the schedule that was decided on: claimed, done, failed or skipped.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn last_slot(&self, job: &str) -> Result<Option<Timestamp>> {
        let sql = "SELECT max(scheduled_at) FROM slots WHERE job = ?1 AND key = ''";
        self.look(|connection| {
            let newest: Option<At> = connection.prepare_cached(sql)?.query_row([job], |row| row.get(0))?;
            Ok(newest.map(|At(at)| at))
        })
    }
}

/// Since when the job has been just so.
fn created(connection: &Connection, job: &Job) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT created FROM jobs WHERE name = ?1 AND spec_hash = ?2 AND tz = ?3";
    let found = connection
        .prepare_cached(sql)?
        .query_row(params![job.name, job.spec_hash, job.tz], |row| row.get::<_, At>(0))
        .optional()?;
    Ok(found.map(|At(at)| at))
}
