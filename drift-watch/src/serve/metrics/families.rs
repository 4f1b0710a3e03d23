//! A view as families of metrics: first what is about the daemon and its models, last what may be cut by the budget.
//!
//! A series is no label, but for the worst few of each model.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::serve::{Exposition, Labels, Sample, receivers};

use crate::view::{AlertKind, AlertState, ExternalView, FeedView, MetricView, ModelView, SeriesView, Standing, View};

/// Adds everything that the view says.
pub(super) fn add(out: &mut Exposition, view: &View, worst_series: usize) {
    daemon(out, view);
    alerts(out, view);
    models(out, &view.models);
    feeds(out, &view.feeds);
    receivers(out, "drift_watch", &view.receivers);
    external(out, &view.external);
    metrics(out, &view.models);
    series(out, &view.models, worst_series);
}

fn daemon(out: &mut Exposition, view: &View) {
    let version = vec![("version", Cow::from(&view.version))];
    out.gauges("drift_watch_build_info", "The version that runs.", [(version, 1.0)]);
    let help = "Whether the state is loaded and the sources are caught up.";
    out.gauge("drift_watch_ready", help, f64::from(view.ready));
    let help = "Newest observation time of the actuals.";
    out.gauges(
        "drift_watch_observed_timestamp_seconds",
        help,
        seconds(view.time.as_deref()).map(|time| (Vec::new(), time)),
    );
    let faults = view.faults.iter().map(|(kind, count)| (vec![("kind", Cow::from(kind))], *count as f64));
    // No counter: a late actual takes back that it was missing.
    out.gauges("drift_watch_faults", "Rows that were left out or corrected, by kind.", faults);
}

const KINDS: [(AlertKind, &str); 3] =
    [(AlertKind::Drift, "drift"), (AlertKind::Rule, "rule"), (AlertKind::Feed, "feed")];
const STATES: [(AlertState, &str); 2] = [(AlertState::Firing, "firing"), (AlertState::Pending, "pending")];

/// All kinds are always there: an alert that ends must not leave a gap.
fn alerts(out: &mut Exposition, view: &View) {
    let pairs = KINDS.iter().flat_map(|kind| STATES.iter().map(move |state| (kind, state)));
    let counts = pairs.map(|((kind, kind_name), (state, state_name))| {
        let count = view.alerts.iter().filter(|alert| alert.kind == *kind && alert.state == *state).count();
        (vec![("kind", Cow::from(*kind_name)), ("state", Cow::from(*state_name))], count as f64)
    });
    out.gauges("drift_watch_alerts", "Alerts, by kind and state.", counts);
    let of_models = view.models.iter().flat_map(|model| KINDS.iter().map(move |kind| (model, kind)));
    let counts = of_models.map(|(model, (kind, name))| {
        let firing = view.alerts.iter().filter(|alert| {
            // An alert on the predictions of a model is about all its versions.
            (alert.state, alert.kind, &alert.model) == (AlertState::Firing, *kind, &model.model)
                && (alert.version.is_empty() || alert.version == model.version)
        });
        (with(identity(model), [("kind", Cow::from(*name))]), firing.count() as f64)
    });
    out.gauges("drift_watch_model_alerts_firing", "Alerts of a model that fire, by kind.", counts);
}

const STANDINGS: [(Standing, &str); 4] =
    [(Standing::Drift, "drift"), (Standing::Feed, "feed"), (Standing::Warming, "warming"), (Standing::Ok, "ok")];

fn models(out: &mut Exposition, models: &[ModelView]) {
    let all = models.iter().flat_map(|model| STANDINGS.iter().map(move |standing| (model, standing)));
    let standings = all.map(|(model, (standing, name))| {
        (with(identity(model), [("standing", Cow::from(*name))]), f64::from(model.standing == *standing))
    });
    out.gauges("drift_watch_model_standing", "How a model stands: 1 for that standing, 0 for the others.", standings);
    let mut gauge = |name: &str, help: &str, value: fn(&ModelView) -> Option<f64>| {
        out.gauges(name, help, models.iter().filter_map(|model| Some((identity(model), value(model)?))));
    };
    gauge("drift_watch_series", "Series seen.", |model| Some(model.series as f64));
    gauge("drift_watch_warming_series", "Series whose own baseline is short.", |model| {
        Some(model.warming_series as f64)
    });
    gauge("drift_watch_open_predictions", "Predictions that wait for their actuals.", |model| {
        Some(model.open_predictions as f64)
    });
    let help = "Share of the predictions of closed steps whose actuals are in.";
    gauge("drift_watch_completeness_ratio", help, |model| model.completeness_ratio);
    gauge("drift_watch_last_step_timestamp_seconds", "Newest target time that is decided.", |model| {
        seconds(model.last_step.as_deref())
    });
    gauge("drift_watch_last_issued_timestamp_seconds", "Newest issue time of a prediction.", |model| {
        seconds(model.last_issued.as_deref())
    });
    let steps = models.iter().map(|model| (identity(model), model.steps as f64));
    out.counters("drift_watch_steps_total", "Target times that are decided.", steps);
}

