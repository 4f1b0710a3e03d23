//! Counts of what was wrong with records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What can be wrong with a record that could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// An actual that is known, to the letter.
    DuplicateExact,
    /// A new value for a target time that has one: a restatement.
    DuplicateConflict,
    /// An actual older than the value that is known.
    Outdated,
    /// The first actual of a target time, later than steps wait.
    Late,
    /// An actual observed before one that came earlier.
    OutOfOrder,
    /// An actual for which there is no prediction.
    NoPrediction,
    /// An actual of 0: no percentage error.
    ZeroActual,
    /// A time written with an offset other than Z.
    OffsetTimestamp,
    /// A value that came or changed after detectors had seen its step.
    RestatedAfterDecision,
    /// A prediction that is known, to the letter.
    PredDuplicate,
    /// Another value under the key of a known prediction; the first one stays.
    PredConflict,
    /// A prediction by another version than the first one seen of its model.
    PredSecondVersion,
    /// A prediction issued at or after its target time.
    PredAfterTarget,
    /// A prediction without a horizon, where no length of a step is known.
    PredNoHorizon,
    /// A prediction whose step is decided already.
    PredAfterDecision,
    /// A prediction forgotten while it waited for its actual.
    ExpiredUnmatched,
    /// A record of a model that is not watched.
    OtherModel,
}

/// How often each was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Oddities(BTreeMap<Oddity, u64>);

impl Oddities {
    /// Counts one.
    pub fn count(&mut self, oddity: Oddity) {
        self.add(oddity, 1);
    }

    /// Counts several.
    pub fn add(&mut self, oddity: Oddity, n: u64) {
        if n > 0 {
            *self.0.entry(oddity).or_default() += n;
        }
    }

    /// Takes one back.
    pub fn uncount(&mut self, oddity: Oddity) {
        if let Some(n) = self.0.get_mut(&oddity) {
            *n = n.saturating_sub(1);
        }
    }

    /// How often one was seen.
    pub fn of(&self, oddity: Oddity) -> u64 {
        self.0.get(&oddity).copied().unwrap_or(0)
    }

    /// All that were seen, by name.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        let name = |oddity: &Oddity| serde_json::to_value(oddity).ok()?.as_str().map(ToOwned::to_owned);
        self.0.iter().filter_map(|(oddity, n)| Some((name(oddity)?, *n))).collect()
    }
}
