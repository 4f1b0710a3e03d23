//! What came of the slots of a job so far.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use shared::Result;

use super::column::{At, Json, instant, path_of};
use super::{Data, Metric, Reason, RunId, RunState, SlotId, SlotState, Store, Verdict, verdicts};

/// A slot, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// The slot.
    pub slot: SlotId,
    /// Its time.
    pub scheduled_at: Timestamp,
    /// The same on the wall of the job's time zone.
    pub wall: String,
    /// What it is for.
    pub reason: Reason,
    /// Its key.
    pub key: String,
    /// What became of it.
    pub state: SlotState,
    /// Why it was skipped or given up.
    pub why: Option<String>,
    /// How many slots it stands for, if it was skipped.
    pub skipped_count: Option<u64>,
    /// The run that has the verdict, else the last attempt.
    pub run: Option<HistoryRun>,
}

/// A run in the history.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRun {
    /// Its number.
    pub run: RunId,
    /// Which attempt it is, from 1.
    pub attempt: u32,
    /// How far it has come.
    pub state: RunState,
    /// The host.
    pub host: String,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How late it was.
    pub lateness: Duration,
    /// How its program ended, as a word.
    pub exit_kind: Option<String>,
    /// Its exit status.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
    /// Where its files are; they may be gone.
    pub folder: Option<PathBuf>,
    /// When its files were deleted.
    pub forgotten_at: Option<Timestamp>,
    /// The digest of machine, programs and settings.
    pub env_hash: Option<String>,
    /// Machine, programs and settings.
    pub env: Option<Value>,
    /// The data.
    pub data: Option<Data>,
    /// Its verdict, and when it was recorded.
    pub verdict: Option<(Verdict, Timestamp)>,
}

const HISTORY: &str = "SELECT s.id AS slot_id, s.scheduled_at, s.wall, s.reason AS slot_reason, s.key, s.state AS slot_state,
        s.why, s.skipped_count, r.id AS run_id, r.attempt, r.state AS run_state, r.host, r.started, r.ended, r.lateness_ms,
        r.exit_kind, r.exit_code, r.signal, r.error, r.folder, r.forgotten_at, r.env AS env_hash, e.json AS env_json,
        d.hash, d.newest_ts, d.rows, d.bytes, v.run AS judged, v.*
    FROM slots s
    LEFT JOIN runs r ON r.id = coalesce((SELECT run FROM verdicts WHERE slot = s.id),
        (SELECT id FROM runs WHERE slot = s.id ORDER BY attempt DESC LIMIT 1))
    LEFT JOIN verdicts v ON v.run = r.id LEFT JOIN env e ON e.hash = r.env LEFT JOIN data d ON d.hash = r.data
    WHERE s.job = ?1 ORDER BY s.scheduled_at DESC, s.id DESC LIMIT ?2";

impl Store {
    /// The last slots of a job, at most `limit`, oldest first.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn history(&self, job: &str, limit: usize) -> Result<Vec<HistoryRow>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows: Vec<HistoryRow> = self
            .look(|connection| connection.prepare_cached(HISTORY)?.query_map(params![job, limit], read)?.collect())?;
        rows.reverse();
        Ok(rows)
    }

    /// The metrics of a run, by name, model, data set, series and fold.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn metrics_of(&self, run: RunId) -> Result<Vec<Metric>> {
        let sql = "SELECT * FROM metrics WHERE run = ?1 ORDER BY name, model, dataset, series, fold";
        self.look(|connection| connection.prepare_cached(sql)?.query_map([run], metric)?.collect())
    }

    /// How many rows each model and data set had in the last valid run with metrics. Where all series and folds together have
    /// a metric, its count holds, else the sum over them.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn rows_before(&self, job: &str) -> Result<BTreeMap<(String, String), u64>> {
        let sql = "SELECT model, dataset, max(total) FROM
                (SELECT model, dataset, coalesce(sum(n) FILTER (WHERE series = '' AND fold = ''), sum(n)) AS total
                FROM metrics WHERE run = (SELECT max(v.run) FROM verdicts v WHERE v.job = ?1 AND v.outcome <> 'invalid'
                    AND EXISTS (SELECT 1 FROM metrics m WHERE m.run = v.run))
                GROUP BY model, dataset, name)
            GROUP BY model, dataset";
        let read = |row: &Row<'_>| Ok(((row.get(0)?, row.get(1)?), row.get(2)?));
        self.look(|connection| connection.prepare_cached(sql)?.query_map([job], read)?.collect())
    }

    /// The data of the last valid run that has some noted.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn last_data(&self, job: &str) -> Result<Option<Data>> {
        self.look(|connection| last_data(connection, job))
    }
}

fn last_data(connection: &Connection, job: &str) -> rusqlite::Result<Option<Data>> {
    let sql = "SELECT d.* FROM verdicts v JOIN runs r ON r.id = v.run JOIN data d ON d.hash = r.data
        WHERE v.job = ?1 AND v.outcome <> 'invalid' ORDER BY v.run DESC LIMIT 1";
    Ok(connection.prepare_cached(sql)?.query_row([job], data).optional()?.flatten())
}

fn read(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    Ok(HistoryRow {
        slot: row.get("slot_id")?,
        scheduled_at: row.get::<_, At>("scheduled_at")?.0,
        wall: row.get("wall")?,
        reason: row.get("slot_reason")?,
        key: row.get("key")?,
        state: row.get("slot_state")?,
        why: row.get("why")?,
        skipped_count: row.get("skipped_count")?,
        run: row.get::<_, Option<RunId>>("run_id")?.map(|run| history_run(run, row)).transpose()?,
    })
}

fn history_run(run: RunId, row: &Row<'_>) -> rusqlite::Result<HistoryRun> {
    Ok(HistoryRun {
        run,
        attempt: row.get("attempt")?,
        state: row.get("run_state")?,
        host: row.get("host")?,
        started: instant(row.get("started")?),
        ended: instant(row.get("ended")?),
        lateness: Duration::from_millis(row.get("lateness_ms")?),
        exit_kind: row.get("exit_kind")?,
        exit_code: row.get("exit_code")?,
        signal: row.get("signal")?,
        error: row.get("error")?,
        folder: path_of(row.get("folder")?),
        forgotten_at: instant(row.get("forgotten_at")?),
        env_hash: row.get("env_hash")?,
        env: row.get::<_, Option<Json>>("env_json")?.map(|Json(env)| env),
        data: data(row)?,
        verdict: verdict(row)?,
    })
}

fn verdict(row: &Row<'_>) -> rusqlite::Result<Option<(Verdict, Timestamp)>> {
    match row.get::<_, Option<RunId>>("judged")? {
        None => Ok(None),
        Some(_) => Ok(Some((verdicts::read(row)?, row.get::<_, At>("at")?.0))),
    }
}

fn data(row: &Row<'_>) -> rusqlite::Result<Option<Data>> {
    let Some(hash) = row.get("hash")? else { return Ok(None) };
    let (newest, rows, bytes) = (instant(row.get("newest_ts")?), row.get("rows")?, row.get("bytes")?);
    Ok(Some(Data { hash, newest, rows, bytes }))
}

fn metric(row: &Row<'_>) -> rusqlite::Result<Metric> {
    Ok(Metric {
        name: row.get("name")?,
        model: row.get("model")?,
        dataset: row.get("dataset")?,
        series: row.get("series")?,
        fold: row.get("fold")?,
        value: row.get("value")?,
        n: row.get("n")?,
    })
}
