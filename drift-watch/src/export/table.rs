//! The joined pairs as rows.

use std::collections::{BTreeMap, BTreeSet};

use shared::error::{Error, Result};

use super::columns::{Column, RESERVED};
use super::grid::Grid;
use crate::core::board::pair;
use crate::core::engine::Engine;
use crate::core::forecasts::Forecast;
use crate::core::history::History;
use crate::core::time::{DAY, Micros};

/// A forecast table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Columns of segments.
    pub segments: Vec<String>,
    /// Columns of versions.
    pub versions: Vec<Version>,
    /// The rows, by series, cutoff and target time.
    pub rows: Vec<Row>,
    counts: Counts,
}

/// The columns of a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// That of its forecasts.
    pub name: String,
    /// The level of its intervals in percent; absent where it has none.
    pub level: Option<f64>,
}

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The series.
    pub series: String,
    /// The target time.
    pub ds: Micros,
    /// The forecast origin.
    pub cutoff: Micros,
    /// Steps ahead.
    pub horizon: u32,
    /// One value for each column of segments.
    pub segments: Vec<Option<String>>,
    /// The actual.
    pub y: f64,
    /// One forecast for each version.
    pub forecasts: Vec<Option<Cell>>,
}

/// A forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// The value.
    pub y_hat: f64,
    /// Both ends of its interval.
    pub interval: Option<(f64, f64)>,
}

/// What a table does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    /// Rows that some version lacks.
    unpaired: u64,
    /// Later forecasts of one version for a row that has one.
    repeated: u64,
    /// Forecasts issued before their cutoff.
    early: u64,
}

/// The table of these versions.
pub(super) fn of(engine: &Engine, columns: Vec<Column<'_>>, keeps_unpaired: bool) -> Result<Table> {
    let segments = segment_names(engine, &columns);
    let common = grid(engine, &columns, None);
    let mut table = Table { segments: shown_names(&segments, &columns), ..Table::default() };
    let mut series: Vec<(&str, u32)> =
        (0..u32::try_from(engine.names.len()).unwrap_or(u32::MAX)).map(|n| (engine.names.name(n), n)).collect();
    series.sort_unstable();
    for (name, number) in series {
        let history = engine.histories.of(number);
        let own = engine.settings.step.is_none().then(|| grid(engine, &columns, Some(number))).flatten();
        let grid = own.as_ref().or(common.as_ref());
        let cutoff = |forecast: &Forecast| match (engine.settings.step, grid) {
            (None, Some(grid)) => grid.back(forecast.target, forecast.horizon),
            (step, _) => forecast.target - step.unwrap_or(DAY) * Micros::from(forecast.horizon),
        };
        let rows = rows(&columns, number, history, cutoff, &mut table.counts);
        let labels = labels(&columns, number, &segments);
        table.rows.extend(rows.into_iter().filter_map(|((cutoff, ds), row)| {
            let is_paired = row.forecasts.iter().all(Option::is_some);
            table.counts.unpaired += u64::from(!is_paired);
            (is_paired || keeps_unpaired).then(|| Row {
                series: name.to_owned(),
                ds,
                cutoff,
                segments: labels.clone(),
                ..row
            })
        }));
    }
    table.versions = versions(&columns, &table.rows);
    table.check(&columns)?;
    Ok(table)
}

