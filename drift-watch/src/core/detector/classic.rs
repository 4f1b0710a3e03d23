//! The classic change detectors behind one type, and the text that configures them.
//!
//! They are for those who know them. None of them promises a false-alarm rate: see the module of each.
//!
//! | text, with its defaults | on | module |
//! | --- | --- | --- |
//! | `adwin(delta=0.002,clock=32,min-window=5,grace=10)` | any values | [`adwin`] |
//! | `page-hinkley(delta=0.005,threshold=50,alpha=0.9999,min=30,mode=both)` | any values | [`page_hinkley`] |
//! | `cusum(k=0.5,h=5)` | standardised values | [`cusum`] |
//! | `ddm(warning=2,drift=3,min=30)` | hits (0) and misses (1) | [`ddm`] |

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::{Error, Result, suggest};

use super::adwin::{self, Adwin};
use super::cusum::{self, Cusum};
use super::ddm::{self, Ddm};
use super::page_hinkley::{self, PageHinkley};
use super::spec::Spec;

/// What a detector says of the value that it has just taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Nothing.
    #[default]
    None,
    /// A change may be under way; DDM alone says so.
    Warning,
    /// A change: the detector starts afresh with the next value.
    Drift,
}

/// Values beyond this size are refused: their squares would drown or overflow every sum.
const LARGEST: f64 = 1e140;

/// Whether a value can go into a sum of squares.
#[inline]
pub(super) fn is_usable(x: f64) -> bool {
    x.abs() <= LARGEST
}

/// A classic detector with its state.
///
/// ```
/// use drift_watch::core::detector::classic::{Classic, Signal};
///
/// let mut detector: Classic = "cusum(h=4)".parse()?;
/// assert_eq!(detector.to_string(), "cusum(k=0.5,h=4)");
/// assert_eq!(detector.update(1.0), Signal::None);
/// assert_eq!(detector.update(4.5), Signal::Drift);
/// # Ok::<(), shared::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Classic {
    /// [`adwin`].
    Adwin(Adwin),
    /// [`page_hinkley`].
    PageHinkley(PageHinkley),
    /// [`cusum`].
    Cusum(Cusum),
    /// [`ddm`].
    Ddm(Ddm),
}

/// The names that a specification can begin with.
pub const NAMES: [&str; 4] = ["adwin", "page-hinkley", "cusum", "ddm"];

impl Classic {
    /// Takes the next value.
    #[inline]
    pub fn update(&mut self, x: f64) -> Signal {
        match self {
            Self::Adwin(detector) => detector.update(x),
            Self::PageHinkley(detector) => detector.update(x),
            Self::Cusum(detector) => detector.update(x),
            Self::Ddm(detector) => detector.update(x),
        }
    }

    /// Values that could not be used and left the state as it was.
    pub fn ignored(&self) -> u64 {
        match self {
            Self::Adwin(detector) => detector.ignored(),
            Self::PageHinkley(detector) => detector.ignored(),
            Self::Cusum(detector) => detector.ignored(),
            Self::Ddm(detector) => detector.ignored(),
        }
    }

    /// What can be said of its false alarms, in a sentence for people.
    pub fn control(&self) -> &'static str {
        match self {
            Self::Adwin(_) => "ADWIN promises no false-alarm rate; its delta is a rule of thumb",
            Self::PageHinkley(_) => {
                "Page-Hinkley promises no false-alarm rate; its threshold is in the unit of the values"
            }
            Self::Cusum(_) => {
                "the false-alarm rate of CUSUM is measured, not promised: at k=0.5, h=5 one in about 465 independent \
                 normal values, far more often where values are autocorrelated"
            }
            Self::Ddm(_) => "DDM promises no false-alarm rate",
        }
    }
}

impl FromStr for Classic {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut spec = Spec::parse(text)?;
        let detector = match spec.name.as_str() {
            "adwin" => Self::Adwin(Adwin::new(adwin::Settings::read(&mut spec)?)?),
            "page-hinkley" => Self::PageHinkley(PageHinkley::new(page_hinkley::Settings::read(&mut spec)?)?),
            "cusum" => Self::Cusum(Cusum::new(cusum::Settings::read(&mut spec)?)?),
            "ddm" => Self::Ddm(Ddm::new(ddm::Settings::read(&mut spec)?)?),
            unknown => return Err(unknown_name(unknown)),
        };
        spec.finish()?;
        Ok(detector)
    }
}

