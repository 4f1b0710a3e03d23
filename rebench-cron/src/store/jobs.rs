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
    /// What changes when its slots do: other settings leave it as it is.
    pub spec_hash: String,
    /// Its time zone.
    pub tz: String,
}

impl Store {
    /// Defines a job: see [`Self::define_all`].
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if it cannot be written.
    pub fn define(&self, job: &Job, now: Timestamp) -> Result<Timestamp> {
        Ok(self.define_all(std::slice::from_ref(job), now)?.first().copied().unwrap_or(now))
    }

    /// Defines jobs, and says since when each has had the slots that it has now: `now` if it is new or its slots are others, so that
    /// an edited schedule never fires in the past.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if it cannot be written.
    pub fn define_all(&self, jobs: &[Job], now: Timestamp) -> Result<Vec<Timestamp>> {
        let known = self.look(|connection| jobs.iter().map(|job| known(connection, job)).collect())?;
        let known: Vec<Known> = known;
        if known.iter().all(|known| known.is_same) {
            return Ok(known.into_iter().map(|known| known.created.unwrap_or(now)).collect());
        }
        Ok(self.write(|transaction| jobs.iter().map(|job| Ok(define(transaction, job, now)?)).collect())?)
    }

    /// Since when the job has had these slots; nothing if it is not on record with them.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn defined_since(&self, job: &Job) -> Result<Option<Timestamp>> {
        self.look(|connection| Ok(known(connection, job)?.created))
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

/// What the records say of a job.
struct Known {
    /// Since when it has had these slots.
    created: Option<Timestamp>,
    /// Whether nothing else of it differs either.
    is_same: bool,
}

fn known(connection: &Connection, job: &Job) -> rusqlite::Result<Known> {
    let sql = "SELECT created, spec = ?4 FROM jobs WHERE name = ?1 AND spec_hash = ?2 AND tz = ?3";
    let values = params![job.name, job.spec_hash, job.tz, job.spec.to_string()];
    let read = |row: &rusqlite::Row<'_>| Ok(Known { created: Some(row.get::<_, At>(0)?.0), is_same: row.get(1)? });
    let found = connection.prepare_cached(sql)?.query_row(values, read).optional()?;
    Ok(found.unwrap_or(Known { created: None, is_same: false }))
}

fn define(connection: &Connection, job: &Job, now: Timestamp) -> rusqlite::Result<Timestamp> {
    let known = known(connection, job)?;
    let created = known.created.unwrap_or(now);
    if known.is_same {
        return Ok(created);
    }
    let sql = "INSERT INTO jobs (name, spec, spec_hash, tz, created) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET spec = ?2, spec_hash = ?3, tz = ?4, created = ?5";
    let Job { name, spec, spec_hash, tz } = job;
    connection.prepare_cached(sql)?.execute(params![name, spec.to_string(), spec_hash, tz, At(created)])?;
    events::note(connection, "defined", Some(name), None, &json!({ "spec_hash": spec_hash, "tz": tz }), now)?;
    Ok(created)
}
