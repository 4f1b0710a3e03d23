//! Laws of the slice language: printing and reading are inverse, no text crashes the reader, logic is three-valued.

use proptest::prelude::*;
use shared::predicate::{Comparison, Literal, Operand, Predicate, Row, Truth, Value, parse};

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        number(),
        any::<i32>().prop_map(|n| Literal::Number(n.into())),
        text(),
        any::<bool>().prop_map(Literal::Bool)
    ]
}

fn number() -> impl Strategy<Value = Literal> {
    any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Literal::Number)
}

fn text() -> impl Strategy<Value = Literal> {
    prop_oneof!["[a-c' \"]{0,6}", any::<String>()].prop_map(Literal::Text)
}

/// Literals of one kind, as a list needs them.
fn list() -> impl Strategy<Value = Vec<Literal>> {
    prop_oneof![proptest::collection::vec(text(), 1..4), proptest::collection::vec(number(), 1..4)]
}

fn column() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9_.-]{0,6}", "and|or|not|in|is|null|true|between", any::<String>()]
        .prop_filter("a name", |name| !name.is_empty())
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    proptest::sample::select(vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual])
}

fn test() -> impl Strategy<Value = Predicate> {
    let operand = prop_oneof![literal().prop_map(Operand::Literal), column().prop_map(Operand::Column)];
    prop_oneof![
        (column(), comparison(), operand).prop_map(|(column, comparison, operand)| Predicate::Compare {
            column,
            comparison,
            operand
        }),
        (column(), list(), any::<bool>()).prop_map(|(column, list, negated)| Predicate::In { column, list, negated }),
        (column(), text(), text(), any::<bool>()).prop_map(|(column, low, high, negated)| Predicate::Between {
            column,
            low,
            high,
            negated
        }),
        (column(), any::<bool>()).prop_map(|(column, negated)| Predicate::IsNull { column, negated }),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    test().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Predicate::Not(Box::new(inner))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Predicate::And),
            proptest::collection::vec(inner, 2..4).prop_map(Predicate::Or),
        ]
    })
}

struct Cells(Vec<Option<f64>>);

impl Row for Cells {
    fn value(&self, column: usize) -> Value<'_> {
        self.0[column].map_or(Value::Null, Value::Number)
    }
}

fn truth(source: &str, cells: &Cells) -> Truth {
    parse(source).unwrap().bind_to(&["a", "b"]).unwrap().evaluate(cells).unwrap()
}

fn opposite(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
    }
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(predicate in predicate()) {
        let printed = predicate.to_string();
        prop_assert_eq!(parse(&printed).unwrap(), predicate, "{}", printed);
    }

    #[test]
    fn no_text_crashes_the_reader(source in any::<String>()) {
        if let Err(error) = parse(&source) {
            prop_assert!(error.column <= source.chars().count() + 1);
        }
    }

    #[test]
    fn no_likely_text_crashes_the_reader(words in proptest::collection::vec(
        proptest::sample::select(vec!["a", "and", "not", "(", ")", "in", "between", "is", "null", "1", "'x'", "<", "=", ",", "-", "\"", "ä"]), 0..12)
    ) {
        if let Ok(read) = parse(&words.join(" ")) {
            prop_assert_eq!(parse(&read.to_string()).unwrap(), read);
        }
    }

    #[test]
    fn the_logic_is_three_valued(a in proptest::option::of(-3.0..3.0), b in proptest::option::of(-3.0..3.0)) {
        let cells = Cells(vec![a, b]);
        prop_assert_eq!(truth("not (a < 1)", &cells), opposite(truth("a < 1", &cells)));
        prop_assert_eq!(truth("not (a < 1 and b > 0)", &cells), truth("a >= 1 or b <= 0", &cells));
        prop_assert_eq!(truth("a not between -1 and 1", &cells), truth("a < -1 or a > 1", &cells));
        prop_assert_eq!(truth("a < b", &cells), truth("b > a", &cells));
        prop_assert_eq!(truth("a < 1", &cells) == Truth::Unknown, a.is_none());
    }
}
