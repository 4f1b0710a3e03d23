//! Whole files of records, row by row, in the order of their lines.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use shared::error::{Error, Place, Result};
use shared::format::live::{BadRow, CsvHeader, Fault, Kind, Parsed, is_blank, parse_csv_row, parse_json};
use shared::fsio;

/// The longest row.
const MOST_ROW_BYTES: usize = 1 << 20;

/// How the rows of a file are written.
enum Layout {
    Json,
    Csv(CsvHeader),
}

/// A file of records that is read once, from its beginning.
pub struct Rows {
    kind: Kind,
    path: PathBuf,
    input: BufReader<Box<dyn std::io::Read>>,
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
        let input: Box<dyn std::io::Read> = match path == Path::new("-") {
            true => Box::new(std::io::stdin()),
            false => Box::new(opened(path)?),
        };
        let input = BufReader::with_capacity(1 << 18, input);
        Ok(Self { kind, path: path.to_owned(), input, layout: None, zone, line: Vec::new(), number: 0 })
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
                _ => parse_json(self.kind, &self.line, self.zone.as_ref()),
            };
            take(row, self.number);
            return Ok(true);
        }
    }

    /// Reads a line; its end is taken off.
    fn fill(&mut self) -> Result<bool> {
        self.line.clear();
        let read = self.input.read_until(b'\n', &mut self.line);
        let n = read.map_err(|source| Error::io(&self.path, "read", source))?;
        self.number += 1;
        while matches!(self.line.last(), Some(b'\n' | b'\r')) {
            self.line.pop();
        }
        Ok(n > 0)
    }

    /// Tells JSON Lines from CSV by the first row; whether that row was a header.
    fn recognise(&mut self) -> Result<bool> {
        let text = self.line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.line);
        if text.trim_ascii_start().starts_with(b"{") {
            self.layout = Some(Layout::Json);
            return Ok(false);
        }
        let header = CsvHeader::parse(self.kind, &self.line).map_err(|bad| {
            let error = Error::input(Place::line(&self.path, self.number), bad.found.clone(), bad.expected.clone());
            error.with_help(
                "a file of records is JSON Lines, or CSV with a header: promotion.toml(5) and docs/formats say more",
            )
        })?;
        self.layout = Some(Layout::Csv(header));
        Ok(true)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn opened(path: &Path) -> Result<File> {
    fsio::open(path)
}
