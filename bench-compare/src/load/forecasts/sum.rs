//! Sums over all files of a table.

use shared::Result;
use shared::format::input::Input;

use super::Detail;
use super::measure::Direction;
use super::merge::Merger;
use super::partial::Partial;
use super::pass::Inputs;
use super::plan::Plan;
use super::remembered::Memory;
use super::row::{Extra, Problems, Row, Sink};
use super::tally::Tally;
use super::time::Kind;

/// How tables are summed up: with the help of a cache, or without.
#[derive(Debug, Default)]
pub(super) struct Summing<'r> {
    pub(super) memory: Option<Memory<'r>>,
    /// The training table, on which sums may rest.
    pub(super) train: Option<&'r Input>,
}

impl Summing<'_> {
    /// Sums up the table.
    ///
    /// # Errors
    /// As [`Inputs::scan`].
    pub(super) fn sum<'p>(&mut self, inputs: &mut Inputs<'_>, plan: &'p Plan, detail: Detail) -> Result<Merger<'p>> {
        match &mut self.memory {
            Some(memory) => memory.sum(inputs, plan, detail, self.train.map(|input| input.sha256.as_str())),
            None => sum(inputs, plan, detail),
        }
    }
}

/// Sums up the table.
///
/// # Errors
/// As [`Inputs::scan`].
fn sum<'p>(inputs: &mut Inputs<'_>, plan: &'p Plan, detail: Detail) -> Result<Merger<'p>> {
    let mut merger = Merger::new(plan, detail);
    match plan.direction {
        Direction::Last => inputs.scan(
            &plan.wanted,
            |file| Tally::new(plan, detail, file),
            |_, tally, _, _| {
                merger.add(&Partial::from(tally));
                Ok(())
            },
        )?,
        Direction::Diff => sum_in_order(inputs, plan, detail, &mut merger)?,
    };
    Ok(merger)
}

/// Sums up each file in one go: a row needs the one before it, which may stand in another block.
fn sum_in_order(inputs: &mut Inputs<'_>, plan: &Plan, detail: Detail, merger: &mut Merger<'_>) -> Result<Option<Kind>> {
    let mut tallies: Vec<Tally<'_>> = (0..inputs.parts.len()).map(|file| Tally::new(plan, detail, file)).collect();
    let paths: Vec<_> = inputs.parts.iter().map(|part| part.path.clone()).collect();
    let kind = inputs.scan(
        &plan.wanted,
        |_| Kept::default(),
        |file, kept, line, findings| {
            let mut problems = Problems::default();
            for row in &kept.rows {
                tallies[file].row(&row.borrow(), &mut problems);
            }
            findings.take_problems(&paths[file], problems, line);
            Ok(())
        },
    )?;
    for tally in tallies {
        merger.add(&Partial::from(tally));
    }
    Ok(kind)
}

/// The rows of a block, kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) rows: Vec<KeptRow>,
}

#[derive(Debug)]
pub(super) struct KeptRow {
    id: Vec<u8>,
    ds: i64,
    cutoff: i64,
    values: Vec<f64>,
    extras: Vec<Extra<'static>>,
    line: u64,
    place: u64,
}

impl KeptRow {
    pub(super) fn borrow(&self) -> Row<'_> {
        let Self { id, ds, cutoff, values, extras, line, place } = self;
        Row { id, ds: *ds, cutoff: *cutoff, values, extras, line: *line, place: *place }
    }
}

impl Sink for Kept {
    fn row(&mut self, row: &Row<'_>, _: &mut Problems) {
        self.rows.push(KeptRow {
            id: row.id.to_vec(),
            ds: row.ds,
            cutoff: row.cutoff,
            values: row.values.to_vec(),
            extras: row.extras.iter().map(Extra::to_static).collect(),
            line: row.line,
            place: row.place,
        });
    }
}
