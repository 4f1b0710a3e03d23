//! ADWIN: a window over the newest values that grows while their mean holds and drops its old part when it does not.
//!
//! Estimates the mean since the last change. At every `clock`-th value each cut of the window into an old part of n0 and a new
//! part of n1 values is looked at; while the means of some cut differ by more than
//!
//! ```text
//! ε = √(2 σ² L / m) + 2 L / (3 m),    L = ln(2 ln(n) / δ),    1/m = 1/(n0 - w + 1) + 1/(n1 - w + 1)
//! ```
//!
//! the oldest bucket goes, and the value signals drift. n is the width of the window, σ² its variance, w the `min_window`.
//!
//! Source: Bifet and Gavaldà (2007), section 3, the bound that uses the variance of the window, with buckets by the
//! exponential histogram of Datar et al. (2002) and variances by Babcock et al. (2003). `n0 - w + 1` in place of n0, the clock
//! and the forgetting of the whole window at the first value after a drift are those of River 0.26.1, so that positions agree.
//!
//! Control: **none that we promise**. The paper bounds the chance of a false cut for independent values in [0, 1] with
//! δ' = δ/n; with ln(n) in its place, and for values of any range, the bound is a rule of thumb. Autocorrelated or seasonal
//! values break it.
//!
//! A value that is not finite, or beyond 1e140 in size, leaves the state as it is and is counted by [`Adwin::ignored`].

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use shared::Result;

use super::classic::{Signal, is_usable};
use super::spec::{Spec, require};

/// Buckets of one size that are kept before the two oldest merge.
const MAX_BUCKETS: usize = 5;
/// One more fits, until they merge.
const SLOTS: usize = MAX_BUCKETS + 1;
/// A window cannot reach 2^64 values.
const MAX_ROWS: usize = 64;

/// Settings of ADWIN.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// δ, the confidence of a cut: lower is more cautious.
    pub delta: f64,
    /// Values between two looks at the cuts.
    pub clock: u32,
    /// Fewest values in either part of a cut.
    pub min_window: u32,
    /// Values before the first look.
    pub grace: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { delta: 0.002, clock: 32, min_window: 5, grace: 10 }
    }
}

impl Settings {
    pub(super) fn read(spec: &mut Spec) -> Result<Self> {
        let default = Self::default();
        Ok(Self {
            delta: spec.take("delta", default.delta, "a number above 0 and below 1")?,
            clock: spec.take("clock", default.clock, "a whole number from 1")?,
            min_window: spec.take("min-window", default.min_window, "a whole number from 1")?,
            grace: spec.take("grace", default.grace, "a whole number")?,
        })
    }
}

impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { delta, clock, min_window, grace } = self;
        write!(f, "adwin(delta={delta},clock={clock},min-window={min_window},grace={grace})")
    }
}

/// The detector.
///
/// ```
/// use drift_watch::core::detector::{adwin::{Adwin, Settings}, classic::Signal};
///
/// let mut adwin = Adwin::new(Settings::default())?;
/// let drift = (0..2000).position(|row| adwin.update(f64::from(u8::from(row >= 1000))) == Signal::Drift);
/// assert_eq!(drift, Some(1023)); // as River 0.26.1 says
/// assert!(adwin.mean() > 0.3, "most of the old zeros are gone: {}", adwin.mean());
/// # Ok::<(), shared::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adwin {
    settings: Settings,
    /// Row i holds buckets of 2^i values each.
    #[serde(deserialize_with = "read_rows")]
    rows: Vec<Row>,
    width: f64,
    total: f64,
    squares: f64,
    /// Values until the next look.
    countdown: u32,
    drifted: bool,
    ignored: u64,
}

/// Buckets of one size, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Row {
    len: usize,
    totals: [f64; SLOTS],
    /// Sums of squared deviations from the mean of each bucket.
    squares: [f64; SLOTS],
}

impl Row {
    fn push(&mut self, total: f64, squares: f64) {
        if let (Some(slot), Some(other)) = (self.totals.get_mut(self.len), self.squares.get_mut(self.len)) {
            (*slot, *other) = (total, squares);
            self.len += 1;
        }
    }

    fn drop_oldest<const COUNT: usize>(&mut self) {
        self.totals.copy_within(COUNT.., 0);
        self.squares.copy_within(COUNT.., 0);
        self.len = self.len.saturating_sub(COUNT);
    }
}

