//! What stands in a column before its meaning is known.

use std::borrow::Cow;

/// A value of a JSON object, or a cell of a CSV row (a text, or nothing).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// `null`, or an empty cell.
    Null,
    /// A JSON number, as it is written.
    Number(&'a str),
    /// `NaN`, `Infinity`, `-Infinity`: not JSON, but what Python's `json` writes.
    NotFinite(&'a str),
    /// A text.
    Text(Cow<'a, str>),
    /// `true` or `false`.
    Bool(bool),
    /// A list or an object.
    Nested(&'static str),
}

impl Value<'_> {
    /// As messages quote it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Number(text) | Self::NotFinite(text) => (*text).to_owned(),
            Self::Text(text) => super::quoted(text),
            Self::Bool(value) => value.to_string(),
            Self::Nested(kind) => (*kind).to_owned(),
        }
    }
}
