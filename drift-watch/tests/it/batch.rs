//! What the engine adds up record by record equals what the definitions say of the records that count in the end.
//!
//! The right-hand side is computed from scratch out of a plain list of forecasts and actuals, after the table at the head of
//! `shared/src/metric/mod.rs`; nothing of the engine is used but its clock (the newest target time that is decided).
use std::collections::{BTreeMap, BTreeSet};

use drift_watch::core::engine::{Engine, ProfileBaseline};
use drift_watch::core::settings::Settings;
use drift_watch::core::time::{DAY, Micros, SECOND};
use drift_watch::view::MetricView;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use shared::format::live::{Actual, Prediction};
use shared::metric::Metric;

const HOUR: Micros = 3600 * SECOND;
const WINDOW: usize = 6;
const LEVEL: f64 = 80.0;
/// 25 January: the streams cross into February.
const START: Micros = 1_390_608_000 * SECOND;
const MATURITY: Micros = 2 * DAY;
/// The series' scales; the last one has none.
const SCALES: [f64; 3] = [2.0, 0.5, 40.0];
const SERIES: [&str; 4] = ["a", "b", "c", "d"];
const METRICS: [Metric; 11] = [
    Metric::Mape,
    Metric::Smape,
    Metric::Wape,
    Metric::Mase,
    Metric::Mae,
    Metric::Rmse,
    Metric::Bias,
    Metric::Da,
    Metric::DaTie,
    Metric::Coverage,
    Metric::Pinball,
];

#[derive(Debug, Clone)]
enum Event {
    Forecast {
        version: usize,
        series: usize,
        target: i64,
        horizon: i64,
        jitter: i64,
        y_hat: f64,
        half_width: Option<f64>,
        segment: usize,
    },
    Actual {
        series: usize,
        target: i64,
        y: f64,
        lag_hours: i64,
        revision: Option<u32>,
    },
}

/// When a record comes, in an orderly world.
fn clock(event: &Event) -> Micros {
    match event {
        Event::Forecast { .. } => issued_of(event),
        Event::Actual { target, lag_hours, .. } => START + target * DAY + lag_hours * HOUR,
    }
}

fn issued_of(event: &Event) -> Micros {
    match event {
        Event::Forecast { target, horizon, jitter, .. } => START + (target - horizon) * DAY + jitter * HOUR,
        Event::Actual { .. } => 0,
    }
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (1..400i32).prop_map(|v| f64::from(v) / 7.0),
        2 => (1..6i32).prop_map(f64::from),
        1 => Just(0.0),
        1 => Just(-3.25),
        1 => Just(1e-3),
        1 => Just(1e15),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let forecast =
        (0..2usize, 0..4usize, 0..14i64, 1..9i64, 0..20i64, value(), prop::option::of(0.0..20.0f64), 0..3usize)
            .prop_map(|(version, series, target, horizon, jitter, y_hat, half_width, segment)| Event::Forecast {
                version,
                series,
                target,
                horizon,
                jitter,
                y_hat,
                half_width,
                segment,
            });
    let actual =
        (0..4usize, -3..14i64, value(), -2..100i64, prop_oneof![3 => Just(None), 1 => (0..3u32).prop_map(Some)])
            .prop_map(|(series, target, y, lag_hours, revision)| Event::Actual {
                series,
                target,
                y,
                lag_hours,
                revision,
            });
    prop_oneof![3 => forecast, 2 => actual]
}

/// Records in the order of their clocks, in no order, or in order but for some.
fn stream() -> impl Strategy<Value = Vec<Event>> {
    let repeats = prop::collection::vec(any::<prop::sample::Index>(), 0..12);
    (prop::collection::vec(event(), 1..160), 0..3u8, repeats).prop_map(|(mut events, order, repeats)| {
        let again: Vec<Event> = repeats.iter().map(|index| index.get(&events).clone()).collect();
        if order != 1 {
            events.sort_by_key(clock);
        }
        let n = events.len();
        if order == 2 {
            repeats.iter().for_each(|index| events.swap(index.index(n), (index.index(n) * 7 + 3) % n));
        }
        events.extend(again);
        events
    })
}

