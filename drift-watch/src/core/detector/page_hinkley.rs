//! Page-Hinkley: how far the sum of deviations from the running mean has come away from its extreme.
//!
//! Looks for a change of the mean. With x̄ₜ the mean of the values since the last drift, the new one included,
//!
//! ```text
//! Uₜ = α Uₜ₋₁ + (xₜ - x̄ₜ) - δ,   rise: Uₜ - min U > λ        Dₜ = α Dₜ₋₁ + (xₜ - x̄ₜ) + δ,   fall: max(-1, D) - Dₜ > λ
//! ```
//!
//! δ is half the change that one would tolerate and λ the threshold, both in the unit of the values; α makes old deviations
//! fade. No drift is told before `min` values.
//!
//! Source: Page (1954), section 2; Hinkley (1971); the fading as in Sebastião and Fernandes (2017). The order of the steps, the
//! -1 from which the maximum starts and the fresh start at the first value after a drift are those of River 0.26.1, so that
//! positions agree.
//!
//! Control: **none**. λ is in the unit of the values: the default 50 means nothing before the values are scaled, and seasonal
//! or autocorrelated values set it off.
//!
//! A value that is not finite, or beyond 1e140 in size, leaves the state as it is and is counted by [`PageHinkley::ignored`].

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::{Error, Result};

use super::classic::{Signal, is_usable};
use super::spec::{Spec, require};

/// Which changes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Rises.
    Up,
    /// Falls.
    Down,
    /// Either.
    #[default]
    Both,
}

const MODES: [(Mode, &str); 3] = [(Mode::Up, "up"), (Mode::Down, "down"), (Mode::Both, "both")];

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = MODES.into_iter().find(|(_, name)| text.eq_ignore_ascii_case(name));
        found.map(|(mode, _)| mode).ok_or_else(|| Error::usage(format!("mode {text:?}"), "up, down or both"))
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let found = MODES.into_iter().find(|(mode, _)| mode == self);
        f.write_str(found.map_or("both", |(_, name)| name))
    }
}

/// Settings of Page-Hinkley.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// δ, what each deviation is forgiven.
    pub delta: f64,
    /// λ, the threshold.
    pub threshold: f64,
    /// α, how much of a sum the next step keeps; 1 forgets nothing.
    pub alpha: f64,
    /// Values before a drift can be told.
    pub min: u32,
    /// Which changes are told.
    pub mode: Mode,
}

impl Default for Settings {
    fn default() -> Self {
        Self { delta: 0.005, threshold: 50.0, alpha: 0.9999, min: 30, mode: Mode::Both }
    }
}

impl Settings {
    pub(super) fn read(spec: &mut Spec) -> Result<Self> {
        let default = Self::default();
        Ok(Self {
            delta: spec.take("delta", default.delta, "a number from 0")?,
            threshold: spec.take("threshold", default.threshold, "a number above 0")?,
            alpha: spec.take("alpha", default.alpha, "a number above 0 and up to 1")?,
            min: spec.take("min", default.min, "a whole number")?,
            mode: spec.take("mode", default.mode, "up, down or both")?,
        })
    }
}

impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { delta, threshold, alpha, min, mode } = self;
        write!(f, "page-hinkley(delta={delta},threshold={threshold},alpha={alpha},min={min},mode={mode})")
    }
}

/// The detector.
///
/// ```
/// use drift_watch::core::detector::{classic::Signal, page_hinkley::{PageHinkley, Settings}};
///
/// let mut detector = PageHinkley::new(Settings { threshold: 5.0, ..Settings::default() })?;
/// let drift = (0..2000).position(|row| detector.update(f64::from(u8::from(row >= 1000))) == Signal::Drift);
/// assert_eq!(drift, Some(1005)); // as River 0.26.1 says
/// # Ok::<(), shared::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageHinkley {
    settings: Settings,
    seen: u64,
    mean: f64,
    rise: f64,
    lowest_rise: f64,
    fall: f64,
    highest_fall: f64,
    drifted: bool,
    ignored: u64,
}

/// Where the maximum of the falling sum starts; River's choice.
const HIGHEST_FALL_AT_START: f64 = -1.0;

impl PageHinkley {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn new(settings: Settings) -> Result<Self> {
        let Settings { delta, threshold, alpha, .. } = settings;
        require(delta >= 0.0 && delta.is_finite(), "delta of page-hinkley", delta, "a number from 0")?;
        require(threshold > 0.0 && threshold.is_finite(), "threshold of page-hinkley", threshold, "a number above 0")?;
        require(alpha > 0.0 && alpha <= 1.0, "alpha of page-hinkley", alpha, "a number above 0 and up to 1")?;
        Ok(Self::fresh(settings, 0))
    }

