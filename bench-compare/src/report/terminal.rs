//! The verdict at a terminal and in a CI log: the decision first, then why, then what it rests on. ASCII wherever the words
//! are ours.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use shared::format::verdict::{Decision, Gate, Outcome, Part, Verdict};

use super::{clean, effect, number, words};

/// Narrower terminals get lines that are too long rather than a table that cannot be read.
const NARROWEST: usize = 60;
/// Sentences do not grow wider than this.
const WIDEST_TEXT: usize = 110;
/// From here on the gates table also shows the values of both models and the counts.
const ROOMY: usize = 116;
/// How many series and windows are listed.
const LISTED: usize = 5;
/// How many reasons are listed.
const REASONS: usize = 10;
/// How many gates are listed; those that fail or are undecided are listed always.
const LISTED_GATES: usize = 25;
/// Longest name in a table.
const LONGEST_NAME: usize = 48;
/// Files read that are listed: a folder may hold thousands.
const LISTED_INPUTS: usize = 20;
const INDENT: &str = "  ";

/// The verdict as text for `width` columns; with `color`, styled by ANSI sequences, which a stream of `anstream` removes
/// where they are not wanted.
pub fn terminal(verdict: &Verdict, width: usize, color: bool) -> String {
    let verdict = &clean::verdict(verdict);
    let page = Page { width: width.max(NARROWEST), color };
    let blocks = [
        page.decision(verdict),
        page.gates(verdict),
        page.section("Evidence", &evidence(verdict)),
        page.parts(verdict, &verdict.series, true),
        page.parts(verdict, &verdict.windows, false),
        page.section(
            "Influence",
            &verdict.influence.iter().flat_map(|it| words::influence(verdict, it)).collect::<Vec<_>>(),
        ),
        page.section("Power", &verdict.power.iter().flat_map(|it| words::power(verdict, it)).collect::<Vec<_>>()),
        page.section("Read", &origin(verdict)),
    ];
    blocks.into_iter().filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n")
}

fn evidence(verdict: &Verdict) -> Vec<String> {
    let mut sentences = words::evidence(verdict);
    sentences.extend(verdict.evidence.notes.iter().cloned());
    sentences
}

fn origin(verdict: &Verdict) -> Vec<String> {
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    let about =
        verdict.subject.iter().map(|it| format!("about {} {} (sha256 {})", it.role, it.path, short(&it.sha256)));
    let read = verdict
        .inputs
        .iter()
        .map(|it| format!("{} {} (sha256 {})", it.role, clean::visible(&it.path.to_string_lossy()), short(&it.sha256)));
    let policy = &verdict.policy;
    let rules = format!("rule {}, policy sha256 {}, seed {}", policy.rule, short(&policy.sha256), verdict.seed);
    let hidden = verdict.inputs.len().saturating_sub(LISTED_INPUTS);
    let more = (hidden > 0).then(|| format!("and {hidden} more files, which the JSON lists"));
    about.chain(read.take(LISTED_INPUTS)).chain(more).chain([rules]).collect()
}

struct Page {
    width: usize,
    color: bool,
}

impl Page {
    fn decision(&self, verdict: &Verdict) -> String {
        let word = self.paint(style_of(verdict.decision), words::decision(verdict.decision));
        let [margin, text] = [0, 2].map(|indent| self.text_width() - indent);
        let headline = wrap(&words::headline(verdict), margin, words::decision(verdict.decision).len() + 2);
        let found = words::reasons(verdict);
        let hidden = found.len().saturating_sub(REASONS) as u64;
        let more = (hidden > 0).then(|| format!("and {} more", number::counted(hidden, "reason")));
        let reasons = words::missing(verdict).into_iter().chain(found.into_iter().take(REASONS)).chain(more);
        let reasons: String = reasons.map(|reason| bullet(&reason, text)).collect();
        format!("{word}  {}\n\n{reasons}", headline.join("\n"))
    }

