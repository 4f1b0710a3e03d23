//! An append-only journal of opaque frames in numbered segments; what [`Journal::append`] has returned survives a crash.
//!
//! A frame is on disk before the next one is written. So a crash leaves at most one unfinished frame, at the end of the
//! last segment: that one is cut off on opening, and said. Any other damage is an error, never skipped.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::{Error, Result, fsio};

use super::disk::{Disk, DiskFile, System};
use super::layout::{self, FRAME_HEADER, FrameHeader};
use super::segment::{self, MOST_PAYLOAD, Reader, Segment, Step};

/// A segment that has reached this size is followed by a new one.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// How a journal is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// A segment that has reached this size is followed by a new one.
    pub segment_bytes: u64,
    /// Where files are made.
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_bytes: SEGMENT_BYTES, disk: Arc::new(System) }
    }
}

/// What was found on opening.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Sequence number of the oldest frame that is kept; that of the next one if there is none.
    pub first: u64,
    /// Sequence number that the next frame gets.
    pub next: u64,
    /// What was cut off or removed, one sentence each.
    pub repairs: Vec<String>,
}

/// The journal in one folder.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    options: Options,
    /// Ascending, without gaps; the last one is written.
    segments: VecDeque<Segment>,
    /// The end of the last segment; a new one is made where there is none.
    end: Option<End>,
    next: u64,
}

impl Journal {
    /// Opens the journal of a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If a frame is damaged that is not the unfinished end of the last segment (with file and byte), if a segment is of an
    /// unknown version, [`Error::Io`].
    pub fn open(folder: &Path, options: Options) -> Result<(Self, Recovered)> {
        fsio::create_folder(folder)?;
        let segments = list(folder)?;
        let mut journal = Self { folder: folder.to_owned(), options, segments, end: None, next: 1 };
        let mut repairs = Vec::new();
        let unfinished = journal.take_unfinished()?;
        if let Some(last) = journal.segments.back().cloned() {
            journal.recover(&last, unfinished.as_ref(), &mut repairs)?;
        }
        if let Some(segment) = unfinished {
            journal.remove(&segment.path)?;
            journal.next = segment.first;
            repairs.push(format!("{}: removed, it was begun and holds no frame", segment.path.display()));
        }
        let recovered = Recovered { first: journal.first(), next: journal.next, repairs };
        Ok((journal, recovered))
    }

    /// Sequence number of the oldest frame that is kept; that of the next one if there is none.
    pub fn first(&self) -> u64 {
        self.segments.front().map_or(self.next, |segment| segment.first)
    }

    /// Sequence number that the next frame gets.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Appends a frame and waits until it is on disk; returns its sequence number. After an error the frame does not
    /// count, and the same call may be tried again: what is left of it is cut off first.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Usage`] if the payload is larger than 64 MiB.
    pub fn append(&mut self, payload: &[u8]) -> Result<u64> {
        let header = FrameHeader::new(self.next, length(payload)?, payload);
        let full = self.options.segment_bytes;
        let mut end = match self.end.take().filter(|end| end.length < full) {
            Some(end) => end,
            None => self.create_segment()?,
        };
        let outcome = end.append(header, payload);
        self.end = Some(end);
        outcome.map_err(|source| self.failed("append to the journal", source))?;
        self.next += 1;
        Ok(header.sequence)
    }

    /// The frames from number `from` on, up to the last one of this moment. They must be read before segments are removed.
    ///
    /// # Errors
    /// If frames are asked for that are not kept any more.
    pub fn frames(&self, from: u64) -> Result<Frames> {
        if from < self.first() {
            let found = format!("{}: the journal starts with frame {}", self.folder.display(), self.first());
            return Err(Error::incomparable(found, format!("frame {from}")));
        }
        let ended_before = |index: usize| self.segments.get(index + 1).is_some_and(|next| next.first <= from);
        let skipped = (0..self.segments.len()).take_while(|index| ended_before(*index)).count();
        let segments = self.segments.iter().skip(skipped).cloned().collect();
        Ok(Frames { segments, reader: None, from, until: self.next, failed: false })
    }