impl Adwin {
    /// An empty window.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn new(settings: Settings) -> Result<Self> {
        let Settings { delta, clock, min_window, .. } = settings;
        require(delta > 0.0 && delta < 1.0, "delta of adwin", delta, "a number above 0 and below 1")?;
        require(clock >= 1, "clock of adwin", clock, "a whole number from 1")?;
        require(min_window >= 1, "min-window of adwin", min_window, "a whole number from 1")?;
        Ok(Self {
            settings,
            rows: Vec::new(),
            width: 0.0,
            total: 0.0,
            squares: 0.0,
            countdown: clock,
            drifted: false,
            ignored: 0,
        })
    }

    /// Takes the next value.
    #[inline]
    pub fn update(&mut self, x: f64) -> Signal {
        if !is_usable(x) {
            self.ignored += 1;
            return Signal::None;
        }
        if self.drifted {
            self.restart();
        }
        self.insert(x);
        self.countdown = self.countdown.saturating_sub(1);
        if self.countdown == 0 {
            self.countdown = self.settings.clock;
            self.drifted = self.shrink();
        }
        if self.drifted { Signal::Drift } else { Signal::None }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Values in the window.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Mean of the window (River: `estimation`); 0 while it is empty.
    pub fn mean(&self) -> f64 {
        if self.width > 0.0 { self.total / self.width } else { 0.0 }
    }

    /// Sum of squared deviations from the mean of the window (River calls it `variance`); divide by the width for a variance.
    pub fn squares(&self) -> f64 {
        self.squares
    }

    /// Values that were left out since they were not finite or too large.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    #[cold]
    fn restart(&mut self) {
        self.rows.clear();
        (self.width, self.total, self.squares) = (0.0, 0.0, 0.0);
        self.countdown = self.settings.clock;
        self.drifted = false;
    }

    /// Rounds as River does: the deviation from the mean before the value, weighted by (n-1)/n.
    #[inline]
    fn insert(&mut self, x: f64) {
        let before = self.width;
        self.width += 1.0;
        if before > 0.0 {
            let deviation = x - self.total / before;
            self.squares += before * deviation * deviation / self.width;
        }
        self.total += x;
        self.push(x);
    }

    #[inline]
    fn push(&mut self, x: f64) {
        if self.rows.is_empty() {
            self.rows.push(Row::default());
        }
        if let Some(first) = self.rows.first_mut() {
            first.push(x, 0.0);
            if first.len == SLOTS {
                self.merge();
            }
        }
    }

    /// Merges the two oldest buckets of each full row into one of the next.
    fn merge(&mut self) {
        let (mut power, mut size) = (0, 1.0);
        while self.rows.get(power).is_some_and(|row| row.len == SLOTS) {
            if self.rows.len() == power + 1 {
                self.rows.push(Row::default());
            }
            let Some([row, next]) = self.rows.get_mut(power..power + 2) else { return };
            let gap = row.totals[0] / size - row.totals[1] / size;
            next.push(row.totals[0] + row.totals[1], row.squares[0] + row.squares[1] + size * 0.5 * gap * gap);
            row.drop_oldest::<2>();
            power += 1;
            size *= 2.0;
        }
    }

    /// Drops old buckets while some cut shows two means; says whether there was one.
    fn shrink(&mut self) -> bool {
        let mut dropped = false;
        if self.width > f64::from(self.settings.grace) {
            while self.has_cut() {
                self.drop_oldest();
                dropped = true;
            }
        }
        dropped
    }

    /// Whether the two parts of any cut differ too much. Which cut it is does not matter: the oldest bucket goes.
    fn has_cut(&self) -> bool {
        let bound = Bound::new(self);
        let (mut old_count, mut new_count, mut old_sum, mut new_sum) = (0.0, self.width, 0.0, self.total);
        let mut size = bucket_size(self.rows.len().saturating_sub(1));
        for row in self.rows.iter().rev() {
            for total in row.totals.iter().take(row.len) {
                old_count += size;
                new_count -= size;
                old_sum += total;
                new_sum -= total;
                if new_count < bound.min_window {
                    return false;
                }
                if old_count >= bound.min_window
                    && bound.is_exceeded(old_count, new_count, old_sum / old_count - new_sum / new_count)
                {
                    return true;
                }
            }
            size *= 0.5;
        }
        false
    }

    fn drop_oldest(&mut self) {
        let size = bucket_size(self.rows.len().saturating_sub(1));
        let Some(row) = self.rows.last_mut() else { return };
        let (total, squares) = (row.totals[0], row.squares[0]);
        row.drop_oldest::<1>();
        if row.len == 0 {
            self.rows.pop();
        }
        self.width -= size;
        self.total -= total;
        let gap = total / size - self.total / self.width;
        self.squares -= squares + size * self.width * gap * gap / (size + self.width);
    }
}

fn bucket_size(power: usize) -> f64 {
    (1_u64 << power) as f64
}

/// What the bounds of all cuts of one window have in common.
struct Bound {
    min_window: f64,
    variance: f64,
    log: f64,
    linear: f64,
}

