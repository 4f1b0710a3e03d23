//! Expressions that nobody thought of, against an oracle that looks at every minute, or every day.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use proptest::prelude::*;
use rebench_cron::schedule::{Dialect, Dst, Expression, Pattern, Schedule, Zone};

use crate::brute::{Scan, Wall, Wanted};

/// A field: how it is written and what it means.
#[derive(Debug, Clone)]
struct Field {
    text: String,
    values: BTreeSet<i8>,
}

impl Field {
    fn starred(&self) -> bool {
        self.text.starts_with('*')
    }
}

fn item(low: i8, high: i8) -> impl Strategy<Value = Field> {
    let value = (low..=high).prop_map(|value| Field { text: value.to_string(), values: [value].into() });
    let range = (low..=high, low..=high, 1..=high).prop_map(|(one, other, step)| {
        let (low, high) = (one.min(other), one.max(other));
        let values = (low..=high).step_by(step.cast_unsigned().into()).collect();
        let text = if step == 1 { format!("{low}-{high}") } else { format!("{low}-{high}/{step}") };
        Field { text, values }
    });
    prop_oneof![value, range]
}

fn list(low: i8, high: i8) -> impl Strategy<Value = Field> {
    prop::collection::vec(item(low, high), 1..4).prop_map(|items| Field {
        text: items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>().join(","),
        values: items.iter().flat_map(|item| item.values.iter().copied()).collect(),
    })
}

fn star(low: i8, high: i8) -> impl Strategy<Value = Field> {
    (1..=high - low).prop_map(move |step| Field {
        text: if step == 1 { "*".to_owned() } else { format!("*/{step}") },
        values: (low..=high).step_by(step.cast_unsigned().into()).collect(),
    })
}

fn all(low: i8, high: i8) -> Field {
    Field { text: "*".to_owned(), values: (low..=high).collect() }
}

fn field(low: i8, high: i8) -> impl Strategy<Value = Field> {
    prop_oneof![2 => list(low, high), 1 => star(low, high), 2 => Just(all(low, high))]
}

/// Minute, hour, day, month, weekday.
#[derive(Debug, Clone)]
struct Cron([Field; 5]);

impl Cron {
    fn text(&self) -> String {
        self.0.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn wild(&self) -> bool {
        self.0[0].starred() || self.0[1].starred()
    }

    fn matches_day(&self, day: i8, month: i8, weekday: i8) -> bool {
        let [_, _, days, months, weekdays] = &self.0;
        let by_day = days.values.contains(&day);
        let by_weekday = weekdays.values.contains(&weekday) || (weekday == 0 && weekdays.values.contains(&7));
        let both = days.starred() || weekdays.starred();
        months.values.contains(&month) && if both { by_day && by_weekday } else { by_day || by_weekday }
    }

    fn matches(&self, at: &Wall) -> bool {
        let [minutes, hours, ..] = &self.0;
        let time = minutes.values.contains(&at.minute) && hours.values.contains(&at.hour);
        time && self.matches_day(at.day, at.month, at.weekday)
    }
}

fn cron() -> impl Strategy<Value = Cron> {
    let months = prop_oneof![3 => Just(all(1, 12)), 1 => list(1, 12)];
    (field(0, 59), field(0, 23), field(1, 31), months, field(0, 7))
        .prop_map(|(minute, hour, day, month, weekday)| Cron([minute, hour, day, month, weekday]))
}

fn zone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Antarctica/Troll",
        "Antarctica/Casey",
        "America/Santiago",
        "Africa/Cairo",
        "Asia/Kathmandu",
        "Pacific/Auckland",
        "Pacific/Apia",
    ])
}

fn dst() -> impl Strategy<Value = Dst> {
    prop::sample::select(vec![Dst::Vixie, Dst::Vixie, Dst::Skip, Dst::Later, Dst::Instant])
}