/// The rows of a series. Of several forecasts for one cutoff the one that was issued first counts: what is said again later knows more.
fn rows(
    columns: &[Column<'_>],
    series: u32,
    history: History<'_>,
    cutoff: impl Fn(&Forecast) -> Micros,
    counts: &mut Counts,
) -> BTreeMap<(Micros, Micros), Row> {
    let mut rows: BTreeMap<(Micros, Micros), Row> = BTreeMap::new();
    for (place, column) in columns.iter().enumerate() {
        let is_closed = |target: Micros| column.board.steps.get(&target).is_some_and(|step| step.closed);
        for forecast in column.board.of_series(series).all().filter(|forecast| is_closed(forecast.target)) {
            let Some(pair) = pair(&forecast, history) else { continue };
            let origin = cutoff(&forecast);
            counts.early += u64::from(forecast.issued < origin);
            let row = rows.entry((origin, forecast.target)).or_insert_with(|| Row {
                series: String::new(),
                ds: forecast.target,
                cutoff: origin,
                horizon: forecast.horizon,
                segments: Vec::new(),
                y: pair.y,
                forecasts: vec![None; columns.len()],
            });
            match &mut row.forecasts[place] {
                Some(_) => counts.repeated += 1,
                empty => *empty = Some(Cell { y_hat: pair.y_hat, interval: pair.interval }),
            }
        }
    }
    rows
}

/// The grid of the target times of a series, or of all.
fn grid(engine: &Engine, columns: &[Column<'_>], series: Option<u32>) -> Option<Grid> {
    let mut times: BTreeSet<Micros> = BTreeSet::new();
    match series {
        None => columns.iter().for_each(|column| times.extend(column.board.steps.keys())),
        Some(series) => {
            let forecasts = columns.iter().flat_map(|column| column.board.of_series(series).all());
            times.extend(forecasts.map(|forecast| forecast.target));
            times.extend(engine.histories.of(series).points().map(|point| point.target));
        }
    }
    Grid::of(&times.into_iter().collect::<Vec<_>>())
}

fn segment_names(engine: &Engine, columns: &[Column<'_>]) -> Vec<String> {
    let mut names = BTreeSet::new();
    for column in columns {
        let all = (0..u32::try_from(engine.names.len()).unwrap_or(u32::MAX))
            .flat_map(|series| column.board.segments_of(series));
        names.extend(all.filter_map(|segment| segment.split_once('=')).map(|(name, _)| name.to_owned()));
    }
    names.into_iter().collect()
}

/// The names of segment columns; those that mean something else already keep their prefix.
fn shown_names(names: &[String], columns: &[Column<'_>]) -> Vec<String> {
    let is_taken =
        |name: &str| RESERVED.contains(&name) || columns.iter().any(|column| is_of_version(name, &column.name));
    names.iter().map(|name| if is_taken(name) { format!("segment.{name}") } else { name.clone() }).collect()
}

/// Whether a column is that of a version's forecasts or of an interval of them.
fn is_of_version(name: &str, version: &str) -> bool {
    name.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The segments of a series; of versions that differ, the first one counts.
fn labels(columns: &[Column<'_>], series: u32, names: &[String]) -> Vec<Option<String>> {
    let value = |name: &String| {
        let all = columns.iter().flat_map(|column| column.board.segments_of(series));
        all.filter_map(|segment| segment.split_once('='))
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.to_owned())
    };
    names.iter().map(value).collect()
}

fn versions(columns: &[Column<'_>], rows: &[Row]) -> Vec<Version> {
    let has_interval =
        |place: usize| rows.iter().any(|row| row.forecasts[place].is_some_and(|cell| cell.interval.is_some()));
    let version = |(place, column): (usize, &Column<'_>)| Version {
        name: column.name.clone(),
        level: has_interval(place).then_some(column.board.level_percent),
    };
    columns.iter().enumerate().map(version).collect()
}

impl Table {
    fn check(&self, columns: &[Column<'_>]) -> Result<()> {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        match (self.rows.is_empty(), self.counts.unpaired) {
            (false, _) => Ok(()),
            (true, 0) => {
                Err(Error::usage("no forecast of a decided target time has its actual", "pairs of forecast and actual")
                    .with_help("steps are decided once their actuals are in or the maturity delay has passed"))
            }
            (true, _) => Err(Error::usage(
                format!("no target time and cutoff for which all of {} have a forecast", names.join(", ")),
                "pairs",
            )
            .with_help("--only MODEL@VERSION chooses versions; --unpaired keeps rows with empty cells")),
        }
    }

    /// What a person should know of the table.
    pub fn notes(&self) -> Vec<String> {
        let is_kept = self.rows.iter().any(|row| row.forecasts.iter().any(Option::is_none));
        let unpaired = match is_kept {
            true => "rows have no forecast of some version",
            false => "rows are left out: some version has no forecast for them (--unpaired keeps them)",
        };
        let all = [
            (self.counts.unpaired, unpaired),
            (self.counts.repeated, "later forecasts for the same target time and cutoff are left out"),
            (
                self.counts.early,
                "forecasts were issued before the cutoff that their horizon gives; --step SPAN states the length of a step",
            ),
        ];
        all.into_iter().filter(|(n, _)| *n > 0).map(|(n, text)| format!("{n} {text}")).collect()
    }
}
