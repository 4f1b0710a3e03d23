//! The gate held against itself: the baseline's own windows, split at random into a "candidate" and a "baseline" that are
//! equally good by construction. The share of splits that would have been promoted is the gate's false-positive rate here.

use std::collections::{BTreeSet, HashMap};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use shared::format::verdict::AaCheck;
use shared::stats::clustered::{Cell, Options, Panel, Timeline};

/// Splits that are drawn.
const SPLITS: u32 = 1000;
/// Fewest pairs of windows of which a split can be made.
const FEWEST_PAIRS: usize = 3;

/// Splits the baseline's windows `SPLITS` times and asks whether the half that plays the candidate is better.
///
/// Windows that do not overlap are taken in time order and paired with their neighbour; a coin decides which of a pair plays
/// the candidate, for all series at once, so shocks that series share and differences between series stay as they are.
/// `None` where fewer than three pairs can be made.
pub(super) fn check(cells: &[Cell], timeline: &Timeline, options: Options, alpha: f64, seed: u64) -> Option<AaCheck> {
    let pairs = pair_windows(timeline);
    if pairs.len() < FEWEST_PAIRS {
        return None;
    }
    let halves = halves(cells, &pairs);
    let paired = paired_timeline(timeline, &pairs);
    let promoted =
        (0..SPLITS).into_par_iter().filter(|&split| promotes(&halves, &paired, options, alpha, (seed, split))).count();
    let share = promoted as f64 / f64::from(SPLITS);
    Some(AaCheck { splits: SPLITS, window_pairs: pairs.len() as u64, promoted_share: share, nominal: alpha })
}

/// Neighbours in time order among windows that do not overlap.
fn pair_windows(timeline: &Timeline) -> Vec<(u32, u32)> {
    let mut apart: Vec<u32> = Vec::new();
    let mut free_from = f64::NEG_INFINITY;
    for (index, &position) in (0u32..).zip(&timeline.positions) {
        if position >= free_from {
            apart.push(index);
            free_from = position + timeline.horizon;
        }
    }
    apart.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// One series in one pair of windows: the two losses per unit of weight, and the smaller weight.
struct Half {
    series: u32,
    pair: u32,
    first: f64,
    second: f64,
    weight: f64,
}

fn halves(cells: &[Cell], pairs: &[(u32, u32)]) -> Vec<Half> {
    let known: HashMap<(u32, u32), &Cell> = cells.iter().map(|cell| ((cell.series, cell.cutoff), cell)).collect();
    let series: BTreeSet<u32> = cells.iter().map(|cell| cell.series).collect();
    let every = series.iter().flat_map(|&s| (0u32..).zip(pairs).map(move |(p, &windows)| (s, p, windows)));
    every
        .filter_map(|(series, pair, (a, b))| {
            let (a, b) = (known.get(&(series, a))?, known.get(&(series, b))?);
            let weight = a.weight.min(b.weight);
            Some(Half { series, pair, first: a.baseline / a.weight, second: b.baseline / b.weight, weight })
        })
        .collect()
}

fn paired_timeline(timeline: &Timeline, pairs: &[(u32, u32)]) -> Timeline {
    Timeline {
        positions: pairs.iter().map(|&(first, _)| timeline.positions[first as usize]).collect(),
        horizon: timeline.horizon,
    }
}

fn promotes(halves: &[Half], timeline: &Timeline, options: Options, alpha: f64, draw: (u64, u32)) -> bool {
    let mut random = ChaCha8Rng::seed_from_u64(draw.0);
    random.set_stream(u64::from(draw.1));
    let swapped: Vec<bool> = timeline.positions.iter().map(|_| random.next_u32() & 1 == 1).collect();
    let cells: Vec<Cell> = halves.iter().map(|half| half.cell(swapped[half.pair as usize])).collect();
    Panel::new(&cells, timeline, options).is_ok_and(|panel| panel.difference().test(0.0).p_less <= alpha)
}

impl Half {
    fn cell(&self, swapped: bool) -> Cell {
        let (candidate, baseline) = if swapped { (self.second, self.first) } else { (self.first, self.second) };
        Cell {
            series: self.series,
            cutoff: self.pair,
            candidate: candidate * self.weight,
            baseline: baseline * self.weight,
            weight: self.weight,
        }
    }
}
