//! Rows out of bytes: splits lines, keeps the header of a CSV, skips what is too long.

use std::io::BufRead;
use std::path::Path;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::format::live::{self, BadRow, CsvHeader, Fault, Kind, Parsed};

use super::{Line, Sink};

/// The longest row that is read.
pub const MOST_LINE_BYTES: usize = 1 << 20;

/// How much of a row that is too long is handed on.
const SHOWN_BYTES: usize = 4096;

/// How the rows of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A JSON object a line.
    Json,
    /// A header and rows.
    Csv,
    /// Not known before the first row.
    Unknown,
}

impl Format {
    /// What the name of a file says, also where it is rotated: `actuals.csv.1`.
    pub(super) fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let has = |words: &[&str]| name.split(['.', '-', '_']).skip(1).any(|part| words.contains(&part));
        match () {
            () if has(&["csv"]) => Self::Csv,
            () if has(&["jsonl", "ndjson", "json"]) => Self::Json,
            () => Self::Unknown,
        }
    }

    fn of_row(row: &[u8]) -> Self {
        let row = row.strip_prefix(b"\xef\xbb\xbf").unwrap_or(row);
        if row.trim_ascii_start().starts_with(b"{") { Self::Json } else { Self::Csv }
    }
}

/// Where reading stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// The byte after the last one that was read.
    pub offset: u64,
    /// Lines before it.
    pub lines: u64,
    /// Where the rows begin: after the header, if there is one.
    pub data_start: u64,
    /// Whether `offset` is inside a line that is too long.
    pub skipping: bool,
    /// The header of a CSV.
    pub header: Option<String>,
    /// The header before the file was truncated. A writer that keeps its file open does not write it again.
    pub earlier_header: Option<String>,
}

impl Cursor {
    /// The start of the same file after it was truncated.
    pub(super) fn of_truncated(self) -> Self {
        Self { earlier_header: self.header.or(self.earlier_header), ..Self::default() }
    }
}

/// Makes rows of bytes.
#[derive(Debug)]
pub(super) struct Rows {
    kind: Kind,
    zone: Option<TimeZone>,
    format: Format,
    header: Option<Result<CsvHeader, BadRow>>,
    /// Where reading stands.
    pub(super) cursor: Cursor,
}

impl Rows {
    pub(super) fn new(kind: Kind, zone: Option<TimeZone>, format: Format, cursor: Cursor) -> Self {
        let header = cursor.header.as_ref().map(|text| CsvHeader::parse(kind, text.as_bytes()));
        let format = if header.is_some() { Format::Csv } else { format };
        Self { kind, zone, format, header, cursor }
    }

    /// Hands on the complete lines of `bytes`, which begin at the cursor; answers how many bytes those are.
    pub(super) fn take(&mut self, bytes: &[u8], path: &Path, sink: &mut Sink<'_>) -> usize {
        let mut taken = self.skip(bytes);
        while !self.cursor.skipping
            && let Some(length) = line_length(&bytes[taken..])
        {
            self.line(&bytes[taken..taken + length - 1], path, sink);
            self.cursor.offset += length as u64;
            self.cursor.lines += 1;
            taken += length;
        }
        let rest = &bytes[taken..];
        if rest.len() <= MOST_LINE_BYTES {
            return taken;
        }
        self.hand_on(rest, Err(too_long()), path, sink);
        self.cursor.skipping = true;
        self.cursor.offset += rest.len() as u64;
        bytes.len()
    }

    /// Hands on what follows the last line break of a file that has ended.
    pub(super) fn finish(&mut self, rest: &[u8], torn: bool, path: &Path, sink: &mut Sink<'_>) {
        if !rest.is_empty() && !self.cursor.skipping {
            // An object is whole or it is not, but a number at the end of a CSV may have lost digits.
            if torn && self.format_of(rest) == Format::Csv && !live::is_blank(rest) {
                self.hand_on(rest, Err(torn_row()), path, sink);
            } else {
                self.line(rest, path, sink);
            }
        }
        self.cursor.skipping = false;
        self.cursor.offset += rest.len() as u64;
        self.cursor.data_start = self.cursor.data_start.min(self.cursor.offset);
    }

