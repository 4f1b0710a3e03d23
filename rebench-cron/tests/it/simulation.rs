//! What the judge does in many histories of which the truth is known: how often it alarms without a change, and how soon after one.
//!
//! Each look has paired relative differences on 12 to 30 series, of which effect, standard error and degrees of freedom are taken as a verdict has
//! them. `SIM_HISTORIES=20000` prints the table of docs/STATISTICS.md.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebench_cron::judge::{Baseline, Outcome, Past, Rules, course};

const LOOKS: usize = 104;

/// The first look after the change, from 0: the 27th week.
const CHANGED: usize = 26;

const RULES: Rules = Rules { looks: 104, false_alarm_rate: 0.05, margin: 0.01 };

/// The standard deviation of a relative difference on one series.
const SD: f64 = 0.05;

/// A world to be judged in.
#[derive(Debug, Clone, Copy)]
struct World {
    /// The share of the baseline's error in the variance of a difference, where it was measured once.
    reused: Option<f64>,
    /// Whether the judge knows that it was measured once.
    is_said: bool,
    /// Whether the judge knows that standard errors are estimated.
    has_df: bool,
    /// Correlation of the errors of successive looks.
    correlation: f64,
    /// By how many standard errors of a look the model gets worse.
    shift: f64,
    /// The fewest and the most series of a history.
    series: (usize, usize),
}

impl World {
    const fn fresh(shift: f64) -> Self {
        Self { reused: None, is_said: true, has_df: true, correlation: 0.0, shift, series: (12, 30) }
    }

    const fn reused(share: f64, shift: f64) -> Self {
        Self { reused: Some(share), ..Self::fresh(shift) }
    }

    fn history(self, random: &mut Random) -> Vec<Past> {
        let series = random.of.random_range(self.series.0..=self.series.1);
        let share = self.reused.unwrap_or(0.0);
        let baseline: Vec<f64> = (0..series).map(|_| share.sqrt() * random.normal()).collect();
        let mut errors: Vec<f64> = (0..series).map(|_| random.normal()).collect();
        let look = |week: usize| {
            let shift = if week >= CHANGED { self.shift / (series as f64).sqrt() } else { 0.0 };
            for error in &mut errors {
                *error = self.correlation * *error + (1.0 - self.correlation.powi(2)).sqrt() * random.normal();
            }
            let own = (1.0 - share).sqrt();
            let pairs = errors.iter().zip(&baseline).map(|(error, baseline)| shift + baseline + own * error);
            self.verdict(&pairs.map(|x| RULES.margin + SD * x).collect::<Vec<f64>>())
        };
        (0..LOOKS).map(look).collect()
    }

    fn verdict(self, differences: &[f64]) -> Past {
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let variance = differences.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let is_reused = self.reused.is_some() && self.is_said;
        Past {
            baseline_id: "random_forest_v1".to_owned(),
            baseline: if is_reused { Baseline::Reused } else { Baseline::Fresh },
            champion: Some("2.0.0".to_owned()),
            outcome: Some(Outcome::Inconclusive),
            effect: Some(mean),
            standard_error: Some((variance / n).sqrt()),
            df: self.has_df.then_some(n - 1.0),
        }
    }
}

/// What became of the histories of a world.
#[derive(Debug)]
struct Found {
    /// The share that alarmed before the change, or ever where there is none.
    false_alarms: f64,
    /// The share of the others that alarmed after it.
    after: f64,
    /// The median number of looks from the change to the alarm, the one with the alarm included.
    median: Option<usize>,
}

fn simulate(world: World, histories: u64) -> Found {
    let half = |from: u64| (from..histories).step_by(2).map(|history| first_alarm(world, history)).collect::<Vec<_>>();
    let alarms = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        [half(0), other.join().unwrap()].concat()
    });
    let changed = if world.shift > 0.0 { CHANGED } else { LOOKS };
    let is_early = |alarm: &Option<usize>| alarm.is_some_and(|week| week < changed);
    let early = alarms.iter().filter(|alarm| is_early(alarm)).count();
    let mut delays: Vec<usize> =
        alarms.iter().filter(|alarm| !is_early(alarm)).flatten().map(|week| week + 1 - changed).collect();
    delays.sort_unstable();
    Found {
        false_alarms: early as f64 / alarms.len() as f64,
        after: delays.len() as f64 / (alarms.len() - early) as f64,
        median: delays.get(delays.len() / 2).copied(),
    }
}

