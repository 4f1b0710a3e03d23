//! What began or ended in a partition, as the log of the fleet holds it.
//!
//! Each partition has a subject of the log. Its owner appends under the sequence that it expects to be the last one there; a new owner writes its epoch
//! first, so that whatever an earlier one still tries to append is refused.

use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};

use crate::core::alerts::{Record, Transition};

/// The `schema` of an entry.
pub const SCHEMA: &str = "drift-watch/fleet-event/1";

/// Something that began or ended, and its number in its partition, from 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number.
    pub number: u64,
    /// What it is.
    pub what: Began,
}

/// What began or ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Began {
    /// An alert of a partition.
    Fired(Record),
    /// The end of one.
    Resolved(Record),
}

/// A message of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`SCHEMA`].
    pub schema: String,
    /// The partition; absent for what is about the fleet itself.
    pub partition: Option<u32>,
    /// The epoch of the owner that wrote it.
    pub epoch: u64,
    /// Events of the partition up to here.
    pub count: u64,
    /// What began or ended; absent where an owner only begins.
    pub event: Option<Event>,
}

impl Began {
    /// What a transition is.
    pub fn of(transition: Transition) -> Self {
        match transition {
            Transition::Fired(record) => Self::Fired(record),
            Transition::Resolved(record) => Self::Resolved(record),
        }
    }

    /// The alert.
    pub fn record(&self) -> &Record {
        match self {
            Self::Fired(record) | Self::Resolved(record) => record,
        }
    }
}

impl Entry {
    /// The first word of an owner.
    pub fn of_owner(partition: Option<u32>, epoch: u64, count: u64) -> Self {
        Self { schema: SCHEMA.to_owned(), partition, epoch, count, event: None }
    }

    /// Something that began or ended.
    pub fn of_event(partition: Option<u32>, epoch: u64, event: Event) -> Self {
        Self { event: Some(event.clone()), ..Self::of_owner(partition, epoch, event.number + 1) }
    }

    /// As bytes.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::Environment { what: format!("an event cannot be written: {error}"), help: None })
    }
}
