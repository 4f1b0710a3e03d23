//! Rows of a CSV file that are plain: without quotes, one cell between two commas, every cell what it is meant to be. Many of one
//! series and cutoff are read together, column by column. A row that is not plain is left to the reader of single rows, which
//! also knows how to say what is wrong with it.

use std::borrow::Cow;

use super::csv::{Progress, Repeated, Span};
use super::layout::{Layout, Role};
use super::marks::{Marks, Pieces};
use super::number;
use super::row::{Columns, Extra, Sink, Spot, Spots, Stretch};
use super::time::{self, DateCache, Kind};

/// Rows that are read together, at most.
const MOST_ROWS: usize = 256;

/// Reads plain rows.
pub(super) struct Plain<'b> {
    marks: Marks,
    cells: Cells<'b>,
}

/// Rows by column.
struct Cells<'b> {
    ds: Vec<i64>,
    /// Column `i` begins at `i * MOST_ROWS`.
    values: Vec<f64>,
    extras: Vec<Vec<Extra<'b>>>,
    spots: Vec<Spot>,
}

/// Bytes, and where they lie in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) base: u64,
}

/// Rows of cells, as the marks between them make believe.
#[derive(Debug, Clone, Copy)]
struct Grid<'b, 'm> {
    /// From the first piece on.
    bytes: &'b [u8],
    starts: &'m [u32],
    columns: usize,
    /// Pieces of a row: one more than columns where lines end with two characters.
    stride: usize,
}

impl<'b, 'm> Grid<'b, 'm> {
    fn new(bytes: &'b [u8], pieces: Pieces<'m>, columns: usize) -> Option<Self> {
        let bytes = bytes.get(pieces.base..)?;
        let closing = *bytes.get((*pieces.starts.get(columns)? as usize).checked_sub(1)?)?;
        let stride = columns + usize::from(closing == b'\r');
        Some(Self { bytes, starts: pieces.starts, columns, stride })
    }

    /// Rows from the first on that start before `limit`.
    fn rows(&self, limit: usize) -> usize {
        let most = ((self.starts.len() - 1) / self.stride).min(MOST_ROWS);
        let is_before = |row: usize| (self.starts[row * self.stride] as usize) < limit;
        if most > 0 && is_before(most - 1) { most } else { (0..most).take_while(|row| is_before(*row)).count() }
    }

    /// Shows the cells of a column, as far as each is followed by what it should be and `see` takes it, and says how many are.
    #[inline]
    fn column(&self, column: usize, rows: usize, mut see: impl FnMut(usize, usize, usize) -> bool) -> usize {
        let is_last = column + 1 == self.columns;
        let has_two = is_last && self.stride > self.columns;
        let closing = if has_two {
            b'\r'
        } else if is_last {
            b'\n'
        } else {
            b','
        };
        let mut at = column;
        for row in 0..rows {
            let (Some(start), Some(next)) = (self.starts.get(at), self.starts.get(at + 1)) else { return row };
            let (start, end) = (*start as usize, *next as usize - 1);
            let is_closed = self.bytes.get(end) == Some(&closing) && (!has_two || self.is_line_end(at + 1));
            if !is_closed || !see(row, start, end) {
                return row;
            }
            at += self.stride;
        }
        rows
    }

    /// Whether a piece is empty and followed by a line feed: the second half of a line end of two characters.
    fn is_line_end(&self, piece: usize) -> bool {
        let start = self.starts[piece];
        self.starts.get(piece + 1) == Some(&(start + 1)) && self.bytes.get(start as usize) == Some(&b'\n')
    }

    fn first(&self, column: usize) -> &'b [u8] {
        &self.bytes[self.starts[column] as usize..self.starts[column + 1] as usize - 1]
    }

    /// Rows from the first on whose text in a column is `text`: compared in words, for it nearly always is and is short.
    fn same(&self, column: usize, rows: usize, text: &[u8]) -> usize {
        match text.len() {
            0..=7 => self.same_word(column, rows, text),
            8..=16 => self.same_ends::<8>(column, rows, text),
            17..=32 => self.same_ends::<16>(column, rows, text),
            _ => self.column(column, rows, |_, start, end| self.bytes[start..end] == *text),
        }
    }

    /// For texts of fewer than eight bytes: as much of a word as they fill.
    fn same_word(&self, column: usize, rows: usize, text: &[u8]) -> usize {
        let (mut padded, mut mask) = ([0; 8], [0; 8]);
        padded[..text.len()].copy_from_slice(text);
        mask[..text.len()].fill(u8::MAX);
        let [expected, mask] = [padded, mask].map(u64::from_le_bytes);
        self.column(column, rows, |_, start, end| match self.bytes[start..].first_chunk() {
            _ if end - start != text.len() => false,
            Some(word) => (u64::from_le_bytes(*word) ^ expected) & mask == 0,
            None => self.bytes[start..end] == *text,
        })
    }

    /// For texts of `N` to `2 N` bytes: their first `N` and their last.
    fn same_ends<const N: usize>(&self, column: usize, rows: usize, text: &[u8]) -> usize {
        let (head, tail) = (text.first_chunk::<N>(), text.last_chunk::<N>());
        self.column(column, rows, |_, start, end| {
            let found = &self.bytes[start..end];
            found.len() == text.len() && found.first_chunk() == head && found.last_chunk() == tail
        })
    }
}

impl<'b> Plain<'b> {
    pub(super) fn new(columns: usize, numbers: usize, extras: usize) -> Self {
        let cells = Cells {
            ds: vec![0; MOST_ROWS],
            values: vec![0.0; numbers * MOST_ROWS],
            extras: vec![Vec::new(); extras],
            spots: Vec::with_capacity(MOST_ROWS),
        };
        Self { marks: Marks::new(columns), cells }
    }

