//! A receiver with its queue and the thread that delivers what waits there.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Inbox, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::outbox::{Delivery, Message, Outbox};

use super::carriers::sleep;
use super::{Attempt, Courier, Health, Outcome, Round, Transition};

/// What cannot wait in a queue is tried again so often, and so is a queue that cannot be read.
const AGAIN: Duration = Duration::from_secs(5);

/// So much of what cannot wait in a queue is kept, the newest.
const MOST_URGENT: usize = 16;

/// A receiver with its queue and its thread.
#[derive(Debug)]
pub(super) struct Runner {
    name: String,
    outbox: Outbox,
    health: Health,
    /// Says that something waits, or what cannot wait in the queue.
    wake: Sender<Option<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Runner {
    /// Starts the thread.
    pub(super) fn start(courier: Courier, stop: Arc<AtomicBool>) -> Self {
        let (wake, inbox) = channel();
        let (name, outbox) = (courier.receiver().name().to_owned(), courier.outbox().clone());
        let health = Health::new(&name);
        let own = health.clone();
        let thread =
            std::thread::Builder::new().name(format!("to {name}")).spawn(move || deliver(courier, &own, &inbox, &stop));
        Self { name, outbox, health, wake, thread: thread.ok() }
    }

    /// Name of the receiver.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its queue.
    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// How it fares.
    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// Queues a transition and has it delivered.
    pub(super) fn queue(&self, transition: &Transition, now: Timestamp) -> Result<()> {
        self.outbox.put(&transition.message(&self.name, now)?)?;
        self.wake();
        Ok(())
    }

    /// Has a transition delivered that goes past the queue.
    pub(super) fn say(&self, transition: &Transition, now: Timestamp) -> Result<()> {
        _ = self.wake.send(Some(transition.message(&self.name, now)?));
        Ok(())
    }

    /// Lets the thread look for work.
    pub(super) fn wake(&self) {
        _ = self.wake.send(None);
    }

    /// Waits until the thread has ended.
    pub(super) fn join(&mut self) {
        // A thread that failed has said so.
        _ = self.thread.take().map(JoinHandle::join);
    }
}

fn deliver(mut courier: Courier, health: &Health, inbox: &Inbox<Option<Message>>, stop: &AtomicBool) {
    let stopped = || stop.load(Ordering::SeqCst);
    let mut urgent = VecDeque::new();
    loop {
        say(&courier, &mut urgent);
        let round = courier.round(&stopped);
        let wait = note(courier.receiver().name(), health, round);
        let wait = if urgent.is_empty() { wait } else { Some(wait.unwrap_or(AGAIN).min(AGAIN)) };
        if stopped() {
            return;
        }
        match sleep(inbox, wait) {
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(Some(message)) => urgent.push_back(message),
            Ok(None) | Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Notes what a round came to; returns how long to wait for the next one.
fn note(name: &str, health: &Health, round: Result<Round>) -> Option<Duration> {
    match round {
        Ok(round) => {
            tell(name, &round.delivery);
            health.note(Attempt::of(&round.delivery), Timestamp::now());
            round.wait
        }
        Err(error) => {
            unread(name, health, &error);
            Some(AGAIN)
        }
    }
}

fn tell(receiver: &str, delivery: &Delivery) {
    for message in &delivery.waiting {
        tracing::warn!(receiver, error = message.last_error, "an alert waits");
    }
    for message in &delivery.refused {
        tracing::error!(receiver, error = message.last_error, "an alert was refused");
    }
}

fn unread(receiver: &str, health: &Health, error: &Error) {
    health.failed(&error.to_string(), 0);
    tracing::error!(receiver, %error, "the queue cannot be read");
}

/// Sends what cannot wait in the queue; what its receiver does not take is tried again.
fn say(courier: &Courier, urgent: &mut VecDeque<Message>) {
    while let Some(message) = urgent.front() {
        match courier.receiver().send(message) {
            Outcome::Delivered => {}
            Outcome::Refused(why) => {
                tracing::error!(receiver = courier.receiver().name(), error = why, "an alert was refused");
            }
            Outcome::Later { error, .. } => {
                tracing::warn!(receiver = courier.receiver().name(), %error, "an alert waits");
                urgent.drain(..urgent.len().saturating_sub(MOST_URGENT));
                return;
            }
        }
        urgent.pop_front();
    }
}
