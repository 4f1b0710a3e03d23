//! The next and the previous time on the wall that a calendar matches: whole seconds since 1970 as if there were no zones.

use super::calendar::Calendar;
use super::civil::{self, DAY, Date};

impl Calendar {
    /// The first match at `wall` or later.
    pub(super) fn at_or_after(&self, wall: i64) -> Option<i64> {
        let day = wall.div_euclid(DAY);
        let time = self.time_at_or_after(wall.rem_euclid(DAY));
        // Where the day has no time left, the date is not worth a look.
        let from = day + i64::from(time.is_none());
        let found = self.date_at_or_after(from)?;
        let time = time.filter(|_| found == day).unwrap_or_else(|| self.first_time());
        Some(found * DAY + time)
    }

    /// The last match at `wall` or earlier.
    pub(super) fn at_or_before(&self, wall: i64) -> Option<i64> {
        let day = wall.div_euclid(DAY);
        let time = self.time_at_or_before(wall.rem_euclid(DAY));
        let to = day - i64::from(time.is_none());
        let found = self.date_at_or_before(to)?;
        let time = time.filter(|_| found == day).unwrap_or_else(|| self.last_time());
        Some(found * DAY + time)
    }

    fn date_at_or_after(&self, from: i64) -> Option<i64> {
        let Date { year, month, day } = civil::date_after(from);
        let first = self.has_year(year).then(|| self.day_from(year, month, day)).flatten();
        if let Some(found) = first {
            return Some(from + i64::from(found) - i64::from(day));
        }
        let last = self.last_year(year);
        let rest = self.has_year(year).then(|| self.month_from(year, month + 1)).flatten();
        let found = rest.or_else(|| {
            (year + 1..=last).find_map(|year| if self.has_year(year) { self.month_from(year, 1) } else { None })
        });
        found.map(civil::days_until)
    }

    fn date_at_or_before(&self, to: i64) -> Option<i64> {
        let Date { year, month, day } = civil::date_after(to);
        let same = self.has_year(year).then(|| self.month_until(year, month, day)).flatten();
        let first = self.first_year(year);
        let found = same.or_else(|| {
            let mut years = (first..year).rev();
            years.find_map(|year| if self.has_year(year) { self.month_until(year, 12, 31) } else { None })
        });
        found.map(civil::days_until)
    }

    /// The first day of the month at `day` or later.
    fn day_from(&self, year: i32, month: u8, day: u8) -> Option<u8> {
        if self.months >> month & 1 == 0 {
            return None;
        }
        first_bit(u64::from(self.days_in(year, month) & (u32::MAX << day)))
    }

    /// The first date of the year in `month` or later.
    fn month_from(&self, year: i32, month: u8) -> Option<Date> {
        let mut months = self.months & (u16::MAX << month);
        while let Some(month) = first_bit(u64::from(months)) {
            if let Some(day) = first_bit(u64::from(self.days_in(year, month))) {
                return Some(Date { year, month, day });
            }
            months &= months - 1;
        }
        None
    }

    /// The last date of the year in `month` until `day`, or in an earlier month.
    fn month_until(&self, year: i32, month: u8, day: u8) -> Option<Date> {
        let mut limit = u32::MAX >> (31 - day);
        (1..=month).rev().find_map(|at| {
            let days = if self.months >> at & 1 == 1 { self.days_in(year, at) & limit } else { 0 };
            limit = u32::MAX;
            last_bit(u64::from(days)).map(|day| Date { year, month: at, day })
        })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a day")]
    fn time_at_or_after(&self, second_of_day: i64) -> Option<i64> {
        let (hour, minute, second) = split(second_of_day as u32);
        let hours = self.hours & (u32::MAX << hour);
        let next = first_bit(u64::from(hours))?;
        if u32::from(next) > hour {
            return Some(join(next, low(self.minutes), low(self.seconds)));
        }
        let minutes = self.minutes & (u64::MAX << minute);
        if minutes >> minute & 1 == 1
            && let Some(second) = first_bit(self.seconds & (u64::MAX << second))
        {
            return Some(join(next, minute as u8, second));
        }
        if let Some(minute) = first_bit(minutes & !(1 << minute)) {
            return Some(join(next, minute, low(self.seconds)));
        }
        let next = first_bit(u64::from(hours & (hours - 1)))?;
        Some(join(next, low(self.minutes), low(self.seconds)))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a day")]
    fn time_at_or_before(&self, second_of_day: i64) -> Option<i64> {
        let (hour, minute, second) = split(second_of_day as u32);
        let hours = self.hours & (u32::MAX >> (31 - hour));
        let last = last_bit(u64::from(hours))?;
        if u32::from(last) < hour {
            return Some(join(last, high(self.minutes), high(self.seconds)));
        }
        if self.minutes >> minute & 1 == 1
            && let Some(second) = last_bit(self.seconds & (u64::MAX >> (63 - second)))
        {
            return Some(join(last, minute as u8, second));
        }
        if let Some(minute) = last_bit(self.minutes & ((1 << minute) - 1)) {
            return Some(join(last, minute, high(self.seconds)));
        }
        let last = last_bit(u64::from(hours & ((1 << hour) - 1)))?;
        Some(join(last, high(self.minutes), high(self.seconds)))
    }

    fn first_time(&self) -> i64 {
        join(low(u64::from(self.hours)), low(self.minutes), low(self.seconds))
    }

    fn last_time(&self) -> i64 {
        join(high(u64::from(self.hours)), high(self.minutes), high(self.seconds))
    }
}

fn split(second_of_day: u32) -> (u32, u32, u32) {
    (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60)
}

fn join(hour: u8, minute: u8, second: u8) -> i64 {
    i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second)
}

fn first_bit(set: u64) -> Option<u8> {
    (set != 0).then(|| low(set))
}

fn last_bit(set: u64) -> Option<u8> {
    (set != 0).then(|| high(set))
}

/// The place of the lowest bit of a set that is not empty.
#[expect(clippy::cast_possible_truncation, reason = "at most 64")]
fn low(set: u64) -> u8 {
    set.trailing_zeros() as u8
}

/// The place of the highest bit of a set that is not empty.
#[expect(clippy::cast_possible_truncation, reason = "at most 63")]
fn high(set: u64) -> u8 {
    63_u8.saturating_sub(set.leading_zeros() as u8)
}
