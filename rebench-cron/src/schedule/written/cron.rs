//! Five fields: minute, hour, day, month, weekday.

use super::{is_every_day, list};
use crate::schedule::calendar::{Calendar, Field};
use crate::schedule::fires::{Pattern, Schedule};

/// Which day fields an engine takes for free, so that the other alone decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayStars {
    /// Whatever begins with a star: Vixie's cron and its heirs
    Leading,
    /// A star alone; `*/2` restricts
    Alone,
}

/// Writes a schedule in five fields.
///
/// # Errors
/// All the reasons why it cannot be.
pub fn fields(schedule: &Schedule, stars: DayStars) -> Result<String, Vec<String>> {
    let Pattern::Calendar(calendar) = schedule.pattern() else {
        return Err(vec!["@every counts from 1970, five fields of cron start anew with each hour and day".to_owned()]);
    };
    let mut reasons: Vec<String> = missing(calendar).into_iter().flatten().map(str::to_owned).collect();
    let days = days(calendar, stars);
    reasons.extend(days.as_ref().err().map(ToString::to_string));
    let (day, weekday) = days.ok().filter(|_| reasons.is_empty()).ok_or(reasons)?;
    let minute = field(calendar, Field::Minute);
    let hour = field(calendar, Field::Hour);
    Ok(format!("{minute} {hour} {day} {} {weekday}", field(calendar, Field::Month)))
}

/// What five fields have no words for.
fn missing(calendar: &Calendar) -> [Option<&'static str>; 4] {
    let special = calendar.from_end | calendar.nearest | calendar.nearest_from_end != 0;
    let kinds = calendar.last_weekdays != 0 || calendar.nth != [0; 5];
    [
        (calendar.seconds != 1).then_some("it has seconds, this cron has whole minutes only"),
        calendar.years.is_some().then_some("it names years, this cron has none"),
        special.then_some("L and W in the days of the month are not known here"),
        kinds.then_some("L and # in the weekdays are not known here"),
    ]
}

/// Day of the month and weekday.
fn days(calendar: &Calendar, stars: DayStars) -> Result<(String, String), &'static str> {
    if is_every_day(calendar) {
        return Ok(("*".to_owned(), "*".to_owned()));
    }
    let plain = (numbers(calendar, Field::Day), numbers(calendar, Field::Weekday));
    match (calendar.restricts_days(), calendar.restricts_weekdays()) {
        (true, true) if calendar.either => Ok(plain),
        (true, true) => both(calendar, stars, plain),
        (true, false) => Ok((field(calendar, Field::Day), "*".to_owned())),
        _ => Ok(("*".to_owned(), field(calendar, Field::Weekday))),
    }
}

/// A day that must match both fields: one of them must begin with a star.
fn both(calendar: &Calendar, stars: DayStars, plain: (String, String)) -> Result<(String, String), &'static str> {
    let (day, weekday) = (starred(calendar, Field::Day), starred(calendar, Field::Weekday));
    match (stars, day, weekday) {
        (DayStars::Leading, Some(day), _) => Ok((day, plain.1)),
        (DayStars::Leading, None, Some(weekday)) => Ok((plain.0, weekday)),
        _ => Err("a day must match both its day of the month and its weekday; this cron takes one that matches either"),
    }
}

/// A field, with its star if it has one.
fn field(calendar: &Calendar, field: Field) -> String {
    let whole = calendar.values(field) == full(field);
    let free = whole && (calendar.has_star(field) || matches!(field, Field::Day | Field::Month | Field::Weekday));
    match free {
        true => "*".to_owned(),
        false => {
            starred(calendar, field).filter(|_| calendar.has_star(field)).unwrap_or_else(|| numbers(calendar, field))
        }
    }
}

