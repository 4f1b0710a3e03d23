//! What the detectors of a version say: findings for each metric, and the sentence and the drivers of an alert.

use std::collections::BTreeMap;

use super::alerts::{Cause, Condition, Finding};
use super::attribution::{Part, split};
use super::board::{Board, pair};
use super::bucket::Bucket;
use super::detector::evidence::Change;
use super::detector::reference::Side;
use super::family::{self, Level, WATCHES};
use super::fleet::e_bh_among;
use super::history::Histories;
use super::learned::Learned;
use super::names::Names;
use super::score::{Score, Scores, raw_loss};
use super::series_watch::SeriesBaseline;
use super::settings::{Loss, Settings};
use super::step::EVERYONE;
use super::summary::METRICS;
use super::time::{Micros, text};
use crate::view::{DriverView, MeasureView};
use shared::metric::Metric;

/// An alert ends when all evidence has fallen below this part of its limit.
const CLEAR: f64 = 0.01;

/// Steps that an alert looks back on, where nothing says when the change began.
const USUAL_RUN: u64 = 7;

/// Findings that an alert lists, at the most.
const MOST_FINDINGS: usize = 50;

/// Parts that an alert lists, at the most, of each split.
const MOST_PARTS: usize = 200;

/// What the detectors of a version say of one score.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// Detectors whose evidence has reached its limit, strongest first.
    pub found: Vec<Found>,
    /// Whether all evidence is far below its limit.
    pub clear: bool,
}

/// A detector whose evidence has reached its limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    level: Level,
    group: u32,
    bucket: Bucket,
    side: Side,
    evidence: f64,
    limit: f64,
    run: u64,
}

impl Verdict {
    /// What it says of the condition "something has changed".
    pub fn condition(&self) -> Condition {
        match (self.found.is_empty(), self.clear) {
            (false, _) => Condition::Holds,
            (true, true) => Condition::Clear,
            (true, false) => Condition::Between,
        }
    }
}

/// The verdict on each score.
pub fn verdicts(board: &Board, names: &Names, settings: &Settings) -> [Verdict; Score::ALL.len()] {
    let mut all = [const { Verdict { found: Vec::new(), clear: true } }; Score::ALL.len()];
    for (bucket, watched) in &board.buckets {
        let Some(learned) = &watched.learned else { continue };
        let mut take = |place: usize, found: Found| {
            let verdict = &mut all[WATCHES[place].0.index()];
            verdict.clear &= found.evidence < CLEAR * found.limit;
            if found.evidence >= found.limit {
                verdict.found.push(found);
            }
        };
        let limit =
            |level, n, place: usize| family::limit(settings.promise_steps, level, n, watched.weight, WATCHES[place].2);
        let segments =
            learned.segments.iter().map(|(group, watches)| (*group, Level::Segment, learned.segments.len(), watches));
        for (group, level, n, watches) in std::iter::once((EVERYONE, Level::Model, 1, &learned.model)).chain(segments) {
            for (place, monitor) in watches.monitors.iter().enumerate() {
                let Some(monitor) = monitor else { continue };
                let (evidence, limit, run) = (monitor.evidence(), limit(level, n, place), monitor.run());
                take(place, Found { level, group, bucket: *bucket, side: WATCHES[place].1, evidence, limit, run });
            }
        }
        let limits: [f64; WATCHES.len()] =
            std::array::from_fn(|place| limit(Level::Series, learned.series.len(), place));
        for (group, series) in learned.series.iter() {
            for (place, evidence) in series.evidence().into_iter().enumerate() {
                let (side, limit) = (WATCHES[place].1, limits[place]);
                take(place, Found { level: Level::Series, group, bucket: *bucket, side, evidence, limit, run: 0 });
            }
        }
    }
    for verdict in &mut all {
        verdict.found.sort_by(|a, b| {
            let strength = |found: &Found| found.evidence / found.limit;
            // Evidence is cut off above its limit, so that ties are common; numbers of series depend on who arrived first.
            let place =
                |found: &Found| (found.level, found.bucket, name_of(found, board, names), found.side == Side::Above);
            strength(b).total_cmp(&strength(a)).then_with(|| place(a).cmp(&place(b)))
        });
    }
    all
}

/// The segment or series of a detector; empty for the model.
fn name_of<'a>(found: &Found, board: &'a Board, names: &'a Names) -> &'a str {
    match found.level {
        Level::Model => "",
        Level::Segment => board.segments.name(found.group),
        Level::Series => names.name(found.group),
    }
}

