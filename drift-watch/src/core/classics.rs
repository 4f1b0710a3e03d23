//! Classic detectors on the metrics of a version, as a team asks for them: `adwin(delta=0.002) on mape h 1`.
//!
//! Each bucket of horizons has a detector of its own. It takes the metric's value over all series at each decided step, from the
//! first step after the baseline on; a step without enough of its actuals is left out, as it is for all detectors, and what is restated later is not
//! taken back. CUSUM takes that value less the winsorised mean of the baseline's steps, over their standard deviation, and nothing where these do not
//! vary; DDM takes the share of misses; the others take the value itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};
use shared::metric::Metric;

use super::alerts::{Alerts, Cause, Condition, Key, Patience, Transition};
use super::board::Board;
use super::bucket::Bucket;
use super::detector::classic::{Classic, Signal};
use super::detector::reference::robust;
use super::learned::Rows;
use super::settings::{Loss, Settings};
use super::step::EVERYONE;
use super::tally::Tally;
use super::time::{Micros, text};
use super::watched::Watched;
use crate::view::AlertKind;

/// The metrics that can be asked for: those that a step's pairs alone define.
const METRICS: [Metric; 11] = [
    Metric::Mape,
    Metric::Smape,
    Metric::Wape,
    Metric::Mae,
    Metric::Mse,
    Metric::Rmse,
    Metric::Bias,
    Metric::MeanError,
    Metric::Da,
    Metric::Coverage,
    Metric::Pinball,
];

const FORM: &str = "DETECTOR [on METRIC] [h N], as in `adwin(delta=0.002) on mape h 1`";

/// A detector that a team asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    text: String,
    detector: Classic,
    metric: Option<Metric>,
    horizon: Option<u32>,
}

/// Mean and standard deviation of a metric over the baseline's steps.
pub type Level = (f64, f64);

impl Request {
    /// The metric that it watches; the loss where none is named.
    pub fn metric(&self, loss: Loss) -> Metric {
        self.metric.unwrap_or(match loss {
            Loss::Mape => Metric::Mape,
            Loss::Mae => Metric::Mae,
        })
    }

