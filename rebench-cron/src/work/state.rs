//! The state folder: records, locks, and a folder for each run.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::statfs;
use shared::error::{Error, Result};
use shared::{digest, fsio};

use crate::store::RunId;

/// What the system calls the file system NFS.
const NFS: i64 = 0x6969;

/// The state folder.
#[derive(Debug, Clone)]
pub struct State {
    folder: PathBuf,
    /// What tells this folder from others on the machine.
    id: String,
}

/// Says that runs of a job are on: as long as one lives, on whatever daemon's behalf, nobody takes over what others of it left.
#[derive(Debug)]
pub struct JobLock {
    file: File,
}

/// Closing the file would do, but for a process that is being started at this moment and has a copy of it until it runs.
impl Drop for JobLock {
    fn drop(&mut self) {
        self.file.unlock().unwrap_or_default();
    }
}

impl State {
    /// The folder, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made, or lies on a network file system, where neither locks nor records are safe.
    pub fn open(folder: &Path) -> Result<Self> {
        ["", "runs", "locks"].iter().try_for_each(|below| fsio::create_folder(&folder.join(below)))?;
        let folder = folder.canonicalize().map_err(|source| Error::io(folder, "find the folder", source))?;
        match statfs(&folder) {
            #[expect(clippy::unnecessary_cast, reason = "the width of the field differs between systems")]
            Ok(found) if found.f_type as i64 == NFS => Err(on_network(&folder)),
            _ => Ok(Self { id: digest::of_bytes(folder.as_os_str().as_encoded_bytes())[..16].to_owned(), folder }),
        }
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of an attempt at a slot: `runs/JOB/20260105T030000Z`, with `-2` behind it for the second.
    pub fn run(&self, job: &str, scheduled_at: Timestamp, key: &str, attempt: u32) -> PathBuf {
        let time = scheduled_at.strftime("%Y%m%dT%H%M%SZ");
        // A key comes from outside.
        let key = if key.is_empty() { String::new() } else { format!("-{}", &digest::of_bytes(key.as_bytes())[..8]) };
        let attempt = if attempt == 1 { String::new() } else { format!("-{attempt}") };
        self.folder.join("runs").join(job).join(format!("{time}{key}{attempt}"))
    }

    /// The ticket by which processes of a run are found, on this machine and for this folder; the same whoever takes the run over.
    pub fn ticket(&self, run: RunId) -> String {
        format!("{}-{run}", self.id)
    }

    /// Says that a run of the job is on; many may say so at once. None while somebody takes over what was left of the job.
    ///
    /// # Errors
    /// If the lock cannot be had.
    pub fn lock(&self, job: &str) -> Result<Option<JobLock>> {
        self.take(job, File::try_lock_shared)
    }

    /// The right to take over what was left of a job; none if a run of it is on.
    ///
    /// # Errors
    /// If it cannot be found out.
    pub fn lock_alone(&self, job: &str) -> Result<Option<JobLock>> {
        self.take(job, File::try_lock)
    }

    fn take(&self, job: &str, lock: impl Fn(&File) -> Result<(), TryLockError>) -> Result<Option<JobLock>> {
        let (file, path) = self.lock_file(job)?;
        match lock(&file) {
            Ok(()) => Ok(Some(JobLock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::io(&path, "lock", source)),
        }
    }

    fn lock_file(&self, job: &str) -> Result<(File, PathBuf)> {
        let path = self.folder.join("locks").join(format!("{job}.lock"));
        let opened = File::options().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|source| Error::io(&path, "open the lock", source))?;
        Ok((file, path))
    }
}

fn on_network(folder: &Path) -> Error {
    Error::Environment {
        what: format!("{}: the state folder is on NFS, where neither locks nor records are safe", folder.display()),
        help: Some("choose a folder on a disk of this machine with --state".to_owned()),
    }
}
