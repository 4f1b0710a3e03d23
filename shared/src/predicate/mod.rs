//! The slice language: which rows of a table a slice selects, written as one condition on its columns.
//!
//! ```text
//! condition  = conjunction { "or" conjunction }
//! conjunction= negation { "and" negation }
//! negation   = "not" negation | "(" condition ")" | test
//! test       = operand ( "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ) operand
//!            | column [ "not" ] "in" "(" literal { "," literal } ")"
//!            | column [ "not" ] "between" literal "and" literal
//!            | column "is" [ "not" ] "null"
//! operand    = column | literal                  (at least one side of a comparison is a column)
//! literal    = number | 'text' | true | false    ('' inside a text is one quote)
//! column     = "any name" | letter or _ followed by letters, digits, _ - .
//! ```
//!
//! Keywords are read in any case, column names exactly as written. [`Predicate`] prints itself as SQL that reads back as the
//! same predicate; how cells compare, and what an empty cell does, is told at [`Value`] and [`Compiled`].
//!
//! ```
//! use shared::predicate::{self, Row, Value};
//!
//! struct Cells([f64; 2]);
//! impl Row for Cells {
//!     fn value(&self, column: usize) -> Value<'_> {
//!         Value::Number(self.0[column])
//!     }
//! }
//!
//! let slice = predicate::parse("holiday = 1 and n_train < 60")?;
//! assert_eq!(slice.to_string(), r#"("holiday" = 1 AND "n_train" < 60)"#);
//! let bound = slice.bind_to(&["holiday", "n_train"])?;
//! assert_eq!(bound.selects(&Cells([1.0, 12.0])), Ok(true));
//! # Ok::<(), shared::Error>(())
//! ```

mod evaluate;
mod lexer;
mod parser;
mod print;
mod syntax_error;
mod value;

pub use evaluate::{Compiled, Row};
pub use parser::parse;
pub use syntax_error::SyntaxError;
pub use value::{Mismatch, NULL_WORDS, Truth, Value};

use std::collections::BTreeSet;

/// A condition on the columns of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// `column < operand`.
    Compare {
        /// The left side.
        column: String,
        /// How the sides are compared.
        comparison: Comparison,
        /// The right side.
        operand: Operand,
    },
    /// `column in (…)`.
    In {
        /// The column.
        column: String,
        /// The list, all numbers, all texts or all truth values.
        list: Vec<Literal>,
        /// Whether it says `not in`.
        negated: bool,
    },
    /// `column between low and high`, both ends included.
    Between {
        /// The column.
        column: String,
        /// The lower end.
        low: Literal,
        /// The upper end.
        high: Literal,
        /// Whether it says `not between`.
        negated: bool,
    },
    /// `column is null`.
    IsNull {
        /// The column.
        column: String,
        /// Whether it says `is not null`.
        negated: bool,
    },
    /// `not …`.
    Not(Box<Predicate>),
    /// `… and …`, two or more.
    And(Vec<Predicate>),
    /// `… or …`, two or more.
    Or(Vec<Predicate>),
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Another column.
    Column(String),
    /// A constant.
    Literal(Literal),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A finite number.
    Number(f64),
    /// A text.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=` or `==`.
    Equal,
    /// `<>` or `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison with its sides exchanged.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

impl Predicate {
    /// The columns that the predicate names, sorted, each once.
    pub fn columns(&self) -> Vec<&str> {
        let mut found = BTreeSet::new();
        self.collect_columns(&mut found);
        found.into_iter().collect()
    }

    fn collect_columns<'a>(&'a self, found: &mut BTreeSet<&'a str>) {
        match self {
            Self::Compare { column, operand, .. } => {
                found.insert(column);
                if let Operand::Column(other) = operand {
                    found.insert(other);
                }
            }
            Self::In { column, .. } | Self::Between { column, .. } | Self::IsNull { column, .. } => {
                found.insert(column);
            }
            Self::Not(inner) => inner.collect_columns(found),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_columns(found)),
        }
    }
}
