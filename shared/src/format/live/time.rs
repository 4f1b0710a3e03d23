//! Times of live records: RFC 3339 with an offset; without one only where a zone is configured.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SECONDS_OF_DAY: i64 = 86_400;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;

const EXPECTED: &str = "RFC 3339 with an offset, such as 2013-07-20T06:00:00Z or 2013-07-20T08:00:00+02:00";

/// A time that cannot be used: what was found, what was expected.
pub(super) type TimeFault = (String, String);

/// Reads a time; the flag says whether it is written with an offset other than zero.
pub(super) fn parse(text: &str, zone: Option<&TimeZone>) -> Result<(Timestamp, bool), TimeFault> {
    match usual(text.as_bytes()) {
        Some(read) => Ok(read),
        None => unusual(text.trim(), zone),
    }
}

/// `YYYY-MM-DDThh:mm:ss`, an optional fraction, and `Z` or `+hh:mm`: nearly all times are written like this.
fn usual(text: &[u8]) -> Option<(Timestamp, bool)> {
    let (clock, rest) = text.split_first_chunk::<19>()?;
    let local = local_seconds(clock)?;
    let (nanoseconds, rest) = fraction(rest)?;
    let offset = offset_seconds(rest)?;
    Some((Timestamp::new(local - offset, nanoseconds).ok()?, offset != 0))
}

fn local_seconds(text: &[u8; 19]) -> Option<i64> {
    let separated =
        matches!(text, [_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b't' | b' ', _, _, b':', _, _, b':', _, _]);
    let (century, year_of) = (pair(text[0], text[1])?, pair(text[2], text[3])?);
    let (month, day) = (pair(text[5], text[6])?, pair(text[8], text[9])?);
    let (hour, minute, second) = (pair(text[11], text[12])?, pair(text[14], text[15])?, pair(text[17], text[18])?);
    let year = century * 100 + year_of;
    let valid = separated
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    valid.then(|| days(year, month, day) * SECONDS_OF_DAY + hour * 3600 + minute * 60 + second)
}

fn pair(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year; month lengths from
/// March on repeat as 153 days in five months.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // One cycle of 400 years more keeps the divisions away from negative numbers; it is 146,097 days.
    let (year, month) = if month > 2 { (year + 400, month - 3) } else { (year + 399, month + 9) };
    let of_years = year * 365 + year / 4 - year / 100 + year / 400;
    of_years + (153 * month + 2) / 5 + day - 1 - 146_097 - EPOCH_DAYS
}

/// `.123` and what follows it.
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(length);
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = padded.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    (1..=9).contains(&length).then_some((nanoseconds, rest))
}

