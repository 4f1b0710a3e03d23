//! A model as the page shows it.

use sha2::{Digest, Sha256};
use shared::plot::{Axis, effect_row};

use crate::view::{DriverView, MetricView, ModelView, SeriesView, Standing};

use super::draw;
use super::overall::{Tone, tone};
use super::text::{self, Name, count, counted, percent};

/// Rows of metrics over all series that are shown at once; the others are behind a click.
const METRICS: usize = 12;
/// Rows behind that click.
const MORE_METRICS: usize = 200;
/// Drivers shown.
const DRIVERS: usize = 12;
/// Series that the server writes; the script takes over from there.
const SERIES: usize = 10;

/// A model.
pub(super) struct ModelCard {
    /// Tells its parts of the page from those of other models.
    pub(super) id: String,
    pub(super) tone: Tone,
    pub(super) name: Name,
    pub(super) version: Name,
    pub(super) reason: String,
    pub(super) promise: String,
    pub(super) facts: Vec<String>,
    pub(super) metrics: Vec<MetricRow>,
    pub(super) more: Vec<MetricRow>,
    pub(super) hidden_metrics: usize,
    pub(super) drivers: Vec<DriverRow>,
    pub(super) hidden_drivers: usize,
    pub(super) series: Vec<SeriesRow>,
    pub(super) listed_series: String,
    /// Whether it is unfolded at first.
    pub(super) open: bool,
    /// Both names in full, by which the script finds the model in the JSON.
    pub(super) key: [String; 2],
}

/// A metric in a window.
pub(super) struct MetricRow {
    pub(super) tone: &'static str,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) spark: String,
    pub(super) value: String,
    pub(super) baseline: String,
    pub(super) change: String,
    pub(super) bar: String,
    pub(super) evidence: String,
    pub(super) n: String,
}

/// A part of a change.
pub(super) struct DriverRow {
    pub(super) by: Name,
    pub(super) name: Name,
    pub(super) bar: String,
    pub(super) share: String,
    pub(super) named: bool,
}

/// A series.
pub(super) struct SeriesRow {
    pub(super) name: Name,
    pub(super) value: String,
    pub(super) baseline: String,
    pub(super) bias: String,
    pub(super) evidence: String,
    pub(super) n: String,
    pub(super) discovered: bool,
    pub(super) warming: bool,
}

pub(super) fn card(model: &ModelView, open: bool) -> ModelCard {
    let (first, rest): (Vec<_>, Vec<_>) = model.metrics.iter().partition(|metric| metric.group == "all");
    let more: Vec<&MetricView> = first.iter().skip(METRICS).chain(&rest).copied().collect();
    ModelCard {
        id: id(model),
        tone: tone(model.standing),
        name: Name::new(&model.model),
        version: Name::new(&model.version),
        reason: text::sentence(&model.reason),
        promise: text::sentence(&model.promise),
        facts: facts(model),
        metrics: first.iter().take(METRICS).map(|metric| metric_row(metric)).collect(),
        hidden_metrics: more.len().saturating_sub(MORE_METRICS),
        more: more.into_iter().take(MORE_METRICS).map(metric_row).collect(),
        drivers: drivers(&model.drivers),
        hidden_drivers: model.drivers.len().saturating_sub(DRIVERS),
        series: model.worst_series.iter().take(SERIES).map(series_row).collect(),
        listed_series: count(model.worst_series.len() as u64),
        open: open || matches!(model.standing, Standing::Drift | Standing::Feed),
        key: [&model.model, &model.version].map(|name| encoded(name)),
    }
}

fn id(model: &ModelView) -> String {
    let digest: [u8; 32] =
        Sha256::new().chain_update(&model.model).chain_update([0]).chain_update(&model.version).finalize().into();
    shared::digest::hex(&digest[..8])
}

/// As `decodeURIComponent` reads it: what HTML would change or hide in an attribute is not there.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn facts(model: &ModelView) -> Vec<String> {
    let warming = match model.warming_series {
        0 => String::new(),
        warming => format!(", {} warming up", count(warming)),
    };
    let series = match model.series {
        1 => "1 series".to_owned(),
        series => format!("{} series", count(series)),
    };
    let complete = model.completeness_ratio.filter(|ratio| ratio.is_finite());
    [
        Some(series + &warming),
        Some(format!("{} decided", counted(model.steps, "step"))),
        model.last_step.as_deref().map(|time| format!("up to {}", text::moment(time))),
        model.last_issued.as_deref().map(|time| format!("last forecast {}", text::moment(time))),
        Some(format!("{} open", counted(model.open_predictions, "prediction"))),
        complete.map(|ratio| format!("{} of actuals in", percent(ratio))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn metric_row(metric: &MetricView) -> MetricRow {
    let watched = metric.evidence_log10.zip(metric.limit_log10);
    let fires = watched.is_some_and(|(evidence, limit)| evidence >= limit);
    let number = |value: f64| text::fixed(value, 1);
    MetricRow {
        tone: if fires { "fail" } else { "" },
        name: text::metric(&metric.metric),
        place: place(metric),
        spark: draw::sparkline(metric),
        value: text::value(&metric.metric, metric.value),
        baseline: text::value(&metric.metric, metric.baseline),
        change: text::change(&metric.metric, metric.value, metric.baseline),
        bar: watched.map(|(evidence, limit)| draw::evidence(evidence, limit)).unwrap_or_default(),
        evidence: watched
            .map(|(evidence, limit)| format!("{} of {}", number(evidence), number(limit)))
            .unwrap_or_default(),
        n: count(metric.n),
    }
}

/// `h 2–7 · region=north · 28 steps`.
fn place(metric: &MetricView) -> String {
    let horizon = match metric.horizon.as_str() {
        "" => String::new(),
        "all" => "all horizons".to_owned(),
        horizon => format!("h {}", Name::new(horizon).shown),
    };
    let group = if metric.group == "all" { String::new() } else { Name::new(&metric.group).shown };
    let parts = [group, horizon, Name::new(&metric.window).shown];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn drivers(drivers: &[DriverView]) -> Vec<DriverRow> {
    let axis = Axis::covering(drivers.iter().map(|driver| driver.share_ratio).chain([0.0]), 1);
    // Only zero is marked: the share is written beside the bar.
    let axis = Axis { ticks: vec![0.0], ..axis };
    let row = |driver: &DriverView| DriverRow {
        by: Name::new(&driver.by),
        name: Name::new(&driver.name),
        bar: effect_row(&axis, Some(driver.share_ratio), if driver.share_ratio < 0.0 { "against" } else { "with" }),
        share: text::signed(percent(driver.share_ratio)),
        named: driver.named,
    };
    drivers.iter().take(DRIVERS).map(row).collect()
}

fn series_row(series: &SeriesView) -> SeriesRow {
    let ratio = |value| text::value("_ratio", value);
    SeriesRow {
        name: Name::new(&series.series),
        value: ratio(series.mape_ratio),
        baseline: ratio(series.baseline_mape_ratio),
        bias: ratio(series.bias_ratio),
        evidence: series.evidence_log10.filter(|it| it.is_finite()).map_or("–".to_owned(), |it| text::fixed(it, 1)),
        n: count(series.n),
        discovered: series.discovered,
        warming: series.warming,
    }
}
