//! What a pass over a forecast table computes, all names resolved.

use std::collections::HashSet;

use shared::Result;
use shared::format::sufficient::Measure;
use shared::predicate::{self, Compiled, Value};

use super::Request;
use super::layout::{ColumnMap, Wanted};
use super::measure::{Direction, MeasurePlan};
use super::row::{Extra, NO_CUTOFF, Row};
use super::steps::Steps;
use super::time::Kind;
use super::train::Train;

/// Where the value of a column that a slice or group names is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Id,
    Ds,
    Cutoff,
    Value(usize),
    Extra(usize),
    /// Steps after the cutoff, where the table has no column `h`.
    Horizon,
}

/// The name of the column of steps ahead, computed where the table lacks it.
pub(super) const HORIZON: &str = "h";

/// A pass over a forecast table.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) wanted: Wanted,
    pub(super) models: Vec<String>,
    pub(super) measures: Vec<MeasurePlan>,
    pub(super) slices: Vec<Compiled>,
    /// For each `--by` column that is not read off the windows, its place among `cells`.
    pub(super) by: Vec<usize>,
    pub(super) by_names: Vec<String>,
    pub(super) by_window: bool,
    pub(super) direction: Direction,
    pub(super) train: Option<Train>,
    pub(super) steps: Option<Steps>,
    pub(super) kind: Kind,
    /// Rows to leave out: file and place.
    pub(super) skip: HashSet<(usize, u64)>,
    pub(super) cells: Vec<Cell>,
}

/// Collects the columns that slices and groups name.
struct Names<'a> {
    header: &'a [String],
    wanted: Wanted,
    known: Vec<String>,
    cells: Vec<Cell>,
}

impl Names<'_> {
    fn resolve(&mut self, name: &str) -> Option<usize> {
        if let Some(known) = self.known.iter().position(|seen| seen == name) {
            return Some(known);
        }
        let cell = self.cell(name)?;
        self.known.push(name.to_owned());
        self.cells.push(cell);
        Some(self.cells.len() - 1)
    }

    fn cell(&mut self, name: &str) -> Option<Cell> {
        let columns = &self.wanted.columns;
        if name == columns.id {
            Some(Cell::Id)
        } else if name == columns.ds {
            Some(Cell::Ds)
        } else if self.wanted.has_cutoff && name == columns.cutoff {
            Some(Cell::Cutoff)
        } else if let Some(slot) = self.wanted.numbers.iter().position(|number| number == name) {
            Some(Cell::Value(slot))
        } else if self.header.iter().any(|column| column == name) {
            self.wanted.extras.push(name.to_owned());
            Some(Cell::Extra(self.wanted.extras.len() - 1))
        } else {
            (name == HORIZON && self.wanted.has_cutoff).then_some(Cell::Horizon)
        }
    }
}

impl Plan {
    /// Resolves a request against the header of its first file.
    ///
    /// # Errors
    /// For slices that do not parse and columns that are not there.
    pub(super) fn new(request: &Request, models: &[String], header: &[String]) -> Result<Self> {
        let has_cutoff = header.contains(&request.columns.cutoff);
        let mut numbers = vec![request.columns.y.clone()];
        numbers.extend(models.iter().cloned());
        let measures = request.measures.iter().map(|&measure| plan_measure(measure, models, header, &mut numbers));
        let measures = measures.collect();
        let columns = request.columns.clone();
        let wanted = Wanted { columns, has_id: true, has_ds: true, has_cutoff, numbers, extras: Vec::new() };
        let mut names = Names { header, wanted, known: Vec::new(), cells: Vec::new() };
        let slices = request.slices.iter().map(|slice| compile(slice, &mut names)).collect::<Result<_>>()?;
        let (by_names, by) = groups(request, &mut names)?;
        let by_window = request.by.contains(&request.columns.cutoff);
        let Names { wanted, cells, .. } = names;
        let direction = request.direction;
        let models = models.to_vec();
        let (train, steps, kind, skip) = (None, None, Kind::Naive, HashSet::new());
        Ok(Self {
            wanted,
            models,
            measures,
            slices,
            by,
            by_names,
            by_window,
            direction,
            train,
            steps,
            kind,
            skip,
            cells,
        })
    }

    /// The same pass without the rows in `skip`.
    pub(super) fn without(&self, skip: HashSet<(usize, u64)>) -> Self {
        Self { skip, ..self.clone() }
    }

