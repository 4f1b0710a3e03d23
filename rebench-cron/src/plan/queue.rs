//! Which of the runs that are due may start: no more at once than the machine is to take, and none of a job beside another one of it,
//! unless the job allows that.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use crate::job::{Job, Overlap};
use crate::store::Reason;

/// A run that is due.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The job.
    pub job: Arc<Job>,
    /// The slot.
    pub scheduled_at: Timestamp,
    /// Why it runs.
    pub reason: Reason,
    /// What makes a run that is asked for the same one: the alert; empty for those of the schedule.
    pub key: String,
    /// When it was decided.
    pub queued_at: Timestamp,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Action {
    /// End the runs of this job: another one takes their place.
    End(String),
    /// It is left out, since the last run of its job is on.
    Overlaps(Ready),
}

/// What waits and what runs.
#[derive(Debug)]
pub struct Queue {
    most: usize,
    waiting: VecDeque<Ready>,
    /// How many runs of each job wait.
    waiting_of: BTreeMap<String, usize>,
    /// How many runs of each job are on.
    running: BTreeMap<String, usize>,
    n_running: usize,
}

impl Queue {
    /// An empty one; `most` runs may be on at once.
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            waiting: VecDeque::new(),
            waiting_of: BTreeMap::new(),
            running: BTreeMap::new(),
            n_running: 0,
        }
    }

    /// Takes in a run that is due.
    pub fn add(&mut self, ready: Ready) -> Vec<Action> {
        let name = ready.job.name.clone();
        let (runs, waits) = (self.runs(&name), self.waits(&name));
        // Those that are caught up are due together, and run one after the other.
        if ready.reason == Reason::Catchup {
            self.put(ready);
            return Vec::new();
        }
        match ready.job.overlap {
            Overlap::Forbid if runs || waits => return vec![Action::Overlaps(ready)],
            Overlap::Queue if waits => return vec![Action::Overlaps(ready)],
            Overlap::Replace => {
                let replaced = self.take_out(&name).map(Action::Overlaps);
                self.put(ready);
                return replaced.chain(runs.then_some(Action::End(name))).collect();
            }
            _ => self.put(ready),
        }
        Vec::new()
    }

    /// What may start now.
    pub fn start(&mut self) -> Vec<Ready> {
        let mut started = Vec::new();
        let mut place = 0;
        while self.has_room() && place < self.waiting.len() {
            let job = &self.waiting[place].job;
            if job.overlap != Overlap::Allow && self.runs(&job.name) {
                place += 1;
                continue;
            }
            let Some(ready) = self.waiting.remove(place) else { break };
            less(&mut self.waiting_of, &ready.job.name);
            self.begun(&ready.job.name);
            started.push(ready);
        }
        started
    }

    /// Whether one more run may be on.
    pub fn has_room(&self) -> bool {
        self.n_running < self.most
    }

    /// Notes a run that is on already, such as one of an earlier life of the daemon.
    pub fn begun(&mut self, job: &str) {
        *self.running.entry(job.to_owned()).or_default() += 1;
        self.n_running += 1;
    }

    /// Notes the end of a run.
    pub fn ended(&mut self, job: &str) {
        if less(&mut self.running, job) {
            self.n_running -= 1;
        }
    }

    /// Leaves out everything that waits.
    pub fn drain(&mut self) -> Vec<Ready> {
        self.waiting_of.clear();
        self.waiting.drain(..).collect()
    }

    /// The first slot of a job that waits; one that somebody asked for is none.
    pub fn first_of(&self, job: &str) -> Option<Timestamp> {
        if !self.waits(job) {
            return None;
        }
        let of_job = |ready: &&Ready| ready.job.name == job && ready.key.is_empty();
        self.waiting.iter().filter(of_job).map(|ready| ready.scheduled_at).min()
    }

    /// How many wait.
    pub fn n_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many are on.
    pub fn n_running(&self) -> usize {
        self.n_running
    }

    fn runs(&self, job: &str) -> bool {
        self.running.contains_key(job)
    }

    fn waits(&self, job: &str) -> bool {
        self.waiting_of.contains_key(job)
    }

    /// Slots of a job stay in their order, also one that comes back since it could not start.
    fn put(&mut self, ready: Ready) {
        let place = self.place_of(&ready).unwrap_or(self.waiting.len());
        *self.waiting_of.entry(ready.job.name.clone()).or_default() += 1;
        self.waiting.insert(place, ready);
    }

    /// Where the first later slot of the job waits, if one does.
    fn place_of(&self, ready: &Ready) -> Option<usize> {
        let is_later = |other: &Ready| other.job.name == ready.job.name && other.scheduled_at > ready.scheduled_at;
        let scheduled = ready.key.is_empty() && self.waits(&ready.job.name);
        scheduled.then(|| self.waiting.iter().position(|other| other.key.is_empty() && is_later(other))).flatten()
    }

    fn take_out(&mut self, job: &str) -> impl Iterator<Item = Ready> + use<> {
        let (out, stay): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.waiting).into_iter().partition(|ready| ready.job.name == job);
        self.waiting = stay;
        self.waiting_of.remove(job);
        out.into_iter()
    }
}

/// One less; whether there was one.
fn less(counts: &mut BTreeMap<String, usize>, job: &str) -> bool {
    let Some(count) = counts.get_mut(job) else { return false };
    *count -= 1;
    if *count == 0 {
        counts.remove(job);
    }
    true
}
