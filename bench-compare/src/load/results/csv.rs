//! A CSV file read block by block: its size does not matter, only that of its longest record.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::{ErrorKind, Position, ReaderBuilder, StringRecord};
use sha2::{Digest, Sha256};
use shared::error::Problem;
use shared::{Error, Place, Result, digest, fsio};

/// Bytes that are added to the block at once.
const BLOCK_BYTES: usize = 1 << 20;

/// A file of which a block is in memory.
pub(super) struct Csv {
    path: PathBuf,
    input: Box<dyn Read>,
    hasher: Sha256,
    /// Bytes that were read; the records before `start` are done with.
    bytes: Vec<u8>,
    start: usize,
    /// The line on which the byte at `start` lies.
    line: u64,
    is_end: bool,
}

impl Csv {
    /// Opens a file and reads its first block; `-` is standard input.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let input: Box<dyn Read> = match path == Path::new("-") {
            true => Box::new(io::stdin()),
            false => Box::new(fsio::open(path)?),
        };
        let (path, hasher) = (path.to_owned(), Sha256::new());
        let mut csv = Self { path, input, hasher, bytes: Vec::new(), start: 0, line: 1, is_end: false };
        csv.read_on()?;
        if csv.starts_with(b"\xef\xbb\xbf") {
            csv.start = 3;
        }
        Ok(csv)
    }

    /// Whether the file begins so.
    pub(super) fn starts_with(&self, magic: &[u8]) -> bool {
        self.bytes.starts_with(magic)
    }

    /// Drops the records that are done with, and reads the next bytes.
    fn read_on(&mut self) -> Result<()> {
        self.bytes.drain(..self.start);
        let known = self.bytes.len();
        let limit = BLOCK_BYTES.max(known); // twice as much, where a record is longer than the block
        let read = self.input.by_ref().take(limit as u64).read_to_end(&mut self.bytes);
        let read = read.map_err(|source| Error::io(&self.path, "read", source))?;
        self.hasher.update(&self.bytes[known..]);
        (self.start, self.is_end) = (0, read < limit);
        Ok(())
    }

    /// The names of the columns: the first record.
    ///
    /// # Errors
    /// If it is no text, or reading stops.
    pub(super) fn header(&mut self) -> Result<Vec<String>> {
        let mut found = None;
        loop {
            let is_last = self.is_end;
            self.records(|line, outcome| {
                found = Some(outcome.map(names).map_err(|fault| (fault, line)));
                false
            })?;
            match found {
                Some(Ok(header)) => return Ok(header),
                Some(Err((fault, line))) => {
                    return Err(Error::Input { problem: fault.at(&self.path, line), help: None });
                }
                None if is_last => return Ok(Vec::new()),
                None => {}
            }
        }
    }

    /// Visits every record of as many fields as the header has, and gives the digest of the file.
    ///
    /// # Errors
    /// If reading stops midway.
    pub(super) fn for_each(
        mut self,
        fields: usize,
        mut visit: impl FnMut(u64, &StringRecord),
        problems: &mut Vec<Problem>,
    ) -> Result<String> {
        let path = self.path.clone();
        loop {
            let is_last = self.is_end;
            self.records(|line, outcome| {
                match outcome.and_then(|record| of_length(record, fields)) {
                    Ok(record) => visit(line, record),
                    Err(fault) => problems.push(fault.at(&path, line)),
                }
                true
            })?;
            if is_last {
                return Ok(digest::hex(&self.hasher.finalize()));
            }
        }
    }

    /// Visits the records that lie in the block as a whole, until `take` has enough; then reads on.
    fn records(&mut self, mut take: impl FnMut(u64, Result<&StringRecord, Fault>) -> bool) -> Result<()> {
        let block = &self.bytes[self.start..];
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(block);
        let (mut record, mut done, mut goes_on) = (StringRecord::new(), Position::new(), true);
        while goes_on {
            let outcome = reader.read_record(&mut record);
            let is_cut = reader.position().byte() == block.len() as u64 && !self.is_end;
            if is_cut || matches!(outcome, Ok(false)) {
                break;
            }
            let line = self.line - 1 + line_of(&done, block);
            goes_on = take(line, outcome.map(|_| &record).map_err(|error| Fault::of(&error)));
            done = reader.position().clone();
        }
        self.start += usize::try_from(done.byte()).unwrap_or(block.len());
        self.line += done.line() - 1;
        if goes_on && !self.is_end { self.read_on() } else { Ok(()) }
    }
}

