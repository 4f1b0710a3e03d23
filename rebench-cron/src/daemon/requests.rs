//! Runs that are asked for: by drift, or by a person.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shared::error::Result;

use super::Daemon;
use crate::job::Job;
use crate::plan::Ready;
use crate::plan::drift::{self, Earlier};
use crate::store::{Reason, Request, RequestId, Store};
use crate::work::hold::Hold;

impl Daemon {
    /// Queues what is asked for, unless it may not run.
    pub(super) fn take_requests(&mut self, now: Timestamp) -> Result<()> {
        if self.ends_at.is_some() {
            return Ok(());
        }
        for request in self.shop.store.requests()? {
            let Some(job) = self.plan.job(&request.request.job).cloned() else {
                self.shop.store.refuse_request(request.id, "the settings do not have the job", now)?;
                continue;
            };
            if self.is_known(&request) {
                continue;
            }
            match refusal(&self.shop.store, &job, &request, now)? {
                Some(why) => self.shop.store.refuse_request(request.id, &why, now)?,
                None => self.queue_request(job, &request, now)?,
            }
        }
        Ok(())
    }

    fn queue_request(&mut self, job: Arc<Job>, request: &Request, now: Timestamp) -> Result<()> {
        let (reason, key) = (request.request.reason, request.request.key.clone());
        let ready = Ready { job, scheduled_at: request.requested_at, reason, key, queued_at: now };
        self.asked.insert(request.id);
        for action in self.queue.add(ready) {
            if let crate::plan::Action::Overlaps(ready) = &action {
                let why = format!("a run of {} is on already", ready.job.name);
                self.shop.store.refuse_request(request.id, &why, now)?;
            }
            _ = self.act(vec![action]);
        }
        Ok(())
    }

    /// Whether the request waits in the queue.
    fn is_known(&self, request: &Request) -> bool {
        self.asked.contains(&request.id)
    }

    /// The requests that these runs are made for.
    pub(super) fn requests_of(&self, ready: &[(Ready, Hold)]) -> Result<BTreeMap<(String, String), RequestId>> {
        if ready.iter().all(|(ready, _)| ready.key.is_empty()) {
            return Ok(BTreeMap::new());
        }
        let waiting = self.shop.store.requests()?;
        Ok(waiting.into_iter().map(|request| ((request.request.job, request.request.key), request.id)).collect())
    }
}

/// Why a request is refused; none if it may run.
///
/// # Errors
/// If the records cannot be read.
pub fn refusal(store: &Store, job: &Job, request: &Request, now: Timestamp) -> Result<Option<String>> {
    if request.request.reason != Reason::Drift {
        return Ok(None);
    }
    let waits = |other: &Request| {
        let (mine, its) = (&request.request, &other.request);
        other.id < request.id && its.job == mine.job && its.reason == mine.reason
    };
    if let Some(earlier) = store.requests()?.iter().find(|other| waits(other)) {
        let (key, at) = (&earlier.request.key, earlier.requested_at);
        return Ok(Some(format!("the run that {key} asked for at {at:.0} is still to come, and is the answer")));
    }
    let span = SignedDuration::try_from(job.drift.span).unwrap_or(SignedDuration::MAX);
    let since = now.checked_sub(span).unwrap_or(Timestamp::MIN);
    let earlier = Earlier {
        last: store.last_of(&job.name, Reason::Drift)?,
        count: store.count_of(&job.name, Reason::Drift, since)?,
    };
    Ok(drift::refusal(&job.drift, earlier, now))
}
