//! The actual values of all series.

use serde::{Deserialize, Serialize};

use super::interned::Interned;
use super::lists::{Lists, first_not};
use super::time::Micros;

/// An actual value.
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// What the actuals of many series have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Stamp {
    target: Micros,
    observed: Micros,
    revision: Option<u32>,
}

/// A point, as there may be millions of: twelve bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[repr(C, packed(4))]
struct Packed {
    y: f64,
    stamp: u32,
}

/// The actual values of all series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Histories {
    /// By series, each in the order of target times.
    lists: Lists<Packed>,
    stamps: Interned<Stamp>,
}

/// The same as it was saved, of which nothing is known yet.
#[derive(Deserialize)]
struct Saved {
    lists: Lists<Packed>,
    stamps: Interned<Stamp>,
}

impl TryFrom<Saved> for Histories {
    type Error = &'static str;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        let Saved { lists, stamps } = saved;
        let is_known = lists.items().all(|packed| (packed.stamp as usize) < stamps.end());
        if is_known { Ok(Self { lists, stamps }) } else { Err("actuals whose times are not there") }
    }
}

impl Histories {
    /// Makes room for so many series.
    pub fn expect(&mut self, series: usize) {
        self.lists.expect(series);
    }

    /// The values of a series; none of one that is not known.
    pub fn of(&self, series: u32) -> History<'_> {
        History { points: self.lists.of(series as usize), stamps: &self.stamps }
    }

    /// How many series there is room for.
    pub fn len(&self) -> usize {
        self.lists.n_lists()
    }

    /// Whether there is room for none.
    pub fn is_empty(&self) -> bool {
        self.lists.n_lists() == 0
    }

    /// All series, in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = (u32, History<'_>)> {
        (0u32..).take(self.lists.n_lists()).map(|series| (series, self.of(series)))
    }

    /// Takes a value in.
    pub fn put(&mut self, series: u32, point: Point) {
        let Point { target, y, observed, revision } = point;
        let packed = Packed { y, stamp: self.stamps.number(Stamp { target, observed, revision }) };
        let known = self.of(series);
        let place = known.place(target);
        match known.is_at(place, target) {
            true => self.lists.set(series as usize, place, packed),
            false => self.lists.insert(series as usize, place, packed),
        }
    }

    /// Forgets target times before `time`, but for the last of each series, which forecasts may refer to.
    pub fn forget_before(&mut self, time: Micros) {
        let stamps = &self.stamps;
        self.lists.forget(|points| History { points, stamps }.place(time).saturating_sub(1));
        let mut is_held = vec![false; stamps.end()];
        self.lists.items().for_each(|known| is_held[known.stamp as usize] = true);
        self.stamps.retain(|number, _| is_held[number as usize]);
    }
}

/// The actual values of a series, by target time.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    points: &'a [Packed],
    stamps: &'a Interned<Stamp>,
}

impl<'a> History<'a> {
    /// What would become of an actual. Of two values for one target time the higher revision counts, without revisions the later observation, and of
    /// two observed at once the one that arrived last.
    pub fn judge(self, point: &Point) -> Taken {
        let Some(known) = self.at(point.target) else { return Taken::First };
        let order = |point: &Point| (point.revision, point.observed);
        match () {
            () if known.y == point.y && known.revision == point.revision && known.observed == point.observed => {
                Taken::Duplicate
            }
            () if order(point) < order(&known) => Taken::Outdated,
            () => Taken::Restated,
        }
    }

    /// The value for a target time.
    pub fn at(self, target: Micros) -> Option<Point> {
        let place = self.place(target);
        self.is_at(place, target).then(|| self.point(place))
    }

    /// The newest value for a target time not after `time`.
    pub fn last_until(self, time: Micros) -> Option<f64> {
        let place = self.place(time.saturating_add(1));
        place.checked_sub(1).map(|place| self.points[place].y)
    }

    /// The target time after `time` that has a value.
    pub fn next_after(self, time: Micros) -> Option<Micros> {
        let place = self.place(time.saturating_add(1));
        (place < self.points.len()).then(|| self.target(place))
    }

