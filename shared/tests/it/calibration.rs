//! A few hundred runs of every listed design, and of some beyond the list: false promotion, coverage and power keep their bounds.
//!
//! A bound is missed only where a test that just meets it would miss it in fewer than one of ten thousand such studies. The full
//! study is `cargo run --release -p shared --example calibration`, its output `docs/verify/calibration.md`.

#[path = "../../examples/calibration/designs.rs"]
mod designs;
#[path = "../../examples/calibration/noise.rs"]
mod noise;
#[path = "../../examples/calibration/rivals.rs"]
mod rivals;
#[path = "../../examples/calibration/study.rs"]
mod study;

use designs::{Design, Losses, Shape};
use noise::Tails;
use statrs::distribution::{Binomial, DiscreteCDF};
use study::{Counts, study};

const RUNS: u32 = 400;
const SEED: u64 = 20_261_123;
const RARE: f64 = 1e-4;

/// Most successes that a rate of `rate` plausibly gives.
fn at_most(rate: f64, runs: u32) -> u32 {
    let rarely = |binomial: Binomial| (0..runs).find(|&k| binomial.sf(u64::from(k)) < RARE);
    Binomial::new(rate, u64::from(runs)).ok().and_then(rarely).unwrap_or(runs)
}

/// Fewest successes that a rate of `rate` plausibly gives.
fn at_least(rate: f64, runs: u32) -> u32 {
    runs - at_most(1.0 - rate, runs)
}

fn check(design: &Design, counts: &Counts) {
    let name = &design.name;
    let ours = counts.ours;
    assert!(ours.false_promotions <= at_most(0.06, RUNS), "{name}: {} of {RUNS} promoted", ours.false_promotions);
    let decided = RUNS - ours.undecided;
    assert!(decided == 0 || decided == RUNS, "{name}: decidability does not depend on the losses");
    if decided > 0 {
        assert!(ours.covered >= at_least(0.93, RUNS), "{name}: {} of {RUNS} covered", ours.covered);
        assert!(ours.covered <= at_most(0.99, RUNS), "{name}: {} of {RUNS} covered", ours.covered);
    }
}

#[test]
fn listed_designs_keep_rate_coverage_and_power() {
    for (index, design) in designs::listed().iter().enumerate() {
        let counts = study(design, index as u64, RUNS, SEED);
        check(design, &counts);
        let wanted = if design.cutoffs >= 60 { 0.8 } else { 0.7 };
        if design.step >= design.horizon {
            assert!(counts.ours.found >= at_least(wanted, RUNS), "{}: {} of {RUNS}", design.name, counts.ours.found);
        }
        assert_eq!(counts.ours.undecided > 0, design.windows() < 3.0, "{}", design.name);
    }
}

#[test]
fn pooled_rows_fail_the_same_check() {
    let shocked = designs::listed().into_iter().find(|design| design.common > 0.0).unwrap();
    assert!(study(&shocked, 0, RUNS, SEED).pooled > at_most(0.06, RUNS));
}

/// Incomplete panels, unequal weights, heavy tails, unequal scales and ratios of skewed losses.
#[test]
fn designs_beyond_the_list_keep_the_rate() {
    let unusual = |design: &Design| {
        design.shape != Shape::Complete
            || design.losses == Losses::Skewed
            || design.tails != Tails::Normal
            || design.scale_sd > 0.0
    };
    for (index, design) in designs::beyond().iter().enumerate().filter(|(_, design)| unusual(design)) {
        check(design, &study(design, 1000 + index as u64, RUNS, SEED));
    }
}
