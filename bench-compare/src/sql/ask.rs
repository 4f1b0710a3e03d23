//! Flags of `bench-compare sql`, and the query that they ask for.

use shared::format::sufficient::Measure;
use shared::metric::{Metric, measures_of};
use shared::{Error, Result, predicate};

use super::{Dialect, Header, Names, SCHEMA};
use crate::load::forecasts::{ColumnMap, Direction};

/// What a gate needs of any table: by the first three it knows models that forecast the same.
const ALWAYS: [Measure; 4] = [Measure::AbsoluteError, Measure::SquaredError, Measure::Error, Measure::AbsoluteActual];

/// Flags of `bench-compare sql`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "The engine knows the columns, this command does not: what it names must be there. A table without `h` gets it \
in a query: --table '(SELECT *, … AS h FROM cv)'."
)]
pub struct Args {
    /// The engine
    #[arg(long, value_enum, help_heading = "Input")]
    pub dialect: Dialect,
    /// Forecast table: a name such as `sales.cv`, which is quoted, or a query in parentheses, which is not
    #[arg(long, value_name = "TABLE", help_heading = "Input")]
    pub table: String,
    /// Training table with the history of the series: for MASE, RMSSE and directional accuracy
    #[arg(long, value_name = "TABLE", help_heading = "Input")]
    pub train: Option<String>,
    /// Seasonal lag, in rows, of the scale of MASE and RMSSE: 12 for months, 24 for hours
    #[arg(long, value_name = "ROWS", default_value_t = 1, help_heading = "Input")]
    pub season: u32,
    /// What the tables call their columns: `id=store,ds=date,cutoff=origin,y=sales`
    #[arg(long, value_name = "ROLE=COLUMN,…", help_heading = "Input")]
    pub map: Option<String>,
    /// The table has no column of cutoffs: each series is one window
    #[arg(long, help_heading = "Input")]
    pub no_cutoff: bool,
    /// What directional accuracy compares with
    #[arg(long, value_enum, default_value_t, help_heading = "Input")]
    pub direction: Direction,
    /// Models: the columns of predictions
    #[arg(
        long,
        visible_alias = "model",
        value_name = "MODEL,…",
        value_delimiter = ',',
        required = true,
        help_heading = "What to sum up"
    )]
    pub models: Vec<String>,
    /// Metrics that shall be computable [default: all that the flags allow]
    #[arg(long, value_name = "METRIC,…", value_delimiter = ',', help_heading = "What to sum up")]
    pub metrics: Vec<Metric>,
    /// Level in percent of the intervals, columns such as `A-lo-90` and `A-hi-90`: for coverage and pinball
    #[arg(long, value_name = "PERCENT", help_heading = "What to sum up")]
    pub level: Option<f64>,
    /// Models that have such an interval [default: all]
    #[arg(long, value_name = "MODEL,…", value_delimiter = ',', requires = "level", help_heading = "What to sum up")]
    pub interval_models: Vec<String>,
    /// Also for the rows that a condition selects: `holiday = 1`; may be repeated
    #[arg(long = "slice", value_name = "CONDITION", help_heading = "What to sum up")]
    pub slices: Vec<String>,
    /// Also by the levels of these columns, each on its own; series and cutoff are always there
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "What to sum up")]
    pub by: Vec<String>,
}

/// The query that the flags ask for.
///
/// # Errors
/// For flags that contradict each other.
pub(super) fn header(args: &Args) -> Result<Header> {
    check(args)?;
    let map = args.map.as_deref().map(ColumnMap::parse).transpose()?.unwrap_or_default();
    let by =
        args.by.iter().filter(|name| **name != map.id && (args.no_cutoff || **name != map.cutoff)).cloned().collect();
    let has_interval = |model: &String| {
        args.level.is_some() && (args.interval_models.is_empty() || args.interval_models.contains(model))
    };
    let header = Header {
        schema: SCHEMA.to_owned(),
        dialect: args.dialect,
        table: args.table.clone(),
        train: args.train.clone(),
        season: args.season,
        direction: args.direction,
        columns: Names { id: map.id, ds: map.ds, cutoff: (!args.no_cutoff).then_some(map.cutoff), y: map.y },
        intervals: args.models.iter().map(has_interval).collect(),
        models: args.models.clone(),
        level: args.level,
        measures: measures(args),
        slices: args.slices.clone(),
        by,
    };
    Ok(header)
}

fn check(args: &Args) -> Result<()> {
    distinct("model", &args.models)?;
    distinct("slice", &args.slices)?;
    distinct("column", &args.by)?;
    for slice in &args.slices {
        predicate::parse(slice)?;
    }
    if args.season == 0 {
        return Err(Error::usage("--season 0", "a lag of at least 1"));
    }
    if args.level.is_some_and(|level| !(level > 0.0 && level < 100.0)) {
        return Err(Error::usage("--level", "percent: more than 0, less than 100"));
    }
    if let Some(unknown) = args.interval_models.iter().find(|model| !args.models.contains(model)) {
        return Err(Error::usage(format!("--interval-models {unknown:?}"), "models that --models names"));
    }
    let unknown = args.metrics.iter().find(|metric| !is_possible(**metric, args));
    unknown.map_or(Ok(()), |metric| Err(Error::usage(format!("metric {metric}"), needed(*metric))))
}

fn distinct(what: &str, names: &[String]) -> Result<()> {
    match names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        Some((_, twice)) => Err(Error::usage(format!("{what} {twice:?} is named twice"), "each once")),
        None => Ok(()),
    }
}

fn is_possible(metric: Metric, args: &Args) -> bool {
    let has_last = args.train.is_some() && !args.no_cutoff;
    match metric {
        Metric::Mase | Metric::Rmsse => has_last,
        Metric::Da | Metric::DaTie => has_last || args.direction == Direction::Diff,
        Metric::Coverage => args.level.is_some(),
        _ => true,
    }
}

fn needed(metric: Metric) -> &'static str {
    match metric {
        Metric::Coverage => "--level, and intervals of it in the table",
        _ => "--train with the history of the series, and cutoffs",
    }
}

fn measures(args: &Args) -> Vec<Measure> {
    let possible = Metric::ALL.into_iter().filter(|metric| is_possible(*metric, args));
    let mut metrics: Vec<Metric> = if args.metrics.is_empty() { possible.collect() } else { args.metrics.clone() };
    if metrics.contains(&Metric::Da) {
        metrics.push(Metric::DaTie);
    }
    let mut measures = ALWAYS.to_vec();
    for measure in measures_of(&metrics, args.level) {
        if !measures.contains(&measure) {
            measures.push(measure);
        }
    }
    measures
}
