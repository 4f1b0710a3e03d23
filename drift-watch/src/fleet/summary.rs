//! What a partition publishes of itself, and the view of the fleet that these make.
//!
//! Sums are merged, not means, so that a metric of the fleet is that of all its pairs. False discoveries are controlled over all series (e-BH) though
//! few e-values travel: one below `1 / alpha` is never rejected, so a partition sends those above and the number of all.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use shared::metric::Metric;

use super::partition::word;
use super::state::Partition;
use crate::core::board::Board;
use crate::core::bucket::Bucket;
use crate::core::engine::Engine;
use crate::core::fleet::e_bh_among;
use crate::core::step::EVERYONE;
use crate::core::summary::METRICS;
use crate::core::tally::Tally;
use crate::core::time::text;
use crate::core::verdicts;
use crate::core::watched::Watched;
use crate::view::{FeedView, MetricView, ModelView, SCHEMA, SeriesView, View};

/// Series that a partition names of a model, at the most, besides those that have changed.
const WORST: usize = 20;

/// What a partition publishes of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// The partition.
    pub partition: u32,
    /// The epoch of its owner; a summary of an earlier one is no longer true.
    pub epoch: u64,
    /// Its owner.
    pub owner: String,
    /// The last message that is part of it.
    pub sequence: u64,
    /// The newest `observed_at`.
    pub time: Option<String>,
    /// Records taken in.
    pub records: u64,
    /// Records that came again.
    pub repeats: u64,
    /// Records that came later than disorder is allowed.
    pub late: u64,
    /// Records that wait for earlier ones.
    pub waiting: u64,
    /// Messages of the stream that are not applied yet.
    pub behind: u64,
    /// Versions of models.
    pub models: Vec<ModelSummary>,
    /// What was odd about records.
    pub faults: BTreeMap<String, u64>,
}

/// A version of a model in a partition.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelSummary {
    /// As the page shows it, without metrics.
    pub view: ModelView,
    /// Level of its intervals in percent.
    pub level_percent: f64,
    /// The window of the sums.
    pub window: String,
    /// The sums over all its series in the window, by bucket of horizons.
    pub tallies: BTreeMap<String, Tally>,
    /// The same of the baselines.
    pub baselines: BTreeMap<String, Tally>,
    /// How near the detectors of all its series are to their limits.
    pub evidence: Vec<Evidence>,
    /// Series with an e-value.
    pub tested: u64,
    /// E-values that may be rejected.
    pub e_values: Vec<(String, f64)>,
}

/// How near a detector is to its limit, both as powers of ten.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The metric that it watches.
    pub metric: String,
    /// The bucket of horizons.
    pub horizon: String,
    /// The evidence.
    pub evidence_log10: f64,
    /// Where it becomes an alarm of the partition.
    pub limit_log10: f64,
}

impl Summary {
    /// What there is to say of one of so many partitions; who says it is filled in by its owner.
    pub fn of(partition: u32, n_partitions: u32, state: &Partition) -> Self {
        let engine = &state.saved.engine;
        let view = engine.view();
        Self {
            partition,
            sequence: state.sequence,
            time: engine.time.map(text),
            records: state.records,
            repeats: state.repeats,
            late: state.late,
            waiting: state.order.len() as u64,
            models: engine
                .sorted_boards()
                .into_iter()
                .zip(view.models)
                .map(|(board, view)| model(engine, board, n_partitions, view))
                .collect(),
            faults: view.faults,
            ..Self::default()
        }
    }
}

fn model(engine: &Engine, board: &Board, n_partitions: u32, mut view: ModelView) -> ModelSummary {
    let evidence = std::mem::take(&mut view.metrics).into_iter().filter_map(evidence).collect();
    view.promise = engine.promise(board, n_partitions);
    view.drivers.clear();
    view.worst_series.truncate(WORST);
    let (tested, e_values) = e_values(engine, board);
    ModelSummary {
        view,
        level_percent: board.level_percent,
        window: format!("{} steps", engine.settings.window_steps),
        tallies: tallies(board, engine.settings.window_steps),
        baselines: baselines(board),
        evidence,
        tested,
        e_values,
    }
}

fn evidence(view: MetricView) -> Option<Evidence> {
    let (evidence_log10, limit_log10) = (view.evidence_log10?, view.limit_log10?);
    (view.group == "all").then_some(Evidence {
        metric: view.metric,
        horizon: view.horizon,
        evidence_log10,
        limit_log10,
    })
}

fn baselines(board: &Board) -> BTreeMap<String, Tally> {
    let learned = |(bucket, watched): (&Bucket, &Watched)| Some((bucket.to_string(), watched.learned.as_ref()?.tally));
    board.buckets.iter().filter_map(learned).collect()
}

