//! Gates on a forecast table: clustered by series and cutoff, valid where windows overlap.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use shared::cli::{Context, note};
use shared::format::sufficient::{Group, Panel, Sufficient};
use shared::format::verdict::{AaCheck, Counts, Evidence, EvidenceKind, Gate, Influence, Outcome, Part, Power};
use shared::stats::clustered::{self, Options, SeriesPolicy, Timeline, Undecidable};
use shared::{Error, Result};

use crate::gate::answer::{self, Tested};
use crate::gate::args::{Args, SeriesAre};
use crate::gate::asked::Asked;
use crate::gate::policy::Policy;
use crate::gate::question::{self, Question};
use crate::gate::{Judged, aa, blank};
use crate::load::forecasts::{CacheArgs, ColumnMap, Loaded, Opened, Request};

/// The candidate's place among the models of the table; the baselines follow in the order given.
const CANDIDATE: usize = 0;
/// Level in percent of intervals where the table has none.
const USUAL_LEVEL: f64 = 90.0;
/// The power that the outlook speaks of.
const POWER: f64 = 0.8;
/// More series or cutoffs than this are not left out one by one.
const MOST_LEFT_OUT: usize = 500;

/// Reads the table and answers every question of the policy.
///
/// # Errors
/// Of the reader; a metric that a forecast table does not know; no model named.
pub(super) fn judge(args: &Args, policy: &Policy, context: &Context) -> anyhow::Result<Judged> {
    let mut request = request(args, policy, models(args)?)?;
    let mut files = Opened::open(&request, &args.sufficient)?;
    check_season(args, &files)?;
    files.rename_models(|column, name| context.config.same(column, name));
    let level = files.levels().last().copied().unwrap_or(USUAL_LEVEL);
    let baselines = baselines(args, files.models());
    let questions = question::all(policy, &baselines, level)?;
    request.measures = question::measures(&questions);
    let Loaded { sufficient: table, inputs, remarks } = files.read(&request)?;
    remarks.iter().for_each(|text| note(&format!("note: {text}")));
    let asked = questions.iter().map(|question| ask(question, &table, policy)).collect();
    Ok(Judged {
        candidate: table.models[CANDIDATE].clone(),
        baselines: baselines.into_iter().map(|(_, name)| name).collect(),
        asked,
        evidence: evidence(&table),
        series: parts(&table, &questions[0], |panel, cell| panel.series[cell], |i| table.series[i as usize].clone()),
        windows: parts(
            &table,
            &questions[0],
            |panel, cell| panel.cutoffs[cell],
            |i| table.cutoffs[i as usize].label.clone(),
        ),
        influence: influence(&questions[0], &table, policy),
        power: power(&questions[0], &table, policy),
        aa: aa(args, &questions[0], &table, policy),
        inputs,
    })
}

/// The policy states the season, so it must be that of the query which made the sums.
fn check_season(args: &Args, files: &Opened) -> Result<()> {
    match files.season().filter(|season| *season != args.season) {
        Some(season) => {
            let found = format!("--season {}, but the query of the statistics has {season}", args.season);
            Err(Error::incomparable(found, "the same").with_help(format!("state --season {season}")))
        }
        None => Ok(()),
    }
}

/// The candidate, then the baselines.
fn models(args: &Args) -> Result<Vec<String>> {
    let missing = |flag: &str| {
        Error::usage(format!("no model was named with {flag}"), "the name of a column of the table")
            .with_help("bench-compare score FILE lists the models of a table")
    };
    let candidate = args.candidate_model.clone().ok_or_else(|| missing("--candidate-model"))?;
    if args.baseline_model.is_empty() {
        return Err(missing("--baseline-model"));
    }
    let others = args.baseline_model.iter().filter(|name| **name != candidate).cloned();
    Ok(std::iter::once(candidate.clone()).chain(others).collect())
}

