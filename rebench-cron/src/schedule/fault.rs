//! What is wrong with an expression: where, what stands there, what would have been right.

use std::fmt;
use std::ops::Range;

use shared::error::Error;

/// An expression that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The expression as written.
    pub expression: String,
    /// Where, in characters from 1; one past the end if the expression stops too early.
    pub column: usize,
    /// What stands there: `"61" in the minutes`.
    pub found: String,
    /// What could have stood there.
    pub expected: String,
    /// What to write in its place, if that can be told.
    pub hint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, found, expected, .. } = self;
        write!(f, "schedule {:?}, column {column}: {found} (expected {expected})", one_line(&self.expression))
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let indent = "help: ".len();
        let line = one_line(&fault.expression);
        let caret = format!("{line}\n{:indent$}{:>column$}", "", "^", column = fault.column);
        let found = format!("schedule {line:?}, column {}: {}", fault.column, fault.found);
        let help = fault.hint.map_or_else(|| caret.clone(), |hint| format!("{caret}\n{:indent$}{hint}", ""));
        Self::usage(found, fault.expected).with_help(help)
    }
}

/// Tabs and line ends as spaces, so that the caret stands where it should.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A fault before it knows the whole expression: a place in bytes.
#[derive(Debug)]
pub(super) struct Wrong {
    offset: usize,
    found: String,
    expected: String,
    hint: Option<String>,
}

/// What the parts of the parser return.
pub(super) type Parsed<T> = Result<T, Wrong>;

impl Wrong {
    pub(super) fn at(offset: usize, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { offset, found: found.into(), expected: expected.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The fault in an expression.
    pub(super) fn within(self, expression: &str) -> Fault {
        let column = expression.char_indices().take_while(|(start, _)| *start < self.offset).count() + 1;
        let Self { found, expected, hint, .. } = self;
        Fault { expression: expression.to_owned(), column, found, expected, hint }
    }
}

/// A part of a text and where it stands in the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) offset: usize,
}

impl Piece<'_> {
    /// Bytes of the piece; nothing where they do not fit.
    pub(super) fn slice(self, range: Range<usize>) -> Self {
        let offset = self.offset + range.start.min(self.text.len());
        Self { text: self.text.get(range).unwrap_or_default(), offset }
    }

    pub(super) fn split_once(self, at: char) -> Option<(Self, Self)> {
        let place = self.text.find(at)?;
        Some((self.slice(0..place), self.slice(place + at.len_utf8()..self.text.len())))
    }

    pub(super) fn split_str(self, at: &str) -> Option<(Self, Self)> {
        let place = self.text.find(at)?;
        Some((self.slice(0..place), self.slice(place + at.len()..self.text.len())))
    }

    /// The parts between commas, empty ones too.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        let mut from = Some(0);
        std::iter::from_fn(move || {
            let start = from?;
            let length = self.text.as_bytes()[start..].iter().position(|&byte| byte == b',');
            from = length.map(|length| start + length + 1);
            Some(self.slice(start..length.map_or(self.text.len(), |length| start + length)))
        })
    }

    /// The words between blanks.
    pub(super) fn words(self) -> impl Iterator<Item = Self> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        std::iter::from_fn(move || {
            while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
                at += 1;
            }
            let start = at;
            while bytes.get(at).is_some_and(|byte| !byte.is_ascii_whitespace()) {
                at += 1;
            }
            (start < at).then(|| self.slice(start..at))
        })
    }

    /// The piece without `tail` at its end, in any case.
    pub(super) fn without(self, tail: &str) -> Option<Self> {
        let end = self.text.len().checked_sub(tail.len())?;
        let matches = self.text.get(end..)?.eq_ignore_ascii_case(tail);
        matches.then(|| self.slice(0..end))
    }

    pub(super) fn end(self) -> usize {
        self.offset + self.text.len()
    }
}
