//! The steps of a run on its way to a verdict.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Transaction, params};
use serde_json::{Value, json};
use shared::{Error, digest};

use crate::process::{Exit, Identity};

use super::column::{At, path};
use super::failure::Trouble;
use super::runs::{self, RunRow};
use super::tickets::whole;
use super::{Archive, Artifact, Data, Denied, Ending, Metric, RunState, Store, Ticket, events};

/// All states in which a run is underway.
const UNDERWAY: [RunState; 5] =
    [RunState::Claimed, RunState::Started, RunState::Exited, RunState::Archived, RunState::Compared];

impl Store {
    /// The program of a claimed run was started, and works in this folder.
    ///
    /// # Errors
    /// [`Denied::Stale`] if the run is in another state or another's; [`Denied::Failed`] if it cannot be written.
    pub fn started(&self, ticket: &Ticket, who: &Identity, folder: &Path, at: Timestamp) -> Result<(), Denied> {
        let sql = "UPDATE runs SET pid = ?2, start_ticks = ?3, boot_id = ?4, token = ?5, folder = ?6, started = ?7
            WHERE id = ?1";
        let Identity { pid, start_ticks, boot_id, token } = who;
        self.write(|transaction| {
            advance(transaction, ticket, &[RunState::Claimed], RunState::Started, at)?;
            let values = params![ticket.run, pid, start_ticks, boot_id, token, path(folder), At(at)];
            transaction.execute(sql, values)?;
            Ok(())
        })
    }

    /// The program has ended, or could not be started; what it left is in this folder.
    ///
    /// # Errors
    /// As [`Self::started`].
    pub fn exited(&self, ticket: &Ticket, ending: &Ending, folder: &Path) -> Result<(), Denied> {
        let sql = "UPDATE runs SET started = coalesce(started, ?2), ended = ?3, exit_kind = ?4, exit_code = ?5,
            signal = ?6, user_ms = ?7, system_ms = ?8, peak_rss_bytes = ?9, folder = ?10, error = ?11 WHERE id = ?1";
        let Ending { started, ended, exit, usage } = ending;
        let (kind, code, signal, error) = exit_columns(exit);
        let milliseconds = |time: Duration| whole(time.as_millis());
        self.write(|transaction| {
            advance(transaction, ticket, &[RunState::Claimed, RunState::Started], RunState::Exited, *ended)?;
            let (user, system) = (milliseconds(usage.user), milliseconds(usage.system));
            let (peak, folder) = (usage.peak_rss_bytes, path(folder));
            let ours = (ticket.run, At(*started), At(*ended));
            let values = params![ours.0, ours.1, ours.2, kind, code, signal, user, system, peak, folder, error];
            transaction.execute(sql, values)?;
            Ok(())
        })
    }