/// What one needs to explain an alert.
pub struct Explain<'a> {
    /// The version.
    pub board: &'a Board,
    /// Actuals by series.
    pub histories: &'a Histories,
    /// The names of series.
    pub names: &'a Names,
    /// What the core was told.
    pub settings: &'a Settings,
}

impl Explain<'_> {
    /// The cause of an alert on this score.
    pub fn cause(&self, score: Score, verdict: &Verdict, target: Micros) -> Cause {
        let Some(strongest) = verdict.found.first() else { return Cause::default() };
        let since = self.since(score, strongest, target);
        let drivers = self.drivers(score, strongest, since, target);
        Cause {
            target: Some(target),
            change_since: Some(since),
            reason: self.sentence(score, strongest, since, target, verdict.found.len()),
            findings: verdict.found.iter().take(MOST_FINDINGS).map(|found| self.finding(found)).collect(),
            drivers,
            metrics: self.measures(since, target),
        }
    }

    /// When the change that a detector has found most likely began.
    fn since(&self, score: Score, found: &Found, target: Micros) -> Micros {
        let of_series = || self.since_of_series(score, found, target);
        let own = if found.level == Level::Series { of_series() } else { self.of_run(found.run) };
        own.or_else(|| self.of_run(USUAL_RUN)).unwrap_or(target)
    }

    /// The first step of the last `run`.
    fn of_run(&self, run: u64) -> Option<Micros> {
        let steps = usize::try_from(run).unwrap_or(usize::MAX);
        self.board.newest(steps).first().copied()
    }

    /// The same of a series, whose steps are gone through again: to remember it for a million of them would cost too much.
    fn since_of_series(&self, score: Score, found: &Found, target: Micros) -> Option<Micros> {
        let learned = learned(self.board, found.bucket)?;
        let watch = learned.series.get(found.group)?;
        let place = WATCHES.iter().position(|&(of, side, _)| of == score && side == found.side)?;
        let (forecasts, history) = (self.board.of_series(found.group), self.histories.of(found.group));
        let mut steps: BTreeMap<Micros, Scores> = BTreeMap::new();
        for forecast in
            forecasts.all().filter(|forecast| forecast.target <= target && Bucket::of(forecast.horizon) == found.bucket)
        {
            if let Some(pair) = pair(&forecast, history) {
                steps.entry(forecast.target).or_default().add(&pair, &watch.usual(), self.settings.loss);
            }
        }
        let mut change = Change::default();
        let mut since = None;
        for (step, scores) in &steps {
            let Some(e_value) = watch.e_value_of(place, scores, &learned.offsets(*step)) else { continue };
            change.update(e_value);
            match change.run() {
                0 => since = None,
                1 => since = Some(*step),
                _ => {}
            }
        }
        since
    }

    fn finding(&self, found: &Found) -> Finding {
        let level = match found.level {
            Level::Model => "model",
            Level::Segment => "segment",
            Level::Series => "series",
        };
        Finding {
            level: level.to_owned(),
            group: name_of(found, self.board, self.names).to_owned(),
            horizon: found.bucket.to_string(),
            side: if found.side == Side::Above { "above" } else { "below" }.to_owned(),
            evidence_log10: found.evidence.log10(),
            limit_log10: found.limit.log10(),
        }
    }

    fn sentence(&self, score: Score, found: &Found, since: Micros, target: Micros, n_found: usize) -> String {
        let board = self.board;
        let metric = metric(score, self.settings.loss);
        let group = if found.level == Level::Segment { found.group } else { EVERYONE };
        let now = board.tally(since, target, Some(found.bucket), group).metric(metric, board.level_percent).0;
        let before =
            learned(board, found.bucket).and_then(|learned| learned.tally.metric(metric, board.level_percent).0);
        let whose = match found.level {
            Level::Model => String::new(),
            Level::Segment => format!(" of {}", board.segments.name(found.group)),
            Level::Series => format!(" (strongest in series {})", self.names.name(found.group)),
        };
        let others = if n_found > 1 { format!(", {} further detectors agree", n_found - 1) } else { String::new() };
        format!(
            "{}{whose} at horizon {} is {} since {}, {} in the baseline; evidence 10^{:.1}, the alarm is at 10^{:.1}{others}",
            score.metric(self.settings.loss),
            found.bucket,
            shown(now, metric),
            text(since),
            shown(before, metric),
            found.evidence.log10(),
            found.limit.log10(),
        )
    }

    /// The metrics of a stretch of steps, beside those of the baseline.
    fn measures(&self, since: Micros, target: Micros) -> Vec<MeasureView> {
        let level = self.board.level_percent;
        let mut all = Vec::new();
        for (bucket, watched) in &self.board.buckets {
            let tally = self.board.tally(since, target, Some(*bucket), EVERYONE);
            for metric in METRICS {
                let (value, n) = tally.metric(metric, level);
                let baseline = watched.learned.as_deref().and_then(|learned| learned.tally.metric(metric, level).0);
                let (metric, horizon) = (metric.key().to_owned(), bucket.to_string());
                all.extend((n > 0).then_some(MeasureView { metric, horizon, value, n, baseline }));
            }
        }
        all
    }

    /// The change of a score in a stretch of steps, split by series, by segment and by horizon.
    fn drivers(&self, score: Score, found: &Found, since: Micros, target: Micros) -> Vec<DriverView> {
        let mut rows = 0.0;
        let mut parts = Vec::new();
        for (place, watched) in &self.board.buckets {
            let Some(learned) = watched.learned.as_deref() else { continue };
            let of_bucket: Vec<(u32, Part, f64)> = self.parts(score, *place, learned, since, target);
            let excess = of_bucket.iter().map(|(_, part, _)| part.excess).sum();
            parts.push(Part { by: "horizon".to_owned(), name: place.to_string(), excess, shift: 0.0, z: None });
            if *place == found.bucket {
                rows += of_bucket.iter().map(|(_, _, weight)| weight).sum::<f64>();
                parts.extend(self.by_segment(&of_bucket));
                parts.extend(of_bucket.into_iter().map(|(_, part, _)| part));
            }
        }
        // Losses and misses are drift where they grow, a bias on the side on which it was found.
        let direction = if score == Score::Bias && found.side == Side::Below { -1.0 } else { 1.0 };
        limited(split(parts, rows, direction))
    }

    /// What each series adds: its part, and its weight in the metric's denominator.
    fn parts(
        &self,
        score: Score,
        bucket: Bucket,
        learned: &Learned,
        since: Micros,
        target: Micros,
    ) -> Vec<(u32, Part, f64)> {
        let mut all = Vec::new();
        for (series, watch) in learned.series.iter() {
            let (forecasts, history) = (self.board.of_series(series), self.histories.of(series));
            let (mut rows, mut excess, mut weight, mut scores, mut n) = (0, 0.0, 0.0, 0.0, 0.0);
            let within =
                forecasts.all().filter(|f| f.target >= since && f.target <= target && Bucket::of(f.horizon) == bucket);
            for pair in within.filter_map(|forecast| pair(&forecast, history)) {
                let usual = &watch.usual();
                let (value, expected, row) = match score {
                    Score::Loss => (raw_loss(&pair, self.settings.loss), usual.loss, 1.0),
                    Score::Bias => (Some(pair.error()), usual.error, pair.y.abs()),
                    Score::Direction => (pair.direction().map(miss), 1.0 - usual.direction.unwrap_or(0.0), 1.0),
                    Score::Coverage => (pair.covered().map(miss), 1.0 - usual.coverage.unwrap_or(0.0), 1.0),
                };
                let Some(value) = value else { continue };
                excess += value - expected;
                weight += row;
                let mut one = Scores::default();
                one.add(&pair, usual, self.settings.loss);
                rows += 1;
                if let Some(value) = one.of(mover(score)) {
                    scores += value;
                    n += 1.0;
                }
            }
            if rows > 0 {
                let shift = shift_of(mover(score), scores / n, &watch).filter(|_| n > 0.0);
                let z = shift.and_then(|shift| z_of(mover(score), shift, n, &watch));
                let name = self.names.name(series).to_owned();
                let part = Part { by: "series".to_owned(), name, excess, shift: shift.unwrap_or(0.0), z };
                all.push((series, part, weight));
            }
        }
        all.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        all
    }

    fn by_segment(&self, series: &[(u32, Part, f64)]) -> Vec<Part> {
        let mut sums: BTreeMap<(String, String), (f64, f64, f64, f64)> = BTreeMap::new();
        for (number, part, _) in series {
            for segment in self.board.segments_of(*number) {
                let (column, value) = segment.split_once('=').unwrap_or((segment, ""));
                let sum = sums.entry((column.to_owned(), value.to_owned())).or_default();
                sum.0 += part.excess;
                sum.1 += part.z.unwrap_or(0.0);
                sum.2 += f64::from(u8::from(part.z.is_some()));
                sum.3 += part.shift;
            }
        }
        // Stouffer's combination of the series' own differences.
        let part = |((by, name), (excess, z, n, shift)): ((String, String), (f64, f64, f64, f64))| Part {
            by,
            name,
            excess,
            shift: shift / n.max(1.0),
            z: (n > 0.0).then(|| z / n.sqrt()),
        };
        sums.into_iter().map(part).collect()
    }

    /// The series that have changed, with the share of false ones among them controlled.
    pub fn discovered(&self) -> Vec<u32> {
        let all = e_values(self.board);
        // Smaller ones are never rejected, and of a million series nearly all are.
        let large: Vec<(u32, f64)> =
            all.iter().copied().filter(|(_, e_value)| *e_value >= 1.0 / self.settings.fdr_ratio).collect();
        let values: Vec<f64> = large.iter().map(|(_, e_value)| *e_value).collect();
        let rejected = e_bh_among(&values, all.len() as f64, self.settings.fdr_ratio);
        large.iter().zip(rejected).filter(|(_, rejected)| *rejected).map(|((series, _), _)| *series).collect()
    }
}

