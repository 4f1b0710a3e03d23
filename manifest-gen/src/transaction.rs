//! A change of the registry: everything new first, one rename that decides, what is derived from it last.
//!
//! A journal is written before the rename and removed at the end. After a crash, the registry says on which side of the
//! rename it happened: before it, nothing has changed; after it, what is derived is made again ([`recover`]).

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::format::registry::Registry;
use shared::{Error, Place, Result, digest, fsio};

use crate::derive::{self, Derived};
use crate::mlflow::Announcement;
use crate::store::Store;

/// How long a change waits for another one to end.
const PATIENCE: Duration = Duration::from_mins(1);

const JOURNAL: &str = ".registry.journal";
const LOCK: &str = ".registry.lock";

/// What is on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Journal {
    /// SHA-256 of the registry before; none where there was none.
    before: Option<String>,
    /// SHA-256 of the registry after.
    after: String,
    /// What is to be derived from it.
    derived: Derived,
    /// What MLflow is to be told.
    announcement: Option<Announcement>,
}

/// Why a transaction stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was on its way.
    Nothing,
    /// A change had not been decided: nothing of it is left.
    Undone,
    /// A change had been decided: what was derived from it has been made.
    Finished,
}

/// What to change.
pub struct Change<T> {
    /// The registry as it should be; none where nothing changes.
    pub registry: Option<Registry>,
    /// What is derived from it.
    pub derived: Derived,
    /// What MLflow is told.
    pub announcement: Option<Announcement>,
    /// What the caller wants back.
    pub outcome: T,
}

/// Changes the registry under its lock: `decide` sees it as it stands, and puts every new file in place.
///
/// # Errors
/// What `decide` says; if the lock is held for too long; if a file cannot be written. Nothing has changed then, unless the
/// error says that the rest is left to `manifest-gen repair`.
pub fn change<T>(store: &Store, decide: impl FnOnce(&Registry) -> Result<Change<T>>) -> Result<T> {
    let _lock = lock(store)?;
    recover_locked(store)?;
    let (registry, bytes) = store.registry_bytes()?;
    let change = decide(&registry)?;
    let after = change.registry.as_ref().unwrap_or(&registry);
    // What cannot be derived is found before anything has changed.
    let files = derive::files(store, after, &change.derived)?;
    if let Some(registry) = &change.registry {
        decide_by_rename(store, bytes.as_deref(), registry, change.derived, change.announcement.clone())?;
    }
    derive::write(&files).map_err(left_to_repair)?;
    announce(store, change.announcement.as_ref()).map_err(left_to_repair)?;
    remove_journal(store)?;
    Ok(change.outcome)
}

fn announce(store: &Store, announcement: Option<&Announcement>) -> Result<()> {
    announcement.map_or(Ok(()), |announcement| announcement.queue(store))
}

fn decide_by_rename(
    store: &Store,
    before: Option<&[u8]>,
    registry: &Registry,
    derived: Derived,
    announcement: Option<Announcement>,
) -> Result<()> {
    let bytes = registry.to_bytes()?;
    let after = digest::of_bytes(&bytes);
    let journal = Journal { before: before.map(digest::of_bytes), after, derived, announcement };
    write_journal(store, &journal)?;
    fsio::write_atomic(&store.registry_path(), &bytes)
}

/// Finishes or undoes what a crash has left.
///
/// # Errors
/// As [`change`].
pub fn recover(store: &Store) -> Result<Recovered> {
    let _lock = lock(store)?;
    fsio::sweep(&store.root);
    recover_locked(store)
}

/// The lock of the folder of models. Where that holds neither releases nor a registry there is nothing to change: whatever is asked
/// for is refused, and leaves no lock behind.
fn lock(store: &Store) -> Result<Option<fs::File>> {
    let is_there = |path: PathBuf| path.symlink_metadata().is_ok();
    match is_there(store.root.join("releases")) || is_there(store.registry_path()) || is_there(journal_path(store)) {
        true => fsio::lock(&store.root.join(LOCK), PATIENCE).map(Some),
        false => Ok(None),
    }
}

fn recover_locked(store: &Store) -> Result<Recovered> {
    let journal = read_journal(store)?;
    let (registry, bytes) = store.registry_bytes()?;
    let Some(journal) = journal else { return Ok(Recovered::Nothing) };
    let found = bytes.as_deref().map(digest::of_bytes);
    let recovered = match found {
        found if found == journal.before => Recovered::Undone,
        Some(found) if found == journal.after => {
            derive::write(&derive::files(store, &registry, &journal.derived)?)?;
            announce(store, journal.announcement.as_ref())?;
            Recovered::Finished
        }
        _ => return Err(changed_by_others(store)),
    };
    remove_journal(store)?;
    Ok(recovered)
}

fn changed_by_others(store: &Store) -> Error {
    let path = store.registry_path();
    let found =
        "the registry is neither what it was before an interrupted change nor what that change would have made it";
    Error::input(Place::file(path), found, "the one or the other")
        .with_help(format!("restore it from version control, then remove {}", store.root.join(JOURNAL).display()))
}

fn journal_path(store: &Store) -> PathBuf {
    store.root.join(JOURNAL)
}

fn write_journal(store: &Store, journal: &Journal) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(journal)
        .map_err(|error| Error::Environment { what: format!("the journal cannot be written: {error}"), help: None })?;
    fsio::write_atomic(&journal_path(store), &bytes)
}

fn read_journal(store: &Store) -> Result<Option<Journal>> {
    let path = journal_path(store);
    if !path.exists() {
        return Ok(None);
    }
    let bytes = fsio::read(&path)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Error::input(Place::file(&path), error.to_string(), "a journal of manifest-gen")
            .with_help("remove it if the registry is as it should be, then run `manifest-gen verify --all`")
    })
}

fn remove_journal(store: &Store) -> Result<()> {
    let path = journal_path(store);
    if !path.exists() {
        return Ok(());
    }
    fs::remove_file(&path).map_err(|error| Error::io(&path, "remove", error))?;
    fsio::sync(&store.root)
}

fn left_to_repair(error: Error) -> Error {
    let what = format!("the registry has changed, and what is derived from it could not be written: {error}");
    Error::Environment { what, help: Some("`manifest-gen repair` finishes it".to_owned()) }
}
