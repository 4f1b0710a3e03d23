//! Lengths of time as flags and files have them: `15m`, `36h`, `40d`, `never`.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// What is never over, in words.
const WORD: &str = "never";

/// What `never` means: longer than anything that is waited for, and short enough to be added to a time.
pub const NEVER: Duration = Duration::from_micros(i64::MAX.unsigned_abs() / 8);

/// The units of a length that is written, largest first, in nanoseconds.
const UNITS: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Reads a length of time; days have 24 hours, `never` is longer than all. Months and years have no fixed length and are refused.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Duration, String> {
    if text.trim() == WORD {
        return Ok(NEVER);
    }
    let wrong = || format!("{text:?} is no length of time; expected one such as 15m, 36h or 40d");
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    if span.get_months() != 0 || span.get_years() != 0 {
        return Err(format!("{text:?}: months and years have no fixed length; say it in days"));
    }
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(length).map_err(|_| wrong())
}

/// Writes a length of time as [`parse`] reads it: `1d12h`, `0s`.
pub fn text(length: Duration) -> String {
    if length >= NEVER {
        return WORD.to_owned();
    }
    let mut left = length.as_nanos();
    let mut out = String::new();
    for (unit, nanoseconds) in UNITS {
        let count = left / nanoseconds;
        left %= nanoseconds;
        if count > 0 {
            out.push_str(&format!("{count}{unit}"));
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    #[test]
    fn lengths_are_read() {
        let seconds = |seconds| Ok(Duration::from_secs(seconds));
        assert_eq!(
            (parse("40d"), parse("36h"), parse(" 15m ")),
            (seconds(960 * HOUR), seconds(36 * HOUR), seconds(900))
        );
        assert_eq!((parse("1d12h"), parse("1w"), parse("0s")), (seconds(36 * HOUR), seconds(168 * HOUR), seconds(0)));
        assert_eq!((parse("1.5s"), parse("never")), (Ok(Duration::from_millis(1_500)), Ok(NEVER)));
        assert!(["", "d", "3 months", "-2d", "1y", "abc"].iter().all(|text| parse(text).is_err()));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for written in ["0s", "15m", "1d", "1d12h", "400d23h59m59s", "1s5ms", "7us1ns", "never"] {
            assert_eq!(parse(written).map(text).as_deref(), Ok(written));
        }
        assert_eq!(text(Duration::from_secs(36 * HOUR)), "1d12h");
    }
}
