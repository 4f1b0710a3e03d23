//! Every `console` block of README, tutorial and how-to pages, run as it stands and in order; what it prints is what stands there.
//!
//! The README runs in the root of the repository, each other page in a folder of its own with copies of `examples/promotion` and
//! `examples/serving`. Two things are not compared: the path of that folder, and times later than that of the tests, which are those of
//! a clock that nothing can set.

use std::fs;
use std::path::Path;

use e2e::{Place, root};
use shared::fsio;

use super::tools::run;

/// A part of a page.
enum Part {
    /// Lines that stay as they are.
    Text(String),
    /// A command with what it printed; both end with a line break, or are empty.
    Shown { command: String, output: String },
}

fn parts(page: &str) -> Vec<Part> {
    let (mut parts, mut is_console, mut continues) = (Vec::new(), false, false);
    for line in page.split_inclusive('\n') {
        let fence = line.starts_with("```");
        assert!(fence || line.trim() != "```console", "a block within a list is not run: {line}");
        is_console = if fence { line.trim_end() == "```console" } else { is_console };
        match parts.last_mut() {
            _ if is_console && line.starts_with("$ ") => {
                parts.push(Part::Shown { command: line.to_owned(), output: String::new() });
            }
            Some(Part::Shown { command, .. }) if continues => command.push_str(line),
            Some(Part::Shown { output, .. }) if !fence => output.push_str(line),
            Some(Part::Text(text)) => text.push_str(line),
            _ => parts.push(Part::Text(line.to_owned())),
        }
        let is_command = matches!(parts.last(), Some(Part::Shown { output, .. }) if output.is_empty());
        continues = is_command && line.ends_with("\\\n");
    }
    parts
}

/// Runs the commands of a page in a folder, and compares, or with `UPDATE_DOCS` in the environment writes the page anew; how many.
fn walk(page: &str, folder: &Path) -> u32 {
    let path = root().join(page);
    let parts = parts(&fs::read_to_string(&path).unwrap());
    let (mut text, mut commands) = (String::new(), 0);
    for part in &parts {
        match part {
            Part::Text(lines) => text.push_str(lines),
            Part::Shown { command, output } => {
                commands += 1;
                let printed = printed(command, folder);
                // What differs in times alone stays, so that nothing is written anew for them.
                let is_same = timeless(output) == timeless(&printed);
                assert!(refreshes() || is_same, "{}", difference(page, command, output, &printed));
                text.push_str(&format!("{command}{}", if is_same { output } else { &printed }));
            }
        }
    }
    if refreshes() {
        fsio::write_atomic(&path, text.as_bytes()).unwrap();
    }
    commands
}

fn refreshes() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

fn printed(command: &str, folder: &Path) -> String {
    let printed = run(folder, command.strip_prefix("$ ").unwrap());
    let printed = printed.replace(&format!("{}/", folder.canonicalize().unwrap().display()), "");
    // Nobody sees blanks at the end of a line, and editors take them away.
    let lines = printed.trim_end().lines().map(|line| line.trim_end().to_owned() + "\n");
    lines.collect()
}

fn difference(page: &str, command: &str, output: &str, printed: &str) -> String {
    let remedy = "UPDATE_DOCS=1 cargo test -p e2e documents::consoles writes the pages anew";
    format!("\n{page} ({remedy})\n{command}--- printed\n{printed}--- expected\n{output}---")
}

/// A text without times after that of the tests, and without blanks at the ends of lines.
fn timeless(text: &str) -> String {
    let words = |line: &str| {
        line.trim_end().split(' ').map(|word| if is_later(word) { "TIME" } else { word }).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

fn is_later(word: &str) -> bool {
    let shape: String = word.chars().take(11).map(|one| if one.is_ascii_digit() { '0' } else { one }).collect();
    shape == "0000-00-00T" && word > "2026-01-06"
}

#[test]
fn the_readme_shows_what_the_commands_print() {
    assert!(walk("README.md", &root()) >= 5, "the tour is gone");
}

#[test]
fn the_tutorial_shows_what_the_commands_print() {
    assert!(walk_in_a_copy("docs/TUTORIAL.md") >= 25, "the tutorial is gone");
}

#[test]
fn the_how_to_pages_show_what_the_commands_print() {
    let pages = fs::read_dir(root().join("docs/howto")).unwrap().flatten();
    let commands = pages.map(|entry| walk_in_a_copy(&format!("docs/howto/{}", entry.file_name().display())));
    assert!(commands.sum::<u32>() >= 15, "the pages show nothing");
}

fn walk_in_a_copy(page: &str) -> u32 {
    let place = Place::new();
    for name in ["promotion", "serving"] {
        let from = root().join("examples").join(name);
        let copied = run(&from, &format!("cp -R . '{0}' && rm -rf '{0}/build'", place.path(name).display()));
        assert!(copied.is_empty(), "{copied}");
    }
    walk(page, &place.path("promotion"))
}

#[test]
fn a_page_is_put_together_as_it_was() {
    let page = "a\n```console\n$ one \\\n  two\nout\n\n$ three\n```\nb\n```\n$ four\n```\n";
    let parts = parts(page);
    let shown = |part: &Part| matches!(part, Part::Shown { .. });
    assert_eq!(parts.iter().filter(|part| shown(part)).count(), 2);
    let text: String = parts
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => text,
            Part::Shown { command, output } => command + &output,
        })
        .collect();
    assert_eq!(text, page);
}

#[test]
fn only_times_of_the_run_are_left_out() {
    assert_eq!(timeless("since 2013-08-07T00:00:00Z at 2031-01-01T00:00:00Z"), "since 2013-08-07T00:00:00Z at TIME");
}
