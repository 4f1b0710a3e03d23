//! A predicate bound to the columns of a table, and its answer for each row.

use super::value::{Constant, Mismatch, Side, Truth, Value, order_cells};
use super::{Comparison, Literal, Operand, Predicate};
use crate::error::{Error, Result};
use crate::suggest;

/// A row of a table, as the reader holds it.
pub trait Row {
    /// The cell in the column with this index, as [`Predicate::bind`] was told it.
    fn value(&self, column: usize) -> Value<'_>;
}

/// A predicate bound to a table.
///
/// Its logic is SQL's: a comparison with a null is unknown; `not unknown` is unknown; `false and unknown` is false, `true or
/// unknown` is true; only rows whose answer is true are selected, so a row with a null is selected neither by `h < 3` nor by
/// `not h < 3`; `is null` asks for it. `and` and `or` are answered from the left and stop as soon as the answer is known, so
/// `kind = 'count' and value < 3` does not trip over a text where `kind` is something else.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    root: Node,
}

#[derive(Debug, Clone, PartialEq)]
struct Column {
    index: usize,
    name: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Constant { column: Column, comparison: Comparison, constant: Constant },
    Columns { left: Column, comparison: Comparison, right: Column },
    In { column: Column, list: Vec<Constant>, negated: bool },
    Between { column: Column, low: Constant, high: Constant, negated: bool },
    IsNull { column: Column, negated: bool },
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

impl Predicate {
    /// Binds each column to its index in the rows, through `resolve`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a column that `resolve` does not know.
    pub fn bind(&self, mut resolve: impl FnMut(&str) -> Option<usize>) -> Result<Compiled> {
        Ok(Compiled { root: bind(self, &mut resolve)? })
    }

    /// Binds each column to its place in `header`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a column that is not in the header, with the nearest name that is.
    pub fn bind_to<S: AsRef<str>>(&self, header: &[S]) -> Result<Compiled> {
        let known = || header.iter().map(AsRef::as_ref);
        let bound = self.bind(|name| known().position(|column| column == name));
        let missing = self.columns().into_iter().find(|name| !known().any(|column| column == *name));
        match (bound, missing.and_then(|name| suggest::nearest(name, known()))) {
            (Err(error), Some(near)) => Err(error.with_help(format!("did you mean \"{near}\"?"))),
            (bound, _) => bound,
        }
    }
}

impl Compiled {
    /// Whether the row is selected.
    ///
    /// # Errors
    /// If a cell cannot be compared with what the predicate compares it with.
    pub fn selects<'a>(&'a self, row: &'a impl Row) -> Result<bool, Mismatch<'a>> {
        Ok(self.evaluate(row)? == Truth::True)
    }

    /// The answer for the row. Allocates nothing.
    ///
    /// # Errors
    /// If a cell cannot be compared with what the predicate compares it with.
    pub fn evaluate<'a>(&'a self, row: &'a impl Row) -> Result<Truth, Mismatch<'a>> {
        self.root.evaluate(row)
    }
}

impl Node {
    fn evaluate<'a>(&'a self, row: &'a impl Row) -> Result<Truth, Mismatch<'a>> {
        match self {
            Self::Constant { column, comparison, constant } => column.compare(row, *comparison, constant),
            Self::Columns { left, comparison, right } => compare_columns(row, left, *comparison, right),
            Self::In { column, list, negated } => Ok(is_in(row, column, list)?.negated_if(*negated)),
            Self::Between { column, low, high, negated } => {
                let above = column.compare(row, Comparison::GreaterOrEqual, low)?;
                let below = column.compare(row, Comparison::LessOrEqual, high)?;
                Ok(both(above, below).negated_if(*negated))
            }
            Self::IsNull { column, negated } => Ok(Truth::from(row.value(column.index).is_null() != *negated)),
            Self::Not(inner) => Ok(inner.evaluate(row)?.negated_if(true)),
            Self::And(parts) => all(parts, row),
            Self::Or(parts) => any(parts, row),
        }
    }
}

fn all<'a>(parts: &'a [Node], row: &'a impl Row) -> Result<Truth, Mismatch<'a>> {
    let mut answer = Truth::True;
    for part in parts {
        answer = both(answer, part.evaluate(row)?);
        if answer == Truth::False {
            break;
        }
    }
    Ok(answer)
}

fn any<'a>(parts: &'a [Node], row: &'a impl Row) -> Result<Truth, Mismatch<'a>> {
    let mut answer = Truth::False;
    for part in parts {
        answer = either(answer, part.evaluate(row)?);
        if answer == Truth::True {
            break;
        }
    }
    Ok(answer)
}

fn is_in<'a>(row: &'a impl Row, column: &'a Column, list: &'a [Constant]) -> Result<Truth, Mismatch<'a>> {
    let mut answer = Truth::False;
    for constant in list {
        answer = either(answer, column.compare(row, Comparison::Equal, constant)?);
        if answer == Truth::True {
            break;
        }
    }
    Ok(answer)
}

