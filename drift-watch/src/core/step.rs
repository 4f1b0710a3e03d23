//! A target time of a model: who forecasts it, whose actuals are in, and what the pairs add up to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::members::Members;
use super::tally::Tally;

/// The group of all series.
pub const EVERYONE: u32 = 0;

/// A target time of a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Step {
    /// Forecasts for it.
    pub expected: u32,
    /// Forecasts whose actual is not in yet.
    pub waiting: u32,
    /// Whether it is decided.
    pub closed: bool,
    /// Series with a forecast.
    pub members: Members,
    /// The pairs by bucket and group ([`EVERYONE`], or a segment's number); only of closed steps.
    pub cells: BTreeMap<(Bucket, u32), Tally>,
}

impl Step {
    /// Whether all actuals are in.
    pub fn is_complete(&self) -> bool {
        self.expected > 0 && self.waiting == 0
    }

    /// The share of forecasts whose actual is in.
    pub fn completeness(&self) -> f64 {
        f64::from(self.expected - self.waiting) / f64::from(self.expected.max(1))
    }
}
