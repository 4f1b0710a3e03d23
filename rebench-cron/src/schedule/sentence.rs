//! What an expression means, in plain English.

use super::calendar::{Calendar, bits};
use super::fires::Pattern;

/// So many times of day are listed one by one.
const LISTED_TIMES: u32 = 6;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// What a pattern means, without a full stop.
pub fn of(pattern: &Pattern) -> String {
    let text = match pattern {
        Pattern::Calendar(calendar) => of_calendar(calendar),
        Pattern::Every { seconds } => format!("every {}, counted from 1970-01-01T00:00:00Z", period(*seconds)),
    };
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn of_calendar(calendar: &Calendar) -> String {
    let (listed, time) = time(calendar);
    let mut parts = vec![time];
    match days(calendar) {
        Some(days) => parts.push(days),
        None if listed => parts.push("every day".to_owned()),
        None => {}
    }
    if calendar.months != 0x1ffe {
        let name = |month: u8| MONTHS[usize::from(month) - 1].to_owned();
        parts.push(format!("in {}", runs(bits(calendar.months), name, "and")));
    }
    if let Some(years) = &calendar.years {
        let years: Vec<i32> = years.iter().collect();
        parts.push(format!("in {}", runs(years.into_iter(), |year: i32| year.to_string(), "and")));
    }
    parts.join(" ")
}

/// The times of a day, and whether they are listed one by one.
fn time(calendar: &Calendar) -> (bool, String) {
    let count = calendar.hours.count_ones() * calendar.minutes.count_ones() * calendar.seconds.count_ones();
    if count <= LISTED_TIMES {
        return (true, format!("at {}", listed_times(calendar)));
    }
    let mut parts = Vec::new();
    if calendar.seconds != 1 {
        parts.push(units(calendar.seconds, 60, "second"));
    }
    let all_minutes = calendar.minutes.count_ones() == 60;
    match parts.is_empty() {
        false if all_minutes => {}
        false => parts.push(format!("of {}", units(calendar.minutes, 60, "minute").trim_start_matches("at "))),
        true => parts.push(units(calendar.minutes, 60, "minute")),
    }
    match calendar.hours.count_ones() {
        24 if all_minutes || step(calendar.minutes, 60).is_some() => {}
        24 => parts.push("of every hour".to_owned()),
        _ => parts.push(hours(calendar.hours)),
    }
    (false, parts.join(" "))
}

fn listed_times(calendar: &Calendar) -> String {
    let with_seconds = calendar.seconds != 1;
    let times = bits(calendar.hours).flat_map(|hour| {
        bits(calendar.minutes).flat_map(move |minute| {
            bits(calendar.seconds).map(move |second| match with_seconds {
                true => format!("{hour:02}:{minute:02}:{second:02}"),
                false => format!("{hour:02}:{minute:02}"),
            })
        })
    });
    joined(&times.collect::<Vec<_>>(), "and")
}

/// `every 15 minutes`, `at minutes 0 and 30`.
fn units(set: u64, size: u8, unit: &str) -> String {
    match (set.count_ones(), step(set, size)) {
        (count, _) if count == u32::from(size) => format!("every {unit}"),
        (_, Some(step)) => format!("every {step} {unit}s"),
        (1, None) => format!("at {unit} {}", set.trailing_zeros()),
        _ => format!("at {unit}s {}", runs(bits(set), |value: u8| value.to_string(), "and")),
    }
}

fn hours(set: u32) -> String {
    if let Some(step) = step(u64::from(set), 24) {
        return format!("of every {} hour", ordinal(step));
    }
    let plural = if set.is_power_of_two() { "" } else { "s" };
    format!("of the hour{plural} {}", runs(bits(set), |hour: u8| format!("{hour:02}"), "and"))
}

/// The step of a set that begins with 0 and fills its field evenly, if it has one.
fn step(set: u64, size: u8) -> Option<u8> {
    let second = bits(set).nth(1)?;
    let even = size.is_multiple_of(second) && second > 1;
    let whole = (0..size).step_by(usize::from(second.max(1))).fold(0_u64, |all, value| all | 1 << value);
    (even && whole == set).then_some(second)
}

/// The days that match, none if all do.
fn days(calendar: &Calendar) -> Option<String> {
    let by_day = calendar.restricts_days().then(|| month_days(calendar));
    let by_weekday = calendar.restricts_weekdays().then(|| weekdays(calendar));
    match (by_day, by_weekday) {
        (Some(day), Some(weekday)) if calendar.either => Some(format!("{day} or {weekday}")),
        (Some(day), Some(weekday)) => Some(format!("{day}, if also {weekday}")),
        (day, weekday) => day.or(weekday),
    }
}

fn month_days(calendar: &Calendar) -> String {
    let mut parts = Vec::new();
    if calendar.days != 0 {
        parts.push(numbered_days(calendar.days));
    }
    for days in bits(calendar.from_end) {
        parts.push(format!("on {}", from_end(days)));
    }
    for day in bits(calendar.nearest) {
        parts.push(format!("on the working day nearest to day {day}"));
    }
    for days in bits(calendar.nearest_from_end) {
        parts.push(match days {
            0 => "on the last working day".to_owned(),
            _ => format!("on the working day nearest to {}", from_end(days)),
        });
    }
    format!("{} of the month", joined(&parts, "and"))
}

fn numbered_days(set: u32) -> String {
    let days: Vec<u8> = bits(set).collect();
    let steps: Vec<u8> = days.windows(2).map(|pair| pair[1] - pair[0]).collect();
    match (days.as_slice(), steps.as_slice()) {
        ([only], _) => format!("on day {only}"),
        ([1, .., last], [step, rest @ ..])
            if *step > 1 && rest.iter().all(|other| other == step) && last + step > 31 =>
        {
            format!("on every {} day from the 1st", ordinal(*step))
        }
        _ => format!("on days {}", runs(days.into_iter(), |day: u8| day.to_string(), "and")),
    }
}

fn from_end(days: u8) -> String {
    match days {
        0 => "the last day".to_owned(),
        1 => "the day before the last".to_owned(),
        _ => format!("day {days} before the last"),
    }
}

fn weekdays(calendar: &Calendar) -> String {
    let name = |weekday: u8| WEEKDAYS[usize::from(weekday % 7)].to_owned();
    let mut parts = Vec::new();
    if calendar.weekdays != 0 {
        // Weeks are told from Monday on.
        let from_monday = bits(calendar.weekdays & !1).chain((calendar.weekdays & 1 == 1).then_some(7));
        parts.push(format!("on {}", runs(from_monday, name, "and")));
    }
    for weekday in bits(calendar.last_weekdays) {
        parts.push(format!("on the last {} of the month", name(weekday)));
    }
    for (week, set) in (1..).zip(calendar.nth) {
        bits(set).for_each(|weekday| parts.push(format!("on the {} {} of the month", ordinal(week), name(weekday))));
    }
    joined(&parts, "and")
}

/// `1 to 7, 15 and 20`: neighbours of three and more as a range.
fn runs<T: Copy + Into<i32>>(values: impl Iterator<Item = T>, name: impl Fn(T) -> String, word: &str) -> String {
    let mut groups: Vec<(T, T)> = Vec::new();
    for value in values {
        match groups.last_mut() {
            Some((_, last)) if (*last).into() + 1 == value.into() => *last = value,
            _ => groups.push((value, value)),
        }
    }
    let parts: Vec<String> = groups
        .into_iter()
        .flat_map(|(first, last)| match last.into() - first.into() {
            0 => vec![name(first)],
            1 => vec![name(first), name(last)],
            _ => vec![format!("{} to {}", name(first), name(last))],
        })
        .collect();
    joined(&parts, word)
}

/// `a, b and c`.
pub(super) fn joined(parts: &[String], word: &str) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} {word} {last}", rest.join(", ")),
    }
}

