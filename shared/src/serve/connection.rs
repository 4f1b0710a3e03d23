//! Connections: a bounded number, heads that must come in time, and an end that lets answers out.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

/// How long a client may take for the head of a request, or stay idle between two.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest head.
const HEAD_BYTES: usize = 32 << 10;
/// How long answers under way may take once the server stops.
const GRACE: Duration = Duration::from_secs(5);
/// Pause after the system refuses a connection: out of file descriptors, most likely.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `stop`; those beyond `most` wait in the queue of the system.
pub async fn accept(listener: TcpListener, router: Router, most: usize, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(most));
    let mut open = JoinSet::new();
    while let Some((stream, permit)) = stop.run_until_cancelled(next(&listener, &permits)).await.flatten() {
        open.spawn(serve(stream, permit, router.clone(), stop.clone()));
        while open.try_join_next().is_some() {}
    }
    if timeout(GRACE, async { while open.join_next().await.is_some() {} }).await.is_err() {
        warn!(connections = open.len(), "connections did not end in time and are cut");
    }
}

async fn next(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((stream, permit)),
            Err(error) => {
                warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, _permit: OwnedSemaphorePermit, router: Router, stop: CancellationToken) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection broke");
    }
}
