//! A forecast and the value that it was about.

use serde::{Deserialize, Serialize};

/// A forecast with its actual value and what is needed to judge it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The actual value.
    pub y: f64,
    /// The forecast.
    pub y_hat: f64,
    /// Both ends of the interval.
    pub interval: Option<(f64, f64)>,
    /// The last actual at the forecast origin.
    pub last: Option<f64>,
}

impl Pair {
    /// `prediction - actual`: positive where the model forecasts too much.
    pub fn error(&self) -> f64 {
        self.y_hat - self.y
    }

    /// `|e| / |y|`; undefined where `y = 0`.
    pub fn percentage_error(&self) -> Option<f64> {
        (self.y != 0.0).then(|| (self.error() / self.y).abs())
    }

    /// Whether the actual lies in the interval, ends included.
    pub fn covered(&self) -> Option<bool> {
        self.interval.map(|(low, high)| low <= self.y && self.y <= high)
    }

    /// Whether prediction and actual lie on the same side of the last actual. A tie of the actual is no trial; a prediction
    /// that equals the last actual is no hit.
    pub fn direction(&self) -> Option<bool> {
        let last = self.last?;
        (self.y != last).then_some((self.y - last) * (self.y_hat - last) > 0.0)
    }

    /// Whether prediction or actual equals the last actual.
    pub fn tie(&self) -> Option<bool> {
        self.last.map(|last| self.y == last || self.y_hat == last)
    }

    /// Mean pinball loss of both ends of an interval of this level, each at its own quantile.
    pub fn pinball(&self, level_percent: f64) -> Option<f64> {
        let (low, high) = self.interval?;
        let tail = (1.0 - level_percent / 100.0) / 2.0;
        let at = |quantile: f64, bound: f64| match self.y - bound {
            above if above >= 0.0 => quantile * above,
            below => (quantile - 1.0) * below,
        };
        Some(f64::midpoint(at(tail, low), at(1.0 - tail, high)))
    }

    /// Whether every number that follows from it is finite.
    pub fn is_usable(&self) -> bool {
        let error = self.error();
        error.is_finite() && (error * error).is_finite()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Pair = Pair { y: 10.0, y_hat: 12.0, interval: Some((8.0, 9.0)), last: Some(9.0) };

    #[test]
    fn a_pair_is_judged() {
        assert_eq!((PAIR.error(), PAIR.percentage_error()), (2.0, Some(0.2)));
        assert_eq!((PAIR.covered(), PAIR.direction(), PAIR.tie()), (Some(false), Some(true), Some(false)));
        // By hand, level 90: 0.05 (10 - 8) = 0.1 and 0.95 (10 - 9) = 0.95; their mean is 0.525.
        assert!((PAIR.pinball(90.0).unwrap() - 0.525).abs() < 1e-15);
        assert_eq!(Pair { y: 0.0, ..PAIR }.percentage_error(), None);
        assert_eq!(Pair { y: 9.0, ..PAIR }.direction(), None);
        assert_eq!(Pair { y_hat: 9.0, ..PAIR }.direction(), Some(false));
    }
}