/// `1st`, `2nd`, `3rd`, `4th`.
fn ordinal(number: u8) -> String {
    let end = match (number % 10, number % 100) {
        (1, 1 | 21 | 31) => "st",
        (2, 2 | 22) => "nd",
        (3, 3 | 23) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

fn period(seconds: u32) -> String {
    let of = |count: u32, unit: &str| match count {
        1 => unit.to_owned(),
        _ => format!("{count} {unit}s"),
    };
    match seconds {
        _ if seconds.is_multiple_of(86_400) => of(seconds / 86_400, "day"),
        _ if seconds.is_multiple_of(3_600) => of(seconds / 3_600, "hour"),
        _ if seconds.is_multiple_of(60) => of(seconds / 60, "minute"),
        _ => of(seconds, "second"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Dialect;

    #[test]
    fn sentences() {
        for (text, dialect, expected) in [
            ("0 3 1-7 * 1", Dialect::Cron, "At 03:00 on days 1 to 7 of the month or on Monday"),
            ("0 0 */2 * 1", Dialect::Cron, "At 00:00 on every 2nd day from the 1st of the month, if also on Monday"),
            ("* * * * *", Dialect::Cron, "Every minute"),
            ("*/15 * * * *", Dialect::Cron, "Every 15 minutes"),
            ("7 * * * *", Dialect::Cron, "At minute 7 of every hour"),
            ("0,30 9-17 * * 1-5", Dialect::Cron, "Every 30 minutes of the hours 09 to 17 on Monday to Friday"),
            ("30 2,14 * JAN,JUN-AUG *", Dialect::Cron, "At 02:30 and 14:30 every day in January and June to August"),
            ("0 0 LW * *", Dialect::Cron, "At 00:00 on the last working day of the month"),
            ("0 0 * * 6,0", Dialect::Cron, "At 00:00 on Saturday and Sunday"),
            ("0 0 * * 1#2", Dialect::Cron, "At 00:00 on the 2nd Monday of the month"),
            ("@every 90m", Dialect::Cron, "Every 90 minutes, counted from 1970-01-01T00:00:00Z"),
            ("*/20 * * * * *", Dialect::CronSeconds, "Every 20 seconds"),
            ("0 0 12 1 1 ? 2027-2030", Dialect::Quartz, "At 12:00 on day 1 of the month in January in 2027 to 2030"),
            ("*-*~02 04:00", Dialect::OnCalendar, "At 04:00 on the day before the last of the month"),
        ] {
            let said = of(&Pattern::parse(text, dialect, None).unwrap());
            assert_eq!(said, expected, "{text}");
        }
    }
}
