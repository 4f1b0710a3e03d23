//! What only shows across benchmark files, or against what must be there.

use std::collections::{BTreeMap, BTreeSet};

use shared::error::{Place, Problem};
use shared::format::benchmark::{Finding, MapeUnit, Severity, UnitGuess, guess_unit};

use crate::load::benchmark::{Conflict, Options, Row, samples_differ, unit_jump};

use super::{Args, Looked};

/// Adds the findings of all files together to the file that each speaks about.
pub(super) fn check(files: &mut [Looked], args: &Args) {
    let rows: Vec<Vec<Row>> = files.iter().map(|file| rows(file, args)).collect();
    let conflicts = conflicts(&rows);
    for (file, rows) in files.iter_mut().zip(&rows) {
        let own = conflicts.iter().filter(|finding| finding.problem.place.path == file.path);
        file.findings.extend(own.cloned());
        file.findings.extend(missing_datasets(file, rows, &args.require_dataset));
    }
    missing_models(files, &rows, &args.require_model);
}

fn rows(file: &Looked, args: &Args) -> Vec<Row> {
    let Some(examined) = &file.benchmark else { return Vec::new() };
    let guessed = match guess_unit(&examined.rows) {
        UnitGuess::Likely { unit, .. } => unit,
        _ => MapeUnit::Percent,
    };
    let unit = args.mape_unit.map_or(guessed, Into::into);
    examined.rows.iter().map(|row| Row::of(row, &file.path, unit, &Options::default())).collect()
}

/// For each dataset and window: rows that contradict the first one of another file, in the number of test rows or, for the
/// same model, in the unit of MAPE.
fn conflicts(rows: &[Vec<Row>]) -> Vec<Finding> {
    let mut known: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    let mut found = Vec::new();
    for row in rows.iter().flatten() {
        let earlier = known.entry(row.task()).or_default();
        let others = || earlier.iter().filter(|other| other.place.path != row.place.path);
        let samples = others().find_map(|other| samples_differ(other, row));
        let unit = others().filter(|other| other.model == row.model).find_map(|other| unit_jump(other, row));
        found.extend(samples.into_iter().chain(unit).map(finding));
        earlier.push(row);
    }
    found
}

fn finding(conflict: Conflict) -> Finding {
    let problem = Problem { place: conflict.place, found: conflict.found, expected: conflict.expected.to_owned() };
    Finding { rule: conflict.rule, severity: Severity::Error, problem, help: conflict.help.to_owned() }
}

fn missing(place: Place, found: String, expected: &str) -> Finding {
    let problem = Problem { place, found, expected: expected.to_owned() };
    let help = "it failed or was not run: the class prints why and writes no row; see its output and run it again";
    Finding { rule: "missing-required", severity: Severity::Error, problem, help: help.to_owned() }
}

fn missing_datasets(file: &Looked, rows: &[Row], required: &[String]) -> Vec<Finding> {
    let models: BTreeSet<&str> = rows.iter().map(|row| row.model.as_str()).collect();
    let has = |model: &str, name: &str| {
        rows.iter().any(|row| row.model == model && (row.dataset == name || row.task() == name))
    };
    let lacking = models.into_iter().flat_map(|model| required.iter().map(move |name| (model, name)));
    lacking
        .filter(|(model, name)| !has(model, name))
        .map(|(model, name)| {
            let found = format!("model {model:?} has no row for the required dataset {name:?}");
            missing(Place::line(&file.path, 1), found, "a row")
        })
        .collect()
}

/// A required model may stand in any of the files; its absence is said of the first benchmark file.
fn missing_models(files: &mut [Looked], rows: &[Vec<Row>], required: &[String]) {
    let known: BTreeSet<&str> = rows.iter().flatten().map(|row| row.model.as_str()).collect();
    let Some(file) = files.iter_mut().find(|file| file.benchmark.is_some()) else { return };
    for model in required.iter().filter(|model| !known.contains(model.as_str())) {
        let found = format!("no row of the required model {model:?}");
        file.findings.push(missing(Place::line(&file.path, 1), found, "at least one"));
    }
}