    /// How many bytes from `start` on are before the first row.
    pub(super) fn header_bytes_after(&self, start: u64) -> usize {
        let is_headless = self.format == Format::Csv && self.header.is_none();
        let end = if is_headless { self.cursor.offset } else { self.cursor.data_start };
        usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX)
    }

    /// Passes over the rest of a line that is too long.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        if !self.cursor.skipping {
            return 0;
        }
        let length = line_length(bytes);
        self.cursor.skipping = length.is_none();
        self.cursor.lines += u64::from(length.is_some());
        let skipped = length.unwrap_or(bytes.len());
        self.cursor.offset += skipped as u64;
        skipped
    }

    fn line(&mut self, row: &[u8], path: &Path, sink: &mut Sink<'_>) {
        if row.len() > MOST_LINE_BYTES {
            return self.hand_on(row, Err(too_long()), path, sink);
        }
        if live::is_blank(row) {
            return;
        }
        match self.format_of(row) {
            Format::Csv => self.csv_row(row, path, sink),
            _ => self.hand_on(row, live::parse_json(self.kind, row, self.zone.as_ref()), path, sink),
        }
    }

    fn format_of(&mut self, row: &[u8]) -> Format {
        if self.format == Format::Unknown {
            self.format = Format::of_row(row);
        }
        self.format
    }

    fn csv_row(&mut self, row: &[u8], path: &Path, sink: &mut Sink<'_>) {
        let zone = self.zone.as_ref();
        match &self.header {
            None => self.first_row(row, path, sink),
            // Programs that append to a table may write its header once more.
            Some(_) if self.cursor.header.as_ref().is_some_and(|header| header.as_bytes() == header_bytes(row)) => {}
            Some(Ok(header)) => self.hand_on(row, live::parse_csv_row(header, row, zone), path, sink),
            Some(Err(bad)) => self.hand_on(row, Err(bad.clone()), path, sink),
        }
    }

    /// The header; or a row, if the file was truncated and goes on without one.
    fn first_row(&mut self, row: &[u8], path: &Path, sink: &mut Sink<'_>) {
        let header = CsvHeader::parse(self.kind, row);
        if header.is_err()
            && let Some(text) = self.cursor.earlier_header.take()
            && let Ok(earlier) = CsvHeader::parse(self.kind, text.as_bytes())
            && live::parse_csv_row(&earlier, row, self.zone.as_ref()).is_ok()
        {
            (self.header, self.cursor.header) = (Some(Ok(earlier)), Some(text));
            return self.csv_row(row, path, sink);
        }
        if let Err(bad) = &header {
            self.hand_on(row, Err(bad.clone()), path, sink);
        }
        self.header = Some(header);
        self.cursor.header = Some(String::from_utf8_lossy(header_bytes(row)).into_owned());
        self.cursor.data_start = self.cursor.offset + row.len() as u64 + 1;
    }

    fn hand_on<'a>(&self, row: &'a [u8], parsed: Result<Parsed<'a>, BadRow>, path: &'a Path, sink: &mut Sink<'_>) {
        let is_long = matches!(&parsed, Err(bad) if bad.fault == Fault::TooLong);
        let bytes = if is_long { &row[..row.len().min(SHOWN_BYTES)] } else { row };
        sink(Line { file: path, offset: self.cursor.offset, line: Some(self.cursor.lines + 1), bytes, parsed });
    }
}

/// The length of the first line with its line break.
fn line_length(bytes: &[u8]) -> Option<usize> {
    // Reading from a slice cannot fail; this is the standard library's search with vector instructions.
    let length = (&mut &*bytes).skip_until(b'\n').unwrap_or(0);
    (length > 0 && bytes.get(length - 1) == Some(&b'\n')).then_some(length)
}

