//! A CSV file in blocks of fixed size, read and parsed on all cores.
//!
//! A block owns the records that start in it. Where a record starts is guessed from the first line break and checked when the
//! blocks are put in order: a block that began inside a quoted field is parsed again from where the one before it ended.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use shared::error::SHOWN_PROBLEMS;
use shared::{Error, Place, Problem, Result};

use super::csv::{Progress, Reader, Span};
use super::fields::Fields;
use super::layout::Layout;
use super::ordered;
use super::row::{Problems, Sink};
use super::source::Source;
use super::time::Kind;
use super::watch::Watch;

/// Bytes of a block. Sums are added up by block, so another size gives other last bits.
pub(super) const BLOCK_BYTES: u64 = 1 << 20;

/// Bytes read past a block for its last record, to begin with.
const TAIL_BYTES: usize = 1 << 12;

/// Bytes of a record beyond which a quote is taken for one that was never closed.
const RECORD_LIMIT: usize = 1 << 26;

/// What went wrong in the rows of all inputs.
#[derive(Debug, Default)]
pub(super) struct Findings {
    problems: Vec<Problem>,
    total: u64,
    kinds: Vec<(Kind, Place)>,
}

impl Findings {
    /// Takes the findings of a block whose first row is at `first_line` of the file.
    pub(super) fn take(&mut self, path: &Path, progress: Progress, first_line: u64) {
        for (kind, line) in progress.kinds.seen() {
            self.note(kind, Place::line(path, first_line + line));
        }
        self.take_problems(path, progress.problems, first_line);
    }

    /// Notes that a kind of time was seen.
    pub(super) fn note(&mut self, kind: Kind, place: Place) {
        if self.kinds.iter().all(|(known, _)| *known != kind) {
            self.kinds.push((kind, place));
        }
    }

    /// Takes the findings of the file that comes next.
    pub(super) fn append(&mut self, later: Self) {
        self.total += later.total;
        let room = SHOWN_PROBLEMS.saturating_sub(self.problems.len());
        self.problems.extend(later.problems.into_iter().take(room));
        later.kinds.into_iter().for_each(|(kind, place)| self.note(kind, place));
    }

    /// The kinds of time that were seen, with the lines of the first sight; `None` if a row was bad.
    pub(super) fn kinds_if_good(&self) -> Option<Vec<(Kind, u64)>> {
        let kinds = self.kinds.iter().map(|(kind, place)| (*kind, place.line.unwrap_or(1)));
        (self.total == 0).then(|| kinds.collect())
    }

    /// Takes the problems of a block whose first row is at `first_line`.
    pub(super) fn take_problems(&mut self, path: &Path, problems: Problems, first_line: u64) {
        self.total += problems.total;
        let room = SHOWN_PROBLEMS.saturating_sub(self.problems.len());
        self.problems.extend(problems.placed(path, first_line).take(room));
    }

    /// The one kind of time that was seen.
    ///
    /// # Errors
    /// If rows were bad, or kinds are mixed.
    pub(super) fn check(self) -> Result<Option<Kind>> {
        if self.total > 0 {
            return Err(Error::rows(self.problems, self.total));
        }
        match self.kinds.as_slice() {
            [] => Ok(None),
            [(kind, _)] => Ok(Some(*kind)),
            [(first, _), (second, place), ..] => {
                let found = format!("{} among rows with {}", second.name(), first.name());
                let error = Error::input(place.clone(), found, "one kind of time in all columns and files");
                Err(error.with_help("write all times with an offset, or all without"))
            }
        }
    }
}

/// A parsed block.
struct Block<S> {
    /// Where its first record was taken to start, in the file.
    start: u64,
    /// Where its last record ends.
    end: u64,
    sink: S,
    progress: Progress,
    bytes: Vec<u8>,
    /// Where in `bytes` the block itself lies.
    own: std::ops::Range<usize>,
}

