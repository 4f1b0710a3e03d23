//! Dates of the proleptic Gregorian calendar, as numbers.

/// Seconds of a day on a clock that is never changed.
pub(super) const DAY: i64 = 86_400;

/// A date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date {
    pub(super) year: i32,
    /// From 1.
    pub(super) month: u8,
    /// From 1.
    pub(super) day: u8,
}

/// Days from 1970-01-01 to a date, by Howard Hinnant's `days_from_civil`: years begin in March, eras have 400 of them.
pub(super) fn days_until(date: Date) -> i64 {
    let month = i64::from(date.month);
    let year = i64::from(date.year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(date.day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date that is `days` after 1970-01-01: the inverse of [`days_until`].
#[expect(clippy::cast_possible_truncation, reason = "months and days are small")]
pub(super) fn date_after(days: i64) -> Date {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097) as u32;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + i64::from(year_of_era) + i64::from(month <= 2);
    Date { year: year as i32, month: month as u8, day: (day_of_year - (153 * shifted + 2) / 5 + 1) as u8 }
}

/// Day of the week, 0 for Sunday, of the day that is `days` after 1970-01-01, a Thursday.
#[expect(clippy::cast_possible_truncation, reason = "below 7")]
pub(super) fn weekday_after(days: i64) -> u8 {
    (days + 4).rem_euclid(7) as u8
}

/// Days of a month, from 1 for January.
pub(super) fn month_length(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_jiff() {
        let epoch = jiff::civil::date(1970, 1, 1);
        for days in (-800_000..800_000_i32).step_by(13) {
            let theirs = epoch + jiff::Span::new().days(days);
            let ours = date_after(i64::from(days));
            assert_eq!((ours.year, ours.month), (i32::from(theirs.year()), theirs.month().cast_unsigned()), "{theirs}");
            assert_eq!(ours.day, theirs.day().cast_unsigned(), "{theirs}");
            assert_eq!(days_until(ours), i64::from(days));
            assert_eq!(weekday_after(i64::from(days)), theirs.weekday().to_sunday_zero_offset().cast_unsigned());
            assert_eq!(month_length(ours.year, ours.month), theirs.days_in_month().cast_unsigned());
        }
    }
}
