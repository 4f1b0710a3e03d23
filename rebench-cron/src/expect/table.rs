//! Tables in CSV, read in one pass: how many forecasts each expected model has of each series, and those that are no numbers.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use csv::{Position, StringRecord};
use shared::{Error, Place, Result, fsio};

use super::RowCount;

/// The column with the name of a series.
const SERIES: &str = "unique_id";

/// What a table holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Its rows.
    pub rows: u64,
    /// By model and series, for expected models that have a column: how many forecasts there are.
    pub forecasts: BTreeMap<(String, String), Forecasts>,
}

/// The forecasts of a model for a series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forecasts {
    /// Finite numbers.
    pub rows: u64,
    /// Everything else.
    pub failed: u64,
    /// The first of these: where it stands, and its text.
    pub first_failed: Option<(Place, String)>,
}

impl Table {
    pub(super) fn rows(&self) -> Vec<RowCount> {
        let count = |((model, dataset), found): (&(String, String), &Forecasts)| RowCount {
            model: model.clone(),
            dataset: dataset.clone(),
            rows: found.rows,
        };
        self.forecasts.iter().map(count).collect()
    }
}

/// Reads the table, and in it the columns of these models.
pub(super) fn read(path: &Path, models: &[String]) -> Result<Table> {
    let mut reader = csv::Reader::from_reader(fsio::open(path)?);
    let header = header(&mut reader, path)?;
    let place_of = |name: &str| header.iter().position(|column| column == name);
    let series = place_of(SERIES);
    let columns: Vec<(&String, usize)> = models.iter().filter_map(|model| Some((model, place_of(model)?))).collect();
    let mut table = Table::default();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| failed(path, &error))? {
        table.rows += 1;
        let series = series.and_then(|at| record.get(at)).unwrap_or_default();
        for (model, at) in &columns {
            let found = table.forecasts.entry(((*model).clone(), series.to_owned())).or_default();
            found.take(path, record.position(), *at, record.get(*at).unwrap_or_default());
        }
    }
    match table.rows {
        0 => Err(Error::input(Place::line(path, 2), "a header and no row", "rows")),
        _ => Ok(table),
    }
}

impl Forecasts {
    fn take(&mut self, path: &Path, position: Option<&Position>, column: usize, text: &str) {
        if text.trim().parse::<f64>().is_ok_and(f64::is_finite) {
            self.rows += 1;
            return;
        }
        self.failed += 1;
        if self.first_failed.is_none() {
            self.first_failed = Some((place(path, position, column), text.to_owned()));
        }
    }
}

/// The header, whose columns have different names.
pub(super) fn header<R: Read>(reader: &mut csv::Reader<R>, path: &Path) -> Result<StringRecord> {
    let header = reader.headers().map_err(|error| failed(path, &error))?.clone();
    let header: StringRecord = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
    let twice = header.iter().enumerate().find(|(at, name)| header.iter().take(*at).any(|other| other == *name));
    match twice {
        _ if header.is_empty() || header.iter().all(str::is_empty) => {
            Err(Error::input(Place::line(path, 1), "no header", "the names of the columns"))
        }
        Some((at, name)) => {
            let place = Place::at(path, 1, at as u64 + 1);
            Err(Error::input(place, format!("a second column {name:?}"), "different names"))
        }
        None => Ok(header),
    }
}

/// The place of a field.
pub(super) fn place(path: &Path, position: Option<&Position>, column: usize) -> Place {
    position.map_or_else(|| Place::file(path), |at| Place::at(path, at.line(), column as u64 + 1))
}

/// What the reader says, with the line.
pub(super) fn failed(path: &Path, error: &csv::Error) -> Error {
    let place = error.position().map_or_else(|| Place::file(path), |at| Place::line(path, at.line()));
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Error::input(place, format!("a row of {len} fields"), format!("{expected_len}, as in the header"))
        }
        csv::ErrorKind::Utf8 { .. } => Error::input(place, "bytes that are no UTF-8", "UTF-8"),
        _ => Error::input(place, error.to_string(), "a table in CSV"),
    }
}
