//! Alerts of the whole fleet: one for a model, version and metric, however many partitions show it.
//!
//! A fold over the log of events, in its order: whoever folds it has the same alerts under the same identifiers. A grouped alert begins with the first
//! partition whose alert begins, and ends with the last one.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Began, Entry};
use crate::core::alerts::{Alerts, Cause, Condition, Key, Patience, Record};
use crate::core::time::Micros;

const AT_ONCE: Patience = Patience { hold: 1, keep: 1, cooldown: 0 };

/// Alerts of the fleet.
#[derive(Debug, Clone, Default)]
pub struct Grouped {
    /// The grouped alerts.
    pub alerts: Alerts,
    /// The last message of the log that is part of this.
    pub sequence: u64,
    /// Events that are part of this, by partition.
    counts: BTreeMap<Option<u32>, u64>,
    /// Partitions in which an alert fires.
    members: BTreeMap<Key, BTreeSet<Option<u32>>>,
    /// When a grouped alert last began or ended; later ones are later.
    last: BTreeMap<Key, Micros>,
}

impl Grouped {
    /// Takes a message of the log in; one that is known, or repeats an event, does nothing.
    pub fn apply(&mut self, sequence: u64, entry: &Entry) {
        if sequence <= self.sequence {
            return;
        }
        self.sequence = sequence;
        let Some(event) = &entry.event else { return };
        let known = self.counts.entry(entry.partition).or_default();
        if event.number < *known {
            return;
        }
        *known = event.number + 1;
        self.event(entry.partition, &event.what);
    }

    fn event(&mut self, partition: Option<u32>, what: &Began) {
        let record = what.record();
        let members = self.members.entry(record.key.clone()).or_default();
        let was_none = members.is_empty();
        match what {
            Began::Fired(_) => members.insert(partition),
            Began::Resolved(_) => members.remove(&partition),
        };
        match (was_none, members.is_empty()) {
            (true, false) => self.turn(record, Condition::Holds, record.fired_at),
            (false, true) => self.turn(record, Condition::Clear, record.ended_at.unwrap_or(record.fired_at)),
            _ => {}
        }
    }

    fn turn(&mut self, record: &Record, condition: Condition, when: Micros) {
        let last = self.last.entry(record.key.clone()).or_insert(Micros::MIN);
        // Times of partitions differ; the identifier of an alert is made of its beginning, and must not come again.
        *last = when.max(last.saturating_add(1));
        self.alerts.observe(&record.key, condition, AT_ONCE, *last, || cause(record));
    }

    /// Partitions in which the alert of this key fires.
    pub fn partitions(&self, key: &Key) -> usize {
        self.members.get(key).map_or(0, BTreeSet::len)
    }
}

fn cause(record: &Record) -> Cause {
    Cause {
        target: record.target,
        change_since: record.change_since,
        reason: record.reason.clone(),
        findings: record.findings.clone(),
        drivers: record.drivers.clone(),
        metrics: record.metrics.clone(),
    }
}
