//! The actual values of a series.

use serde::{Deserialize, Serialize};

use super::room::{forget, make_room};
use super::time::Micros;

/// An actual value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The time that it is about.
    pub target: Micros,
    /// The value.
    pub y: f64,
    /// When it became known.
    pub observed: Micros,
    /// Which restatement it is.
    pub revision: Option<u32>,
}

/// What became of an actual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is the first for its target time.
    First,
    /// It was known already, to the letter.
    Duplicate,
    /// It takes the place of an earlier value.
    Restated,
    /// It is older than the value that is known, and does not count.
    Outdated,
}

/// The actual values of a series, by target time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    points: Vec<Point>,
}

impl History {
    /// What would become of an actual. Of two values for one target time the higher revision counts, without revisions the later observation, and of
    /// two observed at once the one that arrived last.
    pub fn judge(&self, point: &Point) -> Taken {
        let Some(known) = self.at(point.target) else { return Taken::First };
        let order = |point: &Point| (point.revision, point.observed);
        match () {
            () if known.y == point.y && known.revision == point.revision && known.observed == point.observed => {
                Taken::Duplicate
            }
            () if order(point) < order(known) => Taken::Outdated,
            () => Taken::Restated,
        }
    }

    /// Takes the value in.
    pub fn put(&mut self, point: Point) {
        let place = self.points.partition_point(|known| known.target < point.target);
        match self.points.get_mut(place) {
            Some(known) if known.target == point.target => *known = point,
            _ => {
                make_room(&mut self.points);
                self.points.insert(place, point);
            }
        }
    }

    /// The value for a target time.
    pub fn at(&self, target: Micros) -> Option<&Point> {
        // Nearly always one of the last.
        let from = self.points.len().saturating_sub(4);
        let near = self.points[from..].iter().rev().find(|point| point.target == target);
        near.or_else(|| {
            let place = self.points.binary_search_by_key(&target, |point| point.target).ok()?;
            self.points.get(place)
        })
    }

    /// The newest value for a target time not after `time`.
    pub fn last_until(&self, time: Micros) -> Option<f64> {
        let place = self.points.partition_point(|point| point.target <= time);
        place.checked_sub(1).map(|place| self.points[place].y)
    }

    /// The target time after `time` that has a value.
    pub fn next_after(&self, time: Micros) -> Option<Micros> {
        self.points.get(self.points.partition_point(|point| point.target <= time)).map(|point| point.target)
    }

    /// Forgets target times before `time`, but for the last of them, which forecasts may refer to.
    pub fn forget_before(&mut self, time: Micros) {
        let place = self.points.partition_point(|point| point.target < time).saturating_sub(1);
        forget(&mut self.points, place);
    }

    /// The values, in time order.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Mean absolute difference of values `lag` places apart, up to and including `until`.
    pub fn seasonal_scale(&self, lag: usize, until: Micros) -> Option<f64> {
        let known = &self.points[..self.points.partition_point(|point| point.target <= until)];
        let later = known.get(lag.max(1)..).filter(|later| !later.is_empty())?;
        let sum: f64 = known.iter().zip(later).map(|(before, now)| (now.y - before.y).abs()).sum();
        Some(sum / later.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(target: Micros, y: f64, observed: Micros) -> Point {
        Point { target, y, observed, revision: None }
    }

    #[test]
    fn the_later_observation_counts_whatever_arrives_first() {
        let mut history = History::default();
        history.put(point(5, 1.0, 10));
        assert_eq!(history.judge(&point(5, 1.0, 10)), Taken::Duplicate);
        assert_eq!(history.judge(&point(5, 2.0, 11)), Taken::Restated);
        assert_eq!(history.judge(&point(5, 2.0, 9)), Taken::Outdated);
        assert_eq!(history.judge(&Point { revision: Some(1), ..point(5, 2.0, 9) }), Taken::Restated);
        assert_eq!(history.judge(&point(6, 2.0, 9)), Taken::First);
    }

    #[test]
    fn the_last_value_at_an_origin() {
        let mut history = History::default();
        [3, 1, 2].into_iter().for_each(|target| history.put(point(target * 10, target as f64, 0)));
        assert_eq!(
            (history.last_until(9), history.last_until(20), history.last_until(99)),
            (None, Some(2.0), Some(3.0))
        );
        assert_eq!((history.next_after(10), history.next_after(30)), (Some(20), None));
        history.forget_before(30);
        assert_eq!(history.points().len(), 2);
        assert_eq!(history.seasonal_scale(1, 99), Some(1.0));
    }
}
