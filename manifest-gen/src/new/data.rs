//! The training data: digests, and what they cover.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use jiff::civil::DateTime;
use shared::format::manifest::{Coverage, DataFile};
use shared::{Error, Place, Result, digest, fsio};

use super::args::Args;
use super::span;

/// Texts that stand for a missing value.
const MISSING: [&str; 8] = ["", "na", "n/a", "nan", "null", "none", "<na>", "nat"];

/// Digest and size of a file.
pub(super) fn file(path: &Path) -> Result<DataFile> {
    let bytes = fsio::open(path)?.metadata().map_err(|error| Error::io(path, "read", error))?.len();
    Ok(DataFile { path: path.display().to_string(), bytes, sha256: digest::of_file(path)? })
}

/// The columns that say what the data cover.
pub(super) struct Columns<'a> {
    series: &'a str,
    time: &'a str,
    target: &'a str,
}

impl<'a> Columns<'a> {
    pub(super) fn of(args: &'a Args) -> Self {
        Self { series: &args.series_column, time: &args.time_column, target: &args.target_column }
    }
}

/// What the files cover together, or why that cannot be said.
pub(super) fn coverage(paths: &[&Path], columns: &Columns) -> Result<Result<Coverage, String>> {
    let mut count = Count::default();
    for path in paths {
        if let Err(reason) = count.add(path, columns)? {
            return Ok(Err(reason));
        }
    }
    Ok(Ok(count.coverage()))
}

#[derive(Default)]
struct Count {
    series: HashSet<Vec<u8>>,
    rows: u64,
    missing: u64,
    first: Option<(DateTime, String)>,
    last: Option<(DateTime, String)>,
}

/// Where the columns stand in a file.
struct Places {
    series: Option<usize>,
    time: usize,
    target: usize,
}

impl Count {
    fn add(&mut self, path: &Path, columns: &Columns) -> Result<Result<(), String>> {
        let mut reader = csv::Reader::from_reader(fsio::open(path)?);
        let places = match places(path, &mut reader, columns)? {
            Ok(places) => places,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(|error| malformed(path, &error))? {
            let line = record.position().map_or(0, csv::Position::line);
            self.row(&record, &places).map_err(|found| {
                Error::input(Place::at(path, line, places.time as u64 + 1), found, "an ISO 8601 date or time")
            })?;
        }
        Ok(Ok(()))
    }

    fn row(&mut self, record: &csv::ByteRecord, places: &Places) -> Result<(), String> {
        let field = |place: usize| String::from_utf8_lossy(record.get(place).unwrap_or_default());
        let text = field(places.time);
        let time = span::time(&text).ok_or_else(|| format!("{text:?} is no time"))?;
        self.rows += 1;
        self.missing += u64::from(MISSING.contains(&field(places.target).trim().to_ascii_lowercase().as_str()));
        if self.first.as_ref().is_none_or(|(first, _)| time < *first) {
            self.first = Some((time, text.trim().to_owned()));
        }
        if self.last.as_ref().is_none_or(|(last, _)| time > *last) {
            self.last = Some((time, text.trim().to_owned()));
        }
        let series = places.series.and_then(|place| record.get(place)).unwrap_or_default();
        if !self.series.contains(series) {
            self.series.insert(series.to_owned());
        }
        Ok(())
    }

    fn coverage(self) -> Coverage {
        Coverage {
            series: self.series.len() as u64,
            rows: self.rows,
            from: self.first.map(|(_, text)| text),
            to: self.last.map(|(_, text)| text),
            missing_ratio: if self.rows == 0 { 0.0 } else { self.missing as f64 / self.rows as f64 },
        }
    }
}

fn places(path: &Path, reader: &mut csv::Reader<File>, columns: &Columns) -> Result<Result<Places, String>> {
    let header = reader.byte_headers().map_err(|error| malformed(path, &error))?;
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let (Some(time), Some(target)) = (place(columns.time), place(columns.target)) else {
        return Ok(Err(format!(
            "what the data cover is not stated: {} has no columns {:?} and {:?} (--time-column, --target-column); it has {}",
            path.display(),
            columns.time,
            columns.target,
            shown(&names)
        )));
    };
    Ok(Ok(Places { series: place(columns.series), time, target }))
}

/// The first names, short and without bytes that a terminal would obey: the file may be anything.
fn shown(names: &[String]) -> String {
    let short = |name: &String| name.chars().take(40).collect::<String>().escape_debug().to_string();
    names.iter().take(20).map(short).collect::<Vec<_>>().join(", ")
}

fn malformed(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    Error::input(Place::line(path, line), error.to_string(), "a CSV table with a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(text: &str) -> Result<Result<Coverage, String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        fsio::write_atomic(&path, text.as_bytes()).unwrap();
        coverage(&[path.as_path()], &Columns { series: "unique_id", time: "ds", target: "y" })
    }

    #[test]
    fn series_rows_times_and_gaps_are_counted() {
        let found = cover("unique_id,ds,y\na,2020-01-02,1\na,2020-01-01,NaN\nb,2020-01-03,\nb,2020-01-01,4\n");
        let expected = Coverage {
            series: 2,
            rows: 4,
            from: Some("2020-01-01".into()),
            to: Some("2020-01-03".into()),
            missing_ratio: 0.5,
        };
        assert_eq!(found.unwrap().unwrap(), expected);
    }

    #[test]
    fn other_columns_are_said_and_never_guessed() {
        assert!(cover("Store,Date\n1,2020-01-01\n").unwrap().unwrap_err().contains("Store, Date"));
    }

    #[test]
    fn a_time_that_is_none_has_its_place() {
        let error = cover("ds,y\n2020-01-01,1\n01/02/2020,2\n").unwrap_err().to_string();
        assert!(error.contains("data.csv:3:1: \"01/02/2020\" is no time"), "{error}");
    }
}
