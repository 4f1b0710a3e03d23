//! What there is to see: the engine's state as a [`View`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use shared::metric::Metric;

use super::alerts::{Alerts, Record};
use super::board::Board;
use super::bucket::Bucket;
use super::engine::Engine;
use super::external::External;
use super::family::{self, Level, WATCHES};
use super::learned::{Learned, Watches};
use super::score::Score;
use super::series_watch::SeriesWatch;
use super::step::EVERYONE;
use super::time::{Micros, span_text, text, timestamp};
use super::verdicts::{Explain, metric};
use super::watched::Watched;
use crate::view::{
    AlertKind, AlertState, AlertView, DriverView, ExternalView, MetricView, ModelView, SCHEMA, SeriesView, Standing,
    View,
};

/// The metrics that are shown, the watched ones first.
pub const METRICS: [Metric; 11] = [
    Metric::Mape,
    Metric::Bias,
    Metric::Da,
    Metric::Coverage,
    Metric::Wape,
    Metric::Smape,
    Metric::Mase,
    Metric::Mae,
    Metric::Rmse,
    Metric::Pinball,
    Metric::DaTie,
];

/// Values of a sparkline.
const HISTORY: usize = 60;

/// Series that a view lists, at the most.
const MOST_SERIES: usize = 5000;

/// Ended alerts that a view lists.
const ENDED_SHOWN: usize = 20;

impl Engine {
    /// What there is to see.
    pub fn view(&self) -> View {
        View {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time: self.time.map(text),
            ready: true,
            not_ready: Vec::new(),
            models: self.sorted_boards().into_iter().map(|board| self.model(board)).collect(),
            alerts: alert_views(&self.alerts),
            feeds: Vec::new(),
            receivers: Vec::new(),
            external: self.external.iter().map(|(name, found)| external_view(name, found)).collect(),
            faults: self.faults(),
        }
    }

    /// Everything that was wrong with records, by name; `missing` are (series, target time) pairs of decided steps without an actual.
    pub fn faults(&self) -> BTreeMap<String, u64> {
        use shared::format::live::{Fault, Kind};
        let mut all = self.oddities.by_name();
        for ((kind, fault), n) in &self.bad_rows {
            let name = match (kind, fault) {
                (Kind::Actuals, Fault::Null) => "null",
                (Kind::Actuals, Fault::Nan) => "nan_string",
                (Kind::Predictions, Fault::Null) => "pred_null",
                (Kind::Predictions, Fault::Nan) => "pred_nan",
                (_, Fault::Infinite) => "infinite",
                (_, Fault::BrokenLine) => "broken_line",
                (_, Fault::BadField) => "bad_field",
                (_, Fault::BadTime) => "bad_time",
                (_, Fault::TooLong) => "too_long",
                (_, Fault::NotUtf8) => "not_utf8",
            };
            *all.entry(name.to_owned()).or_default() += n;
        }
        all.insert("missing".to_owned(), self.missing());
        all
    }

    /// Pairs of series and decided target time with a forecast of some version and no actual, usable or not.
    fn missing(&self) -> u64 {
        let mut missing = BTreeSet::new();
        for board in &self.boards {
            for (target, step) in board.steps.iter().filter(|(_, step)| step.closed && step.waiting > 0) {
                let lacks = |series: &u32| self.histories.of(*series).at(*target).is_none();
                let keys = step.members.iter().filter(lacks).map(|series| (*target, series));
                missing.extend(keys.filter(|key| !self.void.contains(key)));
            }
        }
        missing.len() as u64
    }

    /// Versions by their names.
    pub fn sorted_boards(&self) -> Vec<&Board> {
        let mut boards: Vec<&Board> = self.boards.iter().collect();
        boards.sort_by(|a, b| (&a.model, &a.version).cmp(&(&b.model, &b.version)));
        boards
    }

