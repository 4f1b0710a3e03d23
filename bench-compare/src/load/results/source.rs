//! The rows of a result file, whatever it is written in: CSV, JSON Lines, a JSON array of records, Parquet.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde_json::{Map, Value};
use shared::error::Problem;
use shared::{Error, Place, Result, fsio};

use super::csv::Csv;

/// What pandas reads as a missing value; a score written so is a failed result.
const MISSING: [&str; 17] = [
    "", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "-NaN", "-nan", "#N/A N/A",
    "1.#IND", "1.#QNAN",
];

/// A file with its header read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) header: Vec<String>,
    body: Body,
}

enum Body {
    Csv(Csv),
    Records { rows: Vec<Record>, sha256: String },
}

/// A row that is held in memory: its place, and one cell for each column of the header.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) cells: Vec<Option<String>>,
}

/// One row while it is being visited.
pub(super) struct Row<'a> {
    pub(super) line: u64,
    cells: Cells<'a>,
}

enum Cells<'a> {
    Csv(&'a StringRecord),
    Held(&'a [Option<String>]),
}

impl Row<'_> {
    /// The text of a cell as it is written; `None` where the file has none.
    pub(super) fn raw(&self, column: usize) -> Option<&str> {
        match self.cells {
            Cells::Csv(record) => record.get(column).map(str::trim),
            Cells::Held(cells) => cells.get(column)?.as_deref(),
        }
    }

    /// The text of a cell; `None` where it stands for a missing value.
    pub(super) fn get(&self, column: usize) -> Option<&str> {
        self.raw(column).filter(|text| !is_missing(text))
    }
}

/// Whether a text stands for a missing value. Most cells are numbers, which their first digit tells.
pub(super) fn is_missing(text: &str) -> bool {
    !matches!(text.as_bytes().first(), Some(b'0' | b'2'..=b'9')) && MISSING.contains(&text)
}

/// Opens `path` by the ending of its name; anything but Parquet and JSON is CSV.
///
/// # Errors
/// If it cannot be read, or has no header.
pub(super) fn open(path: &Path) -> Result<Source> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let (header, body) = match ending.as_str() {
        "parquet" | "pq" => held(super::parquet::records(path)?, &fsio::read(path)?),
        "json" | "jsonl" | "ndjson" => {
            let bytes = fsio::read(path)?;
            held(json_records(path, &bytes)?, &bytes)
        }
        _ => match Csv::open(path)? {
            csv if csv.starts_with(b"PAR1") => held(super::parquet::records(path)?, &fsio::read(path)?),
            mut csv => (csv.header()?, Body::Csv(csv)),
        },
    };
    check_header(path, &header)?;
    Ok(Source { path: path.to_owned(), header, body })
}

fn held((header, rows): (Vec<String>, Vec<Record>), bytes: &[u8]) -> (Vec<String>, Body) {
    (header, Body::Records { rows, sha256: shared::digest::of_bytes(bytes) })
}

impl Source {
    /// The number of the column with this name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|known| known == name)
    }

    /// Visits every row, and gives the digest of the file; what cannot be read as a row is a problem of its own.
    ///
    /// # Errors
    /// If reading stops midway.
    pub(super) fn for_each(self, mut visit: impl FnMut(&Row<'_>), problems: &mut Vec<Problem>) -> Result<String> {
        match self.body {
            Body::Csv(csv) => {
                let visit = |line: u64, record: &StringRecord| visit(&Row { line, cells: Cells::Csv(record) });
                csv.for_each(self.header.len(), visit, problems)
            }
            Body::Records { rows, sha256 } => {
                rows.iter().for_each(|row| visit(&Row { line: row.line, cells: Cells::Held(&row.cells) }));
                Ok(sha256)
            }
        }
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn check_header(path: &Path, header: &[String]) -> Result<()> {
    if header.iter().all(String::is_empty) {
        return Err(Error::input(Place::file(path), "an empty file", "a header and one row for each task and model"));
    }
    let mut seen = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        if let Some(earlier) = seen.insert(name, index) {
            let place = Place::at(path, 1, index as u64 + 1);
            let found = format!("column {name:?} a second time, first as column {}", earlier + 1);
            return Err(Error::input(place, found, "each column once"));
        }
    }
    Ok(())
}

/// JSON Lines, or one array of records.
fn json_records(path: &Path, bytes: &[u8]) -> Result<(Vec<String>, Vec<Record>)> {
    let text = std::str::from_utf8(without_mark(bytes))
        .map_err(|_| Error::input(Place::file(path), "bytes that are not UTF-8", "text in UTF-8"))?;
    let objects = match text.trim_start().starts_with('[') {
        true => array_of_objects(path, text)?,
        false => lines_of_objects(path, text)?,
    };
    Ok(tabulated(objects))
}

fn array_of_objects(path: &Path, text: &str) -> Result<Vec<(u64, Map<String, Value>)>> {
    let objects: Vec<Map<String, Value>> =
        serde_json::from_str(&quote_bare(text)).map_err(|error| json_error(path, 0, &error))?;
    Ok((1..).zip(objects).collect())
}

fn lines_of_objects(path: &Path, text: &str) -> Result<Vec<(u64, Map<String, Value>)>> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| object_of_line(path, number, line)).collect()
}

