//! Sums over all files of a table of which a cache knows some: those are not read, and the result is the same to the last bit.

use std::collections::HashSet;
use std::ops::Range;

use sha2::{Digest, Sha256};
use shared::{Place, Result};

use super::blocks::Findings;
use super::cache::{Cache, FileSums, Known, Lookup, Pass, Recorder};
use super::measure::Direction;
use super::merge::Merger;
use super::ordered;
use super::part::Part;
use super::partial::Partial;
use super::pass::{self, Inputs};
use super::plan::Plan;
use super::row::{Problems, Sink};
use super::source::Source;
use super::sum::Kept;
use super::tally::Tally;
use super::{Detail, Request};

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
            for_run(&files, run, inputs, &mut sums, |bytes| bar.inc(bytes))?;
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

    fn add_read(&mut self, read: Read) {
        self.counts.read += 1;
        self.counts.damaged += usize::from(read.was_damaged);
        self.findings.append(read.findings);
    }
}

/// Light files are found or read several at once, heavy ones are read by all cores; all are added in their order.
fn for_run(
    files: &Files<'_>,
    run: Range<usize>,
    inputs: &mut Inputs<'_>,
    sums: &mut Sums<'_>,
    progress: impl Fn(u64),
) -> Result<()> {
    let (start, threads) = (run.start, inputs.threads);
    if run.len() == 1 {
        let part = &files.parts[start];
        let digest = match files.find(start) {
            Lookup::Found(known) => {
                sums.add_known(part, &known);
                files.digest(start)
            }
            missing => {
                let read = files.read(start, threads, &missing, |block| sums.merger.add(&block))?;
                let digest = read.digest.clone();
                sums.add_read(read);
                Some(digest)
            }
        };
        progress(part.size);
        inputs.learn(start, digest);
        return Ok(());
    }
    ordered::each(
        run.len(),
        threads,
        |place| files.get(start + place),
        |place, got| {
            let index = start + place;
            match got {
                Got::Known(known) => {
                    sums.add_known(&files.parts[index], &known);
                    inputs.learn(index, files.digest(index));
                }
                Got::Read(blocks, read) => {
                    blocks.iter().for_each(|block| sums.merger.add(block));
                    inputs.learn(index, Some(read.digest.clone()));
                    sums.add_read(read);
                }
            }
            progress(files.parts[index].size);
            Ok(())
        },
    )
}

/// The files of a pass.
struct Files<'a> {
    parts: &'a [Part],
    known: &'a [Option<Known>],
    pass: Pass<'a>,
    /// Files of which rows are left out: what the cache has of them are all rows.
    skipped: HashSet<usize>,
}

/// A file that was read.
struct Read {
    findings: Findings,
    digest: String,
    was_damaged: bool,
}

/// The sums of a file, from the cache or from its rows.
enum Got {
    Known(FileSums),
    Read(Vec<Partial>, Read),
}

impl Files<'_> {
    fn known(&self, index: usize) -> Option<&Known> {
        self.known[index].as_ref().filter(|_| !self.skipped.contains(&index))
    }

    fn digest(&self, index: usize) -> Option<String> {
        self.known[index].as_ref().map(|known| known.digest.clone())
    }

    fn is_light(&self, index: usize, part: &Part) -> bool {
        part.size <= pass::SMALL_BYTES || self.known(index).is_some_and(|known| self.pass.has(part, known))
    }

    fn find(&self, index: usize) -> Lookup {
        self.known(index).map_or(Lookup::Absent, |known| self.pass.find(&self.parts[index], known))
    }

    fn get(&self, index: usize) -> Result<Got> {
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
    fn read(&self, index: usize, threads: usize, missing: &Lookup, mut take: impl FnMut(Partial)) -> Result<Read> {
        let part = &self.parts[index];
        let source = part.open()?;
        let mut recorder = self.known(index).and_then(|known| self.pass.record(part, &source, known));
        let mut hasher = Sha256::new();
        let keep = |block: Partial| {
            recorder.iter_mut().for_each(|recorder: &mut Recorder<'_>| recorder.take(&block));
            take(block);
        };
        let findings = self.scan(index, &source, threads, |bytes| hasher.update(bytes), keep)?;
        let digest = shared::digest::hex(&hasher.finalize());
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
        see: impl FnMut(&[u8]) + Send,
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
            pass::scan_part(part, source, &plan.wanted, threads, tally, see, &mut findings, take)?;
            return Ok(findings);
        }
        let mut all = tally();
        let add = |kept: Kept, line, findings: &mut Findings| {
            let mut problems = Problems::default();
            kept.rows.iter().for_each(|row| all.row(&row.borrow(), &mut problems));
            findings.take_problems(&part.path, problems, line);
            Ok(())
        };
        pass::scan_part(part, source, &plan.wanted, threads, Kept::default, see, &mut findings, add)?;
        take(Partial::from(all));
        Ok(findings)
    }
}
