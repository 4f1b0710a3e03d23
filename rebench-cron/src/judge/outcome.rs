//! What a verdict says of a model that was promoted: from gates to one outcome with its effect, error and reason. Pure.

use serde::{Deserialize, Serialize};
use shared::format::verdict::{EvidenceKind, Gate, GateKind, Outcome as Answer, Verdict};
use shared::stats::special::t_quantile;

use super::noise::Noise;

/// The confidence of a verdict's intervals, where it does not say.
const USUAL_CONFIDENCE: f64 = 0.95;

/// What a run says of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds: shown to be no worse than its baseline by the margin, or its forecasts are the same.
    Holds,
    /// It is worse by more than the margin, or breaks another rule of the gate.
    Regressed,
    /// It holds, and the whole interval lies on the better side of the baseline.
    Improved,
    /// Neither is shown.
    Inconclusive,
    /// There is no usable verdict.
    Invalid,
    /// The baseline does not give its recorded results any more, so that nothing can be held against them.
    NotReproducible,
}

/// The outcome of a run with all that a record needs of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// What the run says.
    pub outcome: Outcome,
    /// The effect on the scale of the metric's gate, mostly relative: 0.02 is 2 % worse than the baseline.
    pub effect: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Degrees of freedom of the standard error.
    pub df: Option<f64>,
    /// The two-sided interval of the effect.
    pub interval: Option<[f64; 2]>,
    /// The one-sided p-value of "not worse by the margin".
    pub p_value: Option<f64>,
    /// The difference that chance alone makes between two results of one model on the same data.
    pub noise_floor: Option<f64>,
    /// The sentence that says why.
    pub reason: String,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 6] =
        [Self::Holds, Self::Regressed, Self::Improved, Self::Inconclusive, Self::Invalid, Self::NotReproducible];

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Inconclusive => "inconclusive",
            Self::Invalid => "invalid",
            Self::NotReproducible => "not-reproducible",
        }
    }

    /// The outcome of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Whether the run measured the model at all.
    pub fn is_look(self) -> bool {
        !matches!(self, Self::Invalid | Self::NotReproducible)
    }
}

impl Judgement {
    /// A judgement without numbers, of a run that cannot be judged.
    pub fn without_numbers(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            effect: None,
            standard_error: None,
            df: None,
            interval: None,
            p_value: None,
            noise_floor: None,
            reason: reason.into(),
        }
    }

    /// The judgement of a run without a usable verdict.
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::without_numbers(Outcome::Invalid, reason)
    }
}

/// What the verdict says, given what is known of the benchmark's noise.
pub fn judge(verdict: &Verdict, noise: Option<&Noise>) -> Judgement {
    let Some((primary, others)) = verdict.gates.split_first() else {
        return Judgement::invalid("the verdict has no gate");
    };
    // Repeats are counted by dataset, as the gates of benchmark files are.
    let noise = noise.filter(|_| verdict.evidence.kind == EvidenceKind::Benchmark);
    let found = Found::new(primary, noise, confidence(verdict));
    let (outcome, reason) = match failing(others, noise) {
        Some(gate) if !matches!(primary.outcome, Answer::Fail) => {
            (Outcome::Regressed, format!("{}: {}", gate.name, gate.reason))
        }
        _ => found.outcome(),
    };
    Judgement {
        outcome,
        reason,
        effect: primary.estimate,
        standard_error: found.error.map(|(se, _)| se),
        df: found.error.map(|(_, df)| df),
        interval: primary.interval,
        p_value: primary.p_value,
        noise_floor: found.floor,
    }
}

fn confidence(verdict: &Verdict) -> f64 {
    let stated = verdict.policy.settings.get("level").and_then(serde_json::Value::as_f64);
    stated.filter(|level| *level > 0.0 && *level < 1.0).unwrap_or(USUAL_CONFIDENCE)
}

