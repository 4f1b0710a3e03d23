//! Whole expressions of the cron dialects: fields, macros, `@every`.

use jiff::{Span, SpanRelativeTo};

use super::field::Reader;
use super::shape::{self, number};
use crate::schedule::calendar::{Calendar, Years};
use crate::schedule::dialect::Dialect;
use crate::schedule::fault::{Parsed, Piece, Wrong};
use crate::schedule::fires::Pattern;

/// What the macros stand for.
const MACROS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// Years that Quartz knows.
const QUARTZ_YEARS: std::ops::RangeInclusive<u32> = 1970..=2099;

/// The most fields that any dialect has.
const MOST_FIELDS: usize = 7;

/// Reads an expression.
pub(super) fn parse(piece: Piece<'_>, dialect: Dialect, job: Option<&str>) -> Parsed<Pattern> {
    let mut words = piece.words();
    match words.next() {
        Some(word) if word.text.starts_with('@') => named(piece, word),
        _ => fields(piece, Reader { dialect, job }).map(Pattern::Calendar),
    }
}

/// A macro or `@every`.
fn named(piece: Piece<'_>, word: Piece<'_>) -> Parsed<Pattern> {
    let rest = piece.slice(word.end() - piece.offset..piece.text.len());
    if word.text.eq_ignore_ascii_case("@every") {
        return every(rest);
    }
    if word.text.eq_ignore_ascii_case("@reboot") {
        let wrong = Wrong::at(word.offset, "@reboot, which is no time", "a schedule");
        return Err(wrong.hint("to run a job when the machine starts, let its service manager start it"));
    }
    if let Some(more) = rest.words().next() {
        return Err(Wrong::at(more.offset, format!("{:?} after {}", more.text, word.text), "nothing more"));
    }
    let known = MACROS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word.text));
    let (_, text) = known.ok_or_else(|| unknown_macro(word))?;
    fields(Piece { text, offset: word.offset }, Reader { dialect: Dialect::Cron, job: None }).map(Pattern::Calendar)
}

fn unknown_macro(word: Piece<'_>) -> Wrong {
    let names: Vec<&str> = MACROS.iter().map(|(name, _)| *name).chain(["@every"]).collect();
    let wrong = Wrong::at(word.offset, format!("{:?}", word.text), format!("one of {}", names.join(", ")));
    if word.text.eq_ignore_ascii_case("@quarterly") {
        return wrong.hint("write 0 0 1 */3 *");
    }
    match shape::nearest(word.text, &names) {
        Some(name) => wrong.hint(format!("did you mean {name}?")),
        None => wrong,
    }
}

fn every(piece: Piece<'_>) -> Parsed<Pattern> {
    let text = piece.text.trim();
    let offset = piece.words().next().map_or(piece.end(), |word| word.offset);
    let wrong = || {
        let found = if text.is_empty() { "nothing after @every".to_owned() } else { format!("{text:?} after @every") };
        Wrong::at(offset, found, "a duration of whole seconds, such as 90m, 1h30m or 2d")
    };
    let span: Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    let seconds = u32::try_from(duration.as_secs()).ok().filter(|seconds| *seconds > 0 && duration.subsec_nanos() == 0);
    Ok(Pattern::Every { seconds: seconds.ok_or_else(wrong)? })
}

fn fields(piece: Piece<'_>, reader: Reader<'_>) -> Parsed<Calendar> {
    let shapes = shape::shapes(reader.dialect);
    let mut found = [Piece { text: "", offset: piece.end() }; MOST_FIELDS + 1];
    let mut count = 0;
    for word in piece.words().take(MOST_FIELDS + 1) {
        found[count] = word;
        count += 1;
    }
    let most = shapes.len() + usize::from(reader.dialect == Dialect::Quartz);
    if count < shapes.len() || count > most {
        return Err(field_count(piece, &found, count, reader.dialect));
    }
    let mut calendar = Calendar::every_second();
    if reader.dialect == Dialect::Cron {
        calendar.seconds = 1;
    }
    for (shape, word) in shapes.iter().zip(found) {
        reader.field(word, shape, &mut calendar)?;
    }
    let [day, weekday] = [found[shapes.len() - 3], found[shapes.len() - 1]];
    match reader.dialect {
        Dialect::Quartz => {
            one_question_mark(&found[..shapes.len()], day, weekday)?;
            calendar.years = (count > shapes.len()).then(|| years(found[shapes.len()])).transpose()?.flatten();
        }
        _ => calendar.either = !day.text.starts_with(['*', '?']) && !weekday.text.starts_with(['*', '?']),
    }
    if calendar.is_possible() { Ok(calendar) } else { Err(impossible(day)) }
}