/// Reads the rows of a CSV file into sinks, one for each block, and hands them over in the order of the file together with the
/// line on which their rows begin. `watch` sees the file from its first byte to its last.
///
/// # Errors
/// If the file cannot be read, or what `take` says.
pub(super) fn scan<S: Sink>(
    job: &Job<'_>,
    make: impl Fn() -> S + Sync,
    watch: &mut Watch<'_>,
    findings: &mut Findings,
    mut take: impl FnMut(S, u64, &mut Findings) -> Result<()>,
) -> Result<()> {
    let count = usize::try_from(job.source.size.div_ceil(BLOCK_BYTES)).unwrap_or(usize::MAX);
    let pool = Mutex::new(Vec::new());
    let work = |index: usize| job.block(index as u64, None, spare(&pool), make());
    let (mut expected, mut line) = (job.body, job.body_line);
    ordered::each(count, job.threads, work, |index, mut block| {
        watch.see(&block.bytes[block.own.clone()]);
        if block.start != expected {
            block = job.block(index as u64, Some(expected), block.bytes, make())?;
        }
        expected = block.end;
        let lines = block.progress.lines;
        findings.take(&job.source.path, block.progress, line);
        take(block.sink, line, findings)?;
        line += lines;
        pool.lock().unwrap_or_else(PoisonError::into_inner).push(block.bytes);
        Ok(())
    })
}

fn spare(pool: &Mutex<Vec<Vec<u8>>>) -> Vec<u8> {
    pool.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
}

/// A CSV file to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) source: &'a Source,
    pub(super) layout: &'a Layout,
    pub(super) body: u64,
    pub(super) body_line: u64,
    pub(super) threads: usize,
}

impl Job<'_> {
    /// Parses the records that start in block `index`, the first of them at `start` if that is known.
    fn block<S: Sink>(&self, index: u64, start: Option<u64>, mut bytes: Vec<u8>, mut sink: S) -> Result<Block<S>> {
        let begin = index * BLOCK_BYTES;
        let base = begin.saturating_sub(1);
        let limit = (begin + BLOCK_BYTES).min(self.source.size);
        let in_block = |offset: u64| usize::try_from(offset.saturating_sub(base)).unwrap_or(usize::MAX);
        let mut is_end = self.fill(&mut bytes, base, in_block(limit) + TAIL_BYTES)?;
        let guess = if index == 0 { self.body } else { first_record(&bytes, base) };
        let start = start.unwrap_or(guess);
        let mut progress = Progress::default();
        let mut span = Span { start: in_block(start), limit: in_block(limit) };
        loop {
            let stop = Reader::new(Fields::new(&bytes, is_end), self.layout, base).read(span, &mut sink, &mut progress);
            span.start = stop.at;
            if !stop.is_incomplete {
                break;
            }
            self.check_length(&bytes, span, index, &progress)?;
            let longer = bytes.len() * 2;
            is_end = self.fill(&mut bytes, base, longer)?;
        }
        let own = in_block(begin)..in_block(limit);
        Ok(Block { start, end: (base + span.start as u64).max(start), sink, progress, bytes, own })
    }

    /// Fills `bytes` with up to `length` bytes from `base` on; says whether the file ends there.
    fn fill(&self, bytes: &mut Vec<u8>, base: u64, length: usize) -> Result<bool> {
        bytes.resize(length, 0);
        let filled = self.source.read_at(bytes, base)?;
        bytes.truncate(filled);
        Ok(filled < length || base + filled as u64 >= self.source.size)
    }

    fn check_length(&self, bytes: &[u8], span: Span, index: u64, progress: &Progress) -> Result<()> {
        if bytes.len() - span.start < RECORD_LIMIT {
            return Ok(());
        }
        let place = match index {
            0 => Place::line(&self.source.path, self.body_line + progress.lines),
            _ => Place::file(&self.source.path),
        };
        Err(Error::input(place, format!("a row of more than {RECORD_LIMIT} bytes"), "a quote that is closed"))
    }
}

/// The place after the first line break, in the file: a record starts there, unless a quoted field spans the break.
fn first_record(bytes: &[u8], base: u64) -> u64 {
    let length = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |found| found + 1);
    base + length as u64
}
