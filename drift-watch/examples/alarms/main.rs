//! Measures the promise of `drift-watch` by simulation: steps to the first false alarm, delays, fleets of series.
//!
//! `cargo run --release -p drift-watch --example alarms -- --runs 400 --seed 20261123 [--only TEXT] [--quick] [--fleet]`

mod designs;
mod fleet;
mod noise;
mod report;
mod study;

use std::io::Write;

use drift_watch::core::settings::Settings;
use fleet::Fleet;
use study::Plan;

/// Lengths of baselines.
const BASELINES: [usize; 3] = [40, 100, 200];

fn main() -> std::io::Result<()> {
    let quick = flag("--quick");
    let runs = value("--runs").unwrap_or(if quick { 40 } else { 400 });
    let seed = value("--seed").unwrap_or(20_261_123);
    let only = text("--only").unwrap_or_default();
    let promise_steps = Settings::default().promise_steps;
    let plan = Plan { runs, seed, promise_steps, promises: if quick { 1.0 } else { 4.0 } };
    let mut out = std::io::stdout().lock();
    if flag("--fleet") {
        return fleets(&plan, &mut out);
    }
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

/// Fleets, thinned so that they can be repeated, and one whole.
fn fleets(plan: &Plan, out: &mut impl Write) -> std::io::Result<()> {
    let thinned = [(0.0, 0), (0.3, 0), (0.0, 50), (0.3, 50)];
    let thinned = thinned.map(|(common, changed)| (Fleet { series: 500, common, changed }, plan.runs));
    let whole = (Fleet { series: 10_000, common: 0.0, changed: 0 }, plan.runs.div_ceil(100));
    write!(out, "{}", fleet::TABLE)?;
    for ((fleet, runs), index) in thinned.into_iter().chain([whole]).zip(1000..) {
        write!(out, "{}", fleet::measure(&fleet, index, &Plan { runs, ..*plan }))?;
        out.flush()?;
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
