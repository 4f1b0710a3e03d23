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
use super::row::{Kept, Problems, Sink, Stretch};
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
        |_| Block::new(plan),
        |file, block, line, findings| {
            findings.take_problems(&paths[file], block.give(&mut tallies[file]), line);
            Ok(())
        },
    )?;
    for tally in tallies {
        merger.add(&Partial::from(tally));
    }
    Ok(kind)
}

/// The rows of a block, kept.
#[derive(Debug)]
pub(super) struct Block {
    width: usize,
    stretches: Vec<Kept>,
}

impl Block {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { width: plan.width(), stretches: Vec::new() }
    }

    /// Gives the rows to a tally; says what is wrong with them.
    pub(super) fn give(&self, tally: &mut Tally<'_>) -> Problems {
        let mut problems = Problems::default();
        self.stretches.iter().for_each(|kept| kept.show(|stretch| tally.stretch(stretch, &mut problems)));
        problems
    }
}

impl Sink for Block {
    fn stretch(&mut self, stretch: &Stretch<'_>, _: &mut Problems) {
        self.stretches.push(Kept::new(stretch, self.width, |_| true));
    }
}
