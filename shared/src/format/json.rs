//! JSON as the world writes it: Python's bare `NaN`, `Infinity` and `-Infinity` as values, a byte order mark, CRLF; and
//! every value knows its line and column.
//!
//! What `serde_json` accepts, this reader accepts with the same meaning, save duplicate keys, which are an error here:
//! of two values for one key, neither can be trusted. Nesting is limited to [`MAX_DEPTH`].

mod parse;
pub(crate) mod python;

use std::fmt;
use std::path::Path;

use crate::error::{Error, Place};

pub use python::{float as python_float, to_python};

/// How many arrays and objects may nest, as in `serde_json`.
pub const MAX_DEPTH: usize = 127;

/// A place inside a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

impl Position {
    /// The place in the file at `path`.
    pub fn of(self, path: &Path) -> Place {
        Place::at(path, self.line, self.column)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where its first character stands.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, or one of Python's `NaN`, `Infinity`, `-Infinity`.
    Number(Number),
    /// A text.
    String(String),
    /// `[…]`
    Array(Vec<Node>),
    /// `{…}`, in file order; no key occurs twice.
    Object(Vec<Member>),
}

/// A number with the text that the file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Number {
    /// The nearest double; infinite if the text is `Infinity` or too large for one.
    pub value: f64,
    /// The text in the file.
    pub text: String,
}

/// A key of an object and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Where the key stands.
    pub at: Position,
    /// The key.
    pub key: String,
    /// Its value.
    pub node: Node,
}

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: Position,
    /// What was found.
    pub found: String,
    /// What would have been right.
    pub expected: String,
    /// Whether the text stops in the middle of a value.
    pub truncated: bool,
}

impl Fault {
    /// The error of the file at `path`.
    pub fn in_file(self, path: &Path) -> Error {
        Error::input(self.at.of(path), self.found, self.expected)
    }
}

/// How many bytes a byte order mark takes in front of the text: 3 or 0.
pub fn byte_order_mark(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 }
}

/// Reads a JSON text.
///
/// # Errors
/// The first [`Fault`]: not UTF-8, not JSON, a key twice in one object, nested too deeply.
pub fn parse(bytes: &[u8]) -> Result<Node, Fault> {
    parse::document(bytes)
}

impl Node {
    /// The value of `key`, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members()?.iter().find(|member| member.key == key).map(|member| &member.node)
    }

    /// The members, if this is an object.
    pub fn members(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is one; it may be infinite or not a number.
    pub fn as_f64(&self) -> Option<f64> {
        match &self.value {
            Value::Number(number) => Some(number.value),
            _ => None,
        }
    }

    /// The number, if this is a whole one that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match &self.value {
            Value::Number(number) => number.text.parse().ok(),
            _ => None,
        }
    }

    /// The number, if it is one that an `i64` holds exactly as written.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.value {
            Value::Number(number) => number.text.parse().ok(),
            _ => None,
        }
    }

    /// The first number in here that strict JSON does not have.
    pub fn non_finite(&self) -> Option<(&Self, &Number)> {
        match &self.value {
            Value::Number(number) => (!number.value.is_finite()).then_some((self, number)),
            Value::Array(items) => items.iter().find_map(Self::non_finite),
            Value::Object(members) => members.iter().find_map(|member| member.node.non_finite()),
            _ => None,
        }
    }

    /// The same value for `serde_json`.
    ///
    /// # Errors
    /// The first non-finite number, which strict JSON cannot say.
    pub fn to_serde(&self) -> Result<serde_json::Value, Fault> {
        Ok(match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Number(number) => number.to_serde().ok_or_else(|| self.not_finite(number))?,
            Value::String(text) => text.as_str().into(),
            Value::Array(items) => items.iter().map(Self::to_serde).collect::<Result<Vec<_>, _>>()?.into(),
            Value::Object(members) => serde_json::Value::Object(
                members.iter().map(|m| Ok((m.key.clone(), m.node.to_serde()?))).collect::<Result<_, _>>()?,
            ),
        })
    }

    fn not_finite(&self, number: &Number) -> Fault {
        let (found, expected) = (format!("{} is not finite", number.text), "a finite number".to_owned());
        Fault { at: self.at, found, expected, truncated: false }
    }
}

impl Number {
    /// Whole numbers stay whole where 64 bits hold them; `-0` is a float, as in `serde_json`.
    fn to_serde(&self) -> Option<serde_json::Value> {
        let whole = self.text.parse::<u64>().map(Into::into);
        let negative = || self.text.parse::<i64>().ok().filter(|&value| value != 0).map(Into::into);
        let float = || serde_json::Number::from_f64(self.value).map(serde_json::Value::Number);
        whole.ok().or_else(negative).or_else(float)
    }
}

