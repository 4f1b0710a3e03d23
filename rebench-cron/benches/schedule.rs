//! Nanoseconds of processor time for the next fire and for reading an expression, on one core: the median of seven passes;
//! memory of 100,000 schedules.
//!
//! `cargo bench -p rebench-cron --bench schedule`
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]

use std::fs;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use jiff::Timestamp;
use rebench_cron::schedule::{Dialect, Pattern, Schedule, Zone};

/// Questions in a pass: the processor's time is told in steps of some milliseconds.
const QUESTIONS: u32 = 2_000_000;
const SCHEDULES: usize = 100_000;

fn main() {
    println!("| what | expression | zone | ns |\n| --- | --- | --- | ---: |");
    let (utc, berlin) = (Zone::utc(), Zone::named("Europe/Berlin").unwrap());
    for (what, text, zone) in [
        ("every minute", "* * * * *", &utc),
        ("weekly", "0 6 * * 1", &utc),
        ("weekly", "0 6 * * 1", &berlin),
        ("monthly", "0 3 1 * *", &berlin),
        ("29 February", "0 0 29 2 *", &berlin),
        ("last working day", "0 3 LW * *", &berlin),
    ] {
        let pattern = Pattern::parse(text, Dialect::Cron, None).unwrap();
        let schedule = Schedule::new(pattern, Arc::clone(zone), Dialect::Cron.dst());
        println!(
            "| next, {what}, one after the other | `{text}` | {} | {:.0} |",
            zone.name(),
            median(|| in_order(&schedule))
        );
        println!(
            "| next, {what}, anywhere in 2026 | `{text}` | {} | {:.0} |",
            zone.name(),
            median(|| anywhere(&schedule))
        );
    }
    for (dialect, text) in [
        (Dialect::Cron, "0 6 * * 1"),
        (Dialect::Cron, "0,30 9-17 1-7 JAN-JUN MON-FRI"),
        (Dialect::Quartz, "0 15 10 ? * 6#3 2027-2030"),
        (Dialect::OnCalendar, "Mon..Fri *-*-01..07 04:00"),
    ] {
        println!("| parse | `{text}` | {} | {:.0} |", dialect.name(), median(|| parse(text, dialect)));
    }
    memory(&berlin);
}

/// Fires one after the other, from 2026 on, begun anew after 40 years.
fn in_order(schedule: &Schedule) -> u32 {
    let first: Timestamp = black_box("2026-01-01T00:00:00Z").parse().unwrap();
    let end: Timestamp = "2066-01-01T00:00:00Z".parse().unwrap();
    let mut at = first;
    for _ in 0..QUESTIONS {
        at = schedule.next(at).filter(|at| *at < end).unwrap_or(first);
    }
    black_box(at);
    QUESTIONS
}

/// Starts spread over a year.
fn anywhere(schedule: &Schedule) -> u32 {
    let start: Timestamp = black_box("2026-01-01T00:00:00Z").parse().unwrap();
    for n in 0..QUESTIONS {
        let after = Timestamp::from_second(start.as_second() + i64::from(n) * 7_919 % 31_536_000).unwrap();
        black_box(schedule.next(after));
    }
    QUESTIONS
}

fn parse(text: &str, dialect: Dialect) -> u32 {
    for _ in 0..QUESTIONS {
        black_box(Pattern::parse(black_box(text), dialect, None).unwrap());
    }
    QUESTIONS
}

fn median(pass: impl Fn() -> u32) -> f64 {
    let mut passes: Vec<f64> = (0..7)
        .map(|_| {
            let start = seconds();
            let count = pass();
            (seconds() - start) * 1e9 / f64::from(count)
        })
        .collect();
    passes.sort_by(f64::total_cmp);
    passes[3]
}

fn memory(zone: &Arc<Zone>) {
    let before = resident_bytes();
    let start = seconds();
    let mut schedules = Vec::with_capacity(SCHEDULES);
    for n in 0..SCHEDULES {
        let text = format!("{} {} * * {}", n % 60, n / 60 % 24, n % 7);
        let pattern = Pattern::parse(&text, Dialect::Cron, None).unwrap();
        schedules.push(Schedule::new(pattern, Arc::clone(zone), Dialect::Cron.dst()));
    }
    let taken = seconds() - start;
    let each = (resident_bytes() - before) / SCHEDULES as f64;
    println!("\n{SCHEDULES} schedules: {each:.0} bytes each (resident), read in {taken:.3} s");
    black_box(schedules);
}

fn resident_bytes() -> f64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(f64::NAN) * 4_096.0
}

/// Time on the processor, so that other processes do not count; time on the wall where the system does not tell.
fn seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |count| count * 1e-9)
}
