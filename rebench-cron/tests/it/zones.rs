//! All time zones, every change of their clocks from 2020 to 2037, twelve schedules: against the oracle that looks at every
//! minute. `CRON_ZONES=all` for the whole, else a sample.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rebench_cron::schedule::{Dialect, Dst, Expression, Schedule, Zone};

use crate::brute::{Scan, Wall, Wanted};

/// Changes that are looked at where not all are.
const SAMPLE: usize = 200;

/// Zones with changes that are not like others: half an hour, at midnight, negative, of two and three hours, none.
const ODD: [&str; 10] = [
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Santiago",
    "Europe/Dublin",
    "Asia/Gaza",
    "America/Nuuk",
];

struct Row {
    text: &'static str,
    dialect: Dialect,
    dst: Dst,
    wild: bool,
    seconds: &'static [i64],
    minute: fn(&Wall) -> bool,
}

/// The twelve, each with what it means in code.
const ROWS: [Row; 12] = [
    row("30 2 * * *", |at| at.minute == 30 && at.hour == 2),
    row("0 0 * * *", |at| at.minute == 0 && at.hour == 0),
    Row { wild: true, ..row("*/30 * * * *", |at| at.minute % 30 == 0) },
    row("15,45 1-3 * * *", |at| [15, 45].contains(&at.minute) && (1..=3).contains(&at.hour)),
    row("0 6 * * 1", |at| at.minute == 0 && at.hour == 6 && at.weekday == 1),
    Row {
        dst: Dst::Instant,
        ..row("59 0-3,23 L,15-29 * *", |at| {
            at.minute == 59
                && [0, 1, 2, 3, 23].contains(&at.hour)
                && (at.day == at.length || (15..=29).contains(&at.day))
        })
    },
    Row {
        wild: true,
        ..row("0 */2 1-15 * 0", |at| at.minute == 0 && at.hour % 2 == 0 && (at.day <= 15 || at.weekday == 0))
    },
    row("30 0-3 */2 * 0-3", |at| at.minute == 30 && at.hour <= 3 && at.day % 2 == 1 && at.weekday <= 3),
    Row {
        dialect: Dialect::CronSeconds,
        seconds: &[0, 30],
        ..row("0,30 59 0,1,2,23 * * *", |at| at.minute == 59 && [0, 1, 2, 23].contains(&at.hour))
    },
    Row {
        dialect: Dialect::CronSeconds,
        seconds: &[0, 20, 40],
        wild: true,
        ..row("*/20 0 0-3 * * *", |at| at.minute == 0 && at.hour <= 3)
    },
    Row {
        dialect: Dialect::Quartz,
        dst: Dst::Later,
        ..row("0 0/15 0-3 ? * *", |at| at.minute % 15 == 0 && at.hour <= 3)
    },
    Row {
        dialect: Dialect::OnCalendar,
        dst: Dst::Skip,
        ..row("*-*-* 00..03:10/30", |at| [10, 40].contains(&at.minute) && at.hour <= 3)
    },
];

const fn row(text: &'static str, minute: fn(&Wall) -> bool) -> Row {
    Row { text, dialect: Dialect::Cron, dst: Dst::Vixie, wild: false, seconds: &[0], minute }
}

impl Row {
    fn wanted(&self) -> Wanted<'_> {
        Wanted { minute: &self.minute, seconds: self.seconds, dst: self.dst, wild: self.wild }
    }

    fn schedule(&self, zone: &Arc<Zone>) -> Schedule {
        let expression = Expression::parse(self.text, self.dialect, None).unwrap();
        Schedule::new(expression.pattern, Arc::clone(zone), self.dst)
    }
}