fn compare_columns<'a>(
    row: &'a impl Row,
    left: &'a Column,
    comparison: Comparison,
    right: &'a Column,
) -> Result<Truth, Mismatch<'a>> {
    let (one, other) = (row.value(left.index), row.value(right.index));
    if one.is_null() || other.is_null() {
        return Ok(Truth::Unknown);
    }
    let order = order_cells(one, other).map_err(|(which, expected)| match which {
        Side::Left => left.mismatch(one, expected),
        Side::Right => right.mismatch(other, expected),
    })?;
    Ok(comparison.holds(order).into())
}

impl Column {
    fn compare<'a>(
        &'a self,
        row: &'a impl Row,
        comparison: Comparison,
        constant: &Constant,
    ) -> Result<Truth, Mismatch<'a>> {
        let cell = row.value(self.index);
        if cell.is_null() {
            return Ok(Truth::Unknown);
        }
        let order = constant.order(cell).map_err(|expected| self.mismatch(cell, expected))?;
        Ok(comparison.holds(order).into())
    }

    fn mismatch<'a>(&'a self, found: Value<'a>, expected: &'static str) -> Mismatch<'a> {
        Mismatch { column: &self.name, index: self.index, found, expected }
    }
}

fn both(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Truth::False, _) | (_, Truth::False) => Truth::False,
        (Truth::True, Truth::True) => Truth::True,
        _ => Truth::Unknown,
    }
}

fn either(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Truth::True, _) | (_, Truth::True) => Truth::True,
        (Truth::False, Truth::False) => Truth::False,
        _ => Truth::Unknown,
    }
}

fn bind(predicate: &Predicate, resolve: &mut dyn FnMut(&str) -> Option<usize>) -> Result<Node> {
    Ok(match predicate {
        Predicate::Compare { column, comparison, operand } => bind_comparison(column, *comparison, operand, resolve)?,
        Predicate::In { column, list, negated } => Node::In {
            column: find(column, resolve)?,
            list: list.iter().map(Constant::from).collect(),
            negated: *negated,
        },
        Predicate::Between { column, low, high, negated } => {
            Node::Between { column: find(column, resolve)?, low: low.into(), high: high.into(), negated: *negated }
        }
        Predicate::IsNull { column, negated } => Node::IsNull { column: find(column, resolve)?, negated: *negated },
        Predicate::Not(inner) => Node::Not(Box::new(bind(inner, resolve)?)),
        Predicate::And(parts) => Node::And(bind_all(parts, resolve)?),
        Predicate::Or(parts) => Node::Or(bind_all(parts, resolve)?),
    })
}

fn bind_all(parts: &[Predicate], resolve: &mut dyn FnMut(&str) -> Option<usize>) -> Result<Vec<Node>> {
    parts.iter().map(|part| bind(part, resolve)).collect()
}

fn bind_comparison(
    column: &str,
    comparison: Comparison,
    operand: &Operand,
    resolve: &mut dyn FnMut(&str) -> Option<usize>,
) -> Result<Node> {
    let column = find(column, resolve)?;
    match operand {
        Operand::Literal(literal) => Ok(Node::Constant { column, comparison, constant: literal.into() }),
        Operand::Column(name) => {
            let text = Literal::Text(name.clone());
            let right = find(name, resolve)
                .map_err(|error| error.with_help(format!("a text is written in single quotes: {text}")))?;
            Ok(Node::Columns { left: column, comparison, right })
        }
    }
}

