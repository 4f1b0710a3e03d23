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

/// One row, as a reader hands it over.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// The series.
    pub(super) id: &'a [u8],
    /// Target time.
    pub(super) ds: i64,
    /// Forecast origin, [`NO_CUTOFF`] where the table has none.
    pub(super) cutoff: i64,
    /// The numbers, in the order of `Wanted::numbers`.
    pub(super) values: &'a [f64],
    /// The other cells asked for, in the order of `Wanted::extras`.
    pub(super) extras: &'a [Extra<'a>],
    /// Line (CSV) or row (Parquet) within the block, from 0.
    pub(super) line: u64,
    /// The row's own place in its file: the byte at which it starts (CSV), or its number (Parquet).
    pub(super) place: u64,
}

/// What takes the rows of one block.
pub(super) trait Sink: Send {
    /// Takes a row.
    fn row(&mut self, row: &Row<'_>, problems: &mut Problems);
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
