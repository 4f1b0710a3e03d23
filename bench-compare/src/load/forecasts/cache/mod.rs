//! Sums of files that were read before. An entry holds the sums of one file, block by block, under a name that is the digest of
//! the file's bytes and of all that is asked of them; so an entry is right for ever or not found, and any file of a cache may be
//! deleted at any time. What cannot be written is told and otherwise without consequence.

mod bytes;
mod entry;
mod index;
mod key;
mod sealed;
mod stamp;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use shared::{Result, digest, fsio};

use super::part::Part;
use super::plan::Plan;
use super::source::Source;
use super::time::Kind;
use super::{Detail, Request};

use bytes::Writer;
use index::Index;
use sealed::Sealed;
use stamp::Stamp;

pub(super) use entry::FileSums;

const MAGIC: &[u8] = b"bench-compare sums 1\n";

/// An entry that was used is marked so when its mark is older than this.
const MARK_AGE: Duration = Duration::from_hours(24);

/// Where sums are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheRequest {
    /// The folder.
    pub folder: PathBuf,
    /// Whether files are hashed even where size and times say that they are the same.
    pub rehash: bool,
    /// The time at which the run begins, by the clock of the file system.
    pub moment: SystemTime,
}

/// A cache in use.
#[derive(Debug)]
pub(super) struct Cache {
    asked: CacheRequest,
    index: Index,
    fresh: Mutex<Index>,
    failure: Mutex<Option<String>>,
}

/// A file whose bytes are known.
#[derive(Debug, Clone)]
pub(super) struct Known {
    stamp: Stamp,
    pub(super) digest: String,
}

impl Cache {
    pub(super) fn open(asked: &CacheRequest) -> Self {
        let failure = fsio::create_folder(&asked.folder).err().map(|error| error.to_string());
        let index = if asked.rehash { Index::default() } else { Index::load(&asked.folder) };
        Self { asked: asked.clone(), index, fresh: Mutex::default(), failure: Mutex::new(failure) }
    }

    /// The digest of a file: from the index if the file has not been touched, else of its bytes. `None` for what is no file, cannot
    /// be read, or changes meanwhile.
    pub(super) fn identify(&self, part: &Part) -> Option<Known> {
        let stamp = Stamp::of_path(&part.path).filter(|_| part.is_file())?;
        if let Some(digest) = self.index.digest(&part.path, &stamp) {
            return Some(Known { stamp, digest: digest.to_owned() });
        }
        let digest = digest::of_file(&part.path).ok()?;
        let is_same = Stamp::of_path(&part.path).is_some_and(|after| after == stamp);
        is_same.then(|| {
            self.list(&part.path, stamp, &digest);
            Known { stamp, digest }
        })
    }

    fn list(&self, path: &Path, stamp: Stamp, digest: &str) {
        if stamp.is_settled(self.asked.moment) {
            lock(&self.fresh).insert(path, stamp, digest.to_owned());
        }
    }

    /// The entries of a pass.
    pub(super) fn pass<'c>(
        &'c self,
        plan: &'c Plan,
        detail: Detail,
        request: &Request,
        train: Option<&str>,
    ) -> Pass<'c> {
        Pass { cache: self, plan, detail, question: key::question(plan, detail, request, train) }
    }

    /// Writes which bytes the files hold.
    pub(super) fn save_index(&self) {
        let fresh = std::mem::take(&mut *lock(&self.fresh));
        self.note(fresh.save(&self.asked.folder));
    }

    /// The first thing that could not be written.
    pub(super) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    fn note(&self, outcome: Result<()>) {
        if let Err(error) = outcome {
            lock(&self.failure).get_or_insert_with(|| error.to_string());
        }
    }
}

/// The entries that answer one question.
#[derive(Debug)]
pub(super) struct Pass<'c> {
    cache: &'c Cache,
    pub(super) plan: &'c Plan,
    pub(super) detail: Detail,
    question: String,
}

/// What the cache has of a file.
#[derive(Debug)]
pub(super) enum Lookup {
    Absent,
    Damaged,
    Found(FileSums),
}

impl Pass<'_> {
    /// Where the entry of a file is, and how it begins: with its name, so that no other one is taken for it.
    fn entry(&self, part: &Part, known: &Known) -> (PathBuf, Vec<u8>) {
        let name = key::name(&self.question, part, &known.digest);
        let path = self.cache.asked.folder.join(&name[..2]).join(format!("{}.sums", &name[2..]));
        (path, [MAGIC, name.as_bytes()].concat())
    }

    /// Whether there seems to be an entry.
    pub(super) fn has(&self, part: &Part, known: &Known) -> bool {
        self.entry(part, known).0.exists()
    }

    pub(super) fn find(&self, part: &Part, known: &Known) -> Lookup {
        let (path, head) = self.entry(part, known);
        let content = match sealed::read(&path, &head) {
            Sealed::Absent => return Lookup::Absent,
            Sealed::Damaged => return Lookup::Damaged,
            Sealed::Whole(content) => content,
        };
        match entry::read(&content, self.plan, self.detail) {
            Some(found) => {
                mark(&path, self.cache.asked.moment);
                Lookup::Found(found)
            }
            None => Lookup::Damaged,
        }
    }

    /// Begins an entry for a file that is about to be read; `None` if its bytes may have changed since they were hashed, or may
    /// change without a trace.
    pub(super) fn record<'a>(&'a self, part: &'a Part, source: &'a Source, known: &'a Known) -> Option<Recorder<'a>> {
        let recorder = Recorder { pass: self, part, source, known, blocks: Writer::default() };
        (recorder.is_same_file() && known.stamp.is_settled(self.cache.asked.moment)).then_some(recorder)
    }
}

/// Gathers the entry of a file while it is read.
#[derive(Debug)]
pub(super) struct Recorder<'a> {
    pass: &'a Pass<'a>,
    part: &'a Part,
    source: &'a Source,
    known: &'a Known,
    blocks: Writer,
}

impl Recorder<'_> {
    fn is_same_file(&self) -> bool {
        Stamp::of_file(&self.source.file).is_some_and(|stamp| stamp == self.known.stamp)
    }

    fn is_too_long(&self) -> bool {
        self.blocks.0.len() as u64 > sealed::LIMIT_BYTES / 2
    }

    /// Takes the next block. An entry that gets too long is given up.
    pub(super) fn take(&mut self, block: &super::partial::Partial) {
        if !self.is_too_long() {
            entry::write_block(&mut self.blocks, block);
        }
    }

    /// Writes the entry, if the file is still the one that was hashed.
    pub(super) fn finish(self, kinds: &[(Kind, u64)], digest: &str) {
        if digest != self.known.digest || !self.is_same_file() || self.is_too_long() {
            return;
        }
        let mut content = Writer::default();
        entry::write_kinds(&mut content, kinds);
        content.0.extend(&self.blocks.0);
        let (path, head) = self.pass.entry(self.part, self.known);
        let folder = path.parent().map_or(Ok(()), fsio::create_folder);
        self.pass.cache.note(folder.and_then(|()| sealed::write(&path, &head, &content.0)));
    }
}

/// Lets the time of an entry say when it was last used; where that fails, it is deleted too early and made again.
fn mark(path: &Path, moment: SystemTime) {
    let is_recent = |file: &File| {
        let marked = file.metadata().and_then(|known| known.modified());
        marked.is_ok_and(|marked| moment.duration_since(marked).is_ok_and(|age| age < MARK_AGE))
    };
    if let Ok(file) = File::open(path)
        && !is_recent(&file)
    {
        _ = file.set_modified(moment);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