/// The e-value of each series that has one, the mean over its buckets, in the order of their numbers.
pub fn e_values(board: &Board) -> Vec<(u32, f64)> {
    let mut sums: Vec<(f64, f64)> = Vec::new();
    let watched = board.buckets.values().filter_map(|watched| watched.learned.as_ref());
    for (series, watch) in watched.flat_map(|learned| learned.series.iter()) {
        if sums.len() <= series as usize {
            sums.resize(series as usize + 1, (0.0, 0.0));
        }
        let sum = &mut sums[series as usize];
        *sum = (sum.0 + watch.e_value(), sum.1 + 1.0);
    }
    (0u32..).zip(sums).filter(|(_, (_, n))| *n > 0.0).map(|(series, (sum, n))| (series, sum / n)).collect()
}

fn learned(board: &Board, bucket: Bucket) -> Option<&Learned> {
    board.buckets.get(&bucket)?.learned.as_deref()
}

fn limited(drivers: Vec<DriverView>) -> Vec<DriverView> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let within = |driver: &DriverView| {
        let n = counts.entry(driver.by.clone()).or_default();
        *n += 1;
        *n <= MOST_PARTS
    };
    drivers.into_iter().filter(within).collect()
}

fn miss(hit: bool) -> f64 {
    f64::from(u8::from(!hit))
}

