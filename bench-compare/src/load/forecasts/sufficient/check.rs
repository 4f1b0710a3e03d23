//! Whether a cell can be true by itself, and what it says against the table.

use shared::error::SHOWN_PROBLEMS;
use shared::format::sufficient::Measure;
use shared::{Error, Place, Problem, Result};

use super::super::part::Part;
use super::super::time::Kind;
use super::cell::{self, Cell};
use super::shape::{Count, Shape};
use crate::sql::{columns, show};

/// What a cell's problem is made of.
pub(super) struct Checker<'a> {
    pub(super) shape: &'a Shape,
    pub(super) parts: &'a [Part],
    pub(super) kind: Kind,
}

/// The column at fault, what was found there, and what was expected.
type Fault = (String, String, String);

impl Checker<'_> {
    /// Refuses cells that contradict themselves, then those that say that the table is not what it must be.
    pub(super) fn cells(&self, cells: &[Cell]) -> Result<()> {
        self.refuse(cells, |cell| self.contradiction(cell), "the file was changed or damaged: run the query again")?;
        let header = &self.shape.header;
        let late = |cell: &Cell| {
            self.counted(cell, Count::NotAfter, "rows have no target time after the cutoff", "forecasts of later times")
        };
        self.refuse(cells, late, &show::not_after(header))?;
        self.refuse(cells, |cell| self.duplicates(cell), &show::duplicates(header))?;
        let twice = |cell: &Cell| {
            self.counted(
                cell,
                Count::TrainTwice,
                "rows are of a series with a time twice in the training table",
                "one actual for each time",
            )
        };
        self.refuse(cells, twice, &show::train_twice(header))?;
        let other = |cell: &Cell| {
            self.counted(cell, Count::OtherActual, "actuals are others in the training table", "the same actuals")
        };
        self.refuse(cells, other, &show::other_actual(header))
    }

    /// Collects the faults of all cells into one error.
    pub(super) fn refuse(&self, cells: &[Cell], fault: impl Fn(&Cell) -> Option<Fault>, help: &str) -> Result<()> {
        let mut faults = cells.iter().filter_map(|cell| Some((cell, fault(cell)?)));
        let problem = |(cell, (column, found, expected)): (&Cell, Fault)| Problem {
            place: self.place(cell, &column),
            found: format!("{}: {found}", self.describe(cell)),
            expected,
        };
        let problems: Vec<Problem> = faults.by_ref().take(SHOWN_PROBLEMS).map(problem).collect();
        let total = (problems.len() + faults.count()) as u64;
        if total == 0 { Ok(()) } else { Err(Error::rows(problems, total).with_help(help)) }
    }

    /// The place of a cell's column in its file.
    pub(super) fn place(&self, cell: &Cell, column: &str) -> Place {
        let source = &self.parts[cell.file];
        let names = super::names(source).unwrap_or_default();
        let column = names.iter().position(|name| name == column).map(|index| index as u64 + 1);
        Place { path: source.path.clone(), line: Some(cell.line), column }
    }

    fn describe(&self, cell: &Cell) -> String {
        if cell.group.is_none() {
            return "totals".to_owned();
        }
        format!("series {:?}, cutoff {}", String::from_utf8_lossy(&cell.series), cell::cutoff(cell, self.kind))
    }

    fn counted(&self, cell: &Cell, count: Count, found: &str, expected: &str) -> Option<Fault> {
        let rows = cell.counts[count as usize];
        let is_found = rows > 0 && cell.group == Some(0);
        is_found.then(|| (self.shape.counts[count as usize].clone(), format!("{rows} {found}"), expected.to_owned()))
    }

    fn duplicates(&self, cell: &Cell) -> Option<Fault> {
        let [rows, times] = [Count::Rows, Count::Times].map(|count| cell.counts[count as usize]);
        let found = format!("{rows} rows have {times} different target times");
        let is_found = times < rows && cell.group == Some(0);
        is_found.then(|| ("n_times".to_owned(), found, "one row for each series, cutoff and time".to_owned()))
    }

    /// Numbers that no table has.
    fn contradiction(&self, cell: &Cell) -> Option<Fault> {
        cell.group?;
        self.counts_exceed(cell)
            .or_else(|| self.unpaired(cell))
            .or_else(|| self.times(cell))
            .or_else(|| self.sums(cell))
    }

    fn counts_exceed(&self, cell: &Cell) -> Option<Fault> {
        let whole = [Count::Times, Count::NotAfter, Count::TrainTwice, Count::Paired, Count::MissingActual]
            .map(|count| count as usize);
        let missing = (0..self.shape.header.models.len()).map(|model| self.shape.missing(model));
        let paired = (Count::OtherActual as usize..self.shape.counts.len())
            .filter(|place| !whole.contains(place) && !missing.clone().any(|model| model == *place));
        let above = |place: usize, limit: Count| {
            let (found, most) = (cell.counts[place], cell.counts[limit as usize]);
            let name = &self.shape.counts[limit as usize];
            (found > most).then(|| {
                (self.shape.counts[place].clone(), found.to_string(), format!("at most {name}, which is {most}"))
            })
        };
        let one = (cell.counts[Count::Cells as usize] != 1)
            .then(|| ("n_cells".to_owned(), cell.counts[Count::Cells as usize].to_string(), "1".to_owned()));
        let of_rows = whole.into_iter().chain(missing.clone()).find_map(|place| above(place, Count::Rows));
        one.or(of_rows).or_else(|| paired.clone().find_map(|place| above(place, Count::Paired)))
    }

    /// Each row that is not paired lacks something, and each that lacks something is not paired.
    fn unpaired(&self, cell: &Cell) -> Option<Fault> {
        let lost = cell.counts[Count::Rows as usize] - cell.counts[Count::Paired as usize];
        let mut lacks = vec![cell.counts[Count::MissingActual as usize]];
        lacks.extend((0..self.shape.header.models.len()).map(|model| cell.counts[self.shape.missing(model)]));
        let (most, all) = (lacks.iter().max().copied().unwrap_or(0), lacks.iter().sum::<u64>());
        let expected = format!("{lost} unpaired rows to lack an actual or a forecast");
        let found = format!("{all} actuals and forecasts are missing, {most} of one column");
        (lost < most || lost > all).then(|| ("n_paired".to_owned(), found, expected))
    }

    fn times(&self, cell: &Cell) -> Option<Fault> {
        let fault =
            |found: &str, expected: &str| Some((columns::FIRST.to_owned(), found.to_owned(), expected.to_owned()));
        if cell.counts[Count::Rows as usize] == 0 {
            return Some(("n_rows".to_owned(), "0".to_owned(), "at least one row in each cell".to_owned()));
        }
        if cell.first > cell.last {
            fault("the first target time is after the last", "the first before the last")
        } else {
            None
        }
    }

    /// A sum of what is never negative is not; hits are no more than rows.
    fn sums(&self, cell: &Cell) -> Option<Fault> {
        let header = &self.shape.header;
        let pairs =
            header.measures.iter().flat_map(|&measure| (0..header.models.len()).map(move |model| (measure, model)));
        pairs.into_iter().find_map(|(measure, model)| {
            let place = self.shape.sum(measure, model)?;
            let (sum, count) = (cell.sums[place], cell.counts[self.shape.count(measure)]);
            let expected = wrong_sum(measure, sum, count)?;
            Some((self.shape.sums[place].clone(), sum.to_string(), expected))
        })
    }
}

/// What the sum should have been.
fn wrong_sum(measure: Measure, sum: f64, count: u64) -> Option<String> {
    let is_flag = matches!(measure, Measure::DirectionHit | Measure::DirectionTie | Measure::IntervalHit { .. });
    if measure != Measure::Error && sum < 0.0 {
        return Some("0 or more".to_owned());
    }
    if is_flag && (sum > count as f64 || sum.fract() != 0.0) {
        return Some(format!("a number of rows, at most {count}"));
    }
    (count == 0 && sum != 0.0).then(|| "0, since no row counts".to_owned())
}