fn feeds(out: &mut Exposition, feeds: &[FeedView]) {
    let mut gauge = |name: &str, help: &str, value: fn(&FeedView) -> Option<f64>| {
        out.gauges(name, help, feeds.iter().filter_map(|feed| Some((source(feed), value(feed)?))));
    };
    gauge("drift_watch_feed_healthy", "Whether records come as they should.", |feed| Some(f64::from(feed.healthy)));
    gauge("drift_watch_feed_idle_seconds", "Time since a record arrived.", |feed| feed.idle_seconds);
    gauge("drift_watch_feed_backlog_bytes", "Bytes that are there and not read yet.", |feed| {
        Some(feed.backlog_bytes as f64)
    });
    gauge("drift_watch_feed_newest_timestamp_seconds", "Newest event time of a feed.", |feed| {
        seconds(feed.newest.as_deref())
    });
    let records = feeds.iter().map(|feed| (source(feed), feed.records as f64));
    out.counters("drift_watch_feed_records_total", "Records read.", records);
    let bad = feeds.iter().map(|feed| (source(feed), feed.bad_rows as f64));
    out.counters("drift_watch_feed_bad_rows_total", "Rows that could not be read.", bad);
}

fn external(out: &mut Exposition, all: &[ExternalView]) {
    let mut gauge = |name: &str, help: &str, value: fn(&ExternalView) -> Option<f64>| {
        out.gauges(
            name,
            help,
            all.iter().filter_map(|one| Some((vec![("source", Cow::from(&one.name))], value(one)?))),
        );
    };
    gauge("drift_watch_external_value", "Newest value of a metric from elsewhere.", |one| Some(one.value));
    gauge("drift_watch_external_timestamp_seconds", "When that value was logged.", |one| seconds(Some(&one.time)));
}

/// A family for each metric, since each has its own unit.
fn metrics(out: &mut Exposition, models: &[ModelView]) {
    let mut by_name: BTreeMap<String, Vec<(&ModelView, &MetricView)>> = BTreeMap::new();
    for (model, metric) in models.iter().flat_map(|model| model.metrics.iter().map(move |metric| (model, metric))) {
        by_name.entry(clean(&metric.metric)).or_default().push((model, metric));
    }
    for (name, cells) in &by_name {
        let (live, baseline) = (format!("drift_watch_live_{name}"), format!("drift_watch_baseline_{name}"));
        let values = |value: fn(&MetricView) -> Option<f64>| {
            cells.iter().filter_map(move |(model, metric)| Some((place(model, metric), value(metric)?)))
        };
        out.gauges(&live, "The metric in its window.", values(|metric| metric.value));
        out.gauges(&baseline, "The same metric of the baseline.", values(|metric| metric.baseline));
    }
    let mut named = |name: &str, help: &str, value: fn(&MetricView) -> Option<f64>| {
        let cells = by_name.iter().flat_map(|(name, cells)| cells.iter().map(move |cell| (name, cell)));
        let samples = cells.filter_map(|(name, (model, metric))| {
            let labels = with(place(model, metric), [("metric", Cow::from(name))]);
            Some((labels, value(metric)?))
        });
        out.gauges(name, help, samples);
    };
    let help = "Evidence that the metric has changed, as a power of ten.";
    named("drift_watch_evidence_log10", help, |metric| metric.evidence_log10);
    named("drift_watch_evidence_limit_log10", "Where that evidence becomes an alarm.", |metric| metric.limit_log10);
    named("drift_watch_window_rows", "Rows behind the value of a metric.", |metric| Some(metric.n as f64));
}

fn series(out: &mut Exposition, models: &[ModelView], most: usize) {
    let worst =
        || models.iter().flat_map(move |model| model.worst_series.iter().take(most).map(move |one| (model, one)));
    let mut gauge = |name: &str, help: &str, value: fn(&SeriesView) -> Option<f64>| {
        let samples = worst().filter_map(|(model, one)| -> Option<Sample<'_>> {
            Some((with(identity(model), [("series", Cow::from(&one.series))]), value(one)?))
        });
        out.gauges(name, help, samples);
    };
    gauge("drift_watch_worst_series_mape_ratio", "MAPE of the worst series.", |one| one.mape_ratio);
    let help = "MAPE of the baseline of the worst series.";
    gauge("drift_watch_worst_series_baseline_mape_ratio", help, |one| one.baseline_mape_ratio);
    gauge("drift_watch_worst_series_bias_ratio", "Bias of the worst series.", |one| one.bias_ratio);
    let help = "Strongest evidence against the worst series, as a power of ten.";
    gauge("drift_watch_worst_series_evidence_log10", help, |one| one.evidence_log10);
}

fn identity(model: &ModelView) -> Labels<'_> {
    vec![("model", Cow::from(&model.model)), ("version", Cow::from(&model.version))]
}

fn source(feed: &FeedView) -> Labels<'_> {
    vec![("feed", Cow::from(&feed.name)), ("kind", Cow::from(&feed.kind))]
}

fn place<'a>(model: &'a ModelView, metric: &'a MetricView) -> Labels<'a> {
    let MetricView { horizon, group, window, .. } = metric;
    with(identity(model), [("horizon", horizon.into()), ("group", group.into()), ("window", window.into())])
}

fn with<'a>(mut labels: Labels<'a>, more: impl IntoIterator<Item = (&'static str, Cow<'a, str>)>) -> Labels<'a> {
    labels.extend(more);
    labels
}

fn seconds(time: Option<&str>) -> Option<f64> {
    let time: Timestamp = time?.parse().ok()?;
    Some(time.as_millisecond() as f64 / 1000.0)
}

/// The name as a part of a metric's name.
fn clean(name: &str) -> String {
    let name: String =
        name.chars().take(64).map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    // The suffix is for counters.
    name.trim_end_matches("_total").to_owned()
}
