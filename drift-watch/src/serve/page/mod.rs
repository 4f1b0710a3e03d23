//! The status page: one document that loads nothing from elsewhere and is complete without its script.
//!
//! The script draws no page of its own. At each event it fetches this one and puts its parts in place, so there is one
//! text of everything; only the table of series, which can be filtered and sorted, it writes from the JSON.

mod draw;
mod model;
mod overall;
mod text;

use std::sync::LazyLock;

use askama::Template;
use axum::http::HeaderValue;
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use shared::{Error, Result};

use crate::view::{AlertKind, AlertState, AlertView, ExternalView, FeedView, ReceiverView, View};

use model::ModelCard;
use overall::{Overall, Tone};
use text::{Name, count};

const STYLE: &str = include_str!("../../../templates/status.css");
const SCRIPT: &str = include_str!("../../../templates/status.js");

/// Models, alerts and feeds past these numbers are counted only.
const MODELS: usize = 100;
const ALERTS: usize = 100;
const FEEDS: usize = 100;
/// So few models are all unfolded.
const UNFOLDED: usize = 2;

/// Nothing runs or paints but what this build holds, told by its digest.
pub(super) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let digest = |text: &str| Base64::encode_string(&Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        digest(SCRIPT),
        digest(STYLE)
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

#[derive(Template)]
#[template(path = "status.html")]
struct Page {
    style: &'static str,
    script: &'static str,
    version: String,
    overall: Overall,
    facts: Vec<Fact>,
    alerts: Vec<AlertRow>,
    hidden_alerts: usize,
    resolved: Vec<AlertRow>,
    models: Vec<ModelCard>,
    hidden_models: usize,
    feeds: Vec<FeedRow>,
    hidden_feeds: usize,
    receivers: Vec<ReceiverRow>,
    external: Vec<(Name, String, String)>,
    hidden_external: usize,
    faults: Vec<(Name, String)>,
}

/// One of the figures under the headline.
struct Fact {
    label: &'static str,
    value: String,
    note: String,
}

/// An alert.
struct AlertRow {
    tone: Tone,
    state: &'static str,
    name: Name,
    model: Name,
    version: Name,
    has_model: bool,
    severity: Name,
    since: String,
    age: Option<String>,
    reason: String,
    inhibited: bool,
    drivers: Vec<Name>,
    hidden_drivers: usize,
}

/// A source.
struct FeedRow {
    tone: Tone,
    name: Name,
    kind: Name,
    reason: String,
    idle: String,
    newest: String,
    records: String,
    bad_rows: String,
    backlog: String,
}

/// Somebody who is told.
struct ReceiverRow {
    tone: Tone,
    name: Name,
    reason: String,
    delivered: String,
    waiting: String,
    refused: String,
    last: String,
}

/// The page of a view.
///
/// # Errors
/// If the template cannot be rendered, which only a failing formatter can cause.
pub(super) fn html(view: &View) -> Result<String> {
    let failed = |error: askama::Error| Error::Environment { what: format!("the status page: {error}"), help: None };
    page(view).render().map_err(failed)
}

fn page(view: &View) -> Page {
    let (past, current): (Vec<_>, Vec<_>) = view.alerts.iter().partition(|alert| alert.state == AlertState::Resolved);
    let rows = |alerts: &[&AlertView]| alerts.iter().take(ALERTS).map(|alert| alert_row(alert, view)).collect();
    let unfolded = view.models.len() <= UNFOLDED;
    Page {
        style: STYLE,
        script: SCRIPT,
        version: text::sentence(&view.version),
        overall: overall::of(view),
        facts: facts(view),
        alerts: rows(&current),
        hidden_alerts: current.len().saturating_sub(ALERTS),
        resolved: rows(&past),
        models: view.models.iter().take(MODELS).map(|one| model::card(one, unfolded)).collect(),
        hidden_models: view.models.len().saturating_sub(MODELS),
        feeds: view.feeds.iter().take(FEEDS).map(feed_row).collect(),
        hidden_feeds: view.feeds.len().saturating_sub(FEEDS),
        receivers: view.receivers.iter().take(FEEDS).map(receiver_row).collect(),
        external: view.external.iter().take(FEEDS).map(external_row).collect(),
        hidden_external: view.external.len().saturating_sub(FEEDS),
        faults: view
            .faults
            .iter()
            .take(FEEDS)
            .map(|(kind, number)| (Name::new(&kind.replace('_', " ")), count(*number)))
            .collect(),
    }
}

fn facts(view: &View) -> Vec<Fact> {
    let firing = |alert: &&AlertView| alert.state == AlertState::Firing;
    let pending = view.alerts.iter().filter(|alert| alert.state == AlertState::Pending).count() as u64;
    let healthy = view.feeds.iter().filter(|feed| feed.healthy).count() as u64;
    let bad: u64 = view.feeds.iter().map(|feed| feed.bad_rows).sum();
    let series: u64 = view.models.iter().map(|model| model.series).sum();
    let open: u64 = view.models.iter().map(|model| model.open_predictions).sum();
    let time = view.time.as_deref().map_or_else(|| "–".to_owned(), text::moment);
    let (day, hour) = time.split_once(' ').unwrap_or((&time, "the clock of all but feeds"));
    let fact = |label, value: String, note: String| Fact { label, value, note };
    vec![
        fact(
            "alerts firing",
            count(view.alerts.iter().filter(firing).count() as u64),
            format!("{} pending", count(pending)),
        ),
        fact("models", count(view.models.len() as u64), format!("{} series", count(series))),
        fact("open predictions", count(open), "wait for their actuals".to_owned()),
        fact(
            "feeds healthy",
            format!("{} of {}", count(healthy), count(view.feeds.len() as u64)),
            text::counted(bad, "bad row"),
        ),
        fact("actuals up to", day.to_owned(), hour.to_owned()),
    ]
}

fn alert_row(alert: &AlertView, view: &View) -> AlertRow {
    const DRIVERS: usize = 8;
    let end = alert.ended.as_deref().or(view.time.as_deref());
    AlertRow {
        tone: match alert.kind {
            AlertKind::Drift => overall::DRIFT,
            AlertKind::Rule => overall::RULE,
            AlertKind::Feed => overall::FEED,
        },
        state: match alert.state {
            AlertState::Firing => "firing",
            AlertState::Pending => "pending",
            AlertState::Resolved => "ended",
        },
        name: Name::new(&alert.name),
        model: Name::new(&alert.model),
        version: Name::new(&alert.version),
        has_model: !alert.model.is_empty(),
        severity: Name::new(&alert.severity),
        since: text::moment(&alert.since),
        age: text::age(&alert.since, end),
        reason: text::sentence(&alert.reason),
        inhibited: alert.inhibited,
        drivers: alert.drivers.iter().take(DRIVERS).map(|name| Name::new(name)).collect(),
        hidden_drivers: alert.drivers.len().saturating_sub(DRIVERS),
    }
}

/// Name, value, time.
fn external_row(one: &ExternalView) -> (Name, String, String) {
    (Name::new(&one.name), text::plain(one.value), text::moment(&one.time))
}

fn feed_row(feed: &FeedView) -> FeedRow {
    let dash = || "–".to_owned();
    FeedRow {
        tone: if feed.healthy { overall::STEADY } else { Tone { word: "Stale", ..overall::FEED } },
        name: Name::new(&feed.name),
        kind: Name::new(&feed.kind),
        reason: text::sentence(&feed.reason),
        idle: feed.idle_seconds.filter(|idle| idle.is_finite()).map_or_else(dash, text::duration),
        newest: feed.newest.as_deref().map_or_else(dash, text::moment),
        records: count(feed.records),
        bad_rows: count(feed.bad_rows),
        backlog: text::bytes(feed.backlog_bytes),
    }
}

fn receiver_row(one: &ReceiverView) -> ReceiverRow {
    ReceiverRow {
        tone: if one.healthy { overall::STEADY } else { Tone { word: "Fails", ..overall::FEED } },
        name: Name::new(&one.name),
        reason: text::sentence(&one.reason),
        delivered: count(one.delivered),
        waiting: count(one.waiting),
        refused: count(one.refused),
        last: one.last_delivered.as_deref().map_or_else(|| "–".to_owned(), text::moment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_style_and_script() {
        let policy = POLICY.to_str().unwrap();
        assert_eq!(policy.matches("'sha256-").count(), 2, "{policy}");
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
        assert!(!SCRIPT.contains("innerHTML"), "what comes from outside is set as text");
    }
}
