//! What a verdict says of a model that was promoted: from gates to one outcome with its effect, error and reason. Pure.

use serde::{Deserialize, Serialize};
use shared::format::verdict::{EvidenceKind, Gate, GateKind, Outcome as Answer, Verdict};

use super::error::{self, StandardError};
use super::noise::Noise;

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
    let is_benchmark = verdict.evidence.kind == EvidenceKind::Benchmark;
    // Repeats are counted by dataset, as the gates of benchmark files are.
    let noise = noise.filter(|_| is_benchmark);
    let found = Found {
        gate: primary,
        floor: noise.map(|noise| noise.floor(primary.n.rows)),
        error: error::of(verdict, primary, noise),
        is_benchmark,
    };
    let (outcome, reason) = match failing(others, noise) {
        // What is not there says nothing of the model.
        Some(gate) if gate.kind == GateKind::Evidence => (Outcome::Invalid, format!("{}: {}", gate.name, gate.reason)),
        Some(gate) if primary.outcome != Answer::Fail => {
            (Outcome::Regressed, format!("{}: {}", gate.name, gate.reason))
        }
        _ => found.outcome(),
    };
    Judgement {
        outcome,
        reason,
        effect: primary.estimate,
        standard_error: found.error.map(|error| error.standard_error),
        df: found.error.map(|error| error.df),
        interval: primary.interval,
        p_value: primary.p_value,
        noise_floor: found.floor,
    }
}

/// The first other gate that fails, but for bare comparisons that chance explains.
fn failing<'a>(gates: &'a [Gate], noise: Option<&Noise>) -> Option<&'a Gate> {
    gates.iter().filter(|gate| gate.outcome == Answer::Fail).find(|gate| {
        let bare = gate.kind == GateKind::Limit && !gate.metric.ends_with("-time");
        let floor = noise.filter(|_| bare).map_or(0.0, |noise| noise.floor(gate.n.rows));
        gate.estimate.zip(gate.margin).is_none_or(|(estimate, margin)| estimate - margin > floor)
    })
}

/// The primary gate and what chance does to it.
struct Found<'a> {
    gate: &'a Gate,
    floor: Option<f64>,
    error: Option<StandardError>,
    is_benchmark: bool,
}

