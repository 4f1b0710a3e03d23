//! Names come from files: what could forge a line, a colour or a direction of writing is made visible before any report
//! shows it.

use shared::format::verdict::{Gate, Part, Verdict};

/// Longest text that is shown whole.
const LONGEST: usize = 600;

/// The verdict with every text made safe to show: control characters and changes of writing direction as escapes
/// (`\n`, `\u{202e}`), overlong texts cut.
pub(super) fn verdict(verdict: &Verdict) -> Verdict {
    let mut clean = verdict.clone();
    each_text(&mut clean, &mut |text| *text = shorten(&visible(text), LONGEST));
    clean
}

/// The text with every character that draws nothing, or that redirects what follows, as an escape.
pub(super) fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_treacherous(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// At most `limit` characters; the last three are dots where something is cut.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(3)).chain("...".chars()).collect()
}

/// A name for a table: at most `limit` characters, and never nothing.
pub(super) fn name(text: &str, limit: usize) -> String {
    if text.trim().is_empty() { "(empty)".to_owned() } else { shorten(text, limit) }
}

/// Control characters, line and paragraph separators, invisible and bidirectional formatting characters (Unicode
/// Technical Report 36, 3.3), and what is no character at all.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{61c}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

fn each_text(verdict: &mut Verdict, change: &mut impl FnMut(&mut String)) {
    let lists = [&mut verdict.missing, &mut verdict.reasons, &mut verdict.baselines, &mut verdict.evidence.notes];
    lists.into_iter().flatten().for_each(&mut *change);
    [&mut verdict.schema, &mut verdict.candidate, &mut verdict.metric].into_iter().for_each(&mut *change);
    [&mut verdict.tool.name, &mut verdict.tool.version].into_iter().for_each(&mut *change);
    verdict.gates.iter_mut().for_each(|gate| each_text_of_gate(gate, change));
    verdict.series.iter_mut().chain(&mut verdict.windows).for_each(|Part { name, .. }| change(name));
    if let Some((first, last)) = &mut verdict.evidence.span {
        [first, last].into_iter().for_each(&mut *change);
    }
    each_text_of_origin(verdict, change);
}

fn each_text_of_gate(gate: &mut Gate, change: &mut impl FnMut(&mut String)) {
    [&mut gate.name, &mut gate.metric, &mut gate.reason].into_iter().for_each(&mut *change);
    gate.slice.iter_mut().chain(&mut gate.baseline).for_each(change);
}

fn each_text_of_origin(verdict: &mut Verdict, change: &mut impl FnMut(&mut String)) {
    if let Some(influence) = &mut verdict.influence {
        influence.changed_by.iter_mut().chain(&mut influence.strongest).for_each(&mut *change);
    }
    verdict.power.iter_mut().for_each(|power| change(&mut power.reason));
    for subject in &mut verdict.subject {
        [&mut subject.role, &mut subject.path, &mut subject.sha256].into_iter().for_each(&mut *change);
    }
    [&mut verdict.policy.sha256, &mut verdict.policy.rule].into_iter().for_each(&mut *change);
    for input in &mut verdict.inputs {
        [&mut input.role, &mut input.sha256].into_iter().for_each(&mut *change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_is_left() {
        assert_eq!(visible("a\u{1b}[31mb\n\u{202e}c"), "a\\u{1b}[31mb\\n\\u{202e}c");
        assert_eq!(visible("naïve \u{5e9}\u{5dc}\u{5d5}\u{5dd} <b>"), "naïve \u{5e9}\u{5dc}\u{5d5}\u{5dd} <b>");
    }

    #[test]
    fn long_texts_are_cut_at_characters() {
        assert_eq!(shorten("éééééé", 6), "éééééé");
        assert_eq!(shorten("ééééééé", 6), "ééé...");
        assert_eq!(shorten("abcd", 0), "...");
    }
}
