//! The canonical state does not depend on how the records of two sources are interleaved, as long as each prediction comes before the actuals that
//! are newer than it.
use crate::live;

use std::borrow::Cow;
use std::collections::BTreeMap;

use drift_watch::core::engine::Engine;
use drift_watch::core::feeds::Live;
use drift_watch::core::settings::Settings;
use drift_watch::core::time::{DAY, Micros, SECOND, timestamp};
use drift_watch::dump::dump;
use drift_watch::read::Rows;
use drift_watch::replay::owned;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use shared::format::live::{Actual, BadRow, Fault, Kind, Prediction, Record};

const HOUR: Micros = 3600 * SECOND;

/// A row of a source.
#[derive(Debug, Clone)]
enum Row {
    Record(Record<'static>, bool),
    Bad(BadRow),
}

/// The rows of both sources, each in its order.
struct Stream {
    predictions: Vec<Row>,
    actuals: Vec<Row>,
}

/// How early predictions come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Eagerness {
    /// As late as they may.
    Late,
    /// All before the first actual.
    First,
    /// In bursts.
    Bursts(u64),
}

impl Stream {
    /// The place in `actuals` before which each prediction must have come: that of the first actual that is newer than it, or than one behind it.
    fn latest_places(&self) -> Vec<usize> {
        let newer = |issued| {
            let is_newer =
                |row: &Row| matches!(row, Row::Record(Record::Actual(actual), _) if actual.observed_at > issued);
            self.actuals.iter().position(is_newer).unwrap_or(usize::MAX)
        };
        let mut places: Vec<usize> = self
            .predictions
            .iter()
            .map(|row| match row {
                Row::Record(Record::Prediction(prediction), _) => newer(prediction.issued_at),
                _ => usize::MAX,
            })
            .collect();
        let mut place = usize::MAX;
        for latest in places.iter_mut().rev() {
            place = place.min(*latest);
            *latest = place;
        }
        places
    }

    fn run(&self, settings: &Settings, eagerness: Eagerness) -> Engine {
        let mut engine = Engine::new(settings.clone(), BTreeMap::new());
        let places = self.latest_places();
        let mut random = ChaCha8Rng::seed_from_u64(if let Eagerness::Bursts(seed) = eagerness { seed } else { 0 });
        let mut next = 0;
        for (place, actual) in self.actuals.iter().enumerate() {
            let mut burst = match eagerness {
                Eagerness::Late => 0,
                Eagerness::First => usize::MAX,
                Eagerness::Bursts(_) if random.random_bool(0.05) => random.random_range(0..200),
                Eagerness::Bursts(_) => 0,
            };
            while next < self.predictions.len() && (places[next] <= place || burst > 0) {
                burst = burst.saturating_sub(1);
                take(&mut engine, Kind::Predictions, &self.predictions[next]);
                next += 1;
            }
            take(&mut engine, Kind::Actuals, actual);
            if eagerness != Eagerness::Late {
                // A wall clock of its own, which raises and ends alerts on feeds.
                let wall = engine.time.unwrap_or(0) + random.random_range(0..20) * DAY;
                engine.tick(wall, Live { predictions: true, actuals: true });
            }
        }
        self.predictions[next..].iter().for_each(|row| take(&mut engine, Kind::Predictions, row));
        engine
    }
}

fn take(engine: &mut Engine, kind: Kind, row: &Row) {
    match row {
        Row::Record(record, offset) => {
            if *offset {
                engine.offset_time();
            }
            match record {
                Record::Prediction(prediction) => engine.prediction(prediction),
                Record::Actual(actual) => engine.actual(actual),
            }
        }
        Row::Bad(bad) => {
            let about = bad.about.as_ref().map(|(series, target)| (series.as_str(), target.as_microsecond()));
            engine.bad_row(kind, bad.fault, about);
        }
    }
}

/// Where two dumps begin to differ, for a message that can be read.
fn difference(left: &str, right: &str) -> Option<String> {
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let place = (0..left.len().max(right.len())).find(|&place| left.get(place) != right.get(place))?;
    let around =
        |lines: &[&str]| lines[place.saturating_sub(12).min(lines.len())..(place + 3).min(lines.len())].join("\n");
    Some(format!("line {place}:\n{}\n--- or ---\n{}", around(&left), around(&right)))
}

fn agree(stream: &Stream, settings: &Settings, seed: u64) -> Result<String, String> {
    let late = dump(&stream.run(settings, Eagerness::Late), true).unwrap();
    for eagerness in [Eagerness::First, Eagerness::Bursts(seed), Eagerness::Bursts(seed + 1)] {
        let other = dump(&stream.run(settings, eagerness), true).unwrap();
        if let Some(difference) = difference(&late, &other) {
            return Err(format!("{eagerness:?}, {difference}"));
        }
    }
    Ok(late)
}

