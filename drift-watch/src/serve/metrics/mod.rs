//! `GET /metrics`.

mod accept;
mod families;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use shared::serve::{Exposition, PROMETHEUS, typed};

use super::app::App;

const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`.
pub(super) async fn serve(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let open = accept::prefers_open_metrics(&headers);
    let mut out = Exposition::new(open, app.options.label_budget);
    own(&mut out, &app);
    families::add(&mut out, &app.newest(), app.options.worst_series);
    let dropped = app.dropped.fetch_add(out.dropped(), Ordering::Relaxed) + out.dropped();
    let help = "Samples left out of answers: beyond the budget for labels, or there twice.";
    out.counters("drift_watch_dropped_series_total", help, [(Vec::new(), dropped as f64)]);
    typed(if open { OPEN } else { PROMETHEUS }, out.finish())
}

/// What the server knows by itself.
fn own(out: &mut Exposition, app: &App) {
    let heartbeat = app.heartbeat.load(Ordering::Relaxed);
    let help = "When the daemon last published its state; it hangs where this grows old.";
    out.gauge("drift_watch_heartbeat_timestamp_seconds", help, heartbeat as f64 / 1000.0);
    let help = "Whether the latest reload of the configuration succeeded.";
    out.gauge("drift_watch_config_last_reload_successful", help, f64::from(app.reloads.succeeded()));
    let help = "When a configuration last came into force.";
    let reloaded = app.reloads.succeeded_at() as f64 / 1000.0;
    out.gauge("drift_watch_config_last_reload_success_timestamp_seconds", help, reloaded);
    let responses = app.responses().into_iter();
    let responses = responses.map(|(code, count)| (vec![("code", Cow::from(code.to_string()))], count as f64));
    out.counters("drift_watch_http_responses_total", "Answers of the server, by status.", responses);
    let clients = app.options.event_clients.saturating_sub(app.clients.available_permits());
    out.gauge("drift_watch_event_clients", "Open streams of events.", clients as f64);
}
