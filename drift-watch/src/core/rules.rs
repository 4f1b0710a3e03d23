//! The team's rules, held against a version after each step, and against each value that `MLflow` gives.

use shared::metric::Metric;

use super::alerts::{Alerts, Cause, Condition, Key, Patience, Transition};
use super::board::Board;
use super::bucket::Bucket;
use super::external::External;
use super::rule::{Operand, Rule, Unit};
use super::settings::Settings;
use super::step::EVERYONE;
use super::time::{Micros, text};
use crate::view::{AlertKind, MeasureView};

/// What came of all rules.
pub fn observe(
    board: &Board,
    alerts: &mut Alerts,
    settings: &Settings,
    now: Micros,
    target: Micros,
) -> Vec<Transition> {
    let mut all = Vec::new();
    for rule in &settings.rules {
        let Operand::Metric(metric) = rule.operand else { continue };
        for bucket in buckets(board, rule) {
            let Some(reading) = read(board, rule, metric, bucket) else { continue };
            let key = Key {
                kind: AlertKind::Rule,
                model: board.model.clone(),
                version: board.version.clone(),
                subject: format!("{} (horizon {bucket})", rule.name),
            };
            let patience = patience(rule);
            let cause = || Cause {
                target: Some(target),
                reason: sentence(rule, bucket, &reading, target),
                metrics: vec![reading.measure(metric, bucket)],
                ..Cause::default()
            };
            all.extend(alerts.observe(&key, reading.condition, patience, now, cause));
        }
    }
    all
}

/// What came of the rules on a value from elsewhere.
pub fn observe_external(name: &str, found: &External, alerts: &mut Alerts, settings: &Settings) -> Vec<Transition> {
    let of_it = settings.rules.iter().filter(|rule| matches!(&rule.operand, Operand::Mlflow(wanted) if wanted == name));
    of_it
        .filter_map(|rule| {
            let key =
                Key { kind: AlertKind::Rule, model: String::new(), version: String::new(), subject: rule.name.clone() };
            let condition = condition(rule, found.value, None, None)?;
            let reason = || format!("{} is {} by {}; the rule: {rule}", rule.operand, found.value, text(found.time));
            let cause = || Cause { reason: reason(), ..Cause::default() };
            alerts.observe(&key, condition, patience(rule), found.time, cause)
        })
        .collect()
}

fn patience(rule: &Rule) -> Patience {
    Patience { hold: rule.hold, keep: rule.keep, cooldown: rule.cooldown }
}

fn buckets(board: &Board, rule: &Rule) -> Vec<Bucket> {
    match rule.horizon {
        Some(horizon) => vec![Bucket::of(horizon)],
        None => board.buckets.keys().copied().collect(),
    }
}

/// What a rule reads.
struct Reading {
    value: f64,
    n: u64,
    baseline: Option<f64>,
    condition: Condition,
}

impl Reading {
    fn measure(&self, metric: Metric, bucket: Bucket) -> MeasureView {
        MeasureView {
            metric: metric.key().to_owned(),
            horizon: bucket.to_string(),
            value: Some(self.value),
            n: self.n,
            baseline: self.baseline,
        }
    }
}

fn read(board: &Board, rule: &Rule, metric: Metric, bucket: Bucket) -> Option<Reading> {
    let group = match &rule.segment {
        Some(segment) => board.segments.find(segment)?,
        None => EVERYONE,
    };
    let steps = board.newest(rule.over);
    let (from, to) = (*steps.first()?, *steps.last()?);
    let whole = board.tally(from, to, Some(bucket), group);
    let (pooled, n) = whole.metric(metric, board.level_percent);
    if n < rule.min {
        return None;
    }
    let by_step = by_step(board, metric, bucket, group, &steps);
    let value = if rule.median { median(&by_step)? } else { pooled? };
    let learned = board.buckets.get(&bucket).and_then(|watched| watched.learned.as_ref());
    let baseline = learned.and_then(|learned| learned.tally.metric(metric, board.level_percent).0);
    let error = if rule.unit == Unit::StandardErrors { standard_error(&by_step) } else { None };
    Some(Reading { value, n, baseline, condition: condition(rule, value, baseline, error)? })
}

fn condition(rule: &Rule, value: f64, baseline: Option<f64>, error: Option<f64>) -> Option<Condition> {
    let is_beyond = |threshold| rule.is_beyond(threshold, value, baseline, error);
    Some(match (is_beyond(rule.value)?, is_beyond(rule.clear)?) {
        (true, _) => Condition::Holds,
        (false, true) => Condition::Between,
        (false, false) => Condition::Clear,
    })
}

fn by_step(board: &Board, metric: Metric, bucket: Bucket, group: u32, steps: &[Micros]) -> Vec<f64> {
    steps.iter().filter_map(|&target| board.at_step(target, Some(bucket), group, metric)).collect()
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    (n > 0).then(|| f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]))
}

/// The standard error of the mean over steps: rows of one step are not independent.
fn standard_error(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (n > 2.0 && squares > 0.0).then(|| (squares / (n - 1.0) / n).sqrt())
}

fn sentence(rule: &Rule, bucket: Bucket, reading: &Reading, target: Micros) -> String {
    let baseline = reading.baseline.map(|baseline| format!(", {baseline:.4} in the baseline")).unwrap_or_default();
    format!(
        "{} is {:.4} at horizon {bucket} by {}{baseline}; the rule: {rule}",
        rule.operand,
        reading.value,
        text(target)
    )
}
