//! What there is to measure at one moment.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::alert::ReceiverView;

use super::Beat;
use crate::daemon::Pulse;
use crate::job::Job;
use crate::plan::{ON_TIME, jitter};
use crate::store::{Census, Tally};

/// What there is to measure at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The version that runs.
    pub version: String,
    /// When the loop last turned.
    pub turned_at: Timestamp,
    /// How the daemon fares.
    pub pulse: Pulse,
    /// The jobs of the settings, by name.
    pub jobs: BTreeMap<String, JobView>,
    /// Transitions of alerts that are still to be told; none if the records cannot be read.
    pub untold: Option<u64>,
    /// How those fare to whom alerts and runs are sent.
    pub receivers: Vec<ReceiverView>,
}

/// A job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JobView {
    /// Its next slot.
    pub next: Option<Timestamp>,
    /// What the records say of it; nothing if they cannot be read.
    pub records: Option<Recorded>,
}

/// What the records say of a job at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recorded {
    /// Whether a slot is due that nothing was decided on.
    pub overdue: bool,
    /// Its records in numbers.
    pub tally: Tally,
}

impl Snapshot {
    /// What a turn of the loop and the records say at `now`; no census means that the records cannot be read.
    pub fn of(beat: &Beat, census: Option<&Census>, receivers: Vec<ReceiverView>, now: Timestamp) -> Self {
        let jobs = beat.jobs.iter().map(|(job, next)| {
            let tally = census.map(|census| census.jobs.get(&job.name).cloned().unwrap_or_default());
            let records = tally.map(|tally| Recorded { overdue: is_overdue(job, tally.decided, now), tally });
            (job.name.clone(), JobView { next: *next, records })
        });
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            turned_at: beat.at,
            pulse: beat.pulse.clone(),
            jobs: jobs.collect(),
            untold: census.map(|census| census.untold),
            receivers,
        }
    }
}

/// Whether a slot was due so long ago that it is no more on time, and nothing was decided on it.
fn is_overdue(job: &Job, decided: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(decided) = decided.filter(|_| job.enabled) else { return false };
    let on_time = SignedDuration::try_from(ON_TIME).unwrap_or(SignedDuration::MAX);
    let allowed = jitter::of(&job.name, job.jitter).saturating_add(on_time);
    let latest = now.checked_sub(allowed).unwrap_or(Timestamp::MIN);
    job.schedule.next(decided).is_some_and(|next| next < latest)
}

/// A time in seconds since 1970, as metrics have it.
pub(super) fn seconds(time: Timestamp) -> f64 {
    Duration::try_from(time.duration_since(Timestamp::UNIX_EPOCH)).map_or(0.0, |since| since.as_secs_f64())
}
