//! Pairing a baseline's rows with a candidate's, and what makes two files incomparable.

use std::collections::{BTreeMap, BTreeSet};

use shared::error::{Error, Place, Result};

use super::{BenchmarkSet, Row, task_name};

/// From this ratio between two files on, the MAPE of one task is taken to be in two units.
const UNIT_JUMP: f64 = 20.0;

/// Which side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What is in use.
    Baseline,
    /// What wants to replace it.
    Candidate,
}

impl Side {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Candidate => "candidate",
        }
    }
}

/// One dataset and window on which both models have a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The dataset.
    pub dataset: String,
    /// The window, if the files have windows.
    pub window: Option<String>,
    /// The baseline's row.
    pub baseline: Row,
    /// The candidate's row.
    pub candidate: Row,
}

/// A dataset and window on which a side has no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The dataset.
    pub dataset: String,
    /// The window, if one is meant.
    pub window: Option<String>,
    /// The side without a row.
    pub missing_from: Side,
    /// Where the other side's row is, if it has one.
    pub other: Option<Place>,
}

impl Absent {
    /// Says it in a sentence: `candidate has no result for dataset "tsi" (it failed or was not run)`.
    pub fn sentence(&self) -> String {
        let task = task_name(&self.dataset, self.window.as_deref());
        let other = self.other.as_ref().map(|place| format!("; see {place}")).unwrap_or_default();
        format!("{} has no result for dataset {task:?} (it failed or was not run){other}", self.missing_from.name())
    }
}

/// What two models have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// What both have, sorted by dataset and window. A score in here may have failed.
    pub tasks: Vec<Task>,
    /// What only the baseline has: the candidate failed there or was not run.
    pub only_in_baseline: Vec<Absent>,
    /// What only the candidate has.
    pub only_in_candidate: Vec<Absent>,
    /// Required datasets on which at least one side has no row at all.
    pub missing_required: Vec<Absent>,
}

/// Pairs the rows of two models by dataset and window. `required` names datasets (`walmart`) or single windows
/// (`walmart@2012-05-11`) that must be there on both sides; what is absent is returned, for the gate to judge.
///
/// # Errors
/// If a model has no row at all, if nothing is in common, or if the files cannot be compared: a different number of test
/// rows for one task, or MAPE that jumps by a factor of 20 between two files for one task (the two models compared, or a model
/// that both files have), which says that the units differ.
pub fn pair(
    baseline: &BenchmarkSet,
    baseline_model: &str,
    candidate: &BenchmarkSet,
    candidate_model: &str,
    required: &[String],
) -> Result<Pairs> {
    let old = rows(baseline, baseline_model, Side::Baseline)?;
    let new = rows(candidate, candidate_model, Side::Candidate)?;
    let both: Vec<Key> = old.keys().filter(|key| new.contains_key(*key)).copied().collect();
    let pairs = both.iter().map(|key| (old[key], new[key]));
    if let Some(conflict) = pairs.chain(common_models(baseline, candidate)).find_map(|(a, b)| conflict(a, b)) {
        return Err(conflict.into_error());
    }
    if both.is_empty() {
        return Err(nothing_in_common(&old, &new));
    }
    Ok(Pairs {
        tasks: both.iter().map(|key| task(*key, old[key], new[key])).collect(),
        only_in_baseline: only_in(&old, &new, Side::Candidate),
        only_in_candidate: only_in(&new, &old, Side::Baseline),
        missing_required: missing_required(required, &old, &new),
    })
}

type Key<'a> = (&'a str, Option<&'a str>);
type Rows<'a> = BTreeMap<Key<'a>, &'a Row>;

fn rows<'a>(set: &'a BenchmarkSet, model: &'a str, side: Side) -> Result<Rows<'a>> {
    let rows: Rows<'a> = set.of_model(model).map(|row| ((row.dataset.as_str(), row.window.as_deref()), row)).collect();
    if !rows.is_empty() {
        return Ok(rows);
    }
    let files: Vec<String> = set.inputs.iter().map(|input| input.path.display().to_string()).collect();
    let found = format!("{}: no row of {} model {model:?}", files.join(", "), side.name());
    let known = format!("one of {}", set.models().join(", "));
    Err(Error::incomparable(found, known).with_help(
        "a model that failed writes no row: see the benchmark's own output, run it again, or correct the name",
    ))
}

fn task((dataset, window): Key<'_>, baseline: &Row, candidate: &Row) -> Task {
    let (dataset, window) = (dataset.to_owned(), window.map(str::to_owned));
    Task { dataset, window, baseline: baseline.clone(), candidate: candidate.clone() }
}

