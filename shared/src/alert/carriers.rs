//! The threads that carry alerts: one with a queue for each receiver, one for each Alertmanager.
//!
//! Everything can be repeated: a message is known by alert and status, and an Alertmanager by the labels of what it is shown.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError};
use std::time::Duration;

use jiff::Timestamp;

use crate::error::Result;

use super::manager::Manager;
use super::runner::Runner;
use super::{Alert, Alertmanager, Courier, Receiver, ReceiverView, Transition};

/// The threads that carry alerts.
#[derive(Debug)]
pub struct Carriers {
    runners: Vec<Runner>,
    managers: Vec<Manager>,
    stop: Arc<AtomicBool>,
}

impl Carriers {
    /// Starts a thread for each receiver, whose queue lies below `queues`, and for each Alertmanager, which is told every
    /// `resend` what fires. What waits from an earlier life is delivered.
    pub fn start(receivers: Vec<Receiver>, managers: Vec<Alertmanager>, queues: &Path, resend: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let runner =
            |(receiver, seed): (Receiver, u64)| Runner::start(Courier::new(receiver, queues, seed), Arc::clone(&stop));
        let runners = receivers.into_iter().zip(1..).map(runner).collect();
        let managers = (managers.into_iter().zip(1..))
            .map(|(manager, number)| Manager::start(manager, number, resend, Arc::clone(&stop)))
            .collect();
        Self { runners, managers, stop }
    }

    /// Queues a transition for the receivers whose name `wants` takes; one that a receiver knows already is not queued again.
    ///
    /// # Errors
    /// Those of [`Outbox::put`](crate::outbox::Outbox::put); receivers after the one whose queue cannot be written have nothing.
    pub fn queue(&self, transition: &Transition, now: Timestamp, wants: impl Fn(&str) -> bool) -> Result<()> {
        self.wanting(wants).try_for_each(|runner| runner.queue(transition, now))
    }

    /// Has a transition delivered that goes past the queues, where these cannot be written; it is lost when the process ends.
    ///
    /// # Errors
    /// Those of [`Transition::message`].
    pub fn say_at_once(&self, transition: &Transition, now: Timestamp, wants: impl Fn(&str) -> bool) -> Result<()> {
        self.wanting(wants).try_for_each(|runner| runner.say(transition, now))
    }

    /// Shows the Alertmanagers everything, since what is no longer shown ends there; their own rules inhibit.
    pub fn show(&self, alerts: &[Alert]) {
        self.managers.iter().for_each(|manager| manager.show(alerts));
    }

    /// Whether there is an Alertmanager to [`show`](Self::show) alerts.
    pub fn has_managers(&self) -> bool {
        !self.managers.is_empty()
    }

    /// The names of the receivers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.runners.iter().map(Runner::name)
    }

    /// Whether the receiver of this name was told the transition of this key.
    ///
    /// # Errors
    /// If its queue cannot be read.
    pub fn is_done(&self, name: &str, key: &str) -> Result<bool> {
        self.named(name).map_or(Ok(false), |runner| runner.outbox().done(key))
    }

    /// Whether the transition of this key waits for the receiver of this name.
    ///
    /// # Errors
    /// If its queue cannot be read.
    pub fn is_waiting(&self, name: &str, key: &str) -> Result<bool> {
        let Some(runner) = self.named(name) else { return Ok(false) };
        Ok(runner.outbox().pending()?.0.iter().any(|message| message.key == key))
    }

    /// How many messages lie in the queues of all receivers.
    ///
    /// # Errors
    /// If a queue cannot be read.
    pub fn n_queued(&self) -> Result<usize> {
        self.runners.iter().map(|runner| Ok(runner.outbox().pending()?.0.len())).sum()
    }

    /// How the Alertmanagers and receivers fare.
    pub fn health(&self) -> impl Iterator<Item = ReceiverView> {
        let managers = self.managers.iter().map(Manager::health);
        managers.chain(self.runners.iter().map(Runner::health)).map(super::Health::view)
    }

    /// Ends the threads, when what is under way has been answered; what waits stays in its queue.
    pub fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.runners.iter().for_each(Runner::wake);
        self.managers.iter().for_each(Manager::wake);
        self.runners.iter_mut().for_each(Runner::join);
        self.managers.iter_mut().for_each(Manager::join);
    }

    fn named(&self, name: &str) -> Option<&Runner> {
        self.runners.iter().find(|runner| runner.name() == name)
    }

    fn wanting(&self, wants: impl Fn(&str) -> bool) -> impl Iterator<Item = &Runner> {
        self.runners.iter().filter(move |runner| wants(runner.name()))
    }
}

/// Sleeps until there is something to do.
pub(super) fn sleep<T>(inbox: &Inbox<T>, wait: Option<Duration>) -> Result<T, RecvTimeoutError> {
    match wait {
        Some(wait) => inbox.recv_timeout(wait),
        None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}
