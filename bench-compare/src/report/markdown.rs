//! The verdict as a comment on a pull request: decision, reasons and gates in sight, the rest folded.

use std::fmt::Write;

use shared::format::verdict::{Decision, Gate, Outcome, Part, Verdict};

use super::terminal::listed;
use super::{clean, effect, number, words};

/// How many series, windows, notes, reasons and files are listed.
const LISTED: usize = 10;
/// Longest name in a table.
const LONGEST_NAME: usize = 80;
/// What GitHub accepts is 65,536 characters; past this the folded parts are left out.
const LONGEST: usize = 60_000;
/// Past this many gates those that pass are only counted.
const LISTED_GATES: usize = 25;
/// Gates are listed up to here, even if all of them fail.
const MOST_GATES: usize = 100;

/// The verdict as GitHub-flavoured Markdown of fewer than 65,536 characters. Nothing in it notifies a person, links or loads.
pub fn markdown(verdict: &Verdict) -> String {
    let verdict = &clean::verdict(verdict);
    let top = decision(verdict) + &gates(verdict) + &evidence(verdict);
    let folded = [parts(verdict, true), parts(verdict, false), trust(verdict), origin(verdict)];
    folded.into_iter().fold(top, |page, block| if page.len() + block.len() > LONGEST { page } else { page + &block })
}

fn decision(verdict: &Verdict) -> String {
    let mut text = format!(
        "## {} {}\n\n**{}**\n\n",
        symbol(verdict.decision),
        words::decision(verdict.decision),
        prose(&words::headline(verdict))
    );
    if let Some(missing) = words::missing(verdict) {
        // Writing to a String cannot fail.
        _ = write!(text, "> **{}**\n\n", prose(&missing));
    }
    text + &bullets(&words::reasons(verdict)) + "\n"
}

fn symbol(decision: Decision) -> &'static str {
    match decision {
        Decision::Promote => "\u{2705}",
        Decision::Reject => "\u{274c}",
        Decision::Inconclusive => "\u{2754}",
        Decision::Identical => "\u{1f7f0}",
    }
}

fn gates(verdict: &Verdict) -> String {
    if verdict.gates.is_empty() {
        return String::new();
    }
    let (shown, hidden) = listed(&verdict.gates, LISTED_GATES);
    let hidden = hidden + shown.len().saturating_sub(MOST_GATES) as u64;
    let interval = effect::interval_name(effect::level(verdict));
    let header = format!("| outcome | gate | effect | {interval} | margin | p |\n|:--|:--|--:|--:|--:|--:|\n");
    let rows: String = shown.into_iter().take(MOST_GATES).map(gate_row).collect();
    let more = if hidden > 0 { format!("\n...and {} more.\n", number::counted(hidden, "gate")) } else { String::new() };
    format!("{header}{rows}{more}\n<sub>{}</sub>\n\n", prose(&words::reading(verdict)))
}

fn gate_row(gate: &Gate) -> String {
    let estimate = gate.estimate.map_or_else(String::new, |_| effect::estimate(gate));
    let outcome = match gate.outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "**FAIL**",
        Outcome::Undecided => "**undecided**",
        Outcome::Identical => "identical",
    };
    let numbers = [estimate, effect::interval(gate), effect::margin(gate), effect::deciding_p(gate)];
    let numbers = numbers.map(|number| effect::brief(&number).replace('<', "&lt;")).join(" | ");
    format!("| {outcome} | {} | {numbers} |\n", code(&gate.name))
}

fn evidence(verdict: &Verdict) -> String {
    let sentences = words::evidence(verdict);
    format!("**Evidence.** {}\n\n", prose(&sentences.join(" "))) + &bullets(&verdict.evidence.notes) + "\n"
}

fn parts(verdict: &Verdict, are_series: bool) -> String {
    let parts = if are_series { &verdict.series } else { &verdict.windows };
    if parts.is_empty() {
        return String::new();
    }
    let (_, series, window) = words::nouns(verdict.evidence.kind);
    let noun = if are_series { series } else { window };
    let primary = effect::primary(verdict);
    let row = |part: &Part| {
        let value = |value| effect::value(&verdict.metric, value);
        let (own, other) = (value(part.candidate_value), value(part.baseline_value));
        format!(
            "| {} | {} | {own} | {other} | {} |\n",
            code(&part.name),
            effect::of_part(primary, part.estimate),
            number::count(part.rows)
        )
    };
    let rows: String = parts.iter().take(LISTED).map(row).collect();
    let shown = number::count(parts.len().min(LISTED) as u64);
    let title = format!("Worst for the candidate: {shown} of {}", number::counted(parts.len() as u64, noun));
    fold(&title, &format!("| {noun} | effect | candidate | baseline | rows |\n|:--|--:|--:|--:|--:|\n{rows}"))
}

