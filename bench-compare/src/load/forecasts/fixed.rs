//! The columns that a file's path gives, put into its rows.

use std::borrow::Cow;

use shared::predicate::Value;
use shared::{Error, Place, Result};

use super::blocks::Findings;
use super::layout::Wanted;
use super::number;
use super::part::Part;
use super::row::{Extra, Problems, Row, Sink, Stretch};
use super::time::{self, Kind};

/// A value from the path; where the file has the column too, its rows must agree.
#[derive(Debug, Clone)]
struct Given<T> {
    value: T,
    in_file: bool,
}

/// Where a cell comes from.
#[derive(Debug, Clone)]
enum Cell {
    File(usize),
    Path(Option<String>),
    /// The path, and the file says the same.
    Both(usize, Option<String>),
}

/// What the path of a file says of its rows.
#[derive(Debug, Clone)]
pub(super) struct Fixed {
    /// What is left to be read from the file.
    pub(super) wanted: Wanted,
    id: Option<Given<String>>,
    ds: Option<Given<i64>>,
    cutoff: Option<Given<i64>>,
    extras: Vec<Cell>,
    kinds: Vec<Kind>,
}

/// The value of a column in the path of a part, and whether its file has the column too.
struct Lookup<'a> {
    part: &'a Part,
    header: &'a [String],
}

impl<'a> Lookup<'a> {
    fn value(&self, name: &str) -> Option<(Option<&'a str>, bool)> {
        let column = self.part.columns.iter().find(|column| column.name == name)?;
        Some((column.value.as_deref(), self.header.iter().any(|known| known == name)))
    }

    fn refuse(&self, name: &str, what: &str, expected: &str) -> Error {
        Error::input(Place::file(&self.part.path), format!("column {name:?} {what} in the path"), expected)
    }

    fn text(&self, name: &str) -> Result<Option<Given<String>>> {
        let Some((value, in_file)) = self.value(name) else { return Ok(None) };
        let value = value.ok_or_else(|| self.refuse(name, "is missing", "a series"))?;
        Ok(Some(Given { value: value.to_owned(), in_file }))
    }

    fn time(&self, name: &str, kinds: &mut Vec<Kind>) -> Result<Option<Given<i64>>> {
        let Some((value, in_file)) = self.value(name) else { return Ok(None) };
        let read = value.and_then(|value| time::of_field(value.as_bytes()));
        let (value, kind) =
            read.ok_or_else(|| self.refuse(name, "is not a time", "a date, a time or a whole number"))?;
        kinds.push(kind);
        Ok(Some(Given { value, in_file }))
    }
}

impl Fixed {
    /// Divides what is wanted between the path and the file with this header.
    ///
    /// # Errors
    /// If the path gives numbers that are to be read from rows, or no time or series where one is needed.
    pub(super) fn new(part: &Part, header: &[String], wanted: &Wanted) -> Result<Self> {
        let lookup = Lookup { part, header };
        if let Some(name) = wanted.numbers.iter().find(|name| lookup.value(name).is_some()) {
            return Err(lookup.refuse(name, "is", "actuals and forecasts in the rows"));
        }
        let (names, mut kinds) = (&wanted.columns, Vec::new());
        let id = lookup.text(&names.id)?;
        let ds = lookup.time(&names.ds, &mut kinds)?;
        if id.is_some() && ds.is_some() {
            return Err(lookup.refuse(&names.ds, "and the series are", "one of them in the rows"));
        }
        let cutoff = if wanted.has_cutoff { lookup.time(&names.cutoff, &mut kinds)? } else { None };
        let (extras, of_file) = cells(&wanted.extras, &lookup);
        let wanted = Wanted {
            has_id: is_read(id.as_ref()),
            has_ds: is_read(ds.as_ref()),
            has_cutoff: wanted.has_cutoff && is_read(cutoff.as_ref()),
            extras: of_file,
            ..wanted.clone()
        };
        Ok(Self { wanted, id, ds, cutoff, extras, kinds })
    }

    /// Tells which kinds of time the path has.
    pub(super) fn note_kinds(&self, part: &Part, findings: &mut Findings) {
        self.kinds.iter().for_each(|&kind| findings.note(kind, Place::line(&part.path, 1)));
    }

    /// The column in which a row says something else than the path.
    fn contradiction<'w>(&'w self, row: &Row<'_>) -> Option<&'w str> {
        let names = &self.wanted.columns;
        let of_time = |given: &Option<Given<i64>>, time: i64| {
            given.as_ref().is_some_and(|given| given.in_file && given.value != time)
        };
        if self.id.as_ref().is_some_and(|given| given.in_file && given.value.as_bytes() != row.id()) {
            Some(&names.id)
        } else if of_time(&self.ds, row.ds()) {
            Some(&names.ds)
        } else if of_time(&self.cutoff, row.cutoff()) {
            Some(&names.cutoff)
        } else {
            self.extras.iter().find_map(|cell| match cell {
                Cell::Both(slot, value) if !agrees(value.as_deref(), row.extra(*slot)) => {
                    Some(self.wanted.extras[*slot].as_str())
                }
                _ => None,
            })
        }
    }