    /// The value as the detector takes it.
    fn prepared(&self, value: f64, level: Option<Level>) -> Option<f64> {
        match self.detector {
            Classic::Cusum(_) => level.map(|(mean, deviation)| (value - mean) / deviation),
            Classic::Ddm(_) => Some(1.0 - value),
            Classic::Adwin(_) | Classic::PageHinkley(_) => Some(value),
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Result<(), String> {
        let twice = || format!("{option:?} is given twice");
        match option {
            "on" if self.metric.is_some() => Err(twice()),
            "h" if self.horizon.is_some() => Err(twice()),
            "on" => {
                let metric: Metric = value.parse().map_err(|error: Error| error.to_string())?;
                self.metric = Some(metric);
                match METRICS.contains(&metric) {
                    true => Ok(()),
                    false => Err(format!(
                        "{metric} is not known step by step, unlike {}",
                        METRICS.map(Metric::name).join(", ")
                    )),
                }
            }
            "h" => {
                let horizon = value.parse().ok().filter(|&horizon: &u32| horizon > 0);
                self.horizon = Some(horizon.ok_or_else(|| format!("h {value:?} is no number of steps"))?);
                Ok(())
            }
            other => Err(format!("unknown option {other:?}")),
        }
    }

    fn check(&self) -> Result<(), String> {
        match (&self.detector, self.metric) {
            (Classic::Ddm(_), Some(Metric::Coverage | Metric::Da)) => Ok(()),
            (Classic::Ddm(_), _) => Err("ddm takes hits and misses: `ddm on coverage` or `ddm on da`".to_owned()),
            _ => Ok(()),
        }
    }
}

impl FromStr for Request {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = |found: String| Error::usage(format!("detector {text:?}: {found}"), FORM);
        let end = match text.find(')') {
            Some(bracket) => bracket + 1,
            None => text.find(char::is_whitespace).unwrap_or(text.len()),
        };
        let detector = text[..end].parse()?;
        let mut request = Self { text: text.to_owned(), detector, metric: None, horizon: None };
        let words: Vec<&str> = text[end..].split_whitespace().collect();
        for pair in words.chunks(2) {
            let [option, value] = pair else { return Err(wrong(format!("{:?} needs a value", pair[0]))) };
            request.set(option, value).map_err(wrong)?;
        }
        request.check().map_err(wrong)?;
        Ok(request)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The level of each metric over the steps of a baseline, where its values vary.
pub fn levels(rows: &dyn Rows, level_percent: f64) -> Vec<(Metric, Level)> {
    let mut steps: std::collections::BTreeMap<Micros, Tally> = std::collections::BTreeMap::new();
    for row in rows.series().into_iter().flat_map(|series| rows.of(series)) {
        steps.entry(row.target).or_default().add(&row.pair, None, level_percent);
    }
    let level = |metric: Metric| {
        let values: Vec<f64> = steps.values().filter_map(|tally| tally.metric(metric, level_percent).0).collect();
        Some((metric, robust(&values)?))
    };
    METRICS.into_iter().filter_map(level).collect()
}

/// What a detector says of a step.
struct Said {
    bucket: Bucket,
    value: f64,
    usual: Option<f64>,
    signal: Signal,
}

/// Shows a closed step to all detectors that the team asks for; what comes of it.
pub fn observe(
    board: &mut Board,
    alerts: &mut Alerts,
    settings: &Settings,
    now: Micros,
    target: Micros,
) -> Vec<Transition> {
    let share = board.steps.get(&target).map_or(0.0, super::step::Step::completeness);
    if share < settings.min_completeness_ratio {
        return Vec::new();
    }
    let patience = Patience { hold: 1, keep: settings.keep_firing_steps, cooldown: 0 };
    let mut all = Vec::new();
    for request in &settings.classic {
        for said in show(board, request, settings.loss, target) {
            let key = Key {
                kind: AlertKind::Rule,
                model: board.model.clone(),
                version: board.version.clone(),
                subject: format!("{request} (horizon {})", said.bucket),
            };
            let cause = || Cause {
                target: Some(target),
                reason: sentence(request, &said, settings.loss, target),
                ..Cause::default()
            };
            all.extend(alerts.observe(&key, condition(said.signal), patience, now, cause));
        }
    }
    all
}

fn show(board: &mut Board, request: &Request, loss: Loss, target: Micros) -> Vec<Said> {
    let metric = request.metric(loss);
    let wanted = request.horizon.map(Bucket::of);
    let buckets: Vec<Bucket> =
        board.buckets.keys().copied().filter(|bucket| wanted.is_none_or(|wanted| wanted == *bucket)).collect();
    let mut all = Vec::new();
    for bucket in buckets {
        let value = board.at_step(target, Some(bucket), EVERYONE, metric);
        let watched = board.buckets.get_mut(&bucket).filter(|watched| watched.learned.is_some());
        let (Some(value), Some(watched)) = (value, watched) else { continue };
        all.extend(update(watched, request, metric, bucket, value));
    }
    all
}

fn update(watched: &mut Watched, request: &Request, metric: Metric, bucket: Bucket, value: f64) -> Option<Said> {
    let level = watched.levels.iter().find(|(known, _)| *known == metric).map(|(_, level)| *level);
    let prepared = request.prepared(value, level)?;
    let detector = watched.classic.entry(request.text.clone()).or_insert_with(|| request.detector.clone());
    Some(Said { bucket, value, usual: level.map(|(mean, _)| mean), signal: detector.update(prepared) })
}

fn condition(signal: Signal) -> Condition {
    match signal {
        Signal::Drift => Condition::Holds,
        Signal::Warning => Condition::Between,
        Signal::None => Condition::Clear,
    }
}

fn sentence(request: &Request, said: &Said, loss: Loss, target: Micros) -> String {
    let usual = said.usual.map(|usual| format!(", {usual:.4} at a step of the baseline")).unwrap_or_default();
    format!(
        "{request} has found a change of {} at horizon {} by {}: {:.4} at this step{usual}; its rate of false alarms is measured, not promised: {}",
        request.metric(loss).name(),
        said.bucket,
        text(target),
        said.value,
        request.detector.control(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read() {
        let plain: Request = " cusum ".parse().unwrap();
        assert_eq!(
            (plain.metric(Loss::Mape), plain.metric(Loss::Mae), plain.horizon),
            (Metric::Mape, Metric::Mae, None)
        );
        let whole: Request = "Page_Hinkley( delta = 0.01, mode=up ) h 3 on bias".parse().unwrap();
        assert_eq!((whole.metric(Loss::Mape), whole.horizon), (Metric::Bias, Some(3)));
        assert_eq!(whole.to_string(), "Page_Hinkley( delta = 0.01, mode=up ) h 3 on bias");
        assert_eq!("ddm on coverage".parse::<Request>().unwrap().prepared(0.75, None), Some(0.25));
        assert_eq!(plain.prepared(3.0, Some((1.0, 0.5))), Some(4.0));
        assert_eq!(plain.prepared(3.0, None), None);
    }

    #[test]
    fn a_wrong_request_says_what_was_expected() {
        for (text, found) in [
            ("", "detector \"\""),
            ("adwim on mape", "detector \"adwim\""),
            ("adwin(delta=0.1 on mape", "no closing bracket"),
            ("adwin on", "\"on\" needs a value"),
            ("adwin on mapee", "metric \"mapee\""),
            ("adwin on mase", "mase is not known step by step"),
            ("adwin on mape on mae", "\"on\" is given twice"),
            ("adwin h 0", "h \"0\" is no number of steps"),
            ("adwin of mape", "unknown option \"of\""),
            ("ddm", "`ddm on coverage` or `ddm on da`"),
            ("ddm on mape", "`ddm on coverage` or `ddm on da`"),
        ] {
            let error = text.parse::<Request>().unwrap_err().to_string();
            assert!(error.contains(found), "{text}: {error}");
        }
    }
}