    /// What the run left is kept.
    ///
    /// # Errors
    /// As [`Self::started`].
    pub fn archived(&self, ticket: &Ticket, archive: &Archive, at: Timestamp) -> Result<(), Denied> {
        let sql = "INSERT INTO artifacts (run, path, sha256, bytes, truncated) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.write(|transaction| {
            advance(transaction, ticket, &[RunState::Exited], RunState::Archived, at)?;
            for Artifact { path: file, sha256, bytes, truncated } in &archive.artifacts {
                let values = params![ticket.run, path(file), sha256, bytes, truncated];
                transaction.prepare_cached(sql)?.execute(values)?;
            }
            let env = archive.env.as_ref().map(|env| keep_env(transaction, env)).transpose()?;
            let data = archive.data.as_ref().map(|data| keep_data(transaction, data)).transpose()?;
            transaction.execute("UPDATE runs SET env = ?2, data = ?3 WHERE id = ?1", params![ticket.run, env, data])?;
            Ok(())
        })
    }

    /// The metrics of the run are known.
    ///
    /// # Errors
    /// As [`Self::started`]; [`Error::Usage`] if one is not finite.
    pub fn compared(&self, ticket: &Ticket, metrics: &[Metric], at: Timestamp) -> Result<(), Denied> {
        let sql = "INSERT INTO metrics (run, name, model, dataset, series, fold, value, n)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        metrics.iter().try_for_each(finite)?;
        self.write(|transaction| {
            advance(transaction, ticket, &[RunState::Archived], RunState::Compared, at)?;
            for Metric { name, model, dataset, series, fold, value, n } in metrics {
                let values = params![ticket.run, name, model, dataset, series, fold, value, n];
                transaction.prepare_cached(sql)?.execute(values)?;
            }
            Ok(())
        })
    }

    /// The alerts of the run are handed out.
    ///
    /// # Errors
    /// As [`Self::started`].
    pub fn alerted(&self, ticket: &Ticket, at: Timestamp) -> Result<(), Denied> {
        self.write(|transaction| advance(transaction, ticket, &[RunState::Recorded], RunState::Alerted, at).map(drop))
    }

    /// The attempt came to no verdict. Its slot stays open until [`Self::retry`] or [`Self::give_up`].
    ///
    /// # Errors
    /// As [`Self::started`].
    pub fn failed(&self, ticket: &Ticket, why: &str, at: Timestamp) -> Result<(), Denied> {
        self.write(|transaction| {
            advance(transaction, ticket, &UNDERWAY, RunState::Failed, at)?;
            end(transaction, ticket, Some(why), at)
        })
    }

    /// Nobody knows how the run ended. Its slot stays open, as after [`Self::failed`].
    ///
    /// # Errors
    /// As [`Self::started`].
    pub fn lost(&self, ticket: &Ticket, at: Timestamp) -> Result<(), Denied> {
        self.write(|transaction| {
            advance(transaction, ticket, &UNDERWAY, RunState::Lost, at)?;
            end(transaction, ticket, None, at)
        })
    }
}

/// Takes a run from one of these states to another, if the ticket still holds.
pub(super) fn advance(
    transaction: &Transaction<'_>,
    ticket: &Ticket,
    from: &[RunState],
    to: RunState,
    at: Timestamp,
) -> Result<RunRow, Trouble> {
    let row = runs::row(transaction, ticket.run)?;
    if row.fence != ticket.fence || !from.contains(&row.state) {
        return Err(row.stale(ticket.fence, to.name()).into());
    }
    let sql = "UPDATE runs SET state = ?2 WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute(params![ticket.run, to])?;
    let detail = json!({ "from": row.state.name(), "fence": ticket.fence });
    events::note(transaction, to.name(), Some(&row.job), Some(ticket.run), &detail, at)?;
    Ok(row)
}

fn end(transaction: &Transaction<'_>, ticket: &Ticket, why: Option<&str>, at: Timestamp) -> Result<(), Trouble> {
    let sql = "UPDATE runs SET ended = coalesce(ended, ?2), error = coalesce(?3, error) WHERE id = ?1";
    transaction.execute(sql, params![ticket.run, At(at), why])?;
    Ok(())
}

/// Kind, status, signal and error of an end.
fn exit_columns(exit: &Exit) -> (&'static str, Option<i32>, Option<i32>, Option<&str>) {
    match exit {
        Exit::Exited(code) => ("exited", Some(*code), None, None),
        Exit::Signalled(signal) => ("signalled", None, Some(*signal), None),
        Exit::TimedOut => ("timed_out", None, None, None),
        Exit::Cancelled => ("cancelled", None, None, None),
        Exit::NotStarted(why) => ("not_started", None, None, Some(why)),
    }
}

fn keep_env(transaction: &Transaction<'_>, env: &Value) -> rusqlite::Result<String> {
    let json = env.to_string();
    let hash = digest::of_bytes(json.as_bytes());
    transaction.execute("INSERT INTO env (hash, json) VALUES (?1, ?2) ON CONFLICT DO NOTHING", params![hash, json])?;
    Ok(hash)
}

fn keep_data<'a>(transaction: &Transaction<'_>, data: &'a Data) -> rusqlite::Result<&'a str> {
    let sql = "INSERT INTO data (hash, newest_ts, rows, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    transaction.execute(sql, params![data.hash, data.newest.map(At), data.rows, data.bytes])?;
    Ok(&data.hash)
}

fn finite(metric: &Metric) -> shared::Result<()> {
    let Metric { name, model, dataset, value, .. } = metric;
    match value.is_finite() {
        true => Ok(()),
        false => Err(Error::usage(format!("{name} of {model} on {dataset} is {value}"), "a finite number")),
    }
}
