//! An Alertmanager with the thread that tells it the state, over and over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use super::carriers::sleep;
use super::{Alert, Alertmanager, Attempt, DEFAULT_RESOLVED_RESEND, Health, Outgoing, Report, Resender};

/// The longest that the thread sleeps before it looks for work.
const LOOK: Duration = Duration::from_millis(500);

/// How long to wait after a failure.
const AGAIN: Duration = Duration::from_secs(5);

/// An Alertmanager with its thread.
#[derive(Debug)]
pub(super) struct Manager {
    alerts: Arc<Mutex<Vec<Alert>>>,
    health: Health,
    wake: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Manager {
    /// Starts the thread of the Alertmanager of this number.
    pub(super) fn start(client: Alertmanager, number: usize, resend: Duration, stop: Arc<AtomicBool>) -> Self {
        let (wake, inbox) = channel();
        let alerts = Arc::new(Mutex::new(Vec::new()));
        let shown = Arc::clone(&alerts);
        let health = Health::new(&format!("alertmanager-{number}"));
        let own = health.clone();
        let resender = Resender::new(resend, DEFAULT_RESOLVED_RESEND);
        let run = move || post(&client, resender, &shown, &own, &inbox, &stop);
        let thread = std::thread::Builder::new().name("to alertmanager".to_owned()).spawn(run);
        Self { alerts, health, wake, thread: thread.ok() }
    }

    /// How it fares.
    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// Shows it all alerts; one that is no longer shown ends there.
    pub(super) fn show(&self, alerts: &[Alert]) {
        let mut shown = self.alerts.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != alerts {
            alerts.clone_into(&mut shown);
            self.wake();
        }
    }

    /// Lets the thread look for work.
    pub(super) fn wake(&self) {
        _ = self.wake.send(());
    }

    /// Waits until the thread has ended.
    pub(super) fn join(&mut self) {
        // A thread that failed has said so.
        _ = self.thread.take().map(JoinHandle::join);
    }
}

fn post(
    client: &Alertmanager,
    mut resender: Resender,
    shown: &Mutex<Vec<Alert>>,
    health: &Health,
    inbox: &Inbox<()>,
    stop: &AtomicBool,
) {
    loop {
        let alerts = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = Timestamp::now();
        let due = resender.due(&alerts, now);
        let has_arrived = due.is_empty() || post_due(client, &due, health, now);
        if has_arrived && !due.is_empty() {
            resender.sent(&alerts, &due, now);
        }
        let wait = if has_arrived { LOOK } else { AGAIN };
        let is_over = stop.load(Ordering::SeqCst);
        if is_over || sleep(inbox, Some(wait)) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

/// Posts what is due; whether somebody answered.
fn post_due(client: &Alertmanager, due: &[Outgoing], health: &Health, now: Timestamp) -> bool {
    let posted = client.post(due);
    match &posted {
        Ok(report) => note(client, report, health, now),
        Err(error) => {
            tracing::warn!(manager = client.origin(), %error, "alerts wait");
            health.failed(&error.to_string(), due.len() as u64);
        }
    }
    posted.is_ok()
}

fn note(client: &Alertmanager, report: &Report, health: &Health, now: Timestamp) {
    for refusal in &report.refused {
        tracing::error!(manager = client.origin(), ?refusal, "an alert was refused");
    }
    let (delivered, refused) = (report.accepted as u64, report.refused.len() as u64);
    health.note(Attempt { delivered, refused, ..Attempt::default() }, now);
}