fn names(record: &StringRecord) -> Vec<String> {
    record.iter().map(|name| name.trim().to_owned()).collect()
}

/// The line of the record that starts there. The csv crate ends a record at its `\r`, so that the next one seems to begin on
/// the same line.
fn line_of(start: &Position, block: &[u8]) -> u64 {
    let byte = usize::try_from(start.byte()).ok().and_then(|at| block.get(at));
    start.line() + u64::from(byte == Some(&b'\n'))
}

fn of_length(record: &StringRecord, fields: usize) -> Result<&StringRecord, Fault> {
    match record.len() {
        found if found == fields => Ok(record),
        found => {
            Err(Fault { found: format!("a row of {found} fields"), expected: format!("{fields}, as in the header") })
        }
    }
}

/// Why a record is no row.
struct Fault {
    found: String,
    expected: String,
}

impl Fault {
    fn of(error: &csv::Error) -> Self {
        let (found, expected) = match error.kind() {
            ErrorKind::Utf8 { .. } => ("bytes that are not UTF-8".to_owned(), "text in UTF-8"),
            other => (format!("a row that cannot be read: {other:?}"), "a CSV row"),
        };
        Self { found, expected: expected.to_owned() }
    }

    fn at(self, path: &Path, line: u64) -> Problem {
        Problem { place: Place::line(path, line), found: self.found, expected: self.expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines and first cells of the rows of a file, and the places of its problems.
    fn read(bytes: &[u8]) -> (Vec<(u64, String)>, Vec<u64>, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.csv");
        fsio::write_atomic(&path, bytes).unwrap();
        let mut csv = Csv::open(&path).unwrap();
        let fields = csv.header().unwrap().len();
        let (mut rows, mut problems) = (Vec::new(), Vec::new());
        let visit = |line, record: &StringRecord| rows.push((line, record[0].to_owned()));
        let sha256 = csv.for_each(fields, visit, &mut problems).unwrap();
        (rows, problems.iter().filter_map(|problem| problem.place.line).collect(), sha256)
    }

    #[test]
    fn rows_on_the_borders_of_blocks_are_whole() {
        for end in ["\n", "\r\n"] {
            // Two lines a row, of nine to a hundred thousand bytes, over several blocks.
            let rows: Vec<String> = (0..70_usize).map(|row| "x".repeat(1 + row.pow(3) % 100_003)).collect();
            let lines: Vec<String> = rows.iter().map(|cell| format!("\"{cell}\n\",1{end}")).collect();
            let text = format!("\u{feff}name,score{end}{}", lines.concat());
            let (found, problems, sha256) = read(text.as_bytes());
            let expected: Vec<(u64, String)> =
                (0..).zip(&rows).map(|(n, cell)| (2 + 2 * n, format!("{cell}\n"))).collect();
            assert!(text.len() > 2 * BLOCK_BYTES && found == expected, "{} rows", found.len());
            assert_eq!((problems.len(), sha256), (0, digest::of_bytes(text.as_bytes())));
        }
    }

    #[test]
    fn a_row_may_be_longer_than_a_block_and_lack_its_line_break() {
        let long = "y".repeat(3 * BLOCK_BYTES);
        let (rows, problems, _) = read(format!("name,score\na,1\n{long},2").as_bytes());
        assert_eq!((rows.len(), rows[1].1.len(), problems.len()), (2, long.len(), 0));
    }

    #[test]
    fn bad_rows_have_their_line_in_later_blocks_too() {
        let good = "a,1\n".repeat(BLOCK_BYTES / 2);
        let (rows, problems, _) = read(&[b"name,score\n", good.as_bytes(), b"b\n", b"\xff,1\n", b"c,1\n"].concat());
        let count = (BLOCK_BYTES / 2) as u64;
        assert_eq!(problems, [count + 2, count + 3]);
        assert_eq!(rows.last(), Some(&(count + 4, "c".to_owned())));
    }
}
