//! Every command line of a tool that a document shows is one that the tool can read: no page names a flag that is not there.

use clap::error::ErrorKind;
use shared::cli::{self, Tool};

use super::markdown::{Block, inline_code, split};
use super::{Page, pages, shell};

/// The four tools.
const TOOLS: [&str; 4] = ["bench-compare", "manifest-gen", "drift-watch", "rebench-cron"];

#[test]
fn every_command_line_in_a_document_can_be_read() {
    let pages = pages();
    let wrong: Vec<String> = pages.iter().flat_map(unreadable).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let shown: usize =
        pages.iter().map(|page| split(&page.text).0.iter().map(|block| lines(block).len()).sum::<usize>()).sum();
    assert!(shown > 100, "only {shown} command lines were found");
}

fn unreadable(page: &Page) -> Vec<String> {
    let (blocks, prose) = split(&page.text);
    let in_blocks = blocks.iter().flat_map(lines).filter_map(|words| answer(&words).map(|why| (words, why)));
    let inline = inline_code(&prose).into_iter().flat_map(|code| of_tools(&code)).filter_map(|words| {
        // A sentence may leave out what a command needs, but not name what it has not.
        let why = answer(&words).filter(|error| !is_short(error))?;
        Some((words, why))
    });
    let named = |(words, error): (Vec<String>, clap::Error)| format!("{}: {words:?}: {error}", page.path.display());
    in_blocks.chain(inline).map(named).collect()
}

/// The command lines of a block.
fn lines(block: &Block) -> Vec<Vec<String>> {
    match block.language.as_str() {
        "console" => typed(&block.text).iter().flat_map(|command| of_tools(command)).collect(),
        "" | "sh" | "make" => of_tools(&block.text.replace("\n$ ", "\n")),
        _ => Vec::new(),
    }
}

/// What is typed in a block that shows commands and their outputs.
fn typed(text: &str) -> Vec<String> {
    let commands = text.split("\n$ ").map(|part| part.trim_start_matches("$ ").replace("\\\n", " "));
    commands.map(|part| part.lines().next().unwrap_or_default().to_owned()).collect()
}

fn of_tools(script: &str) -> Vec<Vec<String>> {
    let commands = shell::commands(script).into_iter();
    let words = commands.filter(|words| words.first().is_some_and(|tool| TOOLS.contains(&tool.as_str())));
    words.map(|words| words.iter().filter(|word| *word != "…").map(|word| given(word)).collect()).collect()
}

/// A word without the brackets of what may be left out: `[--dst vixie]`.
fn given(word: &str) -> String {
    let open = word.strip_prefix("[-").map_or(word.to_owned(), |rest| format!("-{rest}"));
    match open.strip_suffix(']') {
        Some(closed) if !closed.contains('[') => closed.to_owned(),
        _ => open,
    }
}

/// What clap has to say against a command line.
fn answer(words: &[String]) -> Option<clap::Error> {
    match words[0].as_str() {
        "bench-compare" => refusal::<bench_compare::args::Cli>(words),
        "manifest-gen" => refusal::<manifest_gen::args::Cli>(words),
        "drift-watch" => refusal::<drift_watch::args::Cli>(words),
        _ => refusal::<rebench_cron::args::Cli>(words),
    }
}

fn refusal<C: Tool>(words: &[String]) -> Option<clap::Error> {
    let error = cli::command::<C>().try_get_matches_from(words).err()?;
    // What is required may stand in promotion.toml.
    let is_fine =
        matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::MissingRequiredArgument);
    (!is_fine).then_some(error)
}

fn is_short(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand)
}

#[test]
fn a_flag_that_is_not_there_is_seen() {
    let wrong = |text: &str| unreadable(&Page { path: "page.md".into(), text: text.to_owned() }).len();
    assert_eq!(wrong("```sh\nmanifest-gen promote demand 2 --yes\n```\n"), 1);
    assert_eq!(wrong("```console\n$ true && rebench-cron next [--dst vixie]\nmanifest-gen --none\n```\n"), 0);
    assert_eq!(wrong("`drift-watch status --everything` and `drift-watch`\n"), 1);
}
