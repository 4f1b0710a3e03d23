//! What becomes of slots that nobody was there for.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::span;

use super::{Decision, ON_TIME, later};
use crate::job::Job;
use crate::schedule::{Pattern, Schedule};
use crate::store::Reason;

/// So many slots are counted, not more.
const MOST_COUNTED: usize = 10_000;

/// The longest that is caught up by default.
const LONGEST_AGE: Duration = Duration::from_hours(240);

/// How many slots, as far as they were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// So many and more.
    AtLeast(u64),
}

impl Count {
    /// The number that is known.
    pub fn number(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::AtLeast(number) => number,
        }
    }
}

/// The slots to decide: those after one instant up to the newest that is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) after: Timestamp,
    pub(super) newest: Timestamp,
    /// Now, on the clock of the slots, which knows no jitter.
    pub(super) now: Timestamp,
}

/// Decides the slots of a window.
pub(super) fn decide(job: &Arc<Job>, window: Window, drifted: Option<Timestamp>) -> Vec<Decision> {
    let on_time = is_within(window.newest, window.now, ON_TIME);
    if on_time && stands_for(job, window.newest, drifted) {
        let why = "a run that drift asked for stands for it".to_owned();
        return vec![skip(job, window, window.newest, why, true)];
    }
    let runs = runs(job, window, on_time);
    let mut decisions: Vec<Decision> = left_out(job, window, &runs, on_time).into_iter().collect();
    decisions.extend(runs.into_iter().map(|scheduled_at| {
        let reason = if on_time && scheduled_at == window.newest { Reason::Cron } else { Reason::Catchup };
        Decision::Run { job: Arc::clone(job), scheduled_at, reason }
    }));
    decisions
}

/// The slots before those that run.
fn left_out(job: &Arc<Job>, window: Window, runs: &[Timestamp], on_time: bool) -> Option<Decision> {
    let newest = runs.first().map_or(Some(window.newest), |first| job.schedule.prev(*first));
    let newest = newest.filter(|newest| *newest > window.after)?;
    let is_covered = !runs.is_empty();
    let why = match (is_covered, on_time) {
        (true, true) => "missed, and the one that is due stands for it".to_owned(),
        (true, false) => "missed, and a newer one is caught up".to_owned(),
        _ if job.missed.most == 0 => "missed, and missed runs are skipped".to_owned(),
        _ => format!("missed, and older than {}", span::text(age(job, window.now))),
    };
    Some(skip(job, window, newest, why, is_covered))
}

/// The slots that run, oldest first.
fn runs(job: &Job, window: Window, on_time: bool) -> Vec<Timestamp> {
    // A run that is on time is also the one that is caught up.
    let most = if on_time { job.missed.most.max(1) } else { job.missed.most };
    let age = age(job, window.now);
    let mut runs = Vec::new();
    let mut slot = Some(window.newest);
    while let Some(at) = slot.filter(|at| *at > window.after && runs.len() < most as usize) {
        let is_due = on_time && at == window.newest;
        if !is_due && !is_within(at, window.now, age) {
            break;
        }
        runs.push(at);
        slot = job.schedule.prev(at);
    }
    runs.reverse();
    runs
}

/// How old a slot may be that is caught up.
pub fn age(job: &Job, now: Timestamp) -> Duration {
    job.missed.age.unwrap_or_else(|| (period(&job.schedule, now) * 3 / 7).min(LONGEST_AGE))
}

/// The time between two slots around now; endless where there are none.
pub fn period(schedule: &Schedule, now: Timestamp) -> Duration {
    let next = schedule.next(now);
    let before = next.and_then(|next| schedule.prev(next));
    let between = next.zip(before).map(|(next, before)| next.duration_since(before));
    between.and_then(|between| Duration::try_from(between).ok()).unwrap_or(span::NEVER)
}

/// Whether a run that drift asked for was judged shortly enough before this slot.
fn stands_for(job: &Job, slot: Timestamp, drifted: Option<Timestamp>) -> bool {
    let share = period(&job.schedule, later(slot, SignedDuration::from_nanos(-1))).mul_f64(job.drift.coalesce);
    drifted.is_some_and(|at| at <= slot && is_within(at, slot, share))
}

fn is_within(at: Timestamp, now: Timestamp, span: Duration) -> bool {
    Duration::try_from(now.duration_since(at)).map_or(true, |since| since <= span)
}

fn skip(job: &Arc<Job>, window: Window, scheduled_at: Timestamp, why: String, is_covered: bool) -> Decision {
    let count = count(job, window.after, scheduled_at);
    Decision::Skip { job: Arc::clone(job), scheduled_at, count, why, is_covered }
}

/// How many slots lie after one instant, up to another one.
pub fn count(job: &Job, after: Timestamp, newest: Timestamp) -> Count {
    if let Pattern::Every { seconds } = job.schedule.pattern() {
        let slots = |at: Timestamp| at.as_second().div_euclid(i64::from(*seconds));
        return Count::Exactly(u64::try_from(slots(newest) - slots(after)).unwrap_or(0));
    }
    let fires = job.schedule.fires(after).take_while(|at| *at <= newest);
    let counted = fires.take(MOST_COUNTED + 1).count();
    if counted > MOST_COUNTED { Count::AtLeast(MOST_COUNTED as u64) } else { Count::Exactly(counted as u64) }
}