fn first_alarm(world: World, history: u64) -> Option<usize> {
    let mut random = Random::new(history);
    course(&world.history(&mut random), RULES).iter().find_map(|evidence| evidence.alarm)
}

struct Random {
    of: ChaCha8Rng,
    spare: Option<f64>,
}

impl Random {
    fn new(history: u64) -> Self {
        let mut of = ChaCha8Rng::seed_from_u64(20_261_129);
        of.set_stream(history);
        Self { of, spare: None }
    }

    fn uniform(&mut self) -> f64 {
        self.of.random::<f64>()
    }

    /// By Box and Muller (1958).
    fn normal(&mut self) -> f64 {
        self.spare.take().unwrap_or_else(|| {
            let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
            let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
            self.spare = Some(radius * sin);
            radius * cos
        })
    }
}

/// How many histories are simulated: a few, or as many as the environment says.
fn histories() -> (u64, bool) {
    let asked = std::env::var("SIM_HISTORIES").ok().and_then(|text| text.parse().ok());
    (asked.unwrap_or(200), asked.is_some())
}

#[test]
fn a_model_that_holds_alarms_in_at_most_one_of_twenty_histories() {
    let (histories, _) = histories();
    let reused = [0.0, 0.1, 0.3, 0.5].map(|share| World::reused(share, 0.0));
    let few = World { series: (3, 6), ..World::fresh(0.0) };
    for world in [World::fresh(0.0), few].into_iter().chain(reused) {
        let found = simulate(world, histories);
        assert!(found.false_alarms <= 0.05, "{found:?} in {world:?}");
    }
}

#[test]
fn a_change_by_one_standard_error_is_found_within_months() {
    let found = simulate(World::fresh(1.0), histories().0);
    assert!(found.after >= 0.99 && found.median.is_some_and(|weeks| weeks <= 16), "{found:?}");
}

#[test]
fn a_reused_baseline_that_nobody_speaks_of_breaks_the_promise() {
    let found = simulate(World { is_said: false, ..World::reused(0.3, 0.0) }, histories().0);
    assert!(found.false_alarms > 0.15, "{found:?}");
}

#[test]
fn standard_errors_of_few_series_that_pass_for_known_break_the_promise() {
    let found = simulate(World { series: (3, 6), has_df: false, ..World::fresh(0.0) }, histories().0);
    assert!(found.false_alarms > 0.1, "{found:?}");
}

#[test]
fn the_table_of_all_worlds_is_printed_where_it_is_asked_for() {
    let (histories, true) = histories() else { return };
    let worlds = [
        ("fresh", World::fresh(0.0)),
        ("fresh, 3 to 6 series", World { series: (3, 6), ..World::fresh(0.0) }),
        ("reused, share 0", World::reused(0.0, 0.0)),
        ("reused, share 0.1", World::reused(0.1, 0.0)),
        ("reused, share 0.3", World::reused(0.3, 0.0)),
        ("reused, share 0.5", World::reused(0.5, 0.0)),
        ("reused, share 0.3, taken for fresh", World { is_said: false, ..World::reused(0.3, 0.0) }),
    ];
    eprintln!("\n{histories} histories of 104 looks, 12 to 30 series where nothing else is said\n");
    eprintln!("| baseline | correlation of looks | false alarms | 1 se at week 27: found | median weeks |");
    eprintln!("| --- | --- | --- | --- | --- |");
    for (name, world) in worlds {
        for correlation in [0.0, 0.2] {
            let quiet = simulate(World { correlation, ..world }, histories);
            let changed = simulate(World { correlation, shift: 1.0, ..world }, histories);
            let median = changed.median.map_or("none".to_owned(), |weeks| weeks.to_string());
            eprintln!("| {name} | {correlation} | {:.3} | {:.3} | {median} |", quiet.false_alarms, changed.after);
        }
    }
}
