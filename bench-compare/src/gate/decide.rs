//! From gates to a decision, and the sentences that carry it. Pure.

use shared::format::verdict::{Decision, Gate, GateKind, Outcome};

use crate::gate::args::Against;

/// The decision of all gates together: any that fails rejects, else any that is open leaves it open; identical forecasts
/// are a verdict of their own.
pub(super) fn decide(gates: &[Gate], against: Against) -> Decision {
    let (primary, others): (Vec<&Gate>, Vec<&Gate>) = gates.iter().partition(|gate| is_primary(gate));
    let outcomes = others.iter().map(|gate| gate.outcome).chain([primary_outcome(&primary, against)]);
    let outcomes: Vec<Outcome> = outcomes.collect();
    if outcomes.contains(&Outcome::Fail) {
        Decision::Reject
    } else if outcomes.contains(&Outcome::Undecided) {
        Decision::Inconclusive
    } else if primary.iter().any(|gate| gate.outcome == Outcome::Identical) {
        Decision::Identical
    } else {
        Decision::Promote
    }
}

/// Whether a gate asks the main question.
pub(super) fn is_primary(gate: &Gate) -> bool {
    gate.name.starts_with("primary")
}

/// Several baselines: every one must be beaten, or any.
fn primary_outcome(gates: &[&Gate], against: Against) -> Outcome {
    let has = |outcome| gates.iter().any(|gate| gate.outcome == outcome);
    match against {
        Against::Any if has(Outcome::Pass) => Outcome::Pass,
        Against::Any if has(Outcome::Undecided) => Outcome::Undecided,
        Against::All if has(Outcome::Fail) => Outcome::Fail,
        Against::All if has(Outcome::Undecided) => Outcome::Undecided,
        _ if has(Outcome::Identical) => Outcome::Identical,
        Against::Any => Outcome::Fail,
        Against::All if gates.is_empty() => Outcome::Undecided,
        Against::All => Outcome::Pass,
    }
}

/// The sentences that decided: those of the gates that failed, else of the open ones, else of the primary.
pub(super) fn reasons(gates: &[Gate], decision: Decision) -> Vec<String> {
    let wanted = match decision {
        Decision::Reject => Outcome::Fail,
        Decision::Inconclusive => Outcome::Undecided,
        Decision::Identical => Outcome::Identical,
        Decision::Promote => Outcome::Pass,
    };
    let mut decisive: Vec<&Gate> = gates.iter().filter(|gate| gate.outcome == wanted).collect();
    decisive.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    decisive.iter().map(|gate| gate.reason.clone()).collect()
}

/// Evidence that is missing altogether comes first, then the primary gate, then the largest excess over a margin.
fn weight(gate: &Gate) -> f64 {
    let excess = gate.estimate.unwrap_or(0.0) - gate.margin.unwrap_or(0.0);
    match gate.kind {
        GateKind::Evidence => f64::INFINITY,
        _ if is_primary(gate) => f64::MAX,
        _ => excess,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::blank;

    fn gate(name: &str, outcome: Outcome) -> Gate {
        Gate { name: name.into(), outcome, ..blank() }
    }

    #[test]
    fn any_failure_rejects_whatever_the_primary_says() {
        let gates = [gate("primary", Outcome::Pass), gate("slice: holiday = 1", Outcome::Fail)];
        assert_eq!(decide(&gates, Against::All), Decision::Reject);
    }

    #[test]
    fn an_open_gate_is_never_a_pass() {
        let gates = [gate("primary", Outcome::Pass), gate("guardrail: da", Outcome::Undecided)];
        assert_eq!(decide(&gates, Against::All), Decision::Inconclusive);
        assert_eq!(decide(&[], Against::All), Decision::Inconclusive);
    }

    #[test]
    fn identical_forecasts_are_a_verdict_of_their_own() {
        let gates = [gate("primary", Outcome::Identical), gate("slice: x > 1", Outcome::Identical)];
        assert_eq!(decide(&gates, Against::All), Decision::Identical);
    }

    #[test]
    fn one_of_several_baselines_is_enough_only_where_any_was_asked() {
        let gates = [gate("primary v a", Outcome::Fail), gate("primary v b", Outcome::Pass)];
        assert_eq!(decide(&gates, Against::Any), Decision::Promote);
        assert_eq!(decide(&gates, Against::All), Decision::Reject);
    }
}
