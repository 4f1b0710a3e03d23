//! Why a request failed, whether it is worth sending again, and what that means for a message of the outbox.

use crate::error::{Error, Result};
use crate::outbox::Delivered;

/// A result whose error says whether a retry may help.
pub type Outcome<T> = Result<T, Failure>;

/// Whether a failed request is worth sending again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nobody answered: so will nobody for the next minutes.
    Unreachable,
    /// The server, a login or a permission has to be put right first.
    Later,
    /// The time for the whole delivery was over before the request was sent.
    OutOfTime,
    /// The server calls the request itself invalid; it always will.
    Refused,
}

/// Why a request failed.
#[derive(Debug)]
pub struct Failure {
    /// Whether to send it again.
    pub kind: Kind,
    /// MLflow's own code: `RESOURCE_ALREADY_EXISTS`, …
    pub code: Option<String>,
    /// What to tell people.
    pub error: Error,
}

impl Failure {
    pub(super) fn new(kind: Kind, what: String, help: &str) -> Self {
        Self { kind, code: None, error: Error::Environment { what, help: Some(help.to_owned()) } }
    }

    /// Whether the server said this code.
    pub(super) fn says(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

/// What one delivery knows of its server: once nobody answered, the messages after that are not tried.
#[derive(Debug, Default)]
pub struct Courier {
    dead: Option<String>,
}

impl Courier {
    /// Why a message is not tried, if nobody answered before.
    pub fn gave_up(&self) -> Option<Delivered> {
        self.dead.clone().map(Delivered::Later)
    }

    /// What a failure means for the message that it hit.
    ///
    /// # Errors
    /// [`Error::Environment`] if the message is to be sent again.
    pub fn failed(&mut self, failure: Failure) -> Result<Delivered> {
        let help = failure.error.help().map(|help| format!("; {help}")).unwrap_or_default();
        let why = format!("{}{help}", failure.error);
        match failure.kind {
            Kind::Refused => Ok(Delivered::Refused(why)),
            Kind::OutOfTime => Ok(Delivered::Later(why)),
            Kind::Later => Err(Error::Environment { what: why, help: None }),
            Kind::Unreachable => {
                self.dead = Some(why.clone());
                Err(Error::Environment { what: why, help: None })
            }
        }
    }
}
