//! What an expression means: sets of seconds, minutes, hours, days, months and years, as bits.

use super::civil::{self, Date};

/// The first year that can be asked for.
pub(super) const FIRST_YEAR: i32 = 1970;

/// After so many years the calendar repeats itself, weekdays included.
const CYCLE_YEARS: i32 = 400;

/// The fields of an expression, as places in bit sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
}

impl Field {
    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Years that match, from [`FIRST_YEAR`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Years([u64; 4]);

impl Years {
    pub(super) fn insert(&mut self, year: i32) {
        if let Some((word, bit)) = Self::place(year) {
            self.0[word] |= 1 << bit;
        }
    }

    pub(super) fn contains(&self, year: i32) -> bool {
        Self::place(year).is_some_and(|(word, bit)| self.0[word] >> bit & 1 == 1)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = i32> + '_ {
        (FIRST_YEAR..FIRST_YEAR + 256).filter(|&year| self.contains(year))
    }

    fn place(year: i32) -> Option<(usize, usize)> {
        let index = usize::try_from(year - FIRST_YEAR).ok()?;
        (index < 256).then_some((index / 64, index % 64))
    }
}

/// Times on the wall: what a cron expression describes. Bit n stands for the value n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    pub(super) seconds: u64,
    pub(super) minutes: u64,
    pub(super) hours: u32,
    /// Days of the month.
    pub(super) days: u32,
    /// Bit n: n days before the last day of the month.
    pub(super) from_end: u32,
    /// The working day nearest to this day.
    pub(super) nearest: u32,
    /// Bit n: the working day nearest to the day that is n before the last; for 0, the last working day.
    pub(super) nearest_from_end: u32,
    pub(super) months: u16,
    /// 0 is Sunday.
    pub(super) weekdays: u8,
    /// The last such weekday of a month.
    pub(super) last_weekdays: u8,
    /// Weekdays by which of their kind in the month they are, from the first.
    pub(super) nth: [u8; 5],
    /// Whether a day need match only one of the two day fields.
    pub(super) either: bool,
    /// Fields that begin with a star or question mark.
    pub(super) stars: u8,
    /// Fields with a step that is larger than they are.
    pub(super) long_steps: u8,
    /// Fields with an `H`.
    pub(super) hashed: u8,
    pub(super) years: Option<Box<Years>>,
}

impl Calendar {
    /// Every second.
    pub(super) fn every_second() -> Self {
        Self {
            seconds: (1 << 60) - 1,
            minutes: (1 << 60) - 1,
            hours: (1 << 24) - 1,
            days: u32::MAX - 1,
            from_end: 0,
            nearest: 0,
            nearest_from_end: 0,
            months: 0x1ffe,
            weekdays: 0x7f,
            last_weekdays: 0,
            nth: [0; 5],
            either: false,
            stars: 0,
            long_steps: 0,
            hashed: 0,
            years: None,
        }
    }

    pub(super) fn has_star(&self, field: Field) -> bool {
        self.stars & field.bit() != 0
    }

    /// The values of a field, as bits.
    pub(super) fn values(&self, field: Field) -> u64 {
        match field {
            Field::Second => self.seconds,
            Field::Minute => self.minutes,
            Field::Hour => u64::from(self.hours),
            Field::Day => u64::from(self.days),
            Field::Month => u64::from(self.months),
            Field::Weekday => u64::from(self.weekdays),
        }
    }

    pub(super) fn has_hash(&self, field: Field) -> bool {
        self.hashed & field.bit() != 0
    }

    /// Whether Vixie's rule takes it for a job of the interval kind: its minute or hour, or second, begins with a star.
    pub(super) fn is_wild(&self) -> bool {
        self.stars & (Field::Second.bit() | Field::Minute.bit() | Field::Hour.bit()) != 0
    }

    /// Whether only some days of the month match.
    pub(super) fn restricts_days(&self) -> bool {
        self.days != u32::MAX - 1
    }

    /// Whether only some weekdays match.
    pub(super) fn restricts_weekdays(&self) -> bool {
        self.weekdays != 0x7f
    }

    /// Bits of the days of a month that match.
    pub(super) fn days_in(&self, year: i32, month: u8) -> u32 {
        let length = civil::month_length(year, month);
        let first = civil::weekday_after(civil::days_until(Date { year, month, day: 1 }));
        let by_day = self.by_day(length, first);
        let by_weekday = self.by_weekday(length, first);
        let matching = if self.either { by_day | by_weekday } else { by_day & by_weekday };
        matching & valid_days(length)
    }

