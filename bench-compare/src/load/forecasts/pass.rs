//! One pass over all files of a table: each file in its own format, its digest beside it.

use std::fmt::Write;
use std::io::IsTerminal;
use std::ops::Range;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use shared::format::input::Input;
use shared::{Error, Place, Result};

use super::Request;
use super::blocks::{self, Findings, Job};
use super::fixed::{Fixed, Placed};
use super::infer;
use super::layout::Wanted;
use super::ordered;
#[cfg(feature = "parquet")]
use super::parquet::Footer;
use super::part::Part;
use super::row::Sink;
use super::source::{Shape, Source};
use super::time::Kind;
use super::train::{Train, TrainRows};

/// Bytes from which on a bar shows the progress.
const LONG_INPUT_BYTES: u64 = 1 << 28;

/// Files up to this size are read whole, several at once; larger ones by all cores, one after the other.
pub(super) const SMALL_BYTES: u64 = 1 << 20;

/// The files of a table, and their digests once they have been read.
pub(super) struct Inputs<'a> {
    pub(super) parts: &'a [Part],
    pub(super) threads: usize,
    digests: Vec<Option<String>>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(parts: &'a [Part], threads: usize) -> Self {
        Self { parts, threads: thread_count(threads), digests: vec![None; parts.len()] }
    }

    /// The files with their digests, in the order given.
    pub(super) fn digests(&self) -> Vec<Input> {
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
        let mut hasher = self.digests[index].is_none().then(Sha256::new);
        let see = |bytes: &[u8]| {
            if let Some(hasher) = &mut hasher {
                hasher.update(bytes);
            }
            bar.inc(bytes.len() as u64);
        };
        let each = |sink, line, findings: &mut Findings| take(index, sink, line, findings);
        let part = &self.parts[index];
        scan_part(part, &*part.open()?, wanted, self.threads, || make(index), see, findings, each)?;
        self.learn(index, hasher.map(hexadecimal));
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
        let work = |place: usize| whole(&parts[start + place], wanted, || make(start + place));
        ordered::each(run.len(), self.threads, work, |place, whole| {
            findings.append(whole.findings);
            self.learn(start + place, Some(whole.digest));
            bar.inc(parts[start + place].size);
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

/// A file that was read whole.
pub(super) struct Whole<S> {
    pub(super) blocks: Vec<(S, u64)>,
    pub(super) findings: Findings,
    pub(super) digest: String,
}

/// Reads a file with one thread.
///
/// # Errors
/// If it cannot be read or is malformed.
pub(super) fn whole<S: Sink>(part: &Part, wanted: &Wanted, make: impl Fn() -> S + Sync) -> Result<Whole<S>> {
    let (mut blocks, mut findings, mut hasher) = (Vec::new(), Findings::default(), Sha256::new());
    let take = |sink, line, _: &mut Findings| {
        blocks.push((sink, line));
        Ok(())
    };
    scan_part(part, &*part.open()?, wanted, 1, make, |bytes| hasher.update(bytes), &mut findings, take)?;
    Ok(Whole { blocks, findings, digest: hexadecimal(hasher) })
}

/// Reads the rows of a file, with what its path says of them.
#[expect(clippy::too_many_arguments, reason = "what a pass is made of")]
pub(super) fn scan_part<S: Sink>(
    part: &Part,
    source: &Source,
    wanted: &Wanted,
    threads: usize,
    make: impl Fn() -> S + Sync,
    see: impl FnMut(&[u8]) + Send,
    findings: &mut Findings,
    mut take: impl FnMut(S, u64, &mut Findings) -> Result<()>,
) -> Result<()> {
    if part.columns.is_empty() || source.size == 0 {
        return scan_file(source, wanted, threads, make, see, findings, take);
    }
    let fixed = Fixed::new(part, &infer::columns(source)?, wanted)?;
    fixed.note_kinds(part, findings);
    let make = || Placed { fixed: &fixed, sink: make() };
    let take = |placed: Placed<'_, S>, line, findings: &mut Findings| take(placed.sink, line, findings);
    scan_file(source, &fixed.wanted, threads, make, see, findings, take)
}

fn scan_file<S: Sink>(
    source: &Source,
    wanted: &Wanted,
    threads: usize,
    make: impl Fn() -> S + Sync,
    see: impl FnMut(&[u8]) + Send,
    findings: &mut Findings,
    take: impl FnMut(S, u64, &mut Findings) -> Result<()>,
) -> Result<()> {
    match &source.shape {
        Shape::Csv { header, .. } if header.is_empty() => Ok(()),
        Shape::Csv { header, body, body_line } => {
            let layout = wanted.layout(header, &source.path)?;
            let job = Job { source, layout: &layout, body: *body, body_line: *body_line, threads };
            blocks::scan(&job, make, see, findings, take)
        }
        #[cfg(feature = "parquet")]
        Shape::Parquet => super::parquet::scan(source, wanted, threads, make, see, findings, take),
        #[cfg(not(feature = "parquet"))]
        Shape::Parquet => Err(no_parquet(source)),
    }
}

/// The column names of a Parquet file.
pub(super) fn parquet_columns(source: &Source) -> Result<Vec<String>> {
    #[cfg(feature = "parquet")]
    return Ok(Footer::read(source)?.columns());
    #[cfg(not(feature = "parquet"))]
    Err(no_parquet(source))
}

/// Which columns of a Parquet file are numbers.
pub(super) fn parquet_numeric(source: &Source) -> Result<Vec<bool>> {
    #[cfg(feature = "parquet")]
    return Ok(Footer::read(source)?.numeric());
    #[cfg(not(feature = "parquet"))]
    Err(no_parquet(source))
}

/// Whether a Parquet file has rows.
pub(super) fn parquet_has_rows(source: &Source) -> Result<bool> {
    #[cfg(feature = "parquet")]
    return Ok(Footer::read(source)?.rows() > 0);
    #[cfg(not(feature = "parquet"))]
    Err(no_parquet(source))
}

/// The kind of times in a column of a Parquet file.
pub(super) fn parquet_kind(source: &Source, column: &str) -> Result<Kind> {
    #[cfg(feature = "parquet")]
    return Footer::read(source)?.kind(source, column);
    #[cfg(not(feature = "parquet"))]
    Err(no_parquet(source).with_help(format!("column {column:?} cannot be read")))
}

#[cfg(not(feature = "parquet"))]
fn no_parquet(source: &Source) -> Error {
    let error =
        Error::input(Place::file(&source.path), "a Parquet file", "CSV: this program was built without Parquet");
    error.with_help("build with the feature `parquet`")
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
    let mut inputs = Inputs::new(&parts, request.threads);
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

fn hexadecimal(hasher: Sha256) -> String {
    hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn progress_bar(bytes: u64) -> ProgressBar {
    if bytes < LONG_INPUT_BYTES || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
