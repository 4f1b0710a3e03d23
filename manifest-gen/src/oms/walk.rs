//! The regular files below a folder, and what is there that no signature can cover: links, special files, odd names.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use shared::error::{Error, Place, Result};

/// What lies below a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Relative paths with `/`, sorted by code point.
    pub(super) files: Vec<String>,
    /// What cannot be listed, each with the reason; sorted.
    pub(super) oddities: Vec<Oddity>,
}

/// An entry that is neither a folder nor a regular file with a name in UTF-8.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Oddity {
    /// Where, relative to the folder.
    pub(super) path: PathBuf,
    /// What it is: `a symbolic link`.
    pub(super) what: &'static str,
}

/// Lists all regular files below `folder`; links are never followed.
///
/// # Errors
/// If `folder` is no folder (a link to one counts as a link), or something below it cannot be read.
pub(super) fn list(folder: &Path) -> Result<Listing> {
    check_root(folder)?;
    let mut listing = Listing::default();
    let mut pending = vec![PathBuf::new()];
    while let Some(below) = pending.pop() {
        let path = folder.join(&below);
        let failed = |source| Error::io(&path, "list the folder", source);
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            sort_in(&entry, below.join(entry.file_name()), &mut listing, &mut pending).map_err(failed)?;
        }
    }
    listing.files.sort_unstable();
    listing.oddities.sort_unstable();
    Ok(listing)
}

fn check_root(folder: &Path) -> Result<()> {
    // Components drop a trailing slash, behind which a link would look like its target.
    let folder: PathBuf = folder.components().collect();
    let kind =
        fs::symlink_metadata(&folder).map_err(|source| Error::Open { path: folder.clone(), source })?.file_type();
    match kind {
        _ if kind.is_dir() => Ok(()),
        _ if kind.is_symlink() => Err(Error::input(Place::file(folder), "a symbolic link", "the folder itself")),
        _ => Err(Error::input(Place::file(folder), "not a folder", "the folder that is signed")),
    }
}

fn sort_in(entry: &DirEntry, path: PathBuf, listing: &mut Listing, pending: &mut Vec<PathBuf>) -> io::Result<()> {
    let kind = entry.file_type()?;
    let odd = match path.to_str() {
        None => Some("a name that is not UTF-8"),
        _ if kind.is_symlink() => Some("a symbolic link"),
        _ if kind.is_dir() => None,
        _ if kind.is_file() => None,
        _ => Some("neither a file nor a folder"),
    };
    match (odd, path.to_str()) {
        (Some(what), _) => listing.oddities.push(Oddity { path, what }),
        (None, _) if kind.is_dir() => pending.push(path),
        (None, name) => listing.files.extend(name.map(str::to_owned)),
    }
    Ok(())
}