fn trust(verdict: &Verdict) -> String {
    let influence = verdict.influence.iter().flat_map(|it| words::influence(verdict, it));
    let power = verdict.power.iter().flat_map(|it| words::power(verdict, it));
    let sentences: Vec<String> = influence.chain(power).collect();
    if sentences.is_empty() { String::new() } else { fold("Influence and power", &bullets(&sentences)) }
}

fn origin(verdict: &Verdict) -> String {
    let mut text = String::from("| what | path | SHA-256 |\n|:--|:--|:--|\n");
    let subjects = verdict.subject.iter().map(|it| (format!("judged: {}", it.role), it.path.clone(), &it.sha256));
    let inputs = verdict
        .inputs
        .iter()
        .map(|it| (format!("read: {}", it.role), clean::visible(&it.path.to_string_lossy()), &it.sha256));
    for (what, path, digest) in subjects.chain(inputs).take(2 * LISTED) {
        // Writing to a String cannot fail.
        _ = writeln!(text, "| {} | {} | {} |", prose(&what), code(&path), code(digest));
    }
    let policy = &verdict.policy;
    let seed = format!(
        "\nRule {}, policy {}, seed {}; {} {}.\n",
        code(&policy.rule),
        code(&policy.sha256),
        verdict.seed,
        prose(&verdict.tool.name),
        prose(&verdict.tool.version)
    );
    let settings = serde_json::to_string_pretty(&policy.settings).unwrap_or_default();
    let settings: Vec<String> =
        settings.lines().take(60).map(|line| format!("    {}\n", clean::visible(line))).collect();
    fold("Artefacts, inputs and policy", &format!("{text}{seed}\n{}", settings.concat()))
}

fn fold(title: &str, body: &str) -> String {
    format!("<details>\n<summary>{}</summary>\n\n{body}\n</details>\n\n", prose(title))
}

fn bullets(sentences: &[String]) -> String {
    let lines: String = sentences.iter().take(LISTED).map(|sentence| ["- ", &prose(sentence), "\n"].concat()).collect();
    let hidden = sentences.len().saturating_sub(LISTED) as u64;
    if hidden > 0 { format!("{lines}- ...and {} more\n", number::count(hidden)) } else { lines }
}

/// Text in which nothing is markup, a mention or a reference: special characters are escaped, `@jane` and `#1` are broken
/// by a zero-width space.
fn prose(text: &str) -> String {
    let mut before = ' ';
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => escaped.extend(['\\', c]),
            '@' | '#' if !before.is_alphanumeric() => escaped.extend([c, '\u{200b}']),
            c => escaped.push(c),
        }
        before = c;
        escaped
    })
}

/// A name as code, whatever it holds; in a table its bars are escaped.
fn code(name: &str) -> String {
    let name = clean::name(name, LONGEST_NAME).replace('|', "\\|");
    let longest_run = name.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest_run + 1);
    match longest_run {
        0 => format!("{fence}{name}{fence}"),
        _ => format!("{fence} {name} {fence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn a_comment_fits() {
        for verdict in fixtures::each() {
            let page = markdown(&verdict);
            assert!(page.len() < 10_000, "{}", page.len());
        }
        let mut crowded = fixtures::wide();
        crowded.gates = vec![Gate { outcome: Outcome::Fail, name: "n".repeat(900), ..crowded.gates[0].clone() }; 3000];
        crowded.reasons = vec!["r".repeat(5000); 3000];
        assert!(markdown(&crowded).chars().count() < 65_536);
    }

    #[test]
    fn names_are_neither_markup_nor_mentions() {
        assert_eq!(prose("a*b <i> @jane x@y #1"), "a\\*b &lt;i&gt; @\u{200b}jane x@y #\u{200b}1");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code(""), "`(empty)`");
        let page = markdown(&fixtures::hostile());
        assert!(!page.contains("<script>") || page.contains("`<script>"));
        assert!(page.lines().filter(|line| line.starts_with('|')).all(|line| !line.contains('\r')));
    }

    #[test]
    fn every_row_of_a_table_has_as_many_cells_as_its_header() {
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        for verdict in fixtures::each().into_iter().chain([fixtures::hostile(), fixtures::wide()]) {
            let page = markdown(&verdict);
            let lines: Vec<&str> = page.lines().collect();
            let pairs = lines.windows(2).filter(|pair| pair.iter().all(|line| line.starts_with('|')));
            pairs.for_each(|pair| assert_eq!(bars(pair[0]), bars(pair[1]), "{pair:?}"));
        }
    }
}
