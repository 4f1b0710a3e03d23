//! Metrics, copied by key from `benchmark_results.json`.

use std::path::Path;

use shared::config::Config;
use shared::format::benchmark::{self, File, MapeUnit, Row, UnitGuess};
use shared::format::json::Node;
use shared::format::manifest::Metric;
use shared::{Error, Place, Result};

use super::span::TestStart;

/// What the benchmark says of the model.
pub(super) struct Read {
    pub(super) metrics: Vec<Metric>,
    /// When each row's test begins, where it says so.
    pub(super) starts: Vec<TestStart>,
    /// When the file was written, if it says so.
    pub(super) time: Option<String>,
    /// What a reader should know.
    pub(super) notes: Vec<String>,
}

/// Which rows are wanted.
pub(super) struct Wanted<'a> {
    pub(super) model: &'a str,
    pub(super) dataset: Option<&'a str>,
    pub(super) unit: Option<MapeUnit>,
    pub(super) config: &'a Config,
}

/// Reads the rows of the model from the file that the user calls `path`.
pub(super) fn read(path: &Path, bytes: &[u8], wanted: &Wanted) -> Result<Read> {
    let file = benchmark::examine(path, bytes).into_file()?;
    let rows: Vec<(usize, &Row)> = file.rows.iter().enumerate().filter(|(_, row)| is_wanted(row, wanted)).collect();
    if rows.is_empty() {
        return Err(none(path, &file, wanted));
    }
    refuse_duplicates(&rows)?;
    let (unit, note) = unit(path, &file.rows, wanted.unit)?;
    Ok(Read {
        metrics: rows.iter().flat_map(|(index, row)| metrics(*index, row, unit)).collect(),
        starts: rows.iter().filter_map(|(_, row)| start(row)).collect(),
        time: file.timestamp.clone(),
        notes: note.into_iter().collect(),
    })
}

fn is_wanted(row: &Row, wanted: &Wanted) -> bool {
    wanted.config.same(&row.model_name, wanted.model) && wanted.dataset.is_none_or(|dataset| row.task().0 == dataset)
}

fn none(path: &Path, file: &File, wanted: &Wanted) -> Error {
    let mut known: Vec<String> =
        file.rows.iter().map(|row| format!("{} on {}", row.model_name, row.dataset_name)).collect();
    known.sort();
    known.dedup();
    let dataset = wanted.dataset.map(|dataset| format!(" on {dataset:?}")).unwrap_or_default();
    let found = format!("no result of {:?}{dataset}", wanted.model);
    Error::input(Place::file(path), found, format!("one of {}", known.join(", ")))
        .with_help("--model-name says what the evidence calls the model, --dataset names its dataset")
}

/// Two rows for one dataset leave open which one is meant.
fn refuse_duplicates(rows: &[(usize, &Row)]) -> Result<()> {
    for (position, (_, row)) in rows.iter().enumerate() {
        if let Some((_, earlier)) = rows[..position].iter().find(|(_, other)| other.dataset_name == row.dataset_name) {
            let found = format!("a second result of {} on {}", row.model_name, row.dataset_name);
            return Err(Error::input(row.place.clone(), found, format!("one; the first is at {}", earlier.place))
                .with_help("keep the one that speaks for this release; `bench-compare lint` shows all duplicates"));
        }
    }
    Ok(())
}

fn unit(path: &Path, rows: &[Row], stated: Option<MapeUnit>) -> Result<(MapeUnit, Option<String>)> {
    if let Some(unit) = stated {
        return Ok((unit, None));
    }
    match benchmark::guess_unit(rows) {
        UnitGuess::Nothing => Ok((MapeUnit::Percent, None)),
        UnitGuess::Likely { unit, least, most } => {
            let note = format!("mape was read as a {}: the benchmark has values from {least} to {most}", unit.name());
            Ok((unit, Some(note)))
        }
        UnitGuess::Unclear { least, most } => {
            let found = format!("mape runs from {least} to {most}: percent or fractions");
            Err(Error::input(Place::file(path), found, "--mape-unit percent or --mape-unit fraction"))
        }
    }
}

