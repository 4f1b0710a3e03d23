//! CSV (RFC 4180) over a block of bytes: no copy of a field unless it holds doubled quotes, no allocation for a row.

use std::borrow::Cow;

use super::layout::{Layout, Role};
use super::number;
use super::row::{Extra, Kinds, NO_CUTOFF, Problems, Row, Sink, shown};
use super::time::{self, DateCache, Kind};

/// The bytes end within a record: more of the file is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incomplete;

type Scan<T> = Result<T, Incomplete>;

/// A record's fields, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'b> {
    bytes: &'b [u8],
    /// Whether the file ends where `bytes` does.
    is_end: bool,
}

impl<'b> Fields<'b> {
    pub(super) fn new(bytes: &'b [u8], is_end: bool) -> Self {
        Self { bytes, is_end }
    }

    /// Whether a field may end before the byte at `at`.
    #[inline]
    fn ends_at(&self, at: usize) -> Scan<bool> {
        match self.bytes.get(at) {
            Some(byte) => Ok(matches!(byte, b',' | b'\n' | b'\r')),
            None if self.is_end => Ok(true),
            None => Err(Incomplete),
        }
    }

    /// The field that starts at `at`, and where it ends.
    fn field(&self, at: usize) -> Scan<(Cow<'b, [u8]>, usize)> {
        if self.bytes.get(at) == Some(&b'"') {
            return self.quoted(at + 1);
        }
        let end = self.unquoted_end(at)?;
        Ok((Cow::Borrowed(&self.bytes[at..end]), end))
    }

    fn unquoted_end(&self, at: usize) -> Scan<usize> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        match rest.iter().position(|byte| matches!(byte, b',' | b'\n' | b'\r')) {
            Some(length) => Ok(at + length),
            None if self.is_end => Ok(self.bytes.len()),
            None => Err(Incomplete),
        }
    }

    /// A field whose opening quote is before `at`. Text after the closing quote belongs to it, as the csv crate has it.
    fn quoted(&self, at: usize) -> Scan<(Cow<'b, [u8]>, usize)> {
        let close = self.closing_quote(at)?;
        let mut text = Cow::Borrowed(&self.bytes[at..close]);
        let mut end = (close + 1).min(self.bytes.len());
        while self.bytes.get(end) == Some(&b'"') {
            let next = self.closing_quote(end + 1)?;
            text.to_mut().extend_from_slice(&self.bytes[end..next]);
            end = (next + 1).min(self.bytes.len());
        }
        if !self.ends_at(end)? {
            let tail_end = self.unquoted_end(end)?;
            text.to_mut().extend_from_slice(&self.bytes[end..tail_end]);
            end = tail_end;
        }
        Ok((text, end))
    }

    fn closing_quote(&self, at: usize) -> Scan<usize> {
        match self.bytes[at..].iter().position(|&byte| byte == b'"') {
            Some(length) if self.is_end || at + length + 1 < self.bytes.len() => Ok(at + length),
            None if self.is_end => Ok(self.bytes.len()),
            _ => Err(Incomplete),
        }
    }

    /// Where the next record starts, `at` being the end of a record's last field.
    fn next_record(&self, at: usize) -> Scan<usize> {
        match (self.bytes.get(at), self.bytes.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => Ok(at + 2),
            (Some(b'\r'), None) if !self.is_end => Err(Incomplete),
            (Some(_), _) => Ok(at + 1),
            (None, _) if self.is_end => Ok(at),
            (None, _) => Err(Incomplete),
        }
    }

    /// All fields of the record at `at`, and where the next one starts.
    pub(super) fn record(&self, mut at: usize) -> Scan<(Vec<Cow<'b, [u8]>>, usize)> {
        let mut fields = Vec::new();
        loop {
            let (field, end) = self.field(at)?;
            fields.push(field);
            match self.bytes.get(end) {
                Some(b',') => at = end + 1,
                _ => return Ok((fields, self.next_record(end)?)),
            }
        }
    }
}

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