fn header_bytes(row: &[u8]) -> &[u8] {
    row.strip_prefix(b"\xef\xbb\xbf").unwrap_or(row).trim_ascii()
}

fn too_long() -> BadRow {
    BadRow::row(Fault::TooLong, "a line longer than 1 MiB", "a record a line")
}

fn torn_row() -> BadRow {
    BadRow::row(Fault::BrokenLine, "the file ended in the middle of a row", "a line break after each row")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: Format, pieces: &[&[u8]]) -> Vec<Result<String, Fault>> {
        let mut seen = Vec::new();
        let mut rows = Rows::new(Kind::Actuals, None, format, Cursor::default());
        let mut sink = |line: Line<'_>| {
            seen.push(match line.parsed {
                Ok(Parsed { record: live::Record::Actual(actual), .. }) => Ok(actual.series.into_owned()),
                Ok(_) => panic!("asked for actuals"),
                Err(bad) => Err(bad.fault),
            });
        };
        let mut waiting = Vec::new();
        for piece in pieces {
            waiting.extend_from_slice(piece);
            let taken = rows.take(&waiting, Path::new("a"), &mut sink);
            waiting.drain(..taken);
        }
        rows.finish(&waiting, true, Path::new("a"), &mut sink);
        seen
    }

    const ROW: &[u8] = b"a,2013-06-03T00:00:00Z,1,2013-06-04T00:00:00Z\n";
    const HEADER: &[u8] = b"series,target_time,y,observed_at\r\n";

    #[test]
    fn a_long_line_costs_one_row() {
        let long = vec![b'x'; MOST_LINE_BYTES + 1];
        let ok = || Ok("a".to_owned());
        let seen = read(Format::Csv, &[HEADER, ROW, &long, b"xx", b"xxx\n", ROW]);
        assert_eq!(seen, [ok(), Err(Fault::TooLong), ok()]);
    }

    #[test]
    fn a_repeated_header_and_blank_lines_are_no_rows() {
        assert_eq!(read(Format::Unknown, &[b"\n", HEADER, ROW, b"\r\n", HEADER, ROW]).len(), 2);
    }

    #[test]
    fn a_header_that_lacks_a_column_makes_every_row_bad() {
        let seen = read(Format::Csv, &[b"series,y\n", b"a,1\n"]);
        assert_eq!(seen, [Err(Fault::BadField), Err(Fault::BadField)]);
    }

    #[test]
    fn the_end_of_a_csv_may_have_lost_digits() {
        assert_eq!(read(Format::Csv, &[HEADER, &ROW[..ROW.len() - 1]]), [Err(Fault::BrokenLine)]);
        let object =
            br#"{"series":"a","target_time":"2013-06-03T00:00:00Z","y":1,"observed_at":"2013-06-04T00:00:00Z"}"#;
        assert_eq!(read(Format::Json, &[object]), [Ok("a".to_owned())]);
        assert_eq!(read(Format::Json, &[&object[..50]]), [Err(Fault::BrokenLine)]);
    }

    #[test]
    fn rows_go_on_without_a_header_after_a_truncation() {
        let earlier = Cursor { header: Some("series,target_time,y,observed_at".into()), ..Cursor::default() };
        let mut rows = Rows::new(Kind::Actuals, None, Format::Csv, earlier.of_truncated());
        let mut good = 0;
        rows.take(&[ROW, ROW].concat(), Path::new("a"), &mut |line: Line<'_>| good += u32::from(line.parsed.is_ok()));
        assert_eq!(good, 2);
    }

    #[test]
    fn names_tell_the_format() {
        assert_eq!(Format::of(Path::new("x/actuals.csv.1")), Format::Csv);
        assert_eq!(Format::of(Path::new("x/predictions.jsonl-20260101")), Format::Json);
        assert_eq!(Format::of(Path::new("x/csv")), Format::Unknown);
    }
}