fn unknown_name(name: &str) -> Error {
    let error = Error::usage(format!("detector {name:?}"), NAMES.join(", "));
    match suggest::nearest(name, NAMES) {
        Some(near) => error.with_help(format!("did you mean {near:?}?")),
        None => error,
    }
}

impl fmt::Display for Classic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Adwin(detector) => detector.settings().fmt(f),
            Self::PageHinkley(detector) => detector.settings().fmt(f),
            Self::Cusum(detector) => detector.settings().fmt(f),
            Self::Ddm(detector) => detector.settings().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_with_their_defaults() {
        for (text, full) in [
            ("adwin", "adwin(delta=0.002,clock=32,min-window=5,grace=10)"),
            ("adwin(delta=1e-5)", "adwin(delta=0.00001,clock=32,min-window=5,grace=10)"),
            (
                "page-hinkley(delta=0.005,threshold=50,alpha=0.9999,mode=both)",
                "page-hinkley(delta=0.005,threshold=50,alpha=0.9999,min=30,mode=both)",
            ),
            ("Page_Hinkley(mode=UP)", "page-hinkley(delta=0.005,threshold=50,alpha=0.9999,min=30,mode=up)"),
            ("cusum(k=0.5,h=5)", "cusum(k=0.5,h=5)"),
            ("ddm(warning=2,drift=3,min=30)", "ddm(warning=2,drift=3,min=30)"),
        ] {
            let detector: Classic = text.parse().unwrap();
            assert_eq!(detector.to_string(), full);
            assert_eq!(full.parse::<Classic>().unwrap(), detector);
        }
    }

    #[test]
    fn wrong_texts_say_what_was_expected() {
        for (text, found, help) in [
            ("adwim", "detector \"adwim\" (expected adwin, page-hinkley, cusum, ddm)", Some("did you mean \"adwin\"?")),
            ("kswin()", "detector \"kswin\"", None),
            ("adwin(delta=2)", "delta of adwin is 2 (expected a number above 0 and below 1)", None),
            ("adwin(delta=nan)", "delta of adwin is NaN", None),
            ("adwin(clock=x)", "clock is \"x\" (expected a whole number from 1)", None),
            ("ddm(warning=4)", "drift of ddm is 3 (expected a number from that of warning)", None),
            ("cusum(k=0.5,H0=5)", "no setting \"h0\" (expected k, h)", Some("did you mean \"h\"?")),
            ("page-hinkley(mode=sideways)", "mode is \"sideways\" (expected up, down or both)", None),
        ] {
            let error = text.parse::<Classic>().unwrap_err();
            assert!(error.to_string().contains(found), "{error}");
            assert_eq!(error.help(), help, "{text}");
        }
    }

    /// Stopped after any value and started again from its state, each detector says the same.
    #[test]
    fn state_survives_a_restart() {
        for text in ["adwin", "page-hinkley(threshold=3)", "cusum", "ddm(min=5)"] {
            let mut whole: Classic = text.parse().unwrap();
            let mut interrupted = whole.clone();
            let mut drifts = 0;
            for row in 0..3000_u32 {
                let x = f64::from(u8::from(row * 7919 % 10 < if row / 500 % 2 == 0 { 1 } else { 8 }));
                let bytes = postcard::to_allocvec(&interrupted).unwrap();
                interrupted = postcard::from_bytes(&bytes).unwrap();
                if row % 50 == 0 {
                    let json = serde_json::to_string(&interrupted).unwrap();
                    interrupted = serde_json::from_str(&json).unwrap();
                }
                let signal = whole.update(x);
                assert_eq!(interrupted.update(x), signal, "{text} at {row}");
                drifts += u32::from(signal == Signal::Drift);
            }
            assert_eq!(interrupted, whole);
            assert!(drifts > 1, "{text} is restarted across drifts, too");
        }
    }
}
