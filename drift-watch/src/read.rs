//! Whole files of records, row by row, in the order of their lines; compressed ones (gzip) as they are.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use jiff::tz::TimeZone;
use shared::error::{Error, Place, Result};
use shared::format::live::{BadRow, CsvHeader, Fault, Kind, Parsed, is_blank, parse_csv_row, parse_json};
use shared::fsio;

/// The longest row.
const MOST_ROW_BYTES: usize = 1 << 20;

/// What a gzip file begins with (RFC 1952).
const GZIP: &[u8] = b"\x1f\x8b";

/// What some programs write at the start of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes that are read at once.
const BUFFER: usize = 1 << 18;

/// How the rows of a file are written.
enum Layout {
    Json,
    Csv(CsvHeader),
}

/// A file of records that is read once, from its beginning.
pub struct Rows {
    /// What its records are; of either kind where this is absent.
    kind: Option<Kind>,
    path: PathBuf,
    input: BufReader<Box<dyn Read + Send>>,
    compressed: bool,
    layout: Option<Layout>,
    zone: Option<TimeZone>,
    line: Vec<u8>,
    number: u64,
}

impl Rows {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(kind: Kind, path: &Path, zone: Option<TimeZone>) -> Result<Self> {
        Self::open_as(Some(kind), path, zone)
    }

    /// Opens a file whose rows may be of both kinds.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open_either(path: &Path, zone: Option<TimeZone>) -> Result<Self> {
        Self::open_as(None, path, zone)
    }

    fn open_as(kind: Option<Kind>, path: &Path, zone: Option<TimeZone>) -> Result<Self> {
        let bytes: Box<dyn Read + Send> = match path == Path::new("-") {
            true => Box::new(io::stdin()),
            false => Box::new(fsio::open(path)?),
        };
        let mut bytes = BufReader::with_capacity(BUFFER, bytes);
        let compressed = bytes.fill_buf().map_err(|source| Error::io(path, "read", source))?.starts_with(GZIP);
        let input: Box<dyn Read + Send> = match compressed {
            true => Box::new(MultiGzDecoder::new(bytes)),
            false => Box::new(bytes),
        };
        let input = BufReader::with_capacity(BUFFER, input);
        Ok(Self { kind, path: path.to_owned(), input, compressed, layout: None, zone, line: Vec::new(), number: 0 })
    }

    /// Gives the next row to `take`, or says that there is none.
    ///
    /// # Errors
    /// If the file cannot be read, or its header is not one of such records.
    pub fn next(&mut self, take: impl FnOnce(std::result::Result<Parsed<'_>, BadRow>, u64)) -> Result<bool> {
        loop {
            if !self.fill()? {
                return Ok(false);
            }
            if is_blank(&self.line) {
                continue;
            }
            if self.layout.is_none() && self.recognise()? {
                continue;
            }
            let row = match &self.layout {
                _ if self.line.len() > MOST_ROW_BYTES => {
                    Err(BadRow::row(Fault::TooLong, "a row of more than 1 MiB", "one record a row"))
                }
                Some(Layout::Csv(header)) => parse_csv_row(header, &self.line, self.zone.as_ref()),
                _ => json(self.kind, &self.line, self.zone.as_ref()),
            };
            take(row, self.number);
            return Ok(true);
        }
    }

    /// Reads a line; its end is taken off, and of one that is too long what is beyond the limit.
    fn fill(&mut self) -> Result<bool> {
        self.line.clear();
        let most = MOST_ROW_BYTES + 2;
        let read = (&mut self.input).take(most as u64).read_until(b'\n', &mut self.line);
        let mut outcome = read.map(|n| n > 0);
        if self.line.len() == most && self.line.last() != Some(&b'\n') {
            outcome = skip_row(&mut self.input).map(|()| true);
        }
        self.number += 1;
        while matches!(self.line.last(), Some(b'\n' | b'\r')) {
            self.line.pop();
        }
        if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        outcome.map_err(|source| self.failed(source))
    }

    /// A compressed file that ends too early is a bad file; what else goes wrong may go well next time.
    fn failed(&self, source: io::Error) -> Error {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        match source.kind() {
            UnexpectedEof | InvalidData | InvalidInput if self.compressed => {
                let found = format!("the compressed file is truncated or damaged: {source}");
                Error::input(Place::line(&self.path, self.number), found, "a whole gzip file")
                    .with_help("`gzip -t` says whether it is whole; copy it again")
            }
            _ => Error::io(&self.path, "read", source),
        }
    }

    /// Tells JSON Lines from CSV by the first row; whether that row was a header.
    fn recognise(&mut self) -> Result<bool> {
        if self.line.trim_ascii_start().starts_with(b"{") {
            self.layout = Some(Layout::Json);
            return Ok(false);
        }
        let header = CsvHeader::parse(self.kind.unwrap_or_else(|| kind_of(&self.line)), &self.line).map_err(|bad| {
            let column = bad.column.as_ref().map(|column| format!("column {column:?}: ")).unwrap_or_default();
            let found = format!("{column}{}", bad.found);
            let error = Error::input(Place::line(&self.path, self.number), found, bad.expected.clone());
            error.with_help(
                "a file of records is JSON Lines, or CSV with a header: promotion.toml(5) and docs/formats say more",
            )
        })?;
        self.layout = Some(Layout::Csv(header));
        Ok(true)
    }

    /// Whether the next row must be waited for, as far as is known.
    pub fn is_drained(&self) -> bool {
        self.path == Path::new("-") && self.input.buffer().is_empty()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A row of JSON; of either kind, what its text hints at is tried first, and its fault is told if it is neither.
fn json<'a>(kind: Option<Kind>, line: &'a [u8], zone: Option<&TimeZone>) -> std::result::Result<Parsed<'a>, BadRow> {
    let first = kind.unwrap_or_else(|| kind_of(line));
    let second = if first == Kind::Predictions { Kind::Actuals } else { Kind::Predictions };
    parse_json(first, line, zone).or_else(|bad| match kind {
        None => parse_json(second, line, zone).map_err(|_| bad),
        Some(_) => Err(bad),
    })
}

