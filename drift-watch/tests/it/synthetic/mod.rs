//! Streams from seeds, given to the engine as `replay` gives them.
#![allow(dead_code, clippy::unwrap_used, reason = "each test uses a part; a panic is its answer")]
#![allow(missing_docs, unreachable_pub, reason = "test support")]

use std::collections::BTreeMap;

use drift_watch::args::{Cli, Command};
use drift_watch::core::alerts::Record;
use drift_watch::core::engine::{Engine, ProfileBaseline};
use drift_watch::core::feeds::Live;
use drift_watch::core::settings::Settings;
use drift_watch::core::time::{DAY, Micros, SECOND};
use drift_watch::view::AlertKind;
use jiff::Timestamp;
use shared::cli::parse_from;
use shared::format::live::{Actual, Prediction};

/// Monday, 6 January 2020.
pub const START: Micros = 1_578_268_800 * SECOND;

/// The settings of a command line, as shipped but for these words.
pub fn settings(words: &[&str]) -> Settings {
    let mut line = vec!["drift-watch", "replay", "--predictions", "p", "--actuals", "a"];
    line.extend(words);
    let parsed = parse_from::<Cli>(&line, &|_| None).unwrap();
    let Command::Replay(args) = parsed.arguments.command else { panic!("not a replay") };
    args.watch.settings()
}

/// `SplitMix64` (Steele, Lea and Flood 2014), and what is made of it.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Even on (0, 1].
    pub fn even(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 1.0) / (1u64 << 53) as f64
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.even().ln()).sqrt() * (std::f64::consts::TAU * self.even()).cos()
    }
}

/// A forecast one step ahead, and what came of it.
#[derive(Debug, Clone)]
pub struct Row {
    pub series: usize,
    pub y: f64,
    pub y_hat: f64,
    pub half_width: f64,
    pub segment: Option<&'static str>,
    pub version: &'static str,
    /// Whether the actual comes at all.
    pub arrives: bool,
}

impl Row {
    pub fn new(series: usize, y: f64, y_hat: f64, half_width: f64) -> Self {
        Self { series, y, y_hat, half_width, segment: None, version: "1", arrives: true }
    }
}

pub fn time(micros: Micros) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

pub fn predict(engine: &mut Engine, step: Micros, target: Micros, row: &Row) {
    predict_ahead(engine, step, target, 1, row);
}

pub fn predict_ahead(engine: &mut Engine, step: Micros, target: Micros, horizon: i64, row: &Row) {
    engine.prediction(&Prediction {
        model: "m".into(),
        version: row.version.into(),
        series: format!("s{:03}", row.series).into(),
        issued_at: time(target - horizon * step),
        target_time: time(target),
        horizon: Some(u32::try_from(horizon).unwrap()),
        y_hat: row.y_hat,
        interval: (row.half_width > 0.0).then_some((row.y_hat - row.half_width, row.y_hat + row.half_width)),
        level: None,
        segments: row.segment.map(|name| ("region".into(), name.into())).into_iter().collect(),
    });
}

pub fn observe(engine: &mut Engine, series: usize, target: Micros, y: f64, observed: Micros) {
    let before = engine.time;
    engine.actual(&Actual {
        series: format!("s{series:03}").into(),
        target_time: time(target),
        y,
        observed_at: time(observed),
        revision: None,
    });
    if engine.time > before {
        engine.tick(observed, Live { predictions: true, actuals: true });
    }
}

/// What became of a stream.
pub struct Outcome {
    pub engine: Engine,
    pub step: Micros,
}

impl Outcome {
    pub fn of_kind(&self, kind: AlertKind) -> Vec<&Record> {
        self.engine.alerts.all().into_iter().filter(|record| record.key.kind == kind).collect()
    }

    /// Steps that detectors saw.
    pub fn watched(&self) -> u64 {
        self.engine.boards.iter().flat_map(|board| board.buckets.values()).map(|watched| watched.watched_steps).sum()
    }

    /// The number of the step at which the first alert of these metrics fired.
    pub fn first(&self, subjects: &[&str]) -> Option<i64> {
        let drifts = self.of_kind(AlertKind::Drift);
        let of_these =
            drifts.iter().filter(|record| subjects.is_empty() || subjects.contains(&record.key.subject.as_str()));
        of_these.filter_map(|record| record.target).min().map(|target| (target - START) / self.step)
    }

    /// Names that the alert of a metric lists as drivers of a split.
    pub fn named(&self, subject: &str, by: &str) -> Vec<String> {
        let drifts = self.of_kind(AlertKind::Drift);
        let record = drifts.iter().find(|record| record.key.subject == subject);
        let drivers = record.map(|record| record.drivers.as_slice()).unwrap_or_default();
        drivers.iter().filter(|driver| driver.named && driver.by == by).map(|driver| driver.name.clone()).collect()
    }
}

/// Runs `n` steps: forecasts are issued a step ahead, actuals come a step and a bit after their time.
pub fn run(settings: Settings, step: Micros, n: i64, mut rows_at: impl FnMut(i64) -> Vec<Row>) -> Outcome {
    let mut engine = Engine::new(settings, BTreeMap::<String, ProfileBaseline>::new());
    let mut waiting: Vec<Vec<Row>> = Vec::new();
    for t in 0..n {
        let rows = rows_at(t);
        rows.iter().for_each(|row| predict(&mut engine, step, START + t * step, row));
        waiting.push(rows);
        if let Some(before) = usize::try_from(t - 2).ok().map(|place| std::mem::take(&mut waiting[place])) {
            let target = START + (t - 2) * step;
            before
                .iter()
                .filter(|row| row.arrives)
                .for_each(|row| observe(&mut engine, row.series, target, row.y, target + step + step / 24));
        }
    }
    Outcome { engine, step }
}

pub fn daily(settings: Settings, n: i64, rows_at: impl FnMut(i64) -> Vec<Row>) -> Outcome {
    run(settings, DAY, n, rows_at)
}