fn tallies(board: &Board, window_steps: usize) -> BTreeMap<String, Tally> {
    let mut all: BTreeMap<String, Tally> = BTreeMap::new();
    for step in board.newest(window_steps).iter().filter_map(|target| board.steps.get(target)) {
        for ((bucket, _), tally) in step.cells.iter().filter(|((_, group), _)| *group == EVERYONE) {
            all.entry(bucket.to_string()).or_default().merge(tally);
        }
    }
    all
}

/// How many series have an e-value, the mean over its buckets; and those that may be rejected.
fn e_values(engine: &Engine, board: &Board) -> (u64, Vec<(String, f64)>) {
    let all = verdicts::e_values(board);
    let least = 1.0 / engine.settings.fdr_ratio;
    let large = all.iter().filter(|(_, e_value)| *e_value >= least);
    let named = large.map(|(series, e_value)| (engine.names.name(*series).to_owned(), *e_value));
    (all.len() as u64, named.collect())
}

/// The view of the fleet: models and metrics over all partitions. What belongs to the replica that shows it is filled in by that.
pub fn merged(summaries: &[Summary], fdr_ratio: f64) -> View {
    let mut parts: BTreeMap<(&str, &str), Vec<&ModelSummary>> = BTreeMap::new();
    for model in summaries.iter().flat_map(|summary| &summary.models) {
        parts.entry((&model.view.model, &model.view.version)).or_default().push(model);
    }
    let mut faults: BTreeMap<String, u64> = BTreeMap::new();
    for (name, n) in summaries.iter().flat_map(|summary| &summary.faults) {
        *faults.entry(name.clone()).or_default() += n;
    }
    let sum = |of: fn(&Summary) -> u64| summaries.iter().map(of).sum::<u64>();
    faults.insert("stream_repeated".to_owned(), sum(|summary| summary.repeats));
    faults.insert("stream_late".to_owned(), sum(|summary| summary.late));
    View {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: summaries.iter().filter_map(|summary| summary.time.clone()).max(),
        models: parts.into_values().map(|parts| one_model(&parts, fdr_ratio)).collect(),
        feeds: summaries.iter().map(feed).collect(),
        faults,
        ..View::default()
    }
}

fn one_model(parts: &[&ModelSummary], fdr_ratio: f64) -> ModelView {
    let sum = |of: fn(&ModelView) -> u64| parts.iter().map(|part| of(&part.view)).sum();
    let newest = |of: fn(&ModelView) -> &Option<String>| parts.iter().filter_map(|part| of(&part.view).clone()).max();
    let Some(worst) = parts.iter().map(|part| &part.view).min_by_key(|view| view.standing) else {
        return ModelView::default();
    };
    let shares = parts.iter().filter_map(|part| Some((part.view.completeness_ratio?, part.view.series as f64)));
    let (share, weight) = shares.fold((0.0, 0.0), |(sum, n), (share, weight)| (sum + share * weight, n + weight));
    ModelView {
        series: sum(|view| view.series),
        warming_series: sum(|view| view.warming_series),
        open_predictions: sum(|view| view.open_predictions),
        steps: parts.iter().map(|part| part.view.steps).max().unwrap_or(0),
        last_step: newest(|view| &view.last_step),
        last_issued: newest(|view| &view.last_issued),
        completeness_ratio: (weight > 0.0).then(|| share / weight),
        metrics: metrics(parts),
        worst_series: series(parts, fdr_ratio),
        ..worst.clone()
    }
}

fn metrics(parts: &[&ModelSummary]) -> Vec<MetricView> {
    let Some(first) = parts.first() else { return Vec::new() };
    let (tallies, baselines) = (summed(parts, |part| &part.tallies), summed(parts, |part| &part.baselines));
    let one = |bucket: &str, tally: &Tally, metric: Metric| {
        let (value, n) = tally.metric(metric, first.level_percent);
        let nearest = nearest(parts, bucket, metric);
        (n > 0).then(|| MetricView {
            metric: metric.key().to_owned(),
            horizon: bucket.to_owned(),
            group: "all".to_owned(),
            window: first.window.clone(),
            value,
            n,
            baseline: baselines.get(bucket).and_then(|baseline| baseline.metric(metric, first.level_percent).0),
            evidence_log10: nearest.map(|evidence| evidence.evidence_log10),
            limit_log10: nearest.map(|evidence| evidence.limit_log10),
            history: Vec::new(),
        })
    };
    let of_bucket = |(bucket, tally)| METRICS.into_iter().filter_map(move |metric| one(bucket, tally, metric));
    tallies.iter().flat_map(|(bucket, tally)| of_bucket((*bucket, tally))).collect()
}

