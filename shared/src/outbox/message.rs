//! One message: what is sent where, and how often that was tried.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::format::versioned;

/// The `schema` of a message file.
pub const SCHEMA: &str = "outbox/message/1";

/// The oldest version of the tools that understands it.
const MIN_READER: &str = "0.1.0";

/// The largest message, in bytes: it says what to send, and is not a parcel itself.
pub const MOST_BODY_BYTES: usize = 1 << 20;

/// How much of an error is kept, in characters.
const MOST_ERROR_CHARACTERS: usize = 1000;

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// [`SCHEMA`].
    pub schema: String,
    /// The oldest version of the tools that understands it.
    pub min_reader: String,
    /// What makes it the same message when it is put again.
    pub key: String,
    /// To whom; messages of one target go out in order.
    pub target: String,
    /// What kind of message it is, for who sends it.
    pub kind: String,
    /// When it was put, in RFC 3339.
    pub created_at: String,
    /// How often its delivery failed.
    pub attempts: u32,
    /// How it failed the last time.
    pub last_error: Option<String>,
    /// What there is to say.
    pub body: Value,
}

impl Message {
    /// A message that was never tried.
    pub fn new(key: &str, target: &str, kind: &str, created_at: &str, body: Value) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            min_reader: MIN_READER.to_owned(),
            key: key.to_owned(),
            target: target.to_owned(),
            kind: kind.to_owned(),
            created_at: created_at.to_owned(),
            attempts: 0,
            last_error: None,
            body,
        }
    }

    pub(super) fn failed(&mut self, why: &str) {
        self.attempts = self.attempts.saturating_add(1);
        self.last_error = Some(why.chars().take(MOST_ERROR_CHARACTERS).collect());
    }

    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        versioned::parse(path, bytes, SCHEMA)
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes = versioned::to_bytes(self)?;
        match bytes.len() <= MOST_BODY_BYTES {
            true => Ok(bytes),
            false => Err(Error::usage(
                format!("a message of {} bytes", bytes.len()),
                format!("at most {MOST_BODY_BYTES} bytes"),
            )),
        }
    }
}
