//! Schedules written in the languages of other engines: the inverse of reading, as far as there is one.
//!
//! What a language has no words for is refused with the reason; nothing is left out.

mod cron;
mod oncalendar;

pub use cron::{DayStars, fields};
pub use oncalendar::lines;

use super::calendar::{Calendar, bits};
use super::fires::{Pattern, Schedule};
use super::{Dialect, Dst, Zone};

/// Runs of so many neighbours are written as a range.
const SHORTEST_RANGE: u8 = 3;

impl Schedule {
    /// The same schedule as times on the wall; none for an `@every` that no calendar has.
    ///
    /// Periods that divide a minute, an hour or a day, and a week, are times on the wall in UTC.
    pub fn on_the_wall(&self) -> Option<Self> {
        let Pattern::Every { seconds } = self.pattern() else { return Some(self.clone()) };
        let text = match *seconds {
            604_800 => "0 0 0 * * 4".to_owned(),
            86_400 => "0 0 0 * * *".to_owned(),
            s if s < 60 && 60 % s == 0 => format!("*/{s} * * * * *"),
            s if s % 60 == 0 && s < 3_600 && 3_600 % s == 0 => format!("0 */{} * * * *", s / 60),
            s if s % 3_600 == 0 && 86_400 % s == 0 => format!("0 0 */{} * * *", s / 3_600),
            _ => return None,
        };
        let pattern = Pattern::parse(&text, Dialect::CronSeconds, None).ok()?;
        Some(Self::new(pattern, Zone::utc(), Dst::Instant))
    }
}

/// Whether every hour of the day has a fire.
pub fn has_every_hour(schedule: &Schedule) -> bool {
    matches!(schedule.pattern(), Pattern::Calendar(calendar) if calendar.hours.count_ones() == 24)
}

/// `1,5-9`: values in order, neighbours as ranges.
fn list(set: impl Into<u64>, range: &str, name: impl Fn(u8) -> String) -> String {
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for value in bits(set) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == value => *last = value,
            _ => runs.push((value, value)),
        }
    }
    let text = |(low, high): (u8, u8)| match high - low + 1 {
        length if length >= SHORTEST_RANGE => format!("{}{range}{}", name(low), name(high)),
        _ => (low..=high).map(&name).collect::<Vec<_>>().join(","),
    };
    runs.into_iter().map(text).collect::<Vec<_>>().join(",")
}

/// Whether every day matches: one of two day fields that need not both match is free.
fn is_every_day(calendar: &Calendar) -> bool {
    let free = [!calendar.restricts_days(), !calendar.restricts_weekdays()];
    if calendar.either { free.contains(&true) } else { free == [true, true] }
}