fn object_of_line(path: &Path, number: u64, line: &str) -> Result<(u64, Map<String, Value>)> {
    let object = serde_json::from_str(&quote_bare(line)).map_err(|error| json_error(path, number - 1, &error))?;
    Ok((number, object))
}

fn json_error(path: &Path, lines_before: u64, error: &serde_json::Error) -> Error {
    let place = Place::at(path, lines_before + error.line() as u64, error.column() as u64);
    Error::input(place, format!("not a JSON record: {error}"), "one object for each task and model")
}

/// Columns in the order in which they first appear.
fn tabulated(objects: Vec<(u64, Map<String, Value>)>) -> (Vec<String>, Vec<Record>) {
    let mut header: Vec<String> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for name in objects.iter().flat_map(|(_, object)| object.keys()) {
        if !known.contains_key(name) {
            known.insert(name.clone(), header.len());
            header.push(name.clone());
        }
    }
    let cells = |object: &Map<String, Value>| header.iter().map(|name| object.get(name).and_then(text_of)).collect();
    let records = objects.iter().map(|(line, object)| Record { line: *line, cells: cells(object) }).collect();
    (header, records)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Puts Python's bare `NaN`, `Infinity` and `-Infinity` into quotes, outside strings.
fn quote_bare(text: &str) -> Cow<'_, str> {
    if !["NaN", "Infinity"].iter().any(|word| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(piece) = next_piece(rest) {
        let bare = ["NaN", "Infinity", "-Infinity"].contains(&piece);
        out.push_str(&if bare { Cow::Owned(format!("{piece:?}")) } else { Cow::Borrowed(piece) });
        rest = &rest[piece.len()..];
    }
    Cow::Owned(out)
}

/// The next string, bare word or other character of a JSON text.
fn next_piece(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let length = match first {
        '"' => string_length(text),
        '-' if text.starts_with("-Infinity") => "-Infinity".len(),
        _ if first.is_ascii_alphabetic() => text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()),
        _ => first.len_utf8(),
    };
    Some(&text[..length])
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_are_quoted_outside_strings_only() {
        let text = r#"{"a": NaN, "b": -Infinity, "NaN": "NaN \" Infinity", "c": [Infinity, null]}"#;
        let quoted = r#"{"a": "NaN", "b": "-Infinity", "NaN": "NaN \" Infinity", "c": ["Infinity", null]}"#;
        assert_eq!(quote_bare(text), quoted);
    }

    #[test]
    fn columns_of_later_records_are_found() {
        let text = b"{\"a\": 1}\n\n{\"b\": \"x\", \"a\": null}\n";
        let (header, records) = json_records(Path::new("r.jsonl"), text).unwrap();
        assert_eq!(header, ["a", "b"]);
        assert_eq!(records[1].line, 3);
        assert_eq!(records[1].cells, [None, Some("x".to_owned())]);
    }

    #[test]
    fn a_torn_line_is_named() {
        let error = json_records(Path::new("r.jsonl"), b"{\"a\": 1}\n{\"a\": ").unwrap_err();
        assert!(error.to_string().starts_with("r.jsonl:2:"), "{error}");
    }
}