fn read(kind: Kind, path: &str) -> Vec<Row> {
    let mut rows = Rows::open(kind, path.as_ref(), None).unwrap();
    let mut all = Vec::new();
    while rows
        .next(|row, _| {
            all.push(match row {
                Ok(parsed) => Row::Record(owned(parsed.record), parsed.offset_timestamp),
                Err(bad) => Row::Bad(bad),
            });
        })
        .unwrap()
    {}
    all
}

#[test]
fn recorded_streams_give_one_state_in_any_interleaving() {
    for name in ["messy", "level_shift_injected"] {
        let Some([predictions, actuals]) = live::files(name) else { return };
        let stream =
            Stream { predictions: read(Kind::Predictions, &predictions), actuals: read(Kind::Actuals, &actuals) };
        for retain_steps in [400, 50] {
            let settings = Settings { warm_up: Some(40 * DAY), retain_steps, ..Settings::default() };
            let text = agree(&stream, &settings, 7).unwrap_or_else(|difference| panic!("{name}: {difference}"));
            let state: Value = serde_json::from_str(&text).unwrap();
            assert!(state["models"][0]["steps"].as_array().unwrap().len() >= 50, "{name}");
            assert!(!state["models"][0]["buckets"][0]["baseline"].is_null(), "{name}");
        }
    }
}

/// What a random stream is made of.
#[derive(Debug, Clone)]
struct Shape {
    seed: u64,
    series: usize,
    days: i64,
    horizons: i64,
    shift: f64,
    retain_steps: usize,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let shift = prop_oneof![Just(0.0), Just(40.0)];
    (any::<u32>(), 1..7_usize, 25..90_i64, 1..12_i64, shift, 15..100_usize).prop_map(
        |(seed, series, days, horizons, shift, retain_steps)| Shape {
            seed: seed.into(),
            series,
            days,
            horizons,
            shift,
            retain_steps,
        },
    )
}

fn text(text: String) -> Cow<'static, str> {
    Cow::Owned(text)
}

fn series(n: usize) -> Cow<'static, str> {
    text(format!("series {n}"))
}

impl Shape {
    fn settings(&self) -> Settings {
        let rules = vec!["mape > 1.5x over 5 for 2".parse().unwrap()];
        let (warm_up, retain_steps) = (Some(10 * DAY), self.retain_steps);
        Settings { warm_up, min_steps: 5, retain_steps, rules, promise_steps: 50.0, ..Settings::default() }
    }

    fn stream(&self) -> Stream {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let truth: Vec<Vec<f64>> = (0..self.series)
            .map(|_| (0..=self.days + 12).map(|_| random.random_range(50.0..150.0)).collect())
            .collect();
        Stream { predictions: self.predictions(&truth, &mut random), actuals: self.actuals(&truth, &mut random) }
    }

    /// Two versions of one model and another model; horizons grow, some are left out, some records come twice or changed.
    fn predictions(&self, truth: &[Vec<f64>], random: &mut ChaCha8Rng) -> Vec<Row> {
        let mut all = Vec::new();
        for day in 0..self.days {
            for (model, version, from) in [("one", "1", 0), ("one", "2", 20), ("two", "1", 5)] {
                let reach = self.horizons.min(1 + day / 6);
                for (n, ahead) in (0..self.series).flat_map(|n| (1..=reach).map(move |ahead| (n, ahead))) {
                    if day < from || random.random_bool(0.1) {
                        continue;
                    }
                    let target = day + ahead;
                    let actual = truth[n][usize::try_from(target).unwrap()];
                    let shift = if day > self.days / 2 { self.shift } else { 0.0 };
                    let y_hat = actual + random.random_range(-9.0..9.0) * (1.0 + ahead as f64).sqrt() + shift;
                    let issued = day * DAY + random.random_range(0..HOUR);
                    let record = Prediction {
                        model: text(model.to_owned()),
                        version: text(version.to_owned()),
                        series: series(n),
                        issued_at: timestamp(issued),
                        target_time: timestamp(target * DAY),
                        horizon: u32::try_from(ahead).ok(),
                        y_hat,
                        interval: random.random_bool(0.9).then_some((y_hat - 10.0, y_hat + 10.0)),
                        level: None,
                        segments: vec![(text("parity".to_owned()), text((n % 2).to_string()))],
                    };
                    if random.random_bool(0.02) {
                        all.push(Row::Record(
                            Record::Prediction(Prediction { y_hat: y_hat + 1.0, ..record.clone() }),
                            false,
                        ));
                    }
                    all.push(Row::Record(Record::Prediction(record), random.random_bool(0.1)));
                }
            }
        }
        all
    }