    /// The values, in time order.
    pub fn points(self) -> impl Iterator<Item = Point> + 'a {
        (0..self.points.len()).map(move |place| self.point(place))
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.points.is_empty()
    }

    /// Mean absolute difference of values `lag` places apart, up to and including `until`.
    pub fn seasonal_scale(self, lag: usize, until: Micros) -> Option<f64> {
        let known = &self.points[..self.place(until.saturating_add(1))];
        let later = known.get(lag.max(1)..).filter(|later| !later.is_empty())?;
        let sum: f64 = known.iter().zip(later).map(|(before, now)| (now.y - before.y).abs()).sum();
        Some(sum / later.len() as f64)
    }

    /// Where the first value for a time not before `time` is, or would be.
    fn place(self, time: Micros) -> usize {
        first_not(self.points.len(), |place| self.target(place) < time)
    }

    fn is_at(self, place: usize, target: Micros) -> bool {
        place < self.points.len() && self.target(place) == target
    }

    fn target(self, place: usize) -> Micros {
        self.stamps.value(self.points[place].stamp).target
    }

    fn point(self, place: usize) -> Point {
        let Packed { y, stamp } = self.points[place];
        let Stamp { target, observed, revision } = self.stamps.value(stamp);
        Point { target, y, observed, revision }
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
        let mut histories = Histories::default();
        histories.put(1, point(5, 1.0, 10));
        let judge = |point| histories.of(1).judge(&point);
        assert_eq!(judge(point(5, 1.0, 10)), Taken::Duplicate);
        assert_eq!(judge(point(5, 2.0, 11)), Taken::Restated);
        assert_eq!(judge(point(5, 2.0, 9)), Taken::Outdated);
        assert_eq!(judge(Point { revision: Some(1), ..point(5, 2.0, 9) }), Taken::Restated);
        assert_eq!(judge(point(6, 2.0, 9)), Taken::First);
        assert!(histories.of(0).is_empty() && histories.of(7).is_empty());
    }

    #[test]
    fn the_last_value_at_an_origin() {
        let mut histories = Histories::default();
        [3, 1, 2].into_iter().for_each(|target| histories.put(0, point(target * 10, target as f64, 0)));
        let history = histories.of(0);
        assert_eq!(
            (history.last_until(9), history.last_until(20), history.last_until(99)),
            (None, Some(2.0), Some(3.0))
        );
        assert_eq!((history.next_after(10), history.next_after(30)), (Some(20), None));
        histories.forget_before(30);
        assert_eq!(histories.of(0).points().count(), 2);
        assert_eq!(histories.of(0).seasonal_scale(1, 99), Some(1.0));
    }

    #[test]
    fn a_state_that_refers_to_times_that_it_lacks_is_refused() {
        let mut histories = Histories::default();
        histories.put(0, point(5, 1.0, 10));
        let bytes = postcard::to_stdvec(&histories).unwrap();
        assert_eq!(postcard::from_bytes::<Histories>(&bytes).unwrap(), histories);
        histories.stamps = Interned::default();
        let bytes = postcard::to_stdvec(&histories).unwrap();
        assert!(postcard::from_bytes::<Histories>(&bytes).is_err());
    }

    #[test]
    fn a_plain_list_of_points_says_the_same() {
        let (mut histories, mut plain, mut bits) = (Histories::default(), Vec::<Point>::new(), 7_u64);
        let mut next = |most: u64| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Micros::try_from((bits >> 33) % most).unwrap()
        };
        for round in 0..3000 {
            let point = point(next(40) + round / 50, next(9) as f64, next(3));
            plain.retain(|known| known.target != point.target);
            plain.push(point);
            plain.sort_by_key(|known| known.target);
            histories.put(2, point);
            if round % 100 == 99 {
                let time = round / 50;
                let before = plain.iter().filter(|known| known.target < time).count();
                plain.drain(..before.saturating_sub(1));
                histories.forget_before(time);
            }
            let history = histories.of(2);
            let time = next(120) - 5;
            assert_eq!(history.points().collect::<Vec<_>>(), plain);
            assert_eq!(history.at(time), plain.iter().copied().find(|known| known.target == time));
            assert_eq!(
                history.last_until(time),
                plain.iter().rev().find(|known| known.target <= time).map(|known| known.y)
            );
            assert_eq!(
                history.next_after(time),
                plain.iter().find(|known| known.target > time).map(|known| known.target)
            );
        }
    }
}
