//! How many joined pairs a second the engine takes from memory, on one core, and how much memory a million series need.
//!
//! `cargo bench -p drift-watch --bench engine [-- pairs|memory [STEPS]]`; processor time of the thread, median of five.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark talks and may stop")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Instant;

use drift_watch::core::engine::Engine;
use drift_watch::core::settings::Settings;
use jiff::Timestamp;
use shared::format::live::{Actual, Prediction};

const DAY: i64 = 86_400;
const START: i64 = 1_700_000_000 / DAY * DAY;

fn main() {
    if let Some(path) = std::env::var_os(RELOAD) {
        return reload(path.as_ref());
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    if runs("pairs") {
        let mut rates: Vec<f64> = (0..5).map(|_| pairs(1_000, 500)).collect();
        rates.sort_by(f64::total_cmp);
        println!("joined pairs a second, 1,000 series, horizons 1 and 2, all detectors: {:.0} (median of 5)", rates[2]);
    }
    if runs("memory") {
        let retain_steps = wanted.iter().find_map(|word| word.parse().ok()).unwrap_or(1);
        [&[1][..], &[1, 2]].into_iter().for_each(|horizons| memory(1_000_000, horizons, retain_steps));
    }
}

/// A year of daily records; the rate of pairs, by the clock of this thread's work.
fn pairs(series: u32, days: i64) -> f64 {
    let names: Vec<String> = (0..series).map(|number| format!("store_{number:06}")).collect();
    let settings = Settings { warm_up: Some(40 * DAY * 1_000_000), retain_steps: 60, ..Settings::default() };
    let mut engine = Engine::new(settings, BTreeMap::new());
    let start = busy();
    (0..days).for_each(|day| feed(&mut engine, &names, &[1, 2], day));
    let seconds = busy() - start;
    let pairs: u64 = engine.boards.iter().map(|board| board.n_closed).sum::<u64>() * 2 * u64::from(series);
    assert!(engine.boards[0].is_watched());
    pairs as f64 / seconds
}

/// Seconds that this thread has had a processor; by the clock on the wall where the system does not say.
fn busy() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split_whitespace().next().and_then(|text| text.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// A day: forecasts so many days ahead, then the actuals.
fn feed(engine: &mut Engine, names: &[String], horizons: &[u32], day: i64) {
    let time = |days: i64, hours: i64| Timestamp::from_second(START + days * DAY + hours * 3600).unwrap();
    for (name, number) in names.iter().zip(0u32..) {
        for &horizon in horizons {
            let target = day + i64::from(horizon);
            let y_hat = 100.0 + noise(number, target, horizon);
            engine.prediction(&Prediction {
                model: "m".into(),
                version: "1".into(),
                series: name.as_str().into(),
                issued_at: time(day, 2),
                target_time: time(target, 0),
                horizon: Some(horizon),
                y_hat,
                interval: Some((y_hat - 4.0, y_hat + 4.0)),
                level: None,
                segments: Vec::new(),
            });
        }
    }
    for (name, number) in names.iter().zip(0u32..) {
        let y = 100.0 + noise(number, day, 0);
        let (target_time, observed_at) = (time(day, 0), time(day + 1, 1));
        engine.actual(&Actual { series: name.as_str().into(), target_time, y, observed_at, revision: None });
    }
}

/// About normal, with a standard deviation of 2.
fn noise(series: u32, day: i64, salt: u32) -> f64 {
    let mut bits = (u64::from(series) << 32) ^ day.cast_unsigned() ^ (u64::from(salt) << 56);
    let mut sum = 0.0;
    for _ in 0..4 {
        bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = bits;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        sum += ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    }
    (sum - 2.0) * 3.46
}

/// A million series with detectors of four scores on these horizons, and the pairs of so many decided steps, which restatements can change; what the
/// process has resident then.
fn memory(series: u32, horizons: &[u32], retain_steps: usize) {
    let names: Vec<String> = (0..series).map(|number| format!("s{number:06}")).collect();
    let before = resident();
    let settings = Settings {
        warm_up: Some(8 * DAY * 1_000_000),
        min_steps: 8,
        retain_steps,
        window_steps: 8,
        ..Settings::default()
    };
    let mut engine = Engine::new(settings, BTreeMap::new());
    let start = Instant::now();
    (0..24).for_each(|day| feed(&mut engine, &names, horizons, day));
    assert!(engine.boards[0].is_watched());
    let used = resident().saturating_sub(before);
    let saved = tempfile::NamedTempFile::new().unwrap();
    postcard::to_io(&engine, BufWriter::new(saved.as_file())).unwrap();
    println!(
        "{series} series, horizons {horizons:?}, 24 days, pairs of {retain_steps} steps kept: {:.0} MiB resident ({:.0} bytes a series), {:.1} s",
        used as f64 / f64::from(1 << 20),
        used as f64 / f64::from(series),
        start.elapsed().as_secs_f64()
    );
    drop(engine);
    Command::new(std::env::current_exe().unwrap()).env(RELOAD, saved.path()).status().unwrap();
}

/// Tells a second process to load the state that the first has saved.
const RELOAD: &str = "ENGINE_BENCH_RELOAD";

/// Loads a state, as a daemon does that starts again: what the heap has kept of the warm-up is not there.
fn reload(path: &Path) {
    let before = resident();
    let file = BufReader::new(File::open(path).unwrap());
    let (engine, _): (Engine, _) = postcard::from_io((file, &mut vec![0; 1 << 16])).unwrap();
    let (used, series) = (resident().saturating_sub(before) as f64, engine.names.len() as f64);
    println!(
        "the same, started again: {:.0} MiB resident ({:.0} bytes a series)",
        used / f64::from(1 << 20),
        used / series
    );
}

/// Resident memory of this process, in bytes; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}
