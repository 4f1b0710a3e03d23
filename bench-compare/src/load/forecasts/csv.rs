//! Rows of a CSV file: those that are plain many at a time, all others field by field.

use std::borrow::Cow;

use super::fields::{Fields, Incomplete, Scan};
use super::layout::{Layout, Role};
use super::number;
use super::plain::{Plain, Text};
use super::row::{Columns, Extra, Kinds, NO_CUTOFF, Problems, Sink, Spot, Spots, Stretch, shown};
use super::time::{self, DateCache, Kind};

/// Where a block starts and ends within its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// The first record starts here.
    pub(super) start: usize,
    /// Records that start here or later belong to the next block.
    pub(super) limit: usize,
}

/// What [`Reader::read`] came to: where it stopped, and whether it needs more bytes to go on from there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stop {
    pub(super) at: usize,
    pub(super) is_incomplete: bool,
}

/// The state that outlives a stop for more bytes.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Lines read.
    pub(super) lines: u64,
    pub(super) problems: Problems,
    pub(super) kinds: Kinds,
}

/// The series and the cutoff that were read last: most rows repeat them.
#[derive(Debug)]
pub(super) struct Repeated<'b> {
    pub(super) id: Cow<'b, [u8]>,
    pub(super) cutoff: i64,
    /// As it stands there; empty if there is none, or a bad one.
    pub(super) cutoff_text: &'b [u8],
    pub(super) dates: DateCache,
}

/// Reads records into rows.
pub(super) struct Reader<'b, 'l> {
    fields: Fields<'b>,
    layout: &'l Layout,
    /// Where the bytes lie in the file.
    base: u64,
    repeated: Repeated<'b>,
    plain: Plain<'b>,
    /// The row that is read field by field.
    ds: i64,
    values: Vec<f64>,
    extras: Vec<Extra<'b>>,
    is_bad: bool,
    newlines_in_quotes: u64,
}

impl<'b, 'l> Reader<'b, 'l> {
    pub(super) fn new(fields: Fields<'b>, layout: &'l Layout, base: u64) -> Self {
        let count = |wanted: fn(&Role) -> bool| layout.roles.iter().filter(|role| wanted(role)).count();
        let numbers = count(|role| matches!(role, Role::Number(_)));
        let extras = count(|role| matches!(role, Role::Extra(_)));
        Self {
            fields,
            layout,
            base,
            repeated: Repeated {
                id: Cow::Borrowed(b""),
                cutoff: NO_CUTOFF,
                cutoff_text: b"",
                dates: DateCache::default(),
            },
            plain: Plain::new(layout.roles.len(), numbers, extras),
            ds: 0,
            values: vec![0.0; numbers],
            extras: vec![Extra::Null; extras],
            is_bad: false,
            newlines_in_quotes: 0,
        }
    }

    /// Hands the records of `span` to `sink`.
    pub(super) fn read(&mut self, span: Span, sink: &mut impl Sink, progress: &mut Progress) -> Stop {
        let mut at = span.start;
        while at < span.limit && at < self.fields.bytes.len() {
            let (text, plain) =
                (Text { bytes: self.fields.bytes, base: self.base }, Span { start: at, limit: span.limit });
            let after = self.plain.read(text, plain, self.layout, &mut self.repeated, sink, progress);
            if after > at {
                at = after;
                continue;
            }
            let outcome = match self.fields.bytes[at] {
                b'\n' | b'\r' => self.fields.next_record(at),
                _ => self.record(at, sink, progress),
            };
            match outcome {
                Ok(next) => at = next,
                Err(Incomplete) => return Stop { at, is_incomplete: true },
            }
            progress.lines += 1 + std::mem::take(&mut self.newlines_in_quotes);
        }
        Stop { at, is_incomplete: false }
    }

    fn record(&mut self, start: usize, sink: &mut impl Sink, progress: &mut Progress) -> Scan<usize> {
        self.is_bad = false;
        let mut at = start;
        for column in 0..self.layout.used {
            if column > 0 {
                match self.fields.bytes.get(at) {
                    Some(b',') => at += 1,
                    _ => return self.ragged(start, progress),
                }
            }
            at = self.cell(column, at, progress)?;
        }
        let next = if self.layout.used == self.layout.roles.len() && self.fields.bytes.get(at) != Some(&b',') {
            self.fields.next_record(at)?
        } else {
            self.skip_rest(start, at, progress)?
        };
        if !self.is_bad {
            self.deliver(start, sink, progress);
        }
        Ok(next)
    }

