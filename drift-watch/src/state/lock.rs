//! One daemon a state folder: a lock that ends with its holder, however that ends.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::process;

use shared::{Error, Result};

/// How much of the lock file is read: a process number is short.
const MOST_BYTES: u64 = 32;

/// The lock on a state folder; it ends with this value or its process.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock on the file at `path`, which is made if it is not there and then holds our process number.
    ///
    /// # Errors
    /// [`Error::Environment`] that names the holder if another process has it, [`Error::Io`].
    pub fn take(path: &Path) -> Result<Self> {
        let opened = File::options().create(true).truncate(false).read(true).write(true).open(path);
        let mut file = opened.map_err(|source| Error::io(path, "open the lock", source))?;
        match file.try_lock() {
            Ok(()) => {
                sign(&mut file);
                Ok(Self { file })
            }
            Err(TryLockError::WouldBlock) => Err(held(path, &mut file)),
            Err(TryLockError::Error(source)) => Err(Error::io(path, "lock", source)),
        }
    }

    /// Whether another process has the lock; it is not taken, and nothing is written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn is_held(path: &Path) -> Result<bool> {
        let file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            file => file.map_err(|source| Error::io(path, "open the lock", source))?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(Error::io(path, "lock", source)),
        }
    }
}

/// Closing the file would do, but for a process that is being started at this moment and has a copy of it until it runs.
impl Drop for Lock {
    fn drop(&mut self) {
        self.file.unlock().unwrap_or_default();
    }
}

/// Says who holds the lock. On a full disk this fails, and the lock holds all the same.
fn sign(file: &mut File) {
    let written = file.set_len(0).and_then(|()| writeln!(file, "{}", process::id()));
    written.unwrap_or_default();
}

fn held(path: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let read = file.take(MOST_BYTES).read_to_string(&mut text);
    let holder = read.ok().and_then(|_| text.trim().parse::<u32>().ok());
    let holder = holder.map_or_else(|| "another process".to_owned(), |number| format!("process {number}"));
    let folder = path.parent().unwrap_or(path);
    Error::Environment {
        what: format!("{}: {holder} holds the state folder", folder.display()),
        help: Some("stop that one first, or give this one a state folder of its own".to_owned()),
    }
}