fn find(name: &str, resolve: &mut dyn FnMut(&str) -> Option<usize>) -> Result<Column> {
    match resolve(name) {
        Some(index) => Ok(Column { index, name: name.to_owned() }),
        None => Err(Error::usage(format!("slice: no column \"{name}\""), "a column of the table")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::parse;

    struct Fields<'a>(&'a [&'a str]);

    impl Row for Fields<'_> {
        fn value(&self, column: usize) -> Value<'_> {
            Value::of_field(self.0[column])
        }
    }

    struct Cell(Value<'static>);

    impl Row for Cell {
        fn value(&self, _column: usize) -> Value<'_> {
            self.0
        }
    }

    fn truth(source: &str, field: &str) -> Truth {
        parse(source).unwrap().bind_to(&["x"]).unwrap().evaluate(&Fields(&[field])).unwrap()
    }

    fn truth_of(source: &str, cell: Value<'static>) -> Truth {
        parse(source).unwrap().bind_to(&["x"]).unwrap().evaluate(&Cell(cell)).unwrap()
    }

    #[test]
    fn a_number_is_compared_as_a_number() {
        assert_eq!(truth("x < 9", "10"), Truth::False);
        assert_eq!(truth("x = 1", "1.0"), Truth::True);
        assert_eq!(truth("x between 1 and 3", "3"), Truth::True);
        assert_eq!(truth("x not in (1, 2)", " 2"), Truth::False);
        assert_eq!(truth("x = true", "True"), Truth::True);
        assert_eq!(truth("x = 1", "True"), Truth::True);
        assert_eq!(truth("x = '05'", "5"), Truth::False);
        assert_eq!(truth_of("x = '5'", Value::Number(5.0)), Truth::True);
    }

    #[test]
    fn times_compare_as_times_however_they_are_written() {
        assert_eq!(truth("x <= '2020-01-01'", "2020-01-01 00:00:00"), Truth::True);
        assert_eq!(truth("x = '2020-01-01T06:00+06:00'", "2020-01-01"), Truth::True);
        assert_eq!(truth("x > '2019-12-31'", "2020-01-01T00:00:00Z"), Truth::True);
        assert_eq!(truth_of("x > '1969-12-31'", Value::Time(0)), Truth::True);
        assert_eq!(truth("x < 'b'", "a"), Truth::True);
    }

    #[test]
    fn a_null_is_selected_by_neither_side() {
        assert_eq!(truth("x < 9", ""), Truth::Unknown);
        assert_eq!(truth("not x < 9", "NaN"), Truth::Unknown);
        assert_eq!(truth("x not in (1)", ""), Truth::Unknown);
        assert_eq!(truth("x < 9 or x is null", ""), Truth::True);
        assert_eq!(truth("x < 9 and x is not null", ""), Truth::False);
        assert_eq!(truth_of("x is null", Value::Number(f64::NAN)), Truth::True);
    }

    #[test]
    fn a_cell_that_does_not_fit_is_an_error_with_its_column() {
        let bound = parse("x < 9").unwrap().bind_to(&["x"]).unwrap();
        let row = Fields(&["abc"]);
        let mismatch = bound.selects(&row).unwrap_err();
        assert_eq!(mismatch.to_string(), "column \"x\": \"abc\" is not a number");
        let guarded = parse("k = 'n' and x < 9").unwrap().bind_to(&["x", "k"]).unwrap();
        assert_eq!(guarded.selects(&Fields(&["abc", "t"])), Ok(false));
    }

    #[test]
    fn two_columns_compare_by_what_they_hold() {
        let bound = parse("x < k").unwrap().bind_to(&["x", "k"]).unwrap();
        assert_eq!(bound.selects(&Fields(&["9", "10"])), Ok(true));
        assert_eq!(bound.selects(&Fields(&["b", "a"])), Ok(false));
        let row = Fields(&["9", "a"]);
        assert_eq!(bound.selects(&row).unwrap_err().column, "k");
        assert_eq!(bound.evaluate(&Fields(&["9", ""])), Ok(Truth::Unknown));
    }

    #[test]
    fn an_unknown_column_names_its_neighbour() {
        let error = parse("holyday = 1").unwrap().bind_to(&["h", "holiday"]).unwrap_err();
        assert_eq!(error.to_string(), "slice: no column \"holyday\" (expected a column of the table)");
        assert_eq!(error.help(), Some("did you mean \"holiday\"?"));
        let error = parse("store = berlin").unwrap().bind_to(&["store"]).unwrap_err();
        assert_eq!(error.help(), Some("a text is written in single quotes: 'berlin'"));
    }
}
