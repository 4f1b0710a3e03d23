//! Deliveries to a tracking server: from a queue, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;

use super::{Config, Courier, Limits, Outcome, Tracker};
use crate::alert::{Attempt, Health, ReceiverView};
use crate::error::{Error, Result};
use crate::outbox::{Delivered, Delivery, Message, Outbox};

/// How long a delivery may take.
pub const LIMITS: Limits = Limits { connect: Duration::from_secs(5), total: Duration::from_mins(1) };

/// How long to wait after a delivery that left something.
const AGAIN: Duration = Duration::from_secs(10);

/// Sends what waits in a queue, in order for each target. `parse` says why a message is none of the sender's, which refuses it
/// for good; once nobody answers, the rest is not tried.
///
/// # Errors
/// [`Error::Environment`] if another process delivers at this moment, [`Error::Io`].
pub fn deliver<P>(
    outbox: &Outbox,
    parse: impl Fn(&Message) -> Result<P, String>,
    mut send: impl FnMut(&P) -> Outcome<()>,
) -> Result<Delivery> {
    let mut courier = Courier::default();
    outbox.deliver(|message| {
        if let Some(not_tried) = courier.gave_up() {
            return Ok(not_tried);
        }
        match parse(message).map(|parcel| send(&parcel)) {
            Err(why) => Ok(Delivered::Refused(why)),
            Ok(Ok(())) => Ok(Delivered::Done),
            Ok(Err(failure)) => courier.failed(failure),
        }
    })
}

/// A thread that delivers when it is woken, and again while something waits.
#[derive(Debug)]
pub struct Deliverer {
    health: Health,
    stop: Arc<AtomicBool>,
    wake: Sender<()>,
    thread: JoinHandle<()>,
}

impl Deliverer {
    /// Starts one, whose first delivery is at once: something may wait since an earlier life.
    ///
    /// # Errors
    /// [`Error::Usage`] if no server is named, [`Error::Environment`] if there can be no thread.
    pub fn start(config: Config, deliver: impl Fn(&Tracker) -> Result<Delivery> + Send + 'static) -> Result<Self> {
        // Says at once where no server is named.
        Tracker::new(&config, LIMITS)?;
        let (wake, inbox) = channel();
        let (health, stop) = (Health::new("mlflow"), Arc::new(AtomicBool::new(false)));
        let (own, ended) = (health.clone(), Arc::clone(&stop));
        let run = move || run(&config, deliver, &own, &inbox, &ended);
        let thread = thread::Builder::new().name("to mlflow".to_owned()).spawn(run).map_err(|error| {
            Error::Environment { what: format!("no thread for deliveries to MLflow: {error}"), help: None }
        })?;
        Ok(Self { health, stop, wake, thread })
    }

    /// Something new waits.
    pub fn wake(&self) {
        // A thread that failed has said so.
        _ = self.wake.send(());
    }

    /// How the server fares.
    pub fn health(&self) -> ReceiverView {
        self.health.view()
    }

    /// Ends the thread; what waits stays in the queue.
    pub fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(self.wake);
        // A thread that failed has said so.
        drop(self.thread.join());
    }
}

fn run(
    config: &Config,
    deliver: impl Fn(&Tracker) -> Result<Delivery>,
    health: &Health,
    inbox: &Receiver<()>,
    stop: &AtomicBool,
) {
    let mut waits = true;
    loop {
        if waits {
            waits = round(Tracker::new(config, LIMITS).and_then(|tracker| deliver(&tracker)), health);
        }
        if stop.load(Ordering::SeqCst) {
            return;
        }
        match inbox.recv_timeout(AGAIN) {
            Ok(()) => waits = true,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Notes what a round came to; whether something waits.
fn round(delivery: Result<Delivery>, health: &Health) -> bool {
    match delivery {
        Ok(delivery) => {
            let attempt = Attempt::of(&delivery);
            if let Some(error) = &attempt.failure {
                tracing::warn!(error, waiting = attempt.waiting, "metrics wait for MLflow");
            }
            health.note(attempt, Timestamp::now());
            !delivery.waiting.is_empty()
        }
        Err(error) => {
            health.failed(&error.to_string(), 0);
            tracing::warn!(%error, "metrics wait for MLflow");
            true
        }
    }
}
