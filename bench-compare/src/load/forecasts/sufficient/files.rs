//! The files of a result: those named, and the parts in folders such as Spark writes.

use std::path::{Path, PathBuf};

use shared::{Error, Place, Result};

use super::super::part::Part;

/// The files, a folder standing for those below it.
///
/// # Errors
/// As [`Part::all`]; if the job that writes a folder has not finished.
pub(super) fn parts(paths: &[PathBuf]) -> Result<Vec<Part>> {
    match paths.iter().find(|path| path.join("_temporary").exists()) {
        Some(folder) => Err(unfinished(folder)),
        None => Part::all(paths),
    }
}

fn unfinished(folder: &Path) -> Error {
    let error = Error::input(
        Place::file(folder),
        "the job that writes the folder has not finished",
        "a folder without _temporary",
    );
    error.with_help("wait for the job, or run it again")
}
