//! Times as forecast tables hold them: integers, dates, date-times with or without an offset, all as one `i64`.
//!
//! Dates and times are microseconds since 1970-01-01T00:00, naive ones on their own clock; integers are themselves.

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

/// Which kind of time a column holds. Kinds do not mix: a naive time and one with an offset cannot be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// A whole number: a step or a year.
    Integer,
    /// A date, or a date-time without an offset.
    Naive,
    /// A date-time with an offset or `Z`.
    Offset,
}

impl Kind {
    /// As messages call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Integer => "a whole number",
            Self::Naive => "a date or time without an offset",
            Self::Offset => "a time with an offset",
        }
    }
}

/// A date that was read before: most rows repeat it.
#[derive(Debug, Clone)]
pub(super) struct DateCache {
    text: [u8; 10],
    start: i64,
}

impl Default for DateCache {
    fn default() -> Self {
        Self { text: *b"1970-01-01", start: 0 }
    }
}

impl DateCache {
    /// Reads `2024-01-31` or `2024-01-31 06:00:00` at the start of `bytes`: its value and length. `None` for all else, or if
    /// the text goes on.
    #[inline]
    pub(super) fn plain(&mut self, bytes: &[u8]) -> Option<(i64, usize)> {
        match bytes.get(10) {
            Some(b' ' | b'T') => Some((self.whole(bytes.get(..19)?)?, 19)),
            _ => Some((self.whole(bytes.get(..10)?)?, 10)),
        }
    }

    /// Reads a field that is `2024-01-31` or `2024-01-31 06:00:00`; `None` for all else.
    #[inline]
    pub(super) fn whole(&mut self, field: &[u8]) -> Option<i64> {
        if let Ok(field) = <&[u8; 19]>::try_from(field) {
            let (day, clock) = (self.day(field.first_chunk()?)?, clock_micros(*field.last_chunk()?)?);
            return matches!(field[10], b' ' | b'T').then_some(day + clock);
        }
        self.day(field.try_into().ok()?)
    }

    #[inline]
    fn day(&mut self, date: &[u8; 10]) -> Option<i64> {
        if *date != self.text {
            self.start = day_number(date)? * DAY;
            self.text = *date;
        }
        Some(self.start)
    }
}

/// Reads a whole field.
pub(super) fn of_field(field: &[u8]) -> Option<(i64, Kind)> {
    let text = field.trim_ascii();
    let Some((date, rest)) = text.split_first_chunk::<10>() else { return integer(text) };
    let Some(day) = day_number(date) else { return integer(text) };
    match rest.split_first() {
        None => Some((day * DAY, Kind::Naive)),
        Some((b' ' | b'T' | b't', clock)) => date_time(day * DAY, clock),
        Some(_) => None,
    }
}

fn integer(text: &[u8]) -> Option<(i64, Kind)> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    // Far from the ends, so that differences cannot overflow.
    (number.unsigned_abs() < 1 << 60).then_some((number, Kind::Integer))
}

fn date_time(start: i64, clock: &[u8]) -> Option<(i64, Kind)> {
    let (hour_minute, rest) = clock.split_first_chunk::<5>()?;
    let mut full = *b"00:00:00";
    full[..5].copy_from_slice(hour_minute);
    let (second, rest) = match rest.split_first_chunk::<3>() {
        Some((second, rest)) if second[0] == b':' => (second, rest),
        _ => (b":00", rest),
    };
    full[5..].copy_from_slice(second);
    let (fraction, zone) = fraction_micros(rest)?;
    let micros = start + clock_micros(full)? + fraction;
    let (offset, kind) = offset_micros(zone)?;
    Some((micros - offset, kind))
}

/// `.123456` and what follows it; finer than a microsecond only where the rest is zeros.
fn fraction_micros(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(length);
    let finer = digits.iter().skip(6).any(|&digit| digit != b'0');
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    let micros = padded.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
    (length > 0 && !finer).then_some((micros, rest))
}

