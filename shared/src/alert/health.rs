//! How deliveries fare: what became of the latest one to each receiver, as a tool shows it.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::outbox::{Delivery, Message};

/// Where alerts or metrics are sent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReceiverView {
    /// `alertmanager-1`, `webhook-1`, `slack-1`, `pagerduty-1`, `command`, `rebench`, `mlflow`.
    pub name: String,
    /// Whether the latest attempt to deliver succeeded; true before the first one.
    pub healthy: bool,
    /// Why not.
    pub reason: String,
    /// Messages that wait for a later attempt.
    pub waiting: u64,
    /// Messages that it refused for good, and that lie aside.
    pub refused: u64,
    /// Messages that arrived since the daemon started.
    pub delivered: u64,
    /// Attempts that failed since the daemon started.
    pub failures: u64,
    /// When a message last arrived since the daemon started, in RFC 3339.
    pub last_delivered: Option<String>,
}

/// What is known of one receiver; its thread writes, who shows it reads.
#[derive(Debug, Clone)]
pub struct Health(Arc<Mutex<ReceiverView>>);

/// What an attempt to deliver came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempt {
    /// How much arrived.
    pub delivered: u64,
    /// How much waits for a later attempt.
    pub waiting: u64,
    /// How much lies aside, refused for good.
    pub refused: u64,
    /// Why something waits.
    pub failure: Option<String>,
}

impl Attempt {
    /// What a delivery of an outbox came to.
    pub fn of(delivery: &Delivery) -> Self {
        let count = |messages: &[Message]| messages.len() as u64;
        let why = delivery.waiting.iter().find_map(|message| message.last_error.clone());
        Self {
            delivered: count(&delivery.delivered),
            waiting: count(&delivery.waiting),
            refused: count(&delivery.refused),
            failure: (!delivery.waiting.is_empty()).then(|| why.unwrap_or_default()),
        }
    }
}

impl Health {
    /// A receiver to which nothing was sent yet.
    pub fn new(name: &str) -> Self {
        let view = ReceiverView { name: name.to_owned(), healthy: true, ..ReceiverView::default() };
        Self(Arc::new(Mutex::new(view)))
    }

    /// Takes in what an attempt came to.
    pub fn note(&self, attempt: Attempt, now: Timestamp) {
        let mut view = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        view.delivered += attempt.delivered;
        (view.waiting, view.refused) = (attempt.waiting, attempt.refused);
        if attempt.delivered > 0 {
            view.last_delivered = Some(now.to_string());
        }
        view.failures += u64::from(attempt.failure.is_some());
        view.healthy = attempt.failure.is_none();
        view.reason = attempt.failure.unwrap_or_default();
    }

    /// Takes in an attempt that failed as a whole: what waits is as much as before, or at least this much.
    pub fn failed(&self, why: &str, waiting: u64) {
        let view = self.view();
        let attempt = Attempt {
            waiting: view.waiting.max(waiting),
            refused: view.refused,
            failure: Some(why.to_owned()),
            ..Attempt::default()
        };
        self.note(attempt, Timestamp::UNIX_EPOCH);
    }

    /// What is known now.
    pub fn view(&self) -> ReceiverView {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_fails_and_recovers() {
        let health = Health::new("webhook-1");
        assert!(health.view().healthy && health.view().last_delivered.is_none());
        let failure = Some("answers 503".to_owned());
        health.note(Attempt { waiting: 2, failure, ..Attempt::default() }, Timestamp::UNIX_EPOCH);
        health.failed("the queue cannot be read", 0);
        let view = health.view();
        assert_eq!((view.healthy, view.waiting, view.failures), (false, 2, 2));
        assert_eq!((view.reason.as_str(), view.last_delivered), ("the queue cannot be read", None));
        health.note(Attempt { delivered: 2, refused: 1, ..Attempt::default() }, Timestamp::UNIX_EPOCH);
        let view = health.view();
        assert_eq!((view.healthy, view.waiting, view.delivered, view.refused), (true, 0, 2, 1));
        assert_eq!((view.reason.as_str(), view.last_delivered.as_deref()), ("", Some("1970-01-01T00:00:00Z")));
    }
}
