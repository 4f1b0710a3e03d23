//! `GET /events`: one server-sent event at each change of the view, at most one a second.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::view::View;

use super::app::App;
use super::guard::busy;

/// Least time between two events of a client.
const THROTTLE: Duration = Duration::from_secs(1);
/// Time between two comments where nothing happens, so that proxies and clients keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// When a client that lost its connection comes back.
const RETRY: Duration = Duration::from_secs(3);

/// One client.
struct Client {
    view: watch::Receiver<Arc<View>>,
    stop: CancellationToken,
    /// When the next event may go out; none has gone out yet if absent.
    next: Option<Instant>,
    _permit: OwnedSemaphorePermit,
}

/// `GET /events`.
pub(super) async fn serve(State(app): State<Arc<App>>) -> Response {
    let Ok(permit) = Arc::clone(&app.clients).try_acquire_owned() else {
        return busy(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open");
    };
    let client = Client { view: app.view.clone(), stop: app.stop.clone(), next: None, _permit: permit };
    Sse::new(stream(client)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

fn stream(client: Client) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(client, |mut client| async {
        let stop = client.stop.clone();
        stop.run_until_cancelled(client.wait()).await.flatten()?;
        client.next = Some(Instant::now() + THROTTLE);
        let time = client.view.borrow_and_update().time.clone().unwrap_or_default();
        // A time is one line; browsers pass over an event without data.
        let time = if time.is_empty() { "-".to_owned() } else { time.replace(['\n', '\r'], " ") };
        Some((Ok(Event::default().event("view").retry(RETRY).data(time)), client))
    })
}

impl Client {
    /// Waits for the next view to tell of; the first is told at once. `None` when no more can come.
    async fn wait(&mut self) -> Option<()> {
        let Some(next) = self.next else { return Some(()) };
        self.view.changed().await.ok()?;
        sleep_until(next).await;
        Some(())
    }
}