/// Each baseline's place among the models, and its name: that of the candidate where it is compared with itself.
fn baselines(args: &Args, models: &[String]) -> Vec<(usize, String)> {
    let mut next = CANDIDATE;
    let place = |name: &String| {
        let is_candidate = Some(name) == args.candidate_model.as_ref();
        next += usize::from(!is_candidate);
        let place = if is_candidate { CANDIDATE } else { next };
        (place, models[place].clone())
    };
    args.baseline_model.iter().map(place).collect()
}

fn request(args: &Args, policy: &Policy, models: Vec<String>) -> Result<Request> {
    Ok(Request {
        files: args.forecasts.clone(),
        train: args.train.clone(),
        columns: if args.map.is_empty() { ColumnMap::default() } else { ColumnMap::parse(&args.map.join(","))? },
        models,
        slices: policy.slices.clone(),
        season: args.season,
        max_unpaired: args.max_unpaired,
        allow_identical_duplicates: args.allow_identical_duplicates,
        cache: CacheArgs { cache: args.cache.clone(), cache_rehash: args.cache_rehash }.request(),
        ..Request::default()
    })
}

/// Answers one question. Pure.
fn ask(question: &Question, table: &Sufficient, policy: &Policy) -> Asked {
    let group = group(table, question);
    let gate = describe(question, table, group);
    if identical(table, question) {
        return Asked::fixed(Gate { outcome: Outcome::Identical, estimate: Some(0.0), ..gate });
    }
    if let Some(reason) = too_little(&gate, policy) {
        return Asked::fixed(Gate { outcome: Outcome::Undecided, reason, ..gate });
    }
    match ready(question, table, group, policy).and_then(|panel| question.effect.question(&panel)) {
        Ok(asked) => answer(question, gate, &asked, policy),
        Err(undecidable) => Asked::fixed(Gate { outcome: Outcome::Undecided, reason: sentence(&undecidable), ..gate }),
    }
}

fn answer(question: &Question, mut gate: Gate, asked: &clustered::Question, policy: &Policy) -> Asked {
    let tested = test(question, asked);
    let interval = asked.interval(policy.confidence);
    let ends = [interval.lower, interval.upper].map(|value| question.effect.at(value));
    gate.outcome = answer::outcome(tested, question.margin, policy);
    gate.estimate = Some(tested.estimate);
    gate.interval = Some(ends).filter(|ends| ends.iter().all(|end| end.is_finite()));
    gate.p_value = Some(tested.p_below);
    gate.df = Some(asked.test(question.effect.threshold(question.margin)).df);
    Asked { gate, p_above: Some(tested.p_above) }
}

fn test(question: &Question, asked: &clustered::Question) -> Tested {
    let found = asked.test(question.effect.threshold(question.margin));
    Tested { estimate: question.effect.at(asked.estimate()), p_below: found.p_less, p_above: found.p_greater }
}

/// The panel of a question's cells, ready to be asked.
fn ready(
    question: &Question,
    table: &Sufficient,
    group: &Group,
    policy: &Policy,
) -> Result<clustered::Panel, Undecidable> {
    let cells = question.effect.cells(table, &group.panel, CANDIDATE, question.baseline);
    clustered::Panel::new(&cells, &timeline(table), options(policy))
}

fn sentence(undecidable: &Undecidable) -> String {
    let text = undecidable.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

fn options(policy: &Policy) -> Options {
    let series = match policy.series {
        SeriesAre::Sampled => SeriesPolicy::Sampled,
        SeriesAre::Fixed => SeriesPolicy::Fixed,
    };
    Options { series, min_windows: policy.min_windows }
}

fn timeline(table: &Sufficient) -> Timeline {
    let positions = table.cutoffs.iter().map(|cutoff| cutoff.position).collect();
    Timeline { positions, horizon: f64::from(table.horizon) }
}

fn describe(question: &Question, table: &Sufficient, group: &Group) -> Gate {
    let value = |model| question.effect.value(table, &group.panel, model);
    Gate {
        name: question.name.clone(),
        kind: question.kind,
        metric: question.metric.clone(),
        slice: question.slice.clone(),
        baseline: question.effect.needs_baseline().then(|| table.models[question.baseline].clone()),
        candidate_value: value(CANDIDATE),
        baseline_value: question.effect.needs_baseline().then(|| value(question.baseline)).flatten(),
        scale: question.effect.scale(),
        margin: Some(question.margin),
        n: counts(table, &group.panel),
        ..blank()
    }
}

fn group<'a>(table: &'a Sufficient, question: &Question) -> &'a Group {
    let wanted = question.slice.as_deref().unwrap_or("all");
    table.groups.iter().find(|group| group.name == wanted).unwrap_or(&table.groups[0])
}

