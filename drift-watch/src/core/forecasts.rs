//! The forecasts of a version of a model, for all series.

use serde::{Deserialize, Serialize};

use super::interned::Interned;
use super::lists::{Lists, first_not};
use super::time::Micros;

/// A forecast. Its key within a series is (target time, issue time).
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// What the forecasts of many series have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Stamp {
    target: Micros,
    issued: Micros,
    horizon: u32,
    segments: u32,
}

impl Stamp {
    fn key(&self) -> (Micros, Micros) {
        (self.target, self.issued)
    }
}

/// A forecast, as there may be millions of: 28 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[repr(C, packed(4))]
struct Packed {
    y_hat: f64,
    bounds: (f64, f64),
    stamp: u32,
}

/// The forecasts of a version of a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Forecasts {
    /// By series, each in the order of target times and issue times.
    lists: Lists<Packed>,
    stamps: Interned<Stamp>,
}

/// The same as it was saved, of which nothing is known yet.
#[derive(Deserialize)]
struct Saved {
    lists: Lists<Packed>,
    stamps: Interned<Stamp>,
}

impl TryFrom<Saved> for Forecasts {
    type Error = &'static str;

    fn try_from(saved: Saved) -> Result<Self, Self::Error> {
        let Saved { lists, stamps } = saved;
        let is_known = lists.items().all(|packed| (packed.stamp as usize) < stamps.end());
        if is_known { Ok(Self { lists, stamps }) } else { Err("forecasts whose times are not there") }
    }
}

impl Forecasts {
    /// Those of a series; none of one that is not known.
    pub fn of(&self, series: u32) -> OfSeries<'_> {
        OfSeries { list: self.lists.of(series as usize), stamps: &self.stamps }
    }

    /// Numbers of series lie below this one.
    pub fn end(&self) -> u32 {
        u32::try_from(self.lists.n_lists()).unwrap_or(u32::MAX)
    }

    /// All series that may have some, in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = (u32, OfSeries<'_>)> {
        (0..self.end()).map(|series| (series, self.of(series)))
    }

    /// Takes a forecast in.
    pub fn put(&mut self, series: u32, forecast: Forecast) -> Kept {
        let known = self.of(series);
        let place = known.first_not_before(forecast.key());
        if let Some(known) = known.at_place(place).filter(|known| known.key() == forecast.key()) {
            return if known.says_the_same(&forecast) { Kept::Duplicate } else { Kept::Conflict };
        }
        let packed = self.pack(forecast);
        self.lists.insert(series as usize, place, packed);
        Kept::New
    }

    fn pack(&mut self, forecast: Forecast) -> Packed {
        let Forecast { target, issued, y_hat, bounds, horizon, segments } = forecast;
        Packed { y_hat, bounds, stamp: self.stamps.number(Stamp { target, issued, horizon, segments }) }
    }

    /// Forgets target times before `time`.
    pub fn forget_before(&mut self, time: Micros) {
        let stamps = &self.stamps;
        self.lists.forget(|list| OfSeries { list, stamps }.first_not_before((time, Micros::MIN)));
        self.stamps.retain(|_, stamp| stamp.target >= time);
    }
}

/// The forecasts for one series, by target time and issue time.
#[derive(Debug, Clone, Copy)]
pub struct OfSeries<'a> {
    list: &'a [Packed],
    stamps: &'a Interned<Stamp>,
}

