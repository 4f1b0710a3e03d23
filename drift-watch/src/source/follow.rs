//! One file that is followed: reads what was appended, sees that it was truncated or replaced, lets it go when it is done.

use std::io;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use shared::error::Problem;
use shared::format::live::Kind;

use super::body::Body;
use super::discover::{self, Found, Stamp};
use super::identify;
use super::mark::{Fingerprint, Marks};
use super::position::{FilePosition, Identity};
use super::rows::{Cursor, Format, Rows};
use super::{MOST_LINE_BYTES, Sink};

/// How much is read at once.
const CHUNK_BYTES: usize = 1 << 18;

/// Polls in which a rotated file stays as it is before it is taken for done.
const IDLE_POLLS: u32 = 2;

/// What reading a file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All complete lines are read.
    AtEnd,
    /// There is more than the budget.
    More,
    /// It is not the file that was read before: it starts anew.
    Replaced,
}

#[derive(Debug)]
struct Open {
    body: Body,
    marks: Marks,
    /// Whether it was compared with all files that were read before.
    compared: bool,
}

/// A file.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    /// Whether nobody appends to it for long.
    pub(super) rotated: bool,
    /// Whether it cannot be found any more, so that only the open file leads to it.
    pub(super) orphaned: bool,
    /// Polls since it grew.
    pub(super) idle_polls: u32,
    rows: Rows,
    print: Fingerprint,
    open: Option<Open>,
    /// As it was when it was last read to its end.
    at_end: Option<Stamp>,
    last_size: u64,
    /// As it was when reading it failed, and why; it is not tried again before it changes.
    failed: Option<(Stamp, Problem)>,
}

/// What files of a tailer have in common.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) kind: Kind,
    pub(super) zone: Option<TimeZone>,
}

impl Settings {
    fn rows(&self, path: &Path, cursor: Cursor) -> Rows {
        Rows::new(self.kind, self.zone.clone(), Format::of(path), cursor)
    }
}

impl Followed {
    /// A file of which nothing is known.
    pub(super) fn new(path: PathBuf, identity: Identity, settings: &Settings) -> Self {
        let rotated = discover::is_rotated(&path);
        let rows = settings.rows(&path, Cursor::default());
        let (print, idle_polls) = (Fingerprint::default(), 0);
        Self {
            path,
            identity,
            rotated,
            orphaned: false,
            idle_polls,
            rows,
            print,
            open: None,
            at_end: None,
            last_size: 0,
            failed: None,
        }
    }

    /// A file as it was saved. What has no rows is read from its start again; its header is remembered.
    pub(super) fn restored(position: FilePosition, settings: &Settings) -> Self {
        let mut file = Self::new(PathBuf::from(&position.path), position.identity, settings);
        let has_rows = position.has_rows();
        let cursor = if has_rows { position.cursor } else { position.cursor.of_truncated() };
        file.print = if has_rows { position.print } else { Fingerprint::default() };
        file.rows = settings.rows(&file.path, cursor);
        file
    }

    pub(super) fn position(&self) -> FilePosition {
        let path = self.path.to_string_lossy().into_owned();
        let print = self.open.as_ref().map_or(self.print, |open| open.marks.print());
        FilePosition { path, identity: self.identity, print, cursor: self.rows.cursor.clone() }
    }

    /// The header of a CSV, or the one that it had before.
    pub(super) fn header(&self) -> Option<&str> {
        self.rows.cursor.header.as_deref().or(self.rows.cursor.earlier_header.as_deref())
    }

    /// Whether it may turn out that a header is missing.
    pub(super) fn lacks_header(&self) -> bool {
        self.rows.cursor.offset == 0 && self.rows.cursor.earlier_header.is_none()
    }

