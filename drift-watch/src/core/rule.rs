//! Rules that a team writes: a metric, a threshold, and the patience that keeps it from flapping.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};
use shared::metric::Metric;

/// What a threshold is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// The metric's own unit.
    Absolute,
    /// Multiples of the baseline's value.
    Baseline,
    /// Standard errors from the baseline's value.
    StandardErrors,
}

/// A rule.
///
/// `[NAME:] METRIC (>|<) VALUE[x|se] [h N] [in COLUMN=VALUE] [over N] [median] [min N] [for N] [clear VALUE] [keep N] [cooldown N]`, all counts in
/// steps: `slow: mape > 1.5x over 28 min 50 for 3 clear 1.2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name; its text where none is given.
    pub name: String,
    /// What is looked at.
    pub metric: Metric,
    /// Whether values above the threshold are bad; else those below it.
    pub above: bool,
    /// The threshold.
    pub value: f64,
    /// What it is measured in.
    pub unit: Unit,
    /// Only the bucket of this horizon; each by itself if absent.
    pub horizon: Option<u32>,
    /// Only this segment, as `column=value`.
    pub segment: Option<String>,
    /// Steps of the window.
    pub over: usize,
    /// The median over the steps of the window, which one bad day does not move; else the value over all its rows.
    pub median: bool,
    /// Rows that the window needs.
    pub min: u64,
    /// Steps in a row for which it must hold.
    pub hold: u32,
    /// The threshold of the all-clear.
    pub clear: f64,
    /// Quiet steps before an alert ends.
    pub keep: u32,
    /// Steps after its end in which it does not fire again.
    pub cooldown: u32,
}

impl Rule {
    /// Whether a value, held against its baseline, is beyond the threshold, or beyond that of the all-clear.
    pub fn is_beyond(
        &self,
        threshold: f64,
        value: f64,
        baseline: Option<f64>,
        standard_error: Option<f64>,
    ) -> Option<bool> {
        let limit = match self.unit {
            Unit::Absolute => threshold,
            Unit::Baseline => threshold * baseline?,
            Unit::StandardErrors => baseline? + (if self.above { threshold } else { -threshold }) * standard_error?,
        };
        Some(if self.above { value > limit } else { value < limit })
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |found: &str| {
            Error::usage(
                format!("rule {text:?}: {found}"),
                "METRIC > VALUE[x|se] and options, as in `mape > 1.5x over 28 min 50 for 3 clear 1.2`",
            )
        };
        let (name, body) = match text.split_once(':') {
            Some((name, body)) => (name.trim().to_owned(), body),
            None => (text.trim().to_owned(), text),
        };
        let spaced = body.replace('>', " > ").replace('<', " < ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let [metric, sign, value, options @ ..] = words.as_slice() else { return Err(wrong("it is too short")) };
        let metric: Metric = metric.parse()?;
        if metric == Metric::Rmsse {
            return Err(wrong("rmsse is not kept; mase is"));
        }
        let above = match *sign {
            ">" => true,
            "<" => false,
            other => return Err(wrong(&format!("{other:?} is no comparison"))),
        };
        let (value, unit) = threshold(value).ok_or_else(|| wrong(&format!("{value:?} is no threshold")))?;
        let mut rule = Self {
            name,
            metric,
            above,
            value,
            unit,
            horizon: None,
            segment: None,
            over: 28,
            median: false,
            min: 1,
            hold: 1,
            clear: value,
            keep: 1,
            cooldown: 0,
        };
        rule.take_options(options).map_err(|found| wrong(&found))?;
        Ok(rule)
    }
}

fn threshold(text: &str) -> Option<(f64, Unit)> {
    let (number, unit) = match text {
        text if text.ends_with("se") => (text.trim_end_matches("se"), Unit::StandardErrors),
        text if text.ends_with('x') => (text.trim_end_matches('x'), Unit::Baseline),
        text => (text, Unit::Absolute),
    };
    number.parse().ok().filter(|value: &f64| value.is_finite()).map(|value| (value, unit))
}

impl Rule {
    fn take_options(&mut self, mut words: &[&str]) -> Result<(), String> {
        while let [option, rest @ ..] = words {
            words = rest;
            if *option == "median" {
                self.median = true;
                continue;
            }
            let [value, rest @ ..] = words else { return Err(format!("{option:?} needs a value")) };
            words = rest;
            self.set(option, value)?;
        }
        Ok(())
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), String> {
        let count = || value.parse::<u32>().map_err(|_| format!("{option} {value:?} is no count"));
        match option {
            "h" => self.horizon = Some(count()?.max(1)),
            "in" => self.segment = Some(value.to_owned()),
            "over" => self.over = (count()? as usize).max(1),
            "min" => self.min = count()?.into(),
            "for" => self.hold = count()?.max(1),
            "keep" => self.keep = count()?,
            "cooldown" => self.cooldown = count()?,
            "clear" => {
                self.clear =
                    threshold(value).map(|(value, _)| value).ok_or(format!("clear {value:?} is no threshold"))?;
            }
            other => return Err(format!("unknown option {other:?}")),
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.above { '>' } else { '<' };
        let unit = match self.unit {
            Unit::Absolute => "",
            Unit::Baseline => " times the baseline",
            Unit::StandardErrors => " standard errors from the baseline",
        };
        write!(f, "{} {sign} {}{unit} over {} steps", self.metric.name(), self.value, self.over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read() {
        let rule: Rule = "slow: mape>1.5x over 14 median min 50 for 3 clear 1.2 keep 2 cooldown 7 in region=north h 3"
            .parse()
            .unwrap();
        assert_eq!((rule.name.as_str(), rule.metric, rule.above, rule.value), ("slow", Metric::Mape, true, 1.5));
        assert_eq!((rule.unit, rule.over, rule.median, rule.min, rule.hold), (Unit::Baseline, 14, true, 50, 3));
        assert_eq!((rule.clear, rule.keep, rule.cooldown, rule.horizon), (1.2, 2, 7, Some(3)));
        assert_eq!(rule.segment.as_deref(), Some("region=north"));
        assert_eq!("coverage < 2se".parse::<Rule>().unwrap().unit, Unit::StandardErrors);
        for bad in [
            "",
            "mape",
            "mape >",
            "mape = 3",
            "mape > nan",
            "mape > 1 over",
            "mape > 1 foo 3",
            "nope > 1",
            "mape > 1 min -3",
        ] {
            assert!(bad.parse::<Rule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn thresholds_have_units() {
        let rule: Rule = "coverage < 2se".parse().unwrap();
        assert_eq!(rule.is_beyond(2.0, 0.75, Some(0.9), Some(0.05)), Some(true));
        assert_eq!(rule.is_beyond(2.0, 0.85, Some(0.9), Some(0.05)), Some(false));
        assert_eq!(rule.is_beyond(2.0, 0.85, None, None), None);
    }
}
