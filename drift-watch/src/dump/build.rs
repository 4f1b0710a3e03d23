//! The canonical state of an engine.

use std::collections::BTreeMap;

use shared::metric::Metric;

use super::baseline;
use super::canonical::{
    ActualState, AlertState, Canonical, CellState, FindingState, ForecastState, MetricState, ModelState, SCHEMA,
    StepState, WaitingState,
};
use super::number::rounded;
use crate::core::alerts::{Finding, Key, Phase, Record};
use crate::core::board::Board;
use crate::core::engine::Engine;
use crate::core::forecasts::Forecast;
use crate::core::history::Point;
use crate::core::step::{EVERYONE, Step};
use crate::core::summary::METRICS;
use crate::core::tally::Tally;
use crate::core::time::{Micros, SECOND, text};
use crate::view::{AlertKind, DriverView};

/// Counts that the order of arrival decides: whether a prediction came before its step was closed, and whether so many waited at once that some
/// had to give way.
pub(super) const BY_ARRIVAL: [&str; 2] = ["pred_after_decision", "expired_unmatched"];

/// What the records determine.
pub fn canonical(engine: &Engine) -> Canonical {
    Canonical {
        schema: SCHEMA.to_owned(),
        time: engine.time.map(text),
        maturity_seconds: engine.maturity().and_then(|maturity| rounded(maturity as f64 / SECOND as f64)),
        actuals: actuals(engine),
        models: engine.sorted_boards().into_iter().map(|board| model(engine, board)).collect(),
        alerts: engine
            .alerts
            .all()
            .into_iter()
            .filter(|record| record.key.kind != AlertKind::Feed)
            .map(|record| alert(engine, record))
            .collect(),
        waiting: engine
            .alerts
            .phases()
            .filter(|(key, _)| key.kind != AlertKind::Feed)
            .filter_map(|(key, phase)| waiting(key, phase))
            .collect(),
        faults: engine
            .faults()
            .into_iter()
            .filter(|(name, n)| *n > 0 && !BY_ARRIVAL.contains(&name.as_str()))
            .collect(),
    }
}

fn actuals(engine: &Engine) -> BTreeMap<String, Vec<ActualState>> {
    let mut all: BTreeMap<String, Vec<ActualState>> = BTreeMap::new();
    for (number, history) in engine.histories.all().filter(|(_, history)| !history.is_empty()) {
        all.insert(engine.names.name(number).to_owned(), history.points().map(actual).collect());
    }
    let is_void = |(target, series): &&(Micros, u32)| engine.histories.of(*series).at(*target).is_none();
    for (target, series) in engine.void.iter().filter(is_void) {
        let void = ActualState { target_time: text(*target), y: None, observed_at: None, revision: None };
        all.entry(engine.names.name(*series).to_owned()).or_default().push(void);
    }
    all.values_mut().for_each(|list| list.sort_by(|a, b| a.target_time.cmp(&b.target_time)));
    all
}

fn actual(point: Point) -> ActualState {
    ActualState {
        target_time: text(point.target),
        y: Some(point.y),
        observed_at: Some(text(point.observed)),
        revision: point.revision,
    }
}

fn model(engine: &Engine, board: &Board) -> ModelState {
    let series: BTreeMap<&str, u32> = board.series().map(|number| (engine.names.name(number), number)).collect();
    let closed = board.steps.iter().filter(|(_, step)| step.closed);
    ModelState {
        model: board.model.clone(),
        version: board.version.clone(),
        level_percent: board.level_percent,
        closed_steps: board.n_closed,
        closed_until: board.closed_until.map(text),
        segments: series.iter().filter_map(|(name, number)| segments(board, name, *number)).collect(),
        forecasts: series.iter().map(|(name, number)| ((*name).to_owned(), forecasts(board, *number))).collect(),
        steps: closed.map(|(target, step)| closed_step(board, *target, step)).collect(),
        buckets: baseline::buckets(engine, board),
    }
}

