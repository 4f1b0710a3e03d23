//! The ends of time, far futures, and days that a zone never had.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rebench_cron::schedule::{Dialect, Dst, Pattern, Schedule, Zone};

fn schedule(text: &str, zone: &str, dst: Dst) -> Schedule {
    Schedule::new(Pattern::parse(text, Dialect::Cron, None).unwrap(), Zone::named(zone).unwrap(), dst)
}

fn local(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    let fires = schedule.fires(after.parse().unwrap()).take(count);
    fires.map(|at| at.to_zoned(schedule.zone().tz().clone()).strftime("%Y-%m-%dT%H:%M%:z").to_string()).collect()
}

#[test]
fn time_ends_without_a_fall() {
    for zone in ["UTC", "Europe/Berlin", "Pacific/Apia", "America/Adak"] {
        for text in ["* * * * *", "0 6 * * 1", "0 0 29 2 *", "@every 7h"] {
            for dst in [Dst::Vixie, Dst::Skip, Dst::Later, Dst::Instant] {
                let schedule = schedule(text, zone, dst);
                assert_eq!(schedule.next(Timestamp::MAX), None, "{text} {zone}");
                assert_eq!(schedule.prev(Timestamp::MIN), None, "{text} {zone}");
                assert!(schedule.next(Timestamp::MIN).unwrap() > Timestamp::MIN);
                assert!(schedule.prev(Timestamp::MAX).unwrap() < Timestamp::MAX);
            }
        }
    }
}

#[test]
fn clocks_are_changed_in_the_far_future_too() {
    // The rule of the European Union: the last Sunday of March, at 01:00 UTC. In 5000 that is 30 March.
    let berlin = schedule("30 2 * * *", "Europe/Berlin", Dst::Vixie);
    let fires = ["5000-03-29T02:30+01:00", "5000-03-30T03:00+02:00", "5000-03-31T02:30+02:00"];
    assert_eq!(local(&berlin, "5000-03-28T12:00:00Z", 3), fires);
}

#[test]
fn a_day_that_a_zone_never_had_is_not_made_up_for() {
    // Samoa went from 29 to 31 December 2011.
    for dst in [Dst::Vixie, Dst::Skip, Dst::Later, Dst::Instant] {
        let apia = schedule("0 12 30 * *", "Pacific/Apia", dst);
        assert_eq!(local(&apia, "2011-12-01T00:00:00Z", 2), ["2012-01-30T12:00+14:00", "2012-03-30T12:00+14:00"]);
    }
}

#[test]
fn a_fixed_zone_does_as_well() {
    let zone = Zone::of("-03:30", &TimeZone::fixed(jiff::tz::Offset::from_seconds(-12_600).unwrap()));
    let pattern = Pattern::parse("0 6 * * *", Dialect::Cron, None).unwrap();
    let next = Schedule::new(pattern, zone, Dst::Vixie).next("2026-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(next, Some("2026-01-01T09:30:00Z".parse().unwrap()));
}

#[test]
fn rare_dates_are_found_over_decades() {
    // 2100 is no leap year. 29 February is a fifth Monday in 2044, 2072 and 2112.
    let rare = schedule("0 0 29 2 ?", "UTC", Dst::Vixie);
    assert_eq!(local(&rare, "2096-03-01T00:00:00Z", 1), ["2104-02-29T00:00+00:00"]);
    let fifth = schedule("0 0 * 2 1#5", "Europe/Berlin", Dst::Vixie);
    assert_eq!(local(&fifth, "2072-03-01T00:00:00Z", 1), ["2112-02-29T00:00+01:00"]);
}
