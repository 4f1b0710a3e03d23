//! Lengths of time as flags have them: `15m`, `36h`, `40d`.

use jiff::{Span, SpanRelativeTo, Unit};

use crate::core::time::Micros;

/// What is never over.
const NEVER: &str = "never";

/// Longer than anything that is watched, and short enough to be added to a time.
const LONGEST: Micros = Micros::MAX / 8;

/// Reads a length of time; days have 24 hours, `never` is longer than all. Months and years have no fixed length and are refused.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Micros, String> {
    if text.trim() == NEVER {
        return Ok(LONGEST);
    }
    let wrong = || format!("{text:?} is no length of time; expected one such as 15m, 36h or 40d");
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    if span.get_months() != 0 || span.get_years() != 0 {
        return Err(format!("{text:?}: months and years have no fixed length; say it in days"));
    }
    let micros = span.total((Unit::Microsecond, SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())?;
    #[expect(clippy::cast_possible_truncation, reason = "spans are far below the range of microseconds")]
    match (0.0..9e18).contains(&micros) {
        true => Ok(micros as Micros),
        false => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::time::{DAY, SECOND};

    #[test]
    fn lengths_are_read() {
        assert_eq!(
            (parse("40d"), parse("36h"), parse("1d12h"), parse("0s")),
            (Ok(40 * DAY), Ok(36 * 3600 * SECOND), Ok(36 * 3600 * SECOND), Ok(0))
        );
        assert!(["", "d", "3 months", "-2d", "1y", "abc"].iter().all(|text| parse(text).is_err()));
    }
}
