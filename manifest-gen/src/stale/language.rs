//! What kind of text a file is, told from its name and first line, and where its comments stand.

use std::ops::Range;
use std::path::Path;

/// How the text of a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Notebook,
    Yaml,
    Toml,
    Shell,
    Makefile,
    Markdown,
    Json,
    /// Comments are whole lines: Dockerfile, crontab, unit and environment files.
    Lines,
}

impl Language {
    /// The language of a file, if it is one in which models are named.
    pub(super) fn of(path: &Path, bytes: &[u8]) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        of_name(&name).or_else(|| of_ending(end)).or_else(|| of_first_line(bytes))
    }

    /// The ranges that say nothing to a program: comments; in Markdown also the blocks between the markers of `render`.
    pub(super) fn silent(self, text: &[u8]) -> Vec<Range<usize>> {
        match self {
            Self::Python | Self::Toml => quoted_language(text),
            Self::Yaml | Self::Shell | Self::Makefile => by_line(text, comment_at_word),
            Self::Lines => by_line(text, comment_line),
            Self::Markdown => markdown(text),
            Self::Json | Self::Notebook => Vec::new(),
        }
    }
}

fn of_name(name: &str) -> Option<Language> {
    match name {
        "makefile" | "gnumakefile" => Some(Language::Makefile),
        "crontab" => Some(Language::Lines),
        _ if name.starts_with("dockerfile") || name.starts_with("containerfile") => Some(Language::Lines),
        _ if name.starts_with("crontab.") || name.starts_with(".env") => Some(Language::Lines),
        _ => None,
    }
}

fn of_ending(end: &str) -> Option<Language> {
    Some(match end {
        "py" | "pyi" | "pyw" => Language::Python,
        "ipynb" => Language::Notebook,
        "yaml" | "yml" => Language::Yaml,
        "toml" => Language::Toml,
        "sh" | "bash" | "zsh" | "ksh" => Language::Shell,
        "mk" => Language::Makefile,
        "md" | "markdown" | "mdx" => Language::Markdown,
        "json" => Language::Json,
        "dockerfile" | "cron" | "env" | "ini" | "cfg" | "conf" | "service" | "timer" => Language::Lines,
        _ => return None,
    })
}

/// Scripts without an ending say in their first line what runs them.
fn of_first_line(bytes: &[u8]) -> Option<Language> {
    let head = &bytes[..bytes.len().min(128)];
    let line = String::from_utf8_lossy(head.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?).into_owned();
    let program =
        line.split(['/', ' ', '\t', '\r']).rfind(|word| !word.is_empty() && !word.starts_with('-'))?.to_owned();
    match program.trim_end_matches(|char: char| char.is_ascii_digit() || char == '.') {
        "sh" | "bash" | "dash" | "zsh" | "ksh" => Some(Language::Shell),
        "python" => Some(Language::Python),
        _ => None,
    }
}

/// The comments of each line, with strings that do not pass its end: an apostrophe in a here-document spoils one line only.
fn by_line(text: &[u8], comment: fn(&[u8]) -> Option<usize>) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        ranges.extend(comment(line).map(|at| start + at..start + line.len()));
        start += line.len();
    }
    ranges
}

fn comment_line(line: &[u8]) -> Option<usize> {
    let first = line.iter().position(|byte| !byte.is_ascii_whitespace())?;
    matches!(line[first], b'#' | b';').then_some(first)
}

/// `#` opens a comment at the start of a word outside quotes.
fn comment_at_word(line: &[u8]) -> Option<usize> {
    let mut quote = None;
    let mut before = b' ';
    for (at, &byte) in line.iter().enumerate() {
        let at_word = before.is_ascii_whitespace() || b"([{,:=;&|".contains(&before);
        match (quote, byte) {
            (None, b'#') if before.is_ascii_whitespace() || b";&|".contains(&before) => return Some(at),
            (None, b'"' | b'\'') if at_word => quote = Some(byte),
            (Some(open), _) if open == byte && before != b'\\' => quote = None,
            _ => {}
        }
        before = byte;
    }
    None
}