    fn section(&self, title: &str, sentences: &[String]) -> String {
        if sentences.is_empty() {
            return String::new();
        }
        let lines = sentences.iter().flat_map(|sentence| wrap(sentence, self.text_width() - INDENT.len(), 0));
        let body = indented(lines);
        format!("{}\n{body}", self.heading(title))
    }

    fn gates(&self, verdict: &Verdict) -> String {
        if verdict.gates.is_empty() {
            return String::new();
        }
        let (shown, hidden) = listed(&verdict.gates, LISTED_GATES);
        let roomy = self.width >= ROOMY;
        let interval = effect::interval_name(effect::level(verdict));
        let mut header = vec!["outcome", "gate", "effect", &interval, "margin", "p"];
        if roomy {
            header.extend(["candidate", "baseline", "rows"]);
        }
        let rows = shown.iter().map(|gate| gate_row(gate, roomy));
        let table = self.table(&header, rows, 1);
        let colored: String = table.lines().map(|line| self.paint_outcome(line) + "\n").collect();
        let more = if hidden > 0 {
            format!("{INDENT}and {} more that pass\n", number::counted(hidden, "gate"))
        } else {
            String::new()
        };
        let reading = indented(wrap(&words::reading(verdict), self.text_width() - INDENT.len(), 0));
        format!("{}\n{colored}{more}{reading}", self.heading("Gates"))
    }

    fn parts(&self, verdict: &Verdict, parts: &[Part], are_series: bool) -> String {
        if parts.is_empty() {
            return String::new();
        }
        let primary = effect::primary(verdict);
        let (_, series, window) = words::nouns(verdict.evidence.kind);
        let noun = if are_series { series } else { window };
        let row = |part: &Part| {
            let value = |value| effect::value(&verdict.metric, value);
            let name = clean::name(&part.name, LONGEST_NAME);
            let effect = effect::of_part(primary, part.estimate);
            vec![name, effect, value(part.candidate_value), value(part.baseline_value), number::count(part.rows)]
        };
        let header = [noun, "effect", "candidate", "baseline", "rows"];
        let table = self.table(&header, parts.iter().take(LISTED).map(row), 0);
        let shown = parts.len().min(LISTED) as u64;
        let title = format!(
            "Worst for the candidate: {} of {}",
            number::count(shown),
            number::counted(parts.len() as u64, noun)
        );
        format!("{}\n{table}", self.heading(&title))
    }

    /// A table without rules, `name` being its only column of words besides the first; numbers at the right.
    fn table(&self, header: &[&str], rows: impl Iterator<Item = Vec<String>>, name: usize) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(self.width - INDENT.len()).unwrap_or(u16::MAX));
        table.set_header(header.iter().enumerate().map(|(column, title)| cell(title, column > name)));
        for row in rows {
            table.add_row(row.iter().enumerate().map(|(column, text)| cell(text, column > name)));
        }
        for (place, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if place == name {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(18)));
            } else {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        indented(table.lines().map(|line| line.trim_end().to_owned()))
    }

    fn heading(&self, title: &str) -> String {
        self.paint(Style::new().bold(), title)
    }

    fn text_width(&self) -> usize {
        self.width.min(WIDEST_TEXT)
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A row of the gates table starts with its outcome.
    fn paint_outcome(&self, line: &str) -> String {
        let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Undecided, Outcome::Identical];
        let found =
            outcomes.into_iter().find(|outcome| line.trim_start().split(' ').next() == Some(words::outcome(*outcome)));
        found.map_or_else(
            || line.to_owned(),
            |outcome| {
                let word = words::outcome(outcome);
                line.replacen(word, &self.paint(style_of(decision_like(outcome)), word), 1)
            },
        )
    }
}

fn gate_row(gate: &Gate, roomy: bool) -> Vec<String> {
    let name = clean::name(&gate.name, LONGEST_NAME);
    let outcome = words::outcome(gate.outcome).to_owned();
    let estimate = gate.estimate.map_or_else(String::new, |_| effect::estimate(gate));
    let numbers = [estimate, effect::interval(gate), effect::margin(gate), effect::deciding_p(gate)];
    let mut row = vec![outcome, name];
    row.extend(numbers.map(|number| effect::brief(&number)));
    if roomy {
        let value = |value: Option<f64>| value.map_or_else(String::new, |_| effect::value(&gate.metric, value));
        row.extend([value(gate.candidate_value), value(gate.baseline_value), number::count(gate.n.rows)]);
    }
    row
}

