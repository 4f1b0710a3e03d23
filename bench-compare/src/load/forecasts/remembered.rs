//! Sums over all files of a table of which a cache knows some: those are not read, and the result is the same to the last bit.

mod files;

use std::ops::Range;

use shared::{Place, Result};

use super::blocks::Findings;
use super::cache::{Cache, FileSums, Known, Lookup};
use super::merge::Merger;
use super::ordered;
use super::part::Part;
use super::pass::Inputs;
use super::plan::Plan;
use super::{Detail, Request};

use files::{Files, Got, Read};

/// A cache beside the files that it may know.
#[derive(Debug)]
pub(super) struct Memory<'r> {
    cache: Cache,
    request: &'r Request,
    /// The bytes of each file, once they have been looked at.
    known: Vec<Option<Known>>,
    counts: Counts,
}

/// Where the sums of the last pass came from.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    found: usize,
    read: usize,
    damaged: usize,
}

impl<'r> Memory<'r> {
    /// The cache of a request that names one.
    pub(super) fn of(request: &'r Request) -> Option<Self> {
        let cache = Cache::open(request.cache.as_ref()?);
        Some(Self { cache, request, known: Vec::new(), counts: Counts::default() })
    }

    /// Sums up the table.
    ///
    /// # Errors
    /// As [`Inputs::scan`].
    pub(super) fn sum<'p>(
        &mut self,
        inputs: &mut Inputs<'_>,
        plan: &'p Plan,
        detail: Detail,
        train: Option<&str>,
    ) -> Result<Merger<'p>> {
        self.identify(inputs)?;
        let files = Files {
            parts: inputs.parts,
            known: &self.known,
            pass: self.cache.pass(plan, detail, self.request, train),
            skipped: plan.skip.iter().map(|(file, _)| *file).collect(),
        };
        let mut sums =
            Sums { merger: Merger::new(plan, detail), findings: Findings::default(), counts: Counts::default() };
        let bar = inputs.bar();
        for run in inputs.runs(|index, part| files.is_light(index, part)) {
            let bytes = inputs.parts[run.clone()].iter().map(|part| part.size).sum();
            match run.len() {
                1 => add_alone(&files, run.start, inputs, &mut sums)?,
                _ => add_together(&files, run, inputs, &mut sums)?,
            }
            bar.inc(bytes);
        }
        bar.finish_and_clear();
        self.counts = sums.counts;
        sums.findings.check()?;
        Ok(sums.merger)
    }

    /// Finds out which bytes the files hold, once.
    fn identify(&mut self, inputs: &Inputs<'_>) -> Result<()> {
        if !self.known.is_empty() {
            return Ok(());
        }
        let (cache, known) = (&self.cache, &mut self.known);
        let work = |index: usize| Ok(cache.identify(&inputs.parts[index]));
        ordered::each(inputs.parts.len(), inputs.threads, work, |_, found| {
            known.push(found);
            Ok(())
        })?;
        self.cache.save_index();
        Ok(())
    }

    /// What a reader may want to know of the cache.
    pub(super) fn remarks(self) -> Vec<String> {
        let Counts { found, read, damaged } = self.counts;
        let mut remarks = vec![format!("cache: {found} of {} files known, {read} read", found + read)];
        if damaged > 0 {
            remarks.push(format!("cache: {damaged} damaged entries were ignored and made again"));
        }
        remarks.extend(self.cache.failure().map(|failure| format!("cache: not all is remembered: {failure}")));
        remarks
    }
}

/// The sums so far.
struct Sums<'p> {
    merger: Merger<'p>,
    findings: Findings,
    counts: Counts,
}

impl Sums<'_> {
    fn add_known(&mut self, part: &Part, known: &FileSums) {
        self.counts.found += 1;
        known.kinds.iter().for_each(|&(kind, line)| self.findings.note(kind, Place::line(&part.path, line)));
        known.blocks.iter().for_each(|block| self.merger.add(block));
    }

    /// Adds what was found in a file that was read; its digest.
    fn add_read(&mut self, read: Read) -> String {
        self.counts.read += 1;
        self.counts.damaged += usize::from(read.was_damaged);
        self.findings.append(read.findings);
        read.digest
    }
}

/// Sums up a file by all cores, unless it is known.
fn add_alone(files: &Files<'_>, index: usize, inputs: &mut Inputs<'_>, sums: &mut Sums<'_>) -> Result<()> {
    let digest = match files.find(index) {
        Lookup::Found(known) => {
            sums.add_known(&files.parts[index], &known);
            files.digest(index)
        }
        missing => {
            let read = files.read(index, inputs.threads, &missing, |block| sums.merger.add(&block))?;
            Some(sums.add_read(read))
        }
    };
    inputs.learn(index, digest);
    Ok(())
}

/// Finds or reads several files at once and adds them in their order.
fn add_together(files: &Files<'_>, run: Range<usize>, inputs: &mut Inputs<'_>, sums: &mut Sums<'_>) -> Result<()> {
    let (start, threads) = (run.start, inputs.threads);
    ordered::each(
        run.len(),
        threads,
        |place| files.get(start + place),
        |place, got| {
            let index = start + place;
            let digest = match got {
                Got::Known(known) => {
                    sums.add_known(&files.parts[index], &known);
                    files.digest(index)
                }
                Got::Read(blocks, read) => {
                    blocks.iter().for_each(|block| sums.merger.add(block));
                    Some(sums.add_read(read))
                }
            };
            inputs.learn(index, digest);
            Ok(())
        },
    )
}
