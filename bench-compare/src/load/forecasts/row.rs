//! A row on its way from a reader to a sink, and the problems met on the way.

use std::borrow::Cow;
use std::path::Path;

use shared::error::SHOWN_PROBLEMS;
use shared::{Place, Problem};

use super::time::Kind;

/// The cutoff of a table that names none.
pub(super) const NO_CUTOFF: i64 = i64::MIN;

/// A cell that is not one of the numbers: used in slices and groups.
#[derive(Debug, Clone)]
pub(super) enum Extra<'a> {
    /// Nothing there.
    Null,
    /// A number of a typed file.
    Number(f64),
    /// A time of a typed file.
    Time(i64),
    /// A text, or whatever a CSV field holds.
    Text(Cow<'a, [u8]>),
}

impl Extra<'_> {
    /// The same cell, independent of the block that it was read from.
    pub(super) fn to_static(&self) -> Extra<'static> {
        match self {
            Self::Null => Extra::Null,
            Self::Number(number) => Extra::Number(*number),
            Self::Time(micros) => Extra::Time(*micros),
            Self::Text(bytes) => Extra::Text(Cow::Owned(bytes.to_vec())),
        }
    }
}

/// Columns of numbers of equal length.
#[derive(Debug, Clone, Copy)]
pub(super) enum Columns<'a> {
    /// One after the other: column `i` begins at `i * stride`.
    Flat { values: &'a [f64], stride: usize },
    /// Each on its own, from row `start` on.
    Arrays { arrays: &'a [&'a [f64]], start: usize },
}

impl<'a> Columns<'a> {
    /// The first `rows` numbers of a column.
    #[inline]
    pub(super) fn get(self, column: usize, rows: usize) -> &'a [f64] {
        match self {
            Self::Flat { values, stride } => &values[column * stride..][..rows],
            Self::Arrays { arrays, start } => &arrays[column][start..][..rows],
        }
    }
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spot {
    /// Line (CSV) or row (Parquet) within the block, from 0.
    pub(super) line: u64,
    /// The row's own place in its file: the byte at which it starts (CSV), or its number (Parquet).
    pub(super) place: u64,
}

/// Where the rows of a stretch stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spots<'a> {
    /// Each somewhere.
    Listed(&'a [Spot]),
    /// One after the other from here on.
    From(Spot),
}

/// Consecutive rows of one series and cutoff, as a reader hands them over: by column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'a> {
    /// The series.
    pub(super) id: &'a [u8],
    /// Forecast origin, [`NO_CUTOFF`] where the table has none.
    pub(super) cutoff: i64,
    /// Target times: as many as there are rows.
    pub(super) ds: &'a [i64],
    /// The numbers, in the order of `Wanted::numbers`.
    pub(super) columns: Columns<'a>,
    /// The other cells asked for, in the order of `Wanted::extras`, each column with a cell a row or more.
    pub(super) extras: &'a [&'a [Extra<'a>]],
    pub(super) spots: Spots<'a>,
}

impl<'a> Stretch<'a> {
    /// A column of numbers.
    #[inline]
    pub(super) fn column(&self, slot: usize) -> &'a [f64] {
        self.columns.get(slot, self.ds.len())
    }

    /// The rows, one by one.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let stretch = *self;
        (0..self.ds.len()).map(move |at| Row { stretch, at })
    }

    fn spot(&self, at: usize) -> Spot {
        match self.spots {
            Spots::Listed(spots) => spots[at],
            Spots::From(Spot { line, place }) => Spot { line: line + at as u64, place: place + at as u64 },
        }
    }
}

/// One row of a stretch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    stretch: Stretch<'a>,
    at: usize,
}

impl<'a> Row<'a> {
    pub(super) fn id(&self) -> &'a [u8] {
        self.stretch.id
    }

    pub(super) fn ds(&self) -> i64 {
        self.stretch.ds[self.at]
    }

    pub(super) fn cutoff(&self) -> i64 {
        self.stretch.cutoff
    }

    /// A number, by its place in `Wanted::numbers`.
    pub(super) fn value(&self, slot: usize) -> f64 {
        self.stretch.column(slot)[self.at]
    }

    /// The first `count` numbers.
    pub(super) fn values(&self, count: usize) -> impl Iterator<Item = f64> + '_ {
        (0..count).map(|slot| self.value(slot))
    }

    /// Another cell, by its place in `Wanted::extras`.
    pub(super) fn extra(&self, slot: usize) -> &'a Extra<'a> {
        &self.stretch.extras[slot][self.at]
    }

    pub(super) fn spot(&self) -> Spot {
        self.stretch.spot(self.at)
    }
}

