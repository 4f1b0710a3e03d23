//! Snapshots of the state, each with the number of the last journal frame that is part of it; the newest two are kept.

use std::fs;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crc32fast::Hasher;
use shared::{Error, Result, fsio};

use super::disk::{Disk, DiskFile};
use super::layout::{Header, SNAPSHOT_HEADER, SnapshotHeader};
use super::segment::other_version;

/// How many snapshots are kept: the newest, and one to fall back on.
const KEPT: usize = 2;

const SUFFIX: &str = ".snapshot";
const TEMPORARY: &str = ".snapshot-tmp";
const DAMAGED: &str = ".snapshot-damaged";

/// How much is written at once; the payload is never copied as a whole.
const CHUNK: usize = 1 << 20;

/// The snapshots in one folder.
#[derive(Debug)]
pub struct Snapshots {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    /// Ascending.
    sequences: Vec<u64>,
}

/// A snapshot that was read: the number of the last frame that is part of it, and the payload.
pub type Snapshot = (u64, Vec<u8>);

impl Snapshots {
    /// Opens a folder, which is made if it is not there, and sweeps what a killed process left half-written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(folder: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        fsio::create_folder(folder)?;
        let names = names(folder)?;
        for name in names.iter().filter(|name| name.ends_with(TEMPORARY)) {
            let path = folder.join(name);
            disk.remove(&path).map_err(|source| Error::io(&path, "remove", source))?;
        }
        let mut sequences: Vec<u64> = names.iter().filter_map(|name| name.strip_suffix(SUFFIX)?.parse().ok()).collect();
        sequences.sort_unstable();
        Ok(Self { folder: folder.to_owned(), disk, sequences })
    }

    /// The numbers of the snapshots that are kept, oldest first.
    pub fn sequences(&self) -> &[u64] {
        &self.sequences
    }

    /// Writes a snapshot: whole, or not at all. Then removes all but the newest two.
    ///
    /// # Errors
    /// [`Error::Io`] with the step that failed.
    pub fn write(&mut self, sequence: u64, payload: &[u8]) -> Result<()> {
        self.write_with(sequence, |file| file.write_all(payload))
    }

    /// The same, for a payload that `encode` writes piece by piece and that is never in memory as a whole.
    ///
    /// # Errors
    /// [`Error::Io`] with the step that failed.
    pub fn write_with(&mut self, sequence: u64, encode: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let (path, temporary) = (self.path(sequence, SUFFIX), self.path(sequence, TEMPORARY));
        let written = self.write_temporary(&temporary, sequence, encode);
        if let Err(source) = written.and_then(|()| self.disk.rename(&temporary, &path)) {
            // On a full disk its space is what others need; what cannot be removed now is swept on opening.
            self.disk.remove(&temporary).unwrap_or_default();
            return Err(Error::io(&path, "write a snapshot", source));
        }
        self.disk.sync_folder(&self.folder).map_err(|source| Error::io(&path, "sync the folder", source))?;
        self.sequences.retain(|known| *known != sequence);
        self.sequences.push(sequence);
        self.sequences.sort_unstable();
        self.prune()
    }

    fn write_temporary(
        &self,
        path: &Path,
        sequence: u64,
        encode: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let file = self.disk.create(path)?;
        let body = Body { file: file.as_ref(), length: 0, hasher: Hasher::new() };
        let mut buffered = BufWriter::with_capacity(CHUNK, body);
        encode(&mut buffered)?;
        let body = buffered.into_inner().map_err(io::IntoInnerError::into_error)?;
        let header = SnapshotHeader { sequence, length: body.length, crc: body.hasher.finalize() };
        file.write_at(&header.to_bytes(), 0)?;
        file.sync()
    }

    fn prune(&mut self) -> Result<()> {
        while self.sequences.len() > KEPT {
            let path = self.path(self.sequences[0], SUFFIX);
            match self.disk.remove(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io(&path, "remove", error)),
                _ => drop(self.sequences.remove(0)),
            }
        }
        Ok(())
    }

    /// The newest snapshot that is whole, and a sentence for each damaged one, which is moved aside.
    ///
    /// # Errors
    /// If a snapshot is of an unknown version, [`Error::Io`].
    pub fn newest(&mut self) -> Result<(Option<Snapshot>, Vec<String>)> {
        let mut repairs = Vec::new();
        while let Some(sequence) = self.sequences.last().copied() {
            let path = self.path(sequence, SUFFIX);
            match read(&path, sequence)? {
                Ok(payload) => return Ok((Some((sequence, payload)), repairs)),
                Err(why) => repairs.push(self.set_aside(&path, sequence, why)?),
            }
        }
        Ok((None, repairs))
    }

    /// A damaged snapshot no longer counts as one of two, and can still be looked at.
    fn set_aside(&mut self, path: &Path, sequence: u64, why: &str) -> Result<String> {
        let aside = self.path(sequence, DAMAGED);
        let moved = self.disk.rename(path, &aside).and_then(|()| self.disk.sync_folder(&self.folder));
        moved.map_err(|source| Error::io(path, "move aside the damaged snapshot", source))?;
        self.sequences.pop();
        Ok(format!("{}: {why}; moved to {} and the one before it is used", path.display(), aside.display()))
    }

    fn path(&self, sequence: u64, suffix: &str) -> PathBuf {
        self.folder.join(format!("{sequence:020}{suffix}"))
    }
}

/// The payload, or why it is not the one that was written.
fn read(path: &Path, sequence: u64) -> Result<Result<Vec<u8>, &'static str>> {
    let failed = |source| Error::io(path, "read", source);
    let mut file = fsio::open(path)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut header = Vec::new();
    Read::by_ref(&mut file).take(SNAPSHOT_HEADER as u64).read_to_end(&mut header).map_err(failed)?;
    let header = match SnapshotHeader::read(&header) {
        Header::Good(header) => header,
        Header::Other(version) => return Err(other_version(path, version)),
        Header::Broken => return Ok(Err("the header of the snapshot is damaged")),
    };
    if header.sequence != sequence || length != header.length + SNAPSHOT_HEADER as u64 {
        return Ok(Err("the snapshot is not as long as its header says, or not of the number that it is named for"));
    }
    let mut payload = Vec::new();
    payload.reserve_exact(usize::try_from(header.length).unwrap_or_default());
    file.read_to_end(&mut payload).map_err(failed)?;
    let whole = crc32fast::hash(&payload) == header.crc;
    Ok(whole.then_some(payload).ok_or("the snapshot has another checksum than it was written with"))
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |source| Error::io(folder, "list the folder", source);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    Ok(names)
}

/// Writes behind the header, and keeps length and checksum.
struct Body<'a> {
    file: &'a dyn DiskFile,
    length: u64,
    hasher: Hasher,
}

impl Write for Body<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(bytes, SNAPSHOT_HEADER as u64 + self.length)?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
