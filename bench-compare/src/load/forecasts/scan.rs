//! The rows of one file, in its own format, into sinks.

use shared::Result;
#[cfg(not(feature = "parquet"))]
use shared::{Error, Place};

use super::blocks::{self, Findings, Job};
use super::fixed::{Fixed, Placed};
use super::infer;
use super::layout::Wanted;
#[cfg(feature = "parquet")]
use super::parquet::Footer;
use super::part::Part;
use super::row::Sink;
use super::source::{Shape, Source};
use super::time::Kind;
use super::watch::Watch;

/// A file that was read whole.
pub(super) struct Whole<S> {
    pub(super) blocks: Vec<(S, u64)>,
    pub(super) findings: Findings,
    pub(super) digest: Option<String>,
}

/// Reads a file with one thread.
///
/// # Errors
/// If it cannot be read or is malformed.
pub(super) fn whole<S: Sink>(
    part: &Part,
    wanted: &Wanted,
    make: impl Fn() -> S + Sync,
    mut watch: Watch<'_>,
) -> Result<Whole<S>> {
    let (mut blocks, mut findings) = (Vec::new(), Findings::default());
    let take = |sink, line, _: &mut Findings| {
        blocks.push((sink, line));
        Ok(())
    };
    scan_part(part, &*part.open()?, wanted, 1, make, &mut watch, &mut findings, take)?;
    Ok(Whole { blocks, findings, digest: watch.digest() })
}

/// Reads the rows of a file, with what its path says of them.
#[expect(clippy::too_many_arguments, reason = "what a pass is made of")]
pub(super) fn scan_part<S: Sink>(
    part: &Part,
    source: &Source,
    wanted: &Wanted,
    threads: usize,
    make: impl Fn() -> S + Sync,
    watch: &mut Watch<'_>,
    findings: &mut Findings,
    mut take: impl FnMut(S, u64, &mut Findings) -> Result<()>,
) -> Result<()> {
    if part.columns.is_empty() || source.size == 0 {
        return scan_file(source, wanted, threads, make, watch, findings, take);
    }
    let fixed = Fixed::new(part, &infer::columns(source)?, wanted)?;
    fixed.note_kinds(part, findings);
    let make = || Placed { fixed: &fixed, sink: make() };
    let take = |placed: Placed<'_, S>, line, findings: &mut Findings| take(placed.sink, line, findings);
    scan_file(source, &fixed.wanted, threads, make, watch, findings, take)
}

fn scan_file<S: Sink>(
    source: &Source,
    wanted: &Wanted,
    threads: usize,
    make: impl Fn() -> S + Sync,
    watch: &mut Watch<'_>,
    findings: &mut Findings,
    take: impl FnMut(S, u64, &mut Findings) -> Result<()>,
) -> Result<()> {
    match &source.shape {
        Shape::Csv { header, .. } if header.is_empty() => Ok(()),
        Shape::Csv { header, body, body_line } => {
            let layout = wanted.layout(header, &source.path)?;
            let job = Job { source, layout: &layout, body: *body, body_line: *body_line, threads };
            blocks::scan(&job, make, watch, findings, take)
        }
        #[cfg(feature = "parquet")]
        Shape::Parquet => super::parquet::scan(source, wanted, threads, make, watch, findings, take),
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
