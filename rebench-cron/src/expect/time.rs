//! Times of rows.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A time in RFC 3339, or a date or time without an offset, which is taken as UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let naive = || {
        // A text with an offset that is wrong must not pass for one without.
        let plain = text.bytes().skip(10).all(|byte| matches!(byte, b'0'..=b'9' | b':' | b'.' | b'T' | b't' | b' '));
        let time: DateTime = plain.then(|| text.parse().ok()).flatten()?;
        TimeZone::UTC.to_timestamp(time).ok()
    };
    text.parse().ok().or_else(naive)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_read_with_and_without_an_offset() {
        let expected = Some("2026-01-05T03:00:00Z".parse().unwrap());
        for text in ["2026-01-05T03:00:00Z", "2026-01-05T05:00:00+02:00", "2026-01-05 03:00:00", " 2026-01-05T03:00 "] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("2026-01-05"), Some("2026-01-05T00:00:00Z".parse().unwrap()));
        for text in ["", "n/a", "2026-02-30", "2026-01-05T03:00:00+99:00", "05.01.2026", "20"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
