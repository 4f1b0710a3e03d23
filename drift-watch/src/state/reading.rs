//! Reading a state folder, also while a daemon works at it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use shared::{Error, Result};
use tempfile::TempDir;

use super::lock::Lock;
use super::store::{Start, Store};

/// Copies that may fail, as the daemon removes what two later snapshots make needless.
const ATTEMPTS: usize = 5;

/// A state folder that is read, or the copy of one.
#[derive(Debug)]
pub struct Reading {
    _store: Store,
    _copy: Option<TempDir>,
}

impl Reading {
    /// Opens the folder; where a daemon holds it, a copy of what it has made durable so far. The daemon is not disturbed, and its files are
    /// only read.
    ///
    /// # Errors
    /// As [`Store::open`], and if there is no room for a copy.
    pub fn open(folder: &Path) -> Result<(Self, Start)> {
        if !Lock::is_held(&folder.join("lock"))? {
            let (store, start) = Store::open(folder)?;
            return Ok((Self { _store: store, _copy: None }, start));
        }
        let mut attempt = open_copy(folder);
        for _ in 1..ATTEMPTS {
            if attempt.is_ok() {
                break;
            }
            attempt = open_copy(folder);
        }
        attempt
    }
}

fn open_copy(folder: &Path) -> Result<(Reading, Start)> {
    let copy =
        tempfile::tempdir().map_err(|source| Error::io(&std::env::temp_dir(), "create a folder in it", source))?;
    copy_file(&folder.join("store.json"), copy.path())?;
    // Snapshots first: the journal, which grows at its end, then leads on from the newest of them.
    for part in ["snapshots", "journal"] {
        let to = copy.path().join(part);
        shared::fsio::create_folder(&to)?;
        for file in files(&folder.join(part))? {
            copy_file(&file, &to)?;
        }
    }
    let (store, start) = Store::open(copy.path())?;
    Ok((Reading { _store: store, _copy: Some(copy) }, start))
}

/// The files of a folder in the order of their names, which is that of their numbers.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::io(folder, "list the folder", source);
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        all.push(entry.map_err(failed)?.path());
    }
    all.sort();
    Ok(all)
}

fn copy_file(from: &Path, folder: &Path) -> Result<()> {
    let to = folder.join(from.file_name().unwrap_or(OsStr::new("file")));
    fs::copy(from, to).map(drop).map_err(|source| Error::io(from, "copy", source))
}
