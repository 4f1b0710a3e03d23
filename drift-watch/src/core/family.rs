//! All detectors of a model as one family: how the promise is shared out among them.
//!
//! A detector with weight `w` alarms when its evidence reaches `2 A / w`. With weights that add up to at most 1 the model has on average
//! at least `A` steps to its first false alarm of any kind ([`super::detector::evidence`]), whatever the dependence
//! between the detectors. Series and segments come and go: among `K` of a kind that have been watched so far each has a `K`-th of
//! their share, which Chow's inequality (1960) allows, since `K` only grows.

use super::detector::reference::Side;
use super::score::Score;

/// What is watched, and its part of the promise.
pub const WATCHES: [(Score, Side, f64); 5] = [
    (Score::Loss, Side::Above, 0.4),
    (Score::Bias, Side::Above, 0.15),
    (Score::Bias, Side::Below, 0.15),
    (Score::Direction, Side::Below, 0.15),
    (Score::Coverage, Side::Below, 0.15),
];

/// Whose errors are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All series.
    Model,
    /// Those of one segment.
    Segment,
    /// One series.
    Series,
}

impl Level {
    /// Its part of the promise.
    fn share(self) -> f64 {
        match self {
            Self::Model => 0.5,
            Self::Segment | Self::Series => 0.25,
        }
    }
}

/// The part of a bucket among buckets whose forecasts reach so many steps ahead: near horizons are seen first and most often.
pub fn bucket_weight(overlap: usize, all: &[usize]) -> f64 {
    let part = |overlap: usize| 1.0 / overlap.max(1) as f64;
    part(overlap) / all.iter().map(|&overlap| part(overlap)).sum::<f64>()
}

/// The evidence at which a detector alarms.
pub fn limit(promise_steps: f64, level: Level, of_a_kind: usize, bucket_weight: f64, watch_weight: f64) -> f64 {
    2.0 * promise_steps * of_a_kind.max(1) as f64 / (level.share() * bucket_weight * watch_weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_of_a_family_add_up_to_one() {
        let overlaps = [1, 6, 28];
        let mut sum = 0.0;
        for &(_, _, watch) in &WATCHES {
            for overlap in overlaps {
                let bucket = bucket_weight(overlap, &overlaps);
                let weight = |level, k: usize| 2.0 * 5000.0 / limit(5000.0, level, k, bucket, watch) * k as f64;
                sum += weight(Level::Model, 1) + weight(Level::Segment, 5) + weight(Level::Series, 1000);
            }
        }
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
}
