//! What is claimed of the records for a run that is due.

use std::time::Duration;

use jiff::Timestamp;
use shared::digest;

use crate::job::{Job, Overlap};
use crate::plan::Ready;
use crate::store::{self, Claim, RequestId, Skip};

/// The claim of a run that is due; `request` is what asked for it, if something did.
pub fn claim(ready: &Ready, tzdb: &str, now: Timestamp, request: Option<RequestId>) -> Claim {
    Claim {
        job: ready.job.name.clone(),
        scheduled_at: ready.scheduled_at,
        wall: wall(&ready.job, ready.scheduled_at),
        tzdb: tzdb.to_owned(),
        reason: ready.reason,
        key: ready.key.clone(),
        lateness: Duration::try_from(now.duration_since(ready.scheduled_at)).unwrap_or(Duration::ZERO),
        forbid_overlap: ready.job.overlap != Overlap::Allow,
        request,
    }
}

/// The record of a slot that is left out.
pub fn skip(job: &Job, scheduled_at: Timestamp, count: u64, why: &str, tzdb: &str) -> Skip {
    Skip {
        job: job.name.clone(),
        scheduled_at,
        wall: wall(job, scheduled_at),
        tzdb: tzdb.to_owned(),
        reason: store::Reason::Cron,
        why: why.to_owned(),
        count,
    }
}

/// A job as the records have it.
pub fn definition(job: &Job) -> store::Job {
    let zone = job.schedule.zone().name();
    let slots = format!("{}\0{}\0{}\0{}", job.expression, job.dialect.name(), job.schedule.dst().name(), job.enabled);
    store::Job {
        name: job.name.clone(),
        spec: job.spec.clone(),
        spec_hash: digest::of_bytes(slots.as_bytes()),
        tz: zone.to_owned(),
    }
}

/// The time on the wall of the job's zone.
pub fn wall(job: &Job, at: Timestamp) -> String {
    at.to_zoned(job.schedule.zone().tz().clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
