//! A transition: an alert begins to fire, or has ended. What waits in an outbox, and what a webhook or command is told.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::digest;
use crate::error::{Error, Result};
use crate::outbox::Message;

use super::Alert;

/// The `schema` of a transition.
pub const SCHEMA: &str = "alert/transition/1";

/// The `kind` of a message whose body is a transition.
pub const KIND: &str = "alert";

/// The largest payload that is carried, in bytes of JSON; a larger one is left out, and the transition says so.
pub const MOST_PAYLOAD_BYTES: usize = 256 << 10;

/// The longest identifier that goes into a header as it is.
const MOST_KEY_BYTES: usize = 200;

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It begins to fire.
    Firing,
    /// It has ended.
    Resolved,
}

impl Status {
    /// Its name, as the JSON has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl Alert {
    /// Whether it fires or has ended.
    pub fn status(&self) -> Status {
        if self.ends_at.is_some() { Status::Resolved } else { Status::Firing }
    }
}

/// An alert begins to fire, or has ended: the body of the `generic` webhook, and what a command reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transition {
    /// [`SCHEMA`].
    pub schema: String,
    /// The tool that says so: `drift-watch`.
    pub source: String,
    /// Whether the alert begins to fire or has ended.
    pub status: Status,
    /// The alert.
    pub alert: Alert,
    /// What else the tool knows of it, such as `drivers`; null if nothing.
    pub payload: Value,
}

impl Transition {
    /// The transition into the state in which the alert is now.
    pub fn new(source: &str, alert: Alert, payload: Value) -> Self {
        let payload = within_limit(payload);
        Self { schema: SCHEMA.to_owned(), source: source.to_owned(), status: alert.status(), alert, payload }
    }

    /// What makes it the same transition when it is sent again: identifier and status. Letters, digits, `-` and `_` only.
    pub fn key(&self) -> String {
        let id = &self.alert.id;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let safe = !id.is_empty() && id.len() <= MOST_KEY_BYTES && id.bytes().all(plain);
        let id = if safe { id.clone() } else { digest::of_bytes(id.as_bytes()) };
        format!("{id}-{}", self.status.name())
    }

    /// The message that waits in the outbox of the receiver of this name.
    ///
    /// # Errors
    /// [`Error::Environment`] if it cannot be written as JSON.
    pub fn message(&self, receiver: &str, now: Timestamp) -> Result<Message> {
        let body = serde_json::to_value(self).map_err(|error| {
            let what = format!("alert {}: cannot be written as JSON: {error}", self.alert.name);
            Error::Environment { what, help: None }
        })?;
        Ok(Message::new(&self.key(), receiver, KIND, &now.to_string(), body))
    }

    /// The transition that a message carries.
    ///
    /// # Errors
    /// Why it carries none.
    pub fn from_message(message: &Message) -> Result<Self, String> {
        if message.kind != KIND {
            return Err(format!("a message of kind {:?} (expected {KIND:?})", message.kind));
        }
        let found: Self = serde_json::from_value(message.body.clone()).map_err(|error| format!("no alert: {error}"))?;
        match found.schema == SCHEMA {
            true => Ok(found),
            false => Err(format!("an alert of schema {:?} (expected {SCHEMA:?})", found.schema)),
        }
    }
}

/// A message has a largest size; an alert must not be lost because its evidence is long.
fn within_limit(payload: Value) -> Value {
    let bytes = payload.to_string().len();
    if bytes <= MOST_PAYLOAD_BYTES { payload } else { json!({"omitted": format!("a payload of {bytes} bytes")}) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Severity;
    use super::*;

    fn transition(id: &str, payload: Value) -> Transition {
        let alert = Alert {
            id: id.to_owned(),
            name: "ForecastDrift".to_owned(),
            severity: Severity::Warning,
            labels: BTreeMap::new(),
            summary: String::new(),
            annotations: BTreeMap::new(),
            starts_at: Timestamp::UNIX_EPOCH,
            ends_at: None,
        };
        Transition::new("drift-watch", alert, payload)
    }

    #[test]
    fn a_transition_goes_through_a_message() {
        let transition = transition("a1", json!({"drivers": ["EWR_B6"]}));
        let message = transition.message("slack", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((message.key.as_str(), message.target.as_str()), ("a1-firing", "slack"));
        assert_eq!(Transition::from_message(&message).unwrap(), transition);
        assert!(Transition::from_message(&Message { kind: "mlflow".to_owned(), ..message.clone() }).is_err());
        let mut newer = message;
        newer.body["schema"] = json!("alert/transition/2");
        assert!(Transition::from_message(&newer).unwrap_err().contains("alert/transition/2"));
    }

    #[test]
    fn an_identifier_never_breaks_a_header() {
        for hostile in ["", "a\r\nx-evil: 1", "ä", "a.b", &"x".repeat(201)] {
            let key = transition(hostile, Value::Null).key();
            assert_eq!(key.len(), 64 + "-firing".len(), "{key}");
        }
        assert_ne!(transition("ä", Value::Null).key(), transition("ö", Value::Null).key());
    }

    #[test]
    fn a_huge_payload_does_not_lose_the_alert() {
        let message = transition("a", json!("x".repeat(2 << 20))).message("r", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(message.body["payload"]["omitted"], "a payload of 2097154 bytes");
    }
}
