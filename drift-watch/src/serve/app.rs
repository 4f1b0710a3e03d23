//! What all handlers share.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::view::View;

use super::{IngestBatch, Options, ReloadRequest, Reloads, Server};

/// What all handlers share.
pub(super) struct App {
    pub(super) view: watch::Receiver<Arc<View>>,
    pub(super) ingest: mpsc::Sender<IngestBatch>,
    pub(super) reload: mpsc::Sender<ReloadRequest>,
    pub(super) reloads: Arc<Reloads>,
    pub(super) options: Options,
    /// Whether other machines can reach the server: each door then needs a token.
    pub(super) exposed: bool,
    pub(super) stop: CancellationToken,
    pub(super) batches: Arc<Semaphore>,
    pub(super) clients: Arc<Semaphore>,
    pub(super) rate: Rate,
    pub(super) json: Cached,
    pub(super) page: Cached,
    /// When the newest view came, in milliseconds since 1970: a daemon that hangs is seen by its age.
    pub(super) heartbeat: AtomicI64,
    /// Samples that did not fit into the label budget, over all answers.
    pub(super) dropped: AtomicU64,
    responses: Mutex<BTreeMap<u16, u64>>,
}

impl App {
    pub(super) fn new(server: Server, address: SocketAddr, stop: CancellationToken) -> Self {
        let Server { view, ingest, reload, reloads, options } = server;
        Self {
            exposed: !address.ip().to_canonical().is_loopback(),
            batches: Arc::new(Semaphore::new(options.batches)),
            clients: Arc::new(Semaphore::new(options.event_clients)),
            rate: Rate::new(options.requests_per_second),
            json: Cached::default(),
            page: Cached::default(),
            heartbeat: AtomicI64::new(Timestamp::now().as_millisecond()),
            dropped: AtomicU64::new(0),
            responses: Mutex::default(),
            view,
            ingest,
            reload,
            reloads,
            options,
            stop,
        }
    }

    /// The newest view.
    pub(super) fn newest(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    /// Counts an answer.
    pub(super) fn count(&self, status: u16) {
        *lock(&self.responses).entry(status).or_default() += 1;
    }

    /// Answers by status.
    pub(super) fn responses(&self) -> BTreeMap<u16, u64> {
        lock(&self.responses).clone()
    }
}

/// Notes when views come, until none can come any more.
pub(super) async fn note_heartbeats(app: Arc<App>) {
    let mut views = app.view.clone();
    while views.changed().await.is_ok() {
        app.heartbeat.store(Timestamp::now().as_millisecond(), Ordering::Relaxed);
    }
}

/// What was last made of a view: many clients ask for the same.
#[derive(Default)]
pub(super) struct Cached(Mutex<Option<(Arc<View>, Bytes)>>);

impl Cached {
    /// What `make` makes of the view, or has made of it before.
    pub(super) fn get<E>(&self, view: &Arc<View>, make: impl FnOnce(&View) -> Result<Vec<u8>, E>) -> Result<Bytes, E> {
        let mut known = lock(&self.0);
        if let Some((_, bytes)) = known.as_ref().filter(|(of, _)| Arc::ptr_eq(of, view)) {
            return Ok(bytes.clone());
        }
        let bytes = Bytes::from(make(view)?);
        *known = Some((Arc::clone(view), bytes.clone()));
        Ok(bytes)
    }
}

/// A bucket that fills by `per_second` and holds twice as much.
pub(super) struct Rate {
    per_second: f64,
    state: Mutex<(Instant, f64)>,
}

impl Rate {
    fn new(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, state: Mutex::new((Instant::now(), 2.0 * per_second)) }
    }

    /// Whether one more request may come at `now`.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut state = lock(&self.state);
        let (since, left) = *state;
        let gained = now.saturating_duration_since(since).as_secs_f64() * self.per_second;
        let left = (left + gained).min(2.0 * self.per_second);
        let admitted = left >= 1.0;
        *state = (now.max(since), if admitted { left - 1.0 } else { left });
        admitted
    }
}

/// No code that holds one of these locks panics; if it did, what it guards would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let (rate, start) = (Rate::new(5), Instant::now());
        assert_eq!((0..20).filter(|_| rate.admits(start)).count(), 10);
        assert_eq!((0..20).filter(|_| rate.admits(start + Duration::from_secs(1))).count(), 5);
        assert_eq!((0..20).filter(|_| rate.admits(start + Duration::from_mins(1))).count(), 10);
    }

    #[test]
    fn a_view_is_rendered_once() {
        let (cached, view) = (Cached::default(), Arc::new(View::default()));
        let make = |text: &'static str| move |_: &View| Ok::<_, ()>(text.as_bytes().to_vec());
        assert_eq!(cached.get(&view, make("first")).unwrap(), "first");
        assert_eq!(cached.get(&view, make("second")).unwrap(), "first");
        assert_eq!(cached.get(&Arc::new(View::default()), make("third")).unwrap(), "third");
    }
}