    /// Removes the segments all of whose frames come before number `sequence`, oldest first. The last segment stays.
    ///
    /// # Errors
    /// [`Error::Io`]; what was removed stays removed.
    pub fn remove_before(&mut self, sequence: u64) -> Result<()> {
        while self.segments.get(1).is_some_and(|second| second.first <= sequence) {
            self.remove_oldest()?;
        }
        Ok(())
    }

    /// Removes everything and goes on with number `next`: for a journal that ends before the state that a snapshot holds.
    ///
    /// # Errors
    /// [`Error::Io`]; what was removed stays removed.
    pub fn skip_to(&mut self, next: u64) -> Result<()> {
        self.end = None;
        while !self.segments.is_empty() {
            self.remove_oldest()?;
        }
        self.next = next;
        Ok(())
    }

    /// Each removal is made to last before the next one: a power cut leaves no gap.
    fn remove_oldest(&mut self) -> Result<()> {
        let Some(oldest) = self.segments.front() else { return Ok(()) };
        self.remove(&oldest.path)?;
        self.segments.pop_front();
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let removed = match self.options.disk.remove(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        };
        let removed = removed.and_then(|()| self.options.disk.sync_folder(&self.folder));
        removed.map_err(|source| Error::io(path, "remove", source))
    }

    /// A new last segment. An unfinished one of the same name holds no frame, and is overwritten.
    fn create_segment(&mut self) -> Result<End> {
        let segment = Segment::new(&self.folder, self.next);
        let header = layout::segment_header(self.next);
        let create = || {
            let file = self.options.disk.create(&segment.path)?;
            file.write_at(&header, 0)?;
            file.sync()?;
            self.options.disk.sync_folder(&self.folder)?;
            Ok(End { file, length: header.len() as u64, unclean: false })
        };
        let end = create().map_err(|source| Error::io(&segment.path, "create a segment of the journal", source))?;
        self.segments.push_back(segment);
        Ok(end)
    }

    /// A last segment that a crash left without a whole header, taken off the list.
    fn take_unfinished(&mut self) -> Result<Option<Segment>> {
        let Some(last) = self.segments.back() else { return Ok(None) };
        if Reader::open(last)?.is_some() {
            return Ok(None);
        }
        match segment::frame_behind(last, 0, last.first)? {
            true => Err(last.header_damaged()),
            false => Ok(self.segments.pop_back()),
        }
    }

    /// Finds the end of the last segment, and cuts off a frame that was not finished. A segment that was followed by a
    /// `later` one was complete.
    fn recover(&mut self, last: &Segment, later: Option<&Segment>, repairs: &mut Vec<String>) -> Result<()> {
        let mut reader = Reader::open(last)?.ok_or_else(|| last.header_damaged())?;
        let broken = last_step(&mut reader)?;
        let (offset, next) = (reader.offset(), reader.expected());
        if later.is_some_and(|later| later.first != next) {
            return Err(last.damaged(offset, &format!("frame {next} and those up to the next segment are not there")));
        }
        let file = self.options.disk.open(&last.path).map_err(|source| Error::io(&last.path, "open", source))?;
        let mut end = End { file, length: offset, unclean: broken.is_some() };
        if let Some(why) = broken {
            if later.is_some() || segment::frame_behind(last, offset, next + 1)? {
                return Err(last.damaged(offset, &why));
            }
            end.clean().map_err(|source| Error::io(&last.path, "cut off the unfinished end", source))?;
            repairs.push(format!(
                "{}: {} bytes cut off at byte {offset}, what was written last is not whole: {why}",
                last.path.display(),
                reader.left()
            ));
        }
        (self.end, self.next) = (Some(end), next);
        Ok(())
    }

    fn failed(&self, action: &'static str, source: io::Error) -> Error {
        let path = self.segments.back().map_or(&self.folder, |segment| &segment.path);
        Error::io(path, action, source)
    }
}

