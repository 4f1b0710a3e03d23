//! What is due: jobs, instants in, decisions out. No clock, no files, no threads, so that years pass in a test at once.
//!
//! A [`Plan`] knows for each job the slot up to which everything is decided. What lies between that and now is on time, or was
//! missed; [`missed`] says what becomes of it. Decisions are made once: a clock that is set back decides nothing anew. [`Queue`] says which
//! of the decided runs may start, [`drift`] whether one that drift asks for may, [`retry`] when one that failed is tried again.

pub mod drift;
pub mod jitter;
pub mod missed;
mod queue;
pub mod retry;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::job::Job;
use crate::store::Reason;
use missed::{Count, Window};

pub use queue::{Action, Queue, Ready};

/// A slot that is decided so long after it was due is on time; a later one was missed.
pub const ON_TIME: Duration = Duration::from_mins(5);

/// What becomes of slots.
#[derive(Debug, Clone)]
pub enum Decision {
    /// One is to run.
    Run {
        /// The job.
        job: Arc<Job>,
        /// The slot.
        scheduled_at: Timestamp,
        /// Due, or missed.
        reason: Reason,
    },
    /// Some are left out.
    Skip {
        /// The job.
        job: Arc<Job>,
        /// The newest of them.
        scheduled_at: Timestamp,
        /// How many.
        count: Count,
        /// Why.
        why: String,
        /// Whether a run stands for them.
        is_covered: bool,
    },
}

/// All jobs, and up to when they are decided.
#[derive(Debug, Default)]
pub struct Plan {
    entries: Vec<Entry>,
    by_name: BTreeMap<String, usize>,
    /// When to look at which entry; what an entry no longer waits for is passed over.
    wakes: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

#[derive(Debug)]
struct Entry {
    job: Arc<Job>,
    /// All slots up to this one are decided.
    decided: Timestamp,
    /// The first slot after it.
    next: Option<Timestamp>,
    /// When a run that drift asked for was judged last.
    drifted: Option<Timestamp>,
    jitter: SignedDuration,
}

impl Entry {
    fn new(job: Arc<Job>, decided: Timestamp) -> Self {
        let jitter = jitter::of(&job.name, job.jitter);
        let next = job.enabled.then(|| job.schedule.next(decided)).flatten();
        Self { job, decided, next, drifted: None, jitter }
    }

    fn wake(&self) -> Option<Timestamp> {
        self.next.map(|next| later(next, self.jitter))
    }

    fn decide(&mut self, now: Timestamp) -> Vec<Decision> {
        let Some(newest) = self.newest(now) else { return Vec::new() };
        let window = Window { after: self.decided, newest, now: later(now, -self.jitter) };
        self.decided = newest;
        self.next = self.job.schedule.next(newest);
        missed::decide(&self.job, window, self.drifted)
    }

    /// The newest slot that is due and not decided.
    fn newest(&self, now: Timestamp) -> Option<Timestamp> {
        let just_after = later(later(now, -self.jitter), SignedDuration::from_nanos(1));
        self.next.and(self.job.schedule.prev(just_after)).filter(|newest| *newest > self.decided)
    }
}

impl Plan {
    /// Jobs, each with the instant up to which it is decided: its newest slot on record, or when it was defined.
    pub fn new(jobs: impl IntoIterator<Item = (Arc<Job>, Timestamp)>) -> Self {
        let mut plan = Self::default();
        jobs.into_iter().for_each(|(job, decided)| plan.add(Entry::new(job, decided)));
        plan
    }

    fn add(&mut self, entry: Entry) {
        let index = self.entries.len();
        self.by_name.insert(entry.job.name.clone(), index);
        self.wakes.extend(entry.wake().map(|wake| Reverse((wake, index))));
        self.entries.push(entry);
    }

    /// Other jobs in their place. What is decided of a job whose schedule stays the same stays decided; another schedule, and a job that was
    /// disabled, begins now: an edit never fires the past.
    pub fn replace(&mut self, jobs: Vec<Arc<Job>>, now: Timestamp) {
        let old = std::mem::take(self);
        for job in jobs {
            let known = old.by_name.get(&job.name).map(|index| &old.entries[*index]);
            let same = known.filter(|entry| fires_alike(&entry.job, &job));
            let mut entry = Entry::new(job, same.map_or(now, |entry| entry.decided));
            entry.drifted = known.and_then(|entry| entry.drifted);
            self.add(entry);
        }
    }

    /// When something is due next.
    pub fn wake(&self) -> Option<Timestamp> {
        self.wakes.peek().map(|Reverse((wake, _))| *wake)
    }

    /// Decides all that is due.
    pub fn due(&mut self, now: Timestamp) -> Vec<Decision> {
        let mut decisions = Vec::new();
        while let Some(Reverse((wake, index))) = self.wakes.peek().copied().filter(|Reverse((wake, _))| *wake <= now) {
            self.wakes.pop();
            let entry = &mut self.entries[index];
            if entry.wake() == Some(wake) {
                decisions.extend(entry.decide(now));
            }
            self.wakes.extend(entry.wake().map(|wake| Reverse((wake, index))));
        }
        decisions
    }

    /// The job of this name.
    pub fn job(&self, name: &str) -> Option<&Arc<Job>> {
        self.by_name.get(name).map(|index| &self.entries[*index].job)
    }

    /// All jobs.
    pub fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.entries.iter().map(|entry| &entry.job)
    }

    /// The next slot of a job.
    pub fn next(&self, name: &str) -> Option<Timestamp> {
        self.by_name.get(name).and_then(|index| self.entries[*index].next)
    }

    /// Notes that a run that drift asked for was judged.
    pub fn drifted(&mut self, name: &str, at: Timestamp) {
        if let Some(index) = self.by_name.get(name) {
            self.entries[*index].drifted = Some(at);
        }
    }
}

fn fires_alike(old: &Job, new: &Job) -> bool {
    let of = |job: &Job| {
        (job.expression.clone(), job.dialect, job.schedule.dst(), job.schedule.zone().name().to_owned(), job.enabled)
    };
    of(old) == of(new)
}

/// So much later, or at the end of time.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}
