//! Which files there are, and in which order they are read: by name, and of one name the oldest rotation first.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use shared::error::{Place, Problem};
use shared::{Error, Result};

use super::position::Identity;

/// When a file was changed, as far as its metadata tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(known: &Metadata) -> Self {
        let modified = (known.mtime(), known.mtime_nsec());
        Self { size: known.len(), modified, changed: (known.ctime(), known.ctime_nsec()) }
    }
}

impl Identity {
    pub(super) fn of(known: &Metadata) -> Self {
        Self { device: known.dev(), inode: known.ino() }
    }
}

/// A file that is there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    pub(super) stamp: Stamp,
}

/// The age of a file among those of its name, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rotation {
    /// `x.jsonl.2`.
    Numbered(Reverse<u32>),
    /// `x.jsonl-20260131`, `x.jsonl.2026-01-31`.
    Dated(String),
    /// `x.jsonl`.
    Current,
}

/// Whether the name says that the file is rotated, so that nobody appends to it.
pub(super) fn is_rotated(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".gz") || rotation(&name).1 != Rotation::Current
}

fn rotation(name: &str) -> (&str, Rotation) {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    if let Some((base, digits)) = name.rsplit_once('.')
        && let (true, Ok(number)) = (digits.len() <= 3, digits.parse())
    {
        return (base, Rotation::Numbered(Reverse(number)));
    }
    let date_start = name.rfind(|letter: char| !letter.is_ascii_digit() && letter != '-' && letter != '_');
    let after = date_start.map_or(name.len(), |start| name.ceil_char_boundary(start + 1));
    let (base, date) = name.split_at(after);
    let is_date = date.bytes().filter(u8::is_ascii_digit).count() >= 8;
    match is_date && base.contains('.') {
        true => (base.trim_end_matches('.'), Rotation::Dated(date.to_owned())),
        false => (name, Rotation::Current),
    }
}

/// What all rotations of a file have in common: folder and name.
pub(super) fn family(path: &Path) -> (PathBuf, String) {
    let (folder, name, _) = order(path);
    (folder, name)
}

fn order(path: &Path) -> (PathBuf, String, Rotation) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (base, rotation) = rotation(&name);
    (path.parent().unwrap_or(Path::new("")).to_owned(), base.to_owned(), rotation)
}

/// Says whether the patterns can be read.
pub(super) fn check(patterns: &[String]) -> Result<()> {
    patterns.iter().try_for_each(|pattern| {
        glob::Pattern::new(pattern).map(drop).map_err(|error| {
            Error::usage(format!("{pattern:?} is no pattern: {error}"), "a path, or one with `*`, `?`, `[…]`, `**`")
        })
    })
}

/// The files of these patterns, each once, in the order in which they are read.
pub(super) fn files(patterns: &[String], problems: &mut Vec<Problem>) -> Vec<Found> {
    let mut paths: Vec<PathBuf> = patterns.iter().flat_map(|pattern| paths(pattern, problems)).collect();
    paths.sort_by_cached_key(|path| order(path));
    paths.dedup();
    let mut seen = HashSet::new();
    let found = paths.into_iter().filter_map(|path| look_at(path, problems));
    found.filter(|file| seen.insert(file.identity)).collect()
}

fn paths(pattern: &str, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let literal = PathBuf::from(pattern);
    if literal.exists() {
        return vec![literal];
    }
    let Ok(matches) = glob::glob(pattern) else { return vec![literal] };
    let mut paths = Vec::new();
    for path in matches {
        match path {
            Ok(path) => paths.push(path),
            Err(error) => problems.push(problem(error.path(), error.error())),
        }
    }
    // A path without wildcards that is not there yet, or must not be seen, tells when it is looked at.
    if paths.is_empty() && glob::Pattern::escape(pattern) == pattern { vec![literal] } else { paths }
}

fn look_at(path: PathBuf, problems: &mut Vec<Problem>) -> Option<Found> {
    match fs::metadata(&path) {
        Ok(known) if known.is_dir() => None,
        Ok(known) if known.is_file() => Some(Found { path, identity: Identity::of(&known), stamp: Stamp::of(&known) }),
        Ok(_) => {
            let found = "neither a file nor a link to one".to_owned();
            problems.push(Problem { place: Place::file(path), found, expected: "a file".to_owned() });
            None
        }
        // It vanished since it was listed, or is still to come.
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            problems.push(problem(&path, &error));
            None
        }
    }
}

/// A file that cannot be read.
pub(super) fn problem(path: &Path, error: &io::Error) -> Problem {
    let expected = "a file that this user may read".to_owned();
    Problem { place: Place::file(path), found: format!("cannot be read: {error}"), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_rotation_comes_first() {
        let mut names = [
            "a/y.csv",
            "a/x.jsonl",
            "a/x.jsonl.1",
            "a/x.jsonl.10.gz",
            "a/x.jsonl.2",
            "a/y.csv-20260102",
            "a/y.csv.2026-01-03",
            "a/w-20260102.jsonl",
            "a/w-20260101.jsonl",
        ];
        names.sort_by_cached_key(|name| order(Path::new(name)));
        let expected = [
            "a/w-20260101.jsonl",
            "a/w-20260102.jsonl",
            "a/x.jsonl.10.gz",
            "a/x.jsonl.2",
            "a/x.jsonl.1",
            "a/x.jsonl",
            "a/y.csv.2026-01-03",
            "a/y.csv-20260102",
            "a/y.csv",
        ];
        assert_eq!(names[..6], expected[..6]);
        assert_eq!(names[8], expected[8]);
        assert!(is_rotated(Path::new("x.jsonl.1")) && is_rotated(Path::new("x.jsonl-20260131")));
        assert!(!is_rotated(Path::new("x-20260131.jsonl")) && !is_rotated(Path::new("x.jsonl")));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!(check(&["a/***".to_owned()]).is_err());
    }
}
