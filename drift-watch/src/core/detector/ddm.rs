//! DDM: an error rate that has risen several standard deviations above its lowest point.
//!
//! Follows a stream of misses (1) and hits (0), such as wrong directions or actuals outside their interval. With p the share of
//! misses since the last drift and s its binomial standard deviation,
//!
//! ```text
//! s = √(p (1 - p) / n)      warning: p + s > p_min + 2 s_min      drift: p + s > p_min + 3 s_min
//! ```
//!
//! where `p_min` and `s_min` are those of the lowest p + s so far (the newest of equals), taken after `min` values.
//!
//! Source: Gama, Medas, Castillo and Rodrigues (2004), section 3. Strictly above in place of at or above, and the fresh start
//! at the first value after a drift, are those of River 0.26.1, so that positions agree.
//!
//! Control: **none**. The 95 % and 99 % of the paper speak of one look; a minimum over a growing stream makes both sums look
//! extreme. With `p_min` = 0 the first miss is a drift.
//!
//! Values between 0 and 1 count as parts of a miss. A value outside [0, 1], or one that is not a number, leaves the state as it
//! is and is counted by [`Ddm::ignored`].

use serde::{Deserialize, Serialize};
use shared::Result;

use super::classic::Signal;
use super::spec::{Spec, require};

/// Settings of DDM.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Standard deviations above the minimum that warn.
    pub warning: f64,
    /// Standard deviations above the minimum that are a drift.
    pub drift: f64,
    /// Values before anything is told.
    pub min: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { warning: 2.0, drift: 3.0, min: 30 }
    }
}

impl Settings {
    pub(super) fn read(spec: &mut Spec) -> Result<Self> {
        let default = Self::default();
        Ok(Self {
            warning: spec.take("warning", default.warning, "a number above 0")?,
            drift: spec.take("drift", default.drift, "a number from that of warning")?,
            min: spec.take("min", default.min, "a whole number")?,
        })
    }
}

impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ddm(warning={},drift={},min={})", self.warning, self.drift, self.min)
    }
}

/// The detector.
///
/// ```
/// use drift_watch::core::detector::{classic::Signal, ddm::{Ddm, Settings}};
///
/// let mut ddm = Ddm::new(Settings::default())?;
/// // One miss in ten, then five in ten.
/// let signals: Vec<Signal> = (0..400).map(|row| ddm.update(f64::from(u8::from(row % 10 < if row < 200 { 1 } else { 5 })))).collect();
/// // As River 0.26.1 says.
/// assert_eq!(signals.iter().position(|signal| *signal == Signal::Warning), Some(204));
/// assert_eq!(signals.iter().position(|signal| *signal == Signal::Drift), Some(221));
/// # Ok::<(), shared::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ddm {
    settings: Settings,
    seen: u64,
    rate: f64,
    lowest: Option<Lowest>,
    drifted: bool,
    ignored: u64,
}

/// The rate where rate plus standard deviation was lowest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Lowest {
    rate: f64,
    deviation: f64,
}

impl Ddm {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn new(settings: Settings) -> Result<Self> {
        let Settings { warning, drift, .. } = settings;
        require(warning > 0.0 && warning.is_finite(), "warning of ddm", warning, "a number above 0")?;
        require(drift >= warning && drift.is_finite(), "drift of ddm", drift, "a number from that of warning")?;
        Ok(Self { settings, seen: 0, rate: 0.0, lowest: None, drifted: false, ignored: 0 })
    }

    /// Takes the next value: 1 is a miss, 0 a hit.
    #[inline]
    pub fn update(&mut self, x: f64) -> Signal {
        if !(0.0..=1.0).contains(&x) {
            self.ignored += 1;
            return Signal::None;
        }
        if self.drifted {
            (self.seen, self.rate, self.lowest) = (0, 0.0, None);
        }
        self.seen += 1;
        // The reciprocal first: River's mean rounds so.
        self.rate += 1.0 / self.seen as f64 * (x - self.rate);
        let signal = if self.seen > u64::from(self.settings.min) { self.judge() } else { Signal::None };
        self.drifted = signal == Signal::Drift;
        signal
    }

    #[inline]
    fn judge(&mut self) -> Signal {
        let deviation = (self.rate * (1.0 - self.rate) / self.seen as f64).sqrt();
        let now = Lowest { rate: self.rate, deviation };
        let sum = |point: Lowest| point.rate + point.deviation;
        let lowest = self.lowest.filter(|&lowest| sum(now) > sum(lowest)).unwrap_or(now);
        self.lowest = Some(lowest);
        let is_above = |times: f64| sum(now) > lowest.rate + times * lowest.deviation;
        match () {
            () if is_above(self.settings.drift) => Signal::Drift,
            () if is_above(self.settings.warning) => Signal::Warning,
            () => Signal::None,
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Share of misses since the last drift.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Values that were left out since they were not in [0, 1].
    pub fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After 31 hits p = s = 0, so that the first miss is above any multiple of nothing.
    #[test]
    fn nothing_is_told_before_the_minimum_and_a_perfect_start_is_brittle() {
        let mut ddm = Ddm::new(Settings::default()).unwrap();
        assert!((0..30).all(|row| ddm.update(f64::from(row % 2)) == Signal::None));
        let mut ddm = Ddm::new(Settings::default()).unwrap();
        assert!((0..31).all(|_| ddm.update(0.0) == Signal::None));
        assert_eq!(ddm.update(1.0), Signal::Drift);
        assert_eq!((ddm.update(0.0), ddm.rate()), (Signal::None, 0.0));
    }

    #[test]
    fn what_is_no_share_of_a_miss_is_ignored() {
        let mut ddm = Ddm::new(Settings::default()).unwrap();
        (0..50).for_each(|row| _ = ddm.update(f64::from(u8::from(row % 5 == 0))));
        let before = ddm.clone();
        assert!([f64::NAN, -0.1, 2.0, f64::INFINITY].into_iter().all(|x| ddm.update(x) == Signal::None));
        assert_eq!(ddm, Ddm { ignored: 4, ..before });
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        for settings in [
            Settings { warning: 0.0, ..Settings::default() },
            Settings { warning: 4.0, ..Settings::default() },
            Settings { drift: f64::INFINITY, ..Settings::default() },
        ] {
            assert!(Ddm::new(settings).is_err(), "{settings}");
        }
    }
}
