//! Sufficient statistics (format 4.10) in place of a forecast table: what an engine made of it with the query of
//! `bench-compare sql`.
//!
//! The cells become the sums of one block, and from there on nothing differs from a table of forecasts. Before that they are
//! doubted: each cell by itself, groups against all rows, and all cells against the row of totals, so that a lost part file
//! or a changed number is refused. Cells are sorted first: engines give rows in any order, and the same rows give the same bits.

mod cell;
mod check;
mod files;
mod fill;
mod shape;
mod statistics;
mod whole;

use std::path::PathBuf;

use shared::format::input::Input;
use shared::format::sufficient::Measure;
use shared::{Error, Result, suggest};

use super::infer;
use super::merge::GroupNames;
use super::part::Part;
use super::pass::Inputs;
use super::plan::Plan;
use super::{Detail, Loaded, Request};
use crate::sql::Header;
use check::Checker;
use fill::Fill;
use shape::Shape;

/// The files of a result, opened, their query known.
#[derive(Debug)]
pub struct Statistics {
    parts: Vec<Part>,
    header: Header,
    models: Vec<String>,
    threads: usize,
}

impl Statistics {
    /// Opens the files, and those of folders, and reads what query made them.
    ///
    /// # Errors
    /// If a file cannot be read, or the files are not of one query.
    pub fn open(files: &[PathBuf], request: &Request) -> Result<Self> {
        let parts = files::parts(files)?;
        let header = statistics::header(&parts, request.threads)?;
        let models = if request.models.is_empty() { header.models.clone() } else { request.models.clone() };
        Ok(Self { parts, header, models, threads: request.threads })
    }

    /// The models: those asked for, or those of the query.
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// As [`super::Forecasts::rename_models`].
    pub fn rename_models(&mut self, same: impl Fn(&str, &str) -> bool) {
        for model in self.models.iter_mut().filter(|model| !self.header.models.contains(model)) {
            if let Some(column) = self.header.models.iter().find(|column| same(column, model)) {
                model.clone_from(column);
            }
        }
    }

    /// The level of the intervals, in percent, if the query has any.
    pub fn levels(&self) -> Vec<f64> {
        self.header.level.into_iter().collect()
    }

    /// Whether the query summed up all of these.
    pub fn has(&self, mut measures: impl Iterator<Item = Measure>) -> bool {
        measures.all(|measure| self.header.measures.contains(&measure))
    }

    /// The seasonal lag of the scales, if there are any.
    pub fn season(&self) -> Option<u32> {
        self.header.train.as_ref().map(|_| self.header.season)
    }

    /// The request with what the query has settled: columns, history, season, direction.
    #[must_use]
    pub fn settled(&self, request: &Request) -> Request {
        Request {
            columns: self.header.columns.map(),
            train: self.header.train.as_ref().map(PathBuf::from),
            season: self.header.season,
            direction: self.header.direction,
            ..request.clone()
        }
    }

    /// Reads the sums.
    ///
    /// # Errors
    /// If the files are malformed, incomplete or contradict themselves, do not hold what is asked for, or say that the table
    /// has duplicates, too many unpaired rows, or other faults for which a forecast table is refused.
    pub fn read(&self, request: &Request) -> Result<Loaded> {
        let request = self.settled(request);
        let models = self.places(&request)?;
        let shape = Shape::new(self.header.clone());
        let mut inputs = Inputs::new(&self.parts, self.threads, request.digests);
        let (cells, kind) = cell::read(&mut inputs, &shape)?;
        let checker = Checker { shape: &shape, parts: &self.parts, kind };
        let cells = whole::check(cells, &checker)?;
        checker.cells(&cells)?;
        let mut plan = Plan::new(&request, &self.models, &self.header.table_columns()?)?;
        plan.kind = kind;
        let detail = if plan.by_window { Detail::Windows } else { request.detail };
        let merged = Fill { plan: &plan, shape: &shape, request: &request, detail, models }.merged(&cells);
        super::check_pairs(&merged, &Request { files: self.paths(), ..request.clone() })?;
        let names = GroupNames { slices: &request.slices, by: &request.by };
        let sufficient = merged.finish(&names, self.notes());
        Ok(Loaded { sufficient, inputs: self.inputs(&inputs), remarks: Vec::new() })
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.parts.iter().map(|part| part.path.clone()).collect()
    }

    fn inputs(&self, read: &Inputs<'_>) -> Vec<Input> {
        read.digests().into_iter().map(|input| Input { role: "sufficient".to_owned(), ..input }).collect()
    }

    fn notes(&self) -> Vec<String> {
        let header = &self.header;
        let mut notes = vec![format!("summed up by {} from {}", engine(header), header.table)];
        if header.columns.cutoff.is_none() {
            notes.push("no cutoffs: one window a series, its cutoff unknown".to_owned());
        }
        if let Some(train) = &header.train {
            notes.push(format!("scales are of the seasonal lag {}, from {train}", header.season));
        }
        notes
    }

    /// The place in the file of each model asked for; refuses what the query did not sum up.
    fn places(&self, request: &Request) -> Result<Vec<usize>> {
        self.check_models()?;
        let header = &self.header;
        if let Some(measure) = request.measures.iter().find(|measure| !header.measures.contains(measure)) {
            let found = format!("no sums of {}", crate::sql::columns::measure_name(*measure));
            return Err(self.not_asked(found, "--metrics (and --train, --level) of all metrics"));
        }
        let slices = request.slices.iter().find(|slice| !header.slices.contains(slice));
        if let Some(slice) = slices {
            return Err(self.not_asked(format!("no slice {slice:?}"), "--slice as the gate has it, to the letter"));
        }
        let is_there =
            |name: &String| header.by.contains(name) || *name == request.columns.id || *name == request.columns.cutoff;
        if let Some(column) = request.by.iter().find(|name| !is_there(name)) {
            return Err(self.not_asked(format!("no levels of {column:?}"), "--by with that column"));
        }
        let place = |model: &String| header.models.iter().position(|known| known == model);
        Ok(self.models.iter().filter_map(place).collect())
    }

    /// Rows are paired over all models of the query, so that any other set of models would have other rows.
    fn check_models(&self) -> Result<()> {
        let known = &self.header.models;
        if let Some(model) = self.models.iter().find(|model| !known.contains(model)) {
            let near = suggest::nearest(model, known.iter().map(String::as_str));
            let meant = near.map_or_else(|| known.join(", "), |near| format!("did you mean {near:?}?"));
            return Err(self.not_asked(format!("no model {model:?}: {meant}"), "--models with that model"));
        }
        match known.iter().find(|model| !self.models.contains(model)) {
            Some(other) => Err(self.not_asked(
                format!("rows were left out where {other:?} has no forecast, which is not asked for"),
                "--models with the models that are compared, and no others",
            )),
            None => Ok(()),
        }
    }

    fn not_asked(&self, found: String, flags: &str) -> Error {
        let path = self.parts.first().map(|part| part.path.display().to_string()).unwrap_or_default();
        Error::incomparable(format!("{path}: {found}"), format!("a query that was printed with {flags}"))
            .with_help("print the query again with `bench-compare sql` and run it")
    }
}

fn engine(header: &Header) -> String {
    serde_json::to_value(header.dialect).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The columns of a file.
fn names(part: &Part) -> Result<Vec<String>> {
    infer::columns(&*part.open()?)
}