    /// A header to use if the file has none.
    pub(super) fn offer_header(&mut self, header: String) {
        self.rows.cursor.earlier_header = Some(header);
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Bytes that are there and not read, of a plain file.
    pub(super) fn backlog_bytes(&self) -> u64 {
        let plain = self.open.as_ref().is_some_and(|open| !open.body.is_compressed());
        if plain { self.last_size.saturating_sub(self.rows.cursor.offset) } else { 0 }
    }

    /// Takes over what the folder says of the file. `replaced` says whether another file is now where this one was.
    pub(super) fn moved_to(&mut self, found: &Found, replaced: bool) {
        if self.path != found.path {
            self.rotated = replaced || discover::is_rotated(&found.path);
            self.path.clone_from(&found.path);
        }
        self.orphaned = false;
    }

    /// Whether it must be read: always while it is open, since only reading shows that it was replaced.
    pub(super) fn needs_reading(&self, now: Option<Stamp>) -> bool {
        self.problem(now).is_none() && (self.open.is_some() || now != self.at_end)
    }

    /// Opens the file, if it is not. `Replaced`: another file has its number.
    pub(super) fn open(&mut self) -> io::Result<Outcome> {
        if self.open.is_some() {
            return Ok(Outcome::AtEnd);
        }
        let mut body = Body::open(&self.path)?;
        if Identity::of(&body.metadata()?) != self.identity {
            return Ok(Outcome::More); // It was rotated since the folder was listed; the next poll knows better.
        }
        let position = self.position();
        if !position.has_rows() {
            self.open = Some(Open { body, marks: Marks::default(), compared: false });
            return Ok(Outcome::AtEnd);
        }
        let marks = identify::is_same(&mut body, &position)?;
        let outcome = if marks.is_some() { Outcome::AtEnd } else { Outcome::Replaced };
        self.open = marks.map(|marks| Open { body, marks, compared: true });
        Ok(outcome)
    }

    /// Starts anew, as its content is another one.
    pub(super) fn restart(&mut self, settings: &Settings) {
        let cursor = self.rows.cursor.clone().of_truncated();
        self.rows = settings.rows(&self.path, cursor);
        self.print = Fingerprint::default();
        (self.at_end, self.idle_polls) = (None, 0);
        self.rotated = discover::is_rotated(&self.path);
        if let Some(open) = &mut self.open {
            (open.marks, open.compared) = (Marks::default(), false);
        }
    }

    /// Whether it should be compared with what was read before: it has content, and none of it is read.
    pub(super) fn is_unknown(&self) -> bool {
        self.rows.cursor.offset == 0
            && self
                .open
                .as_ref()
                .is_some_and(|open| !open.compared && open.body.metadata().is_ok_and(|known| known.len() > 0))
    }

    /// Goes on where a file ended whose rows this one begins with.
    pub(super) fn compare(&mut self, known: &[FilePosition], settings: &Settings) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.compared = true;
        for position in known {
            if let Some(marks) = identify::is_copy(&mut open.body, position)? {
                open.marks = marks;
                self.rows = settings.rows(&self.path, position.cursor.clone());
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads complete lines until the end or the budget is reached.
    pub(super) fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        budget: &mut usize,
        sink: &mut Sink<'_>,
    ) -> io::Result<Outcome> {
        let Some(open) = &mut self.open else { return Ok(Outcome::AtEnd) };
        let before = open.body.metadata()?;
        let mut wanted = CHUNK_BYTES.min((*budget).max(1));
        loop {
            let Some(chunk) = open.chunk(&self.rows.cursor, buffer, wanted)? else { return Ok(Outcome::Replaced) };
            let start = self.rows.cursor.offset;
            let taken = self.rows.take(chunk, &self.path, sink);
            open.marks.add(&chunk[..taken], self.rows.header_bytes_after(start));
            *budget = budget.saturating_sub(taken);
            self.idle_polls = if taken > 0 { 0 } else { self.idle_polls };
            if chunk.len() < wanted {
                open.body.take_damage()?;
                self.ended(&before);
                return Ok(Outcome::AtEnd);
            }
            if taken > 0 && *budget == 0 {
                self.at_end = None;
                return Ok(Outcome::More);
            }
            // A line longer than the chunk needs a larger one.
            wanted = if taken > 0 { CHUNK_BYTES.min(*budget) } else { (wanted * 2).min(MOST_LINE_BYTES + CHUNK_BYTES) };
        }
    }

    fn ended(&mut self, before: &std::fs::Metadata) {
        let stamp = Stamp::of(before);
        self.idle_polls = if self.last_size == stamp.size { self.idle_polls.saturating_add(1) } else { 0 };
        (self.at_end, self.last_size, self.failed) = (Some(stamp), stamp.size, None);
    }

    /// Notes that reading failed.
    pub(super) fn failed(&mut self, now: Option<Stamp>, problem: Problem) {
        self.failed = now.map(|now| (now, problem));
        self.close();
    }

    /// Why it could not be read, if it is as it was then.
    pub(super) fn problem(&self, now: Option<Stamp>) -> Option<&Problem> {
        self.failed.as_ref().filter(|(then, _)| Some(*then) == now).map(|(_, problem)| problem)
    }

    /// Whether it is rotated or gone, and nothing was appended lately.
    pub(super) fn is_done(&self) -> bool {
        (self.rotated || self.orphaned) && self.is_open() && self.idle_polls >= IDLE_POLLS
    }

    /// Hands on what stands after the last line break.
    pub(super) fn finish(&mut self, torn: bool, sink: &mut Sink<'_>) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let mut rest = vec![0; MOST_LINE_BYTES];
        let start = self.rows.cursor.offset;
        let length = open.body.read_at(&mut rest, start)?;
        self.rows.finish(&rest[..length], torn, &self.path, sink);
        open.marks.add(&rest[..length], self.rows.header_bytes_after(start));
        Ok(())
    }

    /// Closes it; it is known again by its fingerprint.
    pub(super) fn close(&mut self) {
        self.print = self.position().print;
        self.open = None;
    }
}

impl Open {
    /// The bytes at the cursor, or `None` if those before it are not the ones that were read.
    fn chunk<'b>(&mut self, cursor: &Cursor, buffer: &'b mut Vec<u8>, wanted: usize) -> io::Result<Option<&'b [u8]>> {
        let tail = self.marks.tail.len();
        if buffer.len() < tail + wanted {
            buffer.resize(tail + wanted, 0);
        }
        // One call reads both, so that no truncation comes between them.
        let window = &mut buffer[..tail + wanted];
        let length = self.body.read_at(window, cursor.offset.saturating_sub(tail as u64))?;
        let is_tail = length >= tail && window[..tail] == self.marks.tail;
        let is_same = is_tail && self.has_head(cursor)?;
        Ok(is_same.then(|| &buffer[tail..length]))
    }

    fn has_head(&mut self, cursor: &Cursor) -> io::Result<bool> {
        if self.body.is_compressed() {
            return Ok(true);
        }
        let mut head = vec![0; self.marks.head.len()];
        let length = self.body.read_at(&mut head, cursor.data_start)?;
        Ok(length == head.len() && head == self.marks.head)
    }
}
