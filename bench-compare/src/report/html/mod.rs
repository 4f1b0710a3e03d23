//! The verdict as one self-contained page: no script, no request, light and dark, readable on paper and on a phone.

mod gates;
mod parts;

use askama::Template;
use shared::format::verdict::{Decision, Gate, Outcome, Verdict};

use self::gates::Group;
use self::parts::{Rows, View};
use super::terminal::listed;
use super::{clean, effect, number, words};

/// Past this many gates those that pass are only counted.
const LISTED_GATES: usize = 200;
/// How many files and settings are listed.
const LISTED: usize = 200;

/// Longest name in a caption.
const SHORT_NAME: usize = 24;

/// The page, filled in.
#[derive(Template)]
#[template(path = "verdict.html")]
struct Page<'a> {
    verdict: &'a Verdict,
    decision: &'static str,
    tone: &'static str,
    against: String,
    headline: String,
    missing: Option<String>,
    reasons: Vec<String>,
    facts: Vec<Fact>,
    groups: Vec<Group>,
    hidden_gates: u64,
    sentences: Vec<String>,
    reading: String,
    interval_name: String,
    slices: Option<Rows>,
    views: Vec<View>,
    evidence: Vec<String>,
    notes: &'a [String],
    influence: Vec<String>,
    power: Vec<String>,
    files: Vec<FileRow>,
    settings: Vec<(String, String)>,
}

/// One of the figures under the headline.
struct Fact {
    label: String,
    value: String,
    note: String,
}

/// A file that the verdict is about or rests on.
struct FileRow {
    what: String,
    path: String,
    sha256: String,
}

/// The verdict as an HTML document.
///
/// # Errors
/// If the template cannot be rendered, which only a failing formatter can cause.
pub fn html(verdict: &Verdict) -> shared::Result<String> {
    let verdict = &clean::verdict(verdict);
    let failed =
        |error: askama::Error| shared::Error::Environment { what: format!("the HTML report: {error}"), help: None };
    page(verdict).render().map_err(failed)
}

/// Sentences in which no line breaks between a number and its percent sign.
fn unbroken(sentences: impl IntoIterator<Item = String>) -> Vec<String> {
    sentences.into_iter().map(|sentence| sentence.replace(" %", "\u{a0}%")).collect()
}

fn page(verdict: &Verdict) -> Page<'_> {
    let (shown, hidden_gates) = listed(&verdict.gates, LISTED_GATES);
    Page {
        verdict,
        decision: words::decision(verdict.decision),
        tone: tone_of(verdict.decision),
        against: words::list(&verdict.baselines, "the baseline"),
        headline: words::headline(verdict),
        missing: words::missing(verdict),
        reasons: unbroken(words::reasons(verdict).into_iter().take(LISTED)),
        facts: facts(verdict),
        sentences: unbroken(shown.iter().map(|gate| words::reason(verdict, gate))),
        groups: gates::groups(&shown),
        hidden_gates,
        reading: words::reading(verdict),
        interval_name: effect::interval_name(effect::level(verdict)),
        slices: parts::slices(verdict),
        views: parts::views(verdict),
        evidence: words::evidence(verdict),
        notes: &verdict.evidence.notes,
        influence: unbroken(verdict.influence.iter().flat_map(|it| words::influence(verdict, it))),
        power: unbroken(verdict.power.iter().flat_map(|it| words::power(verdict, it))),
        files: files(verdict),
        settings: settings(&verdict.policy.settings),
    }
}

fn facts(verdict: &Verdict) -> Vec<Fact> {
    let effect = effect::primary(verdict).map(|gate| effect_facts(verdict, gate));
    effect.into_iter().flatten().chain([gate_fact(verdict), evidence_fact(verdict)]).collect()
}

fn effect_facts(verdict: &Verdict, gate: &Gate) -> [Fact; 2] {
    let interval = gate.interval.map_or_else(
        || "no interval can be given".to_owned(),
        |_| format!("{} {}", effect::interval_name(effect::level(verdict)), typeset(&effect::interval(gate))),
    );
    let value = |value| effect::value(&gate.metric, value);
    let short = |name: &str| clean::shorten(name, SHORT_NAME);
    let baseline = gate.baseline.as_deref().unwrap_or("baseline");
    [
        Fact { label: format!("effect on {}", gate.metric), value: typeset(&effect::estimate(gate)), note: interval },
        Fact {
            label: format!("{}, {} / {}", gate.metric, short(&verdict.candidate), short(baseline)),
            value: typeset(&format!("{} / {}", value(gate.candidate_value), value(gate.baseline_value))),
            note: gate.p_value.map_or_else(String::new, |p| format!("one-sided {}", number::p_clause(p))),
        },
    ]
}

