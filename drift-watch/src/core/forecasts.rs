//! The forecasts of a model for one series.

use serde::{Deserialize, Serialize};

use super::room::{forget, make_room};
use super::time::Micros;

/// A forecast. Its key within a series is (target time, issue time).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// The time that it is about.
    pub target: Micros,
    /// When it was made.
    pub issued: Micros,
    /// The value.
    pub y_hat: f64,
    /// Both ends of the interval; not a number where there is none.
    bounds: (f64, f64),
    /// Steps ahead.
    pub horizon: u32,
    /// Which combination of segments it belongs to; 0 is none.
    pub segments: u32,
}

impl Forecast {
    /// A forecast.
    pub fn new(target: Micros, issued: Micros, horizon: u32, y_hat: f64, interval: Option<(f64, f64)>) -> Self {
        Self { target, issued, y_hat, bounds: interval.unwrap_or((f64::NAN, f64::NAN)), horizon, segments: 0 }
    }

    /// The same forecast, of a series in this combination of segments.
    pub fn in_segments(self, segments: u32) -> Self {
        Self { segments, ..self }
    }

    /// Both ends of the interval.
    pub fn interval(&self) -> Option<(f64, f64)> {
        (!self.bounds.0.is_nan()).then_some(self.bounds)
    }

    /// The newest time whose actual it may know.
    pub fn origin(&self) -> Micros {
        self.issued.min(self.target - 1)
    }

    fn key(&self) -> (Micros, Micros) {
        (self.target, self.issued)
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.y_hat == other.y_hat && self.interval() == other.interval() && self.horizon == other.horizon
    }
}

/// What became of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New,
    /// It was known already, to the letter.
    Duplicate,
    /// Another value is known under the same key; the first one stays.
    Conflict,
}

/// The forecasts of a model for one series, by target time and issue time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Forecasts {
    list: Vec<Forecast>,
}

impl Forecasts {
    /// Takes a forecast in.
    pub fn put(&mut self, forecast: Forecast) -> Kept {
        let place = self.list.partition_point(|known| known.key() < forecast.key());
        match self.list.get(place) {
            Some(known) if known.key() == forecast.key() => match known.says_the_same(&forecast) {
                true => Kept::Duplicate,
                false => Kept::Conflict,
            },
            _ => {
                make_room(&mut self.list);
                self.list.insert(place, forecast);
                Kept::New
            }
        }
    }

    /// Those for a target time, in the order of issue.
    pub fn at(&self, target: Micros) -> impl Iterator<Item = &Forecast> {
        let place = self.list.partition_point(|known| known.target < target);
        self.list[place..].iter().take_while(move |known| known.target == target)
    }

    /// The places of those for a target time.
    pub fn range_at(&self, target: Micros) -> std::ops::Range<usize> {
        let n = self.list.len();
        // Nearly always near the front of what is open, and the list is short.
        let start = self.list.partition_point(|known| known.target < target);
        let end = (start..n).find(|&place| self.list[place].target != target).unwrap_or(n);
        start..end
    }

    /// The one at a place of [`Self::range_at`].
    ///
    /// # Panics
    /// If the place is not one of these.
    pub fn get(&self, place: usize) -> Forecast {
        self.list[place]
    }

    /// Those whose last actual at the origin is that of a time in `[from, until)`.
    pub fn issued_within(&self, from: Micros, until: Option<Micros>) -> impl Iterator<Item = &Forecast> {
        let place = self.list.partition_point(|known| known.target <= from);
        let within =
            move |known: &&Forecast| known.origin() >= from && until.is_none_or(|until| known.origin() < until);
        self.list[place..].iter().filter(within)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Forecast> {
        self.list.iter()
    }

    /// Forgets target times before `time`; says how many.
    pub fn forget_before(&mut self, time: Micros) -> usize {
        let place = self.list.partition_point(|known| known.target < time);
        forget(&mut self.list, place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forecasts_of_one_target_stay_apart_by_issue_time() {
        let mut forecasts = Forecasts::default();
        let one = Forecast::new(10, 1, 9, 5.0, None);
        assert_eq!(forecasts.put(one), Kept::New);
        assert_eq!(forecasts.put(Forecast::new(10, 4, 6, 6.0, Some((1.0, 2.0)))), Kept::New);
        assert_eq!(forecasts.put(one), Kept::Duplicate);
        assert_eq!(forecasts.put(Forecast { y_hat: 7.0, ..one }), Kept::Conflict);
        assert_eq!(forecasts.at(10).map(|forecast| forecast.y_hat).collect::<Vec<_>>(), [5.0, 6.0]);
        assert_eq!(forecasts.issued_within(2, Some(5)).count(), 1);
        assert_eq!(forecasts.forget_before(11), 2);
    }
}
