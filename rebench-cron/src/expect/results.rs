//! Rows of benchmark files.

use std::collections::BTreeMap;

use shared::format::benchmark::{Examined, Row};

use super::{Measured, RowCount};

/// The name that results have.
pub(crate) const FILE_NAME: &str = "benchmark_results.json";

/// All finite numbers of the rows.
pub fn measured(rows: &[Row]) -> Vec<Measured> {
    rows.iter().flat_map(of_row).collect()
}

fn of_row(row: &Row) -> impl Iterator<Item = Measured> + '_ {
    let (dataset, window) = row.task();
    row.measures().into_iter().filter_map(move |(metric, measure)| {
        Some(Measured {
            model: row.model_name.clone(),
            dataset: dataset.to_owned(),
            window: window.map(str::to_owned),
            metric: metric.to_owned(),
            value: measure.finite()?,
            n: row.n_samples,
        })
    })
}

/// The rows of each model on each dataset. A result without a count of its rows counts as one.
pub(super) fn rows(examined: &Examined) -> Vec<RowCount> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in &examined.rows {
        *counts.entry((&row.model_name, row.task().0)).or_default() += row.n_samples.unwrap_or(1);
    }
    let count = |((model, dataset), rows): ((&str, &str), u64)| RowCount {
        model: model.to_owned(),
        dataset: dataset.to_owned(),
        rows,
    };
    counts.into_iter().map(count).collect()
}
