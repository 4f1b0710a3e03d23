//! One pass over all files of a table: each file in its own format, its digest beside it.

use std::fmt::Write;
use std::io::IsTerminal;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use shared::format::input::Input;
use shared::{Error, Place, Result};

use super::blocks::{self, Findings, Job};
use super::layout::Wanted;
use super::measure::Direction;
use super::merge::Merger;
#[cfg(feature = "parquet")]
use super::parquet::Footer;
use super::plan::Plan;
use super::row::{Kept, Problems, Sink, Stretch};
use super::source::{Shape, Source};
use super::tally::Tally;
use super::time::Kind;
use super::train::{Train, TrainRows};
use super::{Detail, Request};

/// Bytes from which on a bar shows the progress.
const LONG_INPUT_BYTES: u64 = 1 << 28;

/// The files of a table, and their digests once they have been read.
pub(super) struct Inputs<'a> {
    pub(super) sources: &'a [Source],
    threads: usize,
    digests: Vec<Option<String>>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(sources: &'a [Source], threads: usize) -> Self {
        Self { sources, threads: thread_count(threads), digests: vec![None; sources.len()] }
    }

    /// The files with their digests, in the order given.
    pub(super) fn digests(&self) -> Vec<Input> {
        let known = self.sources.iter().zip(&self.digests);
        let input = |(source, digest): (&Source, &Option<String>)| Input {
            role: "forecasts".to_owned(),
            path: source.path.clone(),
            sha256: digest.clone().unwrap_or_default(),
        };
        known.map(input).collect()
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
        let bar = progress_bar(self.sources.iter().map(|source| source.size).sum());
        for (index, source) in self.sources.iter().enumerate() {
            let mut hasher = self.digests[index].is_none().then(Sha256::new);
            let see = |bytes: &[u8]| {
                if let Some(hasher) = &mut hasher {
                    hasher.update(bytes);
                }
                bar.inc(bytes.len() as u64);
            };
            let each = |sink, line, findings: &mut Findings| take(index, sink, line, findings);
            scan_file(source, wanted, self.threads, || make(index), see, &mut findings, each)?;
            self.digests[index] = self.digests[index].take().or_else(|| hasher.map(hexadecimal));
        }
        bar.finish_and_clear();
        findings.check()
    }
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

/// Sums up the table.
///
/// # Errors
/// As [`Inputs::scan`].
pub(super) fn sum<'p>(inputs: &mut Inputs<'_>, plan: &'p Plan, detail: Detail) -> Result<Merger<'p>> {
    let mut merger = Merger::new(plan, detail);
    match plan.direction {
        Direction::Last => inputs.scan(
            &plan.wanted,
            |file| Tally::new(plan, detail, file),
            |_, tally, _, _| {
                merger.add(&tally);
                Ok(())
            },
        )?,
        Direction::Diff => sum_in_order(inputs, plan, detail, &mut merger)?,
    };
    Ok(merger)
}

/// Sums up each file in one go: a row needs the one before it, which may stand in another block.
fn sum_in_order(inputs: &mut Inputs<'_>, plan: &Plan, detail: Detail, merger: &mut Merger<'_>) -> Result<Option<Kind>> {
    let mut tallies: Vec<Tally<'_>> = (0..inputs.sources.len()).map(|file| Tally::new(plan, detail, file)).collect();
    let paths: Vec<_> = inputs.sources.iter().map(|source| source.path.clone()).collect();
    let kind = inputs.scan(
        &plan.wanted,
        |_| Block { width: plan.width(), stretches: Vec::new() },
        |file, block, line, findings| {
            let mut problems = Problems::default();
            for kept in &block.stretches {
                kept.show(|stretch| tallies[file].stretch(stretch, &mut problems));
            }
            findings.take_problems(&paths[file], problems, line);
            Ok(())
        },
    )?;
    for tally in &tallies {
        merger.add(tally);
    }
    Ok(kind)
}

/// The rows of a block, kept.
#[derive(Debug)]
struct Block {
    width: usize,
    stretches: Vec<Kept>,
}

impl Sink for Block {
    fn stretch(&mut self, stretch: &Stretch<'_>, _: &mut Problems) {
        self.stretches.push(Kept::new(stretch, self.width, |_| true));
    }
}

/// Reads a training table.
///
/// # Errors
/// As [`Inputs::scan`]; if its times are of another kind than those of the forecasts, or a time is there twice.
pub(super) fn train(path: &Path, request: &Request, kind: Kind) -> Result<(Train, Input)> {
    if request.season == 0 {
        return Err(Error::usage("--season 0", "a lag of at least 1"));
    }
    let sources = [Source::open(path)?];
    let mut inputs = Inputs::new(&sources, request.threads);
    let columns = request.columns.clone();
    let wanted = Wanted { numbers: vec![columns.y.clone()], columns, has_cutoff: false, extras: Vec::new() };
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
