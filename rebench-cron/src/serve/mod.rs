//! The HTTP server of the daemon: metrics, health, status.
//!
//! - `GET /metrics`: Prometheus text.
//! - `GET /healthz`: whether the loop turns and what it does is recorded.
//! - `GET /status`: what `rebench-cron status --json` prints.
//!
//! It has a thread of its own, and asks a [`Source`]; the loop of the daemon knows nothing of it.

mod app;
mod live;
pub mod metrics;
pub mod snapshot;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use shared::serve::{Secret, accept, check_bind};
use shared::{Error, Result};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

pub use live::{Beat, Live, PATIENCE, health};
pub use snapshot::Snapshot;

/// Connections at once; more wait.
const CONNECTIONS: usize = 32;

/// Threads that look at the records.
const READERS: usize = 2;

/// What the server tells of.
pub trait Source: Send + Sync {
    /// What there is to measure now.
    fn snapshot(&self) -> Snapshot;

    /// What `rebench-cron status --json` prints.
    ///
    /// # Errors
    /// If it cannot be found out.
    fn status(&self) -> Result<serde_json::Value>;

    /// Whether the daemon does its work.
    ///
    /// # Errors
    /// Why not, in a sentence.
    fn health(&self) -> Result<(), String>;
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server; on other addresses than the loopback it needs a token, which then whoever reads must bring.
    ///
    /// # Errors
    /// [`Error::Usage`] if the address needs a token and there is none, [`Error::Environment`] if it cannot be had.
    pub fn start(listen: SocketAddr, token: Option<Secret>, source: Arc<dyn Source>) -> Result<Self> {
        check_bind(listen, token.is_some())?;
        let failed = |error| cannot(listen, &error);
        let listener = TcpListener::bind(listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(READERS).build();
        let runtime = runtime.map_err(failed)?;
        let stop = CancellationToken::new();
        let (app, ended) = (app::App::new(address, token, source), stop.clone());
        let run = move || serve(&runtime, listener, app, ended);
        let thread = thread::Builder::new().name("http".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets answers under way out, and ends.
    pub fn stop(mut self) {
        self.stop.cancel();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the server of metrics failed");
        }
    }
}

/// Whoever forgets to stop it does not wait for it.
impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn serve(runtime: &Runtime, listener: TcpListener, app: app::App, stop: CancellationToken) {
    runtime.block_on(async {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => accept(listener, app::router(app), CONNECTIONS, stop).await,
            Err(error) => tracing::error!(%error, "nothing is served"),
        }
    });
}

fn cannot(listen: SocketAddr, error: &std::io::Error) -> Error {
    let help = "choose another address, or end what listens there".to_owned();
    Error::Environment { what: format!("cannot listen on {listen}: {error}"), help: Some(help) }
}
