//! The grid of target times, and the cutoff of a forecast on it.
//!
//! The cutoff of a forecast is the grid time that lies `h` steps before its target. For a forecast made at 02:00 for days that begin at 00:00 that
//! is the day that has just begun: the last target time at or before its issue. It does not depend on the minute of issue, so that two versions
//! that run one after the other have the same cutoff, and a program that counts steps from cutoff to target finds the horizon of the record.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan, Zoned};

use crate::core::time::{DAY, Micros, timestamp};

/// Fewer times than these say nothing of a grid.
const FEWEST_TIMES: usize = 3;

/// The shortest month.
const MONTH: Micros = 28 * DAY;

/// Days of a mean month.
const MEAN_MONTH_DAYS: f64 = 30.436_875;

/// How target times follow each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Grid {
    /// At equal distances; the times that are known.
    Fixed(Micros, Vec<Micros>),
    /// So many months apart; whether always at the end of the month.
    Months(i32, bool),
    /// On Monday to Friday.
    BusinessDays,
}

impl Grid {
    /// The grid of these times, which are sorted and different; nothing where there are too few.
    pub(super) fn of(times: &[Micros]) -> Option<Self> {
        let mut gaps: Vec<Micros> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_unstable();
        let step = *gaps.get(gaps.len() / 2).filter(|_| times.len() >= FEWEST_TIMES)?;
        let dates: Vec<Date> = times.iter().map(|time| date_time(*time).date()).collect();
        let same_clock = times.iter().all(|time| time.rem_euclid(DAY) == times[0].rem_euclid(DAY));
        let at_end = dates.iter().all(|date| *date == date.last_of_month());
        if step >= MONTH && same_clock && (at_end || dates.iter().all(|date| date.day() == dates[0].day())) {
            return Some(Self::Months(months(step), at_end));
        }
        let is_week = gaps.contains(&(3 * DAY)) && dates.iter().all(|date| is_business(*date));
        if step == DAY && is_week { Some(Self::BusinessDays) } else { Some(Self::Fixed(step, times.to_vec())) }
    }

    /// The time that lies so many steps before another one.
    pub(super) fn back(&self, time: Micros, steps: u32) -> Micros {
        match self {
            Self::Fixed(step, known) => nearby(time.saturating_sub(step.saturating_mul(steps.into())), *step, known),
            Self::Months(months, at_end) => {
                months_back(time, i64::from(*months) * i64::from(steps), *at_end).unwrap_or(time)
            }
            Self::BusinessDays => time - DAY * business_days_back(date_time(time).date(), steps),
        }
    }
}

/// The known time that lies within a quarter of a step: clocks of local time shift by an hour.
fn nearby(time: Micros, step: Micros, known: &[Micros]) -> Micros {
    let place = known.partition_point(|known| *known < time);
    let near = known[place.saturating_sub(1)..].iter().take(2);
    near.copied()
        .filter(|known| (known - time).abs() <= step / 4)
        .min_by_key(|known| (known - time).abs())
        .unwrap_or(time)
}

#[expect(clippy::cast_possible_truncation, reason = "months of a gap between two times")]
fn months(step: Micros) -> i32 {
    (step as f64 / DAY as f64 / MEAN_MONTH_DAYS).round().max(1.0) as i32
}

fn months_back(time: Micros, months: i64, at_end: bool) -> Option<Micros> {
    let span = Span::new().try_months(months).ok()?;
    let back = date_time(time).checked_sub(span).ok()?;
    let back = if at_end { back.last_of_month().ok()? } else { back };
    Some(back.timestamp().as_microsecond())
}

/// Calendar days that so many business days take.
fn business_days_back(mut date: Date, steps: u32) -> Micros {
    let mut days = 0;
    let mut left = steps;
    while left > 0 {
        let Ok(before) = date.checked_sub(1.day()) else { break };
        date = before;
        days += 1;
        left -= u32::from(is_business(date));
    }
    days
}

fn is_business(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn date_time(time: Micros) -> Zoned {
    timestamp(time).to_zoned(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    fn back(times: &[&str], time: &str, steps: u32) -> String {
        let times: Vec<Micros> = times.iter().map(|time| at(time)).collect();
        timestamp(Grid::of(&times).unwrap().back(at(time), steps)).to_string()
    }

    #[test]
    fn days_go_back_beyond_the_first_that_is_known() {
        let days = ["2013-06-03T00:00:00Z", "2013-06-04T00:00:00Z", "2013-06-05T00:00:00Z", "2013-06-07T00:00:00Z"];
        assert_eq!(back(&days, "2013-06-03T00:00:00Z", 1), "2013-06-02T00:00:00Z");
        assert_eq!(back(&days, "2013-06-07T00:00:00Z", 6), "2013-06-01T00:00:00Z");
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let months = ["2007-02-01T00:00:00Z", "2007-03-01T00:00:00Z", "2007-04-01T00:00:00Z"];
        assert_eq!(back(&months, "2007-04-01T00:00:00Z", 3), "2007-01-01T00:00:00Z");
        let ends = ["2007-01-31T00:00:00Z", "2007-02-28T00:00:00Z", "2007-03-31T00:00:00Z"];
        assert_eq!(back(&ends, "2007-02-28T00:00:00Z", 2), "2006-12-31T00:00:00Z");
        let quarters = ["2007-01-01T00:00:00Z", "2007-04-01T00:00:00Z", "2007-07-01T00:00:00Z"];
        assert_eq!(back(&quarters, "2007-01-01T00:00:00Z", 1), "2006-10-01T00:00:00Z");
    }

    #[test]
    fn week_ends_are_no_business_days() {
        // 6 January 2025 is a Monday.
        let days = [
            "2025-01-02T00:00:00Z",
            "2025-01-03T00:00:00Z",
            "2025-01-06T00:00:00Z",
            "2025-01-07T00:00:00Z",
            "2025-01-08T00:00:00Z",
        ];
        assert_eq!(back(&days, "2025-01-07T00:00:00Z", 2), "2025-01-03T00:00:00Z");
    }

    #[test]
    fn the_hour_of_summer_time_is_taken_out() {
        // Midnight in New York before and after 10 March 2013.
        let days = ["2013-03-09T05:00:00Z", "2013-03-10T05:00:00Z", "2013-03-11T04:00:00Z", "2013-03-12T04:00:00Z"];
        assert_eq!(back(&days, "2013-03-12T04:00:00Z", 3), "2013-03-09T05:00:00Z");
    }

    #[test]
    fn two_times_are_no_grid() {
        assert_eq!(Grid::of(&[0, DAY]), None);
    }
}
