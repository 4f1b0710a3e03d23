//! The crate croner, where it means the same; and where it does not.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rebench_cron::schedule::{Dialect, Pattern, Schedule, Zone};

/// Fires compared for each expression.
const FIRES: usize = 12;
const EXPRESSIONS: usize = 300;

/// Expressions that both read alike. Left out: `*/n` in one day field beside values in the other (a star for us, as for Vixie;
/// not for croner), what falls into a gap in lists (once, or not at all), `n/step`, `@every`, H.
fn theirs(text: &str) -> Option<Cron> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(text).ok()
}

fn ours(text: &str, zone: &str) -> Schedule {
    let pattern = Pattern::parse(text, Dialect::Cron, None).unwrap();
    Schedule::new(pattern, Zone::named(zone).unwrap(), Dialect::Cron.dst())
}

fn compare(text: &str, zone: &str, start: &str) -> Result<(), String> {
    let tz = TimeZone::get(zone).unwrap();
    let start: Timestamp = start.parse().unwrap();
    let ours: Vec<Zoned> = ours(text, zone).fires(start).take(FIRES).map(|at| at.to_zoned(tz.clone())).collect();
    let cron = theirs(text).ok_or_else(|| format!("{text}: croner does not read it"))?;
    let theirs: Vec<Zoned> = cron.iter_after(start.to_zoned(tz)).take(FIRES).collect();
    if ours == theirs { Ok(()) } else { Err(format!("{text} {zone}: {ours:?}, croner {theirs:?}")) }
}

#[test]
fn it_agrees_on_what_both_mean() {
    for text in [
        "* * * * *",
        "7 * * * *",
        "0 6 * * 1",
        "0,30 9-17 * * 1-5",
        "0 0 31 * *",
        "0 0 29 2 *",
        "0 0 1,15 * 1",
        "0 0 L * *",
        "0 0 15W * *",
        "0 0 LW * *",
        "0 0 * * 5L",
        "0 0 * * MON#2",
        "0 0 * * 5#5",
        "0 3 1 */3 *",
        "30 2 1-7 6,12 0",
        "0 12 * * 0,6",
    ] {
        compare(text, "UTC", "2026-01-01T00:00:00Z").unwrap();
    }
    for (text, start) in [
        ("30 2 * * *", "2026-03-27T12:00:00Z"),
        ("30 1 * * *", "2026-10-24T12:00:00Z"),
        ("*/30 * * * *", "2026-10-24T22:00:00Z"),
        ("0 6 * * 1", "2026-03-20T00:00:00Z"),
    ] {
        compare(text, "Europe/Berlin", start).unwrap();
    }
}

#[test]
fn it_agrees_on_random_expressions_in_utc() {
    let mut generator = ChaCha8Rng::seed_from_u64(20_261_125);
    let mut pick = |most: u64| generator.next_u64() % most;
    let mut compared = 0;
    while compared < EXPRESSIONS {
        let mut field = |low: u64, high: u64, step: bool| match pick(5) {
            0 | 1 => "*".to_owned(),
            2 if step => format!("*/{}", 2 + pick(high - low - 1)),
            3 => (low + pick(high - low + 1)).to_string(),
            _ => {
                let first = low + pick(high - low);
                format!("{first}-{}", first + 1 + pick(high - first))
            }
        };
        let text =
            [field(0, 59, true), field(0, 23, true), field(1, 28, false), field(1, 12, true), field(0, 6, false)]
                .join(" ");
        compare(&text, "UTC", "2027-02-03T04:05:06Z").unwrap();
        compared += 1;
    }
}

/// If one of these fails, croner has come to our meaning: take it off the list.
#[test]
fn it_differs_where_it_is_known_to() {
    for (text, zone, start) in [
        // A star with a step is a star in Vixie's day rule.
        ("0 0 */2 * 1", "UTC", "2026-01-01T00:00:00Z"),
        // Several times in a gap are one fire for us.
        ("15,45 2 * * *", "America/New_York", "2026-03-07T12:00:00Z"),
    ] {
        compare(text, zone, start).unwrap_err();
    }
}