impl Bound {
    fn new(window: &Adwin) -> Self {
        let log = (2.0 * window.width.ln() / window.settings.delta).ln();
        Self {
            min_window: f64::from(window.settings.min_window),
            variance: window.squares / window.width,
            log,
            linear: 2.0 / 3.0 * log,
        }
    }

    /// The square root is not drawn where the second term alone is out of reach: the sum rounds to no less than it.
    #[inline]
    fn is_exceeded(&self, old_count: f64, new_count: f64, gap: f64) -> bool {
        let reciprocal = 1.0 / (old_count - self.min_window + 1.0) + 1.0 / (new_count - self.min_window + 1.0);
        let linear = self.linear * reciprocal;
        gap.abs() > linear && gap.abs() > (2.0 * reciprocal * self.variance * self.log).sqrt() + linear
    }
}

/// Refuses rows that no run can have left behind, so that a damaged state is told and not walked into.
fn read_rows<'de, D: Deserializer<'de>>(input: D) -> std::result::Result<Vec<Row>, D::Error> {
    let rows = Vec::<Row>::deserialize(input)?;
    let possible = rows.len() <= MAX_ROWS && rows.iter().all(|row| (1..=MAX_BUCKETS).contains(&row.len));
    possible.then_some(rows).ok_or_else(|| D::Error::custom("ADWIN window with an impossible number of buckets"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row by row what 2,000 values leave behind, by the definition of the histogram and not by our sums.
    #[test]
    fn the_window_keeps_sums_of_what_it_covers() {
        let mut adwin = Adwin::new(Settings { clock: 1_000_000, ..Settings::default() }).unwrap();
        let values: Vec<f64> = (0..2000).map(|row| f64::from(row * 7919 % 1000)).collect();
        values.iter().for_each(|&value| _ = adwin.update(value));
        let mut at = 0;
        for (power, row) in adwin.rows.iter().enumerate().rev() {
            for slot in 0..row.len {
                let part = &values[at..at + (1 << power)];
                let mean = part.iter().sum::<f64>() / part.len() as f64;
                let squares: f64 = part.iter().map(|value| (value - mean).powi(2)).sum();
                assert_eq!(row.totals[slot], part.iter().sum::<f64>());
                assert!((row.squares[slot] - squares).abs() <= 1e-9 * squares.max(1.0));
                at += part.len();
            }
        }
        assert_eq!((at, adwin.width()), (2000, 2000.0));
        let mean = values.iter().sum::<f64>() / 2000.0;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        assert!((adwin.squares() / squares - 1.0).abs() < 1e-12 && (adwin.mean() / mean - 1.0).abs() < 1e-12);
    }

    #[test]
    fn dropping_the_oldest_takes_its_squares_out() {
        let mut adwin = Adwin::new(Settings { clock: 1_000_000, ..Settings::default() }).unwrap();
        let values: Vec<f64> = (0..100).map(|row| f64::from(row * row % 37)).collect();
        values.iter().for_each(|&value| _ = adwin.update(value));
        let size = 1 << (adwin.rows.len() - 1);
        adwin.drop_oldest();
        let left = &values[size..];
        let mean = left.iter().sum::<f64>() / left.len() as f64;
        let squares: f64 = left.iter().map(|value| (value - mean).powi(2)).sum();
        assert_eq!(adwin.width(), left.len() as f64);
        assert!(size > 1 && (adwin.squares() / squares - 1.0).abs() < 1e-12);
    }

    #[test]
    fn unusable_values_change_nothing_but_their_count() {
        let mut adwin = Adwin::new(Settings::default()).unwrap();
        (0..50).for_each(|row| _ = adwin.update(f64::from(row % 3)));
        let before = adwin.clone();
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200] {
            assert_eq!(adwin.update(x), Signal::None);
        }
        assert_eq!(adwin.ignored(), 4);
        assert_eq!(Adwin { ignored: 0, ..adwin }, before);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for settings in [
            Settings { delta: 0.0, ..Settings::default() },
            Settings { delta: f64::NAN, ..Settings::default() },
            Settings { clock: 0, ..Settings::default() },
            Settings { min_window: 0, ..Settings::default() },
        ] {
            assert!(Adwin::new(settings).is_err(), "{settings}");
        }
    }

    #[test]
    fn a_damaged_state_is_refused() {
        let mut adwin = Adwin::new(Settings::default()).unwrap();
        (0..20).for_each(|row| _ = adwin.update(f64::from(row)));
        adwin.rows[0].len = 7;
        let error = serde_json::from_str::<Adwin>(&serde_json::to_string(&adwin).unwrap()).unwrap_err();
        assert!(error.to_string().contains("impossible number of buckets"), "{error}");
    }
}
