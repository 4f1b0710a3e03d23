//! Gates on a result table: candidate and baseline paired by task.

use shared::cli::Context;
use shared::format::verdict::{Evidence, EvidenceKind, Gate, GateKind, Outcome};
use shared::{Error, Result};

use crate::gate::args::Args;
use crate::gate::asked::Asked;
use crate::gate::paired::{self, Pair, Question};
use crate::gate::policy::Policy;
use crate::gate::{Judged, blank};
use crate::load::results::{Options, ResultTable, Score, read};

/// Most failed tasks that a sentence names.
const NAMED: usize = 3;

/// Reads the tables and answers every question of the policy.
///
/// # Errors
/// Of the reader; a model or metric that the tables do not have; slices, which need a forecast table.
pub(super) fn judge(args: &Args, policy: &Policy, _context: &Context) -> anyhow::Result<Judged> {
    refuse_slices(policy)?;
    let table = read(&args.results, &options(args, policy)?)?;
    let candidate = model(&table, args.candidate_model.as_deref(), "--candidate-model")?;
    let baselines = args.baseline_model.iter().map(|name| model(&table, Some(name), "--baseline-model"));
    let baselines = baselines.collect::<Result<Vec<usize>>>()?;
    if baselines.is_empty() {
        return Err(Error::usage("no baseline was named", "--baseline-model NAME").into());
    }
    let by_family = args.families.is_some();
    let asked = baselines
        .iter()
        .flat_map(|&b| against(&table, (candidate, b), baselines.len() == 1, policy, by_family))
        .collect();
    let pairs = pairs(&table, 0, candidate, baselines[0], by_family);
    Ok(Judged {
        candidate: table.models[candidate].clone(),
        baselines: baselines.iter().map(|&b| table.models[b].clone()).collect(),
        asked,
        evidence: Evidence {
            kind: EvidenceKind::Results,
            n: paired::counts(&pairs),
            horizon: None,
            span: None,
            checks: None,
            notes: table.notes.clone(),
        },
        series: paired::parts(pairs.iter().map(|pair| (pair.part.as_str(), std::slice::from_ref(pair)))),
        windows: Vec::new(),
        influence: None,
        power: None,
        aa: None,
        inputs: table.inputs,
    })
}

fn refuse_slices(policy: &Policy) -> Result<()> {
    if policy.slices.is_empty() {
        return Ok(());
    }
    let error = Error::usage("--slice with a result table, which has one score for each task", "a forecast table");
    Err(error.with_help("name the rows with --forecasts"))
}

fn options(args: &Args, policy: &Policy) -> Result<Options> {
    let guardrails = policy.guardrails.iter().map(|guardrail| guardrail.metric.clone());
    let map = if args.map.is_empty() { None } else { Some(args.map.join(",").parse().map_err(malformed)?) };
    Ok(Options {
        metrics: std::iter::once(policy.metric.clone()).chain(guardrails).collect(),
        map,
        family_column: args.families.clone(),
        allow_identical: args.allow_identical_duplicates,
        ..Options::default()
    })
}

fn malformed(found: String) -> Error {
    Error::usage(format!("--map: {found}"), "for example model=algo,task=data,metric=mae")
}

fn model(table: &ResultTable, name: Option<&str>, flag: &str) -> Result<usize> {
    let name = name.ok_or_else(|| Error::usage("no candidate was named", format!("{flag} NAME")))?;
    table.model(name).ok_or_else(|| {
        Error::usage(format!("{flag} {name:?} is in none of the files"), format!("one of {}", table.models.join(", ")))
    })
}

/// All gates against one baseline: what the candidate failed at, the primary metric, the guardrails.
fn against(table: &ResultTable, models: (usize, usize), is_only: bool, policy: &Policy, by_family: bool) -> Vec<Asked> {
    let (candidate, baseline) = models;
    let name = &table.models[baseline];
    let versus = if is_only { "" } else { &format!(" v {name}") };
    let ask = |index: usize, title: String, kind, metric: &str, margin| {
        let pairs = pairs(table, index, candidate, baseline, by_family);
        paired::test(Question { name: &title, kind, metric, baseline: name, margin }, &pairs, policy)
    };
    let primary = ask(0, "primary".to_owned() + versus, policy.kind(), &policy.metric, policy.primary_margin);
    let guardrails = policy.guardrails.iter().enumerate().map(|(index, rail)| {
        ask(
            index + 1,
            format!("guardrail: {}{versus}", rail.metric),
            GateKind::NonInferiority,
            &rail.metric,
            rail.margin,
        )
    });
    std::iter::once(primary).chain(guardrails).chain(failures(table, candidate, baseline)).collect()
}

fn pairs(table: &ResultTable, metric: usize, candidate: usize, baseline: usize, by_family: bool) -> Vec<Pair> {
    let paired = table.paired(metric, candidate, baseline);
    let losses = paired.candidate.iter().zip(&paired.baseline);
    let pair = |(&task, (&candidate, &baseline)): (&usize, (&f64, &f64))| {
        let task = &table.tasks[task];
        let cluster = if by_family { &task.family } else { &task.label };
        Pair { cluster: cluster.clone(), part: task.label.clone(), candidate, baseline, rows: 1 }
    };
    paired.tasks.iter().zip(losses).map(pair).collect()
}

/// A task that the baseline has a score for and the candidate has not: a failed result never wins.
fn failures(table: &ResultTable, candidate: usize, baseline: usize) -> Option<Asked> {
    let has = |model, task| matches!(table.score(0, model, task), Score::Value(_));
    let failed: Vec<usize> =
        (0..table.tasks.len()).filter(|&task| has(baseline, task) && !has(candidate, task)).collect();
    let first: Vec<String> = failed.iter().take(NAMED).map(|&task| describe(table, candidate, task)).collect();
    (!failed.is_empty()).then(|| {
        Asked::fixed(Gate {
            name: format!("evidence: results v {}", table.models[baseline]),
            kind: GateKind::Evidence,
            metric: table.metrics[0].clone(),
            baseline: Some(table.models[baseline].clone()),
            outcome: Outcome::Fail,
            reason: format!(
                "{} has no finite {} on {} of {} tasks where {} has one: {}.",
                table.models[candidate],
                table.metrics[0],
                failed.len(),
                table.tasks.len(),
                table.models[baseline],
                first.join(", ")
            ),
            ..blank()
        })
    })
}

fn describe(table: &ResultTable, candidate: usize, task: usize) -> String {
    let label = &table.tasks[task].label;
    match table.score(0, candidate, task) {
        Score::Failed(failure) => format!("{label} ({} at {})", failure.found, failure.place),
        _ => format!("{label} (absent)"),
    }
}
