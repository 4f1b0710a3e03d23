//! What the tests of the store share: frames that differ, the state that they lead to, and a disk on which any call fails.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use drift_watch::state::disk::{Disk, DiskFile, System};
use drift_watch::state::journal::Options;
use drift_watch::state::store::{Start, Store};
use shared::Result;

/// A folder in memory where there is one: what is tested here does not depend on how long a sync takes.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Frame number `sequence` of the tests: no two are alike, and some are empty.
pub(crate) fn frame(sequence: u64) -> Vec<u8> {
    let length = (sequence * 37 % 90) as usize;
    sequence.to_le_bytes().iter().cycle().take(length).copied().collect()
}

/// State is all frames so far: whatever is lost, twice there or out of order shows.
pub(crate) fn fold(state: &mut Vec<u8>, payload: &[u8]) {
    state.extend((payload.len() as u64).to_le_bytes());
    state.extend(payload);
}

/// The state after frame `last`.
pub(crate) fn state(last: u64) -> Vec<u8> {
    let mut state = Vec::new();
    (1..=last).for_each(|sequence| fold(&mut state, &frame(sequence)));
    state
}

/// The state that a store leads to, and the number of its last frame.
pub(crate) fn recovered(start: Start) -> Result<(u64, Vec<u8>)> {
    let (mut last, mut state) = start.snapshot.unwrap_or_default();
    for item in start.frames {
        let (sequence, payload) = item?;
        assert_eq!(sequence, last + 1);
        last = sequence;
        fold(&mut state, &payload);
    }
    Ok((last, state))
}

/// A store of small segments, and the state that it leads to.
pub(crate) fn open(folder: &Path, disk: Arc<dyn Disk>) -> Result<(Store, u64, Vec<u8>, Vec<String>)> {
    let (store, mut start) = Store::open_with(folder, Options { segment_bytes: 200, disk })?;
    let repairs = std::mem::take(&mut start.repairs);
    let (last, state) = recovered(start)?;
    Ok((store, last, state, repairs))
}

/// The same on the real disk.
pub(crate) fn open_small(folder: &Path) -> Result<(Store, u64, Vec<u8>, Vec<String>)> {
    open(folder, Arc::new(System))
}

/// The files of a folder below the store that end in `suffix`, sorted.
pub(crate) fn files(folder: &Path, below: &str, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join(below)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(suffix));
    paths.sort();
    paths
}

/// Replaces the content of a file, without care.
pub(crate) fn overwrite(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Which call fails, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// The number of the call, from 1.
    pub(crate) at: u64,
    /// Whether all later calls fail too.
    pub(crate) lasting: bool,
    /// What the system says: 28 is a full disk, 5 a broken one.
    pub(crate) code: i32,
}

#[derive(Debug, Default)]
struct Inner {
    calls: u64,
    fault: Option<Fault>,
    /// The files by name, as programs see them and as they are on disk for certain.
    live: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    /// What was synced of each file.
    synced: Vec<Vec<u8>>,
}

/// A disk that fails as told, and that knows what a power cut would leave.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faulty(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct FaultyFile {
    disk: Faulty,
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl Faulty {
    /// Lets a call fail, counted from now on.
    pub(crate) fn set(&self, fault: Option<Fault>) {
        let mut inner = self.0.lock().unwrap();
        (inner.calls, inner.fault) = (0, fault);
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> u64 {
        self.0.lock().unwrap().calls
    }

    /// Leaves on disk only what was synced.
    pub(crate) fn cut_power(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.live.keys().filter(|path| path.exists()).for_each(|path| fs::remove_file(path).unwrap());
        inner.durable.iter().for_each(|(path, id)| overwrite(path, &inner.synced[*id]));
        inner.live = inner.durable.clone();
    }

    fn call(&self) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        inner.calls += 1;
        match inner.fault {
            Some(fault) if inner.calls == fault.at || (fault.lasting && inner.calls > fault.at) => {
                Err(io::Error::from_raw_os_error(fault.code))
            }
            _ => Ok(()),
        }
    }

    fn wrap(&self, path: &Path, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        Box::new(FaultyFile { disk: self.clone(), path: path.to_owned(), file })
    }
}

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.call()?;
        let file = System.create(path)?;
        let mut inner = self.0.lock().unwrap();
        let id = inner.synced.len();
        if inner.live.insert(path.to_owned(), id).is_none() {
            inner.synced.push(Vec::new());
        } else {
            // Emptying keeps the file; its old content may still be what is on disk.
            let old = inner.durable.get(path).map(|old| inner.synced[*old].clone()).unwrap_or_default();
            inner.synced.push(old);
        }
        drop(inner);
        Ok(self.wrap(path, file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.call()?;
        Ok(self.wrap(path, System.open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?;
        System.rename(from, to)?;
        let mut inner = self.0.lock().unwrap();
        let id = inner.live.remove(from).unwrap();
        inner.live.insert(to.to_owned(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        System.remove(path)?;
        self.0.lock().unwrap().live.remove(path);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.call()?;
        let mut inner = self.0.lock().unwrap();
        inner.durable.retain(|path, _| path.parent() != Some(folder));
        let here: Vec<_> = inner.live.iter().filter(|(path, _)| path.parent() == Some(folder)).collect();
        let here: Vec<_> = here.into_iter().map(|(path, id)| (path.clone(), *id)).collect();
        inner.durable.extend(here);
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self.disk.call() {
            Ok(()) => self.file.write_at(bytes, offset),
            Err(error) => {
                self.file.write_at(&bytes[..bytes.len() / 2], offset)?;
                Err(error)
            }
        }
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.disk.call()?;
        self.file.truncate(length)
    }

    /// No call to the system: what counts is what was synced when.
    fn sync(&self) -> io::Result<()> {
        self.disk.call()?;
        let mut inner = self.disk.0.lock().unwrap();
        let id = inner.live[&self.path];
        inner.synced[id] = fs::read(&self.path)?;
        Ok(())
    }
}
