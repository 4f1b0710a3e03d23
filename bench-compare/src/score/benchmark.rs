//! The scores as `benchmark_results.json` and `benchmark_report.txt`, which the team's own loader reads.

use std::path::Path;

use jiff::Timestamp;
use shared::cli::note;
use shared::format::benchmark::{self, Record};
use shared::metric::Metric;

use super::result::{Score, Values};

/// Writes both files; a model with an undefined metric is left out and told.
///
/// # Errors
/// If no model is left, or writing fails.
pub(super) fn write(score: &Score, folder: &Path, dataset: &str) -> shared::Result<()> {
    let records: Vec<Record> = score.benchmark.0.iter().map(|(model, values)| record(model, values, dataset)).collect();
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
    let now = benchmark::timestamp(Timestamp::now(), epoch.as_deref())?;
    let written = benchmark::write(folder, &records, &now)?;
    written.left_out.iter().for_each(|text| note(&format!("note: {text}")));
    note(&format!("note: wrote {} and {}", written.results.display(), written.report.display()));
    Ok(())
}

fn record(model: &str, values: &Values, dataset: &str) -> Record {
    let metric = |metric| values.get(metric).unwrap_or(f64::NAN);
    Record {
        model_name: model.to_owned(),
        dataset_name: dataset.to_owned(),
        mape_percent: 100.0 * metric(Metric::Mape),
        rmse: metric(Metric::Rmse),
        mae: metric(Metric::Mae),
        training_seconds: None,
        prediction_seconds: None,
        n_samples: values.rows,
        n_features: None,
        params: None,
    }
}