    fn model(&self, board: &Board) -> ModelView {
        let (standing, reason) = self.standing(board);
        let newest = board.newest(self.settings.window_steps);
        let closed: Vec<f64> =
            newest.iter().filter_map(|target| Some(board.steps.get(target)?.completeness())).collect();
        ModelView {
            model: board.model.clone(),
            version: board.version.clone(),
            standing,
            reason,
            promise: self.promise(board, 1),
            series: board.n_series,
            warming_series: self.warming_series(board),
            open_predictions: board.open,
            steps: board.n_closed,
            last_step: board.closed_until.map(text),
            last_issued: board.last_issued.map(text),
            completeness_ratio: (!closed.is_empty()).then(|| closed.iter().sum::<f64>() / closed.len() as f64),
            metrics: self.metrics(board, &newest),
            drivers: self.drivers(board),
            worst_series: self.worst_series(board, &newest),
        }
    }

    fn standing(&self, board: &Board) -> (Standing, String) {
        let of_board = |record: &&Record| record.key.model == board.model && record.key.version == board.version;
        let mut firing: Vec<&Record> =
            self.alerts.firing().filter(of_board).filter(|record| record.key.kind != AlertKind::Feed).collect();
        firing.sort_by_key(|record| record.fired_at);
        let feed = self.alerts.firing().find(|record| {
            record.key.kind == AlertKind::Feed && (record.key.model.is_empty() || record.key.model == board.model)
        });
        match (firing.first(), feed) {
            (_, Some(feed)) => (Standing::Feed, feed.reason.clone()),
            (Some(record), None) => (Standing::Drift, record.reason.clone()),
            (None, None) if board.is_watched() => (Standing::Ok, self.ok_sentence(board)),
            (None, None) => (Standing::Warming, self.warming_sentence(board)),
        }
    }

    fn ok_sentence(&self, board: &Board) -> String {
        let watched: u64 = board.buckets.values().map(|watched| watched.watched_steps).max().unwrap_or(0);
        format!("no change beyond chance in the {watched} steps watched")
    }

    fn warming_sentence(&self, board: &Board) -> String {
        let steps = board.buckets.values().map(|watched| watched.steps).max().unwrap_or(0);
        match self.settings.warm_up {
            None => "no baseline: give a profile, a manifest, or a warm-up".to_owned(),
            Some(warm_up) => format!(
                "learning what is usual: {steps} steps seen, a warm-up of {} and at least {} steps are asked for",
                span_text(warm_up),
                self.settings.min_steps
            ),
        }
    }

    /// What is promised of the alarms of a version, where so many engines share the promise.
    pub fn promise(&self, board: &Board, sharers: u32) -> String {
        let steps = self.settings.promise_steps / f64::from(sharers.max(1));
        let rests =
            board.buckets.values().filter_map(|watched| watched.learned.as_ref()).map(|learned| learned.steps).min();
        match rests {
            None => format!(
                "once a baseline is known: on average at least {steps} target times to the first false alarm of any kind"
            ),
            Some(n) => format!(
                "on average at least {steps} target times to the first false alarm of any kind, over all metrics, horizons and series; the baseline rests on {n} steps"
            ),
        }
    }

    fn warming_series(&self, board: &Board) -> u64 {
        let known: BTreeSet<u32> = board
            .buckets
            .values()
            .filter_map(|watched| watched.learned.as_ref())
            .flat_map(|learned| learned.series.iter().map(|(series, _)| series))
            .collect();
        board.n_series.saturating_sub(known.len() as u64)
    }

    fn metrics(&self, board: &Board, newest: &[Micros]) -> Vec<MetricView> {
        let (Some(&from), Some(&to)) = (newest.first(), newest.last()) else { return Vec::new() };
        let mut all = Vec::new();
        let rolling = format!("{} steps", self.settings.window_steps);
        for (bucket, watched) in &board.buckets {
            for group in self.groups(board) {
                all.extend(METRICS.iter().filter_map(|&metric| {
                    self.metric(board, (*bucket, watched), group, metric, (&rolling, from, to), true)
                }));
            }
        }
        for (name, from) in self.further_windows(to) {
            for (bucket, watched) in &board.buckets {
                let shown = METRICS.iter();
                all.extend(shown.filter_map(|&metric| {
                    self.metric(board, (*bucket, watched), EVERYONE, metric, (&name, from, to), false)
                }));
            }
        }
        all
    }

    fn groups(&self, board: &Board) -> Vec<u32> {
        (0..u32::try_from(board.segments.len()).unwrap_or(u32::MAX)).collect()
    }

