//! What is answered to whom.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use shared::serve::{PROMETHEUS, Secret, foreign, guarded, refuse, token, typed, unknown};
use tokio::task::spawn_blocking;

use super::{Source, metrics};

const CHALLENGE: &str = r#"Basic realm="rebench-cron: any name, the token as password", charset="UTF-8""#;

/// What all handlers share.
pub(super) struct App {
    /// Whether other machines can reach the server.
    exposed: bool,
    token: Option<Secret>,
    source: Arc<dyn Source>,
}

impl App {
    pub(super) fn new(address: SocketAddr, token: Option<Secret>, source: Arc<dyn Source>) -> Self {
        Self { exposed: !address.ip().to_canonical().is_loopback(), token, source }
    }

    fn may_read(&self, headers: &HeaderMap) -> bool {
        self.token.as_ref().is_none_or(|wanted| token(headers).is_some_and(|token| wanted.is(&token)))
    }
}

pub(super) fn router(app: App) -> Router {
    let app = Arc::new(app);
    let read = Router::new()
        .route("/metrics", get(prometheus))
        .route("/status", get(status))
        .layer(from_fn_with_state(Arc::clone(&app), readers_only));
    let routes = read.route("/healthz", get(healthz)).fallback(no_path).method_not_allowed_fallback(no_method);
    routes.layer(from_fn_with_state(Arc::clone(&app), check)).with_state(app)
}

async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    guarded(match foreign(request.method(), request.headers(), app.exposed, &[]) {
        Some(refused) => refused,
        None => next.run(request).await,
    })
}

async fn readers_only(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.may_read(request.headers()) {
        true => next.run(request).await,
        false => unknown(CHALLENGE),
    }
}

async fn prometheus(State(app): State<Arc<App>>) -> Response {
    match spawn_blocking(move || metrics::text(&app.source.snapshot())).await {
        Ok(text) => typed(PROMETHEUS, text),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn status(State(app): State<Arc<App>>) -> Response {
    let failed = |why: String| refuse(StatusCode::INTERNAL_SERVER_ERROR, why);
    match spawn_blocking(move || app.source.status()).await {
        Ok(Ok(status)) => typed("application/json", status.to_string()),
        Ok(Err(error)) => failed(error.to_string()),
        Err(error) => failed(error.to_string()),
    }
}

/// A stranger learns whether the daemon is well, not why.
async fn healthz(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match app.source.health() {
        Ok(()) => refuse(StatusCode::OK, "healthy"),
        Err(why) if app.may_read(&headers) => refuse(StatusCode::SERVICE_UNAVAILABLE, why),
        Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "not healthy"),
    }
}

async fn no_path() -> Response {
    refuse(StatusCode::NOT_FOUND, "no such path; there are /metrics, /healthz, /status")
}

async fn no_method() -> Response {
    refuse(StatusCode::METHOD_NOT_ALLOWED, "no such method here; all is GET")
}
