//! The files of a result: those named, and the parts in folders such as Spark writes.

use std::path::{Path, PathBuf};

use shared::{Error, Place, Result};

/// The files, those of a folder in the order of their names. What begins with `_` or `.` is bookkeeping; empty files hold no part.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() { files.extend(parts(path)?) } else { files.push(path.clone()) }
    }
    Ok(files)
}

fn parts(folder: &Path) -> Result<Vec<PathBuf>> {
    let fail = |source| Error::io(folder, "read", source);
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "_temporary" {
            return Err(unfinished(folder));
        }
        let is_part = !name.starts_with(['_', '.']) && path.metadata().map_err(fail)?.len() > 0;
        parts.extend(is_part.then_some(path));
    }
    parts.sort();
    if parts.is_empty() {
        return Err(Error::input(Place::file(folder), "the folder has no part files", "the result of the query"));
    }
    Ok(parts)
}

fn unfinished(folder: &Path) -> Error {
    let error = Error::input(
        Place::file(folder),
        "the job that writes the folder has not finished",
        "a folder without _temporary",
    );
    error.with_help("wait for the job, or run it again")
}
