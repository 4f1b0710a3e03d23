//! What leaves this machine: alerts to receivers, runs to MLflow. Each has a queue on disk, so that a server that is down delays and loses nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use shared::alert::{Alert, Carriers, ReceiverView, Transition};
use shared::error::Result;

use crate::daemon::Telling;
use crate::job::Job;
use crate::mlflow::{Logger, RunRecord};
use crate::store::Store;

/// The labels that arguments of hooks may name.
pub const LABELS: [&str; 3] = [PROJECT, "job", "model"];

/// The label with the name of the project.
const PROJECT: &str = "project";

/// So many of the newest slots are looked at for runs that are not logged yet.
const LOOKED_AT: usize = 20;

/// How often it is looked whether all is delivered.
const PAUSE: Duration = Duration::from_millis(50);

/// How long receivers may take to hear of an alert, before it waits for the next run.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What leaves.
#[derive(Debug)]
pub struct Outgoing {
    /// Carries alerts.
    pub carriers: Carriers,
    /// Logs runs.
    pub logger: Option<Logger>,
    /// The name of the project, which alerts carry.
    pub project: Option<String>,
}

impl Outgoing {
    /// How deliveries fare.
    pub fn health(&self) -> Vec<ReceiverView> {
        self.carriers.health().chain(self.logger.iter().map(Logger::health)).collect()
    }

    /// Waits until all is delivered, for so long at most; the rest waits in its queue.
    pub fn settle(&self, patience: Duration) {
        let started = Instant::now();
        while self.is_under_way() && started.elapsed() < patience {
            std::thread::sleep(PAUSE);
        }
    }

    /// Whether something lies in a queue, or was tried in vain. How receivers fare is known only after an attempt.
    fn is_under_way(&self) -> bool {
        self.carriers.n_queued().is_ok_and(|queued| queued > 0)
            || self.health().iter().any(|receiver| receiver.waiting > 0)
    }

    /// Ends the threads.
    pub fn stop(self) {
        self.carriers.stop();
        self.logger.into_iter().for_each(Logger::stop);
    }

    fn of_project(&self, alert: &Alert) -> Alert {
        let mut alert = alert.clone();
        alert.labels.extend(self.project.iter().map(|project| (PROJECT.to_owned(), project.clone())));
        alert
    }
}

impl Telling for Arc<Outgoing> {
    fn tell(&self, transition: &Transition, now: Timestamp) -> Result<()> {
        (**self).tell(transition, now)
    }

    fn show(&self, firing: &[Alert]) {
        (**self).show(firing);
    }

    fn judged(&self, store: &Store, job: &Job) -> Result<()> {
        (**self).judged(store, job)
    }
}

impl Telling for Outgoing {
    fn tell(&self, transition: &Transition, now: Timestamp) -> Result<()> {
        let transition = Transition { alert: self.of_project(&transition.alert), ..transition.clone() };
        self.carriers.queue(&transition, now, |_| true)
    }

    fn show(&self, firing: &[Alert]) {
        self.carriers.show(&firing.iter().map(|alert| self.of_project(alert)).collect::<Vec<_>>());
    }

    fn judged(&self, store: &Store, job: &Job) -> Result<()> {
        let Some(logger) = &self.logger else { return Ok(()) };
        for row in store.history(&job.name, LOOKED_AT)? {
            RunRecord::of(store, job, &row)?.iter().try_for_each(|record| logger.put(record))?;
        }
        Ok(())
    }
}