impl Found<'_> {
    fn outcome(&self) -> (Outcome, String) {
        let reason = self.gate.reason.clone();
        match (self.gate.outcome, self.gate.interval) {
            (Answer::Identical, _) => (Outcome::Holds, reason),
            (Answer::Pass, Some([_, high])) if high < 0.0 => (Outcome::Improved, reason),
            (Answer::Pass, _) => (Outcome::Holds, reason),
            (Answer::Fail, _) if self.within_floor() => (Outcome::Inconclusive, self.explained(&reason)),
            (Answer::Fail, _) => (Outcome::Regressed, reason),
            // The interval of forecasts is left out where it has no end: they are too few, and nothing else is known of them.
            (Answer::Undecided, None) if self.is_benchmark => self.without_interval(),
            (Answer::Undecided, _) => (Outcome::Inconclusive, reason),
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

    /// Too few numbers for an interval: they are held against the noise floor, else against the spread over datasets, else compared as they are.
    fn without_interval(&self) -> (Outcome, String) {
        let Some((excess, effect)) = self.excess().zip(self.gate.estimate) else {
            return (Outcome::Inconclusive, self.gate.reason.clone());
        };
        let chance = self.floor.or_else(|| self.error.map(StandardError::one_sided));
        let allowed = chance.unwrap_or(0.0);
        let outcome = match chance {
            // Every second run of a model that is as good as its baseline is worse than it, by ever so little.
            None => Outcome::Inconclusive,
            _ if excess > allowed => Outcome::Regressed,
            Some(_) if excess >= -allowed => Outcome::Inconclusive,
            Some(_) if effect < -allowed => Outcome::Improved,
            _ => Outcome::Holds,
        };
        let rule = match (self.floor, self.error) {
            (Some(floor), _) => format!("held against the noise floor of {:.2} %", 100.0 * floor),
            (None, Some(_)) => format!("held against {:.2} %, by the spread over datasets", 100.0 * allowed),
            (None, None) => {
                "two bare numbers, which say nothing as long as their noise is not known (judge.repeats measures it)"
                    .to_owned()
            }
        };
        (outcome, format!("{}: {:+.2} % against the baseline, {rule}.", self.gate.metric, 100.0 * effect))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn gate(name: &str, outcome: &str, estimate: f64, more: Value) -> Value {
        let mut gate = json!({
            "name": name, "kind": "non-inferiority", "metric": "mape", "slice": null, "baseline": "b", "outcome": outcome,
            "candidate_value": null, "baseline_value": null, "scale": "relative", "estimate": estimate, "interval": null,
            "margin": 0.02, "p_value": null, "p_adjusted": null, "df": null, "reason": "Because.",
            "n": {"rows": 1, "series": 1, "cutoffs": 1, "independent_windows": 1.0},
        });
        let more = more.as_object().unwrap().clone();
        gate.as_object_mut().unwrap().extend(more);
        gate
    }

    fn verdict(gates: &[Value], parts: &[f64]) -> Verdict {
        let part = |estimate: &f64| json!({"name": "d", "rows": 1, "candidate_value": null, "baseline_value": null, "estimate": estimate});
        serde_json::from_value(json!({
            "schema": "bench-compare/verdict/1", "tool": {"name": "bench-compare", "version": "0"}, "complete": true,
            "missing": [], "decision": "promote", "reasons": [], "candidate": "a", "baselines": ["b"], "metric": "mape",
            "gates": gates, "series": parts.iter().map(part).collect::<Vec<_>>(), "windows": [], "influence": null,
            "power": null, "subject": [], "inputs": [], "seed": 1,
            "evidence": {"kind": "benchmark", "n": {"rows": 1, "series": 1, "cutoffs": 1, "independent_windows": 1.0},
                "horizon": null, "span": null, "checks": null, "notes": []},
            "policy": {"sha256": "", "rule": "evidence", "alpha": 0.05, "settings": {"level": 0.95, "series": "sampled"}},
        }))
        .unwrap()
    }

    fn outcome(outcome: &str, estimate: f64, more: Value, noise: Option<Noise>) -> Outcome {
        judge(&verdict(&[gate("primary", outcome, estimate, more)], &[]), noise.as_ref()).outcome
    }

    /// The floor of one dataset: 1.96 · sqrt(2) · 0.01 = 2.77 %.
    const NOISE: Option<Noise> = Some(Noise { sd: 0.01, df: f64::INFINITY });

    #[test]
    fn the_primary_gate_decides() {
        let wide = json!({"interval": [-0.05, 0.01]});
        assert_eq!(outcome("pass", -0.01, wide.clone(), None), Outcome::Holds);
        assert_eq!(outcome("pass", -0.03, json!({"interval": [-0.05, -0.01]}), None), Outcome::Improved);
        assert_eq!(outcome("undecided", 0.01, wide, None), Outcome::Inconclusive);
        assert_eq!(outcome("identical", 0.0, json!({}), None), Outcome::Holds);
        assert_eq!(outcome("fail", 0.04, json!({"interval": [0.03, 0.05]}), None), Outcome::Regressed);
    }

    #[test]
    fn what_chance_makes_of_repeats_is_no_regression() {
        assert_eq!(outcome("fail", 0.04, json!({"interval": [0.03, 0.05]}), NOISE), Outcome::Inconclusive);
        assert_eq!(outcome("fail", 0.05, json!({"interval": [0.03, 0.07]}), NOISE), Outcome::Regressed);
    }

    #[test]
    fn one_number_is_held_against_the_noise_floor() {
        let found = |estimate| outcome("undecided", estimate, json!({}), NOISE);
        let effects = [0.05, 0.04, 0.0, -0.02, -0.03];
        let expected =
            [Outcome::Regressed, Outcome::Inconclusive, Outcome::Inconclusive, Outcome::Holds, Outcome::Improved];
        assert_eq!(effects.map(found), expected);
    }

    #[test]
    fn one_number_of_unknown_noise_decides_nothing_and_says_so() {
        let of = |estimate| judge(&verdict(&[gate("primary", "undecided", estimate, json!({}))], &[]), None);
        assert_eq!((of(0.03).outcome, of(0.02).outcome), (Outcome::Inconclusive, Outcome::Inconclusive));
        assert!(of(0.03).reason.contains("two bare numbers") && of(0.03).standard_error.is_none());
    }

    #[test]
    fn an_endless_interval_of_forecasts_is_no_bare_comparison() {
        let mut verdict = verdict(&[gate("primary", "undecided", 0.5, json!({"df": 5.0}))], &[]);
        verdict.evidence.kind = EvidenceKind::Forecasts;
        assert_eq!(judge(&verdict, NOISE.as_ref()).outcome, Outcome::Inconclusive);
    }

    #[test]
    fn another_gate_that_fails_is_a_regression_unless_chance_explains_it() {
        let limit = gate("dataset: x", "fail", 0.04, json!({"kind": "limit"}));
        let primary = gate("primary", "pass", -0.01, json!({"interval": [-0.02, 0.01]}));
        let verdict = verdict(&[primary, limit], &[]);
        let alone = judge(&verdict, None);
        assert_eq!(alone.outcome, Outcome::Regressed);
        assert_eq!(alone.reason, "dataset: x: Because.");
        assert_eq!(judge(&verdict, NOISE.as_ref()).outcome, Outcome::Holds);
    }

    #[test]
    fn names_are_read_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::named(outcome.name()), Some(outcome));
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
        }
        assert_eq!(Outcome::named("won"), None);
    }
}
