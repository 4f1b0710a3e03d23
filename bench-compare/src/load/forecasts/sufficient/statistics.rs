//! What the files say of their query, which must be the same in every row.

use std::collections::BTreeMap;

use shared::{Error, Place, Problem, Result};

use super::super::layout::{ColumnMap, Wanted};
use super::super::part::Part;
use super::super::pass::Inputs;
use super::super::row::{Extra, Problems, Sink, Stretch};
use crate::sql::{Header, SCHEMA, columns};

/// Reads the header of all rows.
pub(super) fn header(parts: &[Part], threads: usize) -> Result<Header> {
    parts.iter().try_for_each(check)?;
    let make = |_: usize| Texts::default();
    let mut found: Vec<(Vec<u8>, Place)> = Vec::new();
    Inputs::new(parts, threads, false).scan(&wanted(), make, |file, block, line, _| {
        let place = |row| Place::line(&parts[file].path, line + row);
        found.extend(block.first.into_iter().map(|(text, row)| (text, place(row))));
        Ok(())
    })?;
    let Some((text, place)) = found.first() else {
        return Err(Error::input(Place::file(&parts[0].path), "no rows", "at least the row of totals"));
    };
    if let Some((_, other)) = found.iter().find(|(other, _)| other != text) {
        let error = Error::input(other.clone(), format!("the result of another query than at {place}"), "one query");
        return Err(error.with_help("name the files of one run, of all its parts"));
    }
    parse(text, place)
}

fn check(part: &Part) -> Result<()> {
    let names = super::names(part)?;
    // Spark writes parts without a byte.
    if names.is_empty() || names.iter().any(|name| name == columns::STATISTICS) {
        return Ok(());
    }
    let found = format!("no column {:?}", columns::STATISTICS);
    let error =
        Error::input(Place::line(&part.path, 1), found, "the result of the query that `bench-compare sql` prints");
    Err(error.with_help("a table of forecasts is named with --forecasts"))
}

fn wanted() -> Wanted {
    let columns = ColumnMap { id: columns::SERIES.to_owned(), ds: columns::LAST.to_owned(), ..ColumnMap::default() };
    Wanted {
        columns,
        has_id: true,
        has_ds: true,
        has_cutoff: false,
        numbers: Vec::new(),
        extras: vec![columns::STATISTICS.to_owned()],
    }
}

fn parse(text: &[u8], place: &Place) -> Result<Header> {
    let expected = || format!("JSON with the schema {SCHEMA:?}");
    let parsed: Result<Header, _> = serde_json::from_slice(text);
    let problem = match parsed {
        Ok(header) if header.schema == SCHEMA && header.intervals.len() == header.models.len() => return Ok(header),
        Ok(header) => format!("the schema {:?}", header.schema),
        Err(error) => format!("column {:?}: {error}", columns::STATISTICS),
    };
    let problem = Problem { place: place.clone(), found: problem, expected: expected() };
    Err(Error::rows(vec![problem], 1).with_help("print the query with this version of bench-compare and run it again"))
}

/// The texts of a block, each with the row where it is first.
#[derive(Debug, Default)]
struct Texts {
    first: BTreeMap<Vec<u8>, u64>,
}

impl Sink for Texts {
    fn stretch(&mut self, stretch: &Stretch<'_>, _: &mut Problems) {
        for row in stretch.rows() {
            let text: &[u8] = match row.extra(0) {
                Extra::Text(text) => text,
                _ => b"",
            };
            if !self.first.contains_key(text) {
                self.first.insert(text.to_vec(), row.spot().line);
            }
        }
    }
}
