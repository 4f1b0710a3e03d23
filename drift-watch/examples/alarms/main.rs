//! Measures the promise of `drift-watch` by simulation: steps to the first false alarm, delays, fleets of series.
//!
//! `cargo run --release -p drift-watch --example alarms -- --runs 400 --seed 20261123 [--only TEXT] [--quick]`

mod designs;
mod noise;
mod report;
mod study;

use std::io::Write;

use study::Plan;

/// Lengths of baselines.
const BASELINES: [usize; 3] = [40, 100, 200];

fn main() -> std::io::Result<()> {
    let quick = flag("--quick");
    let runs = value("--runs").unwrap_or(if quick { 40 } else { 400 });
    let seed = value("--seed").unwrap_or(20_261_123);
    let only = text("--only").unwrap_or_default();
    let plan = Plan { runs, seed, promises: if quick { 1.0 } else { 4.0 } };
    let mut out = std::io::stdout().lock();
    write!(out, "{}", report::RUN_LENGTHS)?;
    for (index, design) in (0..).zip(designs::all()).filter(|(_, design)| design.name.contains(&only)) {
        for (place, baseline) in (0..).zip(BASELINES) {
            let found = study::study(&design, baseline, (index << 4) | place, &plan);
            write!(out, "{}", found.map_or_else(String::new, |found| report::line(&design, &found)))?;
            out.flush()?;
        }
    }
    Ok(())
}

fn flag(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

fn text(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}

fn value(name: &str) -> Option<u64> {
    text(name)?.parse().ok()
}