    fn deliver(&self, start: usize, sink: &mut impl Sink, progress: &mut Progress) {
        let extras: Vec<&[Extra<'_>]> = self.extras.iter().map(std::slice::from_ref).collect();
        let stretch = Stretch {
            id: &self.repeated.id,
            cutoff: self.repeated.cutoff,
            ds: &[self.ds],
            columns: Columns::Flat { values: &self.values, stride: 1 },
            extras: &extras,
            spots: Spots::From(Spot { line: progress.lines, place: self.base + start as u64 }),
        };
        sink.stretch(&stretch, &mut progress.problems);
    }

    /// Passes the columns that nobody asked for; a row of the wrong length is a problem.
    fn skip_rest(&mut self, start: usize, mut at: usize, progress: &mut Progress) -> Scan<usize> {
        let mut count = self.layout.used;
        while self.fields.bytes.get(at) == Some(&b',') {
            at = self.text(at + 1)?.1;
            count += 1;
        }
        if count == self.layout.roles.len() { self.fields.next_record(at) } else { self.ragged(start, progress) }
    }

    fn ragged(&mut self, start: usize, progress: &mut Progress) -> Scan<usize> {
        let (fields, next) = self.fields.record(start)?;
        self.is_bad = true;
        self.newlines_in_quotes = fields.iter().map(|field| newlines(field)).sum();
        let expected = self.layout.roles.len();
        progress.problems.note(progress.lines, None, || {
            (format!("the row has {} fields", fields.len()), format!("{expected}, as the header has"))
        });
        Ok(next)
    }

    #[inline]
    fn cell(&mut self, column: usize, at: usize, progress: &mut Progress) -> Scan<usize> {
        match self.layout.roles[column] {
            Role::Number(slot) => self.number(column, slot, at, progress),
            Role::Id => self.series(column, at, progress),
            Role::Ds => self.target_time(column, at, progress),
            Role::Cutoff => self.origin(column, at, progress),
            Role::Skip => Ok(self.text(at)?.1),
            Role::Extra(slot) => {
                let (field, end) = self.text(at)?;
                self.extras[slot] = Extra::Text(field);
                Ok(end)
            }
        }
    }

    /// A field, its line breaks counted.
    fn text(&mut self, at: usize) -> Scan<(Cow<'b, [u8]>, usize)> {
        let (field, end) = self.fields.field(at)?;
        if self.fields.bytes.get(at) == Some(&b'"') {
            self.newlines_in_quotes += newlines(&field);
        }
        Ok((field, end))
    }

    #[inline]
    fn number(&mut self, column: usize, slot: usize, at: usize, progress: &mut Progress) -> Scan<usize> {
        if let Some((value, length)) = number::plain(self.fields.bytes.get(at..).unwrap_or_default())
            && self.fields.ends_at(at + length)?
        {
            self.values[slot] = value;
            return Ok(at + length);
        }
        let (field, end) = self.text(at)?;
        match number::of_field(&field) {
            Some(value) => self.values[slot] = value,
            None => self.refuse(column, &field, "is not a number", "a decimal, or empty where it is missing", progress),
        }
        Ok(end)
    }

    #[inline]
    fn series(&mut self, column: usize, at: usize, progress: &mut Progress) -> Scan<usize> {
        let length = self.repeated.id.len();
        let rest = self.fields.bytes.get(at..).unwrap_or_default();
        if length > 0 && rest.starts_with(&self.repeated.id) && self.fields.ends_at(at + length)? {
            return Ok(at + length);
        }
        let (field, end) = self.text(at)?;
        if std::str::from_utf8(&field).is_err() || field.contains(&0) {
            self.refuse(column, &field, "is not text", "UTF-8 without NUL bytes", progress);
            // The next row with it is a problem of its own.
            self.repeated.id = Cow::Borrowed(b"");
            return Ok(end);
        }
        self.repeated.id = field;
        Ok(end)
    }

    #[inline]
    fn target_time(&mut self, column: usize, at: usize, progress: &mut Progress) -> Scan<usize> {
        if let Some((value, length)) = self.repeated.dates.plain(self.fields.bytes.get(at..).unwrap_or_default())
            && self.fields.ends_at(at + length)?
        {
            self.ds = value;
            progress.kinds.note(Kind::Naive, progress.lines);
            return Ok(at + length);
        }
        let (value, end) = self.time(column, at, progress)?;
        self.ds = value;
        Ok(end)
    }

    #[inline]
    fn origin(&mut self, column: usize, at: usize, progress: &mut Progress) -> Scan<usize> {
        let length = self.repeated.cutoff_text.len();
        let rest = self.fields.bytes.get(at..).unwrap_or_default();
        if length > 0 && rest.starts_with(self.repeated.cutoff_text) && self.fields.ends_at(at + length)? {
            return Ok(at + length);
        }
        let (value, end) = self.time(column, at, progress)?;
        self.repeated.cutoff = value;
        self.repeated.cutoff_text = if self.is_bad { b"" } else { &self.fields.bytes[at..end] };
        Ok(end)
    }

    fn time(&mut self, column: usize, at: usize, progress: &mut Progress) -> Scan<(i64, usize)> {
        let (field, end) = self.text(at)?;
        let Some((value, kind)) = time::of_field(&field) else {
            let expected = "2024-01-31, 2024-01-31T06:00:00, with or without an offset, or a whole number";
            self.refuse(column, &field, "is not a time", expected, progress);
            return Ok((0, end));
        };
        progress.kinds.note(kind, progress.lines);
        Ok((value, end))
    }

    #[cold]
    fn refuse(&mut self, column: usize, field: &[u8], what: &str, expected: &str, progress: &mut Progress) {
        self.is_bad = true;
        let name = &self.layout.names[column];
        progress.problems.note(progress.lines, Some(column), || {
            (format!("column {name:?}: {} {what}", shown(field)), expected.to_owned())
        });
    }
}

fn newlines(field: &[u8]) -> u64 {
    field.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}
