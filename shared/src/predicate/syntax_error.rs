//! Where a slice cannot be read, and what would have been right there.

use std::fmt;

use crate::error::Error;

/// A slice that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The slice as written.
    pub source: String,
    /// Where, in characters from 1; one past the end if the slice stops too early.
    pub column: usize,
    /// What stands there: `"&&"`, `the end`.
    pub found: String,
    /// What could have stood there.
    pub expected: String,
}

impl SyntaxError {
    /// An error at a byte offset of `source`.
    pub(crate) fn new(source: &str, offset: usize, found: impl Into<String>, expected: impl Into<String>) -> Self {
        let column = source.char_indices().take_while(|(start, _)| *start < offset).count() + 1;
        Self { source: source.to_owned(), column, found: found.into(), expected: expected.into() }
    }

    /// The slice with a caret below the place, `indent` columns to the right on the second line.
    fn pointed(&self, indent: usize) -> String {
        format!("{}\n{:indent$}{:>column$}", self.one_line(), "", "^", column = self.column)
    }

    /// Tabs and line ends as spaces, so that the caret stands where it should.
    fn one_line(&self) -> String {
        self.source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "slice, column {}: found {} (expected {})", self.column, self.found, self.expected)?;
        write!(f, "{}", self.pointed(0))
    }
}

impl std::error::Error for SyntaxError {}

impl From<SyntaxError> for Error {
    fn from(error: SyntaxError) -> Self {
        let found = format!("slice {:?}, column {}: found {}", error.one_line(), error.column, error.found);
        Self::usage(found, error.expected.clone()).with_help(error.pointed("help: ".len()))
    }
}
