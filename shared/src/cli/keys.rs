//! The flags of a command as keys of `promotion.toml` and as variables of the environment.

use std::any::TypeId;

use clap::builder::ValueRange;
use clap::{Arg, ArgAction, Command, ValueHint};

/// Flags that choose the file itself, and so cannot stand in it.
const NOT_SETTINGS: [&str; 2] = ["config", "no-config"];

/// What a key is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueType {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A text.
    Text,
}

/// A key of promotion.toml, for who writes such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// What it is for.
    pub help: String,
    /// The default in TOML, or what a value would look like where there is none.
    pub sample: String,
    /// Whether every command has it.
    pub global: bool,
}

/// The keys of a command, in the order of its flags.
pub fn keys_of(command: &Command) -> Vec<Key> {
    let shown = settable(command).filter(|arg| !arg.is_hide_set());
    let describe = |arg: &Arg| Key {
        name: name(arg),
        help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
        sample: sample(arg),
        global: arg.is_global_set(),
    };
    shown.map(describe).collect()
}

fn sample(arg: &Arg) -> String {
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    let values = if defaults.is_empty() { vec![placeholder(arg)] } else { defaults };
    match value_type(arg) {
        ValueType::Bool => "false".to_owned(),
        ValueType::Integer | ValueType::Number if arg.get_default_values().is_empty() => "0".to_owned(),
        ValueType::Integer | ValueType::Number => listed(arg, &values),
        ValueType::Text => listed(arg, &values.iter().map(|value| quoted(value)).collect::<Vec<_>>()),
    }
}

/// What a value would look like: the first choice, or what help calls it.
fn placeholder(arg: &Arg) -> String {
    let choice = arg.get_possible_values().first().map(|value| value.get_name().to_owned());
    let called = || arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    choice.unwrap_or_else(called)
}

fn listed(arg: &Arg, values: &[String]) -> String {
    if repeats(arg) { format!("[{}]", values.join(", ")) } else { values.concat() }
}

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// The arguments of `command` that can be settings.
pub(super) fn settable(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| is_setting(arg))
}

fn is_setting(arg: &Arg) -> bool {
    use ArgAction::{Append, Count, Set, SetFalse, SetTrue};
    matches!(arg.get_action(), Set | Append | Count | SetTrue | SetFalse) && !NOT_SETTINGS.contains(&&*name(arg))
}

/// The key of an argument: its long name, or its own name for a positional one.
pub(super) fn name(arg: &Arg) -> String {
    arg.get_long().map_or_else(|| arg.get_id().as_str().replace('_', "-"), ToOwned::to_owned)
}

/// The argument that a key names.
pub(super) fn find<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    settable(command).find(|arg| name(arg) == key)
}

/// Whether the argument is a bare switch, which takes no value.
pub(super) fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse)
}

/// Whether the argument can be given several values.
pub(super) fn repeats(arg: &Arg) -> bool {
    let several = |range: ValueRange| range.max_values() > 1;
    matches!(arg.get_action(), ArgAction::Append) || arg.get_num_args().is_some_and(several)
}

/// What the argument is set to.
pub(super) fn value_type(arg: &Arg) -> ValueType {
    match arg.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse => ValueType::Bool,
        ArgAction::Count => ValueType::Integer,
        _ => parsed_type(arg),
    }
}

fn parsed_type(arg: &Arg) -> ValueType {
    let id = arg.get_value_parser().type_id();
    let is_one_of = |types: &[TypeId]| types.iter().any(|known| id == *known);
    match () {
        () if is_one_of(&[TypeId::of::<bool>()]) => ValueType::Bool,
        () if is_one_of(&whole_number_types()) => ValueType::Integer,
        () if is_one_of(&[TypeId::of::<f64>(), TypeId::of::<f32>()]) => ValueType::Number,
        () => ValueType::Text,
    }
}

fn whole_number_types() -> [TypeId; 8] {
    [
        TypeId::of::<u8>(),
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<usize>(),
        TypeId::of::<i32>(),
        TypeId::of::<i64>(),
        TypeId::of::<isize>(),
    ]
}

/// Whether the argument names a file or folder: by its hint (which clap sets for `PathBuf`), or by what help calls its value.
pub(super) fn is_path(arg: &Arg) -> bool {
    use ValueHint::{AnyPath, DirPath, ExecutablePath, FilePath};
    let hinted = matches!(arg.get_value_hint(), AnyPath | DirPath | ExecutablePath | FilePath);
    hinted
        || ["FILE", "DIR", "PATH", "PATTERN", "STATE_DIR", "ROLE=PATH", "MODEL=FILE"]
            .iter()
            .any(|name| is_called(arg, name))
}

/// Whether the argument is a slice.
pub(super) fn is_predicate(arg: &Arg) -> bool {
    is_called(arg, "PREDICATE")
}

/// Whether help calls the argument's value `name`.
fn is_called(arg: &Arg, name: &str) -> bool {
    arg.get_value_names().unwrap_or_default().iter().any(|known| known == name)
}

/// Whether what the argument names need not be there: a file that is written, a folder that is made, files that may come later.
pub(super) fn is_output(arg: &Arg) -> bool {
    let made = ["PATTERN", "STATE_DIR"].iter().any(|name| is_called(arg, name));
    made || arg.get_help_heading() == Some("Output") || name(arg).starts_with("write-")
}

/// The variables that set `key` for the command at `path` below `tool`, most specific first:
/// `BENCH_COMPARE_GATE_METRIC`, `BENCH_COMPARE_METRIC`.
pub(super) fn variables(tool: &str, path: &[&str], key: &str) -> Vec<String> {
    let shout = |words: &[&str]| words.join("_").replace('-', "_").to_uppercase();
    let mut whole = vec![tool];
    whole.extend(path);
    (1..=whole.len()).rev().map(|kept| shout(&[&whole[..kept], &[key]].concat())).collect()
}