/// Python and TOML: `#` outside strings, which may be tripled and then pass the end of the line.
fn quoted_language(text: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at = match byte {
            b'#' => {
                let end = line_end(text, at);
                ranges.push(at..end);
                end
            }
            b'"' | b'\'' => string_end(text, at),
            _ => at + 1,
        };
    }
    ranges
}

fn line_end(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |far| at + far)
}

/// Behind the string that opens at `at`; behind its line if it is not closed there.
fn string_end(text: &[u8], at: usize) -> usize {
    let quote = text[at];
    let tripled = text[at..].starts_with(&[quote; 3]);
    let mut here = at + if tripled { 3 } else { 1 };
    while let Some(&byte) = text.get(here) {
        match byte {
            b'\\' => here += 1,
            b'\n' if !tripled => return here,
            _ if tripled && text[here..].starts_with(&[quote; 3]) => return here + 3,
            _ if !tripled && byte == quote => return here + 1,
            _ => {}
        }
        here += 1;
    }
    text.len()
}

/// Opens a block that `render` writes.
const BLOCK_BEGIN: &[u8] = b"<!-- manifest-gen:begin";

/// Closes it.
const BLOCK_END: &[u8] = b"<!-- manifest-gen:end";

fn markdown(text: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    // Many blocks that are never closed must not make as many searches to the end of the text.
    let last_end = text.windows(BLOCK_END.len()).rposition(|window| window == BLOCK_END);
    while let Some(open) = find(text, at, b"<!--") {
        let closed = find(text, open, b"-->").map(|end| end + 3);
        let is_block = text[open..].starts_with(BLOCK_BEGIN) && last_end.is_some_and(|end| end > open);
        let block = is_block.then(|| find(text, open, BLOCK_END)).flatten();
        // What is never closed hides nothing.
        let Some(end) = block.or(closed) else { break };
        ranges.push(open..end);
        at = end;
    }
    ranges
}

fn find(text: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    text[from..].windows(what.len()).position(|window| window == what).map(|far| from + far)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text without what is silent.
    fn heard(language: Language, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for range in language.silent(text.as_bytes()).into_iter().rev() {
            bytes.drain(range);
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn comments_of_python_end_with_their_line_and_strings_have_none() {
        assert_eq!(
            heard(Language::Python, "a = '#x' # c\nb = \"\"\"\n# doc\n\"\"\" #d"),
            "a = '#x' \nb = \"\"\"\n# doc\n\"\"\" "
        );
        assert_eq!(heard(Language::Python, "a = \"\\\"#x\" # c"), "a = \"\\\"#x\" ");
        assert_eq!(heard(Language::Python, "it's # a\nb # c\n"), "it's # a\nb \n");
    }

    #[test]
    fn comments_of_shell_and_yaml_begin_a_word() {
        assert_eq!(heard(Language::Shell, "a#b ${x#y} '# q' # c\nd"), "a#b ${x#y} '# q' d");
        assert_eq!(heard(Language::Yaml, "key: don't # c\nurl: http://x/#y\n"), "key: don't url: http://x/#y\n");
    }

    #[test]
    fn markdown_leaves_out_comments_and_generated_blocks() {
        let text = "a <!-- x --> b\n<!-- manifest-gen:begin registry -->\nT\n<!-- manifest-gen:end -->\nc <!-- open";
        assert_eq!(heard(Language::Markdown, text), "a  b\n\nc <!-- open");
    }

    #[test]
    fn names_and_first_lines_tell_the_language() {
        let of = |name: &str, text: &str| Language::of(Path::new(name), text.as_bytes());
        assert_eq!(of("deploy/Dockerfile.api", ""), Some(Language::Lines));
        assert_eq!(of("a/Makefile", ""), Some(Language::Makefile));
        assert_eq!(of("score", "#!/usr/bin/env python3.11\n"), Some(Language::Python));
        assert_eq!(of("score", "#!/bin/bash -eu\n"), Some(Language::Shell));
        assert_eq!(of("a.pkl", "lightgbm_v1"), None);
    }
}
