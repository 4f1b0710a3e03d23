//! A predicate as SQL of no particular dialect: quoted names, upper-case keywords, parentheses wherever two readings exist.

use std::fmt::{self, Display, Formatter};

use super::{Comparison, Literal, Operand, Predicate};

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { column, comparison, operand } => write!(f, "{} {comparison} {operand}", Name(column)),
            Self::In { column, list, negated } => {
                write!(f, "{} {}IN ({})", Name(column), not(*negated), Joined(list, ", "))
            }
            Self::Between { column, low, high, negated } => {
                write!(f, "{} {}BETWEEN {low} AND {high}", Name(column), not(*negated))
            }
            Self::IsNull { column, negated } => write!(f, "{} IS {}NULL", Name(column), not(*negated)),
            Self::Not(inner) => write!(f, "NOT {}", Grouped(inner)),
            Self::And(parts) => write!(f, "({})", Joined(parts, " AND ")),
            Self::Or(parts) => write!(f, "({})", Joined(parts, " OR ")),
        }
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => Name(name).fmt(f),
            Self::Literal(literal) => literal.fmt(f),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) if is_plain(*number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number:e}"),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Bool(true) => f.write_str("TRUE"),
            Self::Bool(false) => f.write_str("FALSE"),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

impl Literal {
    /// What it is, as error messages say it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Text(_) => "a 'text'",
            Self::Bool(_) => "`true` or `false`",
        }
    }
}

/// A quoted column name.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A predicate in parentheses, of its own or added ones.
struct Grouped<'a>(&'a Predicate);

impl Display for Grouped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Predicate::And(_) | Predicate::Or(_) => self.0.fmt(f),
            _ => write!(f, "({})", self.0),
        }
    }
}

/// Items with a separator between them.
struct Joined<'a, T>(&'a [T], &'a str);

impl<T: Display> Display for Joined<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { self.1 })?;
            item.fmt(f)?;
        }
        Ok(())
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

/// Whether a number is readable without an exponent.
fn is_plain(number: f64) -> bool {
    number == 0.0 || (1e-4..1e15).contains(&number.abs())
}
