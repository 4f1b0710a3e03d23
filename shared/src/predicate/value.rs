//! Cells and constants, and how they compare.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Comparison, Literal};
use crate::error::{Place, Problem};

/// The texts that stand for a missing value: those that pandas writes or reads for one.
pub const NULL_WORDS: [&str; 10] = ["", "NaN", "nan", "NA", "N/A", "NULL", "null", "None", "NaT", "<NA>"];

/// A cell of a row.
///
/// What is compared decides how:
/// - with a number (or a truth value, which is 1 or 0): as numbers; a text cell must read as a number, `true` or `false`;
/// - with a text: as text, byte by byte; but if both read as dates or times (`2020-01-01`, `2020-01-01T06:00`, with or
///   without an offset; naive ones are taken as UTC) as times, and a number cell with a text that reads as a number as numbers;
/// - two columns: as numbers if both read as numbers, as times if both read as times, else as text.
///
/// A cell that does not fit what it is compared with is a [`Mismatch`], not a silent "no". NaN is null: that is how pandas
/// writes an empty cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Nothing there.
    Null,
    /// A number; truth values are 1 and 0.
    Number(f64),
    /// A text, or whatever a CSV field holds.
    Text(&'a str),
    /// A time, in microseconds since 1970-01-01T00:00Z; naive times are taken as UTC.
    Time(i64),
}

impl<'a> Value<'a> {
    /// The value of a CSV field: null where it is empty or one of the words that pandas writes or reads for a missing value.
    pub fn of_field(field: &'a str) -> Self {
        match field {
            word if NULL_WORDS.contains(&word) => Self::Null,
            text => Self::Text(text),
        }
    }

    /// Whether nothing is there.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Number(number) => number.is_nan(),
            Self::Text(_) | Self::Time(_) => false,
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Text(text) => number_of(text),
            Self::Null | Self::Time(_) => None,
        }
    }

    fn time(self) -> Option<i64> {
        match self {
            Self::Time(microseconds) => Some(microseconds),
            Self::Text(text) => time_of(text),
            Self::Null | Self::Number(_) => None,
        }
    }
}

/// The answer of a predicate, in SQL's three-valued logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// The row is selected.
    True,
    /// It is not.
    False,
    /// A null was compared: the row is not selected, nor by `not`.
    Unknown,
}

impl Truth {
    pub(super) fn negated_if(self, negated: bool) -> Self {
        match self {
            Self::True if negated => Self::False,
            Self::False if negated => Self::True,
            _ => self,
        }
    }
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::True } else { Self::False }
    }
}

/// A cell that cannot be compared with what the slice compares it with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mismatch<'a> {
    /// The column's name.
    pub column: &'a str,
    /// The column's index in the row.
    pub index: usize,
    /// The cell.
    pub found: Value<'a>,
    /// `a number`, `a date or time`, `a text`.
    pub expected: &'static str,
}

impl Mismatch<'_> {
    /// The mismatch as a problem of an input.
    pub fn at(&self, place: Place) -> Problem {
        Problem { place, found: self.to_string(), expected: self.expected.to_owned() }
    }
}

impl fmt::Display for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found {
            Value::Null => write!(f, "column {:?}: nothing is not {}", self.column, self.expected),
            Value::Number(number) => write!(f, "column {:?}: {number} is not {}", self.column, self.expected),
            Value::Text(text) => write!(f, "column {:?}: {text:?} is not {}", self.column, self.expected),
            Value::Time(_) => write!(f, "column {:?}: a time is not {}", self.column, self.expected),
        }
    }
}

/// Which side of a comparison of two columns is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

impl Literal {
    /// Whether it is a text that reads as a date or time, and so compares as one with times.
    pub fn is_time(&self) -> bool {
        matches!(self, Self::Text(text) if time_of(text).is_some())
    }
}

/// A literal with all its readings, so that a row costs no parsing of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Number(f64),
    Text { text: String, number: Option<f64>, time: Option<i64> },
}

impl From<&Literal> for Constant {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Number(number) => Self::Number(*number),
            Literal::Bool(yes) => Self::Number(f64::from(u8::from(*yes))),
            Literal::Text(text) => Self::Text { text: text.clone(), number: number_of(text), time: time_of(text) },
        }
    }
}

impl Constant {
    /// How a cell that is not null stands to the constant.
    ///
    /// # Errors
    /// What the cell should have been.
    pub(super) fn order(&self, cell: Value<'_>) -> Result<Ordering, &'static str> {
        match self {
            Self::Number(number) => cell.number().and_then(|found| found.partial_cmp(number)).ok_or("a number"),
            Self::Text { text, number, time } => match cell {
                Value::Text(found) => Ok(order_texts(found, text, *time)),
                Value::Number(found) => number.and_then(|number| found.partial_cmp(&number)).ok_or("a text"),
                Value::Time(found) => time.map(|time| found.cmp(&time)).ok_or("a text"),
                Value::Null => Err("a text"),
            },
        }
    }
}

/// How a text cell stands to a constant text: as times if both are, else byte by byte.
fn order_texts(found: &str, text: &str, time: Option<i64>) -> Ordering {
    if found == text {
        return Ordering::Equal;
    }
    let times = time.and_then(|time| Some((time_of(found)?, time)));
    times.map_or_else(|| found.cmp(text), |(found, time)| found.cmp(&time))
}

/// How two cells stand to each other, neither being null.
///
/// # Errors
/// Which of the two does not fit, and what it should have been.
pub(super) fn order_cells(left: Value<'_>, right: Value<'_>) -> Result<Ordering, (Side, &'static str)> {
    match (left.number(), right.number()) {
        (Some(left), Some(right)) => return Ok(left.total_cmp(&right)),
        (Some(_), None) => return Err((Side::Right, "a number")),
        (None, Some(_)) => return Err((Side::Left, "a number")),
        (None, None) => {}
    }
    match (left.time(), right.time(), left, right) {
        (Some(left), Some(right), _, _) => Ok(left.cmp(&right)),
        (_, _, Value::Text(left), Value::Text(right)) => Ok(left.cmp(right)),
        (Some(_), _, _, _) => Err((Side::Right, "a date or time")),
        _ => Err((Side::Left, "a date or time")),
    }
}

impl Comparison {
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// The number that a text says; `True` is 1 and `False` 0, as Python writes them.
fn number_of(text: &str) -> Option<f64> {
    let text = text.trim_ascii();
    match text.parse::<f64>() {
        Ok(number) if !number.is_nan() => Some(number),
        _ if text.eq_ignore_ascii_case("true") => Some(1.0),
        _ if text.eq_ignore_ascii_case("false") => Some(0.0),
        _ => None,
    }
}

/// The time that a text says, in microseconds since 1970; without an offset it is taken as UTC.
fn time_of(text: &str) -> Option<i64> {
    let starts_with_year = text.len() >= 10 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
    if !starts_with_year {
        return None;
    }
    let zoned = text.parse::<jiff::Timestamp>().ok();
    zoned.or_else(|| naive_time_of(text)).map(jiff::Timestamp::as_microsecond)
}

fn naive_time_of(text: &str) -> Option<jiff::Timestamp> {
    text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
