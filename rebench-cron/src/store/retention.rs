//! Which files of runs may be deleted. Records themselves stay for ever.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, Row, params};
use serde_json::json;
use shared::Result;

use super::column::{At, instant};
use super::{Outcome, RunId, RunState, Store, events};

/// What of a job is kept. A run that passes any of the limits may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// How many of the newest runs.
    pub count: Option<u64>,
    /// How long after their end.
    pub age: Option<SignedDuration>,
    /// How many bytes, newest runs first.
    pub bytes: Option<u64>,
}

/// A folder that may be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The run whose folder it is.
    pub run: RunId,
    /// The folder.
    pub folder: PathBuf,
    /// The size of the files that are noted of it.
    pub bytes: u64,
}

/// What has to be known of a run to keep or forget it.
struct Kept {
    run: RunId,
    state: RunState,
    folder: PathBuf,
    /// Its end, else its start, else when its slot was decided on.
    at: Timestamp,
    bytes: u64,
    outcome: Option<Outcome>,
    /// A live baseline came from it.
    is_baseline: bool,
}

const RUNS: &str = "SELECT r.id, r.state, r.folder, coalesce(r.ended, r.started, s.decided_at),
        (SELECT coalesce(sum(bytes), 0) FROM artifacts WHERE run = r.id), v.outcome,
        EXISTS (SELECT 1 FROM baselines b WHERE b.run = r.id AND b.retired_at IS NULL)
    FROM runs r JOIN slots s ON s.id = r.slot LEFT JOIN verdicts v ON v.run = r.id
    WHERE s.job = ?1 AND r.folder IS NOT NULL AND r.forgotten_at IS NULL ORDER BY r.id DESC";

const PREDECESSORS: &str = "SELECT (SELECT max(run) FROM verdicts p WHERE p.job = v.job AND p.run < v.run)
    FROM verdicts v WHERE v.job = ?1 AND v.outcome = 'regressed'";

impl Store {
    /// The folders whose files may be deleted, newest first. Never those of a live baseline (of any job), of a regressed run
    /// and the one judged before it, or of a run that is not over.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn retain(&self, job: &str, policy: &Policy, now: Timestamp) -> Result<Vec<Expired>> {
        self.look(|connection| {
            let runs: Vec<Kept> = connection.prepare_cached(RUNS)?.query_map([job], kept)?.collect::<Result<_, _>>()?;
            let predecessors = predecessors(connection, job)?;
            let live = live(connection)?;
            let is_protected = |run: &Kept| is_needed(run, &live) || predecessors.contains(&run.run);
            Ok(expired(&runs, policy, now, is_protected))
        })
    }

    /// The files of the run were deleted.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if it cannot be written.
    pub fn forgotten(&self, run: RunId, at: Timestamp) -> Result<()> {
        let sql = "UPDATE runs SET forgotten_at = ?2 WHERE id = ?1 AND forgotten_at IS NULL";
        Ok(self.write(|transaction| {
            if transaction.execute(sql, params![run, At(at)])? > 0 {
                events::note(transaction, "forgotten", None, Some(run), &json!({}), at)?;
            }
            Ok(())
        })?)
    }
}

/// The runs, newest first, that pass a limit and are not protected, nor share their folder with one that stays.
fn expired(runs: &[Kept], policy: &Policy, now: Timestamp, is_protected: impl Fn(&Kept) -> bool) -> Vec<Expired> {
    let (mut count, mut bytes) = (0_u64, 0_u64);
    let (gone, stay): (Vec<&Kept>, Vec<&Kept>) = runs.iter().partition(|run| {
        count += 1;
        bytes = bytes.saturating_add(run.bytes);
        passes(policy, count, now.duration_since(run.at), bytes) && !is_protected(run)
    });
    let needed: BTreeSet<&Path> = stay.iter().map(|run| run.folder.as_path()).collect();
    let free = gone.into_iter().filter(|run| !needed.iter().any(|folder| folder.starts_with(&run.folder)));
    free.map(|run| Expired { run: run.run, folder: run.folder.clone(), bytes: run.bytes }).collect()
}

fn passes(policy: &Policy, count: u64, age: SignedDuration, bytes: u64) -> bool {
    policy.count.is_some_and(|most| count > most)
        || policy.age.is_some_and(|most| age > most)
        || policy.bytes.is_some_and(|most| bytes > most)
}

fn is_needed(run: &Kept, live: &[PathBuf]) -> bool {
    let is_over = matches!(run.state, RunState::Alerted | RunState::Failed | RunState::Lost);
    let holds_baseline = run.is_baseline || live.iter().any(|path| path.starts_with(&run.folder));
    !is_over || holds_baseline || run.outcome == Some(Outcome::Regressed)
}

fn predecessors(connection: &Connection, job: &str) -> rusqlite::Result<BTreeSet<RunId>> {
    let found: Vec<Option<RunId>> =
        connection.prepare_cached(PREDECESSORS)?.query_map([job], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

fn live(connection: &Connection) -> rusqlite::Result<Vec<PathBuf>> {
    let paths = super::column(connection, "SELECT path FROM baselines WHERE retired_at IS NULL")?;
    Ok(paths.into_iter().map(PathBuf::from).collect())
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        run: row.get(0)?,
        state: row.get(1)?,
        folder: PathBuf::from(row.get::<_, String>(2)?),
        at: instant(row.get(3)?).unwrap_or(Timestamp::MIN),
        bytes: row.get(4)?,
        outcome: row.get(5)?,
        is_baseline: row.get(6)?,
    })
}