    /// Whether the file has a column of its path too.
    fn is_twice(&self) -> bool {
        let in_file = |given: &Option<Given<i64>>| given.as_ref().is_some_and(|given| given.in_file);
        self.id.as_ref().is_some_and(|given| given.in_file)
            || in_file(&self.ds)
            || in_file(&self.cutoff)
            || self.extras.iter().any(|cell| matches!(cell, Cell::Both(..)))
    }
}

fn is_read<T>(given: Option<&Given<T>>) -> bool {
    given.is_none_or(|given| given.in_file)
}

/// The source of each extra cell, and the names of those that the file has.
fn cells(names: &[String], lookup: &Lookup<'_>) -> (Vec<Cell>, Vec<String>) {
    let mut of_file = Vec::new();
    let mut read = |name: &String| {
        of_file.push(name.clone());
        of_file.len() - 1
    };
    let cell = |name: &String| match lookup.value(name) {
        None => Cell::File(read(name)),
        Some((value, false)) => Cell::Path(value.map(str::to_owned)),
        Some((value, true)) => Cell::Both(read(name), value.map(str::to_owned)),
    };
    let cells = names.iter().map(cell).collect();
    (cells, of_file)
}

/// Whether a cell of a row is the value of the path: the same number, the same time or the same text.
fn agrees(path: Option<&str>, cell: &Extra<'_>) -> bool {
    match (path.map(Value::of_field), cell) {
        (None | Some(Value::Null), Extra::Null) => true,
        (None | Some(Value::Null), Extra::Number(number)) => number.is_nan(),
        (Some(Value::Text(text)), Extra::Number(number)) => number::of_field(text.as_bytes()) == Some(*number),
        (Some(Value::Text(text)), Extra::Time(time)) => {
            time::of_field(text.as_bytes()).is_some_and(|(known, _)| known == *time)
        }
        (path, Extra::Text(bytes)) => {
            let cell = std::str::from_utf8(bytes).map_or(Value::Text("\u{FFFD}"), Value::of_field);
            path.unwrap_or(Value::Null) == cell
        }
        _ => false,
    }
}

/// A sink that is given the rows of a file together with what its path says.
pub(super) struct Placed<'f, S> {
    pub(super) fixed: &'f Fixed,
    pub(super) sink: S,
}

impl<S: Sink> Sink for Placed<'_, S> {
    fn stretch(&mut self, stretch: &Stretch<'_>, problems: &mut Problems) {
        let (fixed, rows) = (self.fixed, stretch.ds.len());
        if fixed.is_twice() {
            stretch.rows().for_each(|row| note_contradiction(fixed, &row, problems));
        }
        let ds = fixed.ds.as_ref().map(|given| vec![given.value; rows]);
        let cells: Vec<Vec<Extra<'_>>> = fixed.extras.iter().map(|cell| cell.repeated(rows)).collect();
        let extra = |(cell, repeated): (&Cell, _)| match *cell {
            Cell::File(slot) | Cell::Both(slot, _) => stretch.extras[slot],
            Cell::Path(_) => repeated,
        };
        let extras: Vec<&[Extra<'_>]> = fixed.extras.iter().zip(cells.iter().map(Vec::as_slice)).map(extra).collect();
        let placed = Stretch {
            id: fixed.id.as_ref().map_or(stretch.id, |given| given.value.as_bytes()),
            cutoff: fixed.cutoff.as_ref().map_or(stretch.cutoff, |given| given.value),
            ds: ds.as_deref().unwrap_or(stretch.ds),
            extras: &extras,
            ..*stretch
        };
        self.sink.stretch(&placed, problems);
    }
}

/// A row that says something else than the path is a problem, which the table is refused for.
fn note_contradiction(fixed: &Fixed, row: &Row<'_>, problems: &mut Problems) {
    if let Some(name) = fixed.contradiction(row) {
        problems.note(row.spot().line, None, || {
            (
                format!("column {name:?} says something else than the path"),
                "the same value in both, or in one only".to_owned(),
            )
        });
    }
}

impl Cell {
    /// The value of the path, for each of so many rows.
    fn repeated(&self, rows: usize) -> Vec<Extra<'_>> {
        match self {
            Self::Path(Some(text)) => vec![Extra::Text(Cow::Borrowed(text.as_bytes())); rows],
            Self::Path(None) => vec![Extra::Null; rows],
            Self::File(_) | Self::Both(..) => Vec::new(),
        }
    }
}