fn only_in(present: &Rows<'_>, other: &Rows<'_>, missing_from: Side) -> Vec<Absent> {
    let absent = present.iter().filter(|(key, _)| !other.contains_key(*key));
    absent
        .map(|((dataset, window), row)| Absent {
            dataset: (*dataset).to_owned(),
            window: window.map(str::to_owned),
            missing_from,
            other: Some(row.place.clone()),
        })
        .collect()
}

fn missing_required(required: &[String], old: &Rows<'_>, new: &Rows<'_>) -> Vec<Absent> {
    let find = |rows: &Rows<'_>, name: &str| {
        rows.iter()
            .find(|((dataset, window), _)| *dataset == name || task_name(dataset, *window) == name)
            .map(|(_, row)| row.place.clone())
    };
    let absent = |name: &String| {
        let sides =
            [(Side::Baseline, find(old, name), find(new, name)), (Side::Candidate, find(new, name), find(old, name))];
        let lacking = sides.into_iter().filter(|(_, own, _)| own.is_none());
        let (dataset, window) = shared::format::benchmark::split_window(name);
        let (dataset, window) = (dataset.to_owned(), window.map(str::to_owned));
        lacking
            .map(|(missing_from, _, other)| Absent {
                dataset: dataset.clone(),
                window: window.clone(),
                missing_from,
                other,
            })
            .collect::<Vec<_>>()
    };
    required.iter().flat_map(absent).collect()
}

fn nothing_in_common(old: &Rows<'_>, new: &Rows<'_>) -> Error {
    let names = |rows: &Rows<'_>| {
        let datasets: BTreeSet<&str> = rows.keys().map(|(dataset, _)| *dataset).collect();
        datasets.into_iter().take(5).collect::<Vec<_>>().join(", ")
    };
    let found =
        format!("no dataset and window in common: the baseline has {}, the candidate {}", names(old), names(new));
    Error::incomparable(found, "the same datasets").with_help("run both models on the same datasets and windows")
}

/// Rows of models that stand in both sets, from different files.
fn common_models<'a>(a: &'a BenchmarkSet, b: &'a BenchmarkSet) -> impl Iterator<Item = (&'a Row, &'a Row)> {
    let key = |row: &'a Row| (row.model.as_str(), row.dataset.as_str(), row.window.as_deref());
    let known: BTreeMap<_, &Row> = b.rows.iter().map(|row| (key(row), row)).collect();
    a.rows.iter().filter_map(move |row| Some((row, *known.get(&key(row))?)))
}

/// Why two rows for one task cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// A name that programs can rely on: `samples-differ` or `unit-jump`.
    pub rule: &'static str,
    /// Where the second row, or its value, stands.
    pub place: Place,
    /// What was found, with the place of the first row.
    pub found: String,
    /// What could be compared.
    pub expected: &'static str,
    /// The remedy.
    pub help: &'static str,
}

impl Conflict {
    fn into_error(self) -> Error {
        Error::incomparable(format!("{}: {}", self.place, self.found), self.expected).with_help(self.help)
    }
}

/// Whether two rows that are to be compared contradict each other.
pub fn conflict(a: &Row, b: &Row) -> Option<Conflict> {
    samples_differ(a, b).or_else(|| unit_jump(a, b))
}

/// Whether two rows for one task rest on different numbers of test rows.
pub fn samples_differ(a: &Row, b: &Row) -> Option<Conflict> {
    let (n_a, n_b) = (a.n_samples?, b.n_samples?);
    (n_a != n_b).then(|| Conflict {
        rule: "samples-differ",
        place: b.place.clone(),
        found: format!("dataset {:?} has n_samples {n_b} here and {n_a} in {}", b.task(), a.place),
        expected: "the same test rows for both",
        help: "the two were measured on different test sets: run both on the same one",
    })
}

/// Whether the MAPE of two rows from different files says that these have different units.
pub fn unit_jump(a: &Row, b: &Row) -> Option<Conflict> {
    let (mape_a, mape_b) = (a.mape_ratio.finite()?, b.mape_ratio.finite()?);
    let jumps = mape_a.min(mape_b) > 0.0 && mape_a.max(mape_b) / mape_a.min(mape_b) >= UNIT_JUMP;
    (jumps && a.place.path != b.place.path).then(|| Conflict {
        rule: "unit-jump",
        place: b.place.clone(),
        found: format!("mape of {:?} on {:?} is {:.4} % here and {:.4} % ({:?}) in {}", b.model, b.task(),
            100.0 * mape_b, 100.0 * mape_a, a.model, a.place),
        expected: "less than a factor of 20 between two files",
        help: "the files hold mape in two units (percent and fraction): rewrite one, or leave --mape-unit out so that each \
               file's unit is told from its numbers; a real difference of this size can be judged within one file",
    })
}
