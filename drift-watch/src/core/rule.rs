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

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operand {
    /// A metric of the watched models.
    Metric(Metric),
    /// A metric that a run of `MLflow` logs, as `RUN_ID/METRIC`.
    Mlflow(String),
}

/// What stands before the name of a metric of `MLflow`.
const MLFLOW: &str = "mlflow";

/// A rule.
///
/// `[NAME:] METRIC (>|<) VALUE[x|se] [h N] [in COLUMN=VALUE] [over N] [median] [min N] [for N] [clear VALUE] [keep N] [cooldown N]`, all counts in
/// steps: `slow: mape > 1.5x over 28 min 50 for 3 clear 1.2`. Or
/// `[NAME:] mlflow:RUN_ID/METRIC (>|<) VALUE [for N] [clear VALUE] [keep N] [cooldown N]`, all counts in logged values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name; its text where none is given.
    pub name: String,
    /// What is looked at.
    pub operand: Operand,
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
        let place = text.find(['>', '<']).ok_or_else(|| wrong("there is no comparison, > or <"))?;
        let (left, right) = (&text[..place], &text[place + 1..]);
        let (name, operand) = named(left);
        let operand = operand.parse().map_err(|error: Error| wrong(&error.to_string()))?;
        let words: Vec<&str> = right.split_whitespace().collect();
        let [value, options @ ..] = words.as_slice() else { return Err(wrong("it is too short")) };
        let (value, unit) = threshold(value).ok_or_else(|| wrong(&format!("{value:?} is no threshold")))?;
        let mut rule = Self {
            name: name.unwrap_or(text).trim().to_owned(),
            operand,
            above: text[place..].starts_with('>'),
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

/// The name before the first colon, if there is one, and what is compared; `mlflow:` is no name.
fn named(text: &str) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((name, operand)) if name.trim() != MLFLOW => (Some(name), operand),
        _ => (None, text),
    }
}

impl FromStr for Operand {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some((source, metric)) if source.trim() == MLFLOW => Ok(Self::Mlflow(metric.trim().to_owned())),
            _ => match text.trim().parse()? {
                Metric::Rmsse => Err(Error::usage("rmsse is not kept", "mase, which is")),
                metric => Ok(Self::Metric(metric)),
            },
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => write!(f, "{}", metric.name()),
            Self::Mlflow(name) => write!(f, "{MLFLOW}:{name}"),
        }
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
        let is_single = matches!(self.operand, Operand::Mlflow(_));
        if is_single && self.unit != Unit::Absolute {
            return Err("a metric of MLflow has no baseline: its threshold is a plain number".to_owned());
        }
        while let [option, rest @ ..] = words {
            if is_single && ["h", "in", "over", "median", "min"].contains(option) {
                return Err(format!("{option:?} says nothing of a metric of MLflow, which is one value at a time"));
            }
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
        write!(f, "{} {sign} {}{unit}", self.operand, self.value)?;
        match self.operand {
            Operand::Metric(_) => write!(f, " over {} steps", self.over),
            Operand::Mlflow(_) => Ok(()),
        }
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
        assert_eq!(
            (rule.name.as_str(), &rule.operand, rule.above, rule.value),
            ("slow", &Operand::Metric(Metric::Mape), true, 1.5)
        );
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
    fn a_rule_on_a_metric_of_mlflow_is_read() {
        let name = "0123456789abcdef0123456789abcdef/live/mape: all";
        let rule: Rule = format!("retrain: mlflow:{name} < 0.2 for 3 clear 0.25 keep 2").parse().unwrap();
        assert_eq!((rule.name.as_str(), rule.operand), ("retrain", Operand::Mlflow(name.to_owned())));
        assert_eq!((rule.above, rule.value, rule.hold, rule.clear, rule.keep), (false, 0.2, 3, 0.25, 2));
        let unnamed: Rule = format!("mlflow:{name}>0.2").parse().unwrap();
        assert_eq!((unnamed.name, unnamed.operand), (format!("mlflow:{name}>0.2"), Operand::Mlflow(name.to_owned())));
        for bad in
            ["mlflow:r/m > 2x", "mlflow:r/m > 2 over 3", "mlflow:r/m > 2 in a=b", "mlflow:r/m > 2 median", "mlflow:r/m"]
        {
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
