//! The JSON Schema of promotion.toml, made from the flags of the tools, for editors that check TOML.

use clap::{Arg, Command};
use serde_json::{Map, Value, json};

use super::commands::is_common;
use super::keys::{self, ValueType};
use super::named::{Described, NamedTables};

/// The schema, for these tools.
pub fn file_schema(tools: &[Described]) -> Value {
    let mut properties = Map::new();
    properties.insert("project".to_owned(), json!({ "type": "string", "description": "The name of the project" }));
    properties.insert("models".to_owned(), models());
    for tool in tools {
        let mut command = tool.command.clone();
        command.build();
        let mut schema = table(&command);
        for kind in tool.tables {
            schema["properties"][kind.key] = named(kind);
        }
        properties.insert(command.get_name().to_owned(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "promotion.toml",
        "description": "Settings of the tools that promote forecasting models",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn models() -> Value {
    let names = json!({ "type": "array", "items": { "type": "string" }, "description": "What files call the model" });
    let model = json!({ "type": "object", "properties": { "names": names }, "additionalProperties": false });
    json!({ "type": "object", "description": "One identity for what files call differently", "additionalProperties": model })
}

fn named(kind: &NamedTables) -> Value {
    let command = kind.command();
    let about = command.get_about().map(ToString::to_string);
    let mut each = own_keys(&command);
    for below in command.get_subcommands() {
        each["properties"][below.get_name()] = own_keys(below);
    }
    json!({ "type": "object", "description": about, "additionalProperties": each })
}

fn own_keys(command: &Command) -> Value {
    let mut properties = Map::new();
    keys::settable(command).for_each(|arg| _ = properties.insert(keys::name(arg), key(arg)));
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// The table of a command: its own keys, those of the commands below it, and their tables.
fn table(command: &Command) -> Value {
    let mut properties = Map::new();
    add_keys(command, &mut properties);
    for below in command.get_subcommands().filter(|below| !is_common(below.get_name())) {
        properties.insert(below.get_name().to_owned(), table(below));
    }
    let about = command.get_about().map(ToString::to_string);
    json!({ "type": "object", "description": about, "properties": properties, "additionalProperties": false })
}

fn add_keys(command: &Command, properties: &mut Map<String, Value>) {
    for arg in keys::settable(command) {
        properties.entry(keys::name(arg)).or_insert_with(|| key(arg));
    }
    command.get_subcommands().for_each(|below| add_keys(below, properties));
}

fn key(arg: &Arg) -> Value {
    let one = one_value(arg);
    let list = json!({ "type": "array", "items": one });
    let mut schema = if keys::repeats(arg) { json!({ "anyOf": [one, list] }) } else { one };
    if let Some(help) = arg.get_help() {
        schema["description"] = help.to_string().into();
    }
    schema
}

fn one_value(arg: &Arg) -> Value {
    let choices: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    match keys::value_type(arg) {
        ValueType::Bool => json!({ "type": "boolean" }),
        ValueType::Integer => json!({ "type": "integer" }),
        ValueType::Number => json!({ "type": "number" }),
        // A flag that splits its value at commas takes several choices in one text.
        ValueType::Text if choices.is_empty() || arg.get_value_delimiter().is_some() => {
            json!({ "type": ["string", "number"] })
        }
        ValueType::Text => json!({ "enum": choices }),
    }
}
