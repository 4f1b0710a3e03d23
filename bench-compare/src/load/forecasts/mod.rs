//! Forecast tables (format 4.3) in one streaming pass: CSV, Parquet or standard input to sums by series and cutoff.
//!
//! The table is Nixtla's `cross_validation` layout. Rows count only where the actual and *every* requested model are finite.
//! Memory is bounded by series times cutoffs; rows are not kept. Sums are made over fixed blocks that are added up in the
//! order of the file, so that the same file gives the same bits on any number of threads.
//!
//! What cannot be known is left out and counted in [`Checks`](shared::format::sufficient::Checks), never guessed:
//! - without a training table there is no scale and no last actual;
//! - a table without a cutoff column is taken as one window a series whose cutoff is unknown;
//! - `h`, where a slice or group asks for it and the table lacks it, is the number of forecast steps from cutoff to target.
//!
//! A target time that is twice in a window is an error. That no window has one is seen from the order of its rows; windows
//! whose rows do not come in order are read again and their times compared, in bounded memory.

mod args;
mod blocks;
mod cache;
mod csv;
mod duplicates;
mod fields;
mod fixed;
mod folder;
mod infer;
mod layout;
mod marks;
mod measure;
mod merge;
mod number;
mod opened;
mod ordered;
#[cfg(feature = "parquet")]
mod parquet;
mod part;
mod partial;
mod pass;
mod plain;
mod plan;
mod remembered;
mod row;
mod rows;
mod scan;
mod source;
mod steps;
mod sufficient;
mod sum;
mod sums;
mod tally;
mod time;
mod train;
mod watch;
mod window;

use std::path::PathBuf;

use shared::format::input::Input;
use shared::format::sufficient::{Measure, Sufficient};
use shared::{Error, Place, Result};

pub use args::{CacheArgs, TableArgs};
pub use cache::CacheRequest;
pub use layout::ColumnMap;
pub use measure::Direction;
pub use opened::Opened;
pub use rows::{ForecastRow, ForecastRows};
pub use sufficient::Statistics;

use merge::{GroupNames, Merger};
use part::Part;
use pass::Inputs;
use plan::Plan;
use remembered::Memory;
use steps::Steps;
use sum::Summing;
use time::Kind;

/// How finely sums are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// By series and cutoff: what clustered inference needs.
    #[default]
    Windows,
    /// By series: a panel then has one cell a series, its cutoff index 0. Asking for groups by cutoff makes it `Windows`.
    Series,
}

/// What is asked of a forecast table.
#[derive(Debug, Clone)]
pub struct Request {
    /// The table: one file or several with the same columns, one after the other. `-` is standard input.
    pub files: Vec<PathBuf>,
    /// Training table (`unique_id, ds, y`), for scales and last actuals.
    pub train: Option<PathBuf>,
    /// What the files call the four columns.
    pub columns: ColumnMap,
    /// The models; empty to infer them.
    pub models: Vec<String>,
    /// Columns that are no models, when models are inferred.
    pub covariates: Vec<String>,
    /// What to sum up.
    pub measures: Vec<Measure>,
    /// Predicates, as written: one group each.
    pub slices: Vec<String>,
    /// Columns: one group for each of their levels.
    pub by: Vec<String>,
    /// Lag of the seasonal differences in the scale.
    pub season: u32,
    /// What directional accuracy compares with.
    pub direction: Direction,
    /// Share of the rows that may be unpaired before the table is refused.
    pub max_unpaired: f64,
    /// Whether a row that repeats another one may be dropped.
    pub allow_identical_duplicates: bool,
    /// How finely sums are kept.
    pub detail: Detail,
    /// Threads; 0 for as many as there are cores.
    pub threads: usize,
    /// Whether the digests of the files are wanted. A cache makes them in any case.
    pub digests: bool,
    /// Where the sums of files are kept for the next run.
    pub cache: Option<CacheRequest>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            train: None,
            columns: ColumnMap::default(),
            models: Vec::new(),
            covariates: Vec::new(),
            measures: Vec::new(),
            slices: Vec::new(),
            by: Vec::new(),
            season: 1,
            direction: Direction::Last,
            max_unpaired: 0.05,
            allow_identical_duplicates: false,
            detail: Detail::Windows,
            threads: 0,
            digests: true,
            cache: None,
        }
    }
}

