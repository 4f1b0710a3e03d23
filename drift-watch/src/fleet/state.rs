//! The state of a partition: a function of its messages in the order of the stream.
//!
//! A snapshot holds the state and the sequence of the last message that is part of it; messages up to there are known and do nothing. Where
//! messages are cut into batches, and who applies them, does not show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::error::{Error, Place, Result};
use shared::format::live::{self, Kind, Parsed, Record, parse_json};

use super::event::{Began, Event};
use super::order::{Held, Order, Placed};
use crate::core::engine::{Engine, ProfileBaseline};
use crate::core::faults::Oddity;
use crate::core::settings::Settings;
use crate::core::time::Micros;
use crate::run::saved::Saved;

/// The state of a partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Partition {
    /// The engine, and how many alerts began or ended so far.
    pub saved: Saved,
    /// Records that wait for earlier ones.
    pub order: Order,
    /// The last message that is part of this.
    pub sequence: u64,
    /// Records taken in.
    pub records: u64,
    /// Records that came again.
    pub repeats: u64,
    /// Records that came later than disorder is allowed.
    pub late: u64,
}

/// What a message of the stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Records, one a line.
    Records(Kind),
    /// A mark of the owner: nothing came for long after this message.
    Mark(u64),
}

/// How many detectors share the promise: each partition has a part of it.
pub fn settings(mut settings: Settings, n_partitions: u32) -> Settings {
    settings.promise_steps *= f64::from(n_partitions.max(1));
    settings
}

impl Partition {
    /// A partition that has seen nothing.
    pub fn new(settings: Settings, profiles: BTreeMap<String, ProfileBaseline>) -> Self {
        let saved = Saved::new(settings, profiles);
        Self { saved, order: Order::default(), sequence: 0, records: 0, repeats: 0, late: 0 }
    }

    /// Applies a message; what it made begin or end. One that is known does nothing.
    ///
    /// # Errors
    /// Never for messages of the stream.
    pub fn apply(&mut self, sequence: u64, content: Content, payload: &[u8], lateness: Micros) -> Result<Vec<Event>> {
        if sequence <= self.sequence {
            return Ok(Vec::new());
        }
        let before = std::mem::replace(&mut self.sequence, sequence);
        match content {
            Content::Records(kind) => {
                payload.split(|byte| *byte == b'\n').for_each(|line| self.line(kind, line));
                let due = self.order.due(lateness);
                self.release(due)?;
            }
            // A mark of an owner that was paused, while records came, says nothing.
            Content::Mark(after) if after == before => {
                let settled = self.order.settled();
                self.release(settled)?;
            }
            Content::Mark(_) => {}
        }
        Ok(self.events())
    }

    /// Applies all that still waits: the state as it will be when nothing else comes.
    ///
    /// # Errors
    /// Never for records of ours.
    pub fn finish(&mut self) -> Result<Vec<Event>> {
        let all = self.order.all();
        self.release(all)?;
        Ok(self.events())
    }

    fn line(&mut self, kind: Kind, line: &[u8]) {
        if live::is_blank(line) {
            return;
        }
        match parse_json(kind, line, None) {
            Ok(parsed) => self.record(&parsed),
            Err(bad) => {
                let about = bad.about.as_ref().map(|(series, target)| (series.as_str(), target.as_microsecond()));
                self.saved.engine.bad_row(kind, bad.fault, about);
            }
        }
    }

    fn record(&mut self, parsed: &Parsed<'_>) {
        self.records += 1;
        match self.order.put(&parsed.record, parsed.offset_timestamp) {
            Placed::Waits => {}
            Placed::Repeated => self.repeats += 1,
            Placed::Late => self.late_record(&parsed.record, parsed.offset_timestamp),
        }
    }

    /// Gives a record to the engine whose time is over; one that the engine knows to the letter is only a repeat.
    fn late_record(&mut self, record: &Record<'_>, offset: bool) {
        let engine = &mut self.saved.engine;
        let known =
            |engine: &Engine| engine.oddities.of(Oddity::DuplicateExact) + engine.oddities.of(Oddity::PredDuplicate);
        let (before, n) = (engine.oddities.clone(), known(engine));
        give(engine, record, offset);
        if known(engine) > n {
            engine.oddities = before;
            self.repeats += 1;
        } else {
            self.late += 1;
        }
    }

    fn release(&mut self, held: impl IntoIterator<Item = Held>) -> Result<()> {
        for (_, _, bytes, offset) in held {
            let record: Record<'static> = postcard::from_bytes(&bytes).map_err(|error| unreadable(&error))?;
            give(&mut self.saved.engine, &record, offset);
        }
        Ok(())
    }

    fn events(&mut self) -> Vec<Event> {
        let first = self.saved.events;
        let transitions = self.saved.engine.take_transitions();
        self.saved.events += transitions.len() as u64;
        transitions
            .into_iter()
            .zip(first..)
            .map(|(transition, number)| Event { number, what: Began::of(transition) })
            .collect()
    }

    /// As bytes.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        postcard::to_stdvec(self)
            .map_err(|error| Error::Environment { what: format!("the state cannot be written: {error}"), help: None })
    }

    /// The state that bytes hold, judged by these settings from here on.
    ///
    /// # Errors
    /// If they hold none of this version.
    pub fn from_bytes(bytes: &[u8], settings: Settings) -> Result<Self> {
        let mut state: Self = postcard::from_bytes(bytes).map_err(|error| unreadable(&error))?;
        state.saved.engine.settings = settings;
        Ok(state)
    }
}

fn give(engine: &mut Engine, record: &Record<'_>, offset: bool) {
    if offset {
        engine.offset_time();
    }
    match record {
        Record::Prediction(prediction) => engine.prediction(prediction),
        Record::Actual(actual) => engine.actual(actual),
    }
}

fn unreadable(error: &postcard::Error) -> Error {
    let found = format!("a snapshot that this version does not understand: {error}");
    Error::input(Place::file("snapshot"), found, "a snapshot of this version of drift-watch")
        .with_help("go back to the version that wrote it, or delete the bucket of snapshots: the stream is then read again from its beginning")
}
