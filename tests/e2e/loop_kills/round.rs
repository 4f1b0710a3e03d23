//! One walk through the loop, in which tools die.

use std::time::Duration;

use e2e::Said;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::outcome::Outcome;
use super::watched::{Kill, Life, Watched};
use crate::promotion_loop::Example;

const STEPS: [&str; 10] =
    ["evidence", "reject", "gate", "manifest", "promote", "render", "watch", "rebench", "audit", "rollback"];

/// Walks of a round until a tool was still there when its moment came.
const MOST_WALKS: usize = 5;

/// What `rollback` says when it has been done: the registry was renamed before the kill.
const DONE: &str = "there is nothing to roll champion back to: departures 1.0.0";

/// A copy of the example, in which one round follows another, and what an undisturbed one leaves.
pub(crate) struct Lane {
    example: Example,
    tools: Watched,
    /// The runs of tools in each step.
    lives: Vec<Vec<Life>>,
    undisturbed: Outcome,
}

/// What happened in a round.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Step and tool of each kill.
    pub(crate) kills: Vec<(String, String)>,
    pub(crate) repairs: u64,
}

impl Lane {
    /// Walks through the loop undisturbed, twice, so that what differs by itself is seen before anybody is blamed for it.
    pub(crate) fn new() -> Self {
        let (example, tools) = (Example::new(), Watched::new());
        let lives = walk(&example, &tools);
        let undisturbed = Outcome::of(&example);
        let again = walk(&example, &tools);
        let differences = undisturbed.differences(&Outcome::of(&example));
        assert!(differences.is_empty(), "two undisturbed walks: {differences:#?}");
        let lives = lives.iter().zip(&again).map(|(one, other)| longest(one, other)).collect();
        Self { example, tools, lives, undisturbed }
    }

    /// A walk through it in which something is killed.
    pub(crate) fn round(&self, seed: u64) -> Round {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut walks = std::iter::repeat_with(|| self.disturbed_walk(seed, &mut dice)).take(MOST_WALKS);
        walks.find(|round| !round.kills.is_empty()).unwrap_or_default()
    }

    /// Walks through it with a kill, or two. A moment that comes too late, since the tool was faster, is drawn anew in a later step.
    fn disturbed_walk(&self, seed: u64, dice: &mut ChaCha8Rng) -> Round {
        let mut round = Round::default();
        let mut next = Some(self.draw(dice));
        restore(&self.example, next.map_or(0, |(step, _)| step));
        for (number, step) in STEPS.into_iter().enumerate().skip(next.map_or(0, |(step, _)| step)) {
            let kill = next.filter(|(step, _)| *step == number).map(|(_, kill)| kill);
            self.step(dice, step, kill, &mut round);
            if kill.is_some() && round.kills.is_empty() {
                next = (number + 1 < STEPS.len()).then(|| self.draw_after(dice, number));
            }
        }
        let differences = self.undisturbed.differences(&Outcome::of(&self.example));
        assert!(differences.is_empty(), "seed {seed}, {round:?}: {differences:#?}");
        round
    }

    fn draw_after(&self, dice: &mut ChaCha8Rng, step: usize) -> (usize, Kill) {
        std::iter::repeat_with(|| self.draw(dice)).find(|(later, _)| *later > step).unwrap()
    }

    /// A step and the kill in it.
    fn draw(&self, dice: &mut ChaCha8Rng) -> (usize, Kill) {
        let all = || self.lives.iter().enumerate().flat_map(|(step, lives)| (0..lives.len()).map(move |n| (step, n)));
        let lasted = |&(step, number): &(usize, usize)| self.lives[step][number].lasted;
        let total: Duration = all().map(|life| lasted(&life)).sum();
        let mut moment = total.mul_f64(dice.random());
        let by_time = all().find(|life| {
            let is_it = moment < lasted(life);
            moment = moment.saturating_sub(lasted(life));
            is_it
        });
        let alike = all().nth(below(dice, all().count()));
        let (step, number) = by_time.filter(|_| dice.random()).or(alike).unwrap();
        (step, Kill { number, after: lasted(&(step, number)).mul_f64(dice.random()) })
    }

