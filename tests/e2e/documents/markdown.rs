//! As much of Markdown as the documents use: fenced blocks, headings, links, code within a line.

use std::collections::HashMap;

/// A fenced block of code.
pub(super) struct Block {
    /// What stands behind the fence; often nothing.
    pub(super) language: String,
    pub(super) text: String,
}

/// Splits a page into its blocks of code, and all else with the blocks left empty, so that lines keep their numbers.
pub(super) fn split(page: &str) -> (Vec<Block>, String) {
    let (mut blocks, mut prose, mut open) = (Vec::new(), String::new(), None);
    for line in page.lines() {
        let fence = line.trim_start().strip_prefix("```");
        match (open.take(), fence) {
            (None, Some(language)) => open = Some(Block { language: language.trim().to_owned(), text: String::new() }),
            (None, None) => prose.push_str(line),
            (Some(block), Some(_)) => blocks.push(block),
            (Some(mut block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
        }
        prose.push('\n');
    }
    assert!(open.is_none(), "a fence is not closed");
    (blocks, prose)
}

/// The code within lines.
pub(super) fn inline_code(prose: &str) -> Vec<String> {
    // A span may go on in the next line of its paragraph, never in the next paragraph.
    let spans = |paragraph: &str| paragraph.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")).collect();
    prose.split("\n\n").flat_map(|paragraph| -> Vec<String> { spans(paragraph) }).collect()
}

/// The prose without its code.
fn without_code(prose: &str) -> String {
    let plain = |paragraph: &str| paragraph.split('`').step_by(2).collect::<Vec<_>>().join("code");
    prose.split("\n\n").map(plain).collect::<Vec<_>>().join("\n\n")
}

/// Where the links and pictures of a page lead.
pub(super) fn targets(prose: &str) -> Vec<String> {
    let plain = without_code(prose);
    let until = |rest: &str, end: char| rest.split(end).next().unwrap_or_default().to_owned();
    let links = plain.split("](").skip(1).map(|rest| until(rest, ')'));
    let html = ["src=\"", "srcset=\"", "href=\""];
    let attributes = html.into_iter().flat_map(|name| plain.split(name).skip(1)).map(|rest| until(rest, '"'));
    links.chain(attributes).collect()
}

/// The anchors of a page, as GitHub makes them of its headings.
pub(super) fn anchors(prose: &str) -> Vec<String> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let headings = prose.lines().filter_map(heading).map(slug);
    headings
        .map(|slug| {
            let times = seen.entry(slug.clone()).or_default();
            *times += 1;
            if *times == 1 { slug } else { format!("{slug}-{}", *times - 1) }
        })
        .collect()
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    (text.len() < line.len()).then_some(text)?.strip_prefix(' ').map(str::trim)
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
    kept.map(|one| if one == ' ' { '-' } else { one }).flat_map(char::to_lowercase).collect()
}

#[test]
fn anchors_are_those_of_github() {
    let page = "# `gate`: what it asks\n## Two words\n## Two words\n#none\n";
    assert_eq!(anchors(page), ["gate-what-it-asks", "two-words", "two-words-1"]);
}

#[test]
fn links_in_code_are_none() {
    let page = "[a](b.md) and `[c](d)` and ![e](f.svg)\n<img src=\"g.svg\">\n\n```\n[h](i)\n```\n";
    assert_eq!(targets(&split(page).1), ["b.md", "f.svg", "g.svg"]);
}