    /// Hands over the plain rows at the start of `span`, as far as they are of one series and cutoff, and says where the next
    /// row starts: where `span` does if its first row is not plain.
    pub(super) fn read(
        &mut self,
        text: Text<'b>,
        span: Span,
        layout: &Layout,
        repeated: &mut Repeated<'b>,
        sink: &mut impl Sink,
        progress: &mut Progress,
    ) -> usize {
        let pieces = self.marks.pieces(text.bytes, span.start, layout.roles.len() + 1);
        let Some(grid) = Grid::new(text.bytes, pieces, layout.roles.len()) else { return span.start };
        let rows = self.cells.fill(&grid, grid.rows(span.limit - pieces.base), layout, repeated, progress);
        if rows == 0 {
            return span.start;
        }
        let (first, starts) = (text.base + pieces.base as u64, pieces.starts.iter().step_by(grid.stride));
        let spot = |(line, start): (u64, &u32)| Spot { line, place: first + u64::from(*start) };
        self.cells.spots.clear();
        self.cells.spots.extend((progress.lines..).zip(starts.take(rows)).map(spot));
        self.cells.deliver(rows, repeated, sink, progress);
        let passed = rows * grid.stride;
        let next = pieces.base + pieces.starts[passed] as usize;
        self.marks.pass(passed);
        next
    }
}

impl<'b> Cells<'b> {
    /// Reads the columns of up to `rows` rows, and says how many of them are plain.
    fn fill(
        &mut self,
        grid: &Grid<'b, '_>,
        rows: usize,
        layout: &Layout,
        repeated: &mut Repeated<'b>,
        progress: &mut Progress,
    ) -> usize {
        let roles = || layout.roles.iter().enumerate();
        // The cutoff and the series first: they say which rows belong together.
        let rows = roles().fold(rows, |rows, (column, role)| match role {
            Role::Cutoff if rows > 0 => repeated.origin(grid, column, rows, progress),
            Role::Id if rows > 0 => repeated.series(grid, column, rows),
            _ => rows,
        });
        roles().fold(rows, |rows, (column, role)| match *role {
            _ if rows == 0 => 0,
            Role::Id | Role::Cutoff => rows,
            Role::Skip => grid.column(column, rows, |_, _, _| true),
            Role::Number(slot) => numbers(grid, column, &mut self.values[slot * MOST_ROWS..][..rows]),
            Role::Ds => self.target_times(grid, column, rows, &mut repeated.dates, progress),
            Role::Extra(slot) => self.texts(grid, column, rows, slot),
        })
    }

    fn target_times(
        &mut self,
        grid: &Grid<'b, '_>,
        column: usize,
        rows: usize,
        dates: &mut DateCache,
        progress: &mut Progress,
    ) -> usize {
        let mut known = None;
        let ds = &mut self.ds;
        grid.column(column, rows, |row, start, end| {
            let text = &grid.bytes[start..end];
            let read = dates.whole(text).map(|time| (time, Kind::Naive)).or_else(|| time::of_field(text));
            let Some((time, kind)) = read else { return false };
            if known != Some(kind) {
                progress.kinds.note(kind, progress.lines + row as u64);
                known = Some(kind);
            }
            ds[row] = time;
            true
        })
    }

    fn texts(&mut self, grid: &Grid<'b, '_>, column: usize, rows: usize, slot: usize) -> usize {
        let texts = &mut self.extras[slot];
        texts.clear();
        grid.column(column, rows, |_, start, end| {
            texts.push(Extra::Text(Cow::Borrowed(&grid.bytes[start..end])));
            true
        })
    }

    fn deliver(&self, rows: usize, repeated: &Repeated<'b>, sink: &mut impl Sink, progress: &mut Progress) {
        let extras: Vec<&[Extra<'_>]> = self.extras.iter().map(Vec::as_slice).collect();
        let stretch = Stretch {
            id: &repeated.id,
            cutoff: repeated.cutoff,
            ds: &self.ds[..rows],
            columns: Columns::Flat { values: &self.values, stride: MOST_ROWS },
            extras: &extras,
            spots: Spots::Listed(&self.spots),
        };
        sink.stretch(&stretch, &mut progress.problems);
        progress.lines += rows as u64;
    }
}

impl<'b> Repeated<'b> {
    /// Takes the series of the first row, and says how many rows are of it.
    fn series(&mut self, grid: &Grid<'b, '_>, column: usize, rows: usize) -> usize {
        let text = grid.first(column);
        if *self.id != *text {
            if std::str::from_utf8(text).is_err() {
                return 0;
            }
            self.id = Cow::Borrowed(text);
        }
        grid.same(column, rows, text)
    }

    /// Takes the cutoff of the first row, and says how many rows have it.
    fn origin(&mut self, grid: &Grid<'b, '_>, column: usize, rows: usize, progress: &mut Progress) -> usize {
        let text = grid.first(column);
        if self.cutoff_text != text || text.is_empty() {
            let Some((cutoff, kind)) = time::of_field(text) else { return 0 };
            progress.kinds.note(kind, progress.lines);
            (self.cutoff, self.cutoff_text) = (cutoff, text);
        }
        grid.same(column, rows, text)
    }
}

/// Reads numbers, and says how many of the fields are some.
fn numbers(grid: &Grid<'_, '_>, column: usize, values: &mut [f64]) -> usize {
    grid.column(column, values.len(), |row, start, end| {
        let number = number::within(grid.bytes, start, end);
        values[row] = number.unwrap_or_default();
        number.is_some()
    })
}
