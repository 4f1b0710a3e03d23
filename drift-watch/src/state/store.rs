//! The state folder of a daemon: what it was told, in a journal, and what it made of that, in snapshots.
//!
//! State is a function of the frames; a snapshot only saves reading them all. The journal reaches back to the older of the
//! two snapshots, so that a damaged newer one costs time and nothing else.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::error::Place;
use shared::format::versioned;
use shared::{Error, Result, fsio};

use super::journal::{Frames, Journal, Options};
use super::lock::Lock;
use super::snapshot::{Snapshot, Snapshots};

/// The `schema` of `store.json`, which marks a folder as a store and says who can read it.
pub const SCHEMA: &str = "drift-watch/state/1";

/// The oldest version of drift-watch that understands the folder.
const MIN_READER: &str = "0.1.0";

/// What a person can do where frames are missing.
const REMEDY: &str = "restore the state folder from a backup; or move it away and start anew, \
                      then the sources are read again from their beginning";

/// A state folder, held by this process.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    journal: Journal,
    snapshots: Snapshots,
    _lock: Lock,
}

/// From where a daemon goes on.
#[derive(Debug)]
pub struct Start {
    /// The newest snapshot, with the number of the last frame that is part of it.
    pub snapshot: Option<Snapshot>,
    /// The frames after it, to be read before the next snapshot is written.
    pub frames: Frames,
    /// What was repaired on opening, one sentence each.
    pub repairs: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    schema: String,
    min_reader: String,
}

impl Store {
    /// Opens the state folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::Environment`] if another daemon holds the folder; [`Error::Input`] if it is for a newer version of the tool
    /// or frames are damaged or missing; [`Error::Io`].
    pub fn open(folder: &Path) -> Result<(Self, Start)> {
        Self::open_with(folder, Options::default())
    }

    /// The same, with other sizes or another file layer.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(folder: &Path, options: Options) -> Result<(Self, Start)> {
        fsio::create_folder(folder)?;
        let lock = Lock::take(&folder.join("lock"))?;
        check_mark(&folder.join("store.json"))?;
        let snapshots = Snapshots::open(&folder.join("snapshots"), options.disk.clone())?;
        let (journal, recovered) = Journal::open(&folder.join("journal"), options)?;
        fsio::sync(folder)?;
        let mut store = Self { folder: folder.to_owned(), journal, snapshots, _lock: lock };
        let start = store.start(recovered.repairs)?;
        Ok((store, start))
    }

    fn start(&mut self, mut repairs: Vec<String>) -> Result<Start> {
        let (snapshot, damaged) = self.snapshots.newest()?;
        repairs.extend(damaged);
        let from = snapshot.as_ref().map_or(1, |(sequence, _)| sequence + 1);
        if self.journal.next() < from {
            repairs.push(self.ahead(from));
            self.journal.skip_to(from)?;
        }
        if self.journal.first() > from {
            return Err(self.gap(from));
        }
        Ok(Start { snapshot, frames: self.journal.frames(from)?, repairs })
    }

    /// A sentence for a journal whose end is lost and whose lost frames are part of the snapshot.
    fn ahead(&self, from: u64) -> String {
        let (folder, next) = (self.folder.display(), self.journal.next());
        format!("{folder}: the journal ended before frame {next}, and the snapshot holds those up to {}", from - 1)
    }

    fn gap(&self, from: u64) -> Error {
        let found =
            format!("the journal starts with frame {}, and no whole snapshot leads there", self.journal.first());
        Error::input(Place::file(&self.folder), found, format!("frame {from}")).with_help(REMEDY)
    }

    /// Sequence number of the last frame; 0 if there is none.
    pub fn last(&self) -> u64 {
        self.journal.next() - 1
    }

    /// Appends a frame; when this returns, it survives a crash. After an error it does not count and may be tried again.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn append(&mut self, payload: &[u8]) -> Result<u64> {
        self.journal.append(payload)
    }

    /// Keeps the state after frame `sequence`, then removes the segments that lie wholly before the older snapshot.
    ///
    /// # Errors
    /// [`Error::Usage`] if the number lies before the newest snapshot or after the last frame; [`Error::Io`].
    pub fn snapshot(&mut self, sequence: u64, payload: &[u8]) -> Result<()> {
        self.snapshot_with(sequence, |file| file.write_all(payload))
    }

    /// The same, for a state that `encode` writes piece by piece and that is never in memory as a whole.
    ///
    /// # Errors
    /// As [`Self::snapshot`].
    pub fn snapshot_with(
        &mut self,
        sequence: u64,
        encode: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<()> {
        let newest = self.snapshots.sequences().last().copied().unwrap_or_default();
        if !(newest..=self.last()).contains(&sequence) {
            let expected = format!("a frame from {newest} to {}", self.last());
            return Err(Error::usage(format!("a snapshot after frame {sequence}"), expected));
        }
        self.snapshots.write_with(sequence, encode)?;
        match self.snapshots.sequences() {
            [older, _newer] => self.journal.remove_before(older + 1),
            _ => Ok(()),
        }
    }
}

/// Reads the mark of the folder, or makes it.
fn check_mark(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return versioned::parse::<Mark>(path, &fsio::read(path)?, SCHEMA).map(drop);
    }
    let mark = Mark { schema: SCHEMA.to_owned(), min_reader: MIN_READER.to_owned() };
    fsio::write_atomic(path, &versioned::to_bytes(&mark)?)
}
