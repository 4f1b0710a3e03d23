//! Writing `benchmark_results.json` and `benchmark_report.txt` as the class writes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::{Error, Place, Result};
use crate::fsio;

use super::super::json::{Member, Node, Number, Position, Value, python_float, to_python};
use super::Row;
use super::examine::{NOT_MEASURED, OUR_KEY};
use super::report::report;

/// A row to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The model.
    pub model_name: String,
    /// The dataset, with `@window` if the row is for one window.
    pub dataset_name: String,
    /// Mean absolute percentage error in percent, as the class writes it.
    pub mape_percent: f64,
    /// Root mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Seconds of fitting, if known.
    pub training_seconds: Option<f64>,
    /// Seconds of predicting, if known.
    pub prediction_seconds: Option<f64>,
    /// Rows of the test set.
    pub n_samples: u64,
    /// Columns of the test set, if known.
    pub n_features: Option<u64>,
    /// Hyperparameters.
    pub params: Option<Node>,
}

impl Record {
    /// The row of a file in percent, if all that a record needs is there.
    pub fn of_row(row: &Row) -> Option<Self> {
        Some(Self {
            model_name: row.model_name.clone(),
            dataset_name: row.dataset_name.clone(),
            mape_percent: row.mape.finite()?,
            rmse: row.rmse.finite()?,
            mae: row.mae.finite()?,
            training_seconds: row.training_time.finite(),
            prediction_seconds: row.prediction_time.finite(),
            n_samples: row.n_samples?,
            n_features: row.n_features,
            params: row.params.clone(),
        })
    }

    /// The first accuracy measure that is undefined.
    fn undefined(&self) -> Option<&'static str> {
        let measures = [("mape", self.mape_percent), ("rmse", self.rmse), ("mae", self.mae)];
        measures.into_iter().find(|(_, value)| !value.is_finite()).map(|(name, _)| name)
    }
}

/// What [`write()`](fn@write) did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The results file.
    pub results: PathBuf,
    /// The report beside it.
    pub report: PathBuf,
    /// A sentence for each row that was left out because a measure is undefined.
    pub left_out: Vec<String>,
}

/// Writes `benchmark_results.json` and `benchmark_report.txt` into `folder`, each atomically; `now` is the time that
/// they state ([`timestamp()`](fn@timestamp) makes it).
///
/// A row with an undefined measure is left out and reported. Times and feature counts that nobody measured are written as 0,
/// since the class's loader and report need numbers; their names then stand under `bench_compare.not_measured` at the top
/// level, where our reader finds them and the class does not look.
///
/// # Errors
/// If no row is left (earlier files stay as they are), or if writing fails.
pub fn write(folder: &Path, records: &[Record], now: &str) -> Result<Written> {
    let (kept, left_out) = split(records);
    if kept.is_empty() {
        let error = Error::input(Place::file(folder), "no row with defined measures to write", "at least one");
        return Err(error.with_help(left_out.first().cloned().unwrap_or_else(|| "score at least one model".to_owned())));
    }
    let written = Written {
        results: folder.join("benchmark_results.json"),
        report: folder.join("benchmark_report.txt"),
        left_out,
    };
    fsio::create_folder(folder)?;
    fsio::write_atomic(&written.report, report(&kept).as_bytes())?;
    fsio::write_atomic(&written.results, results(&kept, now).as_bytes())?;
    Ok(written)
}

fn split(records: &[Record]) -> (Vec<Record>, Vec<String>) {
    let mut left_out = Vec::new();
    let kept = records.iter().filter(|record| match record.undefined() {
        None => true,
        Some(measure) => {
            let Record { model_name, dataset_name, .. } = record;
            left_out.push(format!("left out {model_name:?} on {dataset_name:?}: its {measure} is undefined"));
            false
        }
    });
    (kept.cloned().collect(), left_out)
}

/// The text of `benchmark_results.json`. Every measure must be finite; [`write()`](fn@write) sees to it.
pub fn results(records: &[Record], now: &str) -> String {
    let distinct = |name: fn(&Record) -> &str| records.iter().map(name).collect::<BTreeSet<_>>().len() as u64;
    let mut members = vec![
        member("results", Value::Array(records.iter().map(|record| node(row(record))).collect())),
        member("timestamp", Value::String(now.to_owned())),
        member("n_models", whole(distinct(|record| &record.model_name))),
        member("n_datasets", whole(distinct(|record| &record.dataset_name))),
    ];
    let unknown = not_measured(records);
    if !unknown.is_empty() {
        let names = unknown.into_iter().map(|name| node(Value::String(name.to_owned()))).collect();
        members.push(member(OUR_KEY, Value::Object(vec![member(NOT_MEASURED, Value::Array(names))])));
    }
    to_python(&node(Value::Object(members)))
}

fn row(record: &Record) -> Value {
    Value::Object(vec![
        member("model_name", Value::String(record.model_name.clone())),
        member("dataset_name", Value::String(record.dataset_name.clone())),
        member("mape", float(record.mape_percent)),
        member("rmse", float(record.rmse)),
        member("mae", float(record.mae)),
        member("training_time", float(record.training_seconds.unwrap_or_default())),
        member("prediction_time", float(record.prediction_seconds.unwrap_or_default())),
        member("n_samples", whole(record.n_samples)),
        member("n_features", whole(record.n_features.unwrap_or_default())),
        member("params", record.params.as_ref().map_or(Value::Null, |params| params.value.clone())),
    ])
}

fn not_measured(records: &[Record]) -> Vec<&'static str> {
    let missing = |some: fn(&Record) -> bool| records.iter().any(|record| !some(record));
    let all = [
        ("training_time", missing(|record| record.training_seconds.is_some())),
        ("prediction_time", missing(|record| record.prediction_seconds.is_some())),
        ("n_features", missing(|record| record.n_features.is_some())),
    ];
    all.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect()
}

/// The time that a results file states: `SOURCE_DATE_EPOCH` where `epoch` holds it, else `now`; UTC without a zone, in the
/// form of the class (`2026-11-23T02:54:38.433148`). The class itself writes local time.
///
/// # Errors
/// If `epoch` is not a number of seconds.
pub fn timestamp(now: Timestamp, epoch: Option<&str>) -> Result<String> {
    let stated = epoch.map(|text| text.trim().parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()));
    let time = match stated {
        None => now,
        Some(Some(time)) => time,
        Some(None) => {
            let found = format!("SOURCE_DATE_EPOCH={}", epoch.unwrap_or_default());
            return Err(Error::usage(found, "whole seconds since 1970-01-01T00:00:00Z"));
        }
    };
    let civil = time.to_zoned(TimeZone::UTC).datetime();
    let micros = civil.subsec_nanosecond() / 1000;
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    Ok(format!("{}{fraction}", civil.strftime("%Y-%m-%dT%H:%M:%S")))
}

const NOWHERE: Position = Position { line: 0, column: 0 };

fn node(value: Value) -> Node {
    Node { at: NOWHERE, value }
}

fn member(key: &str, value: Value) -> Member {
    Member { at: NOWHERE, key: key.to_owned(), node: node(value) }
}

fn float(value: f64) -> Value {
    Value::Number(Number { value, text: python_float(value) })
}

fn whole(count: u64) -> Value {
    Value::Number(Number { value: count as f64, text: count.to_string() })
}