/// Reads up to the end; returns why the rest is no frame, if there is a rest.
fn last_step(reader: &mut Reader) -> Result<Option<String>> {
    let mut payload = Vec::new();
    loop {
        match reader.step(&mut payload)? {
            Step::Frame => {}
            Step::End => return Ok(None),
            Step::Broken(why) => return Ok(Some(why)),
        }
    }
}

fn length(payload: &[u8]) -> Result<u32> {
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= MOST_PAYLOAD);
    length.ok_or_else(|| {
        Error::usage(format!("a batch of {} bytes", payload.len()), format!("at most {MOST_PAYLOAD} bytes"))
            .with_help("split it")
    })
}

fn list(folder: &Path) -> Result<VecDeque<Segment>> {
    let failed = |source| Error::io(folder, "list the folder", source);
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        segments.extend(Segment::of(entry.map_err(failed)?.path()));
    }
    segments.sort();
    Ok(segments.into())
}

/// The end of the last segment.
#[derive(Debug)]
struct End {
    file: Box<dyn DiskFile>,
    /// Where the last frame that counts ends.
    length: u64,
    /// Whether something else may lie behind it.
    unclean: bool,
}

impl End {
    fn append(&mut self, header: FrameHeader, payload: &[u8]) -> io::Result<()> {
        self.clean()?;
        self.unclean = true;
        self.file.write_at(&header.to_bytes(), self.length)?;
        self.file.write_at(payload, self.length + FRAME_HEADER as u64)?;
        self.file.sync()?;
        self.length += (FRAME_HEADER + payload.len()) as u64;
        self.unclean = false;
        Ok(())
    }

    /// After a failed write or sync nothing is known of the bytes behind the last good frame: they go, for certain,
    /// before anything else is written there.
    fn clean(&mut self) -> io::Result<()> {
        if self.unclean {
            self.file.truncate(self.length)?;
            self.file.sync()?;
            self.unclean = false;
        }
        Ok(())
    }
}

/// Frames in order: sequence number and payload. Ends after the first error.
#[derive(Debug)]
pub struct Frames {
    segments: VecDeque<Segment>,
    reader: Option<(Segment, Reader)>,
    from: u64,
    until: u64,
    failed: bool,
}

impl Iterator for Frames {
    type Item = Result<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.advance().transpose();
        self.failed = matches!(item, None | Some(Err(_)));
        item
    }
}

impl Frames {
    fn advance(&mut self) -> Result<Option<(u64, Vec<u8>)>> {
        let mut payload = Vec::new();
        while self.from < self.until {
            let (segment, mut reader) = match self.reader.take() {
                Some(open) => open,
                None => self.open_next()?,
            };
            let (sequence, offset) = (reader.expected(), reader.offset());
            match reader.step(&mut payload)? {
                Step::Frame => self.reader = Some((segment, reader)),
                Step::End => self.check_follower(&segment, sequence, offset)?,
                Step::Broken(why) => return Err(segment.damaged(offset, &why)),
            }
            if self.reader.is_some() && sequence == self.from {
                self.from += 1;
                return Ok(Some((sequence, payload)));
            }
        }
        Ok(None)
    }

    fn open_next(&mut self) -> Result<(Segment, Reader)> {
        let Some(segment) = self.segments.pop_front() else {
            let what = format!("the journal ends before frame {}, which was there when it was opened", self.from);
            return Err(Error::Environment { what, help: None });
        };
        let reader = Reader::open(&segment)?;
        let reader = reader.ok_or_else(|| segment.header_damaged())?;
        Ok((segment, reader))
    }

    /// The next segment must start with the frame that this one would have held next.
    fn check_follower(&self, segment: &Segment, next: u64, offset: u64) -> Result<()> {
        match self.segments.front() {
            Some(follower) if follower.first == next => Ok(()),
            Some(follower) => {
                let found =
                    format!("the file ends before frame {next}, and the next segment starts with {}", follower.first);
                Err(segment.damaged(offset, &found))
            }
            None => Err(segment.damaged(offset, &format!("the file ends before frame {next}"))),
        }
    }
}
