//! Benchmark files (format 4.1) as the gate reads them: one unit, one identity for each model, no duplicates, and failed
//! results that stay visible.

mod duplicates;
mod pair;

use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;
use shared::error::{Error, Place, Result};
use shared::format::benchmark::{self as format, File, MapeUnit, Measure, UnitGuess, ZERO_ACTUALS_MAPE_RATIO};
use shared::format::input::Input;
use shared::{digest, format::json};

use super::input;

pub use pair::{Absent, Conflict, Pairs, Side, Task, conflict, pair, samples_differ, unit_jump};

/// What to do with several rows for one model, dataset and window. Reruns append, so that they occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Duplicates {
    /// Refuse them
    #[default]
    Refuse,
    /// Drop rows that are equal in every value, refuse others
    Identical,
    /// Keep the last: files in the order given, rows in file order
    Last,
    /// The mean of each measure over the reruns
    Mean,
}

/// How benchmark files are read.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The unit of `mape` in all files; told from each file's numbers, with a note, where it is not stated.
    pub mape_unit: Option<MapeUnit>,
    /// What to do with several rows for one task.
    pub duplicates: Duplicates,
    /// The models that will be compared: duplicates of others are no error (the last counts). Empty: all models.
    pub models: Vec<String>,
    /// What a file calls a model, and its one name: from `[models]` in `promotion.toml`.
    pub names: BTreeMap<String, String>,
}

impl Options {
    /// The one name of a model.
    fn canonical<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name).map_or(name, String::as_str)
    }
}

/// A measured value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Score {
    /// A number.
    Finite(f64),
    /// The result failed: it never wins and never reaches a statistic.
    Failed {
        /// What the file has: `NaN`, `Infinity`, `null`, `absent`, `not measured`.
        text: String,
        /// Where.
        place: Place,
    },
    /// A MAPE that zero actuals inflate (the class divides by max(|y|, 1e-8)): no percentage gate can use it.
    Inflated {
        /// The ratio.
        ratio: f64,
        /// Where.
        place: Place,
    },
}

impl Score {
    /// The number, if it can be used.
    pub fn finite(&self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(*value),
            _ => None,
        }
    }

    fn of(measure: &Measure, path: &Path) -> Self {
        match measure.finite() {
            Some(value) => Self::Finite(value),
            None => Self::Failed { text: measure.text.clone(), place: measure.at.of(path) },
        }
    }

    fn of_mape(measure: &Measure, path: &Path, unit: MapeUnit) -> Self {
        match Self::of(measure, path) {
            Self::Finite(value) if unit.ratio(value) > ZERO_ACTUALS_MAPE_RATIO => {
                Self::Inflated { ratio: unit.ratio(value), place: measure.at.of(path) }
            }
            Self::Finite(value) => Self::Finite(unit.ratio(value)),
            failed => failed,
        }
    }
}

/// The result of one model on one dataset and window.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Where the row begins.
    pub place: Place,
    /// The model's one name.
    pub model: String,
    /// The dataset without its window.
    pub dataset: String,
    /// The window, if the name holds one (`walmart@2012-05-11`).
    pub window: Option<String>,
    /// Mean absolute percentage error as a proportion.
    pub mape_ratio: Score,
    /// Root mean squared error.
    pub rmse: Score,
    /// Mean absolute error.
    pub mae: Score,
    /// Seconds of fitting, one run on one machine.
    pub training_seconds: Score,
    /// Seconds of predicting.
    pub prediction_seconds: Score,
    /// Rows of the test set, if the file says.
    pub n_samples: Option<u64>,
    /// Columns of the test set, if the file says.
    pub n_features: Option<u64>,
    /// Hyperparameters as Python would print them: part of what makes two rows identical.
    pub params: Option<String>,
}

impl Row {
    pub(crate) fn of(row: &format::Row, path: &Path, unit: MapeUnit, options: &Options) -> Self {
        let (dataset, window) = row.task();
        let score = |measure| Score::of(measure, path);
        Self {
            place: row.place.clone(),
            model: options.canonical(&row.model_name).to_owned(),
            dataset: dataset.to_owned(),
            window: window.map(str::to_owned),
            mape_ratio: Score::of_mape(&row.mape, path, unit),
            rmse: score(&row.rmse),
            mae: score(&row.mae),
            training_seconds: score(&row.training_time),
            prediction_seconds: score(&row.prediction_time),
            n_samples: row.n_samples,
            n_features: row.n_features,
            params: row.params.as_ref().map(json::to_python),
        }
    }

