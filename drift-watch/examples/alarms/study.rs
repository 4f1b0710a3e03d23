//! Run lengths of a design: without a change, and after one.

use drift_watch::core::family::Level;
use drift_watch::core::score::Score;
use drift_watch::core::settings::Settings;
use drift_watch::verify_alarms::summary::RunLengths;
use drift_watch::verify_alarms::trial::{Length, Row, Trial};
use rayon::prelude::*;

use super::designs::{Change, Design, Stream};
use super::noise::Noise;

/// Quiet steps before a change.
const QUIET: u64 = 50;

/// Steps after a change in which it should be seen.
pub(crate) const PATIENCE: u64 = 1000;

/// How much is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plan {
    pub(crate) runs: u64,
    pub(crate) seed: u64,
    pub(crate) promise_steps: f64,
    /// Runs end after so many times the promise.
    pub(crate) promises: f64,
}

/// First alarms by score, and how many of them came from a single series.
pub(crate) type Causes = [(u32, u32); Score::ALL.len()];

/// What was found of a design and a length of its baseline.
pub(crate) struct Found {
    pub(crate) baseline: usize,
    pub(crate) quiet: RunLengths,
    pub(crate) causes: Causes,
    /// Alarms before the change, and delays after it, by change.
    pub(crate) delays: Vec<(Change, RunLengths)>,
}

/// The changes that are watched for.
pub(crate) const CHANGES: [Change; 2] = [Change::Shift(1.0), Change::Spread(1.5)];

/// Measures a design with baselines of this length; `index` tells its random numbers from those of others.
pub(crate) fn study(design: &Design, baseline: usize, index: u64, plan: &Plan) -> Option<Found> {
    let settings = Settings { promise_steps: plan.promise_steps, ..design.settings() };
    let most = steps(plan.promises * settings.promise_steps);
    let one = |run: u64| quiet_run(design, baseline, noise(plan, index, run), &settings, most);
    let runs: Vec<(Length, Option<(Score, Level)>)> = (0..plan.runs).into_par_iter().filter_map(one).collect();
    let lengths: Vec<Length> = runs.iter().map(|(length, _)| *length).collect();
    let mut causes = Causes::default();
    for (score, level) in runs.iter().filter_map(|(_, cause)| *cause) {
        let (all, series) = &mut causes[score.index()];
        *all += 1;
        *series += u32::from(level == Level::Series);
    }
    let delays = CHANGES.into_iter().zip(1..).filter_map(|(change, place)| {
        let one = |run: u64| changed_run(design, baseline, noise(plan, index + (place << 8), run), &settings, change);
        let lengths: Vec<Length> = (0..plan.runs).into_par_iter().filter_map(one).collect();
        Some((change, RunLengths::of(&lengths, PATIENCE, settings.promise_steps)?))
    });
    Some(Found {
        baseline,
        quiet: RunLengths::of(&lengths, most, settings.promise_steps)?,
        causes,
        delays: delays.collect(),
    })
}

fn noise(plan: &Plan, index: u64, run: u64) -> Noise {
    Noise::new(plan.seed, (index << 32) | run)
}

/// A model that has learned from the first steps of a stream.
pub(crate) fn learned<'a>(
    stream: &mut Stream<'_>,
    baseline: usize,
    design: &Design,
    settings: &'a Settings,
) -> Option<Trial<'a>> {
    let rows: Vec<Row> = (0..baseline).flat_map(|_| stream.next().1).collect();
    Trial::learn(&rows, &design.overlaps(), settings)
}

fn quiet_run(
    design: &Design,
    baseline: usize,
    noise: Noise,
    settings: &Settings,
    most: u64,
) -> Option<(Length, Option<(Score, Level)>)> {
    let mut stream = Stream::new(design, noise);
    let mut trial = learned(&mut stream, baseline, design, settings)?;
    let length = trial.until_alarm(most, |trial, _| show(trial, &mut stream));
    let nearest = trial.nearest();
    let cause = Score::ALL.into_iter().map(|score| (score, nearest[score.index()]));
    let cause = cause.max_by(|a, b| a.1.0.total_cmp(&b.1.0)).map(|(score, (_, level))| (score, level));
    Some((length, cause.filter(|_| length.alarmed)))
}

/// The delay after a change; nothing if there was an alarm before it.
fn changed_run(design: &Design, baseline: usize, noise: Noise, settings: &Settings, change: Change) -> Option<Length> {
    let mut stream = Stream::new(design, noise);
    let mut trial = learned(&mut stream, baseline, design, settings)?;
    let before = trial.until_alarm(QUIET, |trial, _| show(trial, &mut stream));
    stream.change(change);
    (!before.alarmed).then(|| trial.until_alarm(PATIENCE, |trial, _| show(trial, &mut stream)))
}

fn show(trial: &mut Trial<'_>, stream: &mut Stream<'_>) -> f64 {
    let (time, rows) = stream.next();
    let step = trial.scores(rows.into_iter());
    trial.show(time, &step)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of steps")]
fn steps(number: f64) -> u64 {
    number as u64
}
