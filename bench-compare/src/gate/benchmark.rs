//! Gates on `benchmark_results.json`: candidate and baseline paired by dataset and window.

use std::collections::BTreeSet;

use shared::cli::Context;
use shared::format::verdict::{Evidence, EvidenceKind, Gate, GateKind, Outcome};
use shared::{Error, Result};

use crate::gate::args::Args;
use crate::gate::asked::Asked;
use crate::gate::paired::{self, Pair, Question};
use crate::gate::policy::{Limit, Policy};
use crate::gate::{Judged, blank};
use crate::load::benchmark::{self, Absent, BenchmarkSet, Options, Pairs, Row, Score, Task};

/// What a benchmark file measures.
const METRICS: &str = "mape, rmse, mae, training-time or prediction-time";

/// Reads the files and answers every question of the policy.
///
/// # Errors
/// Of the reader; files that cannot be compared; a metric that the files do not have; slices, which need a forecast table.
pub(super) fn judge(args: &Args, policy: &Policy, context: &Context) -> anyhow::Result<Judged> {
    check(args, policy)?;
    let (candidate, names) = models(args)?;
    let options = options(args, &candidate, &names, context);
    let old = benchmark::read("baseline", &args.baseline, &options)?;
    let new = benchmark::read("candidate", &args.candidate, &options)?;
    let pair = |name: &String| benchmark::pair(&old, name, &new, &candidate, &policy.required);
    let paired = names.iter().map(pair).collect::<Result<Vec<Pairs>>>()?;
    let versus: Vec<Versus<'_>> = names
        .iter()
        .zip(&paired)
        .map(|(name, pairs)| Versus { name, pairs, policy, candidate: &candidate, is_only: names.len() == 1 })
        .collect();
    let primary = versus[0].finite(&policy.metric);
    Ok(Judged {
        asked: versus.iter().flat_map(Versus::gates).collect(),
        evidence: evidence(&primary, &[&old, &new]),
        series: paired::parts(paired::by_cluster(&primary).iter().map(|(name, own)| (*name, own.as_slice()))),
        windows: paired::parts(windows(&primary).map(|pair| (pair.part.as_str(), std::slice::from_ref(pair)))),
        influence: None,
        power: None,
        aa: None,
        inputs: [old.inputs, new.inputs].concat(),
        baselines: names,
        candidate,
    })
}

fn check(args: &Args, policy: &Policy) -> Result<()> {
    if !policy.slices.is_empty() {
        let found = "--slice with a benchmark file, which has one score for each dataset";
        return Err(Error::usage(found, "a forecast table").with_help("name the rows with --forecasts"));
    }
    if args.baseline_model.is_empty() {
        return Err(Error::usage("no baseline was named", "--baseline-model NAME"));
    }
    let mut metrics = policy.guardrails.iter().map(|guardrail| &guardrail.metric).chain([&policy.metric]);
    metrics.try_for_each(|metric| measure(metric).map(drop))
}

fn models(args: &Args) -> Result<(String, Vec<String>)> {
    let candidate = args.candidate_model.clone();
    let candidate = candidate.ok_or_else(|| Error::usage("no candidate was named", "--candidate-model NAME"))?;
    Ok((candidate, args.baseline_model.clone()))
}

fn options(args: &Args, candidate: &str, baselines: &[String], context: &Context) -> Options {
    Options {
        mape_unit: args.mape_unit.map(Into::into),
        duplicates: args.duplicates,
        models: std::iter::once(candidate.to_owned()).chain(baselines.iter().cloned()).collect(),
        names: context.config.models.names().clone(),
    }
}

/// The score of a row that a metric names.
type Measured = fn(&Row) -> &Score;

fn measure(metric: &str) -> Result<Measured> {
    match metric {
        "mape" => Ok(|row| &row.mape_ratio),
        "rmse" => Ok(|row| &row.rmse),
        "mae" => Ok(|row| &row.mae),
        "training-time" => Ok(|row| &row.training_seconds),
        "prediction-time" => Ok(|row| &row.prediction_seconds),
        _ => Err(Error::usage(format!("metric {metric:?} is not in a benchmark file"), METRICS)),
    }
}

/// Whether a metric is a wall-clock time: one run, no variance, so never a test.
fn is_time(metric: &str) -> bool {
    metric.ends_with("-time")
}

/// The candidate against one baseline.
struct Versus<'a> {
    name: &'a str,
    candidate: &'a str,
    pairs: &'a Pairs,
    policy: &'a Policy,
    /// Whether it is the only baseline, so that gates need not name it.
    is_only: bool,
}

