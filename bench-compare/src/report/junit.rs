//! The verdict as `JUnit` XML: a test case for each gate and one for the decision as a whole.
//!
//! CI systems read a case without `<failure>` or `<error>` as passed, and most count `<skipped>` as no obstacle. So a gate
//! that is undecided is a failure of type `undecided`, and becomes `<skipped>` only where the policy folds undecided into
//! pass. The decision is a case of its own, so that a verdict without gates, or one that is incomplete, never reads as a pass.

use std::fmt::Write;

use shared::format::verdict::{Decision, Gate, GateKind, Outcome, Verdict};
use shared::plot::escape;

use super::{clean, words};

/// What reads as a pass although nothing was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lenience {
    /// `--inconclusive=pass`.
    pub inconclusive: bool,
    /// Identical forecasts pass: a policy that asks for non-inferiority only.
    pub identical: bool,
}

/// What a CI system is told of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Result {
    Passed,
    Skipped,
    Failed(&'static str),
}

struct Case {
    name: String,
    result: Result,
    message: String,
}

/// The verdict as a `JUnit` XML document.
pub fn junit(verdict: &Verdict, lenience: Lenience) -> String {
    let verdict = &clean::verdict(verdict);
    let cases = cases(verdict, lenience);
    let count = |wanted: fn(Result) -> bool| cases.iter().filter(|case| wanted(case.result)).count();
    let failures = count(|result| matches!(result, Result::Failed(_)));
    let skipped = count(|result| result == Result::Skipped);
    let totals = format!(r#"tests="{}" failures="{failures}" errors="0" skipped="{skipped}""#, cases.len());
    let name = escape(&format!("{} against {}", verdict.candidate, words::list(&verdict.baselines, "the baseline")));
    let body: String = cases.iter().map(write_case).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"bench-compare gate\" {totals}>\n  \
         <testsuite name=\"{name}\" {totals}>\n{}{body}  </testsuite>\n</testsuites>\n",
        properties(verdict)
    )
}

fn cases(verdict: &Verdict, lenience: Lenience) -> Vec<Case> {
    let decision = Case {
        name: "decision".to_owned(),
        result: of_decision(verdict, lenience),
        message: std::iter::once(words::headline(verdict))
            .chain(words::missing(verdict))
            .chain(words::reasons(verdict))
            .collect::<Vec<_>>()
            .join(" "),
    };
    let of_gate = |gate: &Gate| Case {
        name: gate.name.clone(),
        result: of_gate(gate, lenience),
        message: words::reason(verdict, gate),
    };
    std::iter::once(decision).chain(verdict.gates.iter().map(of_gate)).collect()
}

fn of_decision(verdict: &Verdict, lenience: Lenience) -> Result {
    match verdict.decision {
        _ if !verdict.complete => Result::Failed("incomplete"),
        Decision::Promote => Result::Passed,
        Decision::Reject => Result::Failed("reject"),
        Decision::Inconclusive if lenience.inconclusive => Result::Skipped,
        Decision::Inconclusive => Result::Failed("undecided"),
        Decision::Identical if lenience.identical => Result::Passed,
        Decision::Identical => Result::Failed("identical"),
    }
}

fn of_gate(gate: &Gate, lenience: Lenience) -> Result {
    match gate.outcome {
        Outcome::Pass => Result::Passed,
        Outcome::Fail => Result::Failed("reject"),
        Outcome::Undecided if lenience.inconclusive => Result::Skipped,
        Outcome::Undecided => Result::Failed("undecided"),
        Outcome::Identical if lenience.identical || gate.kind != GateKind::Superiority => Result::Passed,
        Outcome::Identical => Result::Failed("identical"),
    }
}

fn properties(verdict: &Verdict) -> String {
    let alpha = verdict.policy.alpha.to_string();
    let seed = verdict.seed.to_string();
    let pairs = [
        ("decision", words::decision(verdict.decision).to_lowercase()),
        ("metric", verdict.metric.clone()),
        ("rule", verdict.policy.rule.clone()),
        ("alpha", alpha),
        ("seed", seed),
        ("policy.sha256", verdict.policy.sha256.clone()),
    ];
    let digests =
        verdict.subject.iter().map(|subject| (format!("subject.{}.sha256", subject.role), subject.sha256.clone()));
    let all = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(digests);
    let property = |(name, value): (String, String)| {
        format!("      <property name=\"{}\" value=\"{}\"/>\n", escape(&name), escape(&value))
    };
    format!("    <properties>\n{}    </properties>\n", all.map(property).collect::<Vec<_>>().concat())
}

fn write_case(case: &Case) -> String {
    let mut text = format!("    <testcase classname=\"bench-compare.gate\" name=\"{}\" time=\"0\"", escape(&case.name));
    let message = escape(&case.message);
    // Writing to a String cannot fail.
    _ = match case.result {
        Result::Passed => writeln!(text, ">\n      <system-out>{message}</system-out>\n    </testcase>"),
        Result::Skipped => writeln!(text, ">\n      <skipped message=\"{message}\"/>\n    </testcase>"),
        Result::Failed(kind) => {
            writeln!(
                text,
                ">\n      <failure type=\"{kind}\" message=\"{message}\">{message}</failure>\n    </testcase>"
            )
        }
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn failures(verdict: &Verdict, lenience: Lenience) -> usize {
        junit(verdict, lenience).matches("<failure ").count()
    }

    #[test]
    fn an_undecided_gate_never_reads_as_a_pass_unless_asked() {
        let verdict = fixtures::inconclusive();
        assert_eq!(failures(&verdict, Lenience::default()), 3);
        let folded = junit(&verdict, Lenience { inconclusive: true, identical: false });
        assert_eq!((folded.matches("<failure ").count(), folded.matches("<skipped ").count()), (0, 3));
    }

    #[test]
    fn identical_forecasts_fail_where_superiority_is_asked() {
        assert_eq!(failures(&fixtures::identical(), Lenience::default()), 2);
        assert_eq!(failures(&fixtures::identical(), Lenience { identical: true, inconclusive: false }), 0);
    }

    #[test]
    fn a_verdict_without_gates_or_without_all_its_parts_fails() {
        let empty = Verdict { gates: Vec::new(), decision: Decision::Inconclusive, ..fixtures::promote() };
        assert_eq!(failures(&empty, Lenience::default()), 1);
        assert_eq!(failures(&Verdict { complete: false, ..fixtures::promote() }, Lenience::default()), 1);
        assert_eq!(failures(&fixtures::promote(), Lenience::default()), 0);
    }
}
