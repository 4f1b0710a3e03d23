//! 1,000 jobs that are due in the same second: from due to queued, and from there to the start of the command; 100,000 jobs: start and memory.
//!
//! `cargo bench -p rebench-cron --bench daemon`; `JOBS=10000` has fewer jobs at the start.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]

#[path = "../tests/it/due/mod.rs"]
mod due;

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use due::{daemon, jobs, percentile, times};

/// Slots of one second.
const SLOTS: usize = 1_000;

/// Runs at a time.
const MOST_RUNS: usize = 4;

/// What is required of the 99th percentile from due to queued, in milliseconds.
const REQUIRED: f64 = 20.0;

fn main() {
    println!(
        "| {SLOTS} slots of one second, {MOST_RUNS} runs at a time | p50 ms | p99 ms | max ms |\n| --- | ---: | ---: | ---: |"
    );
    let mut times = times(SLOTS, MOST_RUNS);
    line("due to queued", &mut times.queued);
    percentile(&mut times.started, 100);
    line("queued to started, with a place at once", &mut times.started[..MOST_RUNS]);
    line("queued to started, all, each after those before it", &mut times.started);
    let p99 = percentile(&mut times.queued, 99) * 1e3;
    start(std::env::var("JOBS").map_or(100_000, |text| text.parse().unwrap()));
    assert!(p99 < REQUIRED, "{p99:.1} ms from due to queued, {REQUIRED} are required");
}

fn line(what: &str, seconds: &mut [f64]) {
    let [p50, p99, most] = [50, 99, 100].map(|percent| percentile(seconds, percent) * 1e3);
    println!("| {what} | {p50:.1} | {p99:.1} | {most:.1} |");
}

/// Starts a daemon with jobs that are not due, in an empty folder and in one that knows them.
fn start(count: usize) {
    let text = jobs(count, |number| format!("0 {} {} {} 1 *", number % 60, number / 60 % 24, 1 + number % 28));
    let folder = tempfile::tempdir().unwrap();
    for what in ["first start", "next start"] {
        let (before, begun) = (resident_bytes(), Instant::now());
        let daemon = daemon(folder.path(), &text, MOST_RUNS);
        let seconds = begun.elapsed().as_secs_f64();
        println!("{count} jobs, {what}: {seconds:.1} s, {:.0} MB more resident", (resident_bytes() - before) / 1e6);
        black_box(daemon);
    }
}

fn resident_bytes() -> f64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(f64::NAN) * 4_096.0
}