impl fmt::Display for Value {
    /// What kind of value it is, for error texts; strings and numbers as they stand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(flag) => write!(f, "{flag}"),
            Self::Number(number) => f.write_str(&number.text),
            Self::String(text) => write!(f, "{text:?}"),
            Self::Array(_) => f.write_str("an array"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault(text: &str) -> (u64, u64, String) {
        let fault = parse(text.as_bytes()).unwrap_err();
        (fault.at.line, fault.at.column, fault.found)
    }

    #[test]
    fn every_value_knows_its_place() {
        let root = parse(b"\xEF\xBB\xBF{\r\n  \"a\": [1, NaN],\r\n  \"\xC3\xA9\": -Infinity\r\n}").unwrap();
        let items = root.get("a").unwrap().items().unwrap();
        assert_eq!(items[1].at, Position { line: 2, column: 12 });
        assert!(items[1].as_f64().unwrap().is_nan());
        assert_eq!(root.get("é").unwrap().at, Position { line: 3, column: 8 });
        assert_eq!(root.get("é").unwrap().as_f64(), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn faults_have_a_place() {
        assert_eq!(fault("{\"a\": 1,\n \"a\": 2}"), (2, 2, "key \"a\" occurs twice in one object".into()));
        assert_eq!(fault("[1,]"), (1, 4, "\"]\"".into()));
        assert_eq!(fault("[1 2]"), (1, 4, "\"2\"".into()));
        assert_eq!(fault("NaNs"), (1, 1, "\"NaNs\"".into()));
        assert_eq!(fault("{NaN: 1}"), (1, 2, "\"N\"".into()));
        assert_eq!(fault("[nan]"), (1, 2, "\"nan\"".into()));
        assert_eq!(fault("01"), (1, 1, "\"01\" is not a number".into()));
        assert_eq!(fault("\"\\ud800\""), (1, 2, "half of a surrogate pair".into()));
        assert_eq!(fault("1 \n x"), (2, 2, "\"x\" after the end of the value".into()));
        assert_eq!(fault(&"[".repeat(500)).1, MAX_DEPTH as u64 + 1);
    }

    #[test]
    fn a_text_that_stops_is_truncated() {
        for text in ["", "{", "{\"a\"", "{\"a\":", "[1,", "\"abc", "\"\\u12", "tru", "[-", "[1e"] {
            assert!(parse(text.as_bytes()).unwrap_err().truncated, "{text}");
        }
        assert!(!parse(b"[1,]").unwrap_err().truncated);
        assert!(!parse(b"[1\xFF]").unwrap_err().truncated);
    }

    #[test]
    fn non_finite_numbers_are_found_and_never_reach_serde() {
        let root = parse(b"{\"a\": {\"b\": [0, 1e999]}}").unwrap();
        assert_eq!(root.non_finite().unwrap().1.text, "1e999");
        assert_eq!(root.to_serde().unwrap_err().at, Position { line: 1, column: 17 });
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into), // NaN and infinities become null
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            let object = prop::collection::vec((any::<String>(), inner.clone()), 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()));
            prop_oneof![prop::collection::vec(inner, 0..8).prop_map(Into::into), object]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(value in any_json()) {
            for text in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                prop_assert_eq!(&parse(text.as_bytes()).unwrap().to_serde().unwrap(), &value);
            }
        }

        #[test]
        fn what_python_would_write_reads_back(value in any_json()) {
            let node = parse(value.to_string().as_bytes()).unwrap();
            let again = parse(to_python(&node).as_bytes()).unwrap();
            prop_assert_eq!(again.to_serde().unwrap(), value);
        }

        #[test]
        fn accepts_what_serde_json_accepts(text in "[\\[\\]{}:,\"0-9eE+. tfnualsr\\\\-]{0,24}") {
            let ours = parse(text.as_bytes());
            match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(theirs) => {
                    let duplicate = ours.as_ref().is_err_and(|fault| fault.found.contains("occurs twice"));
                    prop_assert!(duplicate || close(&ours.unwrap().to_serde().unwrap(), &theirs), "{}", text);
                }
                Err(_) => prop_assert!(ours.is_err() || ours.unwrap().to_serde().is_err(), "{}", text),
            }
        }

        #[test]
        fn never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            _ = parse(&bytes);
        }

        #[test]
        fn never_panics_on_a_damaged_file(cut in 0usize..400, flip in 0usize..400, with in any::<u8>()) {
            let mut bytes = "{\"results\": [{\"mape\": NaN, \"é\": \"\\ud83d\\ude00\", \"p\": [-0.5e-3, null]}]}".repeat(3).into_bytes();
            let length = bytes.len();
            bytes[flip % length] = with;
            bytes.truncate(cut % length);
            _ = parse(&bytes);
        }
    }

    /// Equal, up to the last digits of floats: `serde_json` without `float_roundtrip` rounds them less exactly.
    fn close(ours: &serde_json::Value, theirs: &serde_json::Value) -> bool {
        use serde_json::Value::{Array, Number, Object};
        match (ours, theirs) {
            (Number(a), Number(b)) => {
                let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
                (a - b).abs() <= 1e-15 * a.abs()
            }
            (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| close(a, b)),
            (Object(a), Object(b)) => {
                a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| close(v, w)))
            }
            _ => ours == theirs,
        }
    }
}
