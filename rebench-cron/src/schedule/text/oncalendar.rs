//! `OnCalendar=` of systemd: weekdays, date, time, time zone, each of which may be left out.

use super::Expression;
use super::shape::{self, number};
use crate::schedule::calendar::{Calendar, Field, Years};
use crate::schedule::fault::{Parsed, Piece, Wrong};
use crate::schedule::fires::Pattern;

/// Words for whole expressions.
const WORDS: [(&str, &str); 10] = [
    ("minutely", "*-*-* *:*:00"),
    ("hourly", "*-*-* *:00:00"),
    ("daily", "*-*-* 00:00:00"),
    ("weekly", "Mon *-*-* 00:00:00"),
    ("monthly", "*-*-01 00:00:00"),
    ("quarterly", "*-01,04,07,10-01 00:00:00"),
    ("semiannually", "*-01,07-01 00:00:00"),
    ("biannually", "*-01,07-01 00:00:00"),
    ("yearly", "*-01-01 00:00:00"),
    ("annually", "*-01-01 00:00:00"),
];

/// In the order of systemd, whose week begins on Monday.
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const FIRST_YEAR: u32 = 1970;
const LAST_YEAR: u32 = 2199;
/// Counted from the end of a month, systemd knows the days that every month has.
const DAYS_FROM_END: u32 = 28;

const FORM: &str = "[WEEKDAYS] [YEAR-MONTH-DAY] [HOUR:MINUTE[:SECOND]] [ZONE]";

/// Reads an expression.
pub(super) fn parse(piece: Piece<'_>) -> Parsed<Expression> {
    let mut words = piece.words().peekable();
    let first = *words.peek().ok_or_else(|| Wrong::at(piece.end(), "nothing", FORM))?;
    let known = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(first.text));
    if let Some((_, text)) = known {
        let zone = piece.words().nth(1);
        nothing_after(piece.words().nth(2))?;
        let meant = parse(Piece { text, offset: first.offset })?;
        return Ok(Expression { zone: zone.map(|word| word.text.to_owned()), ..meant });
    }
    let mut calendar = Calendar::every_second();
    (calendar.hours, calendar.minutes, calendar.seconds) = (1, 1, 1);
    if let Some(word) = words.next_if(|word| word.text.starts_with(char::is_alphabetic)) {
        calendar.weekdays = weekdays(word)?;
    }
    let date = words.next_if(|word| !word.text.contains(':') && word.text.contains(['-', '~']));
    date.map_or(Ok(()), |word| read_date(word, &mut calendar))?;
    let time = words.next_if(|word| word.text.contains(':'));
    time.map_or(Ok(()), |word| read_time(word, &mut calendar))?;
    let zone = words.next_if(|word| word.text.starts_with(char::is_alphabetic));
    nothing_after(words.next())?;
    if let Some(word) = zone.filter(|word| weekdays(*word).is_ok()) {
        let wrong = Wrong::at(word.offset, format!("{:?} after the time", word.text), FORM);
        return Err(wrong.hint("weekdays come first"));
    }
    if !calendar.is_possible() {
        let offset = date.map_or(piece.offset, |word| word.offset);
        let wrong = Wrong::at(offset, "a date that never comes", "a day that one of the months has");
        return Err(wrong.hint("the last day of every month is *-*~01"));
    }
    Ok(Expression { pattern: Pattern::Calendar(calendar), zone: zone.map(|word| word.text.to_owned()) })
}

fn nothing_after(word: Option<Piece<'_>>) -> Parsed<()> {
    let Some(word) = word else { return Ok(()) };
    let wrong = Wrong::at(word.offset, format!("{:?}", word.text), FORM);
    Err(match word.text.starts_with(['*', '?']) || word.text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => wrong.hint("five fields of numbers and stars are --dialect cron"),
        false => wrong,
    })
}

/// `Mon,Wed..Fri`: bits from 0 for Sunday.
fn weekdays(word: Piece<'_>) -> Parsed<u8> {
    let mut set = 0_u8;
    for item in word.items() {
        let (from, to) = item.split_str("..").or_else(|| item.split_once('-')).unwrap_or((item, item));
        let (low, high) = (weekday(from)?, weekday(to)?);
        if low > high {
            let found = format!("{:?}: a range that runs backwards", item.text);
            return Err(Wrong::at(item.offset, found, "a range from Monday towards Sunday"));
        }
        (low..=high).for_each(|day| set |= 1 << ((day + 1) % 7));
    }
    Ok(set)
}

/// A weekday, from 0 for Monday.
fn weekday(piece: Piece<'_>) -> Parsed<u8> {
    let matches = |name: &&str| name.eq_ignore_ascii_case(piece.text) || name[..3].eq_ignore_ascii_case(piece.text);
    let place = WEEKDAYS.iter().position(matches).and_then(|place| u8::try_from(place).ok());
    place.ok_or_else(|| {
        let wrong = Wrong::at(piece.offset, format!("{:?}", piece.text), "a weekday such as Mon, or daily, weekly, …");
        let names: Vec<&str> = WORDS.iter().map(|(word, _)| *word).chain(WEEKDAYS).collect();
        match shape::nearest(piece.text, &names) {
            Some(name) => wrong.hint(format!("did you mean {name}?")),
            None => wrong,
        }
    })
}

