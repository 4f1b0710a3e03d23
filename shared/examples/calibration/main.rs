//! Measures the test of `shared::stats::clustered` by simulation: false promotion, power beside other tests, coverage.
//!
//! `cargo run --release -p shared --example calibration -- --runs 20000 --seed 20261123 [--only TEXT] [--beyond]`

mod designs;
mod noise;
mod report;
mod rivals;
mod study;

use std::io::Write;

use designs::Design;
use study::{Counts, study};

fn main() -> std::io::Result<()> {
    let runs = value("--runs").and_then(|runs| u32::try_from(runs).ok()).unwrap_or(2000);
    let seed = value("--seed").unwrap_or(20_261_123);
    let all = if flag("--beyond") { designs::beyond() } else { designs::listed() };
    let only = text("--only").unwrap_or_default();
    let chosen = (0..).zip(all).filter(|(_, design)| design.name.contains(&only));
    let results: Vec<(Design, Counts)> = chosen
        .map(|(index, design)| {
            let counts = study(&design, index, runs, seed);
            (design, counts)
        })
        .collect();
    let heading = format!("{runs} runs a design, seed {seed}; all rates in per cent; W = independent windows.\n\n");
    std::io::stdout().lock().write_all((heading + &report::tables(&results)).as_bytes())
}

fn flag(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

fn text(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

fn value(name: &str) -> Option<u64> {
    text(name)?.parse().ok()
}
