//! Metrics that others log to MLflow, polled: points that are new since the last poll become values that a rule can watch.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::mlflow::{Failure, Kind, Point, RunId, Tracker};
use shared::{Error, Result};

/// A metric of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    run: RunId,
    key: String,
}

impl Watched {
    /// The metric that `RUN_ID/METRIC` names; the metric may hold slashes itself.
    ///
    /// # Errors
    /// [`Error::Usage`] if it names none.
    pub fn parse(text: &str) -> Result<Self> {
        let (run, key) = text.split_once('/').filter(|(_, key)| !key.is_empty()).ok_or_else(|| {
            Error::usage(format!("MLflow metric {text:?}"), "RUN_ID/METRIC")
                .with_help("copy the run ID from the run's page: 76af81e81f2d4cae80202c1f4c7612b4/mape")
        })?;
        Ok(Self { run: RunId::new(run)?, key: key.to_owned() })
    }

    /// `RUN_ID/METRIC`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.run, self.key)
    }
}

/// How far each metric was read: time in milliseconds and step of its last point. After a restart it is made from the points that
/// are durable, so that a crash neither repeats nor skips one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen(BTreeMap<String, (i64, i64)>);

impl Seen {
    /// That this metric is read up to a point.
    pub fn note(&mut self, name: &str, time_ms: i64, step: i64) {
        self.0.insert(name.to_owned(), (time_ms, step));
    }
}

/// A new point.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalPoint {
    /// `RUN_ID/METRIC`.
    pub name: String,
    /// A finite value.
    pub value: f64,
    /// When it was logged, or the time that it was logged for.
    pub time: Timestamp,
    /// The step that it was logged for.
    pub step: i64,
}

/// What a poll gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Polled {
    /// New points, by metric as configured and then by time and step.
    pub points: Vec<ExternalPoint>,
    /// How far things are read when these points are kept.
    pub seen: Seen,
    /// New points that were left out, since their value is not finite or their time is none.
    pub left_out: u64,
    /// Metrics that could not be read, and why; their points come with a later poll.
    pub failures: Vec<(String, String)>,
}

/// Asks for what is new since `seen`. Points that are logged later for an earlier time than the last one seen stay unseen.
pub fn poll(watched: &[Watched], seen: &Seen, tracker: &Tracker) -> Polled {
    let mut polled = Polled { seen: seen.clone(), ..Polled::default() };
    let mut dead = None;
    for metric in watched {
        let name = metric.name();
        if let Some(why) = &dead {
            polled.failures.push((name, String::clone(why)));
            continue;
        }
        match tracker.metric_history(&metric.run, &metric.key, polled.seen.0.get(&name).copied()) {
            Ok(points) => polled.add(&name, &points),
            Err(failure) => {
                let why = reason(&failure);
                polled.failures.push((name, why.clone()));
                // Where nobody answers, the next request would only wait as long again.
                dead = matches!(failure.kind, Kind::Unreachable | Kind::OutOfTime).then_some(why);
            }
        }
    }
    polled
}

fn reason(failure: &Failure) -> String {
    let help = failure.error.help().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{}{help}", failure.error)
}

impl Polled {
    /// Points come in order of time and step.
    fn add(&mut self, name: &str, points: &[Point]) {
        for point in points {
            match Timestamp::from_millisecond(point.timestamp) {
                Ok(time) if is_finite(point.value) => {
                    self.points.push(ExternalPoint {
                        name: name.to_owned(),
                        value: point.value,
                        time,
                        step: point.step,
                    });
                }
                _ => self.left_out += 1,
            }
        }
        let last = points.last().map(|last| (last.timestamp, last.step));
        self.seen.0.extend(last.map(|last| (name.to_owned(), last)));
    }
}

/// MLflow's databases hold infinity as the largest finite number.
fn is_finite(value: f64) -> bool {
    value.abs() < f64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_named_by_its_run() {
        let run = "e61f144a58734694a2220858d2108196";
        assert_eq!(Watched::parse(&format!("{run}/live/mape")).unwrap().key, "live/mape");
        for bad in ["", "mape", run, &format!("{run}/"), "x/mape"] {
            assert!(Watched::parse(bad).is_err(), "{bad}");
        }
    }
}
