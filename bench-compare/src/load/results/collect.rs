//! Rows into entries: names and keys become numbers, texts become scores, and what is neither becomes a problem.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use rustc_hash::FxBuildHasher;
use shared::error::Problem;
use shared::format::input::Input;
use shared::{Error, Place, Result};

use super::entry::{Entry, Seconds};
use super::key::{self, Part};
use super::layout::{Columns, Layout, Results, metric_names};
use super::source::{Row, Source, is_missing};
use super::{Options, family_stem};

/// A task as the rows name it; sorted and completed later.
#[derive(Debug, Clone)]
pub(super) struct RawTask {
    pub(super) key: Vec<Part>,
    pub(super) label: String,
    pub(super) family: String,
}

/// Everything that was read, over all files.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) layout: Option<Layout>,
    pub(super) metrics: Vec<String>,
    pub(super) key_names: Vec<String>,
    pub(super) inputs: Vec<Input>,
    pub(super) models: Vec<String>,
    pub(super) tasks: Vec<RawTask>,
    pub(super) entries: Vec<Entry>,
    /// For each metric, the score of each entry; NaN where it failed.
    pub(super) scores: Vec<Vec<f64>>,
    pub(super) training_seconds: Seconds,
    pub(super) inference_seconds: Seconds,
    /// What stood in place of a failed score, by (metric, entry).
    pub(super) failed: HashMap<(usize, usize), String>,
    /// Rows by file whose key was raised, and the first of them.
    pub(super) raised: BTreeMap<usize, (u64, u64)>,
    /// fev versions by file.
    pub(super) versions: BTreeMap<usize, BTreeSet<String>>,
    /// Fingerprints of the data by task.
    pub(super) fingerprints: HashMap<usize, BTreeSet<String>>,
    pub(super) problems: Vec<Problem>,
    model_numbers: HashMap<String, usize, FxBuildHasher>,
    /// Tasks by the text of their key, as written and in normal form.
    task_numbers: HashMap<String, (usize, bool), FxBuildHasher>,
    /// The text of the key of the present row.
    written: String,
}

/// What one file's rows are read with.
struct Reader<'a> {
    path: &'a PathBuf,
    file: usize,
    columns: &'a Columns,
    options: &'a Options,
}

impl Collected {
    /// Reads all rows of a file.
    ///
    /// # Errors
    /// If its layout is unknown or another than that of the files before, or reading stops midway.
    pub(super) fn add(&mut self, source: Source, options: &Options) -> Result<()> {
        let columns = Columns::find(&source, options)?;
        self.check_layout(&source, &columns, options)?;
        let path = source.path.clone();
        let reader = Reader { path: &path, file: self.inputs.len(), columns: &columns, options };
        let mut problems = Vec::new();
        let sha256 = source.for_each(|row| self.row(row, &reader), &mut problems)?;
        self.problems.append(&mut problems);
        self.inputs.push(Input { role: "results".to_owned(), path, sha256 });
        Ok(())
    }

    fn check_layout(&mut self, source: &Source, columns: &Columns, options: &Options) -> Result<()> {
        match self.layout {
            Some(known) if known == columns.layout => Ok(()),
            Some(known) => {
                let found = format!("a table in the {:?} layout after one in the {known:?} layout", columns.layout);
                Err(Error::input(Place::file(&source.path), found, "files of one layout"))
            }
            None => {
                self.layout = Some(columns.layout);
                self.metrics = metric_names(options, columns.layout);
                self.key_names.clone_from(&columns.key_names);
                self.scores = vec![Vec::new(); self.metrics.len()];
                Ok(())
            }
        }
    }

    fn row(&mut self, row: &Row<'_>, reader: &Reader<'_>) {
        let Some(task) = self.task(row, reader) else { return };
        match &reader.columns.results {
            Results::Long { model, metrics } => match row.raw(*model).filter(|name| !name.is_empty()) {
                Some(name) => self.result(row, reader, task, name, metrics),
                None => self.problem(row, reader, *model, "no model name".to_owned(), "one"),
            },
            Results::Wide { models } => {
                for (name, column) in models {
                    self.result(row, reader, task, name, &[*column]);
                }
            }
        }
    }

