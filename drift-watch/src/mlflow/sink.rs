//! Live metrics for MLflow: one message a closed step, delivered to one run a version of a model.
//!
//! All of it can be repeated. A step is put once, whatever is put under its number again; a point with the same key, time and
//! step is stored by the server once. So neither a restart nor a delivery that broke off adds anything.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::mlflow::{Batch, Courier, Outcome, Run, Tracker, key};
use shared::outbox::{Delivered, Delivery, Message, Outbox, Put};
use shared::{Error, Result, digest};

/// The kind of these messages.
const KIND: &str = "live";

/// The tag by which the run of a version is found; its value is a digest, so that no name needs quoting in a search.
const RUN_TAG: &str = "drift_watch_live";

/// Values in one message at most: it stays well below the largest message of the outbox.
const MOST_VALUES: usize = 1_000;

/// Hexadecimal digits that tell apart keys which would become one.
const KEY_DIGITS: usize = 8;

/// A value of a metric at a closed step.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveMetric {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The metric, with horizon and group: `live/mape_ratio/1/region=north`.
    pub metric: String,
    /// Its value; one that is not finite is named in a tag of the run, not sent.
    pub value: f64,
    /// The target time of the step.
    pub time: Timestamp,
    /// Number of the step, from the start of the version.
    pub step: i64,
}

/// A queue of live metrics.
#[derive(Debug, Clone)]
pub struct Sink {
    outbox: Outbox,
    experiment: String,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parcel {
    experiment: String,
    model: String,
    version: String,
    step: i64,
    values: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    key: String,
    /// Nothing where the value is not finite.
    value: Option<f64>,
    time_ms: i64,
}

/// Model, version and step.
type Step<'a> = (&'a str, &'a str, i64);

impl Sink {
    /// The queue in an outbox, for runs of this experiment.
    pub fn new(outbox: Outbox, experiment: impl Into<String>) -> Self {
        Self { outbox, experiment: experiment.into() }
    }

    /// Queues the values of closed steps, all values of a step at once; returns how many messages are new. A step that was
    /// queued before stays as it was.
    ///
    /// # Errors
    /// If the outbox cannot be written or is full; what was queued before that stays queued.
    pub fn put(&self, values: &[LiveMetric]) -> Result<usize> {
        let mut steps: BTreeMap<Step<'_>, Vec<&LiveMetric>> = BTreeMap::new();
        for value in values {
            steps.entry((&value.model, &value.version, value.step)).or_default().push(value);
        }
        // In the order of time, which may not be that of names: what is delivered last is what the run shows.
        let mut steps: Vec<(Step<'_>, Vec<&LiveMetric>)> = steps.into_iter().collect();
        steps.sort_by_key(|((_, _, step), _)| *step);
        let mut queued = 0;
        for (step, values) in steps {
            for (part, values) in values.chunks(MOST_VALUES).enumerate() {
                let put = self.outbox.put(&self.message(step, part, values)?)?;
                queued += usize::from(put == Put::Queued);
            }
        }
        Ok(queued)
    }

    fn message(&self, (model, version, step): Step<'_>, part: usize, values: &[&LiveMetric]) -> Result<Message> {
        let parcel = Parcel {
            experiment: self.experiment.clone(),
            model: model.to_owned(),
            version: version.to_owned(),
            step,
            values: values.iter().map(|value| Entry::of(value)).collect(),
        };
        let body = serde_json::to_value(&parcel)
            .map_err(|error| Error::Environment { what: format!("live metrics: {error}"), help: None })?;
        let at = values.first().map_or(Timestamp::UNIX_EPOCH, |value| value.time).to_string();
        // As JSON: `a/b` with version `c` is told from `a` with `b/c`.
        let key = serde_json::json!([KIND, self.experiment, model, version, step, part]).to_string();
        Ok(Message::new(&key, &format!("{model} {version}"), KIND, &at, body))
    }

    /// Sends what waits, in the order of steps for each version. Nothing is lost or sent out of order where this fails.
    ///
    /// # Errors
    /// [`Error::Environment`] if another process delivers at this moment, [`Error::Io`].
    pub fn deliver(&self, tracker: &Tracker) -> Result<Delivery> {
        let mut sender = Sender { tracker, courier: Courier::default(), runs: BTreeMap::new() };
        self.outbox.deliver(|message| sender.send(message))
    }
}

impl Entry {
    fn of(value: &LiveMetric) -> Self {
        let finite = Some(value.value).filter(|value| value.is_finite());
        Self { key: metric_key(&value.metric), value: finite, time_ms: value.time.as_millisecond() }
    }
}

/// The key of a metric; a name that servers do not take as it is gets a mark, so that no two names share a key.
fn metric_key(name: &str) -> String {
    let text = name.replace('=', ":");
    match key(&text) {
        key if key == text => key,
        lossy => key(&format!("{lossy}-{}", &digest::of_bytes(name.as_bytes())[..KEY_DIGITS])),
    }
}

impl Parcel {
    fn of(message: &Message) -> Result<Self, String> {
        serde_json::from_value(message.body.clone()).map_err(|error| format!("it is no step of live metrics: {error}"))
    }

