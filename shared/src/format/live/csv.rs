//! Live records as CSV with a header. A row is one line: a line break inside quotes is a broken row, so that a row that was torn
//! inside quotes does not swallow those after it.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::fields::{Column, Fields, Slot};
use super::value::Value;
use super::{BYTE_ORDER_MARK, BadRow, Fault, Kind, Parsed, utf8};

/// What the columns of a file mean, in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvHeader {
    kind: Kind,
    slots: Vec<Slot<'static>>,
}

impl CsvHeader {
    /// Reads the first line of a file.
    ///
    /// # Errors
    /// If a column is missing or there twice.
    pub fn parse(kind: Kind, line: &[u8]) -> Result<Self, BadRow> {
        let mut slots = Vec::new();
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        for name in cells(row_text(line)?) {
            let slot = Slot::of(kind, Cow::Owned(name?.trim().to_owned()));
            if slot != Slot::Ignored && slots.contains(&slot) {
                return Err(in_header(name_of(&slot), "it is there twice", "each column once"));
            }
            slots.push(slot);
        }
        let missing = |column: &&Column| !slots.contains(&Slot::Column(**column));
        match Column::required(kind).iter().find(missing) {
            None => Ok(Self { kind, slots }),
            Some(column) => Err(in_header(column.name().into(), "it is missing in the header", required(kind))),
        }
    }

    /// How many cells a row has.
    pub fn columns(&self) -> usize {
        self.slots.len()
    }
}

fn name_of(slot: &Slot<'static>) -> Cow<'static, str> {
    match slot {
        Slot::Column(column) => column.name().into(),
        Slot::Segment(name) => format!("segment.{name}").into(),
        Slot::Ignored => "".into(),
    }
}

fn in_header(column: Cow<'static, str>, found: &str, expected: impl Into<Cow<'static, str>>) -> BadRow {
    BadRow::column(Fault::BadField, column, found, expected)
}

fn required(kind: Kind) -> String {
    let names: Vec<&str> = Column::required(kind).iter().map(|column| column.name()).collect();
    format!("a header with {}", names.join(", "))
}

/// Reads one row of the file that `header` heads. Times without an offset are in `zone`.
///
/// # Errors
/// Why the row is no record.
pub fn parse_csv_row<'a>(header: &CsvHeader, line: &'a [u8], zone: Option<&TimeZone>) -> Result<Parsed<'a>, BadRow> {
    let mut fields = Fields::default();
    let mut bad = Ok(());
    let mut count = 0;
    for cell in cells(row_text(line)?) {
        let cell = cell?;
        if let (Some(slot), true) = (header.slots.get(count), bad.is_ok()) {
            let value = if cell.is_empty() { Value::Null } else { Value::Text(cell) };
            bad = fields.put(slot.clone(), value);
        }
        count += 1;
    }
    if count != header.columns() {
        let found = format!("{count} fields");
        return Err(BadRow::row(Fault::BrokenLine, found, format!("{}, as the header has", header.columns())));
    }
    bad.and_then(|()| fields.assemble(header.kind, zone))
}

fn row_text(line: &[u8]) -> Result<&str, BadRow> {
    let text = utf8(line)?;
    if text.contains('\0') {
        return Err(BadRow::row(Fault::BrokenLine, "a NUL byte in the row", "text"));
    }
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(text.strip_suffix('\r').unwrap_or(text))
}

/// The cells of a row.
fn cells(text: &str) -> Cells<'_> {
    Cells { rest: Some(text) }
}

struct Cells<'a> {
    rest: Option<&'a str>,
}

impl<'a> Iterator for Cells<'a> {
    type Item = Result<Cow<'a, str>, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if let Some(inside) = rest.strip_prefix('"') {
            return Some(self.quoted(inside));
        }
        let (cell, after) = match rest.split_once(',') {
            Some((cell, after)) => (cell, Some(after)),
            None => (rest, None),
        };
        self.rest = after;
        Some(Ok(Cow::Borrowed(cell)))
    }
}

impl<'a> Cells<'a> {
    /// A cell whose opening quote is read.
    fn quoted(&mut self, inside: &'a str) -> Result<Cow<'a, str>, BadRow> {
        let mut end = 0;
        let mut doubled = false;
        loop {
            let quote = inside[end..].find('"').ok_or_else(|| broken("the row ends inside quotes"))?;
            end += quote;
            if !inside[end + 1..].starts_with('"') {
                break;
            }
            doubled = true;
            end += 2;
        }
        self.rest = match inside[end + 1..].strip_prefix(',') {
            Some(after) => Some(after),
            None if end + 1 == inside.len() => None,
            None => return Err(broken("text after a closing quote")),
        };
        let cell = &inside[..end];
        Ok(if doubled { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) })
    }
}

fn broken(found: &str) -> BadRow {
    BadRow::row(Fault::BrokenLine, found, "cells between commas, each in a pair of quotes or in none")
}

#[cfg(test)]
mod tests {
    use super::super::Record;
    use super::*;

    const HEADER: &[u8] = b"\xef\xbb\xbfobserved_at, y ,\"series\",extra,target_time\r\n";

    fn row(line: &str) -> Result<(String, f64), Fault> {
        let header = CsvHeader::parse(Kind::Actuals, HEADER).unwrap();
        match parse_csv_row(&header, line.as_bytes(), None).map_err(|bad| bad.fault)?.record {
            Record::Actual(actual) => Ok((actual.series.into_owned(), actual.y)),
            Record::Prediction(_) => panic!("asked for actuals"),
        }
    }

    #[test]
    fn columns_come_in_any_order_and_quotes_keep_commas() {
        let read = row("2013-07-21T00:00:00Z,\"12.5\",\"a,\"\"b\"\"\",,2013-07-20T00:00:00Z\r");
        assert_eq!(read, Ok(("a,\"b\"".to_owned(), 12.5)));
    }

    #[test]
    fn broken_rows_are_told_from_bad_values() {
        let ends = |middle: &str| row(&format!("2013-07-21T00:00:00Z,{middle},2013-07-20T00:00:00Z"));
        assert_eq!(ends("1,a,"), Ok(("a".to_owned(), 1.0)));
        assert_eq!(ends(",a,"), Err(Fault::Null));
        assert_eq!(ends("nan,a,"), Err(Fault::Nan));
        assert_eq!(ends("x,a,"), Err(Fault::BadField));
        assert_eq!(ends("1,,"), Err(Fault::BadField));
        assert_eq!(ends("1,a"), Err(Fault::BrokenLine));
        assert_eq!(ends("1,a,,"), Err(Fault::BrokenLine));
        assert_eq!(ends("1,\"a,"), Err(Fault::BrokenLine));
        assert_eq!(ends("1,\"a\"b,"), Err(Fault::BrokenLine));
        assert_eq!(ends("1,a\0,"), Err(Fault::BrokenLine));
    }

    #[test]
    fn a_header_says_what_it_lacks() {
        let lacks = CsvHeader::parse(Kind::Actuals, b"series,target_time,y").unwrap_err();
        assert_eq!(
            lacks.to_string(),
            "column \"observed_at\": it is missing in the header (expected a header with series, target_time, y, observed_at)"
        );
        assert!(CsvHeader::parse(Kind::Actuals, b"series,series,target_time,y,observed_at").is_err());
    }
}