/// Rows of a stretch, copied.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    id: Vec<u8>,
    cutoff: i64,
    ds: Vec<i64>,
    values: Vec<f64>,
    extras: Vec<Vec<Extra<'static>>>,
    spots: Vec<Spot>,
}

impl Kept {
    /// Copies the rows that `keep` selects, with `width` columns of numbers.
    pub(super) fn new(stretch: &Stretch<'_>, width: usize, keep: impl Fn(&Row<'_>) -> bool) -> Self {
        let rows: Vec<Row<'_>> = stretch.rows().filter(keep).collect();
        let column = |slot: usize| rows.iter().map(move |row| row.value(slot));
        let extras = (0..stretch.extras.len()).map(|slot| rows.iter().map(|row| row.extra(slot).to_static()).collect());
        Self {
            id: stretch.id.to_vec(),
            cutoff: stretch.cutoff,
            ds: rows.iter().map(Row::ds).collect(),
            values: (0..width).flat_map(column).collect(),
            extras: extras.collect(),
            spots: rows.iter().map(Row::spot).collect(),
        }
    }

    /// Shows the rows to `see` as a stretch.
    pub(super) fn show<T>(&self, see: impl FnOnce(&Stretch<'_>) -> T) -> T {
        let extras: Vec<&[Extra<'_>]> = self.extras.iter().map(Vec::as_slice).collect();
        see(&Stretch {
            id: &self.id,
            cutoff: self.cutoff,
            ds: &self.ds,
            columns: Columns::Flat { values: &self.values, stride: self.ds.len() },
            extras: &extras,
            spots: Spots::Listed(&self.spots),
        })
    }
}

/// What takes the rows of one block.
pub(super) trait Sink: Send {
    /// Takes rows of one series and cutoff. Those that follow may be of the same.
    fn stretch(&mut self, stretch: &Stretch<'_>, problems: &mut Problems);
}

/// What is wrong in a block: the first problems, and how many there are. Lines count from the start of the block.
#[derive(Debug, Clone, Default)]
pub(super) struct Problems {
    shown: Vec<Local>,
    pub(super) total: u64,
}

#[derive(Debug, Clone)]
struct Local {
    line: u64,
    column: Option<u64>,
    found: String,
    expected: String,
}

impl Problems {
    /// Notes a problem; the texts are made only while they would be shown.
    pub(super) fn note(&mut self, line: u64, column: Option<usize>, say: impl FnOnce() -> (String, String)) {
        self.total += 1;
        if self.shown.len() < SHOWN_PROBLEMS {
            let (found, expected) = say();
            self.shown.push(Local { line, column: column.map(|index| index as u64 + 1), found, expected });
        }
    }

    /// The problems with their places in the file, given the line of the block's first row.
    pub(super) fn placed(self, path: &Path, first_line: u64) -> impl Iterator<Item = Problem> {
        let path = path.to_owned();
        self.shown.into_iter().map(move |local| Problem {
            place: Place { path: path.clone(), line: Some(first_line + local.line), column: local.column },
            found: local.found,
            expected: local.expected,
        })
    }
}

/// Where each kind of time was first seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Kinds {
    first_line: [Option<u64>; 3],
}

impl Kinds {
    /// Notes that `kind` was seen.
    #[inline]
    pub(super) fn note(&mut self, kind: Kind, line: u64) {
        self.first_line[kind as usize].get_or_insert(line);
    }

    /// The kinds seen, with the line of the first sight.
    pub(super) fn seen(&self) -> impl Iterator<Item = (Kind, u64)> + '_ {
        let kinds = [Kind::Integer, Kind::Naive, Kind::Offset];
        kinds.into_iter().zip(self.first_line).filter_map(|(kind, line)| Some((kind, line?)))
    }
}

/// A field as messages show it: printable, and not too long.
pub(super) fn shown(field: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(field).chars().take(40).collect();
    format!("{text:?}")
}
