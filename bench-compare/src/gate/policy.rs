//! The rules of a gate: checked once at the door, and written into the verdict with their digest.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Value, json};
use shared::format::verdict::{self, GateKind};
use shared::{Error, Result, digest};

use crate::gate::args::{Against, Args, Primary, Rule, SeriesAre};

/// A limit that a policy may switch off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit(pub Option<f64>);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let number: f64 = text.parse().map_err(|_| format!("{text:?} is neither a number nor `none`"))?;
        if number >= 0.0 && number.is_finite() { Ok(Self(Some(number))) } else { Err("a limit is 0 or more".into()) }
    }
}

/// A metric that must not get worse by its margin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Guardrail {
    /// The metric.
    pub(super) metric: String,
    /// The margin, on the metric's own scale.
    pub(super) margin: f64,
}

/// Every setting that takes part in a decision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy {
    /// The primary metric.
    pub(super) metric: String,
    /// What the primary gate asks.
    pub(super) primary: Primary,
    /// The effect below which the primary gate passes: minus the minimum improvement, or the margin.
    pub(super) primary_margin: f64,
    /// Metrics that must not get worse.
    pub(super) guardrails: Vec<Guardrail>,
    /// Margin of each slice.
    pub(super) slice_margin: f64,
    /// Limit on a dataset.
    pub(super) dataset_limit: Limit,
    /// Limit on a window.
    pub(super) window_limit: Limit,
    /// All baselines, or any.
    pub(super) against: Against,
    /// Evidence or the bare comparison.
    pub(super) rule: Rule,
    /// Sampled or fixed.
    pub(super) series: SeriesAre,
    /// One-sided error rate.
    pub(super) alpha: f64,
    /// Confidence of intervals.
    pub(super) confidence: f64,
    /// Fewest rows of a gate.
    pub(super) min_rows: u64,
    /// Fewest series of a gate.
    pub(super) min_series: u64,
    /// Fewest independent windows of a gate.
    pub(super) min_windows: f64,
    /// Slices as written, for the record.
    pub(super) slices: Vec<String>,
    /// Datasets that must be there.
    pub(super) required: Vec<String>,
    /// Seasonal lag, for the record.
    pub(super) season: u32,
}

impl Policy {
    /// Reads the policy from the command line.
    ///
    /// # Errors
    /// [`Error::Usage`] for a rate outside its range, an unknown metric, a malformed guardrail.
    pub(super) fn from_args(args: &Args) -> Result<Self> {
        let primary_margin = match args.primary {
            Primary::Superiority => 0.0 - in_range("--min-improvement", args.min_improvement, 0.0, 1.0)?,
            Primary::NonInferiority => in_range("--margin", args.margin, 0.0, f64::MAX)?,
        };
        Ok(Self {
            metric: args.metric.clone(),
            primary: args.primary,
            primary_margin,
            guardrails: args.guardrail.iter().map(|text| guardrail(text)).collect::<Result<_>>()?,
            slice_margin: in_range("--slice-margin", args.slice_margin, 0.0, f64::MAX)?,
            dataset_limit: args.dataset_limit,
            window_limit: args.window_limit,
            against: args.against,
            rule: args.rule,
            series: args.series,
            alpha: rate("--alpha", args.alpha, 0.5)?,
            confidence: rate("--confidence", args.confidence, 1.0)?,
            min_rows: args.min_rows,
            min_series: args.min_series,
            min_windows: in_range("--min-windows", args.min_windows, 1.0, f64::MAX)?,
            slices: args.slice.clone(),
            required: args.require_dataset.clone(),
            season: args.season,
        })
    }

    /// What the primary gate asks.
    pub(super) fn kind(&self) -> GateKind {
        match self.primary {
            Primary::Superiority => GateKind::Superiority,
            Primary::NonInferiority => GateKind::NonInferiority,
        }
    }

    /// Whether a candidate that is identical to its baseline satisfies the policy.
    pub(super) fn identical_passes(&self) -> bool {
        self.primary == Primary::NonInferiority
    }

    /// The policy as the verdict records it.
    pub(super) fn record(&self) -> verdict::Policy {
        let settings = self.settings();
        verdict::Policy {
            sha256: digest::of_bytes(settings.to_string().as_bytes()),
            rule: match self.rule {
                Rule::Evidence => "evidence".into(),
                Rule::Point => "point".into(),
            },
            alpha: self.alpha,
            settings,
        }
    }

    fn settings(&self) -> Value {
        let guardrails: BTreeMap<String, f64> = self.guardrails.iter().map(|g| (g.metric.clone(), g.margin)).collect();
        json!({
            "against": name(self.against), "alpha": self.alpha, "level": self.confidence,
            "dataset_limit": self.dataset_limit.0, "guardrails": guardrails, "metric": self.metric,
            "min_rows": self.min_rows, "min_series": self.min_series, "min_windows": self.min_windows,
            "primary": name(self.primary), "primary_margin": self.primary_margin, "require_dataset": self.required,
            "rule": name(self.rule), "season": self.season, "series": name(self.series),
            "slice_margin": self.slice_margin, "slices": self.slices, "window_limit": self.window_limit.0,
        })
    }
}

fn name(value: impl clap::ValueEnum) -> String {
    value.to_possible_value().map(|known| known.get_name().to_owned()).unwrap_or_default()
}

fn guardrail(text: &str) -> Result<Guardrail> {
    let (metric, margin) = text.split_once('=').ok_or_else(|| {
        Error::usage(format!("--guardrail {text:?} has no margin"), "METRIC=MARGIN")
            .with_help("for example --guardrail da=0.02")
    })?;
    let margin: f64 = margin.trim().parse().map_err(|_| {
        Error::usage(format!("--guardrail {text:?}: {margin:?} is not a number"), "a margin such as 0.02")
    })?;
    Ok(Guardrail { metric: metric.trim().to_owned(), margin: in_range("--guardrail", margin, 0.0, f64::MAX)? })
}

fn rate(flag: &str, value: f64, below: f64) -> Result<f64> {
    if value > 0.0 && value < below {
        return Ok(value);
    }
    Err(Error::usage(format!("{flag} {value}"), format!("a number between 0 and {below}, both excluded")))
}

fn in_range(flag: &str, value: f64, low: f64, high: f64) -> Result<f64> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    let expected = if high >= f64::MAX { format!("{low} or more") } else { format!("a number from {low} to {high}") };
    Err(Error::usage(format!("{flag} {value}"), expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_outside_their_range_are_refused() {
        assert!(rate("--alpha", 0.0, 0.5).is_err() && rate("--alpha", f64::NAN, 0.5).is_err());
        assert!(in_range("--margin", -0.1, 0.0, 1.0).is_err() && in_range("--margin", f64::NAN, 0.0, 1.0).is_err());
    }

    #[test]
    fn a_guardrail_needs_a_metric_and_a_margin() {
        assert_eq!(guardrail("da=0.02").unwrap(), Guardrail { metric: "da".into(), margin: 0.02 });
        assert!(guardrail("da").is_err() && guardrail("da=x").is_err() && guardrail("da=-1").is_err());
    }

    #[test]
    fn a_limit_can_be_switched_off() {
        assert_eq!("none".parse(), Ok(Limit(None)));
        assert_eq!("0.1".parse(), Ok(Limit(Some(0.1))));
        assert!("-1".parse::<Limit>().is_err());
    }
}
