//! Horizons that are judged together.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first horizon of each bucket: a week one by one, then two weeks, a month, a quarter, a year.
const STARTS: [u32; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 15, 29, 92, 366];

/// Horizons that are judged together; only like is compared with like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bucket(u8);

impl Bucket {
    /// How many there are.
    pub const COUNT: usize = STARTS.len();

    /// The bucket of a horizon, in steps from 1.
    pub fn of(horizon: u32) -> Self {
        let place = STARTS.partition_point(|&start| start <= horizon.max(1)) - 1;
        Self(u8::try_from(place).unwrap_or(u8::MAX))
    }

    /// Its place among all buckets.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// Its first horizon.
    pub fn start(self) -> u32 {
        STARTS[self.index()]
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match STARTS.get(self.index() + 1) {
            None => write!(f, "{}+", self.start()),
            Some(next) if next - 1 == self.start() => write!(f, "{}", self.start()),
            Some(next) => write!(f, "{}-{}", self.start(), next - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizons_fall_into_buckets() {
        let names: Vec<String> = [0, 1, 7, 8, 14, 15, 28, 365, 366, 9999].map(|h| Bucket::of(h).to_string()).into();
        assert_eq!(names, ["1", "1", "7", "8-14", "8-14", "15-28", "15-28", "92-365", "366+", "366+"]);
    }
}