/// The first other gate that fails, but for bare comparisons that chance explains.
fn failing<'a>(gates: &'a [Gate], noise: Option<&Noise>) -> Option<&'a Gate> {
    gates.iter().filter(|gate| gate.outcome == Answer::Fail).find(|gate| {
        let bare = gate.kind == GateKind::Limit && !gate.metric.ends_with("-time");
        let floor = noise.filter(|_| bare).map_or(0.0, |noise| noise.floor(gate.n.rows));
        gate.estimate.zip(gate.margin).is_none_or(|(estimate, margin)| estimate - margin > floor)
    })
}

/// The primary gate and what chance alone does to it.
struct Found<'a> {
    gate: &'a Gate,
    floor: Option<f64>,
    /// Standard error and degrees of freedom.
    error: Option<(f64, f64)>,
}

impl<'a> Found<'a> {
    fn new(gate: &'a Gate, noise: Option<&Noise>, confidence: f64) -> Self {
        let floor = noise.map(|noise| noise.floor(gate.n.rows));
        let of_noise = || noise.map(|noise| (noise.standard_error(gate.n.rows), noise.df));
        let error = standard_error(gate, confidence).or_else(of_noise);
        Self { gate, floor, error: error.filter(|(se, df)| *se > 0.0 && se.is_finite() && *df > 0.0) }
    }

    fn outcome(&self) -> (Outcome, String) {
        let reason = self.gate.reason.clone();
        match (self.gate.outcome, self.gate.interval) {
            (Answer::Identical, _) => (Outcome::Holds, reason),
            (Answer::Pass, Some([_, high])) if high < 0.0 => (Outcome::Improved, reason),
            (Answer::Pass, _) => (Outcome::Holds, reason),
            (Answer::Fail, _) if self.within_floor() => (Outcome::Inconclusive, self.explained(&reason)),
            (Answer::Fail, _) => (Outcome::Regressed, reason),
            (Answer::Undecided, None) => self.bare(),
            (Answer::Undecided, Some(_)) => (Outcome::Inconclusive, reason),
        }
    }

    /// By how much the effect is worse than the margin.
    fn excess(&self) -> Option<f64> {
        Some(self.gate.estimate? - self.gate.margin.unwrap_or(0.0)).filter(|excess| excess.is_finite())
    }

    fn within_floor(&self) -> bool {
        self.excess().zip(self.floor).is_some_and(|(excess, floor)| excess <= floor)
    }

    fn explained(&self, reason: &str) -> String {
        let floor = self.floor.unwrap_or_default();
        format!("{reason} That is within what chance makes of repeats on the same data ({:.2} %).", 100.0 * floor)
    }

    /// One number a model has no interval: it is held against the noise floor, or compared as it is.
    fn bare(&self) -> (Outcome, String) {
        let Some((excess, effect)) = self.excess().zip(self.gate.estimate) else {
            return (Outcome::Inconclusive, self.gate.reason.clone());
        };
        let floor = self.floor.unwrap_or(0.0);
        let outcome = match self.floor {
            _ if excess > floor => Outcome::Regressed,
            Some(floor) if effect < -floor && excess < -floor => Outcome::Improved,
            Some(floor) if excess >= -floor => Outcome::Inconclusive,
            _ => Outcome::Holds,
        };
        let rule = match self.floor {
            Some(floor) => format!("held against the noise floor of {:.2} %", 100.0 * floor),
            None => "two bare numbers, with nothing known of their noise (see judge.repeats)".to_owned(),
        };
        (outcome, format!("{}: {:+.2} % against the baseline, {rule}.", self.gate.metric, 100.0 * effect))
    }
}

/// Standard error and degrees of freedom from the two-sided interval: half its width over the quantile of Student's t. Without degrees
/// of freedom in the gate (exact tests), those of its units.
fn standard_error(gate: &Gate, confidence: f64) -> Option<(f64, f64)> {
    let [low, high] = gate.interval?;
    let units = if gate.n.series > 1 { gate.n.series } else { gate.n.rows };
    let df = gate.df.or_else(|| Some(units.checked_sub(1)? as f64)).filter(|df| *df > 0.0)?;
    Some(((high - low) / 2.0 / t_quantile(f64::midpoint(1.0, confidence), df), df))
}
