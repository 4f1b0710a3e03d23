//! A row of the result: one cell of a group, or the totals.

use shared::{Error, Result};

use super::super::layout::{ColumnMap, Wanted};
use super::super::pass::Inputs;
use super::super::row::{Extra, NO_CUTOFF, Problems, Row, Sink, Stretch, shown};
use super::super::time::{self, Kind};
use super::shape::Shape;
use crate::sql::columns;

/// Counts above this are not exact as numbers of the file.
const MOST: f64 = 9_007_199_254_740_992.0;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// 0 for all rows, then slices and columns; `None` for the totals.
    pub(super) group: Option<usize>,
    /// The level of a column, and the engine's name for its type.
    pub(super) level: String,
    pub(super) level_type: String,
    pub(super) series: Vec<u8>,
    pub(super) cutoff: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    /// In the order of [`Shape`].
    pub(super) counts: Vec<u64>,
    pub(super) sums: Vec<f64>,
    pub(super) file: usize,
    pub(super) line: u64,
}

impl Cell {
    /// What no two cells share.
    pub(super) fn key(&self) -> (Option<usize>, &str, &[u8], i64) {
        (self.group, &self.level, &self.series, self.cutoff)
    }
}

/// Reads all rows, and the kind of their times.
///
/// # Errors
/// If a file cannot be read, or a row holds what no query makes.
pub(super) fn read(inputs: &mut Inputs<'_>, shape: &Shape) -> Result<(Vec<Cell>, Kind)> {
    let headers = inputs.parts.iter().map(super::names).collect::<Result<Vec<_>>>()?;
    let mut cells = Vec::new();
    let make = |file: usize| Cells { shape, header: &headers[file], file, read: Vec::new() };
    let kind = inputs.scan(&wanted(shape), make, |_, block, line, _| {
        cells.extend(block.read.into_iter().map(|cell| Cell { line: cell.line + line, ..cell }));
        Ok(())
    });
    let kind = kind.map_err(remedied)?;
    Ok((cells, kind.unwrap_or(Kind::Naive)))
}

/// Whatever the problem, the engine has not written this.
fn remedied(error: Error) -> Error {
    if error.help().is_some() { error } else { error.with_help("run the query again and save its result whole") }
}

fn wanted(shape: &Shape) -> Wanted {
    let columns = ColumnMap {
        id: columns::SERIES.to_owned(),
        ds: columns::LAST.to_owned(),
        cutoff: columns::CUTOFF.to_owned(),
        ..ColumnMap::default()
    };
    let numbers = [columns::GROUP.to_owned()].into_iter().chain(shape.counts.iter().chain(&shape.sums).cloned());
    let extras = [columns::FIRST, columns::LEVEL, columns::LEVEL_TYPE].map(str::to_owned);
    Wanted {
        columns,
        has_id: true,
        has_ds: true,
        has_cutoff: shape.header.columns.cutoff.is_some(),
        numbers: numbers.collect(),
        extras: extras.into(),
    }
}

/// The cells of a block.
struct Cells<'s> {
    shape: &'s Shape,
    header: &'s [String],
    file: usize,
    read: Vec<Cell>,
}

impl Sink for Cells<'_> {
    fn stretch(&mut self, stretch: &Stretch<'_>, problems: &mut Problems) {
        for row in stretch.rows() {
            match self.cell(&row) {
                Ok(cell) => self.read.push(cell),
                Err((name, found, expected)) => {
                    let column = self.header.iter().position(|column| *column == name);
                    let say = || (format!("column {name:?}: {found}"), expected.to_owned());
                    problems.note(row.spot().line, column, say);
                }
            }
        }
    }
}

/// The column at fault, what it holds, and what it should.
type Fault = (String, String, &'static str);

impl Cells<'_> {
    fn cell(&self, row: &Row<'_>) -> Result<Cell, Fault> {
        let values: Vec<f64> = row.values(1 + self.shape.counts.len() + self.shape.sums.len()).collect();
        let (counts, sums) = values[1..].split_at(self.shape.counts.len());
        let counts = counts.iter().zip(&self.shape.counts).map(|(&value, name)| count(value, name));
        let sums = sums.iter().zip(&self.shape.sums).map(|(&value, name)| finite(value, name));
        Ok(Cell {
            group: self.group(values[0])?,
            level: text(row.extra(1)),
            level_type: text(row.extra(2)),
            series: row.id().to_vec(),
            cutoff: row.cutoff(),
            first: first(row.extra(0))?,
            last: row.ds(),
            counts: counts.collect::<Result<_, _>>()?,
            sums: sums.collect::<Result<_, _>>()?,
            file: self.file,
            line: row.spot().line,
        })
    }

    #[expect(clippy::float_cmp, reason = "group numbers are whole")]
    fn group(&self, value: f64) -> Result<Option<usize>, Fault> {
        let groups = self.shape.groups();
        match (0..groups).find(|group| *group as f64 == value) {
            Some(group) => Ok(Some(group)),
            None if value == -1.0 => Ok(None),
            None => Err((columns::GROUP.to_owned(), value.to_string(), "the number of a group of the query")),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number that is not too large")]
fn count(value: f64, name: &str) -> Result<u64, Fault> {
    let is_count = (0.0..=MOST).contains(&value) && value.fract() == 0.0;
    if is_count {
        Ok(value as u64)
    } else {
        Err((name.to_owned(), value.to_string(), "a count: a whole number from 0"))
    }
}

fn finite(value: f64, name: &str) -> Result<f64, Fault> {
    if value.is_finite() { Ok(value) } else { Err((name.to_owned(), value.to_string(), "a finite sum")) }
}

fn first(cell: &Extra<'_>) -> Result<i64, Fault> {
    let fault = |found: String| (columns::FIRST.to_owned(), found, "a time");
    match cell {
        Extra::Time(micros) => Ok(*micros),
        Extra::Number(number) => whole(*number).ok_or_else(|| fault(number.to_string())),
        Extra::Text(text) => time::of_field(text).map(|(time, _)| time).ok_or_else(|| fault(shown(text))),
        Extra::Null => Err(fault("nothing".to_owned())),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number that is not too large")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= MOST).then_some(number as i64)
}

fn text(cell: &Extra<'_>) -> String {
    match cell {
        Extra::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Extra::Number(number) => number.to_string(),
        Extra::Null | Extra::Time(_) => String::new(),
    }
}

/// A cutoff as messages have it.
pub(super) fn cutoff(cell: &Cell, kind: Kind) -> String {
    if cell.cutoff == NO_CUTOFF { "unknown".to_owned() } else { time::print(cell.cutoff, kind, true) }
}
