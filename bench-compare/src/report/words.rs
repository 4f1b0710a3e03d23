//! What a verdict says in sentences: as a careful statistician would put it to the person who must decide.

use std::fmt::Write;

use shared::format::verdict::{Decision, EvidenceKind, Gate, GateKind, Influence, Outcome, Power, Verdict};

use super::effect::{self, Unit};
use super::number::{self, count, counted};

/// The decision in capitals.
pub fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Promote => "PROMOTE",
        Decision::Reject => "REJECT",
        Decision::Inconclusive => "INCONCLUSIVE",
        Decision::Identical => "IDENTICAL",
    }
}

/// The outcome of a gate in capitals.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "PASS",
        Outcome::Fail => "FAIL",
        Outcome::Undecided => "UNDECIDED",
        Outcome::Identical => "IDENTICAL",
    }
}

/// The verdict in one sentence.
pub fn headline(verdict: &Verdict) -> String {
    let candidate = &verdict.candidate;
    let against = list(&verdict.baselines, "the baseline");
    match verdict.decision {
        Decision::Promote => format!("Promote {candidate} over {against}: {}.", all_pass(verdict)),
        Decision::Reject => format!("Do not promote {candidate} over {against}: {}.", share(verdict, Outcome::Fail)),
        Decision::Inconclusive => format!(
            "Whether to promote {candidate} over {against} cannot be decided on this evidence: {}.",
            share(verdict, Outcome::Undecided)
        ),
        Decision::Identical => {
            format!("{candidate} forecasts exactly what {against} does: there is nothing to choose between.")
        }
    }
}

fn all_pass(verdict: &Verdict) -> String {
    match verdict.gates.len() {
        0 => "no gate was asked".to_owned(),
        1 => "the only gate passes".to_owned(),
        2 => "both gates pass".to_owned(),
        gates => format!("all {} gates pass", count(gates as u64)),
    }
}

fn share(verdict: &Verdict, wanted: Outcome) -> String {
    let found = verdict.gates.iter().filter(|gate| gate.outcome == wanted).count() as u64;
    let (one, several) = match wanted {
        Outcome::Fail => ("fails", "fail"),
        Outcome::Pass => ("passes", "pass"),
        Outcome::Undecided => ("is undecided", "are undecided"),
        Outcome::Identical => ("finds no difference", "find no difference"),
    };
    let verb = if found == 1 { one } else { several };
    format!("{} of {} {verb}", count(found), counted(verdict.gates.len() as u64, "gate"))
}

/// The sentences that decided: the verdict's own, or those of the gates that decided it.
pub fn reasons(verdict: &Verdict) -> Vec<String> {
    if !verdict.reasons.is_empty() {
        return verdict.reasons.clone();
    }
    let decisive = verdict.gates.iter().enumerate().filter(|(place, gate)| match verdict.decision {
        Decision::Reject => gate.outcome == Outcome::Fail,
        Decision::Inconclusive => gate.outcome == Outcome::Undecided,
        Decision::Promote | Decision::Identical => *place == 0 || gate.kind == GateKind::Superiority,
    });
    decisive.map(|(_, gate)| reason(verdict, gate)).collect()
}

/// The gate's own sentence, or one made of its numbers.
pub fn reason(verdict: &Verdict, gate: &Gate) -> String {
    if gate.reason.is_empty() { sentence(&Voice::of(verdict), gate) } else { gate.reason.clone() }
}

/// What a sentence about a gate needs to know besides the gate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voice<'a> {
    /// The candidate's name.
    pub candidate: &'a str,
    /// The confidence level of the intervals, if known.
    pub level: Option<f64>,
    /// Whether gates compare bare numbers (`--rule point`), so that nothing is shown or ruled out.
    pub bare: bool,
}

impl<'a> Voice<'a> {
    /// As the verdict's own policy has it.
    pub fn of(verdict: &'a Verdict) -> Self {
        let bare = verdict.policy.rule == "point";
        Self { candidate: &verdict.candidate, level: effect::level(verdict), bare }
    }
}

/// What a gate found, as one sentence of its numbers, for whoever fills in [`Gate::reason`]:
/// `LightGBM's mape is 4.3 % higher than RandomForest's (95 % interval +1.2 % to +7.5 %) where holiday = 1; the margin is
/// +2 %, and a loss of at least that much is shown.`
pub fn sentence(voice: &Voice<'_>, gate: &Gate) -> String {
    let candidate = voice.candidate;
    match (gate.kind, gate.outcome) {
        (GateKind::Evidence, _) => format!("{} rests on {}.", gate.name, amount(gate)),
        (_, Outcome::Identical) => format!("{candidate} and {} do not differ{}.", baseline(gate), place(gate)),
        (GateKind::Limit, _) => limit_sentence(candidate, gate),
        _ => effect_sentence(voice, gate),
    }
}

