//! Judged runs go to `MLflow`: one run there for each here, by way of a queue that outlives the daemon.
//!
//! All of it can be repeated. The run there carries ours in a tag, by which it is looked for before it is made; what it has already is
//! not sent again.

mod parcel;
mod record;

use std::path::PathBuf;

use shared::Result;
use shared::alert::ReceiverView;
use shared::mlflow::{ArtifactPath, Config, Deliverer, Outcome, Tracker, deliver};
use shared::outbox::{Delivery, Outbox, Put};

use parcel::Parcel;

pub use parcel::RUN_TAG;
pub use record::{Artefact, RunRecord, Value};

/// Flags of what is logged.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Log each judged run to this experiment of MLflow, at the server of `MLFLOW_TRACKING_URI`
    #[arg(long, value_name = "NAME")]
    pub mlflow_experiment: Option<String>,
}

/// Where runs are logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The experiment, which is made if there is none of this name.
    pub experiment: String,
    /// The server.
    pub server: Config,
}

impl Flags {
    /// Where runs are logged, if they are; the server comes from the environment.
    ///
    /// # Errors
    /// If the environment names none that can be written to.
    pub fn settings(&self) -> Result<Option<Settings>> {
        let settings =
            |experiment: &String| Ok(Settings { experiment: experiment.clone(), server: Config::from_env()? });
        self.mlflow_experiment.as_ref().map(settings).transpose()
    }
}

/// A queue of judged runs.
#[derive(Debug, Clone)]
pub struct Queue {
    outbox: Outbox,
    experiment: String,
}

impl Queue {
    /// The queue in a folder, for runs of this experiment.
    pub fn new(folder: impl Into<PathBuf>, experiment: impl Into<String>) -> Self {
        Self { outbox: Outbox::new(folder), experiment: experiment.into() }
    }

    /// Queues a judged run; one that was queued before stays as it was.
    ///
    /// # Errors
    /// If the queue cannot be written or is full.
    pub fn put(&self, record: &RunRecord) -> Result<Put> {
        self.outbox.put(&Parcel { experiment: self.experiment.clone(), record: record.clone() }.message()?)
    }

    /// Sends what waits, oldest first.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if another process delivers at this moment, [`shared::Error::Io`].
    pub fn deliver(&self, tracker: &Tracker) -> Result<Delivery> {
        deliver(&self.outbox, Parcel::of, |parcel| send(tracker, parcel))
    }
}

/// What has arrived entirely is finished, and nothing of it is sent again.
fn send(tracker: &Tracker, parcel: &Parcel) -> Outcome<()> {
    let RunRecord { id, started, ended, .. } = &parcel.record;
    let tags = [("mlflow.source.name", "rebench-cron"), ("mlflow.source.type", "JOB")];
    let start = started.as_millisecond();
    let run = tracker.find_or_create(&parcel.experiment, (RUN_TAG, id), &parcel.name(), start, &tags)?;
    if run.finished {
        return Ok(());
    }
    let (there, gone): (Vec<&Artefact>, Vec<&Artefact>) = parcel.record.artefacts.iter().partition(|it| it.is_there());
    tracker.log(&run, &parcel.batch(&gone))?;
    for Artefact { name, path, sha256 } in there {
        let Ok(name) = ArtifactPath::new(name) else { continue };
        tracker.upload(&run, &name, path, sha256)?;
    }
    tracker.finish(&run, ended.as_millisecond())
}

/// Logs judged runs, from a thread of its own.
#[derive(Debug)]
pub struct Logger {
    queue: Queue,
    deliverer: Deliverer,
}

impl Logger {
    /// Starts to deliver what waits in the folder, and what is put there.
    ///
    /// # Errors
    /// [`shared::Error::Usage`] if no server is named, [`shared::Error::Environment`] if there can be no thread.
    pub fn start(settings: Settings, folder: impl Into<PathBuf>) -> Result<Self> {
        let queue = Queue::new(folder, settings.experiment);
        let own = queue.clone();
        let deliverer = Deliverer::start(settings.server, move |tracker| own.deliver(tracker))?;
        Ok(Self { queue, deliverer })
    }

    /// Queues a judged run. When this returns, a crash does not lose it.
    ///
    /// # Errors
    /// As [`Queue::put`].
    pub fn put(&self, record: &RunRecord) -> Result<()> {
        if self.queue.put(record)? == Put::Queued {
            self.deliverer.wake();
        }
        Ok(())
    }

    /// How the server fares.
    pub fn health(&self) -> ReceiverView {
        self.deliverer.health()
    }

    /// Ends the thread; what waits stays in the queue.
    pub fn stop(self) {
        self.deliverer.stop();
    }
}
