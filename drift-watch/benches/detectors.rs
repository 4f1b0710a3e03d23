//! Values a second of processor time of each classic detector, on one core and from memory: the median of five passes.
//!
//! `cargo bench -p drift-watch --bench detectors`
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]

use std::fs;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::Instant;

use drift_watch::core::detector::classic::{Classic, Signal};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const VALUES: usize = 4_000_000;
/// Times that a pass goes over them.
const ROUNDS: u32 = 4;

fn main() {
    let mut generator = ChaCha8Rng::seed_from_u64(20_261_123);
    let uniform: Vec<f64> = (0..VALUES).map(|_| (generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).collect();
    // The mean moves every 100,000 values, so that the windows of ADWIN are also cut.
    let moving: Vec<f64> = uniform.iter().enumerate().map(|(row, x)| x + (row / 100_000 % 2) as f64).collect();
    let centred: Vec<f64> = uniform.iter().map(|x| x - 0.5).collect();
    let misses: Vec<f64> = uniform.iter().map(|x| f64::from(u8::from(*x < 0.3))).collect();
    println!("| detector | values | values/s | drifts |\n| --- | --- | ---: | ---: |");
    for (text, kind, values) in [
        ("adwin", "no change", &uniform),
        ("adwin", "a change every 100,000", &moving),
        ("page-hinkley", "no change", &uniform),
        ("page-hinkley", "a change every 100,000", &moving),
        ("cusum", "no change", &centred),
        ("ddm", "misses at 0.3", &misses),
    ] {
        let mut passes: Vec<(f64, usize)> = (0..5).map(|_| pass(text, values)).collect();
        passes.sort_by(|left, right| left.0.total_cmp(&right.0));
        println!("| {text} | {kind} | {:.1} M | {} |", passes[2].0 / 1e6, passes[2].1);
    }
}

fn pass(text: &str, values: &[f64]) -> (f64, usize) {
    let mut detector: Classic = black_box(text).parse().unwrap();
    let start = seconds();
    let mut drifts = 0;
    for _ in 0..ROUNDS {
        drifts = values.iter().filter(|&&x| detector.update(x) == Signal::Drift).count();
    }
    let taken = seconds() - start;
    black_box(&detector);
    (f64::from(ROUNDS) * values.len() as f64 / taken, drifts)
}

/// Time on the processor, so that other processes do not count; time on the wall where the system does not tell.
fn seconds() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |count| count * 1e-9)
}
