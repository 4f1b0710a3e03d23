//! `drift-watch export`: the joined pairs of forecast and actual as a forecast table (format 4.3), for `bench-compare`.

mod columns;
mod grid;
#[cfg(feature = "parquet")]
mod parquet;
mod table;
mod write;

use std::path::Path;

use shared::cli::{Context, Format, note};
use shared::error::{Error, Result};
use shared::{Exit, fsio};

use crate::core::engine::Engine;
use crate::sources::SourceArgs;

pub use columns::Name;
pub use table::Table;

/// Flags of `drift-watch export`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "COLUMNS
  unique_id, ds, cutoff, h, segments, y; then for each version of a model its forecasts, and -lo-LEVEL and -hi-LEVEL
  where it has intervals. The cutoff lies h steps before ds, so that versions that are issued at different minutes stand in one row.")]
pub struct Args {
    /// Write the joined pairs of the target times that are decided
    #[arg(long, required = true)]
    pub joined: bool,
    /// Only this model or version; may be repeated
    #[arg(long, value_name = "MODEL[@VERSION]", help_heading = "Table")]
    pub only: Vec<String>,
    /// The column of a version [default: MODEL, or `MODEL_vVERSION` where there are several]
    #[arg(long, value_name = "MODEL@VERSION=COLUMN", help_heading = "Table")]
    pub name: Vec<Name>,
    /// Keep rows that not all versions have a forecast for, with empty cells
    #[arg(long, help_heading = "Table")]
    pub unpaired: bool,
    /// Whose state
    #[command(flatten)]
    pub source: SourceArgs,
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Csv,
    Parquet,
}

/// Runs the command.
///
/// # Errors
/// On bad input or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let layout = layout(context)?;
    let engine = args.source.engine(context)?;
    let table = joined(&engine, args)?;
    table.notes().iter().for_each(|text| note(text));
    match (layout, &context.output) {
        (Layout::Csv, None) => context.emit(&write::csv(&table))?,
        (Layout::Csv, Some(path)) => fsio::write_atomic(path, write::csv(&table).as_bytes())?,
        (Layout::Parquet, Some(path)) => fsio::write_atomic(path, &parquet_bytes(&table)?)?,
        (Layout::Parquet, None) => return Err(Error::usage("Parquet on a terminal", "-o FILE.parquet").into()),
    }
    Ok(Exit::Ok)
}

/// The joined pairs of an engine.
///
/// # Errors
/// If no such version is known, two columns would have one name, or there is no pair.
pub fn joined(engine: &Engine, args: &Args) -> Result<Table> {
    let columns = columns::of(engine, &args.only, &args.name)?;
    table::of(engine, columns, args.unpaired)
}

/// By `--format csv`, else by the end of the file's name; CSV on standard output.
fn layout(context: &Context) -> Result<Layout> {
    let end = context.output.as_deref().and_then(Path::extension).map(|end| end.to_string_lossy().to_lowercase());
    match (context.format, end.as_deref()) {
        (Format::Csv, _) | (Format::Text, Some("csv")) => Ok(Layout::Csv),
        (Format::Text, None) if context.output.is_none() => Ok(Layout::Csv),
        (Format::Text, Some("parquet" | "pq")) => Ok(Layout::Parquet),
        (Format::Text, _) => Err(Error::usage(
            "a file whose name does not say how to write it",
            "-o FILE.parquet, -o FILE.csv or --format csv",
        )),
        (Format::Json | Format::Markdown, _) => {
            Err(Error::usage("a forecast table in that format", "-o FILE.parquet, -o FILE.csv or --format csv"))
        }
    }
}

#[cfg(feature = "parquet")]
fn parquet_bytes(table: &Table) -> Result<Vec<u8>> {
    parquet::bytes(table)
}

#[cfg(not(feature = "parquet"))]
fn parquet_bytes(_: &Table) -> Result<Vec<u8>> {
    let error = Error::usage("a Parquet file", "-o FILE.csv: this program was built without Parquet");
    Err(error.with_help("build with the feature `parquet`"))
}