    /// Dataset and window in one word, as files write them.
    pub fn task(&self) -> String {
        task_name(&self.dataset, self.window.as_deref())
    }
}

/// Dataset and window in one word, as files write them.
pub fn task_name(dataset: &str, window: Option<&str>) -> String {
    window.map_or_else(|| dataset.to_owned(), |window| format!("{dataset}@{window}"))
}

/// The rows of one or more benchmark files, ready to be compared.
#[derive(Debug, Clone)]
pub struct BenchmarkSet {
    /// The rows: files in the order given, rows in file order.
    pub rows: Vec<Row>,
    /// What a person should know of the files, each with its place: to be printed and kept in the verdict.
    pub notes: Vec<String>,
    /// The files with their digests.
    pub inputs: Vec<Input>,
    names: BTreeMap<String, String>,
}

impl BenchmarkSet {
    /// The rows of a model, by any of its names.
    pub fn of_model<'a>(&'a self, model: &'a str) -> impl Iterator<Item = &'a Row> {
        let name = self.names.get(model).map_or(model, String::as_str);
        self.rows.iter().filter(move |row| row.model == name)
    }

    /// All models, sorted.
    pub fn models(&self) -> Vec<&str> {
        let mut models: Vec<&str> = self.rows.iter().map(|row| row.model.as_str()).collect();
        models.sort_unstable();
        models.dedup();
        models
    }
}

/// Reads the benchmark files that `inputs` name (paths, `-`, `mlflow:RUN_ID`); `role` is what they are used as.
///
/// # Errors
/// If a file cannot be read or used, if its unit cannot be told, or if duplicates are refused; each with its place.
pub fn read(role: &str, inputs: &[String], options: &Options) -> Result<BenchmarkSet> {
    let mut set =
        BenchmarkSet { rows: Vec::new(), notes: Vec::new(), inputs: Vec::new(), names: options.names.clone() };
    for input in inputs {
        let source = input::resolve(input)?;
        let (path, bytes) = (source.name(), source.read()?);
        set.inputs.push(Input { role: role.to_owned(), path: path.clone(), sha256: digest::of_bytes(&bytes) });
        add_file(&mut set, &format::examine(&path, &bytes).into_file()?, options)?;
    }
    set.rows = duplicates::resolve(std::mem::take(&mut set.rows), options, &mut set.notes)?;
    Ok(set)
}

/// Findings that [`add_file`] or [`duplicates`] word themselves.
const HANDLED_RULES: [&str; 3] = ["mape-fraction", "mape-unit", "duplicate-row"];

fn add_file(set: &mut BenchmarkSet, file: &File, options: &Options) -> Result<()> {
    let unit = unit(file, options.mape_unit, &mut set.notes)?;
    set.rows.extend(file.rows.iter().map(|row| Row::of(row, &file.path, unit, options)));
    let findings = file.findings.iter().filter(|finding| !HANDLED_RULES.contains(&finding.rule));
    set.notes.extend(findings.map(|finding| finding.problem.to_string()));
    Ok(())
}

fn unit(file: &File, stated: Option<MapeUnit>, notes: &mut Vec<String>) -> Result<MapeUnit> {
    if let Some(unit) = stated {
        return Ok(unit);
    }
    let path = file.path.display();
    match format::guess_unit(&file.rows) {
        UnitGuess::Nothing => Ok(MapeUnit::Percent),
        UnitGuess::Likely { unit, least, most } => {
            let name = unit.name();
            notes.push(format!("{path}: mape is read as {name} ({least} to {most}); say --mape-unit to be sure"));
            Ok(unit)
        }
        UnitGuess::Unclear { least, most } => {
            let found = format!("mape is neither clearly percent nor a fraction ({least} to {most})");
            let place = file.rows.first().map_or_else(|| Place::file(&file.path), |row| row.mape.at.of(&file.path));
            Err(Error::input(place, found, "one unit").with_help("say --mape-unit percent or --mape-unit fraction"))
        }
    }
}