    /// A step with a kill; then once more, as one does, until it is done.
    fn step(&self, dice: &mut ChaCha8Rng, step: &str, kill: Option<Kill>, round: &mut Round) {
        let before = round.kills.len();
        let mut said = self.make(step, kill, round);
        let again = (round.kills.len() > before && dice.random()).then(|| self.another(dice, step));
        if let Some(kill) = again {
            said = self.make(step, Some(kill), round);
        }
        // Whoever sees a tool die types the step again, also where its parent lived on: drift-watch keeps what its hook did not take.
        if round.kills.len() > before {
            said = self.again(step, round);
        }
        assert_eq!(said.status, 0, "{round:?}, {kill:?}, {again:?} of {step}: {}{}", said.stdout, said.stderr);
    }

    /// A step once more, after a repair if a tool asks for one.
    fn again(&self, step: &str, round: &mut Round) -> Said {
        let said = self.make(step, None, &mut Round::default());
        if step == "rollback" && said.stderr.contains(DONE) {
            return self.example.run("manifest-gen rollback departures --to 1 && manifest-gen verify departures 1");
        }
        if said.status == 0 || !said.stderr.contains("manifest-gen repair") {
            return said;
        }
        round.repairs += 1;
        assert_eq!(self.example.run("manifest-gen repair").status, 0);
        self.make(step, None, &mut Round::default())
    }

    /// Any moment of any tool of the step.
    fn another(&self, dice: &mut ChaCha8Rng, step: &str) -> Kill {
        let lives = &self.lives[STEPS.iter().position(|name| *name == step).unwrap()];
        let number = below(dice, lives.len());
        Kill { number, after: lives[number].lasted.mul_f64(dice.random()) }
    }

    fn make(&self, step: &str, kill: Option<Kill>, round: &mut Round) -> Said {
        let (said, lives) = self.tools.during(kill, || make(&self.example, &self.tools, step));
        let killed = lives.into_iter().filter(|life| life.killed);
        round.kills.extend(killed.map(|life| (step.to_owned(), life.tool)));
        said
    }
}

fn below(dice: &mut impl Rng, n: usize) -> usize {
    dice.random_range(0..n)
}

/// All steps, undisturbed; the tools that ran in each. What there was before each step is kept.
fn walk(example: &Example, tools: &Watched) -> Vec<Vec<Life>> {
    succeeds(example, "rm -rf build kept; mkdir build kept");
    let step = |(number, name): (usize, &&str)| {
        succeeds(example, &format!("cp -a build kept/{number}"));
        let (said, lives) = tools.during(None, || make(example, tools, name));
        assert_eq!(said.status, 0, "make {name}: {}{}", said.stdout, said.stderr);
        lives
    };
    STEPS.iter().enumerate().map(step).collect()
}

/// What an undisturbed walk had before a step.
fn restore(example: &Example, step: usize) {
    succeeds(example, &format!("rm -rf build; cp -a kept/{step} build"));
}

fn longest(one: &[Life], other: &[Life]) -> Vec<Life> {
    let longer = |(one, other): (&Life, &Life)| Life { lasted: one.lasted.max(other.lasted), ..one.clone() };
    one.iter().zip(other).map(longer).collect()
}

#[track_caller]
fn succeeds(example: &Example, line: &str) {
    assert_eq!(example.run(line).status, 0, "{line}");
}

/// A step with one time of day and one person, so that the registry holds the same.
fn make(example: &Example, tools: &Watched, step: &str) -> Said {
    let folder = tools.folder();
    let folder = folder.display();
    example.run(&format!(
        "SOURCE_DATE_EPOCH=1800000000 USER=loop REBENCH_CRON_RUN_BENCH_COMPARE='{folder}/bench-compare' \
         make --no-print-directory {step} BIN='{folder}'"
    ))
}
