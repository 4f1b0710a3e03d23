//! What daemons that are no more left undone: see [`crate::work::recover`].

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use shared::error::Result;

use super::Daemon;
use crate::plan::Ready;
use crate::store::{Denied, UnfinishedRun};
use crate::work::recover::Left;

impl Daemon {
    /// Takes over what nobody works at any more.
    pub(super) fn recover(&mut self, now: Timestamp) -> Result<()> {
        let mut by_job: BTreeMap<String, Vec<UnfinishedRun>> = BTreeMap::new();
        for run in self.shop.store.unfinished(Some(&self.shop.host.name))? {
            by_job.entry(run.job.clone()).or_default().push(run);
        }
        for (job, runs) in by_job {
            if self.runs.keys().any(|(name, _)| *name == job) {
                continue;
            }
            let Some(lock) = self.shop.state.lock_alone(&job)? else { continue };
            for run in &runs {
                if !self.again.has(&run.ticket) {
                    self.take_up(run, now)?;
                }
            }
            drop(lock);
        }
        Ok(())
    }

    fn take_up(&mut self, run: &UnfinishedRun, now: Timestamp) -> Result<()> {
        let Some(job) = self.plan.job(&run.job).cloned() else { return self.abandon(run, now) };
        match self.shop.recover(&job, run)? {
            Left::Nothing => Ok(()),
            Left::Again(ticket, why) => {
                tracing::warn!(job = run.job, slot = %run.scheduled_at, why, "a run is tried again");
                let ready = Ready {
                    job: Arc::clone(&job),
                    scheduled_at: run.scheduled_at,
                    reason: run.reason,
                    key: run.key.clone(),
                    queued_at: now,
                };
                self.retry(ready, ticket, &why, now)
            }
        }
    }

    /// A run of a job that the settings no longer have.
    fn abandon(&self, run: &UnfinishedRun, now: Timestamp) -> Result<()> {
        let given_up = self.shop.store.take_over(run.ticket.run, &self.shop.host, now).and_then(|ticket| {
            if run.state.is_underway() {
                self.shop.store.lost(&ticket, now)?;
            }
            self.shop.store.give_up(&ticket, "the settings no longer have the job", &[], now)
        });
        match given_up {
            Ok(()) | Err(Denied::Stale(_)) => Ok(()),
            Err(Denied::Failed(error)) => Err(error),
        }
    }
}
