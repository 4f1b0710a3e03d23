//! On which days of two years an engine fires otherwise than the schedule says.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::Reason;
use super::model::Model;
use crate::schedule::Schedule;

/// How far ahead is looked.
const AHEAD: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);

/// What a change of the clocks moves lies no further from it.
const NEAR: SignedDuration = SignedDuration::from_hours(26);

/// So many fires are compared one by one; of what comes later only the days around changes of the clocks.
const COMPARED: usize = 4_000;

/// So many times of a day are named.
const NAMED: usize = 3;

/// What differs on a day.
#[derive(Debug, Default)]
struct Day {
    missing: Vec<Timestamp>,
    extra: Vec<Timestamp>,
}

/// How a day differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    LeftOut,
    Moved,
    Added,
}

/// When clocks change, and whether they go forward.
type Change = (Timestamp, bool);

/// What the engine does where clocks change, a sentence for each kind with the first day of it.
///
/// # Errors
/// A day without a change of the clocks on which it fires at other times: then it does not keep the schedule.
pub(super) fn of(schedule: &Schedule, model: &Model, engine: &str, now: Timestamp) -> Result<Vec<String>, Vec<Reason>> {
    let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let changes = changes(schedule, now, until);
    let mut days = BTreeMap::new();
    for (from, to) in windows(schedule, now, until, &changes) {
        compare(schedule, model, (from, to), &mut days);
        if let Some((date, day)) = days.iter().find(|(_, day)| !is_near(day, &changes)) {
            return Err(vec![format!("on {date}, a day like any other, {engine} {}", said(schedule, day))]);
        }
    }
    Ok(sentences(schedule, engine, &days, &changes))
}

fn changes(schedule: &Schedule, now: Timestamp, until: Timestamp) -> Vec<Change> {
    let tz = schedule.zone().tz();
    let mut offset = tz.to_offset(now);
    let all = tz.following(now).take_while(|change| change.timestamp() < until);
    all.map(|change| (change.timestamp(), change.offset() > std::mem::replace(&mut offset, change.offset()))).collect()
}

fn windows(schedule: &Schedule, now: Timestamp, until: Timestamp, changes: &[Change]) -> Vec<(Timestamp, Timestamp)> {
    let known = schedule.fires(now).nth(COMPARED).map_or(until, |last| last.min(until));
    let around = |(at, _): &Change| {
        let (from, to) = (at.checked_sub(NEAR).ok()?, at.checked_add(NEAR).ok()?);
        (to > known).then_some((from.max(known), to))
    };
    std::iter::once((now, known)).chain(changes.iter().filter_map(around)).collect()
}

/// Both in step, and what only one of them has.
fn compare(schedule: &Schedule, model: &Model, (from, to): (Timestamp, Timestamp), days: &mut BTreeMap<Date, Day>) {
    let tz = schedule.zone().tz();
    let within = |at: &Timestamp| *at <= to;
    let mut ours = schedule.fires(from).take_while(within).peekable();
    let mut theirs = model.fires(from).take_while(within).peekable();
    loop {
        let (one, two) = (ours.peek().copied(), theirs.peek().copied());
        let day = |at: Timestamp| at.to_zoned(tz.clone()).date();
        match (one, two) {
            (None, None) => return,
            (Some(one), Some(two)) if one == two => {
                ours.next();
                theirs.next();
            }
            (Some(one), two) if two.is_none_or(|two| one < two) => {
                days.entry(day(one)).or_default().missing.push(one);
                ours.next();
            }
            (_, Some(two)) => {
                days.entry(day(two)).or_default().extra.push(two);
                theirs.next();
            }
            (Some(_), None) => return,
        }
        // Where nothing agrees there is no need to see it all.
        if days.len() > 100 {
            return;
        }
    }
}

fn is_near(day: &Day, changes: &[Change]) -> bool {
    day.missing.iter().chain(&day.extra).all(|at| near(*at, changes).is_some())
}

fn near(at: Timestamp, changes: &[Change]) -> Option<&Change> {
    changes.iter().find(|(change, _)| at.duration_since(*change).abs() <= NEAR)
}

fn sentences(schedule: &Schedule, engine: &str, days: &BTreeMap<Date, Day>, changes: &[Change]) -> Vec<String> {
    let mut kinds: BTreeMap<(bool, Kind), Vec<(&Date, &Day)>> = BTreeMap::new();
    for (date, day) in days {
        let back =
            day.missing.iter().chain(&day.extra).find_map(|at| near(*at, changes)).is_some_and(|change| !change.1);
        kinds.entry((back, kind(day))).or_default().push((date, day));
    }
    let sentence = |all: &Vec<(&Date, &Day)>| {
        let (date, day) = all.first()?;
        let more = if all.len() > 1 { format!(" ({} such days in two years)", all.len()) } else { String::new() };
        let zone = schedule.zone().name();
        Some(format!("clocks in {zone} change on {date}: {engine} {}{more}", said(schedule, day)))
    };
    kinds.values().filter_map(sentence).collect()
}

fn kind(day: &Day) -> Kind {
    match (day.missing.is_empty(), day.extra.is_empty()) {
        (false, true) => Kind::LeftOut,
        (true, _) => Kind::Added,
        (false, false) => Kind::Moved,
    }
}

fn said(schedule: &Schedule, day: &Day) -> String {
    let (missing, extra) = (times(schedule, &day.missing), times(schedule, &day.extra));
    match kind(day) {
        Kind::LeftOut => format!("skips the run at {missing}"),
        Kind::Added => format!("also runs at {extra}"),
        Kind::Moved => format!("runs at {extra}, not at {missing}"),
    }
}

fn times(schedule: &Schedule, all: &[Timestamp]) -> String {
    let tz = schedule.zone().tz();
    let text = |at: &Timestamp| {
        let at = at.to_zoned(tz.clone());
        let form = if at.second() == 0 { "%H:%M%:z" } else { "%H:%M:%S%:z" };
        at.strftime(form).to_string()
    };
    let named: Vec<String> = all.iter().take(NAMED).map(text).collect();
    match all.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