impl Versus<'_> {
    /// Every gate: the primary metric, what is missing or failed, guardrails, limits on datasets and windows.
    fn gates(&self) -> Vec<Asked> {
        let policy = self.policy;
        let primary = self.test("primary".into(), policy.kind(), &policy.metric, policy.primary_margin);
        let guardrails = policy.guardrails.iter().map(|rail| {
            let name = format!("guardrail: {}", rail.metric);
            match is_time(&rail.metric) {
                true => Asked::fixed(self.limit(name, &rail.metric, rail.margin, &self.finite(&rail.metric))),
                false => self.test(name, GateKind::NonInferiority, &rail.metric, rail.margin),
            }
        });
        let fixed = self.evidence().into_iter().chain(self.dataset_limits()).chain(self.window_limits());
        std::iter::once(primary).chain(guardrails).chain(fixed.map(Asked::fixed)).collect()
    }

    fn test(&self, name: String, kind: GateKind, metric: &str, margin: f64) -> Asked {
        let pairs = self.finite(metric);
        let name = self.titled(name);
        if pairs.is_empty() {
            let reason = format!("No dataset has a usable {metric} of both {} and {}.", self.candidate, self.name);
            return Asked::fixed(Gate { name, kind, metric: metric.to_owned(), reason, ..blank() });
        }
        paired::test(Question { name: &name, kind, metric, baseline: self.name, margin }, &pairs, self.policy)
    }

    fn limit(&self, name: String, metric: &str, margin: f64, pairs: &[Pair]) -> Gate {
        let name = self.titled(name);
        paired::limit(Question { name: &name, kind: GateKind::Limit, metric, baseline: self.name, margin }, pairs)
    }

    fn titled(&self, name: String) -> String {
        if self.is_only { name } else { format!("{name} v {}", self.name) }
    }

    /// The tasks on which both have a finite score of the metric.
    fn finite(&self, metric: &str) -> Vec<Pair> {
        let Ok(score) = measure(metric) else { return Vec::new() };
        let pair = |task: &Task| {
            Some(Pair {
                cluster: task.dataset.clone(),
                part: benchmark::task_name(&task.dataset, task.window.as_deref()),
                candidate: score(&task.candidate).finite()?,
                baseline: score(&task.baseline).finite()?,
                rows: task.candidate.n_samples.unwrap_or(1),
            })
        };
        self.pairs.tasks.iter().filter_map(pair).collect()
    }

    fn dataset_limits(&self) -> Vec<Gate> {
        let Limit(Some(limit)) = self.policy.dataset_limit else { return Vec::new() };
        let pairs = self.finite(&self.policy.metric);
        let datasets = paired::by_cluster(&pairs);
        let gate = |(dataset, own): (&&str, &Vec<Pair>)| {
            self.limit(format!("dataset: {dataset}"), &self.policy.metric, limit, own)
        };
        datasets.iter().map(gate).collect()
    }

    fn window_limits(&self) -> Vec<Gate> {
        let Limit(Some(limit)) = self.policy.window_limit else { return Vec::new() };
        let pairs = self.finite(&self.policy.metric);
        let gate = |pair: &Pair| {
            self.limit(format!("window: {}", pair.part), &self.policy.metric, limit, std::slice::from_ref(pair))
        };
        windows(&pairs).map(gate).collect()
    }

    /// What the candidate has no usable result for, though the baseline has: it never wins there.
    fn evidence(&self) -> Vec<Gate> {
        let absent = self.pairs.only_in_baseline.iter().chain(&self.pairs.missing_required);
        let absent = absent.map(Absent::sentence).collect::<BTreeSet<_>>();
        let failed = self.pairs.tasks.iter().filter_map(|task| self.failure(task));
        let gates = absent.into_iter().map(|reason| (Outcome::Fail, reason)).chain(failed);
        gates.enumerate().map(|(index, (outcome, reason))| self.evidence_gate(index, outcome, reason)).collect()
    }

    fn evidence_gate(&self, index: usize, outcome: Outcome, reason: String) -> Gate {
        Gate {
            name: self.titled(format!("evidence {}", index + 1)),
            kind: GateKind::Evidence,
            metric: self.policy.metric.clone(),
            baseline: Some(self.name.to_owned()),
            outcome,
            reason,
            ..blank()
        }
    }

    /// A score of the primary metric that cannot be used: the candidate's failure rejects, the baseline's leaves it open.
    fn failure(&self, task: &Task) -> Option<(Outcome, String)> {
        let score = measure(&self.policy.metric).ok()?;
        let name = benchmark::task_name(&task.dataset, task.window.as_deref());
        let metric = &self.policy.metric;
        match (score(&task.candidate), score(&task.baseline)) {
            (Score::Failed { text, place }, _) => Some((
                Outcome::Fail,
                format!("{}'s {metric} on {name} is {text}: a failed result never wins; see {place}.", self.candidate),
            )),
            (_, Score::Failed { text, place }) => Some((
                Outcome::Undecided,
                format!("{}'s {metric} on {name} is {text}, nothing to compare with; see {place}.", self.name),
            )),
            (Score::Inflated { ratio, place }, _) | (_, Score::Inflated { ratio, place }) => Some((
                Outcome::Undecided,
                format!(
                    "the {metric} on {name} is {ratio:.0} times the actual: zeros among the actuals inflate it ({place}); judge \
                     this dataset by --metric rmse or mae."
                ),
            )),
            _ => None,
        }
    }
}

/// Pairs that are one of several windows of their dataset.
fn windows(pairs: &[Pair]) -> impl Iterator<Item = &Pair> {
    pairs.iter().filter(|pair| pair.part != pair.cluster)
}

fn evidence(pairs: &[Pair], sets: &[&BenchmarkSet]) -> Evidence {
    let names: Vec<&str> =
        windows(pairs).filter_map(|pair| pair.part.rsplit_once('@')).map(|(_, window)| window).collect();
    let span =
        names.iter().min().zip(names.iter().max()).map(|(first, last)| ((*first).to_owned(), (*last).to_owned()));
    Evidence {
        kind: EvidenceKind::Benchmark,
        n: paired::counts(pairs),
        horizon: None,
        span,
        checks: None,
        notes: sets.iter().flat_map(|set| set.notes.clone()).collect(),
    }
}
