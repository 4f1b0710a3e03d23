//! The files of a pass, each from the cache or from its rows.

use std::collections::HashSet;

use shared::Result;

use super::super::blocks::Findings;
use super::super::cache::{FileSums, Known, Lookup, Pass, Recorder};
use super::super::measure::Direction;
use super::super::part::Part;
use super::super::partial::Partial;
use super::super::pass::SMALL_BYTES;
use super::super::scan::scan_part;
use super::super::source::Source;
use super::super::sum::Block;
use super::super::tally::Tally;
use super::super::watch::Watch;

/// The files of a pass.
pub(super) struct Files<'a> {
    pub(super) parts: &'a [Part],
    pub(super) known: &'a [Option<Known>],
    pub(super) pass: Pass<'a>,
    /// Files of which rows are left out: what the cache has of them are all rows.
    pub(super) skipped: HashSet<usize>,
}

/// A file that was read.
pub(super) struct Read {
    pub(super) findings: Findings,
    pub(super) digest: String,
    pub(super) was_damaged: bool,
}

/// The sums of a file, from the cache or from its rows.
pub(super) enum Got {
    Known(FileSums),
    Read(Vec<Partial>, Read),
}

impl Files<'_> {
    fn known(&self, index: usize) -> Option<&Known> {
        self.known[index].as_ref().filter(|_| !self.skipped.contains(&index))
    }

    pub(super) fn digest(&self, index: usize) -> Option<String> {
        self.known[index].as_ref().map(|known| known.digest.clone())
    }

    pub(super) fn is_light(&self, index: usize, part: &Part) -> bool {
        part.size <= SMALL_BYTES || self.known(index).is_some_and(|known| self.pass.has(part, known))
    }

    pub(super) fn find(&self, index: usize) -> Lookup {
        self.known(index).map_or(Lookup::Absent, |known| self.pass.find(&self.parts[index], known))
    }

    pub(super) fn get(&self, index: usize) -> Result<Got> {
        match self.find(index) {
            Lookup::Found(known) => Ok(Got::Known(known)),
            missing => {
                let mut blocks = Vec::new();
                let read = self.read(index, 1, &missing, |block| blocks.push(block))?;
                Ok(Got::Read(blocks, read))
            }
        }
    }

    /// Reads the rows of a file, and remembers their sums if all are good.
    pub(super) fn read(
        &self,
        index: usize,
        threads: usize,
        missing: &Lookup,
        mut take: impl FnMut(Partial),
    ) -> Result<Read> {
        let part = &self.parts[index];
        let source = part.open()?;
        let mut recorder = self.known(index).and_then(|known| self.pass.record(part, &source, known));
        let mut watch = Watch::of_digest();
        let keep = |block: Partial| {
            recorder.iter_mut().for_each(|recorder: &mut Recorder<'_>| recorder.take(&block));
            take(block);
        };
        let findings = self.scan(index, &source, threads, &mut watch, keep)?;
        let digest = watch.digest().unwrap_or_default();
        if let (Some(recorder), Some(kinds)) = (recorder, findings.kinds_if_good()) {
            recorder.finish(&kinds, &digest);
        }
        Ok(Read { findings, digest, was_damaged: matches!(missing, Lookup::Damaged) })
    }

    fn scan(
        &self,
        index: usize,
        source: &Source,
        threads: usize,
        watch: &mut Watch<'_>,
        mut take: impl FnMut(Partial),
    ) -> Result<Findings> {
        let (part, plan, detail, mut findings) =
            (&self.parts[index], self.pass.plan, self.pass.detail, Findings::default());
        let tally = || Tally::new(plan, detail, index);
        if plan.direction == Direction::Last {
            let take = |tally, _, _: &mut Findings| {
                take(Partial::from(tally));
                Ok(())
            };
            scan_part(part, source, &plan.wanted, threads, tally, watch, &mut findings, take)?;
            return Ok(findings);
        }
        let mut all = tally();
        let add = |block: Block, line, findings: &mut Findings| {
            findings.take_problems(&part.path, block.give(&mut all), line);
            Ok(())
        };
        scan_part(part, source, &plan.wanted, threads, || Block::new(plan), watch, &mut findings, add)?;
        take(Partial::from(all));
        Ok(findings)
    }
}
