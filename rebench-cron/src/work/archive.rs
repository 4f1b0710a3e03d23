//! What a run left: its files with their digests.

use std::path::{Path, PathBuf};

use shared::digest;
use shared::error::{Error, Result};

use crate::process::Captured;
use crate::store::Artifact;

/// So many files of a run are recorded; more are its own matter.
const MOST_FILES: usize = 1_000;

/// All files below the folder of a run, in order of their names; the outputs as they were captured.
///
/// # Errors
/// If a file cannot be read.
pub fn artifacts(folder: &Path, outputs: &[&Captured]) -> Result<Vec<Artifact>> {
    let mut files = Vec::new();
    gather(folder, &mut files)?;
    files.sort();
    files.truncate(MOST_FILES);
    files.into_iter().map(|path| artifact(folder, &path, outputs)).collect()
}

fn artifact(folder: &Path, path: &Path, outputs: &[&Captured]) -> Result<Artifact> {
    let below = path.strip_prefix(folder).unwrap_or(path).to_owned();
    if let Some(output) = outputs.iter().find(|output| output.path == path) {
        let Captured { sha256, bytes, truncated, .. } = *output;
        return Ok(Artifact { path: below, sha256: sha256.clone(), bytes: *bytes, truncated: *truncated });
    }
    let bytes = path.metadata().map_err(|source| Error::io(path, "look at", source))?.len();
    Ok(Artifact { path: below, sha256: digest::of_file(path)?, bytes, truncated: false })
}

/// Links are not followed: what they lead to is not of the run.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |source| Error::io(folder, "list", source);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => gather(&entry.path(), files)?,
            (_, true) => files.push(entry.path()),
            _ => {}
        }
    }
    Ok(())
}
