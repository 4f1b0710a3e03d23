//! The files of a queue: their names, which give the order and tell the key, and the locks.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::message::{MOST_BODY_BYTES, Message};
use crate::digest;
use crate::error::{Error, Place, Result};
use crate::fsio;

/// Where delivered messages lie.
pub(super) const DONE: &str = "done";

/// Where messages lie that their receiver refused for good.
pub(super) const REFUSED: &str = "refused";

/// Where files lie that could not be read.
pub(super) const DAMAGED: &str = "damaged";

/// Held while a message is put.
pub(super) const PUT_LOCK: &str = ".put.lock";

/// Held while messages are delivered.
pub(super) const DELIVERY_LOCK: &str = ".delivery.lock";

/// Putting takes milliseconds; who waits longer than this waits for something that hangs.
const PUT_PATIENCE: Duration = Duration::from_secs(10);

const POLL: Duration = Duration::from_millis(5);

/// Digits of the number in a file name; names sort as numbers do.
const NUMBER_DIGITS: usize = 12;

/// Hexadecimal digits of the key's digest in a file name.
const KEY_DIGITS: usize = 32;

/// Makes the folders of a queue.
pub(super) fn create(folder: &Path) -> Result<()> {
    [DONE, REFUSED, DAMAGED].iter().try_for_each(|below| fsio::create_folder(&folder.join(below)))
}

/// A file of the queue.
#[derive(Debug)]
pub(super) struct Slot {
    /// Its place in the order.
    pub(super) number: u64,
    key_digest: String,
    /// Where it is.
    pub(super) path: PathBuf,
}

impl Slot {
    /// The file name of the message `number` with this key.
    pub(super) fn name(number: u64, key: &str) -> String {
        format!("{number:0NUMBER_DIGITS$}-{}.json", key_digest(key))
    }

    /// The name of the same message at another place in the order.
    pub(super) fn renumbered(&self, number: u64) -> String {
        format!("{number:0NUMBER_DIGITS$}-{}.json", self.key_digest)
    }

    fn of(path: PathBuf) -> Option<Self> {
        let (number, key_digest) = path.file_name()?.to_str()?.strip_suffix(".json")?.split_once('-')?;
        let is_digest = key_digest.len() == KEY_DIGITS && key_digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = number.len() == NUMBER_DIGITS && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|_| is_number && is_digest)?;
        Some(Self { number, key_digest: key_digest.to_owned(), path: path.clone() })
    }

    /// The message.
    pub(super) fn read(&self) -> Result<Message> {
        let mut bytes = Vec::new();
        let read = fsio::open(&self.path)?.take(MOST_BODY_BYTES as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|source| Error::io(&self.path, "read", source))?;
        let message = Message::parse(&self.path, &bytes)?;
        match key_digest(&message.key) == self.key_digest {
            true => Ok(message),
            false => {
                Err(Error::input(Place::file(&self.path), "a message of another key", "the one that it is named for"))
            }
        }
    }

    /// Moves the file into another folder of the queue.
    pub(super) fn move_to(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(self.path.file_name().unwrap_or_default());
        fsio::rename(&self.path, &path)?;
        Ok(path)
    }
}

fn key_digest(key: &str) -> String {
    let mut digest = digest::of_bytes(key.as_bytes());
    digest.truncate(KEY_DIGITS);
    digest
}

/// The message files of a folder, in order; none if there is no folder.
pub(super) fn slots(folder: &Path) -> Result<Vec<Slot>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| Error::io(folder, "list the folder", source))?,
    };
    let mut slots = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| Error::io(folder, "list the folder", source))?;
        slots.extend(Slot::of(entry.path()));
    }
    slots.sort_by(|a, b| (a.number, &a.key_digest).cmp(&(b.number, &b.key_digest)));
    Ok(slots)
}

/// Whether a folder holds a message of this key.
pub(super) fn holds(folder: &Path, key: &str) -> Result<bool> {
    let wanted = key_digest(key);
    Ok(slots(folder)?.iter().any(|slot| slot.key_digest == wanted))
}

/// Whether a message of this key is pending, done or refused. The pending ones are looked at first: a delivery meanwhile
/// moves them to where is looked afterwards.
pub(super) fn knows(folder: &Path, key: &str) -> Result<bool> {
    Ok(holds(folder, key)? || holds(&folder.join(DONE), key)? || holds(&folder.join(REFUSED), key)?)
}

/// The number after the highest one that any message has.
pub(super) fn next_number(folder: &Path) -> Result<u64> {
    let mut next = 1;
    for below in ["", DONE, REFUSED, DAMAGED] {
        let last = slots(&folder.join(below))?.last().map_or(0, |slot| slot.number);
        next = next.max(last + 1);
    }
    Ok(next)
}

/// Deletes the oldest messages of a folder but `most`.
pub(super) fn prune(folder: &Path, most: usize) -> Result<()> {
    let slots = slots(folder)?;
    let surplus = slots.len().saturating_sub(most);
    slots[..surplus]
        .iter()
        .try_for_each(|slot| fs::remove_file(&slot.path).map_err(|source| Error::io(&slot.path, "remove", source)))
}

/// A lock on a file beside the messages; it ends with its value or its process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// The lock, if it is free now.
    pub(super) fn try_now(folder: &Path, name: &str) -> Result<Self> {
        Self::attempt(folder, name)?.ok_or_else(|| busy(folder, "another process delivers its messages"))
    }

    /// The lock, as soon as it is free.
    pub(super) fn wait(folder: &Path, name: &str) -> Result<Self> {
        let start = Instant::now();
        loop {
            if let Some(lock) = Self::attempt(folder, name)? {
                return Ok(lock);
            }
            if start.elapsed() > PUT_PATIENCE {
                return Err(busy(folder, "another process holds its lock"));
            }
            thread::sleep(POLL);
        }
    }

    fn attempt(folder: &Path, name: &str) -> Result<Option<Self>> {
        let path = folder.join(name);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|source| Error::io(&path, "open", source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(Error::io(&path, "lock", source)),
        }
    }
}

fn busy(folder: &Path, what: &str) -> Error {
    let help = Some("try again when it has ended".to_owned());
    Error::Environment { what: format!("{}: {what}", folder.display()), help }
}
