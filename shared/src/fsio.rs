//! Files: opened with their path in the error, written so that a reader sees the old text or the new, never a half.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};

/// Prefix of the temporary files that [`write_atomic`] leaves behind when it is killed.
const TEMPORARY_PREFIX: &str = ".promotion-tmp-";

/// Opens a file for reading.
///
/// # Errors
/// [`Error::Open`] with the path.
pub fn open(path: &Path) -> Result<File> {
    let opened = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
        true => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        false => Ok(file),
    });
    opened.map_err(|source| Error::Open { path: path.to_owned(), source })
}

/// The whole file; `-` is standard input.
///
/// # Errors
/// [`Error::Open`] if it cannot be opened, [`Error::Io`] if reading stops midway.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let outcome = match path == Path::new("-") {
        true => io::stdin().lock().read_to_end(&mut bytes),
        false => open(path)?.read_to_end(&mut bytes),
    };
    outcome.map_err(|source| Error::io(path, "read", source))?;
    Ok(bytes)
}

/// Writes `bytes` to `path`: temporary file in the same folder, fsync, rename, fsync of the folder.
/// Whatever happens, `path` holds its old text or the new one.
///
/// # Errors
/// [`Error::Io`] with the step that failed.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(path, |file| file.write_all(bytes))
}

/// Writes `bytes` to `path` in one step, so that a reader sees the old bytes or the new ones; after a crash of the machine it may
/// hold neither. For what can be made again and tells when it is torn.
///
/// # Errors
/// [`Error::Io`] with the step that failed.
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<()> {
    let step = |action| move |source| Error::io(path, action, source);
    let mut temporary = tempfile::Builder::new()
        .prefix(&temporary_prefix())
        .permissions(permissions(path))
        .tempfile_in(parent(path))
        .map_err(step("create a temporary file beside it"))?;
    temporary.write_all(bytes).map_err(step("write"))?;
    temporary.persist(path).map(drop).map_err(|failed| Error::io(path, "rename", failed.error))
}

/// Copies the file at `from` to `to`, as [`write_atomic`] would write it.
///
/// # Errors
/// [`Error::Open`] or [`Error::Io`] with the step that failed.
pub fn copy_atomic(from: &Path, to: &Path) -> Result<()> {
    let mut source = open(from)?;
    replace(to, |file| io::copy(&mut source, file).map(drop))
}

fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let path = &followed(path);
    if is_special(path) {
        return write_through(path, write);
    }
    let folder = parent(path);
    let step = |action| move |source| Error::io(path, action, source);
    sweep(&folder);
    let mut temporary = tempfile::Builder::new()
        .prefix(&temporary_prefix())
        .permissions(permissions(path))
        .tempfile_in(&folder)
        .map_err(step("create a temporary file beside it"))?;
    write(temporary.as_file_mut()).map_err(step("write"))?;
    temporary.as_file().sync_all().map_err(step("sync"))?;
    temporary.persist(path).map_err(|failed| Error::io(path, "rename", failed.error))?;
    sync_folder(&folder).map_err(step("sync the folder"))
}

/// Renames `from` to `to` and syncs both folders; whatever happens, the file is at one of the two places.
///
/// # Errors
/// [`Error::Io`] with the step that failed.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|source| Error::io(from, "rename", source))?;
    let (old, new) = (parent(from), parent(to));
    sync_folder(&new)
        .and_then(|()| if old == new { Ok(()) } else { sync_folder(&old) })
        .map_err(|source| Error::io(to, "sync the folder", source))
}

/// The file that a symbolic link leads to, so that the link stays one.
fn followed(path: &Path) -> PathBuf {
    let is_link = fs::symlink_metadata(path).is_ok_and(|known| known.is_symlink());
    let target = is_link.then(|| fs::canonicalize(path).ok()).flatten();
    target.unwrap_or_else(|| path.to_owned())
}

