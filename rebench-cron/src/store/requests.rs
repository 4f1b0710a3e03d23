//! Runs that somebody asked for.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};
use shared::{Error, Result};

use super::column::{At, Json, ids};
use super::failure::Trouble;
use super::{Reason, SlotId, Store, events};

ids! {
    /// The number of a request.
    RequestId,
}

/// A request to run a job out of turn.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRequest {
    /// The job.
    pub job: String,
    /// [`Reason::Drift`] or [`Reason::Manual`].
    pub reason: Reason,
    /// What makes it the same request when it is made again; not empty.
    pub key: String,
    /// What it rests on; null if nothing.
    pub evidence: Value,
}

/// A request in the records.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its number.
    pub id: RequestId,
    /// What is asked for.
    pub request: NewRequest,
    /// When it was made first.
    pub requested_at: Timestamp,
    /// The slot that was run for it.
    pub taken_slot: Option<SlotId>,
    /// Why it was refused.
    pub refused_why: Option<String>,
}

/// What comes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Requested {
    /// It waits.
    New(RequestId),
    /// It was made before; this became of it.
    Known(Request),
}

impl Store {
    /// Asks for a run. The key makes it idempotent, for ever.
    ///
    /// # Errors
    /// [`Error::Usage`] if the job is not defined, the key is empty or the reason is the schedule's; [`Error::Environment`]
    /// if it cannot be written.
    pub fn request(&self, new: &NewRequest, now: Timestamp) -> Result<Requested> {
        if new.key.is_empty() || new.reason.is_scheduled() {
            let found = format!("a request for {} with reason {} and key \"{}\"", new.job, new.reason.name(), new.key);
            return Err(Error::usage(found, "reason drift or manual, and a key"));
        }
        Ok(self.write(|transaction| request(transaction, new, now))?)
    }

    /// The requests that wait, oldest first.
    ///
    /// # Errors
    /// [`Error::Environment`] if the records cannot be read.
    pub fn requests(&self) -> Result<Vec<Request>> {
        let sql = "SELECT * FROM requests WHERE taken_slot IS NULL AND refused_why IS NULL ORDER BY id";
        self.look(|connection| connection.prepare_cached(sql)?.query_map([], read)?.collect())
    }

    /// A slot is run for the request, or was. Claims that name the request do this by themselves.
    ///
    /// # Errors
    /// [`Error::Usage`] if it was refused, or taken by another slot; [`Error::Environment`] if it cannot be written.
    pub fn take_request(&self, id: RequestId, slot: SlotId) -> Result<()> {
        Ok(self.write(|transaction| take(transaction, id, slot))?)
    }

    /// The request is not followed.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is not there, or was taken; [`Error::Environment`] if it cannot be written.
    pub fn refuse_request(&self, id: RequestId, why: &str, at: Timestamp) -> Result<()> {
        let sql = "UPDATE requests SET refused_why = coalesce(refused_why, ?2) WHERE id = ?1 AND taken_slot IS NULL
            RETURNING job";
        Ok(self.write(|transaction| {
            let job: Option<String> = transaction.query_row(sql, params![id, why], |row| row.get(0)).optional()?;
            let job = job.ok_or_else(|| settled(id))?;
            Ok(events::note(transaction, "refused", Some(&job), None, &json!({ "request": id.0, "why": why }), at)?)
        })?)
    }
}

fn request(connection: &Connection, new: &NewRequest, now: Timestamp) -> Result<Requested, Trouble> {
    let NewRequest { job, reason, key, evidence } = new;
    let known = "SELECT * FROM requests WHERE job = ?1 AND key = ?2";
    if let Some(known) = connection.query_row(known, params![job, key], read).optional()? {
        return Ok(Requested::Known(known));
    }
    let sql =
        "INSERT INTO requests (job, key, reason, evidence, requested_at) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id";
    let values = params![job, key, reason, evidence.to_string(), At(now)];
    let id: RequestId = connection.query_row(sql, values, |row| row.get(0))?;
    let detail = json!({ "request": id.0, "reason": reason.name(), "key": key });
    events::note(connection, "requested", Some(job), None, &detail, now)?;
    Ok(Requested::New(id))
}

/// Notes the slot that is run for the request.
pub(super) fn take(connection: &Connection, id: RequestId, slot: SlotId) -> Result<(), Trouble> {
    let sql = "UPDATE requests SET taken_slot = ?2
        WHERE id = ?1 AND refused_why IS NULL AND (taken_slot IS NULL OR taken_slot = ?2)";
    match connection.prepare_cached(sql)?.execute(params![id, slot])? {
        0 => Err(settled(id).into()),
        _ => Ok(()),
    }
}

fn settled(id: RequestId) -> Error {
    Error::usage(format!("request {id} does not wait"), "a request that was neither taken nor refused")
}

fn read(row: &Row<'_>) -> rusqlite::Result<Request> {
    Ok(Request {
        id: row.get("id")?,
        request: NewRequest {
            job: row.get("job")?,
            reason: row.get("reason")?,
            key: row.get("key")?,
            evidence: row.get::<_, Json>("evidence")?.0,
        },
        requested_at: row.get::<_, At>("requested_at")?.0,
        taken_slot: row.get("taken_slot")?,
        refused_why: row.get("refused_why")?,
    })
}
