//! What every request passes: the name by which the server is called, where a form comes from, the rate; and what every
//! answer carries.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use shared::serve::{foreign, guarded, refuse};

use super::app::App;

/// Lets requests through that may pass, and counts the answers.
pub(super) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let response = match refusal(&app, &request) {
        Some(refused) => refused,
        None => next.run(request).await,
    };
    app.count(response.status().as_u16());
    guarded(response)
}

fn refusal(app: &App, request: &Request) -> Option<Response> {
    let refused = foreign(request.method(), request.headers(), app.exposed, &app.options.host_names);
    let is_probe = request.uri().path().starts_with("/-/");
    refused.or_else(|| {
        let admitted = is_probe || app.rate.admits(Instant::now());
        let text = "too many requests a second; send larger batches";
        (!admitted).then(|| busy(StatusCode::TOO_MANY_REQUESTS, text))
    })
}

/// A refusal with the word to try again soon.
pub(super) fn busy(status: StatusCode, text: impl AsRef<str>) -> Response {
    let mut response = refuse(status, text);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