fn effect_sentence(voice: &Voice<'_>, gate: &Gate) -> String {
    let Some(estimate) = gate.estimate else {
        return format!("No effect on {} can be estimated{}.", gate.metric, place(gate));
    };
    let interval = gate
        .interval
        .map_or_else(String::new, |_| format!(" ({} {})", effect::interval_name(voice.level), effect::interval(gate)));
    format!("{}{interval}{}{}.", compared(voice.candidate, gate, estimate), place(gate), ending(gate, voice.bare))
}

/// `A's mape is 4.3 % higher than B's`; where the direction of the metric is not known, `A is 1.2 points worse than B in da`.
fn compared(candidate: &str, gate: &Gate, estimate: f64) -> String {
    let (size, metric, baseline) = (Unit::of_gate(gate).size(estimate), &gate.metric, baseline(gate));
    let better = estimate < 0.0;
    if !size.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        format!("{candidate} and {baseline} do not differ visibly in {metric}")
    } else if effect::is_loss(metric) {
        format!("{candidate}'s {metric} is {size} {} than {baseline}'s", if better { "lower" } else { "higher" })
    } else {
        format!("{candidate} is {size} {} than {baseline} in {metric}", if better { "better" } else { "worse" })
    }
}

fn ending(gate: &Gate, bare: bool) -> String {
    let Some(margin) = gate.margin else { return String::new() };
    let unit = Unit::of_gate(gate);
    let shown = unit.exact(margin);
    match (gate.kind, gate.outcome) {
        _ if bare => format!("; the margin is {shown}, and only the bare numbers were compared"),
        (GateKind::Superiority, outcome) => {
            superiority_ending(outcome, margin, unit.exact(margin.abs()).trim_start_matches('+'))
        }
        (_, Outcome::Pass) => format!("; the margin is {shown}, and a loss of that much is ruled out"),
        (_, Outcome::Fail) => format!("; the margin is {shown}, and a loss of more than that is shown"),
        _ => format!("; the margin is {shown}, and neither side of it is ruled out"),
    }
}

fn superiority_ending(outcome: Outcome, margin: f64, size: &str) -> String {
    let asked = if margin < 0.0 { format!("an improvement of more than {size}") } else { "an improvement".to_owned() };
    match outcome {
        Outcome::Pass => format!("; {asked} is shown"),
        Outcome::Fail => format!("; {asked} is ruled out"),
        _ => format!("; {asked} is neither shown nor ruled out"),
    }
}

fn limit_sentence(candidate: &str, gate: &Gate) -> String {
    let metric = &gate.metric;
    let value = |value| effect::value(metric, value);
    let limit = gate.margin.map_or_else(String::new, |margin| {
        format!("; the limit is {}, a bare comparison", Unit::of_gate(gate).exact(margin))
    });
    let (own, other) = (value(gate.candidate_value), value(gate.baseline_value));
    format!(
        "{candidate}'s {metric}{} is {own}, {}'s {other} ({}){limit}.",
        place(gate),
        baseline(gate),
        effect::estimate(gate)
    )
}

fn baseline(gate: &Gate) -> &str {
    gate.baseline.as_deref().unwrap_or("the baseline")
}

fn place(gate: &Gate) -> String {
    let part = ["dataset: ", "window: "].iter().find_map(|prefix| gate.name.strip_prefix(prefix));
    match (&gate.slice, part) {
        (Some(slice), _) => format!(" where {slice}"),
        (None, Some(part)) => format!(" on {}", part.strip_suffix(&format!(" v {}", baseline(gate))).unwrap_or(part)),
        (None, None) => String::new(),
    }
}

/// `1,932 rows of 14 series and 23 cutoffs`.
pub fn amount(gate: &Gate) -> String {
    let n = gate.n;
    format!("{} of {} and {}", counted(n.rows, "row"), counted(n.series, "series"), counted(n.cutoffs, "cutoff"))
}

/// What a gate asks, in a few words.
pub fn question(gate: &Gate) -> String {
    let size = |margin: f64| Unit::of_gate(gate).exact(margin.abs()).trim_start_matches('+').to_owned();
    match (gate.kind, gate.margin) {
        (GateKind::Superiority, Some(margin)) if margin < 0.0 => format!("better by more than {}?", size(margin)),
        (GateKind::Superiority, _) => "better?".to_owned(),
        (GateKind::NonInferiority, Some(margin)) => format!("worse by less than {}?", size(margin)),
        (GateKind::NonInferiority, None) => "not worse?".to_owned(),
        (GateKind::Limit, _) => "within the limit?".to_owned(),
        (GateKind::Evidence, _) => "enough evidence?".to_owned(),
    }
}

