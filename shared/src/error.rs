//! What can go wrong, with the place where it did and the remedy, and which exit status it means.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Exit;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How many problems of one file are printed before only their count is.
pub const SHOWN_PROBLEMS: usize = 20;

/// A place in a file, printed as editors jump to it: `file:line:column`, each from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it; `-` is standard input.
    pub path: PathBuf,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column, from 1; for tables the number of the field.
    pub column: Option<u64>,
}

impl Place {
    /// The file as a whole.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), line: None, column: None }
    }

    /// A line of the file.
    pub fn line(path: impl Into<PathBuf>, line: u64) -> Self {
        Self { path: path.into(), line: Some(line), column: None }
    }

    /// A line and column of the file.
    pub fn at(path: impl Into<PathBuf>, line: u64, column: u64) -> Self {
        Self { path: path.into(), line: Some(line), column: Some(column) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        Ok(())
    }
}

/// One problem of an input: where, what was found, what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What was found, lower case, no full stop: `column "mae": "n/a" is not a number`.
    pub found: String,
    /// What would have been right: `a finite decimal`.
    pub expected: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.found)?;
        if self.expected.is_empty() { Ok(()) } else { write!(f, " (expected {})", self.expected) }
    }
}

/// Everything that the common crate reports; the binaries turn it into text and an exit status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input is malformed or unusable: exit status 2.
    #[error("{problem}")]
    Input {
        /// What is wrong, and where.
        problem: Problem,
        /// What the reader can do about it.
        help: Option<String>,
    },
    /// Several rows of an input are bad: the first ones, and how many there are in all. Exit status 2.
    #[error("{}", list_problems(problems, *total))]
    Rows {
        /// The first [`SHOWN_PROBLEMS`].
        problems: Vec<Problem>,
        /// All of them.
        total: u64,
        /// What the reader can do about it.
        help: Option<String>,
    },
    /// The inputs cannot be compared with each other: exit status 2.
    #[error("{found} (expected {expected})")]
    Incomparable {
        /// What was found.
        found: String,
        /// What would have been comparable.
        expected: String,
        /// What the reader can do about it.
        help: Option<String>,
    },
    /// A flag, argument or setting is wrong: exit status 2.
    #[error("{found} (expected {expected})")]
    Usage {
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What the reader can do about it.
        help: Option<String>,
    },
    /// The answer is no, for these reasons: exit status 1.
    #[error("{}", list_reasons(what, reasons))]
    Refused {
        /// What was refused: `lightgbm 2.0.0 is not promoted`.
        what: String,
        /// All the reasons.
        reasons: Vec<String>,
        /// What the reader can do about it.
        help: Option<String>,
    },
    /// An input file cannot be opened: exit status 2, since the command names a wrong file.
    #[error("{}: cannot be opened: {source}", path.display())]
    Open {
        /// The file as the user named it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Reading or writing failed midway: exit status 3.
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read`, `write`, `rename`, …
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A server, lock or job failed and a retry may help: exit status 3.
    #[error("{what}")]
    Environment {
        /// What failed.
        what: String,
        /// What the reader can do about it.
        help: Option<String>,
    },
}

impl Error {
    /// An [`Error::Input`] at a place.
    pub fn input(place: Place, found: impl Into<String>, expected: impl Into<String>) -> Self {
        let problem = Problem { place, found: found.into(), expected: expected.into() };
        Self::Input { problem, help: None }
    }

    /// An [`Error::Usage`].
    pub fn usage(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Usage { found: found.into(), expected: expected.into(), help: None }
    }

    /// An [`Error::Incomparable`].
    pub fn incomparable(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Incomparable { found: found.into(), expected: expected.into(), help: None }
    }

    /// An [`Error::Refused`].
    pub fn refused(what: impl Into<String>, reasons: Vec<String>) -> Self {
        Self::Refused { what: what.into(), reasons, help: None }
    }

    /// An [`Error::Rows`] from all problems of a file; keeps the first [`SHOWN_PROBLEMS`].
    pub fn rows(mut problems: Vec<Problem>, total: u64) -> Self {
        problems.truncate(SHOWN_PROBLEMS);
        Self::Rows { problems, total, help: None }
    }

    /// An [`Error::Io`] of `action` on `path`.
    pub fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), action, source }
    }

    /// The same error with a remedy.
    #[must_use]
    pub fn with_help(mut self, text: impl Into<String>) -> Self {
        match &mut self {
            Self::Input { help, .. }
            | Self::Rows { help, .. }
            | Self::Incomparable { help, .. }
            | Self::Usage { help, .. }
            | Self::Refused { help, .. }
            | Self::Environment { help, .. } => *help = Some(text.into()),
            Self::Open { .. } | Self::Io { .. } => {}
        }
        self
    }

    /// The remedy, if one is known.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Input { help, .. }
            | Self::Rows { help, .. }
            | Self::Incomparable { help, .. }
            | Self::Usage { help, .. }
            | Self::Refused { help, .. }
            | Self::Environment { help, .. } => help.as_deref(),
            Self::Open { source, .. } => Some(remedy(source)),
            Self::Io { .. } => None,
        }
    }

    /// The exit status that this error means.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Io { .. } | Self::Environment { .. } => Exit::Environment,
            Self::Refused { .. } => Exit::No,
            _ => Exit::Usage,
        }
    }
}

/// What to do about a file that cannot be opened.
fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::IsADirectory => "name a file in that folder",
        io::ErrorKind::PermissionDenied => "ask whoever owns the file for the right to read it",
        _ => "see whether the path is right: one in promotion.toml starts at the folder of that file",
    }
}

fn list_reasons(what: &str, reasons: &[String]) -> String {
    match reasons {
        [] => what.to_owned(),
        [reason] => format!("{what}: {reason}"),
        _ => std::iter::once(format!("{what}:"))
            .chain(reasons.iter().map(|reason| format!("- {reason}")))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn list_problems(problems: &[Problem], total: u64) -> String {
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let hidden = total.saturating_sub(problems.len() as u64);
    if hidden > 0 {
        lines.push(format!("… and {hidden} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_as_editors_jump_to_it() {
        assert_eq!(Place::at("a.csv", 17, 4).to_string(), "a.csv:17:4");
        let error =
            Error::input(Place::at("a.csv", 17, 4), "column \"mae\": \"n/a\" is not a number", "a finite decimal");
        assert_eq!(
            error.to_string(),
            "a.csv:17:4: column \"mae\": \"n/a\" is not a number (expected a finite decimal)"
        );
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn problems_past_the_twentieth_are_counted() {
        let one = Problem { place: Place::line("a", 1), found: "x".into(), expected: String::new() };
        let text = Error::rows(vec![one; 30], 30).to_string();
        assert_eq!(text.lines().count(), 21);
        assert!(text.ends_with("… and 10 more"));
    }
}