fn gate_fact(verdict: &Verdict) -> Fact {
    let count = |wanted: Outcome| verdict.gates.iter().filter(|gate| gate.outcome == wanted).count() as u64;
    let outcomes = [
        (Outcome::Pass, "pass"),
        (Outcome::Fail, "fail"),
        (Outcome::Undecided, "undecided"),
        (Outcome::Identical, "identical"),
    ];
    let found = outcomes.map(|(outcome, word)| (count(outcome), word)).into_iter().filter(|(n, _)| *n > 0);
    let value: Vec<String> = found.map(|(n, word)| format!("{} {word}", number::count(n))).collect();
    let alpha = number::shortest(100.0 * verdict.policy.alpha).trim_start_matches('+').to_owned();
    let note = match verdict.policy.rule.as_str() {
        "point" => "bare comparison, no error rate".to_owned(),
        _ => format!("one-sided error rate of each {alpha} %"),
    };
    Fact { label: "gates".to_owned(), value: value.join(", "), note }
}

fn evidence_fact(verdict: &Verdict) -> Fact {
    let n = verdict.evidence.n;
    let (row, series, window) = words::nouns(verdict.evidence.kind);
    let value = format!("{}, {}", number::counted(n.series, series), number::counted(n.cutoffs, window));
    Fact { label: "evidence".to_owned(), value, note: number::counted(n.rows, row) }
}

fn files(verdict: &Verdict) -> Vec<FileRow> {
    let subjects = verdict.subject.iter().map(|it| FileRow {
        what: format!("judged: {}", it.role),
        path: it.path.clone(),
        sha256: it.sha256.clone(),
    });
    let inputs = verdict.inputs.iter().map(|it| FileRow {
        what: format!("read: {}", it.role),
        path: clean::visible(&it.path.to_string_lossy()),
        sha256: it.sha256.clone(),
    });
    subjects.chain(inputs).take(LISTED).collect()
}

/// The settings, one a line; what is not an object is one setting.
fn settings(value: &serde_json::Value) -> Vec<(String, String)> {
    let shown = |value: &serde_json::Value| clean::shorten(&clean::visible(&value.to_string()), LISTED);
    match value.as_object() {
        Some(object) => object.iter().take(LISTED).map(|(name, value)| (clean::visible(name), shown(value))).collect(),
        None if value.is_null() => Vec::new(),
        None => vec![("settings".to_owned(), shown(value))],
    }
}

fn tone_of(decision: Decision) -> &'static str {
    match decision {
        Decision::Promote => "promote",
        Decision::Reject => "reject",
        Decision::Inconclusive => "inconclusive",
        Decision::Identical => "identical",
    }
}

/// The class of an effect's colour.
fn sign_tone(effect: Option<f64>) -> &'static str {
    match effect {
        Some(effect) if effect > 0.0 => "worse",
        Some(effect) if effect < 0.0 => "better",
        _ => "identical",
    }
}

/// Numbers in a cell as typography has them: a true minus, no break before the unit.
fn typeset(text: &str) -> String {
    effect::brief(text).replace('-', "\u{2212}").replace(" %", "\u{a0}%").replace(',', "\u{202f}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn a_page_loads_nothing_and_runs_nothing() {
        for verdict in fixtures::each().into_iter().chain([fixtures::hostile(), fixtures::wide()]) {
            let page = html(&verdict).unwrap();
            for forbidden in ["<script", "http:", "https:", "url(", "<link", "<img", "@import", "onload"] {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let page = html(&fixtures::hostile()).unwrap();
        assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"));
        assert_eq!(
            (page.matches("</style>").count(), page.matches("</title>").count() - page.matches("<title>").count()),
            (1, 0)
        );
        assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}') && !page.contains('\0'));
        assert!(!page.contains("NaN") && !page.contains("inf%"));
    }

    #[test]
    fn the_first_screen_answers() {
        let page = html(&fixtures::reject()).unwrap();
        let header = page.split("</header>").next().unwrap();
        assert!(header.contains("REJECT") && header.contains("Do not promote LightGBM over RandomForest"));
        assert!(header.contains("8.7\u{a0}% higher than RandomForest") && header.contains("where holiday = 1"));
    }

    #[test]
    fn five_hundred_series_make_a_page_of_bounded_size() {
        let page = html(&fixtures::wide()).unwrap();
        assert!(page.len() < 400_000, "{}", page.len());
        assert!(page.contains("30 of 500 series"));
    }
}
