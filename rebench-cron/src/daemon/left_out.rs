//! Slots that are left out, until that is on record.
//!
//! A slot on record says that everything before it was decided. One that is left out is therefore recorded after the runs of its job
//! that were due before it: a daemon that is killed meanwhile finds them all undecided.

use jiff::Timestamp;
use shared::error::Result;
use std::sync::Arc;

use super::Daemon;
use crate::job::Job;
use crate::store::{NewAlert, Skip};
use crate::work::news::News;

/// A slot that is left out.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub(super) skip: Skip,
    /// The job, if nobody runs in its place, which is worth an alert.
    pub(super) missed: Option<Arc<Job>>,
}

impl Daemon {
    /// Notes what is to be recorded as left out.
    pub(super) fn leave_out(&mut self, skips: Vec<Skip>) {
        self.left_out.extend(skips.into_iter().map(|skip| LeftOut { skip, missed: None }));
    }

    /// Records what can be recorded; what cannot be written now is tried again at the next turn.
    pub(super) fn record_left_out(&mut self, now: Timestamp) -> Result<()> {
        let is_free = |it: &&LeftOut| !self.waits_before(&it.skip);
        let free: Vec<&LeftOut> = self.left_out.iter().filter(is_free).collect();
        if free.is_empty() {
            return Ok(());
        }
        let skips: Vec<Skip> = free.iter().map(|it| it.skip.clone()).collect();
        self.shop.store.skipped(&skips, &self.alerts(&free, now)?, now)?;
        self.left_out.retain(|it| !skips.contains(&it.skip));
        Ok(())
    }

    /// Leaves what waits to the next daemon, and with it what would have been recorded after it.
    pub(super) fn forget_what_waits(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        self.left_out = left_out.into_iter().filter(|it| !self.waits_before(&it.skip)).collect();
        self.queue.drain();
    }

    fn waits_before(&self, skip: &Skip) -> bool {
        let before = |at: Option<Timestamp>| at.is_some_and(|at| at < skip.scheduled_at);
        before(self.queue.first_of(&skip.job)) || before(self.again.first_of(&skip.job))
    }

    fn alerts(&self, left_out: &[&LeftOut], now: Timestamp) -> Result<Vec<NewAlert>> {
        let mut alerts = Vec::new();
        for LeftOut { skip, missed } in left_out {
            let Some(job) = missed else { continue };
            let news = News::missed(&format!("{} run(s) up to {} {}", skip.count, skip.wall, skip.why));
            alerts.extend(news.transitions(job, &self.shop.store.firing(&job.name)?, now));
        }
        Ok(alerts)
    }
}
