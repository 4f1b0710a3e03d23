//! The HTTP server: metrics, health, status page, ingest.
//!
//! It reads the newest [`View`] and hands batches on; it knows nothing of how either is made.
//!
//! - `GET /`, `/api/v1/status`, `/events`: the status page, what it shows as JSON, and a sign at each change.
//! - `GET /metrics`: Prometheus text, or `OpenMetrics` for whoever asks.
//! - `GET /-/healthy`, `/-/ready`, `POST /-/reload`.
//! - `POST /v1/predictions`, `/v1/actuals`: records, acknowledged when they are durable.

mod app;
mod auth;
mod body;
mod events;
mod guard;
mod ingest;
mod lines;
mod metrics;
mod options;
mod page;
mod reload;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use shared::serve::accept;
use shared::{Error, Result};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::view::View;

use app::App;
pub use ingest::{IngestBatch, IngestReply};
pub use options::{IngestToken, Options};
pub use reload::{ReloadRequest, Reloads};
pub use shared::serve::{Secret, check_bind};

/// What the server reads and where it hands things on.
#[derive(Debug)]
pub struct Server {
    /// The newest view.
    pub view: watch::Receiver<Arc<View>>,
    /// Where batches go; when it is full, clients are told to wait.
    pub ingest: mpsc::Sender<IngestBatch>,
    /// Where requests to read the configuration again go.
    pub reload: mpsc::Sender<ReloadRequest>,
    /// How the latest reload went, whoever asked for it.
    pub reloads: Arc<Reloads>,
    /// Limits and tokens.
    pub options: Options,
}

/// Serves on `listener` until `stop` is cancelled, and lets requests under way end.
///
/// # Errors
/// [`Error::Environment`] if the listener has no address, [`Error::Usage`] if that address needs a token and none is set.
pub async fn run(listener: TcpListener, server: Server, stop: CancellationToken) -> Result<()> {
    let address = listener.local_addr().map_err(|error| Error::Environment {
        what: format!("the listening socket has no address: {error}"),
        help: None,
    })?;
    check_bind(address, server.options.has_token())?;
    let connections = server.options.connections;
    let app = Arc::new(App::new(server, address, stop.clone()));
    let pulse = tokio::spawn(app::note_heartbeats(Arc::clone(&app)));
    accept(listener, router(app), connections, stop).await;
    pulse.abort();
    Ok(())
}

fn router(app: Arc<App>) -> Router {
    let read = Router::new()
        .route("/", get(status::page))
        .route("/metrics", get(metrics::serve))
        .route("/api/v1/status", get(status::json))
        .route("/events", get(events::serve))
        .route("/-/reload", post(reload::serve))
        .layer(from_fn_with_state(Arc::clone(&app), auth::readers_only));
    let write = Router::new()
        .route("/v1/predictions", post(ingest::predictions))
        .route("/v1/actuals", post(ingest::actuals))
        .layer(DefaultBodyLimit::max(app.options.body_bytes));
    let open = Router::new().route("/-/healthy", get(status::healthy)).route("/-/ready", get(status::ready));
    let routes =
        open.merge(read).merge(write).fallback(status::unknown).method_not_allowed_fallback(status::wrong_method);
    routes.layer(from_fn_with_state(Arc::clone(&app), guard::check)).with_state(app)
}