/// `2026-01-31`, `*-01..03-01`, `02-29`, `*-*~01`.
fn read_date(word: Piece<'_>, calendar: &mut Calendar) -> Parsed<()> {
    let from_end = word.text.contains('~');
    let place = word.text.find('~').or_else(|| word.text.rfind('-')).unwrap_or_default();
    let (before, day) = (word.slice(0..place), word.slice(place + 1..word.text.len()));
    let (year, month) = match before.split_once('-') {
        Some((year, month)) => (Some(year), month),
        None => (None, before),
    };
    if from_end && month.text.ends_with('-') {
        let wrong = Wrong::at(before.end(), format!("{:?}", word.text), "a month before the ~");
        return Err(wrong.hint("days from the end of a month are *-*~01: the ~ stands in the place of the dash"));
    }
    calendar.years = year.map(years).transpose()?.flatten();
    calendar.months = narrow(component(month, Part { name: "months", low: 1, high: 12, falling: false })?);
    if from_end && day.text != "*" {
        let part = Part { name: "days from the end", low: 1, high: DAYS_FROM_END, falling: true };
        let set = component(day, part)?;
        (calendar.days, calendar.from_end) = (0, narrow(set >> 1));
    } else {
        calendar.days = narrow(component(day, Part { name: "days", low: 1, high: 31, falling: false })?);
    }
    Ok(())
}

/// `6:00`, `*:0/15`, `0:0:*`.
fn read_time(word: Piece<'_>, calendar: &mut Calendar) -> Parsed<()> {
    let (hour, rest) = word.split_once(':').unwrap_or((word, word));
    let (minute, second) = rest.split_once(':').map_or((rest, None), |(minute, second)| (minute, Some(second)));
    calendar.hours = narrow(component(hour, Part { name: "hours", low: 0, high: 23, falling: false })?);
    calendar.minutes = component(minute, Part { name: "minutes", low: 0, high: 59, falling: false })?;
    if let Some(second) = second {
        if let Some(dot) = second.text.find('.').filter(|dot| !second.text[*dot..].starts_with("..")) {
            return Err(Wrong::at(second.offset + dot, "a fraction of a second", "whole seconds"));
        }
        calendar.seconds = component(second, Part { name: "seconds", low: 0, high: 59, falling: false })?;
    }
    let starred = [(Field::Hour, Some(hour)), (Field::Minute, Some(minute)), (Field::Second, second)];
    for (field, piece) in starred {
        if piece.is_some_and(|piece| piece.text.starts_with('*')) {
            calendar.stars |= field.bit();
        }
    }
    Ok(())
}

/// A part of a date or time.
#[derive(Debug, Clone, Copy)]
struct Part {
    name: &'static str,
    low: u32,
    high: u32,
    /// Whether a step goes down, to the last day.
    falling: bool,
}

/// The values of a part, as bits.
fn component(piece: Piece<'_>, part: Part) -> Parsed<u64> {
    let mut set = 0;
    for item in piece.items() {
        if item.text == "*" {
            set |= (part.low..=part.high).fold(0, |set, value| set | 1 << value);
        } else {
            visit(item, part, |value| value, |value| set |= 1 << value)?;
        }
    }
    Ok(set)
}

/// The years, or none for all.
fn years(piece: Piece<'_>) -> Parsed<Option<Box<Years>>> {
    if piece.text == "*" {
        return Ok(None);
    }
    let part = Part { name: "years", low: FIRST_YEAR, high: LAST_YEAR, falling: false };
    let mut years = Years::default();
    for item in piece.items() {
        visit(item, part, full_year, |year| years.insert(year.cast_signed()))?;
    }
    Ok(Some(Box::new(years)))
}

/// Years of two digits are of this century, from 70 of the last.
fn full_year(year: u32) -> u32 {
    match year {
        0..70 => 2000 + year,
        70..100 => 1900 + year,
        _ => year,
    }
}

/// Visits the values of an item: `3`, `3..5`, `3/2`, `3..9/2`.
fn visit(item: Piece<'_>, part: Part, read: impl Fn(u32) -> u32, mut take: impl FnMut(u32)) -> Parsed<()> {
    if item.text.starts_with('*') {
        return Err(bad(item, part));
    }
    let value = |piece: Piece<'_>| {
        let value = number(piece).map(&read).filter(|value| (part.low..=part.high).contains(value));
        value.ok_or_else(|| bad(piece, part))
    };
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0).ok_or_else(|| bad(step, part))?)),
        None => (item, None),
    };
    let (low, high) = match range.split_str("..") {
        Some((low, high)) => (value(low)?, value(high)?),
        None => match (value(range)?, step) {
            (from, Some(_)) if part.falling => (part.low, from),
            (from, Some(_)) => (from, part.high),
            (only, None) => (only, only),
        },
    };
    if low > high {
        return Err(bad(range, part).hint("ranges run from low to high"));
    }
    let step = step.unwrap_or(1);
    if step > 1 && low + step > high {
        return Err(bad(item, part).hint("the step leads out of the range"));
    }
    let lone = part.falling && !range.text.contains("..");
    let mut at = if lone { high } else { low };
    while (low..=high).contains(&at) {
        take(at);
        at = if lone { at.wrapping_sub(step) } else { at + step };
    }
    Ok(())
}

fn bad(piece: Piece<'_>, Part { name, low, high, .. }: Part) -> Wrong {
    let found = if piece.text.is_empty() {
        format!("nothing in the {name}")
    } else {
        format!("{:?} in the {name}", piece.text)
    };
    let wrong = Wrong::at(piece.offset, found, format!("{low} to {high}, LOW..HIGH, FROM/STEP or *"));
    match piece.text.starts_with('*') {
        true => wrong.hint(format!("a step follows a first value: {}{}", low, piece.text.trim_start_matches('*'))),
        false => wrong,
    }
}

/// A set whose values are known to fit.
fn narrow<T: TryFrom<u64> + Default>(set: u64) -> T {
    T::try_from(set).unwrap_or_default()
}