/// The error for too few or too many fields.
fn field_count(piece: Piece<'_>, found: &[Piece<'_>; MOST_FIELDS + 1], count: usize, dialect: Dialect) -> Wrong {
    let (wanted, names) = match dialect {
        Dialect::Cron => (5, "5 fields: minute, hour, day, month, weekday"),
        Dialect::Quartz => (7, "6 or 7 fields: second, minute, hour, day, month, weekday, year"),
        _ => (6, "6 fields: second, minute, hour, day, month, weekday"),
    };
    let place = if count > wanted { found[wanted].offset } else { piece.end() };
    let text = match count {
        0 => "no field".to_owned(),
        1 => "1 field".to_owned(),
        _ if count > MOST_FIELDS => format!("more than {MOST_FIELDS} fields"),
        _ => format!("{count} fields"),
    };
    let wrong = Wrong::at(place, text, names);
    match hint(piece.text, count, dialect) {
        Some(hint) => wrong.hint(hint),
        None => wrong,
    }
}

fn hint(text: &str, count: usize, dialect: Dialect) -> Option<&'static str> {
    match () {
        () if text.contains("TZ=") => Some("the time zone is a flag or setting of its own: --tz"),
        () if text.contains(':') => Some("a systemd expression needs --dialect oncalendar"),
        () if dialect == Dialect::Cron && count == 6 => Some("seconds in front need --dialect cron-seconds"),
        () if dialect != Dialect::Quartz && count == 7 => Some("a year needs --dialect quartz"),
        () if dialect != Dialect::Cron && count == 5 => Some("five fields are --dialect cron"),
        () => None,
    }
}

/// In Quartz one of the two day fields is a question mark, and nothing else is.
fn one_question_mark(all: &[Piece<'_>], day: Piece<'_>, weekday: Piece<'_>) -> Parsed<()> {
    let stray = |word: &&Piece<'_>| word.text.contains('?') && (word.text != "?" || ![day, weekday].contains(word));
    if let Some(word) = all.iter().find(stray) {
        return Err(Wrong::at(word.offset, format!("{:?}", word.text), "? alone, and only as day or weekday"));
    }
    match (day.text == "?", weekday.text == "?") {
        (true, true) => Err(Wrong::at(weekday.offset, "? in both day fields", "? in one of them")),
        (false, false) => {
            let wrong = Wrong::at(weekday.offset, "values in both day fields", "? in one of them");
            Err(wrong.hint("Quartz cannot ask for both; --dialect oncalendar can: 'Mon *-*-01'"))
        }
        _ => Ok(()),
    }
}

/// The years of a Quartz expression; none for all.
fn years(piece: Piece<'_>) -> Parsed<Option<Box<Years>>> {
    if piece.text == "*" {
        return Ok(None);
    }
    let mut years = Years::default();
    for item in piece.items() {
        let (values, step) = match item.split_once('/') {
            Some((values, step)) => (values, Some(number(step).filter(|step| *step > 0).ok_or_else(|| no_year(step))?)),
            None => (item, None),
        };
        let (low, high) = year_range(values, step.is_some())?;
        (low..=high).step_by(step.unwrap_or(1) as usize).for_each(|year| years.insert(year.cast_signed()));
    }
    Ok(Some(Box::new(years)))
}

fn year_range(piece: Piece<'_>, stepped: bool) -> Parsed<(u32, u32)> {
    let (first, last) = (*QUARTZ_YEARS.start(), *QUARTZ_YEARS.end());
    let year = |piece| number(piece).filter(|year| QUARTZ_YEARS.contains(year)).ok_or_else(|| no_year(piece));
    match piece.split_once('-') {
        Some((low, high)) => {
            let (low, high) = (year(low)?, year(high)?);
            if low > high { Err(no_year(piece)) } else { Ok((low, high)) }
        }
        None if stepped && ["*", ""].contains(&piece.text) => Ok((first, last)),
        None => year(piece).map(|low| (low, if stepped { last } else { low })),
    }
}

fn no_year(piece: Piece<'_>) -> Wrong {
    let (first, last) = (QUARTZ_YEARS.start(), QUARTZ_YEARS.end());
    Wrong::at(piece.offset, format!("{:?} in the years", piece.text), format!("{first} to {last}, from low to high"))
}

fn impossible(day: Piece<'_>) -> Wrong {
    let wrong = Wrong::at(day.offset, "a date that never comes", "a day that one of the months has");
    wrong.hint("the last day of every month is L")
}