fn engine(late_issued: bool) -> Engine {
    let settings = Settings {
        maturity: Some(MATURITY),
        window_steps: WINDOW,
        window_spans: vec![3 * DAY],
        level_percent: LEVEL,
        allow_late_issued: late_issued,
        step: Some(DAY),
        ..Settings::default()
    };
    let scales = SERIES.iter().zip(SCALES).map(|(name, scale)| ((*name).to_owned(), scale)).collect();
    let baseline = ProfileBaseline { scales, ..ProfileBaseline::default() };
    Engine::new(settings, BTreeMap::from([("m".to_owned(), baseline)]))
}

fn time(micros: Micros) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

fn segment_name(segment: usize) -> Option<&'static str> {
    [None, Some("north"), Some("south")][segment]
}

fn give(engine: &mut Engine, event: &Event) {
    match event {
        Event::Forecast { version, series, target, horizon, y_hat, half_width, segment, .. } => {
            engine.prediction(&Prediction {
                model: "m".into(),
                version: version.to_string().into(),
                series: SERIES[*series].into(),
                issued_at: time(issued_of(event)),
                target_time: time(START + target * DAY),
                // Every other horizon is left to be derived from the length of a step.
                horizon: (horizon % 2 == 0).then(|| u32::try_from(*horizon).unwrap()),
                y_hat: *y_hat,
                interval: half_width.map(|half| (y_hat - half, y_hat + half)),
                level: None,
                segments: segment_name(*segment).map(|name| ("region".into(), name.into())).into_iter().collect(),
            });
        }
        Event::Actual { series, target, y, revision, .. } => engine.actual(&Actual {
            series: SERIES[*series].into(),
            target_time: time(START + target * DAY),
            y: *y,
            observed_at: time(clock(event)),
            revision: *revision,
        }),
    }
}

