//! Lines of `OnCalendar=`: each says what must match, and together they are a union.

use super::{is_every_day, list};
use crate::schedule::calendar::{Calendar, bits};
use crate::schedule::fires::{Pattern, Schedule};

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Counted from the end of a month, systemd knows so many days.
const DAYS_FROM_END: u32 = 28;

/// The working day nearest to a later day depends on the length of the month.
const LAST_NEAREST: u8 = 27;
const LAST_NEAREST_FROM_END: u8 = 25;

const ALL_WEEKDAYS: u8 = 0x7f;
const ALL_DAYS: u32 = u32::MAX - 1;
/// Bit 0 is Sunday.
const WORKING_DAYS: u8 = 0b11_1110;
const FRIDAY: u8 = 1 << 5;
const MONDAY: u8 = 1 << 1;

/// Days of a month: bits counted from its first day (bit 1), or from its last (bit 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    FromStart(u32),
    FromEnd(u32),
}

/// Such a day, if it is also such a weekday.
type Term = (u8, Days);

/// Writes a schedule as lines of `OnCalendar=`, without the zone.
///
/// # Errors
/// All the reasons why it cannot be.
pub fn lines(schedule: &Schedule) -> Result<Vec<String>, Vec<String>> {
    let Pattern::Calendar(calendar) = schedule.pattern() else {
        return Err(vec!["@every counts from 1970, OnCalendar= has times on the wall".to_owned()]);
    };
    let terms = terms(calendar).map_err(|reason| vec![reason.to_owned()])?;
    Ok(terms.into_iter().map(|term| line(calendar, term)).collect())
}

fn terms(calendar: &Calendar) -> Result<Vec<Term>, &'static str> {
    if is_every_day(calendar) {
        return Ok(vec![(ALL_WEEKDAYS, Days::FromStart(ALL_DAYS))]);
    }
    let (days, weekdays) = (by_day(calendar)?, by_weekday(calendar));
    if calendar.either {
        return Ok([days, weekdays].concat());
    }
    let pairs = days.iter().flat_map(|day| weekdays.iter().map(move |weekday| both(*day, *weekday)));
    let terms: Vec<Option<Term>> = pairs.collect::<Result<_, _>>()?;
    Ok(terms.into_iter().flatten().collect())
}

fn by_day(calendar: &Calendar) -> Result<Vec<Term>, &'static str> {
    let mut terms =
        vec![(ALL_WEEKDAYS, Days::FromStart(calendar.days)), (ALL_WEEKDAYS, Days::FromEnd(calendar.from_end))];
    if bits(calendar.nearest).any(|day| day > LAST_NEAREST)
        || bits(calendar.nearest_from_end).any(|days| days > LAST_NEAREST_FROM_END)
    {
        return Err("the working day nearest to a day that not all months have is not known here");
    }
    terms.extend(bits(calendar.nearest).flat_map(nearest));
    terms.extend(bits(calendar.nearest_from_end).flat_map(nearest_from_end));
    terms.retain(|(_, days)| !matches!(days, Days::FromStart(0) | Days::FromEnd(0)));
    match calendar.from_end >> DAYS_FROM_END {
        0 => Ok(terms),
        _ => Err("systemd counts no more than 28 days from the end of a month"),
    }
}

/// The day itself, the Friday before a Saturday, the Monday after a Sunday; the first day never leaves its month.
fn nearest(day: u8) -> [Term; 3] {
    let before = if day == 1 { (MONDAY, Days::FromStart(1 << 3)) } else { (FRIDAY, Days::FromStart(1 << (day - 1))) };
    [(WORKING_DAYS, Days::FromStart(1 << day)), before, (MONDAY, Days::FromStart(1 << (day + 1)))]
}

fn nearest_from_end(days: u8) -> [Term; 3] {
    let after = if days == 0 { (FRIDAY, Days::FromEnd(1 << 2)) } else { (MONDAY, Days::FromEnd(1 << (days - 1))) };
    [(WORKING_DAYS, Days::FromEnd(1 << days)), (FRIDAY, Days::FromEnd(1 << (days + 1))), after]
}

fn by_weekday(calendar: &Calendar) -> Vec<Term> {
    let nth = (0..).zip(calendar.nth).map(|(week, set)| (set, Days::FromStart(0xfe << (7 * week))));
    let terms = [(calendar.weekdays, Days::FromStart(ALL_DAYS)), (calendar.last_weekdays, Days::FromEnd(0x7f))];
    terms.into_iter().chain(nth).filter(|(set, _)| *set != 0).collect()
}

