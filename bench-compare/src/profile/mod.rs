//! `bench-compare profile`: a model's error distribution by horizon.

mod describe;
mod rows;

use std::path::PathBuf;

use shared::Exit;
use shared::cli::{Context, note};
use shared::format::input::Tool;
use shared::format::profile::{Profile, SCHEMA};
use shared::format::sufficient::{Measure, Sufficient};

use crate::load::forecasts::{Forecasts, Request, TableArgs};

/// Flags of `bench-compare profile`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "The rows of the model are kept in memory: about 100 bytes each.")]
pub struct Args {
    /// Forecast tables with the same columns, CSV or Parquet, or folders of them
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The model
    #[arg(long, value_name = "MODEL", help_heading = "What to compute")]
    pub model: String,
    /// Also by the place of the target time in a season of so many steps: 12 for months of the year
    #[arg(long, value_name = "SLOTS", help_heading = "What to compute")]
    pub season_slots: Option<u32>,
    /// Level of the interval, in percent [default: the model's highest]
    #[arg(long, value_name = "PERCENT", help_heading = "What to compute")]
    pub level: Option<f64>,
    /// Keep so many rows at the most, for drift-watch to learn from and to resample; whole series are left out beyond; 0 keeps none
    #[arg(long, value_name = "N", default_value_t = 200_000, help_heading = "What to compute")]
    pub keep_rows: usize,
    /// What the table is
    #[command(flatten)]
    pub table: TableArgs,
}

/// Runs the command.
///
/// # Errors
/// On bad input or a failing environment.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let profile = profile(args)?;
    for text in profile.notes.iter().chain(&profile.missing) {
        note(&format!("note: {text}"));
    }
    context.emit(&(serde_json::to_string_pretty(&profile)? + "\n"))?;
    Ok(Exit::Ok)
}

/// Reads the table and describes the model's errors.
///
/// # Errors
/// On bad input.
pub fn profile(args: &Args) -> shared::Result<Profile> {
    let measures = vec![Measure::AbsoluteError];
    let request = Request { models: vec![args.model.clone()], measures, ..args.table.request(&args.files)? };
    let forecasts = Forecasts::open(&request)?;
    let level = args.level.or(forecasts.levels().last().copied());
    let loaded = forecasts.read(&request)?;
    let slots = args.season_slots.filter(|slots| *slots > 0);
    let kept = forecasts.rows(&request, level, slots.unwrap_or(1))?;
    let missing = missing(&loaded.sufficient, level);
    Ok(Profile {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "bench-compare".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        complete: missing.is_empty(),
        missing,
        model: args.model.clone(),
        horizon: loaded.sufficient.horizon,
        step: kept.step,
        season: request.season,
        season_slots: slots,
        level_percent: level,
        n_cutoffs: u32::try_from(loaded.sufficient.cutoffs.len()).unwrap_or(u32::MAX),
        independent_windows: independent_windows(&loaded.sufficient),
        forecast_span: loaded.sufficient.span.clone(),
        train_span: kept.train_span,
        overall: describe::cell(&kept.rows, None, None),
        cells: describe::cells(&kept.rows, slots.is_some()),
        series: describe::series(&kept.rows),
        rows: (args.keep_rows > 0).then(|| rows::kept(&kept.rows, args.keep_rows)),
        checks: loaded.sufficient.checks,
        notes: loaded.sufficient.notes,
        inputs: loaded.inputs,
    })
}

fn missing(sufficient: &Sufficient, level: Option<f64>) -> Vec<String> {
    let checks = &sufficient.checks;
    let all = [
        (checks.no_scale == checks.paired, "scaled errors: no scale is known (--train)"),
        (checks.no_last_actual == checks.paired, "directional hits: no last actual is known (--train)"),
        (level.is_none(), "interval hits: the model has no interval columns"),
    ];
    all.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, text)| text.to_owned()).collect()
}

fn independent_windows(sufficient: &Sufficient) -> f64 {
    let last = sufficient.cutoffs.last().map_or(0.0, |cutoff| cutoff.position);
    last / f64::from(sufficient.horizon.max(1)) + 1.0
}
