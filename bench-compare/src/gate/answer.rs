//! From a test to an outcome: what passes, what fails, what stays open.

use shared::format::verdict::{Gate, Outcome};

use shared::stats::multiple::{self, Correction};

use crate::gate::args::Rule;
use crate::gate::decide::is_primary;
use crate::gate::policy::Policy;

/// Tolerance within which a bare comparison is a tie: rounding of one division.
const TIE: f64 = 1e-12;

/// What a test says of "the effect lies below the margin".
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tested {
    /// The effect; lower is better.
    pub(super) estimate: f64,
    /// One-sided p-value of "below the margin".
    pub(super) p_below: f64,
    /// One-sided p-value of "above the margin".
    pub(super) p_above: f64,
}

/// The outcome of one test under the policy's rule.
pub(super) fn outcome(tested: Tested, margin: f64, policy: &Policy) -> Outcome {
    match policy.rule {
        Rule::Point => point(tested.estimate, margin),
        Rule::Evidence if tested.p_below <= policy.alpha => Outcome::Pass,
        Rule::Evidence if tested.p_above <= policy.alpha => Outcome::Fail,
        Rule::Evidence => Outcome::Undecided,
    }
}

/// The bare comparison: strictly below a superiority margin, at or below any other.
pub(super) fn point(estimate: f64, margin: f64) -> Outcome {
    let passes = if margin > 0.0 { estimate <= margin + TIE } else { estimate < margin - TIE };
    if passes { Outcome::Pass } else { Outcome::Fail }
}

/// Corrects the primary gates for the chance to win against any of several baselines (Holm 1979).
pub(super) fn correct_wins(gates: &mut [Gate], policy: &Policy) {
    let tested: Vec<f64> = gates.iter().filter(|gate| is_primary(gate)).filter_map(|gate| gate.p_value).collect();
    let adjusted = adjusted(&tested);
    let primary = gates.iter_mut().filter(|gate| is_primary(gate) && gate.p_value.is_some());
    for (gate, p) in primary.zip(adjusted) {
        gate.p_adjusted = Some(p);
        if policy.rule == Rule::Evidence && gate.outcome == Outcome::Pass && p > policy.alpha {
            gate.outcome = Outcome::Undecided;
        }
    }
}

/// Replaces the failures that do not survive Holm's correction over all gates by "undecided".
///
/// A pass needs every gate, so passes need no correction (intersection-union, Berger 1982); a rejection needs any one, so
/// the chance of a false one would grow with the number of gates.
pub(super) fn correct_failures(gates: &mut [Gate], p_above: &[Option<f64>], alpha: f64) {
    let tested: Vec<f64> = p_above.iter().flatten().copied().collect();
    let adjusted = adjusted(&tested);
    let mut next = adjusted.iter();
    for (gate, _) in gates.iter_mut().zip(p_above).filter(|(_, p)| p.is_some()) {
        let survives = next.next().is_some_and(|&p| p <= alpha);
        if gate.outcome == Outcome::Fail && !survives {
            gate.outcome = Outcome::Undecided;
        }
    }
}

/// P-values corrected by Holm (1979), in the order given. A gate's p-values are finite by construction; were one not, the
/// correction would be refused and nothing would count as shown.
fn adjusted(p_values: &[f64]) -> Vec<f64> {
    multiple::adjust(p_values, Correction::Holm).unwrap_or_else(|_| vec![1.0; p_values.len()])
}
