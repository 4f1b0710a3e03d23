//! Reading the columns that a test asks for, each bad cell reported with its place.

use std::collections::BTreeSet;
use std::path::Path;

use csv::StringRecord;
use shared::digest;
use shared::error::Problem;
use shared::format::input::Input;
use shared::{Error, Place, Result, fsio};

use super::flags::{Filter, InputArgs};

/// First columns of these names number the rows and are no method.
const INDEX_NAMES: [&str; 14] = [
    "",
    "t",
    "time",
    "ds",
    "date",
    "timestamp",
    "index",
    "id",
    "unique_id",
    "task",
    "dataset",
    "series",
    "cutoff",
    "unnamed: 0",
];
/// Without `--columns`, two methods' errors are looked for under these names.
const PAIR_NAMES: [&str; 2] = ["e1", "e2"];

/// Which columns a test needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Two.
    Pair,
    /// Two or more.
    Several,
}

/// The numbers, column by column.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) input: Input,
    /// What a reader should know of the choice of rows and columns.
    pub(super) notes: Vec<String>,
}

impl Table {
    /// Reads the file of `args`.
    ///
    /// # Errors
    /// What is malformed, with its place; exit status 2.
    pub(super) fn read(args: &InputArgs, wanted: Wanted) -> Result<Self> {
        let bytes = fsio::read(&args.file)?;
        let input = Input { role: "data".to_owned(), path: args.file.clone(), sha256: digest::of_bytes(&bytes) };
        let mut raw = Raw::parse(&args.file, &bytes)?;
        for filter in &args.filters {
            raw.keep(filter)?;
        }
        let mut notes = raw.unfiltered_groups(&args.filters);
        let chosen = raw.choose(args.columns.as_deref(), wanted, &mut notes)?;
        let columns = raw.numbers(&chosen)?;
        let names = chosen.iter().map(|&field| raw.names[field].clone()).collect();
        Ok(Self { names, columns, input, notes })
    }

    /// Numbers row by row.
    pub(super) fn rows(&self) -> Vec<Vec<f64>> {
        let count = self.columns.first().map_or(0, Vec::len);
        (0..count).map(|row| self.columns.iter().map(|column| column[row]).collect()).collect()
    }
}

struct Raw<'a> {
    path: &'a Path,
    names: Vec<String>,
    rows: Vec<StringRecord>,
}

impl<'a> Raw<'a> {
    fn parse(path: &'a Path, bytes: &[u8]) -> Result<Self> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
        let names = reader.headers().map_err(|error| malformed(path, &error))?.iter().map(str::to_owned).collect();
        let rows = reader.records().collect::<csv::Result<Vec<_>>>().map_err(|error| malformed(path, &error))?;
        let raw = Self { path, names, rows };
        raw.refuse_doubled_names()?;
        if raw.rows.is_empty() {
            return Err(Error::input(
                Place::file(path),
                "the file has no rows",
                "a header and one row for each time or task",
            ));
        }
        Ok(raw)
    }

    fn refuse_doubled_names(&self) -> Result<()> {
        let mut seen = BTreeSet::new();
        match self.names.iter().position(|name| !seen.insert(name)) {
            Some(field) => Err(Error::input(
                Place::at(self.path, 1, field as u64 + 1),
                format!("column \"{}\" is there twice", self.names[field]),
                "a name for each column",
            )),
            None => Ok(()),
        }
    }

    fn keep(&mut self, filter: &Filter) -> Result<()> {
        let field = self.field(&filter.column)?;
        let known = self.values_of(field);
        self.rows.retain(|row| row.get(field) == Some(&filter.value));
        if self.rows.is_empty() {
            let found = format!("no row has {} = \"{}\"", filter.column, filter.value);
            return Err(Error::input(Place::file(self.path), found, format!("one of {}", some_of(&known))));
        }
        Ok(())
    }

    fn field(&self, name: &str) -> Result<usize> {
        self.names.iter().position(|known| known == name).ok_or_else(|| {
            let expected = format!("one of {}", some_of(&self.names));
            Error::input(Place::line(self.path, 1), format!("there is no column \"{name}\""), expected)
        })
    }

    fn values_of(&self, field: usize) -> Vec<String> {
        let values: BTreeSet<&str> = self.rows.iter().filter_map(|row| row.get(field)).collect();
        values.into_iter().map(str::to_owned).collect()
    }

    /// Text columns that look like groups nobody asked to be tested together.
    fn unfiltered_groups(&self, filters: &[Filter]) -> Vec<String> {
        let is_group = |field: &usize| {
            let count = self.values_of(*field).len();
            !self.is_numeric(*field) && count > 1 && 2 * count <= self.rows.len()
        };
        let unfiltered = |field: &usize| filters.iter().all(|filter| filter.column != self.names[*field]);
        let describe = |field: usize| {
            let (name, count) = (&self.names[field], self.values_of(field).len());
            format!("column \"{name}\" has {count} values, taken together here; --where {name}=VALUE tests one")
        };
        (0..self.names.len()).filter(unfiltered).filter(is_group).map(describe).collect()
    }

