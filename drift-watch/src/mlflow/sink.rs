//! Live metrics for MLflow: one message a closed step, delivered to one run a version of a model.
//!
//! All of it can be repeated. A step is put once, whatever is put under its number again; a point with the same key, time and
//! step is stored by the server once. So neither a restart nor a delivery that broke off adds anything.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::mlflow::{Batch, Outcome, Run, Tracker, deliver, distinct_key};
use shared::outbox::{Delivery, Message, Outbox, Put};
use shared::{Error, Result, digest};

/// The kind of these messages.
const KIND: &str = "live";

/// The tag by which the run of a version is found; its value is a digest, so that no name needs quoting in a search.
const RUN_TAG: &str = "drift_watch_live";

/// Values in one message at most: it stays well below the largest message of the outbox.
const MOST_VALUES: usize = 1_000;

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
        let mut sender = Sender { tracker, runs: BTreeMap::new() };
        deliver(&self.outbox, Parcel::of, |parcel| sender.send(parcel))
    }
}

impl Entry {
    fn of(value: &LiveMetric) -> Self {
        let finite = Some(value.value).filter(|value| value.is_finite());
        Self { key: distinct_key(&value.metric), value: finite, time_ms: value.time.as_millisecond() }
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
    /// The runs that were found or made in this delivery.
    runs: BTreeMap<(String, String), Run>,
}

impl Sender<'_> {
    fn send(&mut self, parcel: &Parcel) -> Outcome<()> {
        let run = self.run(parcel)?;
        self.tracker.log(&run, &parcel.batch())
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
        let Parcel { model, version, values, .. } = parcel;
        let tags = [
            ("model", model.as_str()),
            ("version", version),
            ("drift-watch", "live"),
            ("mlflow.source.name", "drift-watch"),
            ("mlflow.source.type", "JOB"),
        ];
        let start_ms = values.iter().map(|value| value.time_ms).min().unwrap_or_default();
        let name = format!("{model} {version} live");
        self.tracker.find_or_create(&parcel.experiment, (RUN_TAG, names), &name, start_ms, &tags)
    }
}