/// Whether candidate and baseline have the same sums of errors, absolute and squared errors in every cell.
fn identical(table: &Sufficient, question: &Question) -> bool {
    let (models, measures) = (table.models.len(), table.measures.len());
    let panel = &table.groups[0].panel;
    let columns: Vec<usize> =
        (0..measures).filter(|&m| question::identity_measures().contains(&table.measures[m])).collect();
    let sum = |cell: usize, model: usize, measure: usize| panel.sums[(cell * models + model) * measures + measure];
    let same = |cell| columns.iter().all(|&m| sum(cell, CANDIDATE, m) == sum(cell, question.baseline, m));
    question.effect.needs_baseline() && !panel.rows.is_empty() && (0..panel.rows.len()).all(same)
}

/// What is missing before anything can be said.
fn too_little(gate: &Gate, policy: &Policy) -> Option<String> {
    let scope = gate.slice.as_ref().map_or_else(String::new, |slice| format!(" where {slice}"));
    let short = |found: u64, wanted: u64, what: &str| {
        (found < wanted).then(|| format!("{found} {what}{scope}, at least {wanted} are asked for"))
    };
    short(gate.n.rows, policy.min_rows, "paired rows")
        .or_else(|| short(gate.n.series, policy.min_series, "series"))
        .or_else(|| {
            gate.candidate_value.is_none().then(|| format!("the {} of the candidate is undefined{scope}", gate.metric))
        })
}

fn counts(table: &Sufficient, panel: &Panel) -> Counts {
    let cutoffs = distinct(&panel.cutoffs);
    let position = |index: &u32| table.cutoffs[*index as usize].position;
    let span = cutoffs.last().map_or(0.0, position) - cutoffs.first().map_or(0.0, position);
    Counts {
        rows: panel.rows.iter().map(|&rows| u64::from(rows)).sum(),
        series: distinct(&panel.series).len() as u64,
        cutoffs: cutoffs.len() as u64,
        independent_windows: if cutoffs.is_empty() { 0.0 } else { span / f64::from(table.horizon.max(1)) + 1.0 },
    }
}

