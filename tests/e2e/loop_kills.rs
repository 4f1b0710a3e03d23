//! `kill -9` of any tool at a random moment of a promotion; whoever types the same step again comes to the same end.
//!
//! Half of the kills are drawn by the time that the tools take, half of them fall on each run of a tool alike, since those that write the
//! registry take a hundredth of it. Every other step that was killed is killed again while it is done again. What comes before the first kill is not walked through anew.

mod outcome;
mod round;
mod watched;

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use round::{Lane, Round};

/// What is asked for by the environment.
fn asked(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn a_kill_anywhere_in_the_loop_changes_nothing_of_its_end() {
    let (rounds, first, lanes) = (asked("LOOP_ROUNDS", 4), asked("LOOP_SEED", 1), asked("LOOP_LANES", 1));
    let started = Instant::now();
    // Rounds of different lanes share the processors and nothing else.
    let seeds = |lane: u64| (first + lane..first + rounds).step_by(lanes as usize);
    let in_lane = |lane: u64| {
        let place = Lane::new();
        seeds(lane).map(|seed| place.round(seed)).collect::<Vec<Round>>()
    };
    let done: Vec<Round> = thread::scope(|scope| {
        let running: Vec<_> = (0..lanes).map(|lane| scope.spawn(move || in_lane(lane))).collect();
        running.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    assert_eq!(done.len() as u64, rounds);
    tell(&done, started);
    let disturbed = done.iter().filter(|round| !round.kills.is_empty()).count();
    assert!(disturbed * 2 > done.len(), "most tools were still there when their moment came");
}

fn tell(rounds: &[Round], started: Instant) {
    let mut kills = BTreeMap::<&(String, String), u64>::new();
    rounds.iter().flat_map(|round| &round.kills).for_each(|kill| *kills.entry(kill).or_default() += 1);
    let count = |n: usize| rounds.iter().filter(|round| round.kills.len() == n).count();
    let repairs: u64 = rounds.iter().map(|round| round.repairs).sum();
    eprintln!(
        "{} rounds: {} with one kill, {} with two, {} without (the tool was faster); {} kills, {repairs} repairs; {:.0} s",
        rounds.len(),
        count(1),
        count(2),
        count(0),
        kills.values().sum::<u64>(),
        started.elapsed().as_secs_f64()
    );
    kills.iter().for_each(|((step, tool), n)| eprintln!("  {step:<9} {tool:<14} {n:>4}"));
}