    fn by_day(&self, length: u8, first: u8) -> u32 {
        let mut days = self.days;
        if self.from_end != 0 {
            days |= self.from_end.reverse_bits() >> (31 - length);
        }
        if self.nearest | self.nearest_from_end != 0 {
            let from_end = self.nearest_from_end.reverse_bits() >> (31 - length);
            let wanted = (self.nearest | from_end) & valid_days(length);
            bits(wanted).for_each(|day| days |= 1 << nearest_working_day(day, length, first));
        }
        days
    }

    fn by_weekday(&self, length: u8, first: u8) -> u32 {
        let mut days = spread(self.weekdays, first);
        if self.last_weekdays != 0 {
            days |= spread(self.last_weekdays, first) & (u32::MAX << (length - 6));
        }
        for (week, weekdays) in (0..).zip(self.nth) {
            if weekdays != 0 {
                days |= spread(weekdays, first) & (0xfe << (7 * week));
            }
        }
        days
    }

    /// The last year worth a look for what comes after `year`.
    pub(super) fn last_year(&self, year: i32) -> i32 {
        match &self.years {
            None => year.saturating_add(CYCLE_YEARS),
            Some(years) => years.iter().next_back().unwrap_or(FIRST_YEAR),
        }
    }

    /// The first year worth a look for what came before `year`.
    pub(super) fn first_year(&self, year: i32) -> i32 {
        match &self.years {
            None => year.saturating_sub(CYCLE_YEARS),
            Some(years) => years.iter().next().unwrap_or(i32::MAX),
        }
    }

    pub(super) fn has_year(&self, year: i32) -> bool {
        self.years.as_ref().is_none_or(|years| years.contains(year))
    }

    /// Whether there is a day at all: not so for 31 February.
    pub(super) fn is_possible(&self) -> bool {
        let common = self.days & 0x1fff_fffe != 0 && self.weekdays != 0;
        let weekly = self.either && self.weekdays != 0;
        (self.years.is_none() && (common || weekly)) || self.has_some_day()
    }

    fn has_some_day(&self) -> bool {
        // Any 400 years hold every kind of year.
        let years = match &self.years {
            None => FIRST_YEAR..FIRST_YEAR + CYCLE_YEARS,
            Some(_) => FIRST_YEAR..FIRST_YEAR + 256,
        };
        let in_year = |year| bits(u32::from(self.months)).any(|month| self.days_in(year, month) != 0);
        years.into_iter().any(|year| self.has_year(year) && in_year(year))
    }
}

/// Bits 1 to `length`.
fn valid_days(length: u8) -> u32 {
    (u32::MAX >> (31 - length)) & !1
}

/// Days of a month that begins on weekday `first`, by weekday: bit n for day n.
fn spread(weekdays: u8, first: u8) -> u32 {
    let week = u64::from(weekdays);
    let turned = (week >> first | week << (7 - first)) & 0x7f;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the five weeks are 35 days, of which a month has the first 31"
    )]
    let days = ((turned * 0x1020_4081) << 1) as u32;
    days
}

/// The day from Monday to Friday nearest to `day`, in the same month.
fn nearest_working_day(day: u8, length: u8, first: u8) -> u8 {
    match (first + day - 1) % 7 {
        6 if day == 1 => 3,
        6 => day - 1,
        0 if day == length => day - 2,
        0 => day + 1,
        _ => day,
    }
}

/// The places of the bits that are set, ascending.
#[expect(clippy::cast_possible_truncation, reason = "below 64")]
pub(super) fn bits(set: impl Into<u64>) -> impl Iterator<Item = u8> {
    let mut left: u64 = set.into();
    std::iter::from_fn(move || {
        let bit = left.trailing_zeros() as u8;
        (left != 0).then(|| {
            left &= left - 1;
            bit
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_are_spread_over_a_month() {
        // 1 January 2026 is a Thursday: Mondays are 5, 12, 19, 26.
        let mondays: Vec<u8> = bits(spread(1 << 1, 4) & valid_days(31)).collect();
        assert_eq!(mondays, [5, 12, 19, 26]);
        let sundays: Vec<u8> = bits(spread(1, 0) & valid_days(28)).collect();
        assert_eq!(sundays, [1, 8, 15, 22]);
    }

    #[test]
    fn the_nearest_working_day_stays_in_the_month() {
        // Months that begin on a Saturday (6) and on a Sunday (0).
        assert_eq!(nearest_working_day(1, 31, 6), 3);
        assert_eq!(nearest_working_day(1, 31, 0), 2);
        // 31 May 2026 is a Sunday, 31 January 2026 a Saturday.
        assert_eq!(nearest_working_day(31, 31, 5), 29);
        assert_eq!(nearest_working_day(31, 31, 4), 30);
    }
}