/// A row, or a header, that speaks of a forecast seems to be of predictions.
fn kind_of(line: &[u8]) -> Kind {
    if line.windows(5).any(|word| word == b"y_hat") { Kind::Predictions } else { Kind::Actuals }
}

/// Reads on to the end of a row.
fn skip_row(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let bytes = input.fill_buf()?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let n = end.map_or(bytes.len(), |end| end + 1);
        input.consume(n);
        if end.is_some() || n == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::format::live::Record;

    use super::*;

    const PREDICTION: &str = r#"{"model":"m","version":"1","series":"a","issued_at":"2024-01-01T00:00:00Z","target_time":"2024-01-02T00:00:00Z","horizon":1,"y_hat":5.5}"#;
    const ACTUAL: &str =
        r#"{"series":"y_hat","target_time":"2024-01-02T00:00:00Z","y":5,"observed_at":"2024-01-03T00:00:00Z"}"#;

    fn seen(text: &str) -> Vec<char> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("records");
        fsio::write_atomic(&path, text.as_bytes()).unwrap();
        let (mut rows, mut seen) = (Rows::open_either(&path, None).unwrap(), Vec::new());
        let told = |row: std::result::Result<Parsed<'_>, BadRow>| match row {
            Ok(Parsed { record: Record::Prediction(_), .. }) => 'p',
            Ok(Parsed { record: Record::Actual(_), .. }) => 'a',
            Err(_) => '!',
        };
        while rows.next(|row, _| seen.push(told(row))).unwrap() {}
        seen
    }

    #[test]
    fn both_kinds_may_stand_in_one_file() {
        assert_eq!(seen(&format!("{PREDICTION}\n\n{ACTUAL}\n{{\n")), ['p', 'a', '!']);
        let csv = "series,target_time,y,observed_at\na,2024-01-02T00:00:00Z,1,2024-01-03T00:00:00Z\n";
        assert_eq!(seen(csv), ['a']);
    }

    #[test]
    fn a_row_without_an_end_costs_one_row_and_no_memory() {
        assert_eq!(seen(&format!("{ACTUAL}\n{}\n{ACTUAL}\n", "x".repeat(3 << 20))), ['a', '!', 'a']);
    }
}
