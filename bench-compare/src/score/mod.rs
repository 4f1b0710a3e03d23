//! `bench-compare score`: metrics of the models of a forecast table.

mod benchmark;
mod result;
mod table;

use std::path::PathBuf;

use shared::Exit;
use shared::cli::{Context, Format, note};
use shared::metric::{Metric, measures_of};

use crate::load::forecasts::{CacheArgs, Detail, Opened, Request, TableArgs};

pub use result::{Column, Models, SCHEMA, Score, Values};

/// Flags of `bench-compare score`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Forecast tables with the same columns, CSV or Parquet, or folders of them; `-` is standard input
    #[arg(required_unless_present = "sufficient", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Sufficient statistics in place of a forecast table: what an engine answers to the query of `bench-compare sql`, as CSV, Parquet
    /// or a folder of parts; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "train"], help_heading = "Input")]
    pub sufficient: Vec<PathBuf>,
    /// Metrics: mape, smape, wape, mase, rmsse, mae, mse, rmse, bias, `mean_error`, da, `da_tie`, coverage, pinball
    /// [default: all that the inputs allow]
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',', help_heading = "What to compute")]
    pub metrics: Vec<Metric>,
    /// Models [default: inferred from the order of the columns]
    #[arg(
        long,
        visible_alias = "model",
        value_name = "MODEL,…",
        value_delimiter = ',',
        help_heading = "What to compute"
    )]
    pub models: Vec<String>,
    /// Also by the levels of these columns, each on its own: `unique_id,h,holiday`
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "What to compute")]
    pub by: Vec<String>,
    /// Also for the rows that a condition selects: `holiday = 1 and n_train < 60`
    #[arg(long = "slice", value_name = "CONDITION", help_heading = "What to compute")]
    pub slices: Vec<String>,
    /// Level of the intervals, in percent, for coverage and pinball [default: 90, or the only one there is]
    #[arg(long, value_name = "PERCENT", help_heading = "What to compute")]
    pub level: Option<f64>,
    /// What the table is
    #[command(flatten)]
    pub table: TableArgs,
    /// What is remembered
    #[command(flatten)]
    pub cache: CacheArgs,
    /// Write `benchmark_results.json` and `benchmark_report.txt`, as the `ModelBenchmark` class does, into this folder
    #[arg(long, value_name = "FOLDER", requires = "dataset", help_heading = "Output")]
    pub write_benchmark: Option<PathBuf>,
    /// Name of the dataset in those files
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub dataset: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// On bad input or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    // Only JSON shows the digests, and a digest of a large table takes longer than its metrics.
    let score = score(args, context.format == Format::Json)?;
    for text in score.notes.iter().chain(&score.missing).chain(&score.remarks) {
        note(&format!("note: {text}"));
    }
    if let (Some(folder), Some(dataset)) = (&args.write_benchmark, &args.dataset) {
        benchmark::write(&score, folder, dataset)?;
    }
    context.emit(&print(&score, context.format)?)?;
    Ok(Exit::Ok)
}

/// Reads the table and computes its metrics; `digests` says whether [`Score::inputs`] is wanted.
///
/// # Errors
/// On bad input.
pub fn score(args: &Args, digests: bool) -> shared::Result<Score> {
    let detail = Detail::Series;
    let (models, by, slices) = (args.models.clone(), args.by.clone(), args.slices.clone());
    let mut request = Request {
        models,
        slices,
        by,
        detail,
        digests,
        cache: args.cache.request(),
        ..args.table.request(&args.files)?
    };
    let forecasts = Opened::open(&request, &args.sufficient)?;
    request = forecasts.settled(request);
    let level = level(args.level, &forecasts.levels())?;
    let mut metrics = if args.metrics.is_empty() { default_metrics(&request, level) } else { args.metrics.clone() };
    if args.metrics.is_empty() {
        metrics.retain(|metric| forecasts.has(metric.measures(level)));
    }
    add_companions(&mut metrics);
    let mut needed = metrics.clone();
    if args.write_benchmark.is_some() {
        needed.extend(result::BENCHMARK_METRICS);
    }
    request.measures = measures_of(&needed, level);
    let loaded = forecasts.read(&request)?;
    Ok(Score::new(&loaded, &metrics, level, &request))
}

/// The level of the intervals: the one asked for, the only one, or 90 percent.
fn level(asked: Option<f64>, known: &[f64]) -> shared::Result<Option<f64>> {
    let listed = || known.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    match (asked, known) {
        (Some(level), _) if known.contains(&level) => Ok(Some(level)),
        (Some(level), _) => Err(shared::Error::usage(
            format!("no model has an interval of {level} percent"),
            format!("one of: {}", listed()),
        )),
        (None, []) => Ok(None),
        (None, [only]) => Ok(Some(*only)),
        (None, _) => Ok(known.iter().copied().find(|level| *level >= 90.0).or(known.last().copied())),
    }
}

/// All metrics that the inputs allow.
fn default_metrics(request: &Request, level: Option<f64>) -> Vec<Metric> {
    let possible = |metric: &Metric| match metric {
        Metric::Mase | Metric::Rmsse => request.train.is_some(),
        Metric::Da => request.train.is_some() || request.direction == crate::load::forecasts::Direction::Diff,
        Metric::Coverage | Metric::Pinball => level.is_some(),
        Metric::Mse | Metric::MeanError | Metric::DaTie => false,
        _ => true,
    };
    Metric::ALL.into_iter().filter(possible).collect()
}

/// WAPE stands beside every MAPE, the mean error beside the bias, the ties beside directional accuracy; repeats go.
fn add_companions(metrics: &mut Vec<Metric>) {
    let companion = |metric: &Metric| match metric {
        Metric::Mape => vec![Metric::Mape, Metric::Wape],
        Metric::Bias => vec![Metric::Bias, Metric::MeanError],
        Metric::Da => vec![Metric::Da, Metric::DaTie],
        other => vec![*other],
    };
    let wanted: Vec<Metric> = metrics.iter().flat_map(companion).collect();
    metrics.clear();
    for metric in wanted {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
}

fn print(score: &Score, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Json => serde_json::to_string_pretty(score)? + "\n",
        Format::Csv => table::csv(score)?,
        Format::Markdown => table::markdown(score),
        Format::Text => table::text(score),
    })
}