    /// A pass that sums nothing: it only sees the windows.
    pub(super) fn times_only(&self) -> Self {
        let (measures, slices, by, by_names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { measures, slices, by, by_names, train: None, direction: Direction::Last, ..self.clone() }
    }

    /// Whether steps ahead must be computed.
    pub(super) fn needs_steps(&self) -> bool {
        self.cells.contains(&Cell::Horizon)
    }

    /// Values in a row.
    pub(super) fn width(&self) -> usize {
        self.wanted.numbers.len()
    }

    /// A row as slices see it.
    pub(super) fn view<'r>(&'r self, row: Row<'r>) -> View<'r> {
        View { plan: self, row }
    }
}

/// The columns of the groups that are not read off the windows: names, and places among the cells.
fn groups(request: &Request, names: &mut Names<'_>) -> Result<(Vec<String>, Vec<usize>)> {
    let ColumnMap { id, cutoff, .. } = &request.columns;
    let by_row = request.by.iter().filter(|name| *name != id && *name != cutoff);
    let resolved = by_row.map(|name| match names.resolve(name) {
        Some(place) => Ok((name.clone(), place)),
        None => Err(shared::Error::usage(format!("--by: no column {name:?}"), "a column of the table")),
    });
    Ok(resolved.collect::<Result<Vec<_>>>()?.into_iter().unzip())
}

fn compile(slice: &str, names: &mut Names<'_>) -> Result<Compiled> {
    let parsed = predicate::parse(slice)?;
    let error = match parsed.bind(|name| names.resolve(name)) {
        Ok(compiled) => return Ok(compiled),
        Err(error) => error,
    };
    // The same question to the header alone adds what the name may have been meant to be.
    Err(parsed.bind_to(names.header).err().unwrap_or(error))
}

fn plan_measure(measure: Measure, models: &[String], header: &[String], numbers: &mut Vec<String>) -> MeasurePlan {
    let (Measure::IntervalHit { level } | Measure::IntervalPinball { level }) = measure else {
        return MeasurePlan { measure, bounds: vec![None; models.len()] };
    };
    let bounds = models.iter().map(|model| {
        let [low, high] = ["lo", "hi"].map(|side| bound_column(header, model, side, level));
        Some(place_of(numbers, low?, high?))
    });
    MeasurePlan { measure, bounds: bounds.collect() }
}

/// The place of the two bounds among the numbers, which get them if they lack them.
fn place_of(numbers: &mut Vec<String>, low: &str, high: &str) -> usize {
    let known = numbers.windows(2).position(|pair| pair[0] == low && pair[1] == high);
    known.unwrap_or_else(|| {
        numbers.extend([low.to_owned(), high.to_owned()]);
        numbers.len() - 2
    })
}

fn bound_column<'h>(header: &'h [String], model: &str, side: &str, level: f64) -> Option<&'h str> {
    header.iter().map(String::as_str).find(|name| bound_of(name).is_some_and(|bound| bound == (model, side, level)))
}

/// Model, side and level of an interval column: `LightGBM-lo-90` is (`LightGBM`, `lo`, 90).
pub(super) fn bound_of(name: &str) -> Option<(&str, &str, f64)> {
    let (rest, level) = name.rsplit_once('-')?;
    let (model, side) = rest.rsplit_once('-')?;
    let level: f64 = level.parse().ok()?;
    let is_bound = matches!(side, "lo" | "hi") && level > 0.0 && level < 100.0;
    is_bound.then_some((model, side, level))
}

/// A row as slices and groups see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'r> {
    plan: &'r Plan,
    row: Row<'r>,
}

impl predicate::Row for View<'_> {
    fn value(&self, column: usize) -> Value<'_> {
        match self.plan.cells[column] {
            Cell::Id => Value::Text(text(self.row.id())),
            Cell::Ds => self.time(self.row.ds()),
            Cell::Cutoff => self.time(self.row.cutoff()),
            Cell::Value(slot) => Value::Number(self.row.value(slot)),
            Cell::Extra(slot) => match self.row.extra(slot) {
                Extra::Null => Value::Null,
                Extra::Number(number) => Value::Number(*number),
                Extra::Time(micros) => Value::Time(*micros),
                Extra::Text(bytes) => Value::of_field(text(bytes)),
            },
            Cell::Horizon => self
                .plan
                .steps
                .map_or(Value::Null, |steps| Value::Number(steps.between(self.row.cutoff(), self.row.ds()).round())),
        }
    }
}

impl View<'_> {
    fn time(&self, value: i64) -> Value<'_> {
        match self.plan.kind {
            _ if value == NO_CUTOFF => Value::Null,
            Kind::Integer => Value::Number(value as f64),
            Kind::Naive | Kind::Offset => Value::Time(value),
        }
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("\u{FFFD}")
}
