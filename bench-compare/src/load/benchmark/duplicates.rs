//! Several rows for one model, dataset and window.

use std::collections::{BTreeMap, BTreeSet};

use shared::error::{Error, Problem, Result};

use super::{Duplicates, Options, Row, Score};

type Key = (String, String, Option<String>);

fn key(row: &Row) -> Key {
    (row.model.clone(), row.dataset.clone(), row.window.clone())
}

/// One row for each model, dataset and window, in the place of the first of them.
pub(super) fn resolve(rows: Vec<Row>, options: &Options, notes: &mut Vec<String>) -> Result<Vec<Row>> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    let mut known: BTreeMap<Key, usize> = BTreeMap::new();
    for row in rows {
        let index = *known.entry(key(&row)).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let judged: BTreeSet<&str> = options.models.iter().map(|model| options.canonical(model)).collect();
    let mut problems = Vec::new();
    let mut kept = Vec::with_capacity(groups.len());
    for group in groups {
        let counts = judged.is_empty() || judged.contains(group[0].model.as_str());
        let rule = if counts { options.duplicates } else { Duplicates::Last };
        match one_of(group, rule, counts, notes) {
            Ok(row) => kept.push(row),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(kept) } else { Err(refused(problems)) }
}

fn refused(problems: Vec<Problem>) -> Error {
    let total = problems.len() as u64;
    Error::rows(problems, total).with_help(
        "reruns append: remove all but one, or say --duplicates last, mean, or identical (which drops exact copies)",
    )
}

fn one_of(mut group: Vec<Row>, rule: Duplicates, counts: bool, notes: &mut Vec<String>) -> Result<Row, Vec<Problem>> {
    let count = group.len();
    let Some(last) = group.pop() else { return Err(Vec::new()) };
    if group.is_empty() {
        return Ok(last);
    }
    let chosen = match rule {
        Duplicates::Last => ("the last counts", last),
        Duplicates::Identical if group.iter().all(|row| identical(row, &last)) => ("all the same, one counts", last),
        Duplicates::Mean if group.iter().all(|row| row.n_samples == last.n_samples) => {
            group.push(last);
            ("their mean counts", mean(&group))
        }
        _ => {
            group.push(last);
            return Err(group[1..].iter().map(|row| problem(row, &group[0], rule)).collect());
        }
    };
    if counts {
        let (what, row) = (&chosen.0, &chosen.1);
        notes.push(format!("{}: {count} rows for model {:?} on {:?}: {what}", row.place, row.model, row.task()));
    }
    Ok(chosen.1)
}

fn problem(row: &Row, first: &Row, rule: Duplicates) -> Problem {
    let found = format!("another row for model {:?} on {:?}; the first is {}", row.model, row.task(), first.place);
    let expected = match rule {
        Duplicates::Mean => "the same n_samples in all reruns",
        Duplicates::Identical => "an exact copy",
        _ => "one row",
    };
    Problem { place: row.place.clone(), found, expected: expected.to_owned() }
}

fn identical(a: &Row, b: &Row) -> bool {
    let text =
        |row: &Row| [&row.mape_ratio, &row.rmse, &row.mae, &row.training_seconds, &row.prediction_seconds].map(bits);
    text(a) == text(b) && (a.n_samples, a.n_features, &a.params) == (b.n_samples, b.n_features, &b.params)
}

/// What makes two scores the same, wherever they stand.
fn bits(score: &Score) -> (u64, String) {
    match score {
        Score::Finite(value) => (value.to_bits(), String::new()),
        Score::Inflated { ratio, .. } => (ratio.to_bits(), "inflated".to_owned()),
        Score::Failed { text, .. } => (0, text.clone()),
    }
}

/// The mean of each measure; one failed rerun makes the measure failed.
fn mean(group: &[Row]) -> Row {
    let mut row = group[group.len() - 1].clone();
    row.mape_ratio = mean_score(group, |row| &row.mape_ratio);
    row.rmse = mean_score(group, |row| &row.rmse);
    row.mae = mean_score(group, |row| &row.mae);
    row.training_seconds = mean_score(group, |row| &row.training_seconds);
    row.prediction_seconds = mean_score(group, |row| &row.prediction_seconds);
    row.params = None;
    row
}

fn mean_score(group: &[Row], score: fn(&Row) -> &Score) -> Score {
    let values: Option<Vec<f64>> = group.iter().map(|row| score(row).finite()).collect();
    match values {
        Some(values) => Score::Finite(values.iter().sum::<f64>() / values.len() as f64),
        None => group.iter().map(score).find(|score| score.finite().is_none()).unwrap_or(score(&group[0])).clone(),
    }
}
