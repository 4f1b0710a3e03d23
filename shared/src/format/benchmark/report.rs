//! The class's text report: rankings, summary and every row, in the layout that pandas gives them.

use std::collections::BTreeMap;

use super::pandas::{Column, floats, lay_out, name};
use super::write::Record;

const WIDTH: usize = 80;

/// The text of `benchmark_report.txt`: models by mean MAPE (ties in alphabetical order), mean, standard deviation (n - 1) and
/// minimum of each measure by model, and each row. No line end after the last line, as in the class.
///
/// Every measure must be finite; times that nobody measured are printed as 0.
pub fn report(records: &[Record]) -> String {
    if records.is_empty() {
        return "No benchmark results available.".to_owned();
    }
    let models = by_model(records);
    let double = "=".repeat(WIDTH);
    let mut parts = vec![double.clone(), "BENCHMARK REPORT".to_owned(), double.clone(), totals(records, models.len())];
    parts.extend([section("RANKINGS BY MAPE"), ranking(&models)]);
    parts.extend([section("SUMMARY STATISTICS"), summary(&models)]);
    parts.push(section("DETAILED RESULTS"));
    parts.extend(records.iter().map(detail));
    parts.push(format!("\n{double}"));
    parts.join("\n")
}

fn section(title: &str) -> String {
    let line = "-".repeat(WIDTH);
    format!("\n{line}\n{title}\n{line}")
}

fn totals(records: &[Record], models: usize) -> String {
    let mut datasets: Vec<&str> = records.iter().map(|record| record.dataset_name.as_str()).collect();
    datasets.sort_unstable();
    datasets.dedup();
    let (datasets, runs) = (datasets.len(), records.len());
    format!("\nTotal Models Tested: {models}\nTotal Datasets: {datasets}\nTotal Runs: {runs}")
}

fn detail(record: &Record) -> String {
    let Record { model_name, dataset_name, mape_percent, rmse, mae, .. } = record;
    let (training, prediction) = (seconds(record.training_seconds), seconds(record.prediction_seconds));
    format!(
        "\nModel: {model_name} | Dataset: {dataset_name}\n  \
         MAPE: {mape_percent:.4} | RMSE: {rmse:.4} | MAE: {mae:.4}\n  \
         Training: {training:.2}s | Prediction: {prediction:.4}s"
    )
}

fn seconds(measured: Option<f64>) -> f64 {
    measured.unwrap_or_default()
}

type Models<'a> = BTreeMap<&'a str, Vec<&'a Record>>;

fn by_model(records: &[Record]) -> Models<'_> {
    let mut models = Models::new();
    for record in records {
        models.entry(&record.model_name).or_default().push(record);
    }
    models
}

fn ranking(models: &Models<'_>) -> String {
    let mape = |rows: &Vec<&Record>| mean(&rows.iter().map(|row| row.mape_percent).collect::<Vec<_>>());
    let mut ranked: Vec<(&str, f64)> = models.iter().map(|(model, rows)| (*model, mape(rows))).collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (names, means): (Vec<&str>, Vec<f64>) = ranked.into_iter().unzip();
    let columns = [
        column(" rank", (1..=names.len()).map(|rank| rank.to_string()).collect()),
        column("model_name", names.into_iter().map(name).collect()),
        column(" avg_mape", floats(&means, "")),
    ];
    lay_out(&columns, false)
}

fn column(head: &str, cells: Vec<String>) -> Column {
    Column { head: vec![head.to_owned()], cells }
}

/// A column of a measure: its name and how it is computed.
type Kind = (&'static str, fn(&[f64]) -> f64);

/// A measure, how to read it from a row, and its columns.
type Summarised = (&'static str, fn(&Record) -> f64, &'static [Kind]);

const ACCURACY: &[Kind] = &[("mean", mean), ("std", deviation), ("min", minimum)];
const TIME: &[Kind] = &[("mean", mean), ("std", deviation)];

const SUMMARY: [Summarised; 5] = [
    ("mape", |row| row.mape_percent, ACCURACY),
    ("rmse", |row| row.rmse, ACCURACY),
    ("mae", |row| row.mae, ACCURACY),
    ("training_time", |row| seconds(row.training_seconds), TIME),
    ("prediction_time", |row| seconds(row.prediction_seconds), TIME),
];

fn summary(models: &Models<'_>) -> String {
    let names = models.keys().map(|model| name(model)).collect();
    let label = Column { head: vec![String::new(), String::new(), "model_name".to_owned()], cells: names };
    let columns: Vec<Column> =
        std::iter::once(label).chain(SUMMARY.iter().flat_map(|of| measure(models, of))).collect();
    lay_out(&columns, true)
}

/// The columns of one measure; its name stands above the first of them only.
fn measure(models: &Models<'_>, (title, read, kinds): &Summarised) -> Vec<Column> {
    let values: Vec<Vec<f64>> = models.values().map(|rows| rows.iter().map(|row| read(row)).collect()).collect();
    let one = |(index, (kind, summarise)): (usize, &Kind)| {
        let title = if index == 0 { (*title).to_owned() } else { String::new() };
        let cells = floats(&values.iter().map(|values| summarise(values)).collect::<Vec<_>>(), " ");
        Column { head: vec![title, (*kind).to_owned(), String::new()], cells }
    };
    kinds.iter().enumerate().map(one).collect()
}

/// The mean, by compensated summation (Kahan 1965), as pandas computes it.
fn mean(values: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0, 0.0);
    for value in values {
        let term = value - lost;
        let next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    sum / values.len() as f64
}

/// The standard deviation with divisor n - 1; NaN for a single value.
fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

fn minimum(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}
