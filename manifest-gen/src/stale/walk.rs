//! The files below the paths that a user names: what git ignores, build outputs and registries are left out.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use shared::format::registry;
use shared::{Error, Place, Result};

/// Folders in which nobody writes by hand.
const FOLDERS: [&str; 22] = [
    ".git",
    ".hg",
    ".svn",
    "target",
    "node_modules",
    "__pycache__",
    "site-packages",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".eggs",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
    "build",
    "dist",
    "_build",
    "htmlcov",
    "mlruns",
    "mlartifacts",
];

/// How much of a registry is read to know it.
const HEAD_BYTES: u64 = 4096;

/// The files below `paths`, sorted below each; a file that is named itself is always among them.
///
/// # Errors
/// If a path is not there, or a folder cannot be read.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if let Err(source) = std::fs::metadata(path) {
            return Err(Error::Open { path: path.clone(), source });
        }
        collect(path, &mut files)?;
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|path| seen.insert(path.clone()));
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let mut walk = WalkBuilder::new(path);
    walk.hidden(false).ignore(false).git_global(false).require_git(false).follow_links(false);
    walk.sort_by_file_path(Path::cmp).filter_entry(is_wanted);
    for entry in walk.build() {
        let entry = entry.map_err(|error| unreadable(path, &error))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) || entry.depth() == 0 && entry.path().is_file() {
            files.push(tidy(entry.path()));
        }
    }
    Ok(())
}

/// `./a` is `a`.
fn tidy(path: &Path) -> PathBuf {
    path.strip_prefix("./").unwrap_or(path).to_owned()
}

fn unreadable(path: &Path, error: &ignore::Error) -> Error {
    let found = error.to_string();
    Error::input(Place::file(path), found, "a folder that can be read")
        .with_help("name the folders to look at one by one")
}

fn is_wanted(entry: &DirEntry) -> bool {
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    entry.depth() == 0 || !is_folder || !(is_made(entry) || is_registry(entry.path()))
}

fn is_made(entry: &DirEntry) -> bool {
    let name = entry.file_name();
    FOLDERS.iter().any(|folder| name == OsStr::new(folder))
        || name.to_string_lossy().ends_with(".egg-info")
        || entry.path().join("pyvenv.cfg").exists()
}

/// Whether a folder is that of a registry: it names all versions, and rightly so.
fn is_registry(folder: &Path) -> bool {
    let mut head = Vec::new();
    let opened = File::open(folder.join(registry::FILE_NAME));
    let read = opened.and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(registry::SCHEMA)
}
