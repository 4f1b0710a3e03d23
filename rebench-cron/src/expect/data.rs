//! The data that a benchmark reads: their digest, size and newest row, in one pass over each file.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::StringRecord;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared::{Error, Place, Result, digest, fsio};

use super::{table, time};
use crate::job::ExpectKeys;

const BLOCK_BYTES: usize = 1 << 16;

/// What the data are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataState {
    /// SHA-256 over a line for each file, in the order of their names: the SHA-256 of its bytes, two spaces, its name; as `sha256sum` prints them.
    pub sha256: String,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The rows of those that are CSV.
    pub rows: u64,
    /// The newest time of the column that says it.
    pub newest: Option<Timestamp>,
}

/// Looks at the data of a job whose folder is `folder`; nothing where it does not say what its data are.
///
/// # Errors
/// If a pattern is none, a file cannot be read, or a time in it is none.
pub fn look_at_data(keys: &ExpectKeys, folder: &Path) -> Result<Option<DataState>> {
    if keys.data.is_empty() {
        return Ok(None);
    }
    let mut all = Sha256::new();
    let mut state = DataState { sha256: String::new(), files: 0, bytes: 0, rows: 0, newest: None };
    for path in files(&keys.data, folder)? {
        let found = one(&path, keys.data_time.as_deref())?;
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        all.update(format!("{}  {name}\n", found.sha256));
        state.files += 1;
        state.bytes += found.bytes;
        state.rows += found.rows;
        state.newest = state.newest.max(found.newest);
    }
    state.sha256 = digest::hex(&all.finalize());
    Ok(Some(state))
}

/// The files of the patterns, each once, by name.
fn files(patterns: &[PathBuf], folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    for pattern in patterns {
        files.extend(of_pattern(folder, pattern)?);
    }
    Ok(files)
}

fn of_pattern(folder: &Path, pattern: &Path) -> Result<Vec<PathBuf>> {
    let literal = folder.join(pattern);
    if literal.is_file() {
        return Ok(vec![literal]);
    }
    // The folder's own name may look like a pattern.
    let whole = Path::new(&glob::Pattern::escape(text(folder)?)).join(pattern);
    let matches = glob::glob(text(&whole)?).map_err(|error| no_pattern(pattern, &error))?;
    let mut files = Vec::new();
    for path in matches {
        let path = path.map_err(unreadable)?;
        if fs::metadata(&path).is_ok_and(|known| known.is_file()) {
            files.push(path);
        }
    }
    Ok(files)
}

/// Says whether a pattern can be read.
///
/// # Errors
/// If not.
pub(crate) fn check_pattern(pattern: &Path) -> Result<()> {
    glob::Pattern::new(text(pattern)?).map(drop).map_err(|error| no_pattern(pattern, &error))
}

fn text(pattern: &Path) -> Result<&str> {
    pattern.to_str().ok_or_else(|| Error::usage(format!("expect.data: {}", pattern.display()), "a pattern in UTF-8"))
}

fn no_pattern(pattern: &Path, error: &glob::PatternError) -> Error {
    let expected = "a path, or one with `*`, `?`, `[…]`, `**`";
    Error::usage(format!("expect.data {:?}: {error}", pattern.display()), expected)
}

fn unreadable(error: glob::GlobError) -> Error {
    Error::Io { path: error.path().to_owned(), action: "read", source: error.into() }
}

/// One file of the data.
struct One {
    sha256: String,
    bytes: u64,
    rows: u64,
    newest: Option<Timestamp>,
}

fn one(path: &Path, column: Option<&str>) -> Result<One> {
    let is_csv = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    let mut hashed =
        Hashed { file: BufReader::with_capacity(BLOCK_BYTES, fsio::open(path)?), hash: Sha256::new(), bytes: 0 };
    let (rows, newest) = match (is_csv, column) {
        (true, _) => rows(path, &mut hashed, column)?,
        (false, None) => (0, None),
        (false, Some(column)) => {
            let found = format!("a file that is no CSV, whose column {column:?} cannot be read");
            let error = Error::input(Place::file(path), found, "CSV");
            return Err(error.with_help("leave expect.data-time out, or name CSV files in expect.data"));
        }
    };
    io::copy(&mut hashed, &mut io::sink()).map_err(|source| Error::io(path, "read", source))?;
    Ok(One { sha256: digest::hex(&hashed.hash.finalize()), bytes: hashed.bytes, rows, newest })
}

/// A file that is hashed as it is read.
struct Hashed<R> {
    file: R,
    hash: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}

/// How many rows a table has, and the newest time of the column.
fn rows(path: &Path, file: impl Read, column: Option<&str>) -> Result<(u64, Option<Timestamp>)> {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(BLOCK_BYTES).from_reader(file);
    let at = column.map(|column| find(&table::header(&mut reader, path)?, path, column)).transpose()?;
    let (mut rows, mut newest) = (0, None);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| table::failed(path, &error))? {
        rows += 1;
        if let Some(at) = at {
            let text = record.get(at).unwrap_or_default();
            let time = time::parse(text).ok_or_else(|| no_time(table::place(path, record.position(), at), text))?;
            newest = newest.max(Some(time));
        }
    }
    Ok((rows, newest))
}

fn find(header: &StringRecord, path: &Path, column: &str) -> Result<usize> {
    header.iter().position(|name| name == column).ok_or_else(|| {
        let names: Vec<&str> = header.iter().collect();
        Error::input(Place::line(path, 1), format!("no column {column:?}"), format!("one of {}", names.join(", ")))
    })
}

fn no_time(place: Place, text: &str) -> Error {
    Error::input(place, format!("{text:?} is no time"), "a date, or a time as in RFC 3339")
}