/// The gates that are listed, and how many are not: past the limit only those that do not pass.
pub(super) fn listed(gates: &[Gate], limit: usize) -> (Vec<&Gate>, u64) {
    let keep = |(place, gate): &(usize, &Gate)| *place < limit || gate.outcome != Outcome::Pass;
    let shown: Vec<&Gate> = gates.iter().enumerate().filter(keep).map(|(_, gate)| gate).collect();
    let hidden = (gates.len() - shown.len()) as u64;
    (shown, hidden)
}

fn style_of(decision: Decision) -> Style {
    let color = match decision {
        Decision::Promote => AnsiColor::Green,
        Decision::Reject => AnsiColor::Red,
        Decision::Inconclusive => AnsiColor::Yellow,
        Decision::Identical => AnsiColor::Cyan,
    };
    color.on_default().bold()
}

fn decision_like(outcome: Outcome) -> Decision {
    match outcome {
        Outcome::Pass => Decision::Promote,
        Outcome::Fail => Decision::Reject,
        Outcome::Undecided => Decision::Inconclusive,
        Outcome::Identical => Decision::Identical,
    }
}

fn cell(text: &str, is_number: bool) -> Cell {
    Cell::new(text).set_alignment(if is_number { CellAlignment::Right } else { CellAlignment::Left })
}

fn bullet(text: &str, width: usize) -> String {
    let lines = wrap(text, width - 2, 0).into_iter().enumerate();
    indented(lines.map(|(place, line)| (if place == 0 { "- " } else { "  " }).to_owned() + &line))
}

fn indented(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| [INDENT, &line, "\n"].concat()).collect()
}

/// The words in lines of at most `width` characters; the first line is `used` characters shorter. Words are never cut.
fn wrap(text: &str, width: usize, used: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut left = width.saturating_sub(used);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if length > left && lines.last().is_some_and(|line| !line.is_empty()) {
            lines.push(String::new());
            left = width;
        }
        if let Some(line) = lines.last_mut() {
            let gap = if line.is_empty() { "" } else { " " };
            line.push_str(gap);
            line.push_str(word);
            left = left.saturating_sub(length + 1);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn the_decision_is_the_first_word() {
        for verdict in fixtures::each() {
            assert!(terminal(&verdict, 100, false).starts_with(words::decision(verdict.decision)));
        }
    }

    #[test]
    fn thousands_of_files_are_not_all_listed() {
        let mut verdict = fixtures::each()[0].clone();
        let file = verdict.inputs[0].clone();
        verdict.inputs = vec![file; 10_000];
        let text = terminal(&verdict, 100, false);
        assert!(text.contains("and 9980 more files, which the JSON lists") && text.lines().count() < 200, "{text}");
    }

    #[test]
    fn lines_fit_the_width() {
        for (verdict, width) in fixtures::each().iter().flat_map(|it| [(it, 80), (it, 100), (it, 140)]) {
            let text = terminal(verdict, width, false);
            let longest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
            assert!(longest.chars().count() <= width, "{width}: {longest}");
        }
    }

    #[test]
    fn without_color_nothing_but_ascii_is_ours() {
        for verdict in fixtures::each() {
            assert!(terminal(&verdict, 100, false).is_ascii());
        }
    }

    #[test]
    fn hostile_names_cannot_forge_lines_or_colors() {
        let text = terminal(&fixtures::hostile(), 100, false);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\r'));
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::error")), "{text}");
    }

    #[test]
    fn color_changes_nothing_but_color() {
        let verdict = fixtures::reject();
        let colored = terminal(&verdict, 100, true);
        assert!(colored.starts_with("\u{1b}[1m\u{1b}[31mREJECT"));
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), terminal(&verdict, 100, false));
    }
}
