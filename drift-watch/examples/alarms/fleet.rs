//! Fleets of series, hourly: false alerts a day, and the share of false ones among the series that are named at fixed looks.

use std::collections::BTreeMap;

use drift_watch::core::fleet::e_bh;
use drift_watch::core::settings::Settings;
use drift_watch::verify_alarms::trial::{Row, Trial};
use rayon::prelude::*;

use crate::designs::{Design, HOUR, SD, Stream};
use crate::noise::Noise;
use crate::study::{Plan, learned};

const HOURS_A_DAY: u64 = 24;

/// What the baseline is learned from.
const BASELINE_DAYS: u64 = 14;

/// What is watched.
const DAYS: u64 = 90;

/// On these days somebody looks at which series are named.
const LOOKS: [u64; 3] = [30, 60, 90];

/// The first day on which some series have changed.
const CHANGE_DAY: u64 = 45;

/// By how many standard deviations.
const SHIFT: f64 = 1.0;

/// A fleet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fleet {
    pub(crate) series: u32,
    /// Correlation of the shocks of any two series.
    pub(crate) common: f64,
    /// Series that change.
    pub(crate) changed: u32,
}

/// What became of a fleet.
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    /// Alerts before any change: from nothing that alarms to something.
    false_alerts: u64,
    /// Hours in which somebody would have been called before any change, by rules of three standard deviations.
    three_sigma: u64,
    quiet_days: u64,
    /// At each look: series named, and those of them that have not changed.
    named: [(usize, usize); LOOKS.len()],
}

/// Measures a fleet and says it as lines of a table.
pub(crate) fn measure(fleet: &Fleet, index: u64, plan: &Plan) -> String {
    let design = Design { name: "fleet", series: fleet.series, common: fleet.common, step: HOUR, ..Design::default() };
    let settings = design.settings();
    let one = |run: u64| run_of(fleet, &design, Noise::new(plan.seed, (index << 32) | run), &settings);
    let outcomes: Vec<Outcome> = (0..plan.runs).into_par_iter().filter_map(one).collect();
    line(fleet, &outcomes, &settings)
}

fn run_of(fleet: &Fleet, design: &Design, noise: Noise, settings: &Settings) -> Option<Outcome> {
    let mut stream = Stream::new(design, noise);
    let hours = usize::try_from(BASELINE_DAYS * HOURS_A_DAY).ok()?;
    let mut trial = learned(&mut stream, hours, design, settings)?;
    let mut outcome = Outcome::default();
    let mut fires = false;
    for hour in 0..DAYS * HOURS_A_DAY {
        let is_quiet = fleet.changed == 0 || hour < CHANGE_DAY * HOURS_A_DAY;
        let (time, mut rows) = stream.next();
        if !is_quiet {
            rows.iter_mut().filter(|row| row.series < fleet.changed).for_each(|row| row.pair.y_hat += SHIFT * SD);
        }
        let step = trial.scores(rows.iter().copied());
        let fired = std::mem::replace(&mut fires, trial.show(time, &step) >= 1.0);
        if is_quiet {
            outcome.false_alerts += u64::from(fires && !fired);
            outcome.three_sigma += rows.iter().filter(|row| is_beyond(row)).count() as u64;
            outcome.quiet_days = hour / HOURS_A_DAY + 1;
        }
        let look = LOOKS.iter().position(|day| day * HOURS_A_DAY == hour + 1);
        look.into_iter().for_each(|look| outcome.named[look] = named(&trial, fleet, settings, !is_quiet));
    }
    Some(outcome)
}

/// Somebody knows the standard deviation, which is more than rules of thumb do.
fn is_beyond(row: &Row) -> bool {
    row.pair.error() > 3.0 * SD
}

/// The series that are named, and those of them that have not changed.
fn named(trial: &Trial<'_>, fleet: &Fleet, settings: &Settings, has_changed: bool) -> (usize, usize) {
    let e_values: BTreeMap<u32, f64> = trial
        .learned()
        .flat_map(|(_, learned)| learned.series.iter().map(|(series, watch)| (series, watch.e_value())))
        .collect();
    let values: Vec<f64> = e_values.values().copied().collect();
    let rejected = e_bh(&values, settings.fdr_ratio);
    let named: Vec<u32> =
        e_values.into_keys().zip(rejected).filter(|(_, rejected)| *rejected).map(|(series, _)| series).collect();
    let is_false = |series: &&u32| !has_changed || **series >= fleet.changed;
    (named.len(), named.iter().filter(is_false).count())
}

pub(crate) const TABLE: &str = "\
| series | correlation | changed by 1 sd on day 45 | runs | false alerts a day (95 % upper bound) | three-sigma rules: alerts a day | false among the named, %, day 30, 60, 90 (95 % upper bound) | found of the changed, day 60, 90 |
| ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |
";

fn line(fleet: &Fleet, outcomes: &[Outcome], settings: &Settings) -> String {
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    let days = sum(|outcome| outcome.quiet_days) as f64;
    let alerts = sum(|outcome| outcome.false_alerts);
    let looks: Vec<String> = (0..LOOKS.len()).map(|look| false_share(outcomes, look, settings)).collect();
    let after = (0..LOOKS.len()).filter(|&look| LOOKS[look] > CHANGE_DAY && fleet.changed > 0);
    let found: Vec<String> = after.map(|look| power(fleet, outcomes, look)).collect();
    format!(
        "| {} | {} | {} | {} | {:.5} ({:.5}) | {:.1} | {} | {} |\n",
        fleet.series,
        fleet.common,
        fleet.changed,
        outcomes.len(),
        alerts as f64 / days,
        most_likely(alerts) / days,
        sum(|outcome| outcome.three_sigma) as f64 / days,
        looks.join(", "),
        found.join(", "),
    )
}

/// The mean share of false ones among the named, and how large it may be.
fn false_share(outcomes: &[Outcome], look: usize, settings: &Settings) -> String {
    let shares: Vec<f64> = outcomes.iter().map(|outcome| share(outcome.named[look])).collect();
    let (mean, upper) = mean_and_upper(&shares);
    let broken = if mean > settings.fdr_ratio { " BROKEN" } else { "" };
    format!("{:.2} ({:.2}){broken}", 100.0 * mean, 100.0 * upper)
}

/// The share of the changed series that are named.
fn power(fleet: &Fleet, outcomes: &[Outcome], look: usize) -> String {
    let right: usize = outcomes.iter().map(|outcome| outcome.named[look].0 - outcome.named[look].1).sum();
    format!("{:.1} %", 100.0 * right as f64 / (f64::from(fleet.changed) * outcomes.len() as f64))
}

/// The share of false ones, 0 where none is named.
fn share((named, wrong): (usize, usize)) -> f64 {
    if named == 0 { 0.0 } else { wrong as f64 / named as f64 }
}

/// The mean and the upper end of its one-sided interval of 95 %; where all are 0, the rule of three.
fn mean_and_upper(shares: &[f64]) -> (f64, f64) {
    let n = shares.len() as f64;
    let mean = shares.iter().sum::<f64>() / n;
    let variance = shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let upper = mean + 1.645 * (variance / n).sqrt();
    (mean, if variance == 0.0 { (mean + 3.0 / n).min(1.0) } else { upper })
}

/// The upper end of the one-sided interval of 95 % of a Poisson mean (Garwood 1936).
fn most_likely(events: u64) -> f64 {
    shared::stats::special::chi2_quantile(0.95, 2.0 * (events as f64 + 1.0)) / 2.0
}
