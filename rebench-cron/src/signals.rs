//! Signals, as calls on a thread of their own.

use shared::error::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Calls `then` at each SIGTERM and SIGINT, with how many there were.
///
/// # Errors
/// If signals cannot be waited for.
pub(crate) fn on_end(then: impl Fn(u32) + Send + 'static) -> Result<()> {
    on(&[SignalKind::terminate(), SignalKind::interrupt()], then)
}

/// Calls `then` at each SIGHUP, with how many there were.
///
/// # Errors
/// If signals cannot be waited for.
pub(crate) fn on_hang_up(then: impl Fn(u32) + Send + 'static) -> Result<()> {
    on(&[SignalKind::hangup()], then)
}

fn on(kinds: &[SignalKind], then: impl Fn(u32) + Send + 'static) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| failed(&error))?;
    let signals =
        runtime.block_on(async { kinds.iter().map(|kind| signal(*kind)).collect::<std::io::Result<Vec<Signal>>>() });
    let mut signals = signals.map_err(|error| failed(&error))?;
    let wait = move || {
        let mut count = 0;
        runtime.block_on(async {
            loop {
                any(&mut signals).await;
                count += 1;
                then(count);
            }
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop).map_err(|error| failed(&error))
}

/// Waits for any of them.
async fn any(signals: &mut [Signal]) {
    std::future::poll_fn(|context| {
        let came = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if came { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

fn failed(error: &std::io::Error) -> Error {
    Error::Environment { what: format!("signals cannot be waited for: {error}"), help: None }
}