/// Whether a cell holds a time as forecast tables have it.
pub(crate) fn is_time(cell: &[u8]) -> bool {
    time::of_field(cell).is_some()
}

/// A table, summed, and the files that it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The sums.
    pub sufficient: Sufficient,
    /// Forecast tables, then the training table, with their digests; none where digests were not wanted.
    pub inputs: Vec<Input>,
    /// What is worth telling but no part of the result: it depends on what a cache knows.
    pub remarks: Vec<String>,
}

/// Opens and sums up a forecast table.
///
/// # Errors
/// If a file cannot be read or is malformed, if columns are absent, if rows are duplicates, if actuals differ, or if too many
/// rows are unpaired.
pub fn read(request: &Request) -> Result<Loaded> {
    Forecasts::open(request)?.read(request)
}

/// The files of a forecast table, opened, their columns known.
#[derive(Debug)]
pub struct Forecasts {
    parts: Vec<Part>,
    /// The part that tells columns, models and the kind of times.
    telling: usize,
    columns: Vec<String>,
    models: Vec<String>,
    notes: Vec<String>,
}

impl Forecasts {
    /// Opens the files and finds the models.
    ///
    /// # Errors
    /// If a file cannot be read, has no header, or no models are found.
    pub fn open(request: &Request) -> Result<Self> {
        if request.files.is_empty() {
            return Err(Error::usage("no forecast table", "at least one file"));
        }
        let parts = Part::all(&request.files)?;
        let telling = part::telling(&parts)?;
        let source = parts[telling].open()?;
        let of_file = infer::columns(&source)?;
        let of_paths = part::path_columns(&parts);
        let covariates = request.covariates.iter().chain(&of_paths).cloned().collect();
        let (models, notes) = infer::models(&source, &of_file, &Request { covariates, ..request.clone() })?;
        drop(source);
        let of_paths = of_paths.into_iter().filter(|name| !of_file.contains(name)).collect::<Vec<_>>();
        Ok(Self { parts, telling, columns: [of_file, of_paths].concat(), models, notes })
    }

    /// The columns of the first file, and those that the paths of files give.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The models: those asked for, or those found.
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// Takes a model that is no column for the column that `same` says is the same model under another name.
    pub fn rename_models(&mut self, same: impl Fn(&str, &str) -> bool) {
        for model in self.models.iter_mut().filter(|model| !self.columns.contains(model)) {
            if let Some(column) = self.columns.iter().find(|column| same(column, model)) {
                model.clone_from(column);
            }
        }
    }

    /// The levels, in percent, of the intervals that the models have, rising.
    pub fn levels(&self) -> Vec<f64> {
        let bounds = self.columns.iter().filter_map(|name| plan::bound_of(name));
        let of_models = bounds.filter(|(model, _, _)| self.models.iter().any(|known| known == model));
        let mut levels: Vec<f64> = of_models.map(|(_, _, level)| level).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        levels
    }

    /// The kind of the target times.
    fn kind(&self, plan: &Plan) -> Result<Kind> {
        let part = &self.parts[self.telling];
        let in_path = part.columns.iter().find(|column| column.name == plan.wanted.columns.ds);
        match in_path.and_then(|column| time::of_field(column.value.as_deref()?.as_bytes())) {
            Some((_, kind)) => Ok(kind),
            None => infer::kind(&*part.open()?, plan),
        }
    }

