//! Which versions a table has, and what their columns are called.

use std::collections::BTreeMap;
use std::str::FromStr;

use shared::error::{Error, Result};

use crate::core::board::Board;
use crate::core::engine::Engine;

/// Columns that mean something else.
pub(super) const RESERVED: [&str; 5] = ["unique_id", "ds", "cutoff", "y", "h"];

/// A version and the name of its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    model: String,
    version: String,
    column: String,
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parts = text.rsplit_once('=').and_then(|(version, column)| Some((version.rsplit_once('@')?, column)));
        match parts {
            Some(((model, version), column)) if !model.is_empty() && !version.is_empty() && !column.is_empty() => {
                Ok(Self { model: model.to_owned(), version: version.to_owned(), column: column.to_owned() })
            }
            _ => Err(format!("{text:?} names no column; expected MODEL@VERSION=COLUMN")),
        }
    }
}

/// A version in the table.
pub(super) struct Column<'a> {
    pub(super) board: &'a Board,
    pub(super) name: String,
}

/// The versions that are asked for, by their names.
pub(super) fn of<'a>(engine: &'a Engine, only: &[String], names: &[Name]) -> Result<Vec<Column<'a>>> {
    let boards = chosen(engine, only)?;
    if let Some(name) = names.iter().find(|name| !boards.iter().any(|board| is_of(name, board))) {
        return Err(unknown("--name", &format!("{}@{}", name.model, name.version), engine));
    }
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    boards.iter().for_each(|board| *versions.entry(&board.model).or_default() += 1);
    let name = |board: &Board| match names.iter().find(|name| is_of(name, board)) {
        Some(name) => name.column.clone(),
        None if versions[board.model.as_str()] == 1 => board.model.clone(),
        None => format!("{}_v{}", board.model, board.version),
    };
    let columns: Vec<Column<'a>> = boards.iter().map(|&board| Column { board, name: name(board) }).collect();
    check(&columns)?;
    Ok(columns)
}

fn is_of(name: &Name, board: &Board) -> bool {
    name.model == board.model && name.version == board.version
}

fn chosen<'a>(engine: &'a Engine, only: &[String]) -> Result<Vec<&'a Board>> {
    let is = |wanted: &str, board: &Board| wanted == board.model || wanted == full_name(board);
    let boards = engine.sorted_boards();
    if let Some(wanted) = only.iter().find(|wanted| !boards.iter().any(|board| is(wanted, board))) {
        return Err(unknown("--only", wanted, engine));
    }
    Ok(boards.into_iter().filter(|board| only.is_empty() || only.iter().any(|wanted| is(wanted, board))).collect())
}

fn full_name(board: &Board) -> String {
    format!("{}@{}", board.model, board.version)
}

fn unknown(flag: &str, wanted: &str, engine: &Engine) -> Error {
    let known: Vec<String> = engine.sorted_boards().into_iter().map(full_name).collect();
    let expected =
        if known.is_empty() { "a version with predictions; there are none".to_owned() } else { known.join(", ") };
    Error::usage(format!("{flag} {wanted}: no prediction names it"), expected)
}

fn check(columns: &[Column<'_>]) -> Result<()> {
    for (place, column) in columns.iter().enumerate() {
        let is_twice = columns[..place].iter().any(|other| other.name == column.name);
        if is_twice || RESERVED.contains(&column.name.as_str()) {
            let error = Error::usage(
                format!("two columns would be called {:?}", column.name),
                "a name of its own for each version",
            );
            return Err(error.with_help(format!("--name {}=COLUMN", full_name(column.board))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_the_end() {
        let name: Name = "a@b=c@2=x".parse().unwrap();
        assert_eq!((name.model.as_str(), name.version.as_str(), name.column.as_str()), ("a@b=c", "2", "x"));
        for wrong in ["", "a=b", "a@1", "@1=x", "a@=x", "a@1="] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong}");
        }
    }
}
