//! Files of all jobs, written into a folder: all or, where one would lose what others wrote, none.

use std::path::{Path, PathBuf};

use shared::error::{Error, Result};
use shared::fsio;

use super::{File, MARK};

/// So far into a file its mark may stand: after the line that names an interpreter.
const MARK_LINES: usize = 3;

/// Writes the files into `folder`, each atomically, and says where they are. Files with one name become one.
///
/// # Errors
/// [`Error::Refused`] if files are there that something else wrote, unless `force` is set; [`Error::Io`].
pub fn write(folder: &Path, files: &[File], force: bool) -> Result<Vec<PathBuf>> {
    let merged = merged(files);
    let foreign = merged.iter().filter(|(name, _)| !force && is_foreign(&folder.join(name)));
    let foreign: Vec<String> =
        foreign.map(|(name, _)| format!("{} was not made here", folder.join(name).display())).collect();
    if !foreign.is_empty() {
        let error = Error::refused("nothing is written over what others made", foreign);
        return Err(error.with_help("name another folder with -o, or --force"));
    }
    fsio::create_folder(folder)?;
    let write = |(name, text): (String, String)| {
        let path = folder.join(name);
        fsio::write_atomic(&path, text.as_bytes()).map(|()| path)
    };
    merged.into_iter().map(write).collect()
}

fn merged(files: &[File]) -> Vec<(String, String)> {
    let mut merged: Vec<(String, String)> = Vec::new();
    for file in files {
        match merged.iter_mut().find(|(name, _)| *name == file.name) {
            Some((_, text)) => text.push_str(&file.body),
            None => merged.push((file.name.clone(), format!("{}{}", file.head, file.body))),
        }
    }
    merged
}

/// Whether something is there that was not made here. What cannot be read is not ours.
fn is_foreign(path: &Path) -> bool {
    if std::fs::symlink_metadata(path).is_err() {
        return false;
    }
    let bytes = if path.is_file() { fsio::read(path).unwrap_or_default() } else { Vec::new() };
    !String::from_utf8_lossy(&bytes).lines().take(MARK_LINES).any(|line| line.contains(MARK))
}
