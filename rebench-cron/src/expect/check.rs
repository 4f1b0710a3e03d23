//! Whether what a run produced is what it must. Pure.

use std::collections::BTreeMap;

use shared::format::benchmark::{Examined, Row, Severity};

use super::file::{Content, Produced};
use super::table::Table;
use super::{Fault, RowCount};
use crate::job::ExpectKeys;

/// All that is wrong with a run. `before` has the rows of the last run that was right.
pub fn check(keys: &ExpectKeys, produced: &Produced, before: &[RowCount]) -> Vec<Fault> {
    let mut faults = produced.faults.clone();
    for file in &produced.files {
        match &file.content {
            Content::Results(examined) => faults.extend(of_results(keys, examined)),
            Content::Table(table) => faults.extend(of_table(table)),
            Content::Other => {}
        }
    }
    let rows = produced.rows();
    let now = total(&rows);
    faults.extend(absent(keys, &now));
    faults.extend(fewer(keys, &now, before));
    faults
}

/// What stops a reader, and results that failed.
fn of_results(keys: &ExpectKeys, examined: &Examined) -> Vec<Fault> {
    let fatal = examined.findings.iter().filter(|finding| finding.severity >= Severity::Fatal);
    let fatal = fatal.map(|finding| Fault::new(finding.rule, finding.problem.to_string()));
    let expected = |row: &&Row| keys.models.is_empty() || keys.models.contains(&row.model_name);
    fatal.chain(examined.rows.iter().filter(expected).flat_map(failed)).collect()
}

fn failed(row: &Row) -> impl Iterator<Item = Fault> + '_ {
    row.accuracy().into_iter().filter(|(_, measure)| measure.finite().is_none()).map(|(metric, measure)| {
        let place = measure.at.of(&row.place.path);
        let (model, dataset) = (&row.model_name, &row.dataset_name);
        Fault::new("failed-result", format!("{place}: the {metric} of {model} on {dataset} is {}", measure.text))
    })
}

fn of_table(table: &Table) -> impl Iterator<Item = Fault> + '_ {
    table.forecasts.iter().filter_map(|((model, series), found)| {
        let (place, text) = found.first_failed.as_ref()?;
        let text = format!("{place}: the forecast of {model} for {series:?} is {text:?} ({} such)", found.failed);
        Some(Fault::new("failed-result", text))
    })
}

type Counts<'a> = BTreeMap<(&'a str, &'a str), u64>;

fn total(rows: &[RowCount]) -> Counts<'_> {
    let mut counts = Counts::new();
    for row in rows {
        *counts.entry((&row.model, &row.dataset)).or_default() += row.rows;
    }
    counts
}

/// Expected models without results; on each expected dataset where these are named.
fn absent(keys: &ExpectKeys, now: &Counts<'_>) -> Vec<Fault> {
    let has = |model: &str, dataset: Option<&str>| {
        now.keys().any(|(of, on)| *of == model && dataset.is_none_or(|dataset| *on == dataset))
    };
    let datasets: Vec<Option<&str>> = match keys.datasets.as_slice() {
        [] => vec![None],
        named => named.iter().map(|name| Some(name.as_str())).collect(),
    };
    let any_model = keys.models.is_empty();
    let pairs = keys.models.iter().flat_map(|model| datasets.iter().map(move |dataset| (model.as_str(), *dataset)));
    let of_models = pairs.filter(|(model, dataset)| !has(model, *dataset)).map(|(model, dataset)| {
        let on = dataset.map_or(String::new(), |dataset| format!(" on {dataset}"));
        Fault::new("missing-result", format!("there is no result of {model}{on}"))
    });
    let alone = keys.datasets.iter().filter(|name| any_model && !now.keys().any(|(_, on)| on == name));
    let alone = alone.map(|name| Fault::new("missing-result", format!("there is no result on {name}")));
    of_models.chain(alone).collect()
}

/// Models that have fewer rows on a dataset than before by more than the share; all models where none is named.
fn fewer(keys: &ExpectKeys, now: &Counts<'_>, before: &[RowCount]) -> Vec<Fault> {
    let before = total(before);
    let relevant = before.into_iter().filter(|((model, dataset), _)| {
        let named = |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
        named(&keys.models, model) && named(&keys.datasets, dataset)
    });
    let fault = |((model, dataset), old): ((&str, &str), u64)| {
        let new = now.get(&(model, dataset)).copied().unwrap_or(0);
        let least = old as f64 * (1.0 - keys.fewer_rows);
        // A tenth of ten is one row exactly, whatever binary fractions make of it.
        ((new as f64) < least - 1e-9 * old as f64).then(|| {
            let text =
                format!("{model} has {new} rows on {dataset}, the run before had {old} (expected {least:.0} or more)");
            Fault::new("fewer-rows", text)
        })
    };
    relevant.filter_map(fault).collect()
}
