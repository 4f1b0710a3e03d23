//! What is easily misread in a schedule.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::calendar::{Calendar, Field, bits};
use super::dialect::Dst;
use super::fires::{Pattern, Schedule};
use super::zone::Span;

/// How far ahead changes of the clocks are looked for.
const AHEAD_SECONDS: i64 = 2 * 366 * 86_400;

/// What is easily misread in a schedule, in sentences; clocks are watched for two years from `now`.
pub fn of(schedule: &Schedule, now: Timestamp) -> Vec<String> {
    let Pattern::Calendar(calendar) = schedule.pattern() else { return Vec::new() };
    let mut warnings = Vec::new();
    warnings.extend(day_rule(calendar));
    warnings.extend(short_months(calendar));
    warnings.extend(uneven_steps(calendar));
    warnings.extend(long_steps(calendar));
    warnings.extend(hashed(calendar));
    warnings.extend(clock_changes(schedule, calendar, now.as_second()));
    warnings
}

fn day_rule(calendar: &Calendar) -> Option<String> {
    if !calendar.restricts_days() || !calendar.restricts_weekdays() {
        return None;
    }
    if calendar.either {
        let text = "day of the month and weekday are both restricted: a day that matches either of them fires, as in Vixie cron; \
                    for days that match both, use --dialect oncalendar, as in 'Mon *-*-01..07'";
        return Some(text.to_owned());
    }
    let starred = calendar.has_star(Field::Day) || calendar.has_star(Field::Weekday);
    starred.then(|| "a day field that begins with a star counts as a star: a day must match both day fields".to_owned())
}

fn short_months(calendar: &Calendar) -> Option<String> {
    let weekly = calendar.either && calendar.restricts_weekdays();
    if calendar.nth[4] != 0 && calendar.weekdays == 0 && calendar.nth[..4] == [0; 4] && !calendar.either {
        return Some("months without a fifth such weekday are skipped".to_owned());
    }
    let wanted = calendar.days | calendar.nearest;
    let late = wanted & 0x1fff_fffe == 0 && calendar.from_end | calendar.nearest_from_end == 0;
    let first = bits(wanted).next().filter(|_| late && !weekly)?;
    if calendar.months == 1 << 2 {
        return Some("29 February comes in leap years only".to_owned());
    }
    let short = |month: u8| match month {
        2 => true,
        4 | 6 | 9 | 11 => first > 30,
        _ => false,
    };
    let skips = bits(calendar.months).any(short);
    skips.then(|| {
        format!("months without a day {first} are skipped; the last day of every month is L, in systemd *-*~01")
    })
}

/// `*/7` in the minutes: the last step of the hour is shorter.
fn uneven_steps(calendar: &Calendar) -> Vec<String> {
    let fields = [
        (Field::Second, calendar.seconds, 60, "seconds", "minute"),
        (Field::Minute, calendar.minutes, 60, "minutes", "hour"),
        (Field::Hour, u64::from(calendar.hours), 24, "hours", "day"),
    ];
    let uneven = fields.into_iter().filter_map(|(field, set, size, name, whole)| {
        let step = bits(set).nth(1).filter(|_| set & 1 == 1 && calendar.has_star(field))?;
        let restarts = size % step != 0;
        restarts
            .then(|| format!("a step of {step} does not divide the {name} evenly: it starts anew with every {whole}"))
    });
    uneven.collect()
}

fn long_steps(calendar: &Calendar) -> Vec<String> {
    named(calendar.long_steps, |name| {
        format!("the step in the {name} is larger than the field: only its first value is left")
    })
}

fn hashed(calendar: &Calendar) -> Vec<String> {
    let placed = FIELDS.iter().filter(|(field, _)| calendar.has_hash(*field)).map(|(field, name)| {
        let list: Vec<String> = bits(calendar.values(*field)).map(|value| value.to_string()).collect();
        format!("H in the {name} is {}, from the name of the job", list.join(", "))
    });
    placed.collect()
}

const FIELDS: [(Field, &str); 6] = [
    (Field::Second, "seconds"),
    (Field::Minute, "minutes"),
    (Field::Hour, "hours"),
    (Field::Day, "days of the month"),
    (Field::Month, "months"),
    (Field::Weekday, "weekdays"),
];

fn named(set: u8, text: impl Fn(&str) -> String) -> Vec<String> {
    FIELDS.iter().filter(|(field, _)| set & field.bit() != 0).map(|(_, name)| text(name)).collect()
}

/// The next gap and the next overlap that the schedule falls into.
fn clock_changes(schedule: &Schedule, calendar: &Calendar, now: i64) -> Vec<String> {
    let mut span = schedule.zone().span(now);
    let (mut gap, mut overlap) = (None, None);
    while span.end < now.saturating_add(AHEAD_SECONDS) {
        span = schedule.zone().span(span.end);
        let (low, high) = changed(&span);
        let Some(wall) = calendar.at_or_after(low).filter(|wall| *wall < high) else { continue };
        let slot = if span.offset > span.before { &mut gap } else { &mut overlap };
        slot.get_or_insert((span, wall));
    }
    let gap = gap.map(|(span, wall)| in_gap(schedule, calendar, &span, wall));
    let overlap = overlap.map(|(span, wall)| in_overlap(schedule, calendar, &span, wall));
    gap.into_iter().chain(overlap).collect()
}

/// The times on the wall that the change at the start of a span leaves out or repeats.
fn changed(span: &Span) -> (i64, i64) {
    let (low, high) = (span.before.min(span.offset), span.before.max(span.offset));
    (span.start + i64::from(low), span.start + i64::from(high))
}

fn in_gap(schedule: &Schedule, calendar: &Calendar, span: &Span, wall: i64) -> String {
    let after = clock(span.start + i64::from(span.offset));
    let wild = calendar.is_wild();
    let what = match schedule.dst() {
        Dst::Vixie if !wild && span.offset - span.before < 3 * 3_600 => {
            format!("what falls between fires once, at {after}")
        }
        Dst::Vixie if wild => "there is nothing to fire between".to_owned(),
        _ => "what falls between is left out".to_owned(),
    };
    let before = clock(span.start + i64::from(span.before));
    format!(
        "on {} clocks in {} go from {before} to {after}: {} does not exist; {what} (dst rule {})",
        date(wall),
        schedule.zone().name(),
        clock(wall),
        schedule.dst().name()
    )
}

fn in_overlap(schedule: &Schedule, calendar: &Calendar, span: &Span, wall: i64) -> String {
    let what = match schedule.dst() {
        Dst::Vixie if calendar.is_wild() => "it fires both times",
        Dst::Instant => "it fires both times",
        Dst::Vixie | Dst::Skip => "it fires the first time only",
        Dst::Later => "it fires the second time only",
    };
    format!(
        "on {} clocks in {} go back from {} to {}: {} comes twice; {what} (dst rule {})",
        date(wall),
        schedule.zone().name(),
        clock(span.start + i64::from(span.before)),
        clock(span.start + i64::from(span.offset)),
        clock(wall),
        schedule.dst().name()
    )
}

fn date(wall: i64) -> String {
    civil(wall).date().to_string()
}

fn clock(wall: i64) -> String {
    let time = civil(wall).time();
    match time.second() {
        0 => time.strftime("%H:%M").to_string(),
        _ => time.strftime("%H:%M:%S").to_string(),
    }
}

fn civil(wall: i64) -> DateTime {
    let at = Timestamp::from_second(wall).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(at)
}