    /// The last series first; late, missing, void, twice, restated.
    fn actuals(&self, truth: &[Vec<f64>], random: &mut ChaCha8Rng) -> Vec<Row> {
        let mut all: Vec<(Micros, Row)> = Vec::new();
        for (day, n) in (0..self.days).flat_map(|day| (0..self.series).rev().map(move |n| (day, n))) {
            let y = truth[n][usize::try_from(day).unwrap()];
            let late = if random.random_bool(0.05) { random.random_range(0..15) * DAY } else { 0 };
            let observed = day * DAY + 25 * HOUR + late;
            let record = Actual {
                series: series(n),
                target_time: timestamp(day * DAY),
                y,
                observed_at: timestamp(observed),
                revision: None,
            };
            let row = |record: Actual<'static>| Row::Record(Record::Actual(record), false);
            match random.random_range(0..20) {
                0 => {}
                1 => {
                    let bad = BadRow {
                        about: Some((record.series.to_string(), record.target_time)),
                        ..BadRow::row(Fault::Null, "", "")
                    };
                    all.push((observed, Row::Bad(bad)));
                }
                2 => {
                    all.push((observed, row(record.clone())));
                    all.push((observed, row(record)));
                }
                3 => {
                    let again = observed + random.random_range(1..20) * DAY;
                    all.push((observed, row(record.clone())));
                    all.push((again, row(Actual { y: y * 1.1, observed_at: timestamp(again), ..record })));
                }
                _ => all.push((observed + random.random_range(0..3) * HOUR, row(record))),
            }
        }
        all.sort_by_key(|(arrived, _)| *arrived);
        all.into_iter().map(|(_, row)| row).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn random_streams_give_one_state_in_any_interleaving(shape in shapes()) {
        let result = agree(&shape.stream(), &shape.settings(), shape.seed);
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}

#[test]
fn a_random_stream_has_what_could_differ() {
    let shape = Shape { seed: 3, series: 5, days: 80, horizons: 9, shift: 40.0, retain_steps: 30 };
    let text = agree(&shape.stream(), &shape.settings(), 1).unwrap();
    let state: Value = serde_json::from_str(&text).unwrap();
    let kinds: Vec<&str> =
        state["alerts"].as_array().unwrap().iter().map(|alert| alert["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"drift") && kinds.contains(&"rule"), "{kinds:?}");
    for fault in
        ["duplicate_exact", "duplicate_conflict", "late", "missing", "null", "pred_conflict", "offset_timestamp"]
    {
        assert!(state["faults"][fault].as_u64().unwrap() > 0, "{fault}: {}", state["faults"]);
    }
    assert_eq!(state["models"].as_array().unwrap().len(), 3);
    assert_eq!(state["models"][0]["segments"]["series 1"], serde_json::json!(["parity=1"]));
    // Something was forgotten, and what is left does not reach back to the beginning.
    assert!(state["models"][0]["closed_steps"].as_u64().unwrap() > 30 + 30 / 8 + 1);
    assert!(state["models"][0]["steps"].as_array().unwrap().len() <= 30 + 30 / 8 + 1);
}

#[test]
fn another_value_is_another_state() {
    let shape = Shape { seed: 5, series: 2, days: 40, horizons: 3, shift: 0.0, retain_steps: 100 };
    let (stream, mut other) = (shape.stream(), shape.stream());
    let before = dump(&stream.run(&shape.settings(), Eagerness::Late), true).unwrap();
    let Some(Row::Record(Record::Actual(actual), _)) =
        other.actuals.iter_mut().rfind(|row| matches!(row, Row::Record(..)))
    else {
        panic!()
    };
    actual.y += 1e-6;
    assert!(difference(&before, &dump(&other.run(&shape.settings(), Eagerness::Late), true).unwrap()).is_some());
}

#[test]
fn a_full_dump_says_more_and_holds_the_canonical_one() {
    let shape = Shape { seed: 5, series: 2, days: 40, horizons: 3, shift: 0.0, retain_steps: 100 };
    let engine = shape.stream().run(&shape.settings(), Eagerness::First);
    let [mut full, canonical] =
        [false, true].map(|is_canonical| serde_json::from_str::<Value>(&dump(&engine, is_canonical).unwrap()).unwrap());
    let arrival = full.as_object_mut().unwrap().remove("arrival").unwrap();
    assert_eq!(full, canonical);
    // The actuals name the last series first, but all predictions came before.
    assert_eq!(arrival["series"], serde_json::json!(["series 0", "series 1"]));
    assert_eq!(arrival["settings"]["promise_steps"], 50.0);
}
