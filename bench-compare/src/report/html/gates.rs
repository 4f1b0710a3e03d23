//! The gates of the page: a forest plot whose rows are rows of the table, one axis for each scale.

use shared::format::verdict::{Gate, GateKind, Outcome, Scale};
use shared::plot::{Axis, Effect, axis_row, forest_row};

use super::{number, typeset};
use crate::report::effect::{self, Unit};
use crate::report::{clean, words};

/// About how many ticks an axis has.
const TICKS: usize = 5;
/// Longest name in a cell.
const LONGEST_NAME: usize = 120;
/// Ends that lie this many times farther out than what is usual in their group are drawn as arrows.
const FAR: f64 = 4.0;

/// Gates that share an axis.
pub(super) struct Group {
    /// What the effects are.
    pub(super) title: String,
    /// Its tick labels, drawn.
    pub(super) axis: String,
    /// Its gates.
    pub(super) rows: Vec<GateRow>,
}

/// A gate as a row.
pub(super) struct GateRow {
    pub(super) tone: &'static str,
    pub(super) outcome: &'static str,
    pub(super) name: String,
    pub(super) question: String,
    pub(super) plot: String,
    pub(super) estimate: String,
    pub(super) interval: String,
    pub(super) margin: String,
    pub(super) p: String,
    pub(super) rows: String,
}

/// The gates by what they can be drawn with: groups in the verdict's order, in each what stands in the way first.
pub(super) fn groups(gates: &[&Gate]) -> Vec<Group> {
    let mut titles: Vec<String> = Vec::new();
    for title in gates.iter().map(|gate| title(gate)) {
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    let members = |wanted: &String| gates.iter().copied().filter(|gate| title(gate) == *wanted).collect::<Vec<_>>();
    titles.iter().map(|title| group(title.clone(), members(title))).collect()
}

fn title(gate: &Gate) -> String {
    match (gate.kind, gate.scale) {
        (GateKind::Evidence, _) => "amount of evidence".to_owned(),
        (GateKind::Limit, _) => format!("fixed limits, {}", unit_name(gate)),
        (_, Scale::Relative) => "relative effect, percent".to_owned(),
        (_, Scale::Difference) => format!("difference, {}", unit_name(gate)),
    }
}

fn unit_name(gate: &Gate) -> String {
    match Unit::of_gate(gate).name() {
        "" => format!("unit of {}", gate.metric),
        unit => unit.to_owned(),
    }
}

fn group(title: String, mut gates: Vec<&Gate>) -> Group {
    gates.sort_by_key(|gate| severity(gate));
    let drawn = gates.iter().any(|gate| gate.estimate.is_some_and(f64::is_finite));
    let axis = drawn.then(|| axis_of(&gates));
    let unit = gates.first().map(|gate| Unit::of_gate(gate));
    let ticks = axis.as_ref().zip(unit).map(|(axis, unit)| axis_row(axis, |tick| typeset(&unit.tick(tick))));
    Group {
        title,
        axis: ticks.unwrap_or_default(),
        rows: gates.into_iter().map(|gate| row(gate, axis.as_ref())).collect(),
    }
}

/// The main question first, then what stands in the way.
fn severity(gate: &Gate) -> u8 {
    match (gate.kind, gate.outcome) {
        (GateKind::Superiority, _) if gate.slice.is_none() => 0,
        (_, Outcome::Fail) => 1,
        (_, Outcome::Undecided) => 2,
        (_, Outcome::Pass | Outcome::Identical) => 3,
    }
}

/// The axis covers zero, margins and estimates, and intervals as far as they are of the usual size.
fn axis_of(gates: &[&Gate]) -> Axis {
    let centres = gates.iter().flat_map(|gate| [gate.estimate, gate.margin]).flatten();
    let ends = gates.iter().filter_map(|gate| gate.interval).flatten();
    let values: Vec<f64> = centres.chain(ends).filter(|value| value.is_finite()).collect();
    let far = FAR * median(values.iter().map(|value| value.abs()));
    let near = values.into_iter().map(|value| value.clamp(-far, far));
    Axis::covering(near.chain([0.0]), TICKS)
}

/// The upper median; infinite where there are no values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.filter(|value| *value > 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::INFINITY)
}

fn row(gate: &Gate, axis: Option<&Axis>) -> GateRow {
    let tone = tone_of(gate.outcome);
    let drawn = Effect { estimate: gate.estimate, interval: gate.interval, margin: gate.margin };
    GateRow {
        tone,
        outcome: words::outcome(gate.outcome),
        name: clean::name(&gate.name, LONGEST_NAME),
        question: words::question(gate),
        plot: axis.filter(|_| gate.estimate.is_some()).map(|axis| forest_row(axis, &drawn, tone)).unwrap_or_default(),
        estimate: gate.estimate.map_or_else(String::new, |_| typeset(&effect::estimate(gate))),
        interval: typeset(&effect::interval(gate)),
        margin: typeset(&effect::margin(gate)),
        p: effect::deciding_p(gate),
        rows: typeset(&number::count(gate.n.rows)),
    }
}

fn tone_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Undecided => "undecided",
        Outcome::Identical => "identical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn gates_are_grouped_by_what_their_numbers_mean() {
        let verdict = fixtures::promote();
        let groups = groups(&verdict.gates.iter().collect::<Vec<_>>());
        let found: Vec<(&str, usize)> = groups.iter().map(|group| (group.title.as_str(), group.rows.len())).collect();
        let expected = [
            ("relative effect, percent", 3),
            ("difference, percentage points", 1),
            ("fixed limits, percent", 1),
            ("amount of evidence", 1),
        ];
        assert_eq!(found, expected);
        assert!(groups[3].axis.is_empty() && groups[3].rows[0].plot.is_empty());
    }

    #[test]
    fn one_wild_interval_does_not_flatten_the_others() {
        let wild = fixtures::gate("wild", 0.02, Some([-900.0, 900.0]));
        let tame = fixtures::gate("tame", -0.05, Some([-0.08, -0.02]));
        let axis = axis_of(&[&tame, &tame, &wild]);
        assert!(axis.low >= -0.4 && axis.high <= 0.4, "{axis:?}");
    }
}
