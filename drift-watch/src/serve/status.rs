//! The status page, the view as JSON, and health.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use shared::serve::{refuse, typed};

use super::app::App;
use super::page;

/// `GET /`.
pub(super) async fn page(State(app): State<Arc<App>>) -> Response {
    match app.page.get(&app.newest(), |view| page::html(view).map(String::into_bytes)) {
        Ok(bytes) => {
            let mut response = typed("text/html; charset=utf-8", bytes);
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, page::POLICY.clone());
            response
        }
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// `GET /api/v1/status`.
pub(super) async fn json(State(app): State<Arc<App>>) -> Response {
    match app.json.get(&app.newest(), serde_json::to_vec) {
        Ok(bytes) => typed("application/json", bytes),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// `GET /-/healthy`: the process answers.
pub(super) async fn healthy() -> Response {
    refuse(StatusCode::OK, "healthy")
}

/// `GET /-/ready`: the state is loaded and the sources are caught up.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let view = app.newest();
    match view.ready {
        true => refuse(StatusCode::OK, "ready"),
        false if view.not_ready.is_empty() => refuse(StatusCode::SERVICE_UNAVAILABLE, "not ready"),
        false => refuse(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}", view.not_ready.join("; "))),
    }
}

/// Any other path.
pub(super) async fn unknown() -> Response {
    let text = "no such path; there are /, /metrics, /api/v1/status, /events, /-/healthy, /-/ready, /-/reload, \
                /v1/predictions, /v1/actuals";
    refuse(StatusCode::NOT_FOUND, text)
}

/// Any other method.
pub(super) async fn wrong_method() -> Response {
    refuse(
        StatusCode::METHOD_NOT_ALLOWED,
        "no such method here; records and reload are sent with POST, all else is GET",
    )
}
