//! What lies in a folder: forecast tables, training tables, benchmark results, model files.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::names;

/// Folders below the start that are looked at.
const DEPTH: usize = 4;
/// Entries after which the search ends: init is a convenience, not a crawler.
const MAX_ENTRIES: usize = 20_000;
/// Rows of a table that are looked at.
const SAMPLE_ROWS: usize = 2_000;
/// Columns of a forecast table that no model is called.
const COMMON_COLUMNS: [&str; 12] =
    ["unique_id", "ds", "cutoff", "y", "h", "horizon", "step", "holiday", "n_train", "weight", "fold", "weekday"];

/// A table of forecasts.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct ForecastTable {
    pub(super) path: PathBuf,
    /// Columns that look like forecasts of `y`.
    pub(super) models: Vec<String>,
    /// Columns that are 0 or 1 and both.
    pub(super) flags: Vec<String>,
    /// Steps of a season, from the spacing of the times.
    pub(super) season: Option<u32>,
}

/// A file of benchmark results.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Benchmark {
    pub(super) path: PathBuf,
    pub(super) models: Vec<String>,
}

/// All that was found, each list sorted by path.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Found {
    pub(super) forecasts: Vec<ForecastTable>,
    pub(super) training: Vec<PathBuf>,
    pub(super) benchmarks: Vec<Benchmark>,
    pub(super) artefacts: Vec<PathBuf>,
}

impl Found {
    /// How much was found, in a sentence.
    pub(super) fn summary(&self) -> String {
        let Self { forecasts, training, benchmarks, artefacts } = self;
        format!(
            "{} forecast table(s), {} training table(s), {} benchmark file(s), {} model file(s) found",
            forecasts.len(),
            training.len(),
            benchmarks.len(),
            artefacts.len()
        )
    }

    /// Every model's name, in the order of appearance.
    pub(super) fn model_names(&self) -> Vec<&str> {
        let tables = self.forecasts.iter().flat_map(|table| &table.models);
        names::distinct(tables.chain(self.benchmarks.iter().flat_map(|file| &file.models)).map(String::as_str))
    }

    fn take(&mut self, folder: &Path, path: &Path) {
        let relative = path.strip_prefix(folder).unwrap_or(path).to_owned();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => self.take_table(path, relative),
            Some("json") if path.file_name().is_some_and(|name| name == "benchmark_results.json") => {
                let models = fs::read_to_string(path).map(|text| names::in_results(&text)).unwrap_or_default();
                self.benchmarks.push(Benchmark { path: relative, models });
            }
            Some("pkl" | "joblib" | "onnx") => self.artefacts.push(relative),
            _ => {}
        }
    }

    fn take_table(&mut self, path: &Path, relative: PathBuf) {
        let Some(sample) = Sample::read(path) else { return };
        if ["unique_id", "ds", "y"].iter().any(|needed| sample.column(needed).is_none()) {
            return;
        }
        match sample.column("cutoff") {
            Some(_) => self.forecasts.push(sample.forecast_table(relative)),
            None => self.training.push(relative),
        }
    }
}

/// Looks through a folder. What cannot be read is passed over: it will be told where it is used.
pub(super) fn folder(folder: &Path) -> Found {
    let mut files = Vec::new();
    list(folder, DEPTH, &mut files);
    files.sort();
    let mut found = Found::default();
    files.iter().for_each(|path| found.take(folder, path));
    found
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if hidden || files.len() >= MAX_ENTRIES {
            continue;
        }
        match is_folder {
            true if depth > 0 && entry.file_name() != "target" => list(&entry.path(), depth - 1, files),
            true => {}
            false => files.push(entry.path()),
        }
    }
}

/// The first rows of a table.
struct Sample {
    header: Vec<String>,
    rows: Vec<csv::StringRecord>,
}

impl Sample {
    fn read(path: &Path) -> Option<Self> {
        let mut reader = csv::Reader::from_reader(BufReader::new(fs::File::open(path).ok()?));
        let header = reader.headers().ok()?.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
        let rows = reader.records().take(SAMPLE_ROWS).map_while(Result::ok).collect();
        Some(Self { header, rows })
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    fn forecast_table(&self, path: PathBuf) -> ForecastTable {
        let names = |wanted: &dyn Fn(usize) -> bool| {
            let columns = self.header.iter().enumerate().filter(|(index, _)| wanted(*index));
            columns.map(|(_, name)| name.clone()).collect()
        };
        ForecastTable {
            path,
            models: names(&|column| self.is_model(column)),
            flags: names(&|column| self.is_flag(column)),
            season: self.season(),
        }
    }

    fn number(&self, row: &csv::StringRecord, column: usize) -> Option<f64> {
        row.get(column)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Whether the column stays nearer to `y` than zero does.
    fn is_model(&self, column: usize) -> bool {
        let name = self.header[column].as_str();
        if COMMON_COLUMNS.contains(&name) || name.contains("-lo-") || name.contains("-hi-") || self.is_flag(column) {
            return false;
        }
        let Some(y) = self.column("y") else { return false };
        let pairs = self.rows.iter().filter_map(|row| Some((self.number(row, column)?, self.number(row, y)?)));
        let (error, size) = pairs.fold((0.0, 0.0), |(error, size), (p, y)| (error + (p - y).abs(), size + y.abs()));
        error < size
    }

    fn is_flag(&self, column: usize) -> bool {
        let texts = || self.rows.iter().filter_map(|row| row.get(column));
        let both = texts().any(|text| text == "0") && texts().any(|text| text == "1");
        both && texts().all(|text| text == "0" || text == "1")
    }

    /// Hours between two neighbouring times of the first series, then the usual season of such data.
    fn season(&self) -> Option<u32> {
        let ds = self.column("ds")?;
        let mut times = self.rows.iter().take(2).filter_map(|row| row.get(ds)?.parse::<jiff::civil::DateTime>().ok());
        let (first, second) = (times.next()?, times.next()?);
        match first.duration_until(second).as_hours() {
            1 => Some(24),
            24 => Some(7),
            168 => Some(52),
            672..=744 => Some(12),
            2_150..=2_210 => Some(4),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data");

    #[test]
    fn a_forecast_table_is_recognised() {
        let found = folder(&Path::new(DATA).join("cv"));
        assert_eq!(found.training, [PathBuf::from("bls_unemployment_train.csv")]);
        let table = &found.forecasts[0];
        assert_eq!(table.models, ["Naive", "SeasonalNaive", "Ridge", "RandomForest", "LightGBM", "XGBoost"]);
        assert_eq!(table.flags, ["holiday"]);
        assert_eq!(table.season, Some(12));
    }

    #[test]
    fn benchmark_files_name_their_models() {
        let found = folder(&Path::new(DATA).join("benchmark"));
        let baseline = &found.benchmarks[0];
        assert_eq!(baseline.path, Path::new("baseline/benchmark_results.json"));
        assert_eq!(baseline.models, ["random_forest_v1", "seasonal_naive"]);
    }
}