/// A device, pipe or socket: what is written goes through it, and a rename would put a file in its place.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|known| !known.is_file() && !known.is_dir())
}

fn write_through(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let opened = File::options().write(true).open(path);
    opened.and_then(|mut file| write(&mut file)).map_err(|source| Error::io(path, "write", source))
}

/// Creates a folder and its parents.
///
/// # Errors
/// [`Error::Io`].
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|source| Error::io(path, "create the folder", source))
}

/// A new temporary folder inside `folder`, to be filled and renamed; swept away if its process is killed.
///
/// # Errors
/// [`Error::Io`].
pub fn temporary_folder(folder: &Path) -> Result<tempfile::TempDir> {
    create_folder(folder)?;
    sweep(folder);
    tempfile::Builder::new()
        .prefix(&temporary_prefix())
        .tempdir_in(folder)
        .map_err(|source| Error::io(folder, "create a temporary folder in it", source))
}

/// Makes what was renamed, created or removed in `folder` last.
///
/// # Errors
/// [`Error::Io`].
pub fn sync(folder: &Path) -> Result<()> {
    sync_folder(folder).map_err(|source| Error::io(folder, "sync the folder", source))
}

/// Waits for the lock on the file at `path`, which is made if it is not there; the lock ends with the returned file, also
/// where its holder is killed.
///
/// # Errors
/// [`Error::Environment`] if another process holds it for longer than `patience`.
pub fn lock(path: &Path, patience: Duration) -> Result<File> {
    create_folder(&parent(path))?;
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|source| Error::io(path, "open the lock", source))?;
    let pause = Duration::from_millis(10);
    for _ in 0..=patience.as_millis() / pause.as_millis() {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(pause),
            Err(fs::TryLockError::Error(source)) => return Err(Error::io(path, "lock", source)),
        }
    }
    let what = format!("{}: another process has held the lock for {} s", path.display(), patience.as_secs());
    Err(Error::Environment { what, help: Some("try again when it is done".to_owned()) })
}

/// Removes temporary files and folders that a killed process left in `folder`. Those of a process that still lives stay.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if owner(&entry.file_name().to_string_lossy()).is_some_and(|pid| !lives(pid)) {
            // What is stale and cannot be removed harms nobody; the write itself will say what is wrong.
            _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
        }
    }
}

fn owner(file_name: &str) -> Option<u32> {
    file_name.strip_prefix(TEMPORARY_PREFIX)?.split('-').next()?.parse().ok()
}

fn lives(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists() || !Path::new("/proc/self").exists()
}

fn temporary_prefix() -> String {
    format!("{TEMPORARY_PREFIX}{}-", std::process::id())
}

/// The permissions of the file that is replaced; those of any new file otherwise.
fn permissions(path: &Path) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).map_or_else(|_| fs::Permissions::from_mode(0o644), |known| known.permissions())
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_earlier_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verdict.json");
        write_atomic(&path, b"old").unwrap();
        let missing = folder.path().join("absent/verdict.json");
        assert!(write_atomic(&missing, b"new").is_err());
        write_atomic(&path, b"new").unwrap();
        assert_eq!(read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn temporaries_of_dead_processes_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join(format!("{TEMPORARY_PREFIX}4294967295-x"));
        let live = folder.path().join(format!("{}x", temporary_prefix()));
        File::create(&stale).unwrap();
        File::create(&live).unwrap();
        sweep(folder.path());
        assert!(!stale.exists() && live.exists());
    }

    #[test]
    fn a_pipe_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_atomic(&pipe, b"verdict").unwrap();
        assert_eq!(reader.join().unwrap(), b"verdict");
        assert!(is_special(&pipe), "`-o /dev/null` must not put a file in its place");
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_atomic(&file, b"old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write_atomic(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read(&file).unwrap(), b"new");
    }

    #[test]
    fn a_folder_is_not_an_input() {
        assert!(matches!(open(Path::new("/")), Err(Error::Open { .. })));
    }
}