/// What the verdict rests on, and what was left out.
pub fn evidence(verdict: &Verdict) -> Vec<String> {
    [Some(extent(verdict)), left_out(verdict)].into_iter().flatten().collect()
}

fn extent(verdict: &Verdict) -> String {
    let evidence = &verdict.evidence;
    let (unit, group, window) = nouns(evidence.kind);
    let n = evidence.n;
    let mut text = format!("{} of {}", counted(n.rows, unit), counted(n.series, group));
    if n.cutoffs > 0 && evidence.kind != EvidenceKind::Results {
        text = format!("{}, {} and {}", counted(n.rows, unit), counted(n.series, group), counted(n.cutoffs, window));
    }
    let details: Vec<String> = [horizon(verdict), independent(verdict)].into_iter().flatten().collect();
    if !details.is_empty() {
        _ = write!(text, " ({})", details.join("; "));
    }
    if let Some((first, last)) = &evidence.span {
        _ = write!(text, ", from {first} to {last}");
    }
    text + "."
}

/// What rows, series and cutoffs are called in this kind of evidence.
pub fn nouns(kind: EvidenceKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        EvidenceKind::Forecasts => ("paired row", "series", "cutoff"),
        EvidenceKind::Benchmark => ("paired result", "dataset", "window"),
        EvidenceKind::Results => ("paired task", "dataset", "window"),
    }
}

fn horizon(verdict: &Verdict) -> Option<String> {
    verdict.evidence.horizon.map(|steps| format!("horizon {}", counted(u64::from(steps), "step")))
}

fn independent(verdict: &Verdict) -> Option<String> {
    let windows = verdict.evidence.n.independent_windows;
    (verdict.evidence.kind == EvidenceKind::Forecasts && windows.is_finite())
        .then(|| format!("worth {windows:.1} windows that do not overlap"))
}

fn left_out(verdict: &Verdict) -> Option<String> {
    let checks = verdict.evidence.checks.as_ref()?;
    let unpaired = checks.rows.saturating_sub(checks.paired).saturating_sub(checks.duplicates_dropped);
    let parts = [
        (checks.missing_actual, "without a finite actual"),
        (unpaired.saturating_sub(checks.missing_actual), "without a finite forecast of every model"),
        (checks.duplicates_dropped, "identical duplicates"),
        (checks.zero_actual, "with an actual of zero, out of percentage errors only"),
        (checks.no_scale, "without a training scale, out of scaled errors only"),
        (checks.no_last_actual, "without a last actual, out of directional accuracy only"),
    ];
    let found: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, why)| format!("{} {why}", count(*n))).collect();
    let rows = counted(checks.rows, "row");
    Some(match found.as_slice() {
        [] => format!("None of the {rows} read was left out."),
        found => format!("Left out of {rows} read: {}.", found.join("; ")),
    })
}

/// Whether the answer survives leaving out any one part.
pub fn influence(verdict: &Verdict, influence: &Influence) -> Vec<String> {
    let (_, series, window) = nouns(verdict.evidence.kind);
    let answer = if influence.stable {
        format!("The answer to the primary gate stays the same whichever one {series} or {window} is left out.")
    } else {
        format!("The answer to the primary gate changes without {}.", any_of(&influence.changed_by))
    };
    let unit = effect::primary(verdict).map(Unit::of_gate);
    let strongest = influence.strongest.as_ref().zip(influence.estimate_without_strongest).zip(unit);
    let moved = strongest.map(|((part, estimate), unit)| {
        format!("Leaving out {part} moves the estimate most: it becomes {}.", unit.show(estimate))
    });
    std::iter::once(answer).chain(moved).collect()
}

fn any_of(parts: &[String]) -> String {
    match parts {
        [] | [_] => list(parts, "one of its parts"),
        many => format!("any one of {}", list(many, "")),
    }
}

/// What this much evidence could have shown.
pub fn power(verdict: &Verdict, power: &Power) -> Vec<String> {
    let target = number::percent(power.target).replace(".0 %", " %");
    let unit = effect::primary(verdict).map(Unit::of_gate);
    let detectable = power.detectable_effect.zip(unit).map(|(effect, unit)| {
        format!(
            "With this much evidence a true effect of {} would be shown with {target} probability.",
            unit.show(effect)
        )
    });
    let further = power.further_cutoffs.map(|n| match n {
        0 => "The effect seen here needs no further cutoff to be shown with that probability.".to_owned(),
        _ => format!(
            "The effect seen here would take {} at the present spacing to be shown with that probability.",
            counted(n, "further cutoff")
        ),
    });
    if power.reason.is_empty() { detectable.into_iter().chain(further).collect() } else { vec![power.reason.clone()] }
}

