//! Windows of time and steps, as flags and evidence write them; and whether one ends before the other begins.

use jiff::civil::{Date, DateTime};
use shared::format::manifest::{Horizon, Window};
use shared::{Error, Result};

/// Reads `2010-02-05..2012-08-03`.
pub(super) fn window(text: &str) -> Result<Window> {
    let usage = || {
        Error::usage(format!("--train-window {text:?}"), "FROM..TO with ISO 8601 dates or times, FROM not after TO")
            .with_help("for example --train-window 2010-02-05..2012-08-03")
    };
    let (from, to) = text.split_once("..").ok_or_else(usage)?;
    match (time(from), time(to)) {
        (Some(first), Some(last)) if first <= last => Ok(Window { from: from.to_owned(), to: to.to_owned() }),
        _ => Err(usage()),
    }
}

/// Reads `6` or `1..6`.
pub(super) fn horizon(text: &str) -> Result<Horizon> {
    let (from, to) = text.split_once("..").unwrap_or(("1", text));
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) if 1 <= from && from <= to => Ok(Horizon { from, to }),
        _ => Err(Error::usage(format!("--horizon {text:?}"), "a number of steps, or FROM..TO from 1 on")),
    }
}

/// The time that a text states, to compare it with others: a date is its midnight, an offset is left aside.
pub(crate) fn time(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let date = || text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0));
    let zoned = || text.parse::<jiff::Timestamp>().ok().map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).datetime());
    zoned().or_else(|| text.parse::<DateTime>().ok()).or_else(date)
}

/// When the evidence begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TestStart {
    /// The first time that was forecast: the training must end before it.
    Target(String),
    /// The first cutoff: the training must not end after it.
    Cutoff(String),
}

/// Why a model that was trained on `training` is not tested by evidence that begins there, if so.
pub(super) fn overlap(training: &Window, start: &TestStart, evidence: &str) -> Option<String> {
    let trained = time(&training.to)?;
    let (text, is_apart) = match start {
        TestStart::Target(text) => (text, trained < time(text)?),
        TestStart::Cutoff(text) => (text, trained <= time(text)?),
    };
    let what = match start {
        TestStart::Target(_) => "test window begins",
        TestStart::Cutoff(_) => "first cutoff is",
    };
    (!is_apart).then(|| {
        format!(
            "the training window ends {}, and the {what} {text} in the {evidence}: the model has seen its test",
            training.to
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_run_forward() {
        assert_eq!(window("2010-02-05..2012-08-03").unwrap().to, "2012-08-03");
        for text in ["2012-08-03..2010-02-05", "2010-02-05", "2010-02-30..2012-01-01", "a..b", ".."] {
            assert!(window(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_horizon_begins_at_one() {
        assert_eq!(horizon("6").unwrap(), Horizon { from: 1, to: 6 });
        assert_eq!(horizon("2..4").unwrap(), Horizon { from: 2, to: 4 });
        for text in ["0", "3..2", "0..4", "x", ""] {
            assert!(horizon(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn training_ends_before_the_test_begins() {
        let training = window("2010-02-05..2012-08-03").unwrap();
        let target = |text: &str| overlap(&training, &TestStart::Target(text.into()), "verdict").is_some();
        let cutoff = |text: &str| overlap(&training, &TestStart::Cutoff(text.into()), "verdict").is_some();
        assert!(!target("2012-08-10") && target("2012-08-03") && target("2012-08-01T00:00:00"));
        assert!(!cutoff("2012-08-03") && cutoff("2012-08-02 00:00:00"));
    }
}
