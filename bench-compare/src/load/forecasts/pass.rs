//! One pass over all files of a table, the digest of each beside it.

use std::io::IsTerminal;
use std::ops::Range;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use shared::format::input::Input;
use shared::{Error, Place, Result};

use super::Request;
use super::blocks::Findings;
use super::layout::Wanted;
use super::ordered;
use super::part::Part;
use super::row::Sink;
use super::scan::{scan_part, whole};
use super::time::Kind;
use super::train::{Train, TrainRows};
use super::watch::Watch;

/// Bytes from which on a bar shows the progress.
const LONG_INPUT_BYTES: u64 = 1 << 28;

/// Files up to this size are read whole, several at once; larger ones by all cores, one after the other.
pub(super) const SMALL_BYTES: u64 = 1 << 20;

/// The files of a table, and their digests once they have been read.
pub(super) struct Inputs<'a> {
    pub(super) parts: &'a [Part],
    pub(super) threads: usize,
    digests: Vec<Option<String>>,
    wants_digests: bool,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(parts: &'a [Part], threads: usize, wants_digests: bool) -> Self {
        Self { parts, threads: thread_count(threads), digests: vec![None; parts.len()], wants_digests }
    }

    fn wants_digest(&self, index: usize) -> bool {
        self.wants_digests && self.digests[index].is_none()
    }

    /// The files with their digests, in the order given; none where digests are not wanted.
    pub(super) fn digests(&self) -> Vec<Input> {
        if !self.wants_digests {
            return Vec::new();
        }
        let known = self.parts.iter().zip(&self.digests);
        let input = |(part, digest): (&Part, &Option<String>)| Input {
            role: "forecasts".to_owned(),
            path: part.path.clone(),
            sha256: digest.clone().unwrap_or_default(),
        };
        known.map(input).collect()
    }

    /// Notes the digest of a file.
    pub(super) fn learn(&mut self, index: usize, digest: Option<String>) {
        self.digests[index] = self.digests[index].take().or(digest);
    }

    /// Reads all rows into sinks, one for each block, and hands them over in order: the file, the sink, the line on which its
    /// rows begin.
    ///
    /// # Errors
    /// If a file cannot be read or is malformed, or what `take` says.
    pub(super) fn scan<S: Sink>(
        &mut self,
        wanted: &Wanted,
        make: impl Fn(usize) -> S + Sync,
        mut take: impl FnMut(usize, S, u64, &mut Findings) -> Result<()>,
    ) -> Result<Option<Kind>> {
        let mut findings = Findings::default();
        let bar = self.bar();
        for run in self.runs(|_, part| part.size <= SMALL_BYTES) {
            match run.len() {
                1 => self.scan_alone(run.start, wanted, &make, &bar, &mut findings, &mut take)?,
                _ => self.scan_together(run, wanted, &make, &bar, &mut findings, &mut take)?,
            }
        }
        bar.finish_and_clear();
        findings.check()
    }

    fn scan_alone<S: Sink>(
        &mut self,
        index: usize,
        wanted: &Wanted,
        make: &(impl Fn(usize) -> S + Sync),
        bar: &ProgressBar,
        findings: &mut Findings,
        take: &mut impl FnMut(usize, S, u64, &mut Findings) -> Result<()>,
    ) -> Result<()> {
        let mut watch = Watch::new(self.wants_digest(index), bar);
        let each = |sink, line, findings: &mut Findings| take(index, sink, line, findings);
        let part = &self.parts[index];
        scan_part(part, &*part.open()?, wanted, self.threads, || make(index), &mut watch, findings, each)?;
        self.learn(index, watch.digest());
        Ok(())
    }

    /// Reads small files, each by one thread; their sinks come in the order of the files all the same.
    fn scan_together<S: Sink>(
        &mut self,
        run: Range<usize>,
        wanted: &Wanted,
        make: &(impl Fn(usize) -> S + Sync),
        bar: &ProgressBar,
        findings: &mut Findings,
        take: &mut impl FnMut(usize, S, u64, &mut Findings) -> Result<()>,
    ) -> Result<()> {
        let (parts, start) = (self.parts, run.start);
        let wants: Vec<bool> = run.clone().map(|index| self.wants_digest(index)).collect();
        let work =
            |place: usize| whole(&parts[start + place], wanted, || make(start + place), Watch::new(wants[place], bar));
        ordered::each(run.len(), self.threads, work, |place, whole| {
            findings.append(whole.findings);
            self.learn(start + place, whole.digest);
            whole.blocks.into_iter().try_for_each(|(sink, line)| take(start + place, sink, line, findings))
        })
    }

    /// The files as runs of light ones, which are read together, and heavy ones, each alone.
    pub(super) fn runs(&self, is_light: impl Fn(usize, &Part) -> bool) -> Vec<Range<usize>> {
        runs(self.parts.iter().enumerate().map(|(index, part)| is_light(index, part)))
    }

    /// A bar that shows how many bytes have been read.
    pub(super) fn bar(&self) -> ProgressBar {
        progress_bar(self.parts.iter().map(|part| part.size).sum())
    }
}

/// Neighbours that are light, and each other one alone.
fn runs(light: impl Iterator<Item = bool>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut was_light = false;
    for (index, is_light) in light.enumerate() {
        match runs.last_mut().filter(|_| is_light && was_light) {
            Some(run) => run.end = index + 1,
            None => runs.push(index..index + 1),
        }
        was_light = is_light;
    }
    runs
}

/// Reads a training table.
///
/// # Errors
/// As [`Inputs::scan`]; if its times are of another kind than those of the forecasts, or a time is there twice.
pub(super) fn train(path: &Path, request: &Request, kind: Kind) -> Result<(Train, Input)> {
    if request.season == 0 {
        return Err(Error::usage("--season 0", "a lag of at least 1"));
    }
    let parts = [Part::file(path)?];
    let mut inputs = Inputs::new(&parts, request.threads, true);
    let columns = request.columns.clone();
    let numbers = vec![columns.y.clone()];
    let wanted = Wanted { columns, has_id: true, has_ds: true, has_cutoff: false, numbers, extras: Vec::new() };
    let mut rows = TrainRows::default();
    let found = inputs.scan(
        &wanted,
        |_| TrainRows::default(),
        |_, block, _, _| {
            rows.append(block);
            Ok(())
        },
    )?;
    if let Some(found) = found.filter(|found| *found != kind) {
        let found = format!("times are {}, those of the forecasts {}", found.name(), kind.name());
        return Err(Error::input(Place::file(path), found, "the same kind in both"));
    }
    if found.is_none() {
        return Err(Error::input(Place::file(path), "the training table has no rows", "at least one"));
    }
    let train = rows.finish(request.season as usize, path, kind)?;
    let input = inputs.digests().remove(0);
    Ok((train, Input { role: "train".to_owned(), ..input }))
}

fn thread_count(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        asked => asked,
    }
}

fn progress_bar(bytes: u64) -> ProgressBar {
    if bytes < LONG_INPUT_BYTES || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