/// Nothing, `Z`, `+02:00`, `-0530`, `+01`; `None` for anything else.
fn offset_micros(zone: &[u8]) -> Option<(i64, Kind)> {
    let (sign, digits) = match zone {
        b"" => return Some((0, Kind::Naive)),
        b"Z" | b"z" => return Some((0, Kind::Offset)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let minutes = match digits {
        [h, i] => pair(*h, *i)? * 60,
        [h, i, m, n] | [h, i, b':', m, n] => pair(*h, *i)? * 60 + pair(*m, *n)?,
        _ => return None,
    };
    (minutes <= 18 * 60).then_some((sign * minutes * 60_000_000, Kind::Offset))
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
fn day_number(date: &[u8; 10]) -> Option<i64> {
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let year = pair(date[0], date[1])? * 100 + pair(date[2], date[3])?;
    let (month, day) = (pair(date[5], date[6])?, pair(date[8], date[9])?);
    let valid = (1..=12).contains(&month) && day >= 1 && day <= month_length(year, month);
    valid.then(|| days_from_civil(year, month, day))
}

/// Microseconds of `HH:MM:SS`, all eight bytes looked at together, as one integer.
#[inline]
fn clock_micros(clock: [u8; 8]) -> Option<i64> {
    let word = u64::from_le_bytes(clock) ^ u64::from_le_bytes(*b"00:00:00");
    // The highest bit of each byte that is neither a digit, up to 9, nor, at its two places, a colon, 0.
    let others = (((word & 0x7F7F_7F7F_7F7F_7F7F) + 0x7676_7F76_767F_7676) | word) & 0x8080_8080_8080_8080;
    // Each byte times ten, and the one that follows it.
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let [hour, minute, second] = [0, 24, 48].map(|shift| (pairs >> shift & 0xFF).cast_signed());
    let valid = others == 0 && hour < 24 && minute < 60 && second < 60;
    valid.then_some((hour * 3600 + minute * 60 + second) * 1_000_000)
}

#[inline]
fn pair(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then_some(i64::from(tens) * 10 + i64::from(ones))
}

/// Days of a month.
pub(super) fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day number; the inverse of [`days_from_civil`].
pub(super) fn civil(day_number: i64) -> (i64, i64, i64) {
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

/// Prints a time: integers as they are, midnight as a date where `dates` says that all are, offsets as UTC.
pub(super) fn print(value: i64, kind: Kind, dates: bool) -> String {
    if kind == Kind::Integer {
        return value.to_string();
    }
    let (year, month, day) = civil(value.div_euclid(DAY));
    let date = format!("{year:04}-{month:02}-{day:02}");
    let zone = if kind == Kind::Offset { "Z" } else { "" };
    if dates && kind == Kind::Naive { date } else { format!("{date}T{}{zone}", print_clock(value.rem_euclid(DAY))) }
}

fn print_clock(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { clock } else { format!("{clock}.{fraction:06}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Option<String> {
        of_field(text.as_bytes()).map(|(value, kind)| print(value, kind, false))
    }

    #[test]
    fn forms_of_time() {
        assert_eq!(shown("17").as_deref(), Some("17"));
        assert_eq!(shown("2024-02-29").as_deref(), Some("2024-02-29T00:00:00"));
        assert_eq!(shown("2024-02-29 06:30").as_deref(), Some("2024-02-29T06:30:00"));
        assert_eq!(shown("2024-02-29T06:30:01.5").as_deref(), Some("2024-02-29T06:30:01.500000"));
        assert_eq!(shown("2024-02-29T00:30:00+02:00").as_deref(), Some("2024-02-28T22:30:00Z"));
        assert_eq!(shown("2024-02-29T00:30:00.000000000Z").as_deref(), Some("2024-02-29T00:30:00Z"));
        for bad in ["", "2023-02-29", "2024-13-01", "2024-01-01T25:00", "2024-01-01T00:00:00+99", "x", "1.5", "2024-01"]
        {
            assert_eq!(shown(bad), None, "{bad}");
        }
    }

    #[test]
    fn agrees_with_jiff_on_every_day_of_eight_centuries() {
        for day in (-200_000..100_000).step_by(7) {
            let (year, month, date) = civil(day);
            let theirs = jiff::civil::date(1970, 1, 1).checked_add(jiff::ToSpan::days(day)).unwrap();
            assert_eq!(print(day * DAY, Kind::Naive, true), theirs.to_string());
            assert_eq!(days_from_civil(year, month, date), day);
        }
    }

    #[test]
    fn a_clock_has_two_digits_between_colons() {
        for bad in ["0:00:000", "00-00-00", "24:00:00", "00:60:00", "00:00:60", "0a:00:00", "00:00:0\u{80}", "::::::::"]
        {
            let bytes = bad.as_bytes().first_chunk().copied().unwrap();
            assert_eq!(clock_micros(bytes), None, "{bad}");
        }
        assert_eq!(clock_micros(*b"23:59:58"), Some(86_398_000_000));
    }

    proptest! {
        #[test]
        fn the_fast_way_agrees_with_the_whole_one(
            seconds in -2_000_000_000_i64..4_000_000_000,
            dates in any::<bool>(),
            separator in "[ T]",
        ) {
            let seconds = if dates { seconds.div_euclid(86_400) * 86_400 } else { seconds };
            let text = print(seconds * 1_000_000, Kind::Naive, dates).replace('T', &separator);
            let fast = DateCache::default().plain(text.as_bytes());
            prop_assert_eq!(fast, Some((seconds * 1_000_000, text.len())));
            prop_assert_eq!(of_field(text.as_bytes()), Some((seconds * 1_000_000, Kind::Naive)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = DateCache::default().plain(&bytes);
            let _ = of_field(&bytes);
        }
    }
}
