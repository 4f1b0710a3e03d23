//! Reading expressions.

mod cron;
mod field;
mod hash;
mod oncalendar;
mod shape;

use super::dialect::Dialect;
use super::fault::{Fault, Piece};
use super::fires::Pattern;

/// An expression that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// What it means.
    pub pattern: Pattern,
    /// The time zone that it names itself: only in `OnCalendar=`.
    pub zone: Option<String>,
}

impl Expression {
    /// Reads an expression. `job` is what an `H` is hashed from; without it there is no `H`.
    ///
    /// # Errors
    /// [`Fault`], with the column.
    pub fn parse(text: &str, dialect: Dialect, job: Option<&str>) -> Result<Self, Fault> {
        let piece = Piece { text, offset: 0 };
        let parsed = match dialect {
            Dialect::OnCalendar => oncalendar::parse(piece),
            _ => cron::parse(piece, dialect, job).map(|pattern| Self { pattern, zone: None }),
        };
        parsed.map_err(|wrong| wrong.within(text))
    }
}

impl Pattern {
    /// Reads an expression that names no zone: see [`Expression::parse`].
    ///
    /// # Errors
    /// [`Fault`], with the column.
    pub fn parse(text: &str, dialect: Dialect, job: Option<&str>) -> Result<Self, Fault> {
        Expression::parse(text, dialect, job).map(|expression| expression.pattern)
    }
}