    /// Windows by length of target time, and the calendar month of the newest step.
    fn further_windows(&self, to: Micros) -> Vec<(String, Micros)> {
        let mut windows: Vec<(String, Micros)> =
            self.settings.window_spans.iter().map(|span| (span_text(*span), to - span + 1)).collect();
        if self.settings.calendar {
            let date = timestamp(to).to_zoned(TimeZone::UTC).date();
            let start = date.first_of_month().to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp().as_microsecond());
            windows.extend(start.ok().map(|start| (date.strftime("%Y-%m").to_string(), start)));
        }
        windows
    }

    fn metric(
        &self,
        board: &Board,
        (bucket, watched): (Bucket, &Watched),
        group: u32,
        metric: Metric,
        (window, from, to): (&str, Micros, Micros),
        with_history: bool,
    ) -> Option<MetricView> {
        let (value, n) = board.tally(from, to, Some(bucket), group).metric(metric, board.level_percent);
        let learned = watched.learned.as_deref();
        let baseline = learned.and_then(|learned| learned.tally.metric(metric, board.level_percent).0);
        if n == 0 {
            return None;
        }
        let (evidence, limit) =
            learned.and_then(|learned| self.evidence(learned, watched.weight, group, metric)).unzip();
        let history = if with_history && group == EVERYONE { board.newest(HISTORY) } else { Vec::new() };
        Some(MetricView {
            metric: metric.key().to_owned(),
            horizon: bucket.to_string(),
            group: if group == EVERYONE { "all".to_owned() } else { board.segments.name(group).to_owned() },
            window: window.to_owned(),
            value,
            n,
            baseline: baseline.filter(|_| group == EVERYONE),
            evidence_log10: evidence,
            limit_log10: limit,
            history: history.into_iter().map(|target| board.at_step(target, Some(bucket), group, metric)).collect(),
        })
    }

    /// The strongest evidence on a metric of a group, against its limit.
    fn evidence(&self, learned: &Learned, weight: f64, group: u32, wanted: Metric) -> Option<(f64, f64)> {
        let (level, n, watches): (Level, usize, &Watches) = match group {
            EVERYONE => (Level::Model, 1, &learned.model),
            _ => (Level::Segment, learned.segments.len(), learned.segments.get(&group)?),
        };
        let of_metric = WATCHES
            .iter()
            .zip(&watches.monitors)
            .filter(|((score, ..), _)| metric(*score, self.settings.loss) == wanted);
        of_metric
            .filter_map(|((_, _, part), monitor)| {
                let limit = family::limit(self.settings.promise_steps, level, n, weight, *part);
                Some((monitor.as_ref()?.evidence().max(1e-9).log10(), limit.log10()))
            })
            .max_by(|a, b| (a.0 - a.1).total_cmp(&(b.0 - b.1)))
    }

    fn drivers(&self, board: &Board) -> Vec<DriverView> {
        let of_board = |record: &&Record| {
            record.key.kind == AlertKind::Drift
                && record.key.model == board.model
                && record.key.version == board.version
        };
        let oldest = self.alerts.firing().filter(of_board).min_by_key(|record| record.fired_at);
        oldest.map(|record| record.drivers.clone()).unwrap_or_default()
    }

    fn worst_series(&self, board: &Board, newest: &[Micros]) -> Vec<SeriesView> {
        let (Some(&from), Some(&to)) = (newest.first(), newest.last()) else { return Vec::new() };
        let explain = Explain { board, histories: &self.histories, names: &self.names, settings: &self.settings };
        let discovered = explain.discovered();
        let mut order: Vec<(f64, u32)> =
            self.told(board, from, to).map(|series| (evidence_log10(board, series), series)).collect();
        let place = |a: &(f64, u32), b: &(f64, u32)| {
            b.0.total_cmp(&a.0).then_with(|| self.names.name(a.1).cmp(self.names.name(b.1)))
        };
        // There may be a million, of which a few are shown.
        if order.len() > MOST_SERIES {
            order.select_nth_unstable_by(MOST_SERIES, place);
            order.truncate(MOST_SERIES);
        }
        order.sort_unstable_by(place);
        let shown = |(evidence, series): (f64, u32)| {
            self.one_series(board, series, (from, to), evidence, discovered.contains(&series))
        };
        order.into_iter().map(shown).collect()
    }

    /// The series that have a pair in a stretch of closed steps.
    fn told<'a>(&'a self, board: &'a Board, from: Micros, to: Micros) -> impl Iterator<Item = u32> + 'a {
        let to = to.min(board.closed_until.unwrap_or(Micros::MIN));
        board.series().filter(move |&series| {
            let history = self.histories.of(series);
            let mut within = board.of_series(series).all().filter(|known| (from..=to).contains(&known.target));
            within.any(|forecast| super::board::pair(&forecast, history).is_some())
        })
    }

    /// The metrics of a series in a stretch of closed steps.
    pub fn series_tally(&self, board: &Board, series: u32, from: Micros, to: Micros) -> super::tally::Tally {
        let mut tally = super::tally::Tally::default();
        let to = to.min(board.closed_until.unwrap_or(Micros::MIN));
        let (forecasts, history) = (board.of_series(series), self.histories.of(series));
        let within = forecasts.all().filter(|forecast| forecast.target >= from && forecast.target <= to);
        within
            .filter_map(|forecast| super::board::pair(&forecast, history))
            .for_each(|pair| tally.add(&pair, board.scale_of(series), board.level_percent));
        tally
    }

    fn one_series(
        &self,
        board: &Board,
        series: u32,
        (from, to): (Micros, Micros),
        evidence: f64,
        discovered: bool,
    ) -> SeriesView {
        let tally = self.series_tally(board, series, from, to);
        let watches = || watches(board, series);
        let usual = watches().map(|watch| watch.usual().loss).next();
        SeriesView {
            series: self.names.name(series).to_owned(),
            n: tally.rows,
            mape_ratio: tally.metric(Metric::Mape, board.level_percent).0,
            baseline_mape_ratio: usual.filter(|_| metric(Score::Loss, self.settings.loss) == Metric::Mape),
            bias_ratio: tally.metric(Metric::Bias, board.level_percent).0,
            evidence_log10: evidence.is_finite().then_some(evidence),
            warming: watches().next().is_none(),
            discovered,
        }
    }
}

