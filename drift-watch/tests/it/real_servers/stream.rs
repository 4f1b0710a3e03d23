//! Hourly records of a made-up model, near the present, so that its feeds are as fresh as a test wants them.

use std::fs::OpenOptions;
use std::io::Write;
use std::ops::Range;

use crate::replayed::Place;
use crate::synthetic::Random;
use drift_watch::core::time::{Micros, SECOND};
use jiff::Timestamp;
use serde_json::json;

pub(crate) const HOUR: Micros = 3600 * SECOND;

const SERIES: i64 = 4;

/// A model that is 5 % off as a rule. Steps count from its first target time.
pub(crate) struct Hourly {
    pub(crate) model: &'static str,
    first: Micros,
}

impl Hourly {
    /// One whose first target time lies this many hours back.
    pub(crate) fn starting(model: &'static str, hours_ago: i64) -> Self {
        let now = Timestamp::now().as_microsecond();
        Self { model, first: now - now.rem_euclid(HOUR) - hours_ago * HOUR }
    }

    /// Forecasts of these steps, `factor` times as large as they should be, and what came of them.
    pub(crate) fn write(&self, place: &Place, steps: Range<i64>, factor: f64) {
        self.predict(place, steps.clone(), factor);
        self.observe(place, steps);
    }

    pub(crate) fn predict(&self, place: &Place, steps: Range<i64>, factor: f64) {
        let record = |(step, series): (i64, i64)| {
            let (size, target) = (size(series), self.target(step));
            json!({
                "model": self.model, "version": "1", "series": self.series(series),
                "issued_at": time(target - HOUR), "target_time": time(target), "horizon": 1,
                "y_hat": size * factor, "lo": size * (factor - 0.1), "hi": size * (factor + 0.1), "level": 90,
                "segment.coast": if series == 0 { "yes" } else { "no" },
            })
        };
        append(place, "predictions.jsonl", rows(steps).map(record));
    }

    pub(crate) fn observe(&self, place: &Place, steps: Range<i64>) {
        let record = |(step, series): (i64, i64)| {
            let target = self.target(step);
            let noise = Random::new((step * SERIES + series).unsigned_abs()).normal();
            let y = size(series) * (1.0 + 0.05 * noise);
            json!({"series": self.series(series), "target_time": time(target), "y": y, "observed_at": time(target + HOUR / 10)})
        };
        append(place, "actuals.jsonl", rows(steps).map(record));
    }

    pub(crate) fn target(&self, step: i64) -> Micros {
        self.first + step * HOUR
    }

    fn series(&self, number: i64) -> String {
        format!("{}-{number}", self.model)
    }
}

fn size(series: i64) -> f64 {
    100.0 * (series + 1) as f64
}

fn rows(steps: Range<i64>) -> impl Iterator<Item = (i64, i64)> {
    steps.flat_map(|step| (0..SERIES).map(move |series| (step, series)))
}

fn time(micros: Micros) -> String {
    Timestamp::from_microsecond(micros).unwrap().to_string()
}

fn append(place: &Place, file: &str, records: impl Iterator<Item = serde_json::Value>) {
    let lines: Vec<String> = records.map(|record| record.to_string()).collect();
    let mut file = OpenOptions::new().create(true).append(true).open(place.path(file)).unwrap();
    file.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
}
