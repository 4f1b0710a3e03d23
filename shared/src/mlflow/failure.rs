//! Why a request failed, and whether it is worth sending again.

use crate::error::Error;

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
