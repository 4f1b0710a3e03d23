//! A slice as SQL that selects the rows which the reader of forecast tables selects.
//!
//! Three things that engines do otherwise are spelled out. NaN, and the texts that stand for a missing cell, are null, where
//! engines take NaN for the greatest number. A comparison with a number is one of doubles. Texts are ordered byte by byte.
//! Two columns are compared as the engine compares their types.

use shared::predicate::{Comparison, Literal, NULL_WORDS, Operand, Predicate};

use super::{Dialect, Header};

/// Writes conditions on the columns of the forecast table, which is called `t`.
pub(super) struct Writer<'a> {
    pub(super) dialect: Dialect,
    pub(super) header: &'a Header,
}

impl Writer<'_> {
    /// The condition.
    pub(super) fn condition(&self, predicate: &Predicate) -> String {
        match predicate {
            Predicate::Compare { column, comparison, operand } => self.comparison(column, *comparison, operand),
            Predicate::In { column, list, negated } => {
                let list: Vec<String> = list.iter().map(|literal| self.literal(literal)).collect();
                let side = self.side(column, list_kind(predicate), false);
                format!("{side} {}IN ({})", not(*negated), list.join(", "))
            }
            Predicate::Between { column, low, high, negated } => {
                let side = self.side(column, Some(low), true);
                format!("{side} {}BETWEEN {} AND {}", not(*negated), self.literal(low), self.literal(high))
            }
            Predicate::IsNull { column, negated } => {
                let null = self.is_null(column);
                if *negated { format!("NOT {null}") } else { null }
            }
            Predicate::Not(inner) => format!("NOT ({})", self.condition(inner)),
            Predicate::And(parts) => self.joined(parts, " AND "),
            Predicate::Or(parts) => self.joined(parts, " OR "),
        }
    }

    fn joined(&self, parts: &[Predicate], between: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| format!("({})", self.condition(part))).collect();
        parts.join(between)
    }

    fn comparison(&self, column: &str, comparison: Comparison, operand: &Operand) -> String {
        match operand {
            Operand::Column(other) => format!("{} {comparison} {}", self.known(column), self.known(other)),
            Operand::Literal(literal) => {
                let is_ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                format!("{} {comparison} {}", self.side(column, Some(literal), is_ordered), self.literal(literal))
            }
        }
    }

    /// A column as it is compared with a constant.
    fn side(&self, column: &str, literal: Option<&Literal>, is_ordered: bool) -> String {
        match literal {
            Some(Literal::Number(_)) => self.known_as(column, &self.dialect.as_double(&self.column(column))),
            Some(Literal::Text(text)) if is_ordered && !is_time(text) => self.known(column) + self.bytewise(),
            _ => self.known(column),
        }
    }

    /// Other engines order texts byte by byte anyway.
    fn bytewise(&self) -> &'static str {
        if self.dialect == Dialect::Postgres { " COLLATE \"C\"" } else { "" }
    }

    fn literal(&self, literal: &Literal) -> String {
        match literal {
            // The only engine that does not read a text as the time with which it is compared.
            Literal::Text(text) if self.dialect == Dialect::Trino && is_time(text) => {
                format!("TIMESTAMP {}", self.dialect.text(&text.replace('T', " ")))
            }
            Literal::Text(text) => self.dialect.text(text),
            other => other.to_string(),
        }
    }

    /// The column, null where nothing is known.
    fn known(&self, column: &str) -> String {
        self.known_as(column, &self.column(column))
    }

    fn known_as(&self, column: &str, expression: &str) -> String {
        if self.is_id(column) {
            return expression.to_owned();
        }
        format!("(CASE WHEN {} THEN NULL ELSE {expression} END)", self.is_null(column))
    }

    /// Whether nothing is there: null, NaN, or one of the words for it.
    pub(super) fn is_null(&self, column: &str) -> String {
        let column = self.column(column);
        let words: Vec<String> = NULL_WORDS.iter().map(|word| self.dialect.text(word)).collect();
        format!("({column} IS NULL OR {} IN ({}))", self.dialect.as_text(&column), words.join(", "))
    }

    /// The column itself; a series is always its text.
    pub(super) fn column(&self, column: &str) -> String {
        let name = format!("t.{}", self.dialect.name(column));
        if self.is_id(column) { format!("COALESCE({}, '')", self.dialect.as_text(&name)) } else { name }
    }

    fn is_id(&self, column: &str) -> bool {
        column == self.header.columns.id
    }
}

fn list_kind(predicate: &Predicate) -> Option<&Literal> {
    match predicate {
        Predicate::In { list, .. } => list.first(),
        _ => None,
    }
}

fn is_time(text: &str) -> bool {
    Literal::Text(text.to_owned()).is_time()
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}