/// What watches a series, in each bucket that has a baseline of it.
fn watches(board: &Board, series: u32) -> impl Iterator<Item = SeriesWatch<'_>> {
    board.buckets.values().filter_map(move |watched| watched.learned.as_ref()?.series.get(series))
}

/// The evidence of a series' strongest detector; negative infinity where there is none.
fn evidence_log10(board: &Board, series: u32) -> f64 {
    watches(board, series).flat_map(SeriesWatch::evidence).fold(0.0, f64::max).log10()
}

fn external_view(name: &str, found: &External) -> ExternalView {
    ExternalView { name: format!("mlflow:{name}"), value: found.value, time: text(found.time) }
}

fn alert_views(alerts: &Alerts) -> Vec<AlertView> {
    let mut firing: Vec<&Record> = alerts.firing().collect();
    firing.sort_by(|a, b| (a.key.kind, a.fired_at, &a.key).cmp(&(b.key.kind, b.fired_at, &b.key)));
    let pending = alerts.pending().map(|(key, since)| AlertView {
        kind: key.kind,
        state: AlertState::Pending,
        model: key.model.clone(),
        version: key.version.clone(),
        since: text(since),
        name: key.subject.clone(),
        ..AlertView::default()
    });
    let ended = alerts.ended().iter().rev().take(ENDED_SHOWN);
    firing.into_iter().map(alert_view).chain(pending).chain(ended.map(alert_view)).collect()
}

/// An alert as it is shown.
pub fn alert_view(record: &Record) -> AlertView {
    let alert = record.to_alert();
    AlertView {
        id: record.id.clone(),
        kind: record.key.kind,
        state: if record.ended_at.is_some() { AlertState::Resolved } else { AlertState::Firing },
        name: alert.name,
        model: record.key.model.clone(),
        version: record.key.version.clone(),
        severity: alert.severity.name().to_owned(),
        since: text(record.fired_at),
        ended: record.ended_at.map(text),
        reason: record.reason.clone(),
        inhibited: record.inhibited,
        labels: alert.labels,
        drivers: record.drivers.iter().filter(|driver| driver.named).map(DriverView::label).collect(),
    }
}