/// What matches both; none if nothing does.
fn both((one_set, one): Term, (other_set, other): Term) -> Result<Option<Term>, &'static str> {
    let days = match (one, other) {
        (Days::FromStart(ALL_DAYS), days) | (days, Days::FromStart(ALL_DAYS)) => days,
        (Days::FromStart(one), Days::FromStart(other)) => Days::FromStart(one & other),
        (Days::FromEnd(one), Days::FromEnd(other)) => Days::FromEnd(one & other),
        _ => return Err("days counted from both ends of a month cannot be asked for at once"),
    };
    let set = one_set & other_set;
    let none = set == 0 || matches!(days, Days::FromStart(0) | Days::FromEnd(0));
    Ok((!none).then_some((set, days)))
}

fn line(calendar: &Calendar, (weekdays, days): Term) -> String {
    let weekdays = match weekdays {
        ALL_WEEKDAYS => String::new(),
        _ => format!("{} ", weekday_list(weekdays)),
    };
    let months = if calendar.months == 0x1ffe { "*".to_owned() } else { padded(calendar.months) };
    let days = match days {
        Days::FromStart(ALL_DAYS) => "-*".to_owned(),
        Days::FromStart(days) => format!("-{}", padded(days)),
        // One by one: a range from the end runs the other way.
        Days::FromEnd(days) => {
            format!("~{}", bits(days).map(|before| format!("{:02}", before + 1)).collect::<Vec<_>>().join(","))
        }
    };
    format!("{weekdays}{}-{months}{days} {}", years(calendar), time(calendar))
}

/// Weeks begin on Monday.
fn weekday_list(set: u8) -> String {
    let from_monday = set >> 1 | (set & 1) << 6;
    list(from_monday, "..", |day| WEEKDAYS[usize::from(day % 7)].to_owned())
}

fn years(calendar: &Calendar) -> String {
    let Some(years) = &calendar.years else { return "*".to_owned() };
    years.iter().map(|year| year.to_string()).collect::<Vec<_>>().join(",")
}

fn time(calendar: &Calendar) -> String {
    let part = |set: u64, size: u32| if set.count_ones() == size { "*".to_owned() } else { padded(set) };
    let (hours, minutes) = (part(u64::from(calendar.hours), 24), part(calendar.minutes, 60));
    format!("{hours}:{minutes}:{}", part(calendar.seconds, 60))
}

fn padded(set: impl Into<u64>) -> String {
    list(set, "..", |value| format!("{value:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Dialect, Dst, Zone};

    fn written(text: &str, dialect: Dialect) -> Result<Vec<String>, Vec<String>> {
        lines(&Schedule::new(Pattern::parse(text, dialect, None).unwrap(), Zone::utc(), Dst::Skip))
    }

    #[test]
    fn what_cron_says_is_written_for_systemd() {
        for (text, dialect, expected) in [
            ("30 2 * * 1", Dialect::Cron, &["Mon *-*-* 02:30:00"][..]),
            ("*/15 8-18 * 1,7 1-5", Dialect::Cron, &["Mon..Fri *-01,07-* 08..18:00,15,30,45:00"]),
            // Either of both: two lines.
            ("0 3 1-7 * 1", Dialect::Cron, &["*-*-01..07 03:00:00", "Mon *-*-* 03:00:00"]),
            // Both: one.
            ("0 0 */10 * 0,6", Dialect::Cron, &["Sat,Sun *-*-01,11,21,31 00:00:00"]),
            ("0 0 L * *", Dialect::Cron, &["*-*~01 00:00:00"]),
            ("0 0 L-2 2 *", Dialect::Cron, &["*-02~03 00:00:00"]),
            ("0 0 * * 1#2", Dialect::Cron, &["Mon *-*-08..14 00:00:00"]),
            ("0 0 * * 5L", Dialect::Cron, &["Fri *-*~01,02,03,04,05,06,07 00:00:00"]),
            // The 15th from Monday to Friday, else Friday the 14th or Monday the 16th.
            ("0 0 15W * *", Dialect::Cron, &["Mon..Fri *-*-15 00:00:00", "Fri *-*-14 00:00:00", "Mon *-*-16 00:00:00"]),
            ("0 0 LW * *", Dialect::Cron, &["Mon..Fri *-*~01 00:00:00", "Fri *-*~02 00:00:00", "Fri *-*~03 00:00:00"]),
            ("*/20 * * * * *", Dialect::CronSeconds, &["*-*-* *:*:00,20,40"]),
            ("0 0 12 1 1 ? 2030-2032", Dialect::Quartz, &["2030,2031,2032-01-01 12:00:00"]),
        ] {
            let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
            assert_eq!(written(text, dialect), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_systemd_has_no_words_for_is_refused() {
        for (text, reason) in [("0 0 31W * *", "not all months"), ("0 0 L-29 * *", "28 days"), ("@every 7m", "@every")]
        {
            assert!(written(text, Dialect::Cron).unwrap_err()[0].contains(reason), "{text}");
        }
    }
}
