//! Trouble with the disk: what is said while the state cannot be kept, beside the engine, which learns only what is durable.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::core::alerts::Record;
use crate::core::time::Micros;

/// After a failed write the disk is left alone for so long.
const PAUSE: Duration = Duration::from_secs(2);

/// So much room must be there before all is said to be well, unless something larger failed.
const LEAST_ROOM_BYTES: usize = 64 << 10;

/// Whose rows a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writer {
    /// Files: they are read again until their rows are durable.
    Files,
    /// Standard input: its rows wait in memory.
    Input,
    /// Whoever tries again by itself, or need not.
    Other,
}

/// Whether the state can be kept; if not, since when and why.
#[derive(Debug, Default)]
pub struct Trouble {
    record: Option<Record>,
    waiting: BTreeSet<Writer>,
    retry_at: Option<Instant>,
    largest_bytes: usize,
}

impl Trouble {
    /// Notes that a frame could not be written.
    pub fn failed(&mut self, writer: Writer, frame_bytes: usize, why: &str, now: Micros) {
        if writer != Writer::Other {
            self.waiting.insert(writer);
        }
        self.largest_bytes = self.largest_bytes.max(frame_bytes);
        self.retry_at = Some(Instant::now() + PAUSE);
        if !self.is_on() {
            let reason = format!("records cannot be kept, and none is taken in until there is room: {why}");
            self.record = Some(Record::of_state(now, reason));
        }
    }

    /// Notes that a frame was written. A small one may fit where others do not: only what had failed ends the trouble.
    pub fn kept(&mut self, writer: Writer, now: Micros) {
        if self.waiting.remove(&writer) && self.waiting.is_empty() {
            self.end(now);
        }
    }

    /// Where nothing waits that would be tried again, sees by itself whether there is room.
    pub fn look(&mut self, folder: &Path, now: Micros) {
        if !self.is_on() || !self.waiting.is_empty() || self.must_wait() {
            return;
        }
        match has_room(folder, self.largest_bytes.max(LEAST_ROOM_BYTES)) {
            Ok(()) => self.end(now),
            Err(_) => self.retry_at = Some(Instant::now() + PAUSE),
        }
    }

    fn end(&mut self, now: Micros) {
        (self.retry_at, self.largest_bytes) = (None, 0);
        if let Some(record) = &mut self.record {
            record.ended_at = record.ended_at.or(Some(now));
        }
    }

    /// Whether the disk is to be left alone.
    pub fn must_wait(&self) -> bool {
        self.retry_at.is_some_and(|until| Instant::now() < until)
    }

    /// Whether the state cannot be kept.
    pub fn is_on(&self) -> bool {
        self.reason().is_some()
    }

    /// Why the state cannot be kept.
    pub fn reason(&self) -> Option<&str> {
        self.record.as_ref().filter(|record| record.ended_at.is_none()).map(|record| record.reason.as_str())
    }

    /// The alert that says so: of the trouble that is, or was last.
    pub fn alert(&self) -> Option<&Record> {
        self.record.as_ref()
    }
}

/// Whether so many bytes can be written.
fn has_room(folder: &Path, bytes: usize) -> std::io::Result<()> {
    let path = folder.join("room");
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![0; bytes])?;
        file.sync_all()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_had_failed_ends_the_trouble() {
        let mut trouble = Trouble::default();
        trouble.failed(Writer::Files, 100, "full", 1);
        trouble.failed(Writer::Input, 100, "full", 2);
        let id = trouble.alert().unwrap().id.clone();
        trouble.kept(Writer::Other, 3);
        trouble.kept(Writer::Files, 3);
        assert!(trouble.is_on() && trouble.must_wait());
        trouble.kept(Writer::Input, 4);
        assert!(!trouble.is_on() && !trouble.must_wait());
        let ended = trouble.alert().unwrap();
        assert_eq!((ended.fired_at, ended.ended_at, ended.id.as_str()), (1, Some(4), id.as_str()));
        trouble.failed(Writer::Other, 100, "full", 5);
        assert!(trouble.is_on());
        assert_ne!(trouble.alert().unwrap().id, id);
    }

    #[test]
    fn room_is_looked_for_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut trouble = Trouble::default();
        trouble.failed(Writer::Other, 100, "full", 1);
        trouble.retry_at = None;
        trouble.look(&folder.path().join("absent"), 2);
        assert!(trouble.is_on() && trouble.must_wait());
        trouble.retry_at = None;
        trouble.look(folder.path(), 3);
        assert!(!trouble.is_on());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