/// A second of 2011 to 2037, half of the time shortly before a change of the clocks.
fn start(zone: &str, at: i64, near: bool) -> i64 {
    let tz = jiff::tz::db().get(zone).unwrap();
    let change = near.then(|| tz.following(Timestamp::from_second(at).unwrap()).next()).flatten();
    change.map_or(at, |change| change.timestamp().as_second() - at.rem_euclid(2 * 86_400))
}

fn second() -> impl Strategy<Value = i64> {
    1_300_000_000..2_140_000_000_i64
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn three_days_are_as_every_minute_says(cron in cron(), name in zone(), dst in dst(), second in second(), near: bool) {
        let Ok(pattern) = Pattern::parse(&cron.text(), Dialect::Cron, None) else {
            // Only dates that never come are refused.
            prop_assert!(!(1..=12).any(|month| (1..=28).any(|day| (0..7).any(|weekday| cron.matches_day(day, month, weekday)))));
            return Ok(());
        };
        let zone = Zone::named(name).unwrap();
        let start = start(name, second, near).div_euclid(60) * 60;
        let end = start + 3 * 86_400;
        let schedule = Schedule::new(pattern, Arc::clone(&zone), dst);
        let ours: Vec<i64> = schedule.fires(at(start - 1)).map(Timestamp::as_second).take_while(|fire| *fire < end).collect();
        let minute = |wall: &Wall| cron.matches(wall);
        let theirs = Scan::new(zone.tz(), start, end, 27 * 60).fires(&Wanted { minute: &minute, seconds: &[0], dst, wild: cron.wild() });
        prop_assert_eq!(&ours, &theirs, "{} {} {:?}", cron.text(), name, dst);
        for pair in ours.windows(2) {
            prop_assert_eq!(schedule.prev(at(pair[1])), Some(at(pair[0])));
        }
    }

    #[test]
    fn next_is_later_and_prev_of_it_is_not(cron in cron(), name in zone(), dst in dst(), second in second(), nanosecond in 0..1_000_000_000_i32, near: bool) {
        let Ok(pattern) = Pattern::parse(&cron.text(), Dialect::Cron, None) else { return Ok(()) };
        let schedule = Schedule::new(pattern, Zone::named(name).unwrap(), dst);
        let start = Timestamp::new(start(name, second, near), nanosecond).unwrap();
        let next = schedule.next(start).unwrap();
        prop_assert!(next > start);
        let before = schedule.prev(next).unwrap();
        prop_assert!(before <= start, "{} {name}: {before} is between {start} and {next}", cron.text());
        prop_assert_eq!(schedule.next(before), Some(next));
        prop_assert_eq!(schedule.prev(schedule.next(next).unwrap()), Some(next));
    }

    #[test]
    fn special_days_are_as_every_day_of_four_years_says(special in special(), year in 1996..2105_i16) {
        let text = format!("0 0 {} * {}", special.day, special.weekday);
        let pattern = Pattern::parse(&text, Dialect::Cron, None).unwrap();
        let schedule = Schedule::new(pattern, Zone::utc(), Dst::Vixie);
        let first = jiff::civil::date(year, 1, 1);
        let midnight = |date: Date| date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        let days: Vec<Date> = (0..4 * 365).map(|day| first + jiff::Span::new().days(day)).collect();
        let theirs: Vec<Timestamp> = days.iter().filter(|date| special.matches(**date)).map(|date| midnight(*date)).collect();
        let end = midnight(*days.last().unwrap());
        let before = midnight(first) - jiff::SignedDuration::from_secs(1);
        let ours: Vec<Timestamp> = schedule.fires(before).take_while(|at| *at <= end).collect();
        prop_assert_eq!(&ours, &theirs, "{}", text);
        let mut backwards: Vec<Timestamp> = std::iter::successors(schedule.prev(end + jiff::SignedDuration::from_secs(1)), |at| schedule.prev(*at))
            .take_while(|at| *at > before)
            .collect();
        backwards.reverse();
        prop_assert_eq!(backwards, theirs, "{} backwards", text);
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_column(text in "[-0-9*?/,LWH#@A-Za-z.:~() \u{e9}]{0,40}", dialect in prop::sample::select(vec![
        Dialect::Cron, Dialect::CronSeconds, Dialect::Quartz, Dialect::OnCalendar,
    ]), hashed: bool) {
        match Expression::parse(&text, dialect, hashed.then_some("job")) {
            Ok(expression) => {
                let schedule = Schedule::new(expression.pattern, Zone::utc(), dialect.dst());
                let start = at(1_800_000_000);
                prop_assert!(schedule.next(start).is_none_or(|next| next > start));
                prop_assert!(schedule.prev(start).is_none_or(|prev| prev < start));
            }
            Err(fault) => prop_assert!((1..=text.chars().count() + 1).contains(&fault.column), "{fault}"),
        }
    }

    #[test]
    fn every_period_is_kept(seconds in 1..10_000_000_u32, second in second()) {
        let pattern = Pattern::parse(&format!("@every {seconds}s"), Dialect::Cron, None).unwrap();
        let schedule = Schedule::new(pattern, Zone::named("Europe/Berlin").unwrap(), Dst::Vixie);
        let next = schedule.next(at(second)).unwrap();
        prop_assert!(next > at(second));
        prop_assert_eq!(next.as_second() % i64::from(seconds), 0);
        prop_assert!(next.as_second() - second <= i64::from(seconds));
        prop_assert_eq!(schedule.prev(next).unwrap().as_second(), next.as_second() - i64::from(seconds));
    }
}

/// A day field of the special kinds, and what it means.
#[derive(Debug, Clone)]
struct Special {
    day: String,
    weekday: String,
    meaning: Meaning,
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    FromEnd(i8),
    Nearest(i8),
    NearestFromEnd(i8),
    Nth(i8, i8),
    Last(i8),
}

fn special() -> impl Strategy<Value = Special> {
    let day = |day: String, meaning| Special { day, weekday: "*".to_owned(), meaning };
    let weekday = |weekday: String, meaning| Special { day: "*".to_owned(), weekday, meaning };
    prop_oneof![
        (0..=30_i8).prop_map(move |days| day(
            if days == 0 { "L".to_owned() } else { format!("L-{days}") },
            Meaning::FromEnd(days)
        )),
        (1..=31_i8).prop_map(move |number| day(format!("{number}W"), Meaning::Nearest(number))),
        (0..=27_i8).prop_map(move |days| day(
            if days == 0 { "LW".to_owned() } else { format!("L-{days}W") },
            Meaning::NearestFromEnd(days)
        )),
        (0..=6_i8, 1..=5_i8).prop_map(move |(day, week)| weekday(format!("{day}#{week}"), Meaning::Nth(day, week))),
        (0..=6_i8).prop_map(move |day| weekday(format!("{day}L"), Meaning::Last(day))),
    ]
}

impl Special {
    fn matches(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset();
        let length = date.days_in_month();
        match self.meaning {
            Meaning::FromEnd(days) => date.day() == length - days,
            Meaning::Nearest(day) => day <= length && nearest(date.first_of_month(), day) == date,
            Meaning::NearestFromEnd(days) => nearest(date.first_of_month(), length - days) == date,
            Meaning::Nth(day, week) => weekday == day && (date.day() - 1) / 7 + 1 == week,
            Meaning::Last(day) => weekday == day && date.day() + 7 > length,
        }
    }
}

/// The working day of the month with the smallest distance to `day`.
fn nearest(month: Date, day: i8) -> Date {
    let wanted = month + jiff::Span::new().days(day - 1);
    let days = (0..month.days_in_month()).map(|after| month + jiff::Span::new().days(after));
    let working = days.filter(|date| (1..=5).contains(&date.weekday().to_monday_one_offset()));
    working.min_by_key(|date| date.since(wanted).unwrap().get_days().abs()).unwrap()
}
