//! Manual pages, section 1: one for each tool and one for each of its commands.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::commands::is_common;
use super::help::{Examples, examples_of, exit_status_lines};
use super::keys;

/// The name of the manual that the pages belong to.
pub(super) const MANUAL: &str = "Promotion of forecasting models";

/// A manual page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// `bench-compare-gate.1`.
    pub file_name: String,
    /// Its text, in roff.
    pub text: String,
}

/// The pages of a tool, from its command line as clap has it.
pub fn pages(command: &Command, examples: Examples) -> Vec<Page> {
    let tool = built(command);
    let own = tool.get_subcommands().filter(|sub| !is_common(sub.get_name()));
    let mut pages = vec![page(&tool, &tool, examples)];
    pages.extend(own.flat_map(|sub| pages_below(&tool, sub, examples)));
    pages
}

/// The page of the tool, or of one of its commands, if it has that.
pub fn page_of(command: &Command, examples: Examples, wanted: Option<&str>) -> Option<Page> {
    let tool = built(command);
    let found = match wanted {
        Some(name) => tool.get_subcommands().find(|sub| sub.get_name() == name)?,
        None => &tool,
    };
    Some(page(&tool, found, examples))
}

fn built(command: &Command) -> Command {
    let mut tool = command.clone().disable_help_subcommand(true);
    tool.build();
    tool
}

fn pages_below(tool: &Command, command: &Command, examples: Examples) -> Vec<Page> {
    let below = command.get_subcommands().flat_map(|sub| pages_below(tool, sub, examples));
    std::iter::once(page(tool, command, examples)).chain(below).collect()
}

fn page(tool: &Command, command: &Command, examples: Examples) -> Page {
    let title = display_name(command);
    let source = format!("{} {}", tool.get_name(), tool.get_version().unwrap_or_default());
    let man = Man::new(command.clone()).title(title.to_uppercase()).source(source).manual(MANUAL);
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    _ = man.render_title(&mut text);
    _ = man.render_name_section(&mut text);
    _ = man.render_synopsis_section(&mut text);
    _ = man.render_description_section(&mut text);
    _ = man.render_options_section(&mut text);
    if command.has_subcommands() {
        _ = man.render_subcommands_section(&mut text);
    }
    _ = own_sections(tool, command, examples).to_writer(&mut text);
    Page { file_name: format!("{title}.1"), text: String::from_utf8_lossy(&text).into_owned() }
}

fn display_name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// The words after the tool's name.
fn path_of<'a>(tool: &Command, command: &'a Command) -> &'a str {
    let whole = command.get_bin_name().unwrap_or_else(|| command.get_name());
    whole.strip_prefix(tool.get_name()).unwrap_or_default().trim()
}

/// What clap's own sections leave unsaid.
fn own_sections(tool: &Command, command: &Command, examples: Examples) -> Roff {
    let mut roff = Roff::new();
    exit_status(&mut roff);
    environment(&mut roff, tool, command);
    files(&mut roff);
    example_section(&mut roff, examples_of(examples, path_of(tool, command)));
    see_also(&mut roff, tool, command);
    roff
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in exit_status_lines() {
        item(roff, &code, vec![roman(meaning)]);
    }
}

/// A term and what it means.
pub(super) fn item(roff: &mut Roff, term: &str, meaning: Vec<Inline>) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text(meaning);
}

fn environment(roff: &mut Roff, tool: &Command, command: &Command) {
    roff.control("SH", ["ENVIRONMENT"]);
    let path: Vec<&str> = path_of(tool, command).split_whitespace().collect();
    let names = keys::variables(tool.get_name(), &path, "flag").join(", ");
    let rule = "Sets --FLAG where the command line does not: its long name in capitals, - written as _. \
                The more specific name wins. One value a line for flags that repeat; true or false for switches.";
    item(roff, &names.replace("_FLAG", "_*"), vec![roman(rule)]);
    item(roff, "NO_COLOR", vec![roman("Not empty: no colour, unless --color always.")]);
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    let what = "Settings: the nearest file of this name, from the working folder upward. See promotion.toml(5).";
    item(roff, crate::config::FILE_NAME, vec![roman(what)]);
}

fn example_section(roff: &mut Roff, lines: &[&str]) {
    if lines.is_empty() {
        return;
    }
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in lines {
        roff.text([roman(*line)]);
    }
    roff.control("fi", []);
}

fn see_also(roff: &mut Roff, tool: &Command, command: &Command) {
    roff.control("SH", ["SEE ALSO"]);
    let own = display_name(command);
    let siblings = tool.get_subcommands().filter(|sub| !is_common(sub.get_name())).map(display_name);
    let others = std::iter::once(display_name(tool)).chain(siblings).filter(|name| *name != own);
    let mut line: Vec<Inline> = others.flat_map(|name| [italic(name), roman("(1), ")]).collect();
    line.extend([italic(crate::config::FILE_NAME), roman("(5)")]);
    roff.text(line);
}