/// `*/2`, `*/15,7`: the smallest step from the start of the field that leaves nothing out, and the rest.
fn starred(calendar: &Calendar, field: Field) -> Option<String> {
    let set = calendar.values(field);
    let (low, high) = range(field);
    let steps = (2..=high - low + 1).map(|step| (step, (low..=high).step_by(usize::from(step))));
    let covered = steps.map(|(step, values)| (step, values.fold(0_u64, |all, value| all | 1 << value)));
    let (step, covered) = covered.into_iter().find(|(_, covered)| covered & !set == 0)?;
    match set & !covered {
        0 => Some(format!("*/{step}")),
        rest => Some(format!("*/{step},{}", list(rest, "-", |value| value.to_string()))),
    }
}

fn numbers(calendar: &Calendar, field: Field) -> String {
    list(calendar.values(field), "-", |value| value.to_string())
}

fn range(field: Field) -> (u8, u8) {
    match field {
        Field::Second | Field::Minute => (0, 59),
        Field::Hour => (0, 23),
        Field::Day => (1, 31),
        Field::Month => (1, 12),
        Field::Weekday => (0, 6),
    }
}

fn full(field: Field) -> u64 {
    let (low, high) = range(field);
    (low..=high).fold(0, |all, value| all | 1 << value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Dialect, Dst, Zone};

    fn read(text: &str, dialect: Dialect) -> Schedule {
        Schedule::new(Pattern::parse(text, dialect, None).unwrap(), Zone::utc(), Dst::Vixie)
    }

    #[test]
    fn what_cron_says_is_written_in_cron() {
        for (text, dialect, stars, expected) in [
            ("30 2 * * 1", Dialect::Cron, DayStars::Alone, "30 2 * * 1"),
            ("*/15 8-18 * jan mon-fri", Dialect::Cron, DayStars::Alone, "*/15 8-18 * 1 1-5"),
            ("0 3 1-7 * 1", Dialect::Cron, DayStars::Alone, "0 3 1-7 * 1"),
            ("0 3 ? * 7", Dialect::Cron, DayStars::Alone, "0 3 * * 0"),
            ("0 0 */2 * 1", Dialect::Cron, DayStars::Leading, "0 0 */2 * 1"),
            // A day from 1 to 31, or a Monday: every day.
            ("0 0 1-31 * 1", Dialect::Cron, DayStars::Alone, "0 0 * * *"),
            // No star: a fixed time for Vixie, and it stays one.
            ("0-59 4 * * *", Dialect::Cron, DayStars::Leading, "0-59 4 * * *"),
            ("*/90 * * * *", Dialect::Cron, DayStars::Leading, "*/60 * * * *"),
            ("*/20,7 4 * * *", Dialect::Cron, DayStars::Leading, "*/20,7 4 * * *"),
            ("0 0 12 ? * 2-6", Dialect::Quartz, DayStars::Alone, "0 12 * * 1-5"),
            ("Mon 04:00", Dialect::OnCalendar, DayStars::Alone, "0 4 * * 1"),
        ] {
            assert_eq!(fields(&read(text, dialect), stars).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cron_has_no_words_for_is_refused() {
        for (text, dialect, reason) in [
            ("0 0 L * *", Dialect::Cron, "L and W"),
            ("0 0 15W * *", Dialect::Cron, "L and W"),
            ("0 0 * * 1#2", Dialect::Cron, "L and #"),
            ("0 0 * * 5L", Dialect::Cron, "L and #"),
            ("30 0 0 * * *", Dialect::CronSeconds, "seconds"),
            ("0 0 12 1 1 ? 2030", Dialect::Quartz, "years"),
            ("Mon *-*-02..07 04:00", Dialect::OnCalendar, "both"),
            ("0 0 */2 * 1", Dialect::Cron, "both"),
            ("@every 90m", Dialect::Cron, "@every"),
        ] {
            let reasons = fields(&read(text, dialect), DayStars::Alone).unwrap_err();
            assert!(reasons.iter().any(|said| said.contains(reason)), "{text}: {reasons:?}");
        }
    }

    #[test]
    fn all_reasons_are_given() {
        assert_eq!(fields(&read("30 0 0 L * 1#2", Dialect::CronSeconds), DayStars::Leading).unwrap_err().len(), 3);
    }
}
