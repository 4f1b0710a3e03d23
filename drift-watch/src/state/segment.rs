//! One file of the journal, read: frame after frame, each checked; where it stops, whether more was written behind.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use shared::error::Place;
use shared::{Error, Result, fsio};

use super::layout::{self, FRAME_HEADER, FrameHeader, Header, SEGMENT_HEADER};

/// The largest payload of a frame: what is read at once stays bounded.
pub(super) const MOST_PAYLOAD: usize = 64 << 20;

/// Ends the name of a segment.
const SUFFIX: &str = ".journal";

/// What a person can do about a journal that lost something in the middle.
const REMEDY: &str = "restore the state folder from a backup; or move it away and start anew, \
                      then the sources are read again from their beginning";

/// A file of the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    /// Sequence number of its first frame.
    pub(super) first: u64,
    /// Where it is.
    pub(super) path: PathBuf,
}

impl Segment {
    /// The segment of `folder` that starts with frame `first`.
    pub(super) fn new(folder: &Path, first: u64) -> Self {
        Self { first, path: folder.join(format!("{first:020}{SUFFIX}")) }
    }

    /// The segment at a path, if its name is one.
    pub(super) fn of(path: PathBuf) -> Option<Self> {
        let first = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?.parse().ok()?;
        Some(Self { first, path })
    }

    /// An error that says what is wrong at a byte of the file.
    pub(super) fn damaged(&self, offset: u64, found: &str) -> Error {
        let found = format!("byte {offset}: {found}");
        Error::input(Place::file(&self.path), found, "whole frames up to the end of the journal").with_help(REMEDY)
    }

    /// The error for a header that is not whole.
    pub(super) fn header_damaged(&self) -> Error {
        self.damaged(0, "the header of the segment is damaged")
    }
}

/// What comes next in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A frame.
    Frame,
    /// The end of the file.
    End,
    /// Bytes that are no frame, and why.
    Broken(String),
}

/// Reads the frames of a segment in order.
#[derive(Debug)]
pub(super) struct Reader {
    segment: Segment,
    file: BufReader<File>,
    length: u64,
    offset: u64,
    expected: u64,
}

impl Reader {
    /// Opens a segment; nothing, where its header is not whole.
    pub(super) fn open(segment: &Segment) -> Result<Option<Self>> {
        let file = fsio::open(&segment.path)?;
        let length = file.metadata().map_err(|source| read_failed(segment, source))?.len();
        let mut reader =
            Self { segment: segment.clone(), file: BufReader::new(file), length, offset: 0, expected: segment.first };
        reader.check_header().map(|whole| whole.then_some(reader))
    }

    fn check_header(&mut self) -> Result<bool> {
        let mut bytes = [0; SEGMENT_HEADER];
        if self.left() < SEGMENT_HEADER as u64 {
            return Ok(false);
        }
        self.fill(&mut bytes)?;
        match layout::read_segment_header(&bytes) {
            Header::Good(first) if first == self.segment.first => Ok(true),
            Header::Good(first) => {
                let found = format!("the first frame is {first}, not the one that the file is named for");
                Err(self.segment.damaged(0, &found))
            }
            Header::Other(version) => Err(other_version(&self.segment.path, version)),
            Header::Broken => Ok(false),
        }
    }

    /// Where the next frame starts, or would.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes that were not read yet.
    pub(super) fn left(&self) -> u64 {
        self.length.saturating_sub(self.offset)
    }

    /// The sequence number of the next frame.
    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    /// Reads the next frame into `payload`. After anything but a frame the place stays.
    pub(super) fn step(&mut self, payload: &mut Vec<u8>) -> Result<Step> {
        payload.clear();
        let start = self.offset;
        let step = self.attempt(payload)?;
        match step {
            Step::Frame => self.expected += 1,
            Step::End | Step::Broken(_) => self.offset = start,
        }
        Ok(step)
    }

    fn attempt(&mut self, payload: &mut Vec<u8>) -> Result<Step> {
        let left = self.left();
        if left == 0 {
            return Ok(Step::End);
        }
        let mut bytes = [0; FRAME_HEADER];
        if left < FRAME_HEADER as u64 {
            return Ok(Step::Broken(format!("{left} bytes are too few for a frame")));
        }
        self.fill(&mut bytes)?;
        let Some(header) = FrameHeader::read(&bytes) else { return Ok(Step::End) };
        if let Some(why) = self.implausible(header) {
            return Ok(Step::Broken(why));
        }
        payload.resize(header.length as usize, 0);
        self.fill(payload)?;
        Ok(match header.fits(payload) {
            true => Step::Frame,
            false => Step::Broken(format!("frame {} has another checksum than it was written with", self.expected)),
        })
    }

    /// What is wrong with a header, seen before its payload is read.
    fn implausible(&self, header: FrameHeader) -> Option<String> {
        let FrameHeader { sequence, length, .. } = header;
        if sequence != self.expected {
            return Some(format!("frame {} is not there (its place says {sequence})", self.expected));
        }
        let is_long = u64::from(length) > self.left() || length as usize > MOST_PAYLOAD;
        is_long.then(|| format!("frame {sequence} has {length} bytes by its header, and {} are there", self.left()))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.file.read_exact(bytes).map_err(|source| read_failed(&self.segment, source))?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

fn read_failed(segment: &Segment, source: io::Error) -> Error {
    Error::io(&segment.path, "read", source)
}

/// A file of a version that this daemon does not know.
pub(super) fn other_version(path: &Path, version: u32) -> Error {
    Error::input(Place::file(path), format!("a file of format version {version}"), "format version 1")
        .with_help("start a version of drift-watch that knows it, or give this one a state folder of its own")
}

/// Whether a whole frame of number `at_least` or later lies behind `offset`. A write that did not finish leaves none:
/// each frame is on disk before the next one is written.
pub(super) fn frame_behind(segment: &Segment, offset: u64, at_least: u64) -> Result<bool> {
    let mut file = fsio::open(&segment.path)?;
    let mut rest = Vec::new();
    let read = file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_to_end(&mut rest));
    read.map_err(|source| read_failed(segment, source))?;
    Ok(holds_frame(&rest, at_least))
}

fn holds_frame(bytes: &[u8], at_least: u64) -> bool {
    let most = at_least.saturating_add((bytes.len() / FRAME_HEADER) as u64);
    (0..bytes.len()).any(|offset| {
        let rest = &bytes[offset..];
        let header = FrameHeader::read(rest).filter(|header| (at_least..=most).contains(&header.sequence));
        let payload = header.and_then(|header| rest[FRAME_HEADER..].get(..header.length as usize));
        header.zip(payload).is_some_and(|(header, payload)| header.fits(payload))
    })
}
