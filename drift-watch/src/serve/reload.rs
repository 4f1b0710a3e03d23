//! `POST /-/reload`, and how the latest reload went.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use shared::serve::refuse;
use tokio::sync::oneshot;

use super::app::App;
use super::guard::busy;

/// A request to read the configuration again.
#[derive(Debug)]
pub struct ReloadRequest {
    /// Takes the text of the error, if the old configuration stays.
    pub reply: oneshot::Sender<Result<(), String>>,
}

/// How the latest reload went; the daemon notes each one, whether a request or a signal asked for it.
#[derive(Debug)]
pub struct Reloads {
    succeeded: AtomicBool,
    /// The latest that succeeded, in milliseconds since 1970.
    succeeded_at: AtomicI64,
}

impl Reloads {
    /// The state after a start with a good configuration.
    pub fn started(now: Timestamp) -> Self {
        Self { succeeded: AtomicBool::new(true), succeeded_at: AtomicI64::new(now.as_millisecond()) }
    }

    /// Notes a reload.
    pub fn note(&self, succeeded: bool, now: Timestamp) {
        self.succeeded.store(succeeded, Ordering::Relaxed);
        if succeeded {
            self.succeeded_at.store(now.as_millisecond(), Ordering::Relaxed);
        }
    }

    /// Whether the latest succeeded.
    pub fn succeeded(&self) -> bool {
        self.succeeded.load(Ordering::Relaxed)
    }

    /// When the latest that succeeded was, in milliseconds since 1970.
    pub fn succeeded_at(&self) -> i64 {
        self.succeeded_at.load(Ordering::Relaxed)
    }
}

/// `POST /-/reload`.
pub(super) async fn serve(State(app): State<Arc<App>>) -> Response {
    let (reply, outcome) = oneshot::channel();
    if app.reload.try_send(ReloadRequest { reply }).is_err() {
        return busy(StatusCode::SERVICE_UNAVAILABLE, "another reload is under way, or the daemon is about to stop");
    }
    match tokio::time::timeout(app.options.reply_timeout, outcome).await {
        Ok(Ok(Ok(()))) => refuse(StatusCode::OK, "the configuration is in force"),
        Ok(Ok(Err(text))) => refuse(StatusCode::INTERNAL_SERVER_ERROR, format!("the old configuration stays: {text}")),
        Ok(Err(_)) | Err(_) => busy(StatusCode::SERVICE_UNAVAILABLE, "the daemon did not answer in time"),
    }
}