/// What counts in the end, as plain lists.
type Kept = (i64, f64, Option<(f64, f64)>, Option<&'static str>);

#[derive(Default)]
struct Truth {
    /// (version, series, target, issued) -> horizon, forecast, interval, segment; the first one counts.
    forecasts: BTreeMap<(usize, usize, Micros, Micros), Kept>,
    /// (series, target) -> (revision, observed, value): the highest revision, then the latest observation, then the last to arrive.
    actuals: BTreeMap<(usize, Micros), (Option<u32>, Micros, f64)>,
    /// (version, series) -> what the newest record that names one says: a record that names none is in that segment, too.
    segments: BTreeMap<(usize, usize), &'static str>,
}

impl Truth {
    fn of(events: &[Event], late_issued: bool) -> Self {
        let mut truth = Self::default();
        for event in events {
            match *event {
                Event::Forecast { version, series, target, horizon, y_hat, half_width, segment, .. } => {
                    let (target, issued) = (START + target * DAY, issued_of(event));
                    if issued >= target && !late_issued {
                        continue;
                    }
                    if let Some(name) = segment_name(segment) {
                        truth.segments.insert((version, series), name);
                    }
                    // Whole days ahead, rounded up, where the record does not say; at least one.
                    let days = if horizon % 2 == 0 {
                        horizon
                    } else {
                        ((target - issued).div_euclid(DAY) + i64::from((target - issued).rem_euclid(DAY) > 0)).max(1)
                    };
                    let interval = half_width.map(|half| (y_hat - half, y_hat + half));
                    truth.forecasts.entry((version, series, target, issued)).or_insert((
                        days,
                        y_hat,
                        interval,
                        truth.segments.get(&(version, series)).copied(),
                    ));
                }
                Event::Actual { series, target, y, revision, .. } => {
                    let (key, new) = ((series, START + target * DAY), (revision, clock(event), y));
                    let is_older = truth.actuals.get(&key).is_some_and(|known| (new.0, new.1) < (known.0, known.1));
                    if !is_older {
                        truth.actuals.insert(key, new);
                    }
                }
            }
        }
        truth
    }

    fn actual(&self, series: usize, target: Micros) -> Option<f64> {
        self.actuals.get(&(series, target)).map(|(_, _, y)| *y)
    }

    /// The actual of the newest time that is not after the issue, and before the target.
    fn last(&self, series: usize, target: Micros, issued: Micros) -> Option<f64> {
        let origin = issued.min(target - 1);
        self.actuals.range((series, Micros::MIN)..=(series, origin)).next_back().map(|(_, (_, _, y))| *y)
    }

    fn steps(&self, version: usize, until: Option<Micros>) -> BTreeSet<Micros> {
        let of_version = self.forecasts.keys().filter(|key| key.0 == version);
        of_version.map(|key| key.2).filter(|target| until.is_some_and(|until| *target <= until)).collect()
    }

    fn rows(&self, version: usize, wanted: impl Fn(usize, Micros, i64, Option<&str>) -> bool) -> Vec<Row> {
        let mut rows = Vec::new();
        for (&(of, series, target, issued), &(horizon, y_hat, interval, segment)) in &self.forecasts {
            if of == version && wanted(series, target, horizon, segment) {
                let last = self.last(series, target, issued);
                let scale = SCALES.get(series).copied();
                rows.extend(self.actual(series, target).map(|y| Row { y, y_hat, interval, last, scale }));
            }
        }
        rows
    }
}

struct Row {
    y: f64,
    y_hat: f64,
    interval: Option<(f64, f64)>,
    last: Option<f64>,
    scale: Option<f64>,
}

/// Value, rows that define it, and the size against which rounding is judged.
fn batch(metric: Metric, rows: &[Row]) -> (Option<f64>, u64, f64) {
    let mean = |terms: Vec<f64>| {
        let n = terms.len();
        let value = (n > 0).then(|| terms.iter().sum::<f64>() / n as f64);
        (value, n as u64, value.unwrap_or(0.0).abs())
    };
    let flag = |holds: bool| f64::from(u8::from(holds));
    let error = |row: &Row| row.y_hat - row.y;
    let sizes = || rows.iter().map(|row| row.y.abs()).sum::<f64>();
    let absolute = || rows.iter().map(|row| error(row).abs()).sum::<f64>();
    match metric {
        Metric::Mape => {
            mean(rows.iter().filter(|row| row.y != 0.0).map(|row| error(row).abs() / row.y.abs()).collect())
        }
        Metric::Smape => mean(
            rows.iter()
                .map(|row| match row.y.abs() + row.y_hat.abs() {
                    0.0 => 0.0,
                    size => 2.0 * error(row).abs() / size,
                })
                .collect(),
        ),
        Metric::Wape => {
            let value = (sizes() > 0.0).then(|| absolute() / sizes());
            (value, rows.len() as u64, value.unwrap_or(0.0))
        }
        Metric::Bias => {
            let value = (sizes() > 0.0).then(|| rows.iter().map(error).sum::<f64>() / sizes());
            (value, rows.len() as u64, if sizes() > 0.0 { absolute() / sizes() } else { 0.0 })
        }
        Metric::Mase => mean(rows.iter().filter_map(|row| Some(error(row).abs() / row.scale?)).collect()),
        Metric::Mae => mean(rows.iter().map(|row| error(row).abs()).collect()),
        Metric::Rmse => {
            let (value, n, _) = mean(rows.iter().map(|row| error(row).powi(2)).collect());
            (value.map(f64::sqrt), n, value.map_or(0.0, f64::sqrt))
        }
        Metric::Da => mean(
            rows.iter()
                .filter_map(|row| Some((row.y, row.y_hat, row.last.filter(|last| *last != row.y)?)))
                .map(|(y, y_hat, last)| flag(if y > last { y_hat > last } else { y_hat < last }))
                .collect(),
        ),
        Metric::DaTie => {
            mean(rows.iter().filter_map(|row| Some(flag(row.y == row.last? || row.y_hat == row.last?))).collect())
        }
        Metric::Coverage => {
            mean(rows.iter().filter_map(|row| row.interval.map(|(lo, hi)| flag(lo <= row.y && row.y <= hi))).collect())
        }
        Metric::Pinball => mean(
            rows.iter()
                .filter_map(|row| {
                    let (lo, hi) = row.interval?;
                    let at = |q: f64, bound: f64| (q * (row.y - bound)).max((q - 1.0) * (row.y - bound));
                    Some(f64::midpoint(at(0.1, lo), at(0.9, hi)))
                })
                .collect(),
        ),
        other => unreachable!("{other}"),
    }
}

/// The bucket of a horizon, by the names that people see: 1 to 7 one by one, then two weeks.
fn bucket(horizon: i64) -> String {
    if horizon <= 7 { horizon.to_string() } else { "8-14".to_owned() }
}

#[track_caller]
fn assert_near(found: Option<f64>, expected: Option<f64>, size: f64, what: &str) {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            let off = (found - expected).abs();
            assert!(off <= 1e-12 * size.max(expected.abs()), "{what}: {found} instead of {expected}, off by {off}");
        }
        (found, expected) => assert_eq!(found, expected, "{what}"),
    }
}