/// Reads records into rows.
pub(super) struct Reader<'b, 'l> {
    fields: Fields<'b>,
    layout: &'l Layout,
    /// Where the bytes lie in the file.
    base: u64,
    id: Cow<'b, [u8]>,
    ds: i64,
    cutoff: i64,
    cutoff_text: &'b [u8],
    values: Vec<f64>,
    extras: Vec<Extra<'b>>,
    dates: DateCache,
    is_bad: bool,
    newlines_in_quotes: u64,
}

impl<'b, 'l> Reader<'b, 'l> {
    pub(super) fn new(fields: Fields<'b>, layout: &'l Layout, base: u64) -> Self {
        let count = |wanted: fn(&Role) -> bool| layout.roles.iter().filter(|role| wanted(role)).count();
        Self {
            fields,
            layout,
            base,
            id: Cow::Borrowed(b""),
            ds: 0,
            cutoff: NO_CUTOFF,
            cutoff_text: b"",
            values: vec![0.0; count(|role| matches!(role, Role::Number(_)))],
            extras: vec![Extra::Null; count(|role| matches!(role, Role::Extra(_)))],
            dates: DateCache::default(),
            is_bad: false,
            newlines_in_quotes: 0,
        }
    }

    /// Hands the records of `span` to `sink`.
    pub(super) fn read(&mut self, span: Span, sink: &mut impl Sink, progress: &mut Progress) -> Stop {
        let mut at = span.start;
        while at < span.limit && at < self.fields.bytes.len() {
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

    #[inline]
    fn deliver(&self, start: usize, sink: &mut impl Sink, progress: &mut Progress) {
        let (id, values, extras) = (&*self.id, &*self.values, &*self.extras);
        let (line, place) = (progress.lines, self.base + start as u64);
        let row = Row { id, ds: self.ds, cutoff: self.cutoff, values, extras, line, place };
        sink.row(&row, &mut progress.problems);
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
        let length = self.id.len();
        let rest = self.fields.bytes.get(at..).unwrap_or_default();
        if length > 0 && rest.starts_with(&self.id) && self.fields.ends_at(at + length)? {
            return Ok(at + length);
        }
        let (field, end) = self.text(at)?;
        if std::str::from_utf8(&field).is_err() || field.contains(&0) {
            self.refuse(column, &field, "is not text", "UTF-8 without NUL bytes", progress);
            // The next row with it is a problem of its own.
            self.id = Cow::Borrowed(b"");
            return Ok(end);
        }
        self.id = field;
        Ok(end)
    }

    #[inline]
    fn target_time(&mut self, column: usize, at: usize, progress: &mut Progress) -> Scan<usize> {
        if let Some((value, length)) = self.dates.plain(self.fields.bytes.get(at..).unwrap_or_default())
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
        let length = self.cutoff_text.len();
        let rest = self.fields.bytes.get(at..).unwrap_or_default();
        if length > 0 && rest.starts_with(self.cutoff_text) && self.fields.ends_at(at + length)? {
            return Ok(at + length);
        }
        let (value, end) = self.time(column, at, progress)?;
        self.cutoff = value;
        self.cutoff_text = if self.is_bad { b"" } else { &self.fields.bytes[at..end] };
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ours(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let fields = Fields::new(text, true);
        let (mut at, mut records) = (0, Vec::new());
        while at < text.len() {
            if matches!(text[at], b'\n' | b'\r') {
                at = fields.next_record(at).unwrap();
                continue;
            }
            let (record, next) = fields.record(at).unwrap();
            records.push(record.into_iter().map(Cow::into_owned).collect());
            at = next;
        }
        records
    }

    fn theirs(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
        reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_the_csv_crate_writes_reads_the_same(
            records in proptest::collection::vec(proptest::collection::vec("[a\",\r\n ;é]{0,5}", 1..5), 0..6),
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for record in &records {
                writer.write_record(record).unwrap();
            }
            let text = writer.into_inner().unwrap();
            prop_assert_eq!(ours(&text), theirs(&text));
        }

        #[test]
        fn any_bytes_end(text in proptest::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'1')], 0..60)) {
            let _ = ours(&text);
        }
    }
}
