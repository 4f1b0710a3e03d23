//! Other hosts that run the same jobs are asked before a slot is claimed. Where they cannot be asked, nothing begins.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::error::{Error, Result};

use super::{Daemon, later};
use crate::job::{Job, Overlap};
use crate::plan::Ready;
use crate::shared_lock::{Answer, HostsClaim, SharedSlot, pause};
use crate::store::Reason;
use crate::work::claim;
use crate::work::hold::Hold;

/// A run that waits for the end of another one, on whatever host, is tried again so often.
const BUSY: SignedDuration = SignedDuration::from_secs(5);

/// Other hosts cannot be asked.
#[derive(Debug, Clone)]
pub(super) struct Outage {
    /// Why.
    pub(super) why: String,
    failures: u32,
    again_at: Timestamp,
}

/// What comes of asking.
pub(super) enum Asked {
    /// It may run; there is a claim where there are other hosts.
    Held(Option<HostsClaim>),
    /// It may be asked for again then.
    Later(Timestamp),
    /// Another host has it, in words.
    Elsewhere(String),
}

impl Daemon {
    /// What says that a run of a slot is on; none if it was put back, and why if it is not to be run here.
    pub(super) fn hold(&mut self, ready: &Ready, now: Timestamp) -> Result<Option<Hold>, String> {
        let Ok(Some(lock)) = self.shop.state.lock(&ready.job.name) else {
            self.put_back(ready, now);
            return Ok(None);
        };
        match self.ask_hosts(ready, now) {
            Asked::Held(shared) => Ok(Some(Hold { shared, lock })),
            Asked::Elsewhere(why) => Err(why),
            Asked::Later(_) if self.outage.is_none() && is_left_out(ready) => {
                Err("overlap: a run of the job is on, on another host".to_owned())
            }
            Asked::Later(at) => {
                self.put_back_until(ready, at);
                Ok(None)
            }
        }
    }

    /// Asks other hosts for a slot, if there are any; not while they cannot be asked, but for now and then.
    pub(super) fn ask_hosts(&mut self, ready: &Ready, now: Timestamp) -> Asked {
        let Some(hosts) = &self.shop.hosts else { return Asked::Held(None) };
        if let Some(outage) = self.outage.as_ref().filter(|outage| now < outage.again_at) {
            return Asked::Later(outage.again_at);
        }
        let answer = match hosts.claim(&SharedSlot::from(ready)) {
            Ok(answer) => answer,
            Err(error) => return Asked::Later(self.out(&error, now)),
        };
        if self.outage.take().is_some() {
            tracing::info!("slots are claimed again");
        }
        match answer {
            Answer::Ours(claim) => Asked::Held(Some(claim)),
            Answer::Elsewhere(host) => Asked::Elsewhere(format!("the host {host} has it")),
            Answer::Busy => Asked::Later(later(now, BUSY)),
        }
    }

    /// That another host has a slot which was missed here, in words; nothing where the others cannot be asked.
    pub(super) fn other_host(&mut self, job: &Arc<Job>, scheduled_at: Timestamp, now: Timestamp) -> Option<String> {
        let hosts = self.shop.hosts.as_ref().filter(|_| self.outage.is_none())?;
        let ready =
            Ready { job: Arc::clone(job), scheduled_at, reason: Reason::Cron, key: String::new(), queued_at: now };
        match hosts.elsewhere(&SharedSlot::from(&ready)) {
            Ok(host) => host.map(|host| format!("missed here, but the host {host} has it")),
            Err(error) => {
                self.out(&error, now);
                None
            }
        }
    }

    /// Notes that other hosts cannot be asked; when to try again.
    fn out(&mut self, error: &Error, now: Timestamp) -> Timestamp {
        let failures = self.outage.as_ref().map_or(0, |outage| outage.failures) + 1;
        if failures == 1 {
            tracing::error!(%error, "no slots are claimed, since other hosts cannot be asked");
        }
        let again_at = later(now, SignedDuration::try_from(pause(failures)).unwrap_or(BUSY));
        self.outage = Some(Outage { why: error.to_string(), failures, again_at });
        again_at
    }

    /// A slot is not run here; if that cannot be recorded now, it is asked for again.
    pub(super) fn elsewhere(&mut self, ready: &Ready, why: &str, now: Timestamp) {
        if ready.reason.is_scheduled() {
            let skip = claim::skip(&ready.job, ready.scheduled_at, 1, why, &self.tzdb);
            self.leave_out(vec![skip]);
            return self.queue.ended(&ready.job.name);
        }
        match self.refuse(ready, why, now) {
            Ok(()) => self.queue.ended(&ready.job.name),
            Err(_) => self.put_back(ready, now),
        }
    }

    fn refuse(&self, ready: &Ready, why: &str, now: Timestamp) -> Result<()> {
        let asked = self.shop.store.requests()?;
        let mine = asked.iter().find(|it| it.request.job == ready.job.name && it.request.key == ready.key);
        mine.map_or(Ok(()), |request| self.shop.store.refuse_request(request.id, why, now))
    }
}

/// Whether a slot is left out where a run of its job is on.
fn is_left_out(ready: &Ready) -> bool {
    ready.job.overlap == Overlap::Forbid && ready.reason.is_scheduled()
}
