//! Whether all cells are there, each once: held against the row of totals, and group against group.

use std::collections::HashMap;

use shared::{Error, Place, Result};

use super::cell::Cell;
use super::check::Checker;
use super::shape::Count;

/// What sums may differ by for having been added in another order, as a share of the sum of their sizes.
const ROUNDING: f64 = 1e-9;

/// Takes the row of totals out of the cells and holds it against them.
///
/// # Errors
/// If a cell is missing, there twice, or not as it was written.
pub(super) fn check(mut cells: Vec<Cell>, checker: &Checker<'_>) -> Result<Vec<Cell>> {
    cells.sort_by(|left, right| left.key().cmp(&right.key()));
    twice(&cells, checker)?;
    let is_total = cells.first().is_some_and(|cell| cell.group.is_none());
    if !is_total {
        let place = Place::file(checker.parts.last().map(|part| part.path.clone()).unwrap_or_default());
        let error = Error::input(place, "no row of totals (group_id -1)", "the whole result of the query");
        return Err(error.with_help(INCOMPLETE));
    }
    let totals = cells.remove(0);
    complete(&cells, &totals, checker)?;
    groups(&cells, checker)?;
    Ok(cells)
}

const INCOMPLETE: &str = "a part file is missing, or rows were lost or changed: name all parts, or run the query again";

fn twice(cells: &[Cell], checker: &Checker<'_>) -> Result<()> {
    let Some(pair) = cells.windows(2).find(|pair| pair[0].key() == pair[1].key()) else { return Ok(()) };
    let there = checker.place(&pair[0], "");
    let fault = |cell: &Cell| {
        (cell == &pair[1])
            .then(|| ("group_id".to_owned(), format!("the cell is at {there} already"), "each cell once".to_owned()))
    };
    checker.refuse(&pair[1..], fault, "name each file of a run once, and the files of one run only")
}

/// Every count and sum of the totals is that of the cells.
fn complete(cells: &[Cell], totals: &Cell, checker: &Checker<'_>) -> Result<()> {
    let shape = checker.shape;
    let counts = shape.counts.iter().enumerate().find_map(|(place, name)| {
        let found: u64 = cells.iter().map(|cell| cell.counts[place]).sum();
        let expected = totals.counts[place];
        (found != expected).then(|| {
            (name.clone(), format!("{expected}, but the cells have {found}"), "what all cells have together".to_owned())
        })
    });
    let sums = || {
        shape.sums.iter().enumerate().find_map(|(place, name)| {
            let found: f64 = cells.iter().map(|cell| cell.sums[place]).sum();
            let size: f64 = cells.iter().map(|cell| cell.sums[place].abs()).sum();
            let expected = totals.sums[place];
            let differs = (found - expected).abs() > ROUNDING * size.max(expected.abs());
            differs.then(|| {
                (
                    name.clone(),
                    format!("{expected}, but the cells have {found}"),
                    "what all cells have together".to_owned(),
                )
            })
        })
    };
    let fault = counts.or_else(sums);
    checker.refuse(std::slice::from_ref(totals), |_| fault.clone(), INCOMPLETE)
}

/// Slices lie within all rows, and the levels of a column make them up.
fn groups(cells: &[Cell], checker: &Checker<'_>) -> Result<()> {
    let paired = |cell: &Cell| cell.counts[Count::Paired as usize];
    let all: HashMap<(&[u8], i64), u64> = cells
        .iter()
        .filter(|cell| cell.group == Some(0))
        .map(|cell| ((cell.series.as_slice(), cell.cutoff), paired(cell)))
        .collect();
    let whole = |cell: &Cell| all.get(&(cell.series.as_slice(), cell.cutoff)).copied().unwrap_or(0);
    let above = |cell: &Cell| {
        let (found, most) = (paired(cell), whole(cell));
        (found > most).then(|| {
            (
                "n_paired".to_owned(),
                format!("{found} paired rows in a group"),
                format!("at most {most}, as among all rows"),
            )
        })
    };
    checker.refuse(cells, above, INCOMPLETE)?;
    let mut levels: HashMap<(usize, &[u8], i64), u64> = HashMap::new();
    for cell in cells {
        let Some(group) = cell.group.filter(|group| checker.shape.is_by(*group)) else { continue };
        *levels.entry((group, cell.series.as_slice(), cell.cutoff)).or_default() += paired(cell);
    }
    let columns = 1 + checker.shape.header.slices.len()..checker.shape.groups();
    let differs = |cell: &Cell| {
        let of = |group| levels.get(&(group, cell.series.as_slice(), cell.cutoff)).copied().unwrap_or(0);
        let found = columns.clone().map(of).find(|found| cell.group == Some(0) && *found != paired(cell))?;
        Some((
            "n_paired".to_owned(),
            format!("the levels of a column have {found} paired rows"),
            paired(cell).to_string(),
        ))
    };
    checker.refuse(cells, differs, INCOMPLETE)
}
