//! `kill -9` at any moment: while records are appended, files rotate, posts and deliveries are under way, while it starts, while it ends. The
//! state is then that of an undisturbed run to the byte, and each alert has been told once.
//!
//! Deliveries may be repeated, with the same key and the same body. Posts that were not answered are sent again; the undisturbed run is given
//! those twice that were durable all the same. The rows of a file that is copied and emptied may be read twice (`source::tailer`), which
//! shows in the counts of duplicates alone: rounds with such rotations compare these apart.

mod files;
mod hook;
mod round;
mod stream;

use std::time::Instant;

use round::{Figures, Round};

/// Kills of a round, over all of which they are spread, at the most.
const ROUND_KILLS: u64 = 30;

/// Kills of a run, and the seed of its first round.
fn asked() -> (u64, u64) {
    let number = |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    (number("CRASH_ROUNDS", 20), number("CRASH_SEED", 1))
}

#[test]
fn kills_lose_nothing_and_repeat_nothing() {
    let (kills, first_seed) = asked();
    let (start, mut total) = (Instant::now(), Figures::default());
    // Rotations by copy take turns with those by name.
    let round_kills = kills.div_ceil(2).min(ROUND_KILLS);
    for seed in first_seed.. {
        if total.kills() >= kills {
            break;
        }
        total.add(&Round::new(seed, round_kills.min(kills - total.kills())).run());
    }
    eprintln!("{total}; {:.0} s", start.elapsed().as_secs_f64());
    assert!(total.transitions > 0 && total.rotations > 0 && total.posts > 0);
}
