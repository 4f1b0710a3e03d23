//! A receiver of transitions: its name, the way to it, and what became of an attempt.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::outbox::{Delivered, Message, Outbox};
use crate::secret::Secret;

use super::endpoint::{Answer, Endpoint};
use super::{Command, Transition, Webhook};

/// The longest name, in characters.
const MOST_NAME_CHARACTERS: usize = 64;

/// What became of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// It has arrived.
    Delivered,
    /// The receiver will never take it, and why.
    Refused(String),
    /// A later attempt may succeed.
    Later {
        /// Why this one did not.
        error: Error,
        /// How long the receiver wants to be left alone.
        after: Option<Duration>,
    },
}

impl Outcome {
    /// What an answer says: 2xx is a delivery, whatever its body, 4xx a refusal for good, but for 408 and 429.
    pub(super) fn of(endpoint: &Endpoint, answer: &Answer, secrets: &[&Secret]) -> Self {
        let said = endpoint.quoted(answer, secrets);
        match answer.status {
            200..=299 => Self::Delivered,
            300..=399 => {
                let help = "redirects are not followed: configure the address that it leads to";
                let error = Error::Environment { what: said, help: Some(help.to_owned()) };
                Self::Later { error, after: None }
            }
            400..=499 if !matches!(answer.status, 408 | 429) => Self::Refused(said),
            _ => {
                let help = "see the receiver's log; it is tried again";
                let error = Error::Environment { what: said, help: Some(help.to_owned()) };
                Self::Later { error, after: answer.retry_after }
            }
        }
    }
}

/// The way to a receiver.
#[derive(Debug, Clone)]
pub enum Channel {
    /// An HTTP POST.
    Webhook(Webhook),
    /// A program.
    Command(Command),
}

/// A receiver.
#[derive(Debug, Clone)]
pub struct Receiver {
    name: String,
    channel: Channel,
}

impl Receiver {
    /// A receiver of this name, which is also that of its folder.
    ///
    /// # Errors
    /// [`Error::Usage`] if the name could leave the folder of all queues.
    pub fn new(name: &str, channel: Channel) -> Result<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        match (1..=MOST_NAME_CHARACTERS).contains(&name.chars().count()) && name.chars().all(plain) {
            true => Ok(Self { name: name.to_owned(), channel }),
            false => Err(Error::usage(format!("a receiver {name:?}"), "1 to 64 letters, digits, - and _")),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its own queue, in a folder of its name below that of all queues: a receiver that is down holds up no other.
    pub fn outbox(&self, queues: &Path) -> Outbox {
        Outbox::new(queues.join(&self.name))
    }

    /// Tries to deliver a message that [`Transition::message`] made.
    pub fn send(&self, message: &Message) -> Outcome {
        match (Transition::from_message(message), &self.channel) {
            (Err(why), _) => Outcome::Refused(why),
            (Ok(transition), Channel::Webhook(webhook)) => webhook.send(&transition, Timestamp::now()),
            (Ok(transition), Channel::Command(command)) => command.deliver(&transition, message.attempts),
        }
    }

    /// The same in the words of the outbox.
    ///
    /// # Errors
    /// Why a later attempt may succeed.
    pub fn deliver(&self, message: &Message) -> Result<Delivered> {
        self.send(message).into()
    }
}

impl From<Outcome> for Result<Delivered> {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Delivered => Ok(Delivered::Done),
            Outcome::Refused(why) => Ok(Delivered::Refused(why)),
            Outcome::Later { error, .. } => Err(error),
        }
    }
}