fn metrics(index: usize, row: &Row, unit: MapeUnit) -> Vec<Metric> {
    let (dataset, window) = row.task();
    let window = window.map(str::to_owned).or_else(|| test_window(row));
    let finite = row.measures().into_iter().filter_map(|(key, measure)| Some((key, measure.finite()?)));
    finite
        .map(|(key, copied)| Metric {
            name: if key == "mape" { "mape_ratio".to_owned() } else { unit_name(key) },
            value: if key == "mape" { unit.ratio(copied) } else { copied },
            copied,
            n: row.n_samples,
            interval: None,
            dataset: Some(dataset.to_owned()),
            window: window.clone(),
            from: format!("benchmark:/results/{index}/{key}"),
        })
        .collect()
}

fn unit_name(key: &str) -> String {
    if key.ends_with("_time") { format!("{key}_seconds") } else { key.to_owned() }
}

fn parameter<'a>(row: &'a Row, key: &str) -> Option<&'a str> {
    row.params.as_ref().and_then(|params| params.get(key)).and_then(Node::as_str)
}

fn test_window(row: &Row) -> Option<String> {
    Some(format!("{}..{}", parameter(row, "test_start")?, parameter(row, "test_end")?))
}

/// When the row's test begins: what its parameters say, else the window in its name, which is a cutoff.
fn start(row: &Row) -> Option<TestStart> {
    let stated = parameter(row, "test_start").map(|text| TestStart::Target(text.to_owned()));
    stated.or_else(|| row.task().1.map(|cutoff| TestStart::Cutoff(cutoff.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"results": [
      {"model_name": "a_v1", "dataset_name": "x", "mape": 8.25, "rmse": 2.0, "mae": 1.5, "training_time": 1.0,
       "prediction_time": 0.5, "n_samples": 10, "n_features": 2, "params": {"test_start": "2020-01-01", "test_end": "2020-02-01"}},
      {"model_name": "a_v1", "dataset_name": "y@2020-03-01", "mape": 9.5, "rmse": 2.0, "mae": 1.5, "training_time": 1.0,
       "prediction_time": 0.5, "n_samples": 10, "n_features": 2, "params": null}
    ], "timestamp": "2020-02-02T00:00:00", "n_models": 1, "n_datasets": 2}"#;

    fn read_for(dataset: Option<&str>, text: &str) -> Result<Read> {
        let config = Config::default();
        read(Path::new("b.json"), text.as_bytes(), &Wanted { model: "a_v1", dataset, unit: None, config: &config })
    }

    #[test]
    fn metrics_say_where_they_come_from() {
        let read = read_for(Some("x"), FILE).unwrap();
        let mape = &read.metrics[0];
        assert_eq!((mape.name.as_str(), mape.value, mape.copied), ("mape_ratio", 0.0825, 8.25));
        assert_eq!(mape.from, "benchmark:/results/0/mape");
        assert_eq!(mape.window.as_deref(), Some("2020-01-01..2020-02-01"));
        assert_eq!(read.starts, [TestStart::Target("2020-01-01".into())]);
        assert_eq!(read.time.as_deref(), Some("2020-02-02T00:00:00"));
    }

    #[test]
    fn a_window_in_the_name_is_a_cutoff() {
        let read = read_for(Some("y"), FILE).unwrap();
        assert_eq!(read.starts, [TestStart::Cutoff("2020-03-01".into())]);
        assert_eq!(read.metrics[0].from, "benchmark:/results/1/mape");
    }

    #[test]
    fn an_absent_row_is_named_with_what_there_is() {
        let error = read_for(Some("z"), FILE).err().unwrap().to_string();
        assert!(error.contains("no result of \"a_v1\" on \"z\"") && error.contains("a_v1 on x"), "{error}");
    }

    #[test]
    fn two_rows_for_one_dataset_are_refused() {
        assert!(read_for(None, &FILE.replace("y@2020-03-01", "x")).is_err());
    }
}