fn summed<'a>(
    parts: &[&'a ModelSummary],
    of: fn(&ModelSummary) -> &BTreeMap<String, Tally>,
) -> BTreeMap<&'a str, Tally> {
    let mut all: BTreeMap<&str, Tally> = BTreeMap::new();
    for (bucket, tally) in parts.iter().flat_map(|part| of(part)) {
        all.entry(bucket).or_default().merge(tally);
    }
    all
}

/// The detector that is nearest to its limit, of all partitions.
fn nearest<'a>(parts: &[&'a ModelSummary], bucket: &str, metric: Metric) -> Option<&'a Evidence> {
    let all = parts.iter().flat_map(|part| &part.evidence);
    let own = all.filter(|evidence| evidence.horizon == bucket && evidence.metric == metric.key());
    own.max_by(|a, b| (a.evidence_log10 - a.limit_log10).total_cmp(&(b.evidence_log10 - b.limit_log10)))
}

/// The worst series of all partitions; discoveries among all series that were tested.
fn series(parts: &[&ModelSummary], fdr_ratio: f64) -> Vec<SeriesView> {
    let named: Vec<&(String, f64)> = parts.iter().flat_map(|part| &part.e_values).collect();
    let e_values: Vec<f64> = named.iter().map(|(_, e)| *e).collect();
    let tested: u64 = parts.iter().map(|part| part.tested).sum();
    let rejected = e_bh_among(&e_values, tested as f64, fdr_ratio);
    let discovered: BTreeSet<&str> =
        named.iter().zip(rejected).filter(|(_, rejected)| *rejected).map(|((name, _), _)| name.as_str()).collect();
    let mut all: Vec<SeriesView> = parts.iter().flat_map(|part| part.view.worst_series.clone()).collect();
    all.iter_mut().for_each(|series| series.discovered = discovered.contains(series.series.as_str()));
    all.sort_by(|a, b| {
        let key = |series: &SeriesView| series.evidence_log10.unwrap_or(f64::NEG_INFINITY);
        key(b).total_cmp(&key(a)).then_with(|| a.series.cmp(&b.series))
    });
    all
}

fn feed(summary: &Summary) -> FeedView {
    FeedView {
        name: format!("nats {}", word(summary.partition)),
        kind: "partition".to_owned(),
        healthy: true,
        reason: format!("{} waiting, {} behind, at {}", summary.waiting, summary.behind, summary.owner),
        newest: summary.time.clone(),
        records: summary.records,
        ..FeedView::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pair::Pair;

    fn tally(pairs: &[(f64, f64)]) -> BTreeMap<String, Tally> {
        let mut tally = Tally::default();
        pairs.iter().for_each(|&(y, y_hat)| tally.add(&Pair { y, y_hat, interval: None, last: None }, None, 90.0));
        [("1".to_owned(), tally)].into()
    }

    fn partition(now: &[(f64, f64)], baseline: &[(f64, f64)], evidence_log10: f64, limit_log10: f64) -> Summary {
        let evidence =
            Evidence { metric: Metric::Mape.key().to_owned(), horizon: "1".to_owned(), evidence_log10, limit_log10 };
        let model = ModelSummary {
            level_percent: 90.0,
            tallies: tally(now),
            baselines: tally(baseline),
            evidence: vec![evidence],
            ..ModelSummary::default()
        };
        Summary { models: vec![model], ..Summary::default() }
    }

    #[test]
    fn metrics_and_baselines_are_those_of_all_pairs_and_the_nearest_detector_speaks() {
        let parts = [
            partition(&[(10.0, 11.0), (10.0, 12.0)], &[(10.0, 11.0)], 2.0, 7.0),
            partition(&[(20.0, 14.0)], &[(20.0, 19.0), (10.0, 10.0)], 1.5, 5.0),
        ];
        let view = merged(&parts, 0.05);
        let mape = view.models[0].metrics.iter().find(|view| view.metric == Metric::Mape.key()).unwrap();
        // By hand: (0.1 + 0.2 + 0.3) / 3, and (0.1 + 0.05 + 0) / 3.
        assert!((mape.value.unwrap() - 0.2).abs() < 1e-15 && (mape.baseline.unwrap() - 0.05).abs() < 1e-15);
        assert_eq!((mape.n, mape.evidence_log10, mape.limit_log10), (3, Some(1.5), Some(5.0)));
        let bias = view.models[0].metrics.iter().find(|view| view.metric == Metric::Bias.key()).unwrap();
        assert_eq!((bias.n, bias.evidence_log10), (3, None));
    }
}
