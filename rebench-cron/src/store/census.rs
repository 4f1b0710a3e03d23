//! The records in numbers: what metrics say of each job.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Row};
use shared::Result;

use super::column::{At, instant};
use super::{Outcome, Store};

/// The records in numbers, at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Census {
    /// By job, all that were ever defined.
    pub jobs: BTreeMap<String, Tally>,
    /// Transitions of alerts that are still to be told.
    pub untold: u64,
}

/// What the records say of a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// The newest slot of the schedule that was decided on, else since when the job has had its slots.
    pub decided: Option<Timestamp>,
    /// Verdicts, by outcome.
    pub verdicts: BTreeMap<Outcome, u64>,
    /// Slots whose attempts all failed.
    pub failed: u64,
    /// Slots that were not to be run.
    pub skipped: u64,
    /// When a run was last started.
    pub last_run: Option<Timestamp>,
    /// How late that run was.
    pub lateness: Option<Duration>,
    /// How the last slot that was run ended.
    pub last_end: Option<SlotEnd>,
    /// The effect in the last verdict with one.
    pub effect: Option<f64>,
    /// The e-value in the last verdict with one.
    pub e_value: Option<f64>,
}

/// How a slot ended that was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotEnd {
    /// With a verdict.
    Judged(Outcome),
    /// With none: all attempts failed.
    Failed,
}

const DECIDED: &str = "SELECT name, max(created, coalesce(
        (SELECT max(scheduled_at) FROM slots WHERE job = name AND key = ''), created)) FROM jobs";
const VERDICTS: &str = "SELECT job, outcome, count(*) FROM verdicts GROUP BY job, outcome";
const ENDS: &str = "SELECT job, sum(state = 'failed'), sum(iif(state = 'skipped', coalesce(skipped_count, 1), 0))
    FROM slots GROUP BY job";
// With max(), SQLite takes the other columns from the row that has it.
const LAST_RUN: &str = "SELECT s.job, r.started, r.lateness_ms, max(r.id) FROM runs r JOIN slots s ON s.id = r.slot
    WHERE r.started IS NOT NULL GROUP BY s.job";
const LAST_END: &str = "SELECT s.job, v.outcome, max(r.id) FROM slots s JOIN runs r ON r.slot = s.id
    LEFT JOIN verdicts v ON v.slot = s.id WHERE s.state IN ('done', 'failed') GROUP BY s.job";
const EFFECT: &str = "SELECT job, effect, max(run) FROM verdicts WHERE effect IS NOT NULL GROUP BY job";
const E_VALUE: &str = "SELECT job, e_value, max(run) FROM verdicts WHERE e_value IS NOT NULL GROUP BY job";
const UNTOLD: &str = "SELECT count(*) FROM alerts WHERE told_at IS NULL";

impl Store {
    /// Counts the records.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if they cannot be read.
    pub fn census(&self) -> Result<Census> {
        self.look(|connection| {
            let mut jobs = BTreeMap::new();
            let mut each = |sql: &str, take: Take| each(connection, sql, &mut jobs, take);
            each(DECIDED, |tally, row| set(&mut tally.decided, instant(row.get::<_, Option<At>>(1)?)))?;
            each(VERDICTS, verdicts)?;
            each(ENDS, ends)?;
            each(LAST_RUN, last_run)?;
            each(LAST_END, |tally, row| set(&mut tally.last_end, Some(end(row.get(1)?))))?;
            each(EFFECT, |tally, row| set(&mut tally.effect, row.get(1)?))?;
            each(E_VALUE, |tally, row| set(&mut tally.e_value, row.get(1)?))?;
            let untold = connection.prepare_cached(UNTOLD)?.query_row([], |row| row.get(0))?;
            Ok(Census { jobs, untold })
        })
    }
}

/// Takes a row of a job into its tally.
type Take = fn(&mut Tally, &Row<'_>) -> rusqlite::Result<()>;

fn each(connection: &Connection, sql: &str, jobs: &mut BTreeMap<String, Tally>, take: Take) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(jobs.entry(row.get(0)?).or_default(), row)?;
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "it ends what takes a row")]
fn set<T>(place: &mut T, value: T) -> rusqlite::Result<()> {
    *place = value;
    Ok(())
}

fn ends(tally: &mut Tally, row: &Row<'_>) -> rusqlite::Result<()> {
    (tally.failed, tally.skipped) = (row.get(1)?, row.get(2)?);
    Ok(())
}

fn verdicts(tally: &mut Tally, row: &Row<'_>) -> rusqlite::Result<()> {
    tally.verdicts.insert(row.get(1)?, row.get(2)?);
    Ok(())
}

fn last_run(tally: &mut Tally, row: &Row<'_>) -> rusqlite::Result<()> {
    tally.last_run = instant(row.get(1)?);
    tally.lateness = Some(Duration::from_millis(row.get(2)?));
    Ok(())
}

fn end(outcome: Option<Outcome>) -> SlotEnd {
    outcome.map_or(SlotEnd::Failed, SlotEnd::Judged)
}
