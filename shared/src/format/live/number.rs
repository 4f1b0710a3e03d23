//! Numbers of live records: JSON numbers, and texts that can only mean a number.

use std::borrow::Cow;

use super::value::Value;
use super::{BadRow, Fault};

const FINITE: &str = "a finite number";

/// A number, or why it is none.
pub(super) fn finite(column: &'static str, value: &Value<'_>) -> Result<f64, BadRow> {
    let text: &str = match value {
        // What JSON takes for a number, the standard library takes for the same one.
        Value::Number(text) => match text.parse() {
            Ok(number) if f64::is_finite(number) => return Ok(number),
            _ => text,
        },
        Value::NotFinite(text) => return Err(not_finite(column, text, value)),
        Value::Text(text) => text.trim(),
        Value::Null => return Err(bad(Fault::Null, column, value)),
        Value::Bool(_) | Value::Nested(_) => return Err(bad(Fault::BadField, column, value)),
    };
    match decimal(text) {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => Err(bad(Fault::Infinite, column, value)),
        None if text.is_empty() => Err(bad(Fault::Null, column, value)),
        None => Err(not_finite(column, text, value)),
    }
}

/// A number, or `None` where there is none.
pub(super) fn optional(column: &'static str, value: Option<Value<'_>>) -> Result<Option<f64>, BadRow> {
    let Some(value) = value else { return Ok(None) };
    match finite(column, &value) {
        Ok(number) => Ok(Some(number)),
        Err(bad) if bad.fault == Fault::Null => Ok(None),
        Err(bad) => Err(bad),
    }
}

/// A count, or `None` where there is none; `3.0` is 3, as tables with gaps write it.
pub(super) fn count(column: &'static str, value: Option<Value<'_>>) -> Result<Option<u32>, BadRow> {
    let number = optional(column, value)?;
    let whole = |number: f64| {
        let fits = number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and in range")]
        fits.then_some(number as u32)
    };
    let refused = |number: f64| {
        let expected = "a whole number from 0 to 4294967295";
        BadRow::column(Fault::BadField, column, number.to_string(), expected)
    };
    number.map(|number| whole(number).ok_or_else(|| refused(number))).transpose()
}

/// A decimal number; neither words such as `inf` nor separators of thousands. Huge ones are infinite.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E'));
    plain.then(|| text.parse().ok()).flatten()
}

fn not_finite(column: &'static str, text: &str, value: &Value<'_>) -> BadRow {
    let word = text.trim_start_matches(['+', '-']);
    let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known));
    match () {
        () if is(&["nan"]) => bad(Fault::Nan, column, value),
        () if is(&["inf", "infinity"]) => bad(Fault::Infinite, column, value),
        () => bad(Fault::BadField, column, value),
    }
}

fn bad(fault: Fault, column: &'static str, value: &Value<'_>) -> BadRow {
    let found = match fault {
        Fault::Null => "the value is missing".to_owned(),
        Fault::BadField => format!("{} is not a number", value.describe()),
        _ => format!("{} is not finite", value.describe()),
    };
    BadRow::column(fault, column, found, Cow::Borrowed(FINITE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Result<f64, Fault> {
        finite("y", &Value::Text(text.into())).map_err(|bad| bad.fault)
    }

    #[test]
    fn texts_are_numbers_only_where_nothing_else_can_be_meant() {
        assert_eq!(fault("12.5"), Ok(12.5));
        assert_eq!(fault(" -1e3 "), Ok(-1000.0));
        assert_eq!(fault("12,5"), Err(Fault::BadField));
        assert_eq!(fault("1 000"), Err(Fault::BadField));
        assert_eq!(fault("n/a"), Err(Fault::BadField));
        assert_eq!(fault("NaN"), Err(Fault::Nan));
        assert_eq!(fault("-inf"), Err(Fault::Infinite));
        assert_eq!(fault("1e999"), Err(Fault::Infinite));
        assert_eq!(fault(" "), Err(Fault::Null));
    }

    #[test]
    fn counts_are_whole() {
        let read = |text: &'static str| count("horizon", Some(Value::Number(text))).map_err(|bad| bad.fault);
        assert_eq!(read("3.0"), Ok(Some(3)));
        assert_eq!(read("4294967295"), Ok(Some(u32::MAX)));
        for text in ["1.5", "-1", "4294967296"] {
            assert_eq!(read(text), Err(Fault::BadField), "{text}");
        }
        assert_eq!(count("horizon", Some(Value::Null)).unwrap(), None);
    }
}