/// How the numbers of the gates are to be read.
pub fn reading(verdict: &Verdict) -> String {
    let alpha = number::shortest(100.0 * verdict.policy.alpha).trim_start_matches('+').to_owned();
    let rule = match verdict.policy.rule.as_str() {
        "point" => "Rule `point`: gates compare bare numbers, and no error rate is promised.".to_owned(),
        _ => format!(
            "A gate passes where the effect is shown to lie below its margin, with a one-sided error rate of {alpha} %{}.",
            two_sided(verdict)
        ),
    };
    format!("Effects compare the candidate with the baseline; below zero the candidate is better. {rule}")
}

/// Intervals that answer another error rate than the gates say what that means.
fn two_sided(verdict: &Verdict) -> String {
    let Some(level) = effect::level(verdict) else { return String::new() };
    let excess = 2.0 * verdict.policy.alpha - (1.0 - level);
    let (compared, surprise) = match excess {
        excess if excess > 1e-9 => ("wider", "reach across the margin of a gate that passes"),
        excess if excess < -1e-9 => ("narrower", "clear the margin of a gate that does not pass"),
        _ => return String::new(),
    };
    format!(
        "; the two-sided {}s are {compared} than that asks for, so one may {surprise}",
        effect::interval_name(Some(level))
    )
}

/// What is missing from an incomplete verdict.
pub fn missing(verdict: &Verdict) -> Option<String> {
    match (verdict.complete, verdict.missing.is_empty()) {
        (true, _) => None,
        (false, true) => Some("This verdict is incomplete.".to_owned()),
        (false, false) => Some(format!("This verdict is incomplete; missing: {}.", list(&verdict.missing, ""))),
    }
}

/// How many names a sentence lists before it counts.
const NAMED: usize = 6;

/// `a`, `a and b`, `a, b and c`, and past the sixth only their number.
pub fn list(names: &[String], none: &str) -> String {
    match names {
        [] => none.to_owned(),
        [only] => only.clone(),
        many if many.len() > NAMED => {
            format!("{} and {} more", many[..NAMED].join(", "), count((many.len() - NAMED) as u64))
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;
    use shared::format::verdict::Scale;

    fn voice(candidate: &str) -> Voice<'_> {
        Voice { candidate, level: None, bare: false }
    }

    #[test]
    fn a_bare_comparison_shows_nothing() {
        let text = sentence(&Voice { bare: true, ..voice("A") }, &fixtures::gate("x", -0.05, None));
        assert!(text.ends_with("; the margin is +2 %, and only the bare numbers were compared."), "{text}");
    }

    #[test]
    fn a_slice_that_fails_is_named_with_its_numbers() {
        let gate = Gate {
            slice: Some("holiday = 1".into()),
            kind: GateKind::NonInferiority,
            outcome: Outcome::Fail,
            ..fixtures::gate("slice: holiday = 1", 0.0432, Some([0.012, 0.075]))
        };
        let expected = "LightGBM's mape is 4.3 % higher than RandomForest's (95 % interval +1.2 % to +7.5 %) where \
                        holiday = 1; the margin is +2 %, and a loss of more than that is shown.";
        assert_eq!(sentence(&Voice { level: Some(0.95), ..voice("LightGBM") }, &gate), expected);
    }

    #[test]
    fn the_direction_of_an_unknown_metric_is_better_or_worse() {
        let gate = Gate {
            metric: "da".into(),
            scale: Scale::Difference,
            ..fixtures::gate("da", -0.012, Some([-0.03, 0.006]))
        };
        let text = sentence(&voice("A"), &Gate { outcome: Outcome::Undecided, ..gate });
        assert!(
            text.starts_with("A is 1.2 points better than RandomForest in da (interval -3.0 to +0.6 points)"),
            "{text}"
        );
    }

    #[test]
    fn superiority_says_what_was_asked() {
        let gate = Gate { kind: GateKind::Superiority, margin: Some(-0.01), ..fixtures::gate("primary", -0.05, None) };
        assert!(sentence(&voice("A"), &gate).ends_with("; an improvement of more than 1 % is shown."));
        assert_eq!(question(&gate), "better by more than 1 %?");
        assert_eq!(question(&Gate { margin: Some(0.0), ..gate }), "better?");
    }

    #[test]
    fn an_effect_too_small_to_print_is_not_called_higher() {
        let text = sentence(&voice("A"), &fixtures::gate("x", 1e-9, Some([-0.1, 0.1])));
        assert!(text.starts_with("A and RandomForest do not differ visibly in mape"), "{text}");
    }

    #[test]
    fn headlines_count_the_gates_that_decided() {
        assert_eq!(headline(&fixtures::reject()), "Do not promote LightGBM over RandomForest: 1 of 6 gates fails.");
        assert!(headline(&fixtures::promote()).ends_with("gates pass."));
    }
}
