//! Gates on one score for each task: `benchmark_results.json` by dataset and window, result tables by task.

use std::collections::BTreeMap;

use shared::format::verdict::{Counts, Gate, GateKind, Outcome, Part, Scale};
use shared::stats::sign_flip;

use crate::gate::answer::{self, Tested};
use crate::gate::args::SeriesAre;
use crate::gate::asked::Asked;
use crate::gate::blank;
use crate::gate::policy::Policy;

/// One paired comparison: the losses of candidate and baseline on one task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pair {
    /// The dataset, or the family of tasks: what is drawn as a whole.
    pub(super) cluster: String,
    /// The task, or the window of the dataset.
    pub(super) part: String,
    /// The candidate's loss.
    pub(super) candidate: f64,
    /// The baseline's loss.
    pub(super) baseline: f64,
    /// Rows behind the two losses, where known.
    pub(super) rows: u64,
}

impl Pair {
    /// `ln(candidate / baseline)`; 0 where both are 0, not finite where only one is.
    fn log_ratio(&self) -> f64 {
        if self.candidate == self.baseline { 0.0 } else { (self.candidate / self.baseline).ln() }
    }
}

/// The two models that a gate speaks about, and the metric.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// Name of the gate.
    pub(super) name: &'a str,
    /// What it asks.
    pub(super) kind: GateKind,
    /// The metric.
    pub(super) metric: &'a str,
    /// The baseline.
    pub(super) baseline: &'a str,
    /// The effect below which it passes.
    pub(super) margin: f64,
}

/// Tests the geometric mean of the loss ratios against a margin.
///
/// The unit is the cluster (its mean log ratio) where clusters are a sample, the pair where they are all there are. Exact
/// sign flips up to 20 units, Student's t above.
pub(super) fn test(question: Question<'_>, pairs: &[Pair], policy: &Policy) -> Asked {
    let mut gate = describe(question, pairs);
    if pairs.iter().all(|pair| pair.candidate == pair.baseline) {
        return Asked::fixed(Gate { outcome: Outcome::Identical, estimate: Some(0.0), ..gate });
    }
    let units = units(pairs, policy.series);
    let threshold = (1.0 + question.margin).ln();
    let shifted: Vec<f64> = units.iter().map(|x| x - threshold).collect();
    let Some(found) = sign_flip::test(&shifted) else { return undefined(gate, pairs) };
    let estimate = (found.estimate + threshold).exp_m1();
    let tested = Tested { estimate, p_below: found.p_less, p_above: found.p_greater };
    gate.outcome = answer::outcome(tested, question.margin, policy);
    gate.estimate = Some(estimate);
    gate.interval = sign_flip::interval(&units, policy.confidence).map(|ends| ends.map(f64::exp_m1));
    gate.p_value = Some(tested.p_below);
    gate.df = found.df;
    if found.smallest_p > policy.alpha && gate.outcome == Outcome::Undecided {
        return Asked::fixed(too_few(gate, &units, found.smallest_p, policy));
    }
    Asked { gate, p_above: Some(tested.p_above) }
}

/// Compares one number with one number: no variance, so no test.
pub(super) fn limit(question: Question<'_>, pairs: &[Pair]) -> Gate {
    let mut gate = describe(question, pairs);
    let mean = pairs.iter().map(Pair::log_ratio).sum::<f64>() / pairs.len() as f64;
    let estimate = mean.exp_m1();
    gate.outcome = if estimate <= question.margin { Outcome::Pass } else { Outcome::Fail };
    gate.estimate = Some(estimate).filter(|e| e.is_finite());
    if gate.estimate.is_none() {
        gate.reason = format!("{}: the baseline's {} is 0 and the candidate's is not", question.name, question.metric);
    }
    gate
}

/// The pairs as parts of a report, worst for the candidate first.
pub(super) fn parts<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a [Pair])>) -> Vec<Part> {
    let mut parts: Vec<Part> = pairs.into_iter().map(|(name, pairs)| part(name, pairs)).collect();
    parts.sort_by(|a, b| b.estimate.unwrap_or(f64::INFINITY).total_cmp(&a.estimate.unwrap_or(f64::INFINITY)));
    parts
}

/// Pairs by cluster, in the order of their names.
pub(super) fn by_cluster(pairs: &[Pair]) -> BTreeMap<&str, Vec<Pair>> {
    let mut clusters: BTreeMap<&str, Vec<Pair>> = BTreeMap::new();
    for pair in pairs {
        clusters.entry(&pair.cluster).or_default().push(pair.clone());
    }
    clusters
}

fn part(name: &str, pairs: &[Pair]) -> Part {
    let mean = |of: fn(&Pair) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    Part {
        name: name.to_owned(),
        rows: pairs.iter().map(|pair| pair.rows).sum(),
        candidate_value: Some(mean(|pair| pair.candidate)),
        baseline_value: Some(mean(|pair| pair.baseline)),
        estimate: Some(mean(Pair::log_ratio).exp_m1()).filter(|e| e.is_finite()),
    }
}

fn describe(question: Question<'_>, pairs: &[Pair]) -> Gate {
    let whole = part("", pairs);
    Gate {
        name: question.name.to_owned(),
        kind: question.kind,
        metric: question.metric.to_owned(),
        baseline: Some(question.baseline.to_owned()),
        candidate_value: whole.candidate_value,
        baseline_value: whole.baseline_value,
        scale: Scale::Relative,
        margin: Some(question.margin),
        n: counts(pairs),
        ..blank()
    }
}

/// How much evidence the pairs are: a row is a pair.
pub(super) fn counts(pairs: &[Pair]) -> Counts {
    let clusters = by_cluster(pairs);
    let windows = clusters.values().map(Vec::len).max().unwrap_or(0);
    Counts {
        rows: pairs.len() as u64,
        series: clusters.len() as u64,
        cutoffs: windows as u64,
        independent_windows: windows as f64,
    }
}

fn units(pairs: &[Pair], series: SeriesAre) -> Vec<f64> {
    match series {
        SeriesAre::Fixed => pairs.iter().map(Pair::log_ratio).collect(),
        SeriesAre::Sampled => by_cluster(pairs).values().map(|own| mean_log_ratio(own)).collect(),
    }
}

fn mean_log_ratio(pairs: &[Pair]) -> f64 {
    pairs.iter().map(Pair::log_ratio).sum::<f64>() / pairs.len() as f64
}

fn undefined(gate: Gate, pairs: &[Pair]) -> Asked {
    let zero = pairs.iter().find(|pair| !pair.log_ratio().is_finite());
    let part = zero.map_or(String::new(), |pair| format!(" on {}", pair.part));
    let reason = format!("no ratio of {} exists{part}: one of the two losses is 0", gate.metric);
    Asked::fixed(Gate { outcome: Outcome::Undecided, reason, ..gate })
}

fn too_few(mut gate: Gate, units: &[f64], smallest: f64, policy: &Policy) -> Gate {
    let unit = if policy.series == SeriesAre::Sampled { "datasets" } else { "windows" };
    let needed = (policy.alpha.log2().abs()).ceil();
    gate.reason = format!(
        "{} {unit} cannot decide: the smallest p-value that they can give is {smallest:.4}, the error rate asked for is {}; \
         {needed} are the fewest that can",
        units.len(),
        policy.alpha
    );
    gate
}