fn distinct(indices: &[u32]) -> Vec<u32> {
    indices.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

fn evidence(table: &Sufficient) -> Evidence {
    Evidence {
        kind: EvidenceKind::Forecasts,
        n: counts(table, &table.groups[0].panel),
        horizon: Some(table.horizon),
        span: table.span.clone(),
        checks: Some(table.checks.clone()),
        notes: table.notes.clone(),
    }
}

/// The primary metric by series or by cutoff, worst for the candidate first.
fn parts(
    table: &Sufficient,
    question: &Question,
    key: impl Fn(&Panel, usize) -> u32,
    name: impl Fn(u32) -> String,
) -> Vec<Part> {
    let panel = &table.groups[0].panel;
    let mut cells: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for cell in 0..panel.rows.len() {
        cells.entry(key(panel, cell)).or_default().push(cell);
    }
    let mut parts: Vec<Part> =
        cells.iter().map(|(&index, own)| part(table, question, &panel.subset(own), name(index))).collect();
    parts.sort_by(|a, b| b.estimate.unwrap_or(f64::NEG_INFINITY).total_cmp(&a.estimate.unwrap_or(f64::NEG_INFINITY)));
    parts
}

fn part(table: &Sufficient, question: &Question, panel: &Panel, name: String) -> Part {
    let effect = question.effect;
    let candidate_value = effect.value(table, panel, CANDIDATE);
    let baseline_value = effect.needs_baseline().then(|| effect.value(table, panel, question.baseline)).flatten();
    let estimate = candidate_value.and_then(|candidate| effect.between(candidate, baseline_value));
    Part { name, rows: panel.rows.iter().map(|&n| u64::from(n)).sum(), candidate_value, baseline_value, estimate }
}

/// The answer to the primary question without one series or cutoff.
struct Without {
    part: String,
    estimate: Option<f64>,
    outcome: Option<Outcome>,
}

/// Leaves out each series and each cutoff in turn and asks the primary question again.
fn influence(question: &Question, table: &Sufficient, policy: &Policy) -> Option<Influence> {
    let whole = ready(question, table, &table.groups[0], policy).ok()?;
    let (estimate, outcome) = ask_again(question, &whole, policy)?;
    let left_out = leave_one_out(question, table, &whole, policy);
    let moved = |without: &&Without| without.estimate.map_or(0.0, |value| (value - estimate).abs());
    let strongest = left_out.iter().max_by(|a, b| moved(a).total_cmp(&moved(b)));
    let changed = left_out.iter().filter(|without| without.outcome != Some(outcome));
    let changed_by: Vec<String> = changed.map(|without| without.part.clone()).collect();
    Some(Influence {
        stable: changed_by.is_empty(),
        changed_by,
        strongest: strongest.map(|without| without.part.clone()),
        estimate_without_strongest: strongest.and_then(|without| without.estimate),
    })
}

fn leave_one_out(question: &Question, table: &Sufficient, whole: &clustered::Panel, policy: &Policy) -> Vec<Without> {
    let again = |part: String, panel: Result<clustered::Panel, Undecidable>| {
        let answer = panel.ok().and_then(|panel| ask_again(question, &panel, policy));
        Without { part, estimate: answer.map(|(estimate, _)| estimate), outcome: answer.map(|(_, outcome)| outcome) }
    };
    let (series, cutoffs) = (few(whole.series()), few(whole.cutoffs().iter().copied()));
    let series =
        series.into_par_iter().map(|i| again(format!("series {}", table.series[i as usize]), whole.without_series(i)));
    let cutoffs = cutoffs
        .into_par_iter()
        .map(|i| again(format!("cutoff {}", table.cutoffs[i as usize].label), whole.without_cutoff(i)));
    series.chain(cutoffs).collect()
}

/// The indices, or none where there are too many to leave out one by one.
fn few(indices: impl Iterator<Item = u32>) -> Vec<u32> {
    let indices: Vec<u32> = indices.collect();
    if indices.len() <= MOST_LEFT_OUT { indices } else { Vec::new() }
}

fn ask_again(question: &Question, panel: &clustered::Panel, policy: &Policy) -> Option<(f64, Outcome)> {
    let tested = test(question, &question.effect.question(panel).ok()?);
    Some((tested.estimate, answer::outcome(tested, question.margin, policy)))
}

/// What this much evidence could show, and how many further cutoffs the present estimate would take.
fn power(question: &Question, table: &Sufficient, policy: &Policy) -> Option<Power> {
    let panel = ready(question, table, &table.groups[0], policy).ok()?;
    let asked = question.effect.question(&panel).ok()?;
    let threshold = question.effect.threshold(question.margin);
    let outlook = asked.outlook(threshold, policy.alpha, POWER);
    let detectable = threshold - asked.in_units_of_margin(outlook.detectable);
    let better = asked.estimate() < threshold;
    Some(Power {
        target: POWER,
        detectable_effect: Some(question.effect.at(detectable)).filter(|e| e.is_finite()),
        further_cutoffs: outlook.further_cutoffs.filter(|_| better).map(|n| n as u64),
        reason: String::new(),
    })
}

/// The gate held against itself, where it is asked for.
fn aa(args: &Args, question: &Question, table: &Sufficient, policy: &Policy) -> Option<AaCheck> {
    let cells = question.effect.cells(table, &table.groups[0].panel, CANDIDATE, question.baseline);
    args.aa.then(|| aa::check(&cells, &timeline(table), options(policy), policy.alpha, args.seed)).flatten()
}
