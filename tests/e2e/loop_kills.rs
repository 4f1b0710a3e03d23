//! `kill -9` of any tool at a random moment of a promotion; whoever types the same step again comes to the same end.
//!
//! Half of the kills are drawn by the time that the tools take, half of them fall on each run of a tool alike, since those that write the
//! registry take a hundredth of it. Every other step that was killed is killed again while it is done again. What comes before the first kill is not walked through anew.

mod outcome;
mod round;
mod watched;

use std::collections::BTreeMap;
use std::time::Instant;

use round::{Lane, Round};

/// Rounds, and the seed of the first one.
fn asked() -> (u64, u64) {
    let number = |name: &str, usual| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    (number("LOOP_ROUNDS", 4), number("LOOP_SEED", 1))
}

#[test]
fn a_kill_anywhere_in_the_loop_changes_nothing_of_its_end() {
    let ((rounds, first_seed), started) = (asked(), Instant::now());
    let lane = Lane::new();
    let (mut kills, mut repairs, mut alike) = (BTreeMap::<(String, String), u64>::new(), 0, 0);
    for seed in first_seed..first_seed + rounds {
        let round: Round = lane.round(seed);
        round.kills.iter().for_each(|kill| *kills.entry(kill.clone()).or_default() += 1);
        repairs += round.repairs;
        alike += u64::from(!round.kills.is_empty());
    }
    let total: u64 = kills.values().sum();
    eprintln!(
        "{rounds} rounds, {alike} of them with a kill; {total} kills, {repairs} repairs; {:.0} s",
        started.elapsed().as_secs_f64()
    );
    kills.iter().for_each(|((step, tool), n)| eprintln!("  {step:<9} {tool:<14} {n:>4}"));
    assert!(alike * 2 > rounds, "most tools were still there when their moment came");
}
