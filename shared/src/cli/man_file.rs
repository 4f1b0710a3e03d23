//! The manual page of promotion.toml, section 5: its keys are the flags of the tools, so the page is made from these.

use clap::{Arg, Command};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::commands::is_common;
use super::keys::{self, ValueType};
use super::man::{MANUAL, Page, item};
use super::named::{Described, NamedTables};

const DESCRIPTION: [&str; 5] = [
    "promotion.toml holds the settings of a project for bench-compare, manifest-gen, drift-watch and rebench-cron. It is TOML. \
     Each tool reads the nearest file of this name, from the working folder upward, or the one that --config names; --no-config \
     reads none. A setting is looked up on the command line, in the environment, in the file, and last among the defaults; \
     the show-config command of each tool prints the result and where it came from.",
    "A tool reads the keys of its own table, and refuses unknown ones and values that the flag would refuse, with file, line and column. \
     The check command also looks whether the files are there that the settings name.",
    "Relative paths start from the folder of the file, except - (standard input or output) and what another scheme names (mlflow:RUN_ID).",
    "A flag that repeats takes one value or a list; the list on the command line replaces the one in the file. \
     A switch takes true or false. A setting that contradicts a flag on the command line gives way to it.",
    "A key in the table of a tool holds for each of its commands that has such a flag; in the table of a command, for that \
     command only, and before the former.",
];

const EXAMPLE: &str = r#"project = "unemployment"

[models.lightgbm]
names = ["lightgbm_v2", "LightGBM"]

[bench-compare]
format = "json"

[bench-compare.gate]
metric = "mape"
slice = ["holiday = 1", "n_train < 60"]"#;

/// The page, for these tools.
pub fn file_page(tools: &[Described]) -> Page {
    let built: Vec<Command> = tools.iter().map(|tool| built(&tool.command)).collect();
    let mut roff = Roff::new();
    roff.control("TH", ["PROMOTION.TOML", "5", "", "", MANUAL]);
    section(&mut roff, "NAME", vec![roman("promotion.toml - settings of the tools that promote forecasting models")]);
    describe(&mut roff);
    top_level(&mut roff);
    common_keys(&mut roff, &built);
    for (command, tool) in built.iter().zip(tools) {
        tool_section(&mut roff, command);
        tool.tables.iter().for_each(|kind| named_section(&mut roff, command.get_name(), kind));
    }
    example(&mut roff);
    let see_also: Vec<Inline> = built.iter().flat_map(|tool| [italic(tool.get_name()), roman("(1) ")]).collect();
    section(&mut roff, "SEE ALSO", see_also);
    Page { file_name: "promotion.toml.5".to_owned(), text: roff.render() }
}

fn built(tool: &Command) -> Command {
    let mut tool = tool.clone().disable_help_subcommand(true);
    tool.build();
    tool
}

fn section(roff: &mut Roff, title: &str, text: Vec<Inline>) {
    roff.control("SH", [title]);
    roff.text(text);
}

fn describe(roff: &mut Roff) {
    roff.control("SH", ["DESCRIPTION"]);
    for paragraph in DESCRIPTION {
        roff.control("PP", []);
        roff.text([roman(paragraph)]);
    }
}

fn top_level(roff: &mut Roff) {
    roff.control("SH", ["KEYS OF THE TOP LEVEL"]);
    item(roff, "project", vec![roman("Text. The name of the project, for people and reports.")]);
    let models = "One identity for what files call differently: names is a list of texts. NAME itself is one of them. \
                  A name that two models claim is an error.";
    item(roff, "[models.NAME]", vec![roman(models)]);
}

/// The keys that every command has, told once.
fn common_keys(roff: &mut Roff, tools: &[Command]) {
    let Some(tool) = tools.first() else { return };
    roff.control("SH", ["KEYS OF EVERY COMMAND"]);
    keys::settable(tool).filter(|arg| arg.is_global_set()).for_each(|arg| key(roff, arg));
}

fn tool_section(roff: &mut Roff, tool: &Command) {
    let commands: Vec<&Command> = tool.get_subcommands().filter(|sub| !is_common(sub.get_name())).collect();
    roff.control("SH", [format!("TABLES OF {}", tool.get_name()).to_uppercase().as_str()]);
    if commands.is_empty() {
        roff.text([roman("No commands with settings of their own yet.")]);
    }
    commands
        .iter()
        .for_each(|command| command_section(roff, &format!("{}.{}", tool.get_name(), command.get_name()), command));
}

fn command_section(roff: &mut Roff, path: &str, command: &Command) {
    roff.control("SS", [format!("[{path}]").as_str()]);
    keys::settable(command).filter(|arg| !arg.is_global_set() && !arg.is_hide_set()).for_each(|arg| key(roff, arg));
    for below in command.get_subcommands().filter(|below| !is_common(below.get_name())) {
        command_section(roff, &format!("{path}.{}", below.get_name()), below);
    }
}

fn named_section(roff: &mut Roff, tool: &str, kind: &NamedTables) {
    let command = kind.command();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let path = format!("{tool}.{}.{}", kind.key, kind.name);
    roff.control("SS", [format!("[{path}]").as_str()]);
    roff.text([roman(format!("{}.", about.trim_end_matches('.')))]);
    keys::settable(&command).for_each(|arg| key(roff, arg));
    for below in command.get_subcommands() {
        command_section(roff, &format!("{path}.{}", below.get_name()), below);
    }
}

fn key(roff: &mut Roff, arg: &Arg) {
    roff.control("TP", []);
    roff.text([bold(keys::name(arg)), roman(format!(" ({})", kind(arg)))]);
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    roff.text([roman(format!("{}.{}", help.trim_end_matches('.'), default(arg)))]);
}

fn kind(arg: &Arg) -> String {
    let one = match keys::value_type(arg) {
        ValueType::Bool => "true or false",
        ValueType::Integer => "whole number",
        ValueType::Number => "number",
        ValueType::Text if keys::is_path(arg) => "path",
        ValueType::Text => "text",
    };
    if keys::repeats(arg) { format!("{one}, or a list") } else { one.to_owned() }
}

fn default(arg: &Arg) -> String {
    let values: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    match keys::is_switch(arg) || values.is_empty() {
        true => String::new(),
        false => format!(" Default: {}.", values.join(", ")),
    }
}

fn example(roff: &mut Roff) {
    roff.control("SH", ["EXAMPLE"]);
    roff.control("nf", []);
    roff.text(EXAMPLE.lines().map(|line| roman(format!("{line}\n"))).collect::<Vec<_>>());
    roff.control("fi", []);
}
