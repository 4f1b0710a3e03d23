//! The records: jobs, slots, runs, metrics, verdicts and alerts, in one `SQLite` file.
//!
//! Each change is one transaction that is on disk when the call returns. Slots are unique, so nothing runs twice however many
//! daemons try; runs go from state to state ([`RunState`]), and each step checks the one that it comes from and the fencing
//! number of its [`Ticket`]. Alerts stand in the same transaction as what they tell of. Times come from the caller.

mod alerts;
mod baselines;
mod census;
mod claims;
mod column;
mod events;
mod export;
mod facts;
mod failure;
mod history;
mod jobs;
mod open;
mod requests;
mod retention;
mod runs;
mod schema;
mod slots;
mod steps;
mod tickets;
mod unfinished;
mod verdicts;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use shared::Result;

use failure::{Trouble, explain};

pub use alerts::{AlertId, AlertRow, AlertState, NewAlert};
pub use baselines::Baseline;
pub use census::{Census, SlotEnd, Tally};
pub use claims::{Claim, Claimed};
pub use facts::{Archive, Artifact, Data, Ending, Metric};
pub use failure::{Denied, Stale};
pub use history::{HistoryRow, HistoryRun};
pub use jobs::Job;
pub use requests::{NewRequest, Request, RequestId, Requested};
pub use retention::{Expired, Policy};
pub use runs::{RunId, RunState};
pub use slots::{Reason, Skip, SlotId, SlotState};
pub use tickets::{Host, Ticket};
pub use unfinished::UnfinishedRun;
pub use verdicts::{BaselineKind, Outcome, Verdict};

/// The name of the file in its folder.
pub const FILE: &str = "rebench.sqlite";

/// The records of a folder. Threads may share it; they take turns.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    path: PathBuf,
}

impl Store {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks every page, index and reference of the file.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if something is damaged, with what it is.
    pub fn integrity(&self) -> Result<()> {
        let found = self.look(|connection| {
            let mut found: Vec<String> = column(connection, "PRAGMA integrity_check(20)")?;
            found.retain(|line| line != "ok");
            found.extend(column(
                connection,
                "SELECT 'a record of ' || \"table\" || ' names no ' || parent FROM pragma_foreign_key_check",
            )?);
            Ok(found)
        })?;
        if found.is_empty() {
            return Ok(());
        }
        let what = format!("{}: the records are damaged: {}", self.path.display(), found.join("; "));
        Err(shared::Error::Environment { what, help: Some("bring back a copy".to_owned()) })
    }

    /// Makes a change, all of it or nothing. It waits for others who write.
    fn write<T>(&self, change: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>) -> Result<T, Denied> {
        let mut connection = self.connection();
        change_within(&mut connection, change).map_err(|trouble| trouble.of(&self.path))
    }

    /// Looks at one state of the records.
    fn look<T>(&self, look: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let mut connection = self.connection();
        let found = connection.transaction().and_then(|transaction| look(&transaction));
        found.map_err(|error| explain(&self.path, &error))
    }

    /// The connection. Whoever panicked with it left no half change, since an open transaction is undone.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn change_within<T>(
    connection: &mut Connection,
    change: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = change(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// The texts of the first column.
fn column(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}