    fn fresh(settings: Settings, ignored: u64) -> Self {
        Self {
            settings,
            seen: 0,
            mean: 0.0,
            rise: 0.0,
            lowest_rise: 0.0,
            fall: 0.0,
            highest_fall: HIGHEST_FALL_AT_START,
            drifted: false,
            ignored,
        }
    }

    /// Takes the next value.
    #[inline]
    pub fn update(&mut self, x: f64) -> Signal {
        if !is_usable(x) {
            self.ignored += 1;
            return Signal::None;
        }
        if self.drifted {
            *self = Self::fresh(self.settings, self.ignored);
        }
        self.add(x);
        self.drifted = self.seen >= u64::from(self.settings.min) && self.is_beyond();
        if self.drifted { Signal::Drift } else { Signal::None }
    }

    #[inline]
    fn add(&mut self, x: f64) {
        self.seen += 1;
        // The reciprocal first: River's mean rounds so.
        self.mean += 1.0 / self.seen as f64 * (x - self.mean);
        let deviation = x - self.mean;
        self.rise = self.settings.alpha * self.rise + deviation - self.settings.delta;
        self.fall = self.settings.alpha * self.fall + deviation + self.settings.delta;
        if self.rise < self.lowest_rise || self.seen == 1 {
            self.lowest_rise = self.rise;
        }
        if self.fall > self.highest_fall {
            self.highest_fall = self.fall;
        }
    }

    #[inline]
    fn is_beyond(&self) -> bool {
        let risen = self.rise - self.lowest_rise > self.settings.threshold;
        let fallen = self.highest_fall - self.fall > self.settings.threshold;
        match self.settings.mode {
            Mode::Up => risen,
            Mode::Down => fallen,
            Mode::Both => risen | fallen,
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Mean of the values since the last drift; 0 before the first.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Values that were left out since they were not finite or too large.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(settings: Settings, values: impl Iterator<Item = f64>) -> Option<usize> {
        let mut detector = PageHinkley::new(settings).unwrap();
        values.map(|value| detector.update(value)).position(|signal| signal == Signal::Drift)
    }

    fn step(from: f64, to: f64) -> impl Iterator<Item = f64> {
        (0..400).map(move |row| if row < 200 { from } else { to })
    }

    /// By hand, with alpha 1 and delta 0: after 3 zeros, ones deviate by 3/4 and 3/5 from the running mean: 1.35 > 1.
    #[test]
    fn the_sum_of_deviations_is_the_one_on_paper() {
        let settings = Settings { delta: 0.0, threshold: 1.0, alpha: 1.0, min: 1, mode: Mode::Up };
        assert_eq!(position(settings, [0.0, 0.0, 0.0, 1.0, 1.0].into_iter()), Some(4));
        assert_eq!(position(Settings { threshold: 1.4, ..settings }, [0.0, 0.0, 0.0, 1.0, 1.0].into_iter()), None);
    }

    #[test]
    fn modes_see_their_own_side() {
        let settings = |mode| Settings { threshold: 5.0, mode, ..Settings::default() };
        assert!(position(settings(Mode::Up), step(0.0, 1.0)).is_some());
        assert!(position(settings(Mode::Down), step(0.0, 1.0)).is_none());
        assert!(position(settings(Mode::Down), step(1.0, 0.0)).is_some());
        assert!(position(settings(Mode::Up), step(1.0, 0.0)).is_none());
        assert!(position(settings(Mode::Both), step(1.0, 0.0)).is_some());
        assert!(position(settings(Mode::Both), step(0.0, 1.0)).is_some());
    }

    #[test]
    fn unusable_values_change_nothing_but_their_count() {
        let mut detector = PageHinkley::new(Settings::default()).unwrap();
        (0..50).for_each(|row| _ = detector.update(f64::from(row % 3)));
        let before = detector.clone();
        assert!([f64::NAN, f64::INFINITY, -1e300].into_iter().all(|x| detector.update(x) == Signal::None));
        assert_eq!(detector, PageHinkley { ignored: 3, ..before });
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for settings in [
            Settings { delta: -0.1, ..Settings::default() },
            Settings { threshold: f64::NAN, ..Settings::default() },
            Settings { alpha: 1.1, ..Settings::default() },
        ] {
            assert!(PageHinkley::new(settings).is_err(), "{settings}");
        }
    }
}
