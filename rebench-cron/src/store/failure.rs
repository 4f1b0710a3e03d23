//! What can go wrong with the records, and what then helps.

use std::path::Path;

use rusqlite::ErrorCode;
use shared::error::Place;

use super::{RunId, RunState};

/// A step that comes too late: the run has gone on, or another host has taken it over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("run {run} is {state} under fence {fence}, and cannot become {to} under fence {held}", state = state.name())]
pub struct Stale {
    /// The run.
    pub run: RunId,
    /// Its state in the records.
    pub state: RunState,
    /// The fencing number in the records.
    pub fence: u64,
    /// The fencing number of who came too late.
    pub held: u64,
    /// What was to be.
    pub to: &'static str,
}

/// Why a step of a run was not recorded. It becomes a [`shared::Error`] before it goes up, so that its remedy is shown.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// It comes too late; let go of the run.
    #[error(transparent)]
    Stale(#[from] Stale),
    /// The records cannot be written.
    #[error(transparent)]
    Failed(#[from] shared::Error),
}

impl From<Denied> for shared::Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Failed(error) => error,
            Denied::Stale(stale) => Self::Environment {
                what: stale.to_string(),
                help: Some("another daemon has taken the run over, and its records count".to_owned()),
            },
        }
    }
}

/// What stops a transaction.
#[derive(Debug)]
pub(super) enum Trouble {
    Sql(rusqlite::Error),
    Denied(Denied),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Stale> for Trouble {
    fn from(stale: Stale) -> Self {
        Self::Denied(stale.into())
    }
}

impl From<shared::Error> for Trouble {
    fn from(error: shared::Error) -> Self {
        Self::Denied(error.into())
    }
}

impl Trouble {
    /// As the caller sees it.
    pub(super) fn of(self, path: &Path) -> Denied {
        match self {
            Self::Sql(error) => explain(path, &error).into(),
            Self::Denied(denied) => denied,
        }
    }
}

/// What the database says, with the file and the remedy.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> shared::Error {
    let shown = path.display();
    let environment = |what: &str, help: &str| shared::Error::Environment {
        what: format!("{shown}: {what}: {error}"),
        help: Some(help.to_owned()),
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            shared::Error::input(Place::file(path), "this is no database", "the records of rebench-cron")
                .with_help("move it away if it is a stranger; else bring back a copy")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            environment("the records are damaged", "bring back a copy, or save what is left: sqlite3 FILE .recover")
        }
        Some(ErrorCode::DiskFull) => {
            environment("no room for the records", "make room on the disk; what was recorded before is intact")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            environment("the records cannot be written", "see who may write there, and whether it is mounted read-only")
        }
        Some(ErrorCode::CannotOpen) => {
            environment("the records cannot be opened", "see whether the folder is there, and who may write in it")
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            environment("the records are in use", "another program holds them for long; see which (fuser FILE)")
        }
        Some(ErrorCode::ConstraintViolation) => {
            let found = format!("{shown}: a record does not fit: {error}");
            shared::Error::usage(found, "a job that is defined, and records that fit together")
        }
        _ => environment("the records failed", "see what the system says of the disk (dmesg)"),
    }
}