impl<'a> OfSeries<'a> {
    /// Those for a target time, in the order of issue.
    pub fn at(self, target: Micros) -> impl Iterator<Item = Forecast> + 'a {
        self.from(self.first_not_before((target, Micros::MIN))).take_while(move |known| known.target == target)
    }

    /// How many there are for a target time.
    pub fn count_at(self, target: Micros) -> usize {
        self.range_at(target).len()
    }

    /// The places of those for a target time.
    pub fn range_at(self, target: Micros) -> std::ops::Range<usize> {
        let start = self.first_not_before((target, Micros::MIN));
        let end = (start..self.list.len()).find(|&place| self.stamp(place).target != target);
        start..end.unwrap_or(self.list.len())
    }

    /// The one at a place of [`Self::range_at`].
    pub fn at_place(self, place: usize) -> Option<Forecast> {
        (place < self.list.len()).then(|| self.forecast(place))
    }

    /// Those whose last actual at the origin is that of a time in `[from, until)`.
    pub fn issued_within(self, from: Micros, until: Option<Micros>) -> impl Iterator<Item = Forecast> + 'a {
        let place = self.first_not_before((from.saturating_add(1), Micros::MIN));
        let within = move |known: &Forecast| known.origin() >= from && until.is_none_or(|until| known.origin() < until);
        self.from(place).filter(within)
    }

    /// All of them.
    pub fn all(self) -> impl Iterator<Item = Forecast> + 'a {
        self.from(0)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.list.is_empty()
    }

    fn from(self, place: usize) -> impl Iterator<Item = Forecast> + 'a {
        (place..self.list.len()).map(move |place| self.forecast(place))
    }

    fn first_not_before(self, key: (Micros, Micros)) -> usize {
        first_not(self.list.len(), |place| self.stamp(place).key() < key)
    }

    fn stamp(self, place: usize) -> Stamp {
        self.stamps.value(self.list[place].stamp)
    }

    fn forecast(self, place: usize) -> Forecast {
        let Packed { y_hat, bounds, .. } = self.list[place];
        let Stamp { target, issued, horizon, segments } = self.stamp(place);
        Forecast { target, issued, y_hat, bounds, horizon, segments }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forecasts_of_one_target_stay_apart_by_issue_time() {
        let mut forecasts = Forecasts::default();
        let one = Forecast::new(10, 1, 9, 5.0, None);
        assert_eq!(forecasts.put(3, one), Kept::New);
        assert_eq!(forecasts.put(3, Forecast::new(10, 4, 6, 6.0, Some((1.0, 2.0)))), Kept::New);
        assert_eq!(forecasts.put(3, one), Kept::Duplicate);
        assert_eq!(forecasts.put(3, Forecast { y_hat: 7.0, ..one }), Kept::Conflict);
        let own = forecasts.of(3);
        assert_eq!(own.at(10).map(|forecast| forecast.y_hat).collect::<Vec<_>>(), [5.0, 6.0]);
        assert_eq!((own.count_at(10), own.count_at(9), own.issued_within(2, Some(5)).count()), (2, 0, 1));
        assert!(forecasts.of(2).is_empty() && forecasts.of(4).is_empty());
        forecasts.forget_before(11);
        assert!(forecasts.of(3).is_empty());
    }

    #[test]
    fn a_plain_list_of_forecasts_says_the_same() {
        let (mut forecasts, mut plain, mut bits) = (Forecasts::default(), Vec::<Forecast>::new(), 3_u64);
        let mut next = |most: u64| {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Micros::try_from((bits >> 33) % most).unwrap()
        };
        for round in 0..3000 {
            let target = next(40) + round / 50;
            let forecast = Forecast::new(target, target - 1 - next(4), 1, next(9) as f64, Some((0.0, 1.0)));
            let known = plain.iter().position(|known| known.key() == forecast.key());
            let expected = match known {
                None => Kept::New,
                Some(place) if plain[place] == forecast => Kept::Duplicate,
                Some(_) => Kept::Conflict,
            };
            assert_eq!(forecasts.put(0, forecast), expected);
            if known.is_none() {
                plain.push(forecast);
                plain.sort_by_key(Forecast::key);
            }
            if round % 100 == 99 {
                plain.retain(|known| known.target >= round / 50);
                forecasts.forget_before(round / 50);
            }
            let (time, own) = (next(120) - 5, forecasts.of(0));
            assert_eq!(own.all().collect::<Vec<_>>(), plain);
            let at: Vec<Forecast> = plain.iter().copied().filter(|known| known.target == time).collect();
            assert_eq!((own.at(time).collect::<Vec<_>>(), own.count_at(time)), (at.clone(), at.len()));
            let within = |known: &&Forecast| known.target > time && (time..time + 9).contains(&known.origin());
            let within: Vec<Forecast> = plain.iter().filter(within).copied().collect();
            assert_eq!(own.issued_within(time, Some(time + 9)).collect::<Vec<_>>(), within);
        }
    }
}