/// The score by which a part is found to have moved: hits in an interval are too coarse, and follow the losses.
fn mover(score: Score) -> Score {
    if score == Score::Coverage { Score::Loss } else { score }
}

/// How far a mean score lies from its baseline; for hits, towards worse is positive.
fn shift_of(score: Score, mean: f64, watch: &SeriesBaseline) -> Option<f64> {
    match score {
        Score::Loss | Score::Bias => Some(mean - watch.baseline(score)?.0),
        Score::Direction => Some(watch.usual().direction? - mean),
        Score::Coverage => Some(watch.usual().coverage? - mean),
    }
}

/// The same in standard errors.
fn z_of(score: Score, shift: f64, n: f64, watch: &SeriesBaseline) -> Option<f64> {
    let spread = (1.0 / n + 1.0 / f64::from(watch.usual().n.max(1))).sqrt();
    let scale = match score {
        Score::Loss | Score::Bias => watch.baseline(score)?.1,
        Score::Direction => hit_scale(watch.usual().direction?, watch.usual().n),
        Score::Coverage => hit_scale(watch.usual().coverage?, watch.usual().n),
    };
    Some(shift / (scale * spread))
}

/// The standard deviation of hits, with a hit and a miss more: a baseline of hits alone is no certainty.
fn hit_scale(rate: f64, trials: u32) -> f64 {
    let trials = f64::from(trials);
    let rate = (rate * trials + 1.0) / (trials + 2.0);
    (rate * (1.0 - rate)).sqrt()
}

/// The metric of a score.
pub fn metric(score: Score, loss: Loss) -> Metric {
    match (score, loss) {
        (Score::Loss, Loss::Mape) => Metric::Mape,
        (Score::Loss, Loss::Mae) => Metric::Mae,
        (Score::Bias, _) => Metric::Bias,
        (Score::Direction, _) => Metric::Da,
        (Score::Coverage, _) => Metric::Coverage,
    }
}

fn shown(value: Option<f64>, metric: Metric) -> String {
    match value {
        None => "unknown".to_owned(),
        Some(value) if metric == Metric::Mae => format!("{value:.4}"),
        Some(value) => format!("{:.1} %", 100.0 * value),
    }
}
