//! A TOML file as a tree in which every key and value knows its place.

use std::ops::Range;
use std::path::Path;

use toml_edit::{Document, Item, TableLike};

use crate::error::{Error, Place, Result};

/// A place in the file, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Line.
    pub line: u64,
    /// Column, in characters.
    pub column: u64,
}

impl Position {
    /// The place in `file`.
    pub fn of(self, file: &Path) -> Place {
        Place::at(file, self.line, self.column)
    }
}

/// The text of a file, and where its lines begin: a file may have many keys, each with its place.
struct Text<'a> {
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Text<'a> {
    fn new(text: &'a str) -> Self {
        let after_ends = text.match_indices('\n').map(|(end, _)| end + 1);
        Self { text, line_starts: std::iter::once(0).chain(after_ends).collect() }
    }

    fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line: line as u64, column: before.chars().count() as u64 + 1 }
    }

    fn position_of(&self, span: Option<Range<usize>>) -> Position {
        self.position(span.map_or(0, |span| span.start))
    }
}

/// A table of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Its keys, in the order of the file.
    pub entries: Vec<Entry>,
}

impl Table {
    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The table below this one that `key` names.
    pub fn table(&self, key: &str) -> Option<&Self> {
        match &self.get(key)?.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Position,
    /// What it is set to.
    pub value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A single value.
    One(Scalar),
    /// A list of single values.
    Many(Vec<Scalar>),
    /// A table.
    Table(Table),
    /// What no setting is: a list of tables or of lists.
    Other,
}

impl Value {
    /// What it is, as error messages say it.
    pub fn describe(&self) -> String {
        match self {
            Self::One(scalar) => scalar.describe(),
            Self::Many(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
            Self::Other => "a list of lists or tables".to_owned(),
        }
    }
}

/// A single value.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// As a flag would be given it.
    pub text: String,
    /// What it is in TOML.
    pub kind: Kind,
    /// Where it stands.
    pub at: Position,
}

impl Scalar {
    /// What it is, as error messages say it.
    pub fn describe(&self) -> String {
        match self.kind {
            Kind::Text => format!("the text {:?}", self.text),
            _ => self.text.clone(),
        }
    }
}

/// The kinds of single values that TOML has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// An integer or a float.
    Number,
    /// `true` or `false`.
    Bool,
    /// A date or time.
    Time,
}

/// Reads a whole file.
pub(super) fn read(path: &Path, text: &str) -> Result<Table> {
    let text = Text::new(text.strip_prefix('\u{feff}').unwrap_or(text));
    let document = Document::parse(text.text).map_err(|error| {
        let at = text.position_of(error.span());
        Error::input(at.of(path), error.message().trim_end().replace('\n', ", "), "TOML")
    })?;
    Ok(table(&text, document.as_table()))
}

fn table(text: &Text<'_>, source: &dyn TableLike) -> Table {
    let entries = source.iter().map(|(name, item)| {
        let span = source.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
        Entry { key: name.to_owned(), at: text.position_of(span), value: value(text, item) }
    });
    Table { entries: entries.collect() }
}

fn value(text: &Text<'_>, item: &Item) -> Value {
    if let Some(inner) = item.as_table_like() {
        return Value::Table(table(text, inner));
    }
    if let Some(array) = item.as_array() {
        let scalars: Option<Vec<Scalar>> = array.iter().map(|value| scalar(text, value)).collect();
        return scalars.map_or(Value::Other, Value::Many);
    }
    item.as_value().and_then(|value| scalar(text, value)).map_or(Value::Other, Value::One)
}

fn scalar(text: &Text<'_>, value: &toml_edit::Value) -> Option<Scalar> {
    let at = text.position_of(value.span());
    let (kind, text) = match value {
        toml_edit::Value::String(string) => (Kind::Text, string.value().clone()),
        toml_edit::Value::Integer(number) => (Kind::Number, number.value().to_string()),
        toml_edit::Value::Float(number) => (Kind::Number, number.value().to_string()),
        toml_edit::Value::Boolean(yes) => (Kind::Bool, yes.value().to_string()),
        toml_edit::Value::Datetime(time) => (Kind::Time, time.value().to_string()),
        toml_edit::Value::Array(_) | toml_edit::Value::InlineTable(_) => return None,
    };
    Some(Scalar { text, kind, at })
}
