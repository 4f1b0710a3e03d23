//! `POST /v1/predictions` and `/v1/actuals`: a batch is handed on and answered when it is durable.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::format::live::Kind;
use shared::serve::refuse;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::app::App;
use super::body::{self, Coding, Unreadable};
use super::guard::busy;
use super::{auth, lines};

/// Problems that an answer lists; the rest is counted.
const LISTED_PROBLEMS: usize = 100;

/// Records that a client sent.
#[derive(Debug)]
pub struct IngestBatch {
    /// What they are.
    pub kind: Kind,
    /// JSON Lines.
    pub body: Vec<u8>,
    /// The models whose predictions the client may send; all if absent. Actuals belong to no model.
    pub allowed_models: Option<Vec<String>>,
    /// Takes the answer.
    pub reply: oneshot::Sender<IngestReply>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngestReply {
    /// The good records are durable.
    Accepted {
        /// How many.
        records: u64,
        /// Lines, from 1, that are not among them, and why.
        rejected: Vec<(u64, String)>,
    },
    /// Nothing was kept, and a retry may help.
    Unavailable(String),
    /// Nothing was kept, and a retry will not help.
    Invalid(String),
    /// Nothing was kept: the client may not send for these models.
    Forbidden(String),
}

/// `POST /v1/predictions`.
pub(super) async fn predictions(State(app): State<Arc<App>>, request: Request) -> Response {
    take(&app, Kind::Predictions, request).await.unwrap_or_else(|refused| *refused)
}

/// `POST /v1/actuals`.
pub(super) async fn actuals(State(app): State<Arc<App>>, request: Request) -> Response {
    take(&app, Kind::Actuals, request).await.unwrap_or_else(|refused| *refused)
}

async fn take(app: &App, kind: Kind, request: Request) -> Result<Response, Box<Response>> {
    let models = auth::may_send(app, request.headers())?;
    let coding = body::coding(request.headers())?;
    let _permit = app.batches.try_acquire().map_err(|_| Box::new(overloaded()))?;
    let sent = receive(app, request).await?;
    let body = unpack(sent, coding, app.options.expanded_bytes).await?;
    let allowed_models = models.filter(|_| kind == Kind::Predictions);
    let (reply, outcome) = oneshot::channel();
    app.ingest.try_send(IngestBatch { kind, body, allowed_models, reply }).map_err(|error| match error {
        TrySendError::Full(_) => Box::new(overloaded()),
        TrySendError::Closed(_) => Box::new(stopping()),
    })?;
    let outcome = timeout(app.options.reply_timeout, outcome).await;
    let late = "not durable yet; send the batch again: records that were kept are not counted twice";
    outcome
        .map_err(|_| Box::new(busy(StatusCode::SERVICE_UNAVAILABLE, late)))?
        .map(answer)
        .map_err(|_| Box::new(stopping()))
}

fn overloaded() -> Response {
    busy(StatusCode::TOO_MANY_REQUESTS, "too many batches are under way; send this one again")
}

fn stopping() -> Response {
    busy(StatusCode::SERVICE_UNAVAILABLE, "the daemon stops; nothing was acknowledged, send the batch again")
}

async fn receive(app: &App, request: Request) -> Result<Bytes, Box<Response>> {
    let received = timeout(app.options.body_timeout, Bytes::from_request(request, &())).await;
    let received = received.map_err(|_| Box::new(refuse(StatusCode::REQUEST_TIMEOUT, "the body took too long")))?;
    received.map_err(|error| {
        let text = match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(app.options.body_bytes),
            _ => format!("the body could not be read: {}", error.body_text()),
        };
        Box::new(refuse(error.status(), text))
    })
}

fn too_large(most: usize) -> String {
    format!("the body is larger than {most} bytes; send smaller batches")
}

/// Decompression and splitting may take a while, so they keep no other request waiting.
async fn unpack(sent: Bytes, coding: Coding, most: usize) -> Result<Vec<u8>, Box<Response>> {
    let unpacked = tokio::task::spawn_blocking(move || {
        let body = body::expand(&sent, coding, most).map_err(|unreadable| match unreadable {
            Unreadable::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, too_large(most)),
            Unreadable::Broken(text) => (StatusCode::BAD_REQUEST, format!("the body is not gzip: {text}")),
        })?;
        match lines::is_array(&body) {
            false => Ok(body),
            true => {
                lines::from_array(&body).map_err(|text| (StatusCode::BAD_REQUEST, format!("not a JSON array: {text}")))
            }
        }
    });
    let unpacked = unpacked.await.map_err(|_| Box::new(stopping()))?;
    unpacked.map_err(|(status, text)| Box::new(refuse(status, text)))
}

/// What a client is told of its batch.
#[derive(Debug, Serialize)]
struct Receipt {
    accepted: u64,
    rejected: u64,
    /// The first of them.
    problems: Vec<Rejected>,
}

/// A record that was not kept.
#[derive(Debug, Serialize)]
struct Rejected {
    line: u64,
    problem: String,
}

fn answer(reply: IngestReply) -> Response {
    match reply {
        IngestReply::Accepted { records, rejected } => receipt(records, rejected),
        IngestReply::Unavailable(text) => busy(StatusCode::SERVICE_UNAVAILABLE, text),
        IngestReply::Invalid(text) => refuse(StatusCode::BAD_REQUEST, text),
        IngestReply::Forbidden(text) => refuse(StatusCode::FORBIDDEN, text),
    }
}

fn receipt(accepted: u64, rejected: Vec<(u64, String)>) -> Response {
    let status = match (accepted, rejected.len()) {
        (_, 0) => StatusCode::OK,
        (0, _) => StatusCode::BAD_REQUEST,
        _ => StatusCode::MULTI_STATUS,
    };
    let total = rejected.len() as u64;
    let listed = rejected.into_iter().take(LISTED_PROBLEMS);
    let problems = listed.map(|(line, problem)| Rejected { line, problem }).collect();
    (status, axum::Json(Receipt { accepted, rejected: total, problems })).into_response()
}