    fn batch(&self) -> Batch {
        let mut batch = Batch::default();
        for Entry { key, value, time_ms } in &self.values {
            batch.metric(key, value.unwrap_or(f64::NAN), *time_ms, self.step);
        }
        batch
    }

    /// What says which run is meant: experiment and digest of model and version.
    fn run(&self) -> (String, String) {
        let names = serde_json::json!([self.model, self.version]).to_string();
        (self.experiment.clone(), digest::of_bytes(names.as_bytes()))
    }
}

/// Sends messages to one server.
struct Sender<'a> {
    tracker: &'a Tracker,
    courier: Courier,
    /// The runs that were found or made in this delivery.
    runs: BTreeMap<(String, String), Run>,
}

impl Sender<'_> {
    fn send(&mut self, message: &Message) -> Result<Delivered> {
        if let Some(not_tried) = self.courier.gave_up() {
            return Ok(not_tried);
        }
        let parcel = match Parcel::of(message) {
            Ok(parcel) => parcel,
            Err(why) => return Ok(Delivered::Refused(why)),
        };
        let logged = self.run(&parcel).and_then(|run| self.tracker.log(&run, &parcel.batch()));
        match logged {
            Ok(()) => Ok(Delivered::Done),
            Err(failure) => self.courier.failed(failure),
        }
    }

    fn run(&mut self, parcel: &Parcel) -> Outcome<Run> {
        let named = parcel.run();
        if let Some(known) = self.runs.get(&named) {
            return Ok(known.clone());
        }
        let run = self.find_or_create(parcel, &named.1)?;
        self.runs.insert(named, run.clone());
        Ok(run)
    }

    fn find_or_create(&self, parcel: &Parcel, names: &str) -> Outcome<Run> {
        let experiment = self.tracker.experiment(&parcel.experiment)?;
        if let Some(run) = self.tracker.find_run(&experiment, (RUN_TAG, names))? {
            return Ok(run);
        }
        let Parcel { model, version, values, .. } = parcel;
        let tags = [
            (RUN_TAG, names),
            ("model", model),
            ("version", version),
            ("drift-watch", "live"),
            ("mlflow.source.name", "drift-watch"),
            ("mlflow.source.type", "JOB"),
        ];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let start_ms = values.iter().map(|value| value.time_ms).min().unwrap_or_default();
        self.tracker.create_run(&experiment, &format!("{model} {version} live"), start_ms, &tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_apart_and_alike() {
        assert_eq!(metric_key("live/mape_ratio/1/region=north"), "live/mape_ratio/1/region:north");
        let (a, b) = (metric_key("live/mape/Köln"), metric_key("live/mape/Kàln"));
        assert!(a != b && a.starts_with("live/mape/K_ln-"), "{a} {b}");
        assert_eq!(a, metric_key("live/mape/Köln"));
        assert!(metric_key(&"x".repeat(400)).len() <= 250);
        assert_eq!(key(&a), a, "a key stays what it is");
    }
}