fn segments(board: &Board, name: &str, series: u32) -> Option<(String, Vec<String>)> {
    let mut own: Vec<String> = board.segments_of(series).into_iter().map(str::to_owned).collect();
    own.sort();
    (!own.is_empty()).then(|| (name.to_owned(), own))
}

fn forecasts(board: &Board, series: u32) -> Vec<ForecastState> {
    board.of_series(series).all().map(forecast).collect()
}

fn forecast(forecast: Forecast) -> ForecastState {
    let (lo, hi) = forecast.interval().unzip();
    ForecastState {
        target_time: text(forecast.target),
        issued_at: text(forecast.issued),
        horizon: forecast.horizon,
        y_hat: forecast.y_hat,
        lo,
        hi,
    }
}

fn closed_step(board: &Board, target: Micros, step: &Step) -> StepState {
    // A cell may have lost its last pair to a restatement.
    let cells = step.cells.iter().filter(|(_, tally)| tally.rows > 0);
    let mut cells: Vec<CellState> = cells
        .map(|((bucket, group), tally)| CellState {
            horizon: bucket.to_string(),
            group: group_name(board, *group),
            rows: tally.rows,
            metrics: metrics(tally, board.level_percent),
        })
        .collect();
    // Buckets stand in their order; the numbers of segments depend on who arrived first.
    cells.sort_by_key(|cell| (first_horizon(&cell.horizon), cell.group.clone()));
    StepState { target_time: text(target), forecasts: step.expected, waiting: step.waiting, cells }
}

fn first_horizon(bucket: &str) -> u32 {
    let digits = bucket.split(|c: char| !c.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(u32::MAX)
}

/// `all`, or the segment of this number.
pub(super) fn group_name(board: &Board, group: u32) -> String {
    if group == EVERYONE { "all".to_owned() } else { board.segments.name(group).to_owned() }
}

/// The metrics that some row defines.
pub(super) fn metrics(tally: &Tally, level_percent: f64) -> BTreeMap<String, MetricState> {
    let one = |metric: Metric| {
        let (value, n) = tally.metric(metric, level_percent);
        (n > 0).then(|| (metric.key().to_owned(), MetricState { value: value.and_then(rounded), n }))
    };
    METRICS.into_iter().filter_map(one).collect()
}

fn alert(engine: &Engine, record: &Record) -> AlertState {
    let phase = engine.alerts.phases().find(|(key, _)| **key == record.key).map(|(_, phase)| phase);
    let quiet = match phase {
        Some(Phase::Firing { quiet }) if record.ended_at.is_none() => Some(quiet),
        _ => None,
    };
    AlertState {
        id: record.id.clone(),
        kind: record.key.kind,
        model: record.key.model.clone(),
        version: record.key.version.clone(),
        subject: record.key.subject.clone(),
        fired_at: text(record.fired_at),
        target_time: record.target.map(text),
        change_since: record.change_since.map(text),
        ended_at: record.ended_at.map(text),
        quiet_steps: quiet,
        reason: record.reason.clone(),
        findings: record.findings.iter().map(finding).collect(),
        drivers: record.drivers.iter().map(driver).collect(),
    }
}

fn finding(finding: &Finding) -> FindingState {
    FindingState {
        level: finding.level.clone(),
        group: finding.group.clone(),
        horizon: finding.horizon.clone(),
        side: finding.side.clone(),
        evidence_log10: rounded(finding.evidence_log10),
        limit_log10: rounded(finding.limit_log10),
    }
}

fn driver(driver: &DriverView) -> DriverView {
    let number = |value: f64| rounded(value).unwrap_or(0.0);
    DriverView { share_ratio: number(driver.share_ratio), contribution: number(driver.contribution), ..driver.clone() }
}

fn waiting(key: &Key, phase: Phase) -> Option<WaitingState> {
    let (since, steps) = match phase {
        Phase::Pending { since, steps } => (Some(text(since)), steps),
        Phase::Cooling { left } => (None, left),
        Phase::Firing { .. } => return None,
    };
    let Key { kind, model, version, subject } = key.clone();
    Some(WaitingState { kind, model, version, subject, since, steps })
}
