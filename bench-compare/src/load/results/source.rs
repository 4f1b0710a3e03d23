//! The rows of a result file, whatever it is written in: CSV, JSON Lines, a JSON array of records, Parquet.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde_json::{Map, Value};
use shared::error::Problem;
use shared::{Error, Place, Result, fsio};

/// What pandas reads as a missing value; a score written so is a failed result.
const MISSING: [&str; 17] = [
    "", "#N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "-NaN", "-nan", "#N/A N/A",
    "1.#IND", "1.#QNAN",
];

/// A file with its header read.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) sha256: String,
    pub(super) header: Vec<String>,
    body: Body,
}

enum Body {
    Csv(Vec<u8>),
    Records(Vec<Record>),
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
        self.raw(column).filter(|text| !MISSING.contains(text))
    }
}

/// Opens `path` by the ending of its name; anything but Parquet and JSON is CSV.
///
/// # Errors
/// If it cannot be read, or has no header.
pub(super) fn open(path: &Path) -> Result<Source> {
    let bytes = fsio::read(path)?;
    let sha256 = shared::digest::of_bytes(&bytes);
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let (header, body) = match ending.as_str() {
        "parquet" | "pq" => held(super::parquet::records(path)?),
        "json" | "jsonl" | "ndjson" => held(json_records(path, &bytes)?),
        _ if bytes.starts_with(b"PAR1") => held(super::parquet::records(path)?),
        _ => (csv_header(path, &bytes)?, Body::Csv(bytes)),
    };
    check_header(path, &header)?;
    Ok(Source { path: path.to_owned(), sha256, header, body })
}

fn held((header, records): (Vec<String>, Vec<Record>)) -> (Vec<String>, Body) {
    (header, Body::Records(records))
}

impl Source {
    /// The number of the column with this name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|known| known == name)
    }

    /// Visits every row; what cannot be read as a row is a problem of its own.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&Row<'_>), problems: &mut Vec<Problem>) {
        match &self.body {
            Body::Csv(bytes) => self.visit_csv(bytes, &mut visit, problems),
            Body::Records(records) => {
                for record in records {
                    visit(&Row { line: record.line, cells: Cells::Held(&record.cells) });
                }
            }
        }
    }

    fn visit_csv(&self, bytes: &[u8], visit: &mut impl FnMut(&Row<'_>), problems: &mut Vec<Problem>) {
        let mut reader = csv_reader(bytes);
        let mut record = StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(false) => return,
                Ok(true) => visit(&Row { line: line_of(&record, bytes), cells: Cells::Csv(&record) }),
                Err(error) => problems.push(csv_problem(&self.path, &error)),
            }
        }
    }
}

fn csv_reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    csv::Reader::from_reader(without_mark(bytes))
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The line of a record. The csv crate ends a record at its `\r`, so that the next one seems to begin on the same line.
fn line_of(record: &StringRecord, bytes: &[u8]) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let start = usize::try_from(position.byte()).ok().and_then(|at| without_mark(bytes).get(at));
    position.line() + u64::from(start == Some(&b'\n'))
}

fn csv_header(path: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    let mut reader = csv_reader(bytes);
    let header = reader.headers().map_err(|error| {
        let problem = csv_problem(path, &error);
        Error::Input { problem, help: None }
    })?;
    Ok(header.iter().map(|name| name.trim().to_owned()).collect())
}

fn csv_problem(path: &Path, error: &csv::Error) -> Problem {
    let line = error.position().map_or(1, csv::Position::line);
    let (found, expected) = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (format!("a row of {len} fields"), format!("{expected_len}, as in the header"))
        }
        csv::ErrorKind::Utf8 { .. } => ("bytes that are not UTF-8".to_owned(), "text in UTF-8".to_owned()),
        other => (format!("a row that cannot be read: {other:?}"), "a CSV row".to_owned()),
    };
    Problem { place: Place::line(path, line), found, expected }
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