    /// Sums up the table.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(&self, request: &Request) -> Result<Loaded> {
        let mut notes = self.notes.clone();
        let wants_digests = request.digests || request.cache.is_some();
        let mut inputs = Inputs::new(&self.parts, request.threads, wants_digests);
        let mut plan = Plan::new(request, &self.models, &self.columns)?;
        plan.kind = self.kind(&plan)?;
        let train = request.train.as_deref().map(|path| pass::train(path, request, plan.kind)).transpose()?;
        let (history, train_input) = train.unzip();
        plan.train = history;
        let mut summing = Summing { memory: Memory::of(request), train: train_input.as_ref() };
        note_unknown(request, &plan, &mut notes);
        if plan.needs_steps() {
            plan.steps = Some(steps_of(&plan, &mut inputs, &mut summing)?);
        }
        let detail = if plan.by_window { Detail::Windows } else { request.detail };
        let merged = summing.sum(&mut inputs, &plan, detail)?;
        let again = duplicates::resolve(&mut inputs, &plan, &merged, request, &mut notes)?;
        let deduplicated = again.map(|skip| plan.without(skip));
        let merged = match &deduplicated {
            Some(plan) => summing.sum(&mut inputs, plan, detail)?,
            None => merged,
        };
        check_order(&merged, request)?;
        check_pairs(&merged, request)?;
        let names = GroupNames { slices: &request.slices, by: &request.by };
        let sufficient = merged.finish(&names, notes);
        let remarks = summing.memory.map(Memory::remarks).unwrap_or_default();
        Ok(Loaded { sufficient, inputs: inputs.digests().into_iter().chain(train_input).collect(), remarks })
    }
}

/// The grid of the table, from a pass over its times.
fn steps_of(plan: &Plan, inputs: &mut Inputs<'_>, summing: &mut Summing<'_>) -> Result<Steps> {
    Ok(Steps::of(&summing.sum(inputs, &plan.times_only(), Detail::Series)?.windows, plan.kind))
}

fn note_unknown(request: &Request, plan: &Plan, notes: &mut Vec<String>) {
    if !plan.wanted.has_cutoff {
        let name = &request.columns.cutoff;
        notes.push(format!("no column {name:?}: one window a series, its cutoff unknown"));
    }
    if plan.needs_steps() {
        notes.push("no column \"h\": steps ahead are counted from the cutoff, in a pass of their own".to_owned());
    }
    if plan.train.is_some() {
        notes.push(format!("scales are of the seasonal lag {}", request.season));
    }
}

/// Differences from row to row need rows in order.
fn check_order(merged: &Merger<'_>, request: &Request) -> Result<()> {
    let is_sorted = merged.windows.iter().all(|window| window.is_ordered);
    if request.direction == Direction::Last || is_sorted {
        return Ok(());
    }
    let error = Error::usage("--direction diff on rows that are not in the order of time", "each window in order");
    Err(error.with_help("sort the table by unique_id, cutoff and ds"))
}

/// Refuses a table of which too many rows are unpaired.
fn check_pairs(merged: &Merger<'_>, request: &Request) -> Result<()> {
    let checks = &merged.checks;
    let share = |rows: u64| 100.0 * rows as f64 / (checks.rows.max(1)) as f64;
    let lost = share(checks.rows - checks.paired);
    if checks.rows == 0 {
        let file = Place::file(request.files.first().cloned().unwrap_or_default());
        return Err(Error::input(file, "the forecast table has no rows", "at least one"));
    }
    if lost <= 100.0 * request.max_unpaired {
        return Ok(());
    }
    let by_model = merged.models().iter().zip(&checks.missing_forecast);
    let parts: Vec<String> = by_model.map(|(model, rows)| format!("{model} {:.1} %", share(*rows))).collect();
    let found = format!(
        "{lost:.1} % of the rows are unpaired: no actual in {:.1} %, no forecast of {}",
        share(checks.missing_actual),
        parts.join(", ")
    );
    let limit = format!("at most {} %", 100.0 * request.max_unpaired);
    Err(Error::incomparable(found, limit).with_help("leave out the model, or raise --max-unpaired"))
}