    /// One result: an entry, its scores, and what else the row says of it.
    fn result(&mut self, row: &Row<'_>, reader: &Reader<'_>, task: usize, name: &str, metrics: &[usize]) {
        let name = renamed(reader.options, name);
        if !wanted(reader.options, name) {
            return;
        }
        let model = self.model(name);
        let columns = reader.columns;
        let leaked = self.truth(row, reader, columns.leaked);
        let (training, inference) =
            (self.seconds(row, reader, columns.training), self.seconds(row, reader, columns.inference));
        for (metric, &column) in metrics.iter().enumerate() {
            let score = self.score(row, reader, metric, column);
            self.scores[metric].push(score);
        }
        self.training_seconds.set(self.entries.len(), training);
        self.inference_seconds.set(self.entries.len(), inference);
        self.entries.push(Entry::new((task, model, reader.file), row.line, leaked));
        self.provenance(row, reader, task);
    }

    /// The number of a model; rows of one model mostly follow each other.
    fn model(&mut self, name: &str) -> usize {
        if let Some(last) = self.entries.last().map(Entry::model).filter(|&last| self.models[last] == name) {
            return last;
        }
        if let Some(&known) = self.model_numbers.get(name) {
            return known;
        }
        self.models.push(name.to_owned());
        self.model_numbers.insert(name.to_owned(), self.models.len() - 1);
        self.models.len() - 1
    }

    /// The number of the row's task; a key that cannot be read is a problem.
    fn task(&mut self, row: &Row<'_>, reader: &Reader<'_>) -> Option<usize> {
        write_key(row, reader.columns, &mut self.written);
        let (task, raised) = match self.task_numbers.get(&self.written) {
            Some(&known) => known,
            None => self.new_spelling(row, reader)?,
        };
        if raised {
            self.raised.entry(reader.file).or_insert((0, row.line)).0 += 1;
        }
        self.check_family(row, reader, task);
        Some(task)
    }

    fn new_spelling(&mut self, row: &Row<'_>, reader: &Reader<'_>) -> Option<(usize, bool)> {
        let (key, raised) = self.normal_key(row, reader)?;
        let canonical = format!("\u{1e}{key:?}");
        let task = match self.task_numbers.get(&canonical) {
            Some(&(known, _)) => known,
            None => self.new_task(row, reader, key),
        };
        self.task_numbers.insert(canonical, (task, false));
        self.task_numbers.insert(self.written.clone(), (task, raised));
        Some((task, raised))
    }

    fn new_task(&mut self, row: &Row<'_>, reader: &Reader<'_>, key: Vec<Part>) -> usize {
        let texts: Vec<&str> = reader.columns.label.iter().filter_map(|&column| row.get(column)).collect();
        let label = if texts.is_empty() { format!("task {}", self.tasks.len() + 1) } else { texts.join("/") };
        let column = reader.columns.family.and_then(|column| row.get(column)).map(str::to_owned);
        let family = column.unwrap_or_else(|| family_stem(&label).to_owned());
        self.tasks.push(RawTask { key, label, family });
        self.tasks.len() - 1
    }

    fn normal_key(&mut self, row: &Row<'_>, reader: &Reader<'_>) -> Option<(Vec<Part>, bool)> {
        let mut raised = false;
        let mut parts = Vec::with_capacity(reader.columns.key.len());
        for &(column, kind) in &reader.columns.key {
            match key::normal(kind, column.and_then(|column| row.get(column))) {
                Ok(normal) => {
                    raised |= normal.raised;
                    parts.push(normal.part);
                }
                Err(expected) => {
                    self.unreadable(row, reader, column.unwrap_or_default(), expected);
                    return None;
                }
            }
        }
        Some((parts, raised))
    }