fn seconds(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn changes(tz: &TimeZone) -> Vec<i64> {
    let start: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let end = seconds("2038-01-01T00:00:00Z");
    tz.following(start).map(|change| change.timestamp().as_second()).take_while(|second| *second < end).collect()
}

/// What is to be looked at: names of zones, each with seconds around which to look.
fn work(all: bool) -> Vec<(String, Vec<i64>)> {
    let mut zones: Vec<(String, Vec<i64>)> = tz::db()
        .available()
        .map(|name| {
            let tz = tz::db().get(name.as_str()).unwrap();
            let changes = changes(&tz);
            // Where clocks are never changed, any day will do.
            (name.to_string(), if changes.is_empty() { vec![seconds("2026-03-29T01:00:00Z")] } else { changes })
        })
        .collect();
    assert!(zones.len() > 400, "the time zone data is all there");
    if all {
        return zones;
    }
    let mut generator = ChaCha8Rng::seed_from_u64(20_261_125);
    let mut pick = |most: usize| usize::try_from(generator.next_u64() % most as u64).unwrap();
    let mut chosen = Vec::new();
    for name in ODD {
        let (_, changes) = zones.iter().find(|(known, _)| known == name).unwrap();
        chosen.push((name.to_owned(), (0..3).map(|_| changes[pick(changes.len())]).collect()));
    }
    while chosen.len() < ODD.len() + SAMPLE - 3 * ODD.len() {
        let index = pick(zones.len());
        let (name, changes) = &mut zones[index];
        chosen.push((name.clone(), vec![changes[pick(changes.len())]]));
    }
    chosen
}

/// What differs around one change.
fn differences(zone: &Arc<Zone>, change: i64, counted: &AtomicU64) -> Vec<String> {
    let change = change.div_euclid(60) * 60;
    let (from, to) = (change - 36 * 3_600, change + 36 * 3_600);
    let scan = Scan::new(zone.tz(), from, to, 12 * 60);
    let mut found = Vec::new();
    for row in &ROWS {
        let expected = scan.fires(&row.wanted());
        let schedule = row.schedule(zone);
        let mut told = |what: &str, ours: &dyn std::fmt::Debug, theirs: &dyn std::fmt::Debug| {
            found.push(format!("{} {:?} around {change}: {what} {ours:?}, not {theirs:?}", zone.name(), row.text));
        };
        let forwards = walk(from - 1, |at| schedule.next(at), |at| at < to);
        if forwards != expected {
            told("forwards", &forwards, &expected);
        }
        let mut backwards = walk(to, |at| schedule.prev(at), |at| at >= from);
        backwards.reverse();
        if backwards != expected {
            told("backwards", &backwards, &expected);
        }
        for step in -150..=150_i64 {
            let at = change + step * 97;
            let next = schedule.next(Timestamp::from_second(at).unwrap()).map(Timestamp::as_second);
            let theirs = expected.iter().copied().find(|fire| *fire > at);
            if next.is_none_or(|next| next <= at) || theirs.is_some_and(|theirs| next != Some(theirs)) {
                told(&format!("after {at}"), &next, &theirs);
            }
            let prev = schedule.prev(Timestamp::from_second(at).unwrap()).map(Timestamp::as_second);
            let theirs = expected.iter().copied().rfind(|fire| *fire < at);
            if prev.is_none_or(|prev| prev >= at) || theirs.is_some_and(|theirs| prev != Some(theirs)) {
                told(&format!("before {at}"), &prev, &theirs);
            }
        }
        counted.fetch_add(2 * expected.len() as u64 + 2 * 301, Ordering::Relaxed);
    }
    found
}

fn walk(start: i64, step: impl Fn(Timestamp) -> Option<Timestamp>, within: impl Fn(i64) -> bool) -> Vec<i64> {
    let mut at = Timestamp::from_second(start).unwrap();
    let mut fires = Vec::new();
    while let Some(fire) = step(at).filter(|fire| within(fire.as_second())) {
        fires.push(fire.as_second());
        at = fire;
    }
    fires
}

#[test]
#[expect(clippy::print_stdout, reason = "make verify keeps the counts")]
fn every_zone_and_change_of_clocks_against_every_minute() {
    let all = std::env::var("CRON_ZONES").is_ok_and(|value| value == "all");
    let work = work(all);
    let (next, counted, problems) = (AtomicUsize::new(0), AtomicU64::new(0), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((name, changes)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let zone = Zone::named(name).unwrap();
                    let found = changes.iter().flat_map(|change| differences(&zone, *change, &counted));
                    problems.lock().unwrap().extend(found);
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    let changes: usize = work.iter().map(|(_, changes)| changes.len()).sum();
    println!("zones: {}", work.len());
    println!("stretches of three days, around each change of clocks (one where there is none): {changes}");
    println!("schedules: {}", ROWS.len());
    println!("answers of next and prev compared: {}", counted.into_inner());
    println!("differences: {}", problems.len());
    assert!(problems.is_empty(), "{}", problems.iter().take(20).cloned().collect::<Vec<_>>().join("\n"));
}