fn offset_seconds(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), a, b, b':', c, d] => {
            let (hours, minutes) = (pair(a, b)?, pair(c, d)?);
            let seconds = hours * 3600 + minutes * 60;
            (hours < 24 && minutes < 60).then_some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn unusual(text: &str, zone: Option<&TimeZone>) -> Result<(Timestamp, bool), TimeFault> {
    if let Some(read) = usual(text.as_bytes()) {
        return Ok(read);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok((timestamp, !has_zero_offset(text)));
    }
    match naive(text) {
        Some(time) => in_zone(text, time, zone),
        None => Err((format!("{} is not a time", super::quoted(text)), EXPECTED.to_owned())),
    }
}

fn has_zero_offset(text: &str) -> bool {
    let text = text.split('[').next().unwrap_or(text);
    let offset = text.get(10..).and_then(|clock| clock.rfind(['+', '-']).map(|at| &clock[at + 1..]));
    offset.is_none_or(|digits| digits.bytes().all(|byte| matches!(byte, b'0' | b':')))
}

/// A date or date-time without an offset. What only looks like one, because its offset is wrong, is not.
fn naive(text: &str) -> Option<DateTime> {
    let plain = text.bytes().skip(10).all(|byte| matches!(byte, b'0'..=b'9' | b':' | b'.' | b'T' | b't' | b' '));
    let dashed = matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', ..]);
    (plain && dashed).then(|| text.parse().ok()).flatten()
}

fn in_zone(text: &str, time: DateTime, zone: Option<&TimeZone>) -> Result<(Timestamp, bool), TimeFault> {
    let Some(zone) = zone else {
        let expected = format!("{EXPECTED}; or a configured time zone");
        return Err((format!("{text:?} has no offset"), expected));
    };
    let possible = zone.to_ambiguous_timestamp(time);
    let is_date = text.len() == 10;
    // A day begins at its first instant, also where the clock jumps at midnight.
    let chosen = if is_date { possible.compatible() } else { possible.unambiguous() };
    chosen.map(|timestamp| (timestamp, false)).map_err(|_| {
        let name = zone.iana_name().unwrap_or("the configured zone");
        (format!("{text:?} does not exist or is ambiguous in {name}"), EXPECTED.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<(Timestamp, bool)> {
        parse(text, None).ok()
    }

    fn seconds(text: &str) -> Option<i64> {
        read(text).map(|(time, _)| time.as_second())
    }

    #[test]
    fn offsets_are_taken_off_and_told() {
        assert_eq!(read("2013-06-11T20:00:00-04:00"), Some(("2013-06-12T00:00:00Z".parse().unwrap(), true)));
        assert_eq!(read("2013-06-12 00:00:00+00:00"), Some(("2013-06-12T00:00:00Z".parse().unwrap(), false)));
        assert_eq!(read("2013-06-12T00:00+0000"), Some(("2013-06-12T00:00:00Z".parse().unwrap(), false)));
        assert_eq!(read(" 2013-06-12T05:30+05:30 "), Some(("2013-06-12T00:00:00Z".parse().unwrap(), true)));
        assert_eq!(seconds("1970-01-01T00:00:01.5Z"), Some(1));
        assert_eq!(seconds("2000-03-01T00:00:00Z"), Some(951_868_800)); // `date -u -d 2000-03-01 +%s`
        assert_eq!(seconds("1969-12-31T23:59:59Z"), Some(-1));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "1370217600", "2013-02-29T00:00:00Z", "2013-06-12T24:00:00Z", "2013-06-12T00:00:00+99:00", "x"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_naive_time_needs_a_zone_in_which_it_is_one_time() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(read("2013-07-20"), None);
        let instant = |text: &str| parse(text, Some(&berlin)).ok().map(|(time, _)| time.to_string());
        assert_eq!(instant("2013-07-20").as_deref(), Some("2013-07-19T22:00:00Z"));
        assert_eq!(instant("2013-07-20T12:00").as_deref(), Some("2013-07-20T10:00:00Z"));
        assert_eq!(instant("2013-10-27T02:30:00"), None); // comes twice
        assert_eq!(instant("2013-03-31T02:30:00"), None); // does not come
        assert_eq!(instant("2013-07-20T12:00:00+99:99"), None); // an offset that is wrong is not a naive time
    }

    #[test]
    fn a_day_without_a_midnight_begins_later() {
        let sao_paulo = TimeZone::get("America/Sao_Paulo").unwrap();
        let (start, _) = parse("2013-10-20", Some(&sao_paulo)).unwrap();
        assert_eq!(start.to_string(), "2013-10-20T03:00:00Z");
        assert!(parse("2013-10-20T00:00:00", Some(&sao_paulo)).is_err());
    }

    proptest! {
        #[test]
        fn the_short_cut_agrees_with_jiff(
            text in "[0-9]{2}[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-6][0-9])"
        ) {
            let expected = text.parse::<Timestamp>().ok();
            if let Some((time, _)) = usual(text.as_bytes()) {
                prop_assert_eq!(Some(time), expected);
            }
            prop_assert_eq!(read(&text).map(|(time, _)| time), expected);
        }

        #[test]
        fn every_instant_comes_back(second in -62_167_219_200_i64..253_370_764_800, nanosecond in 0..1_000_000_000) {
            let time = Timestamp::new(second, nanosecond).unwrap();
            prop_assert_eq!(usual(time.to_string().as_bytes()).unwrap(), (time, false));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let berlin = TimeZone::get("Europe/Berlin").unwrap();
            prop_assert!(parse(&text, Some(&berlin)).is_ok() || parse(&text, None).is_err());
        }
    }
}