    /// Whether any row has a number there; its other cells are then errors, not a reason to leave the column out.
    fn is_numeric(&self, field: usize) -> bool {
        self.rows.iter().any(|row| row.get(field).is_some_and(|cell| cell.parse::<f64>().is_ok()))
    }

    fn choose(&self, asked: Option<&[String]>, wanted: Wanted, notes: &mut Vec<String>) -> Result<Vec<usize>> {
        let chosen = match asked {
            Some(names) => names.iter().map(|name| self.field(name)).collect::<Result<Vec<usize>>>()?,
            None if wanted == Wanted::Pair && self.has_pair_names() => {
                PAIR_NAMES.iter().map(|name| self.field(name)).collect::<Result<Vec<usize>>>()?
            }
            None => self.numeric_columns(notes),
        };
        if let Some(field) = chosen.iter().enumerate().find(|(place, field)| chosen[..*place].contains(field)) {
            let found = format!("column \"{}\" is chosen twice", self.names[*field.1]);
            return Err(Error::input(Place::line(self.path, 1), found, "different columns"));
        }
        let enough = if wanted == Wanted::Pair { chosen.len() == 2 } else { chosen.len() >= 2 };
        if enough { Ok(chosen) } else { Err(self.wrong_count(&chosen, wanted)) }
    }

    fn has_pair_names(&self) -> bool {
        PAIR_NAMES.iter().all(|name| self.names.iter().any(|known| known == name))
    }

    fn numeric_columns(&self, notes: &mut Vec<String>) -> Vec<usize> {
        let is_index = |field: usize| field == 0 && INDEX_NAMES.contains(&self.names[field].to_lowercase().as_str());
        let candidates = (0..self.names.len()).filter(|&field| !is_index(field));
        let (chosen, left): (Vec<usize>, Vec<usize>) = candidates.partition(|&field| self.is_numeric(field));
        if !left.is_empty() {
            let names: Vec<&str> = left.iter().map(|&field| self.names[field].as_str()).collect();
            notes.push(format!("not tested: column \"{}\"", names.join("\", \"")));
        }
        chosen
    }

    fn wrong_count(&self, chosen: &[usize], wanted: Wanted) -> Error {
        let names: Vec<String> = chosen.iter().map(|&field| self.names[field].clone()).collect();
        let found = format!("{} columns to test: {}", names.len(), some_of(&names));
        let expected = if wanted == Wanted::Pair { "two" } else { "two or more" };
        Error::input(Place::line(self.path, 1), found, expected).with_help("choose them with --columns a,b")
    }

    fn numbers(&self, chosen: &[usize]) -> Result<Vec<Vec<f64>>> {
        let mut problems = Vec::new();
        let mut columns = vec![Vec::with_capacity(self.rows.len()); chosen.len()];
        for row in &self.rows {
            for (column, &field) in columns.iter_mut().zip(chosen) {
                match number(row.get(field).unwrap_or_default()) {
                    Some(value) => column.push(value),
                    None => problems.push(self.problem(row, field)),
                }
            }
        }
        let total = problems.len() as u64;
        if problems.is_empty() { Ok(columns) } else { Err(Error::rows(problems, total)) }
    }

    fn problem(&self, row: &StringRecord, field: usize) -> Problem {
        let line = row.position().map_or(0, csv::Position::line);
        let cell = row.get(field).unwrap_or_default();
        Problem {
            place: Place::at(self.path, line, field as u64 + 1),
            found: format!("column \"{}\": \"{cell}\" is not a number", self.names[field]),
            expected: "a finite decimal".to_owned(),
        }
    }
}

fn number(cell: &str) -> Option<f64> {
    cell.parse().ok().filter(|value: &f64| value.is_finite())
}

fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("\"{name}\"")).collect();
    let rest = names.len().saturating_sub(SHOWN);
    if rest > 0 { format!("{}, and {rest} more", shown.join(", ")) } else { shown.join(", ") }
}

fn malformed(path: &Path, error: &csv::Error) -> Error {
    let place = error.position().map_or_else(|| Place::file(path), |position| Place::line(path, position.line()));
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Error::input(place, format!("a row of {len} fields"), format!("{expected_len}, as in the header"))
        }
        csv::ErrorKind::Utf8 { .. } => Error::input(place, "bytes that are not UTF-8", "text in UTF-8"),
        _ => Error::input(place, error.to_string(), "a CSV file"),
    }
}