/// The first day of the month of a time.
fn month_start(micros: Micros) -> (Micros, String) {
    let day = time(micros).to_zoned(TimeZone::UTC).date();
    let first = date(day.year(), day.month(), 1).to_zoned(TimeZone::UTC).unwrap();
    (first.timestamp().as_microsecond(), format!("{:04}-{:02}", day.year(), day.month()))
}

fn check(events: &[Event], late_issued: bool) {
    let mut engine = engine(late_issued);
    events.iter().for_each(|event| give(&mut engine, event));
    let truth = Truth::of(events, late_issued);
    let view = engine.view();
    let with_forecasts: BTreeSet<usize> = truth.forecasts.keys().map(|key| key.0).collect();
    assert_eq!(
        view.models.iter().map(|model| model.version.clone()).collect::<Vec<_>>(),
        with_forecasts.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    for (model, &version) in view.models.iter().zip(&with_forecasts) {
        let board = engine.boards.iter().find(|board| board.version == model.version).unwrap();
        let until = board.closed_until;
        let steps = truth.steps(version, until);
        if let Some(now) = engine.time {
            let overdue = truth
                .forecasts
                .keys()
                .find(|key| key.0 == version && key.2 + MATURITY < now && !steps.contains(&key.2));
            // A forecast that came after the last actual waits for the next one.
            let last_actual = events.iter().rposition(|event| matches!(event, Event::Actual { .. }));
            let came_later = |key: &(usize, usize, Micros, Micros)| {
                events[last_actual.unwrap_or(0)..].iter().any(|event| matches!(event, Event::Forecast { series, .. } if *series == key.1 && issued_of(event) == key.3))
            };
            assert!(overdue.is_none_or(came_later), "a step is open beyond its maturity: {overdue:?}");
        }
        let open = truth.forecasts.keys().filter(|key| key.0 == version && !steps.contains(&key.2)).count();
        assert_eq!(model.open_predictions, open as u64, "open predictions");
        let newest: Vec<Micros> = steps.iter().rev().take(WINDOW).copied().collect();
        let (Some(&to), Some(&from)) = (newest.first(), newest.last()) else {
            assert!(model.metrics.is_empty());
            continue;
        };
        let share = |target: &Micros| {
            let of_step: Vec<_> = truth.forecasts.keys().filter(|key| key.0 == version && key.2 == *target).collect();
            of_step.iter().filter(|key| truth.actual(key.1, key.2).is_some()).count() as f64 / of_step.len() as f64
        };
        let complete = newest.iter().map(share).sum::<f64>() / newest.len() as f64;
        assert_near(model.completeness_ratio, Some(complete), 1.0, "completeness");
        let (month, month_name) = month_start(to);
        let windows = [(format!("{WINDOW} steps"), from), ("3d".to_owned(), to - 3 * DAY + 1), (month_name, month)];
        let mut expected = 0;
        for (place, (window, from)) in windows.iter().enumerate() {
            let groups: &[&str] = if place == 0 { &["all", "region=north", "region=south"] } else { &["all"] };
            for group in groups {
                let in_group = |segment: Option<&str>| {
                    *group == "all" || segment.is_some_and(|name| *group == format!("region={name}"))
                };
                for name in (1..=8).map(bucket) {
                    let wanted = |_: usize, target: Micros, horizon: i64, segment: Option<&str>| {
                        in_group(segment) && target >= *from && target <= to && bucket(horizon) == name
                    };
                    let rows = truth.rows(version, wanted);
                    for metric in METRICS {
                        let (value, n, size) = batch(metric, &rows);
                        let is_it = |shown: &&MetricView| {
                            shown.metric == metric.key()
                                && shown.horizon == name
                                && shown.group == *group
                                && shown.window == *window
                        };
                        let what = format!("version {version}, {metric}, horizon {name}, {group}, {window}");
                        match model.metrics.iter().find(is_it) {
                            None => assert_eq!(n, 0, "{what} is not shown"),
                            Some(shown) => {
                                expected += 1;
                                assert_eq!(shown.n, n, "{what}: rows");
                                assert_near(shown.value, value, size, &what);
                                check_history(shown, metric, &truth, version, &steps, &name);
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(model.metrics.len(), expected, "nothing is shown that should not be");
        for (series, name) in SERIES.iter().enumerate() {
            let Some(number) = engine.names.find(name) else { continue };
            let tally = engine.series_tally(board, number, from, to);
            let rows = truth.rows(version, |of, target, _, _| of == series && target >= from && target <= to);
            for metric in METRICS {
                let (value, n, size) = batch(metric, &rows);
                let (found, found_n) = tally.metric(metric, LEVEL);
                assert_eq!(found_n, n, "series {name}, {metric}: rows");
                assert_near(found, value, size, &format!("series {name}, {metric}"));
            }
        }
    }
}

fn check_history(
    shown: &MetricView,
    metric: Metric,
    truth: &Truth,
    version: usize,
    steps: &BTreeSet<Micros>,
    name: &str,
) {
    if shown.group != "all" || shown.window != format!("{WINDOW} steps") {
        assert!(shown.history.is_empty());
        return;
    }
    assert_eq!(shown.history.len(), steps.len());
    for (found, step) in shown.history.iter().zip(steps) {
        let (value, _, size) =
            batch(metric, &truth.rows(version, |_, target, horizon, _| target == *step && bucket(horizon) == name));
        assert_near(*found, value, size, &format!("{metric} at a step"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn rolling_metrics_equal_a_batch_recomputation(events in stream()) {
        check(&events, false);
    }

    #[test]
    fn so_they_do_where_forecasts_issued_after_their_target_count(
        events in stream(),
        moved in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
    ) {
        let mut events = events;
        let n = events.len();
        for index in moved {
            if let Event::Forecast { jitter, horizon, .. } = &mut events[index.index(n)] {
                (*jitter, *horizon) = (*jitter + 30, 1);
            }
        }
        check(&events, true);
    }
}

/// A value that was wrong by many powers of ten, once corrected, leaves no trace in the sums of the others.
#[test]
fn a_corrected_typing_error_leaves_no_trace() {
    let forecast = |series, y_hat| Event::Forecast {
        version: 0,
        series,
        target: 3,
        horizon: 2,
        jitter: 0,
        y_hat,
        half_width: Some(1.0),
        segment: 1,
    };
    let actual = |series, y, lag_hours| Event::Actual { series, target: 3, y, lag_hours, revision: None };
    let events = [
        forecast(0, 10.0),
        forecast(1, 12.0),
        actual(0, 11.0, 2),
        actual(1, 1e17, 2),
        Event::Actual { series: 2, target: 8, y: 1.0, lag_hours: 2, revision: None },
        actual(1, 13.5, 80),
    ];
    check(&events, false);
}