    fn check_family(&mut self, row: &Row<'_>, reader: &Reader<'_>, task: usize) {
        let Some(column) = reader.columns.family else { return };
        let known = &self.tasks[task].family;
        if let Some(text) = row.get(column).filter(|text| text != known) {
            let found = format!("task {:?} in family {text:?}, earlier in {known:?}", self.tasks[task].label);
            self.problem(row, reader, column, found, "one family for each task");
        }
    }

    fn score(&mut self, row: &Row<'_>, reader: &Reader<'_>, metric: usize, column: usize) -> f64 {
        let text = row.raw(column).unwrap_or_default();
        let value = if is_missing(text) { Ok(f64::NAN) } else { text.parse::<f64>() };
        match value {
            Ok(value) if value.is_finite() && value >= 0.0 => value,
            Ok(value) if value.is_finite() => {
                self.problem(row, reader, column, format!("a negative score: {text}"), "an error measure, 0 or more");
                f64::NAN
            }
            Ok(_) => self.fail(metric, text),
            Err(_) => {
                self.unreadable(row, reader, column, "a decimal");
                f64::NAN
            }
        }
    }

    fn fail(&mut self, metric: usize, text: &str) -> f64 {
        let found = if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        self.failed.insert((metric, self.entries.len()), found);
        f64::NAN
    }

    fn truth(&mut self, row: &Row<'_>, reader: &Reader<'_>, column: Option<usize>) -> Option<bool> {
        let column = column?;
        match row.get(column)? {
            "True" | "true" | "TRUE" | "1" | "1.0" => Some(true),
            "False" | "false" | "FALSE" | "0" | "0.0" => Some(false),
            _ => {
                self.unreadable(row, reader, column, "True or False");
                None
            }
        }
    }

    fn seconds(&mut self, row: &Row<'_>, reader: &Reader<'_>, column: Option<usize>) -> f64 {
        let Some((column, text)) = column.and_then(|column| Some((column, row.get(column)?))) else { return f64::NAN };
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => value,
            Ok(_) => f64::NAN,
            Err(_) => {
                self.unreadable(row, reader, column, "seconds as a decimal");
                f64::NAN
            }
        }
    }

    fn provenance(&mut self, row: &Row<'_>, reader: &Reader<'_>, task: usize) {
        if let Some(version) = reader.columns.fev_version.and_then(|column| row.get(column)) {
            let known = self.versions.entry(reader.file).or_default();
            if !known.contains(version) {
                known.insert(version.to_owned());
            }
        }
        if let Some(print) = reader.columns.fingerprint.and_then(|column| row.get(column)) {
            let known = self.fingerprints.entry(task).or_default();
            if !known.contains(print) {
                known.insert(print.to_owned());
            }
        }
    }

    fn unreadable(&mut self, row: &Row<'_>, reader: &Reader<'_>, column: usize, expected: &str) {
        let found = format!("{:?}", row.raw(column).unwrap_or_default());
        self.problem(row, reader, column, found, expected);
    }

    fn problem(&mut self, row: &Row<'_>, reader: &Reader<'_>, column: usize, found: String, expected: &str) {
        let place = Place::at(reader.path, row.line, column as u64 + 1);
        self.problems.push(Problem { place, found, expected: expected.to_owned() });
    }
}

fn write_key(row: &Row<'_>, columns: &Columns, text: &mut String) {
    text.clear();
    for (column, _) in &columns.key {
        text.push_str(column.and_then(|column| row.get(column)).unwrap_or("\u{1d}"));
        text.push('\u{1f}');
    }
}

fn renamed<'a>(options: &'a Options, name: &'a str) -> &'a str {
    options.rename.iter().find(|(written, _)| written == name).map_or(name, |(_, meant)| meant)
}

fn wanted(options: &Options, name: &str) -> bool {
    let listed = |names: &[String]| names.iter().any(|known| known == name);
    (options.include.is_empty() || listed(&options.include)) && !listed(&options.exclude)
}
