//! The loop of the daemon: one thread decides, claims and tells; each run has a thread of its own ([`crate::work`]).
//!
//! It lives by a [`Clock`](crate::work::clock::Clock) that is handed to it, so that tests let it live through years.

mod again;
mod hosts;
mod left_out;
mod recovery;
pub mod requests;
pub mod telling;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::alert::{Alert, Transition};
use shared::config::Config;
use shared::error::Result;
use shared::serve::Histogram;

use crate::job::{self, Job};
use crate::plan::{Action, Decision, Plan, Queue, Ready};
use crate::process::{self, Cancel};
use crate::store::{Claimed, Outcome, Reason, RequestId, Skip, Store, Ticket};
use crate::work::clock::{Event, Waited};
use crate::work::hold::Hold;
use crate::work::{Ended, Report, Shop, claim, environment, ping};
use again::{Again, Agains};
use hosts::Outage;
use left_out::LeftOut;

/// Requests of other processes, and alerts that these recorded, are looked for so often.
const LOOK: SignedDuration = SignedDuration::from_secs(1);

/// Time zones, and what daemons that are no more left, are looked at so often.
const REFRESH: SignedDuration = SignedDuration::from_hours(24);
const RECOVER: SignedDuration = SignedDuration::from_mins(1);

/// So many slots are claimed in one transaction.
const MOST_CLAIMED: usize = 64;

/// Bounds, in seconds, between which times from due to queued are counted; what was caught up takes hours.
const QUEUEING: [f64; 13] = [0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0, 86_400.0];

/// What carries alerts away.
pub trait Telling: Send {
    /// Queues a transition for all receivers; saying the same again changes nothing.
    ///
    /// # Errors
    /// If it cannot be queued.
    fn tell(&self, transition: &Transition, now: Timestamp) -> Result<()>;

    /// Shows all that fires to those who want to be shown everything.
    fn show(&self, firing: &[Alert]);

    /// Hands on what was recorded last of a job; saying the same again changes nothing.
    ///
    /// # Errors
    /// If it cannot be queued.
    fn judged(&self, store: &Store, job: &Job) -> Result<()>;
}

/// How a daemon is set up.
pub struct Setup {
    /// What runs are made with.
    pub shop: Shop,
    /// Its settings.
    pub config: Config,
    /// Reads the settings again.
    pub reload: Box<dyn Fn() -> Result<Config> + Send>,
    /// What carries alerts away.
    pub telling: Box<dyn Telling>,
    /// How many runs may be on at once.
    pub most_runs: usize,
    /// How long runs may go on once it is told to end.
    pub drain: Duration,
}

/// How a daemon fares; what metrics and its log say of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pulse {
    /// Runs that wait for a place.
    pub waiting: usize,
    /// Runs that are on.
    pub running: usize,
    /// Slots claimed so far.
    pub claimed: u64,
    /// From due to in the queue, in seconds, of the slots of the last turn that had any.
    pub queueing_seconds: Vec<f64>,
    /// The same of all slots so far.
    pub queueing: Histogram,
    /// Why records cannot be written, or slots not be claimed from other hosts, if so.
    pub trouble: Option<String>,
    /// When the settings were read last, and whether that failed.
    pub reloaded: Option<(Timestamp, bool)>,
}

/// The daemon.
pub struct Daemon {
    shop: Arc<Shop>,
    config: Config,
    reload: Box<dyn Fn() -> Result<Config> + Send>,
    telling: Box<dyn Telling>,
    drain: Duration,
    plan: Plan,
    queue: Queue,
    again: Agains,
    left_out: Vec<LeftOut>,
    /// The handles of the runs that are on.
    runs: BTreeMap<Ticketed, Cancel>,
    /// Jobs whose runs were ended for a newer one.
    replaced: BTreeSet<String>,
    /// Requests that are in the queue, or were.
    asked: BTreeSet<RequestId>,
    sender: Sender<Event>,
    inbox: Receiver<Event>,
    /// When it is to end whatever runs.
    ends_at: Option<Timestamp>,
    next_look: Timestamp,
    next_refresh: Timestamp,
    next_recovery: Timestamp,
    tzdb: String,
    /// Where other hosts cannot be asked.
    outage: Option<Outage>,
    pulse: Pulse,
}

/// Job and number of a run.
type Ticketed = (String, i64);

impl Daemon {
    /// Reads the jobs, and what is on record of them.
    ///
    /// # Errors
    /// If a job is wrong, or the records cannot be written.
    pub fn new(setup: Setup) -> Result<Self> {
        let (sender, inbox) = channel();
        let now = setup.shop.clock.now();
        let mut daemon = Self {
            shop: Arc::new(setup.shop),
            config: setup.config,
            reload: setup.reload,
            telling: setup.telling,
            drain: setup.drain,
            plan: Plan::default(),
            queue: Queue::new(setup.most_runs),
            again: Agains::default(),
            left_out: Vec::new(),
            runs: BTreeMap::new(),
            replaced: BTreeSet::new(),
            asked: BTreeSet::new(),
            sender,
            inbox,
            ends_at: None,
            next_look: now,
            next_refresh: later(now, REFRESH),
            next_recovery: now,
            tzdb: environment::tzdb(),
            outage: None,
            pulse: Pulse { queueing: Histogram::new(&QUEUEING), ..Pulse::default() },
        };
        let jobs = daemon.define(now)?;
        // What an earlier life recorded and did not hand on.
        jobs.iter().try_for_each(|(job, _)| daemon.telling.judged(&daemon.shop.store, job))?;
        daemon.plan = Plan::new(jobs);
        Ok(daemon)
    }

    /// Where it is told things.
    pub fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    /// What it plans.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How it fares.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Whether nothing runs, waits or is to be tried again: the next thing to do is a slot that is not due yet, or a new request.
    pub fn is_idle(&self) -> bool {
        let nothing = self.runs.is_empty() && self.queue.n_waiting() == 0 && self.again.wake().is_none();
        nothing && self.pulse.trouble.is_none()
    }

    /// Lives until it is told to end, or `until` comes; `beat` is called at each turn.
    ///
    /// # Errors
    /// None today: what cannot be recorded is tried again, for as long as it lives.
    pub fn live(&mut self, until: Option<Timestamp>, beat: &mut dyn FnMut(&Self)) -> Result<()> {
        loop {
            let now = self.shop.clock.now();
            self.turn(now);
            beat(self);
            if until.is_some_and(|until| now >= until && self.runs.is_empty()) || self.is_over(now) {
                return Ok(());
            }
            let wake = self.wake(now).min(until.unwrap_or(Timestamp::MAX));
            match self.shop.clock.wait(&self.inbox, wake, !self.runs.is_empty()) {
                Waited::Came(event) => self.take(event),
                Waited::Over | Waited::Alone => {}
            }
            while let Ok(event) = self.inbox.try_recv() {
                self.take(event);
            }
        }
    }

    /// Does all that is to be done now. What cannot be recorded now is tried again at the next turn.
    fn turn(&mut self, now: Timestamp) {
        process::reap_orphans();
        let outcome = self.resume(now).and_then(|()| self.work(now));
        if let (Err(error), None) = (&outcome, &self.pulse.trouble) {
            tracing::error!(%error, "the records cannot be written");
        }
        let outage = self.outage.as_ref().map(|outage| format!("slots cannot be claimed: {}", outage.why));
        self.pulse.trouble = outcome.err().map(|error| format!("records cannot be written: {error}")).or(outage);
        self.pulse.waiting = self.queue.n_waiting();
        self.pulse.running = self.queue.n_running();
    }

    /// After trouble: whether the records can be written again. Nothing is decided before, and what could not be recorded is found.
    fn resume(&mut self, now: Timestamp) -> Result<()> {
        if self.pulse.trouble.is_none() {
            return Ok(());
        }
        self.shop.store.probe()?;
        tracing::info!("the records can be written again");
        self.next_recovery = now;
        Ok(())
    }

    fn work(&mut self, now: Timestamp) -> Result<()> {
        if self.ends_at.is_none() {
            self.decide(now);
        }
        if has_come(self.next_look, LOOK, now) {
            self.next_look = later(now, LOOK);
            self.take_requests(now)?;
            self.tell(now)?;
        }
        if has_come(self.next_recovery, RECOVER, now) && self.ends_at.is_none() {
            self.next_recovery = later(now, RECOVER);
            self.recover(now)?;
        }
        if has_come(self.next_refresh, REFRESH, now) {
            self.next_refresh = later(now, REFRESH);
            self.refresh(now);
        }
        if self.ends_at.is_none() {
            self.try_again(now)?;
            self.start(now)?;
        }
        self.record_left_out(now)
    }

    /// When there is something to do next; what others do is looked at whenever the clock is.
    fn wake(&self, now: Timestamp) -> Timestamp {
        if self.pulse.trouble.is_some() {
            return later(now, LOOK);
        }
        let times = [self.plan.wake(), self.again.wake(), self.ends_at];
        times.into_iter().flatten().min().unwrap_or(Timestamp::MAX).max(now)
    }

    fn decide(&mut self, now: Timestamp) {
        let mut queueing = Vec::new();
        for decision in self.plan.due(now) {
            match decision {
                Decision::Skip { job, scheduled_at, count, why, is_covered } => {
                    let other = if is_covered { None } else { self.other_host(&job, scheduled_at, now) };
                    let (why, is_covered) = other.map_or((why, is_covered), |why| (why, true));
                    let skip = claim::skip(&job, scheduled_at, count.number(), &why, &self.tzdb);
                    self.left_out.push(LeftOut { skip, missed: (!is_covered).then_some(job) });
                }
                Decision::Run { job, scheduled_at, reason } => {
                    queueing.push(scheduled_at);
                    self.queue(Ready { job, scheduled_at, reason, key: String::new(), queued_at: now });
                }
            }
        }
        if !queueing.is_empty() {
            let queued = self.shop.clock.now();
            self.pulse.queueing_seconds =
                queueing.into_iter().map(|due| queued.duration_since(due).as_secs_f64()).collect();
            self.pulse.queueing_seconds.iter().for_each(|seconds| self.pulse.queueing.observe(*seconds));
        }
    }

    fn queue(&mut self, ready: Ready) {
        let actions = self.queue.add(ready);
        let skips = self.act(actions);
        self.leave_out(skips);
    }

    /// Carries out what the queue asks for; what is left out is to be recorded.
    fn act(&mut self, actions: Vec<Action>) -> Vec<Skip> {
        let mut skips = Vec::new();
        for action in actions {
            match action {
                Action::Overlaps(ready) => skips.push(self.overlap(&ready)),
                Action::End(job) => {
                    self.runs.iter().filter(|((name, _), _)| *name == job).for_each(|(_, cancel)| cancel.cancel());
                    self.replaced.insert(job);
                }
            }
        }
        skips
    }

    fn overlap(&self, ready: &Ready) -> Skip {
        claim::skip(&ready.job, ready.scheduled_at, 1, "overlap: the last run of the job is on", &self.tzdb)
    }

    /// Claims and starts what may start.
    fn start(&mut self, now: Timestamp) -> Result<()> {
        let ready = self.queue.start();
        let mut outcome = Ok(());
        for ready in ready.chunks(MOST_CLAIMED) {
            match outcome {
                Ok(()) => outcome = self.start_all(ready, now),
                Err(_) => ready.iter().for_each(|ready| self.put_back(ready, now)),
            }
        }
        outcome
    }

    fn start_all(&mut self, ready: &[Ready], now: Timestamp) -> Result<()> {
        let mut held = Vec::new();
        for ready in ready {
            if self.is_ahead(ready) {
                self.put_back(ready, now);
                continue;
            }
            match self.hold(ready, now) {
                Ok(Some(hold)) => held.push((ready.clone(), hold)),
                Ok(None) => {}
                Err(why) => self.elsewhere(ready, &why, now),
            }
        }
        let claimed = match self.claim(&held, now) {
            Ok(claimed) => claimed,
            Err(error) => {
                held.iter().for_each(|(ready, _)| self.put_back(ready, now));
                return Err(error);
            }
        };
        let mut skips = Vec::new();
        for ((ready, hold), claimed) in held.into_iter().zip(claimed) {
            match claimed {
                Claimed::Ticket(ticket) => {
                    self.pulse.claimed += 1;
                    self.spawn(ready, ticket, hold);
                }
                // Another daemon's, or decided in an earlier life.
                Claimed::Known(_) => self.queue.ended(&ready.job.name),
                Claimed::Overlap(_) if ready.job.overlap == job::Overlap::Forbid && ready.reason == Reason::Cron => {
                    self.queue.ended(&ready.job.name);
                    skips.push(self.overlap(&ready));
                }
                Claimed::Overlap(_) => self.put_back(&ready, now),
            }
        }
        self.leave_out(skips);
        Ok(())
    }

    /// Whether an earlier slot of its job could not start and is to come first; see [`left_out`].
    fn is_ahead(&self, ready: &Ready) -> bool {
        let first = self.again.first_of(&ready.job.name);
        ready.key.is_empty() && first.is_some_and(|first| first < ready.scheduled_at)
    }

    fn claim(&self, held: &[(Ready, Hold)], now: Timestamp) -> Result<Vec<Claimed>> {
        let requests = self.requests_of(held)?;
        let request = |ready: &Ready| requests.get(&(ready.job.name.clone(), ready.key.clone())).copied();
        let claims: Vec<_> =
            held.iter().map(|(ready, _)| claim::claim(ready, &self.tzdb, now, request(ready))).collect();
        self.shop.store.claim_all(&claims, now, &self.shop.host)
    }

    /// What cannot start now is tried again soon.
    fn put_back(&mut self, ready: &Ready, now: Timestamp) {
        self.put_back_until(ready, later(now, LOOK));
    }

    fn put_back_until(&mut self, ready: &Ready, at: Timestamp) {
        self.queue.ended(&ready.job.name);
        self.again.add(Again { at, ready: ready.clone(), last: None });
    }

    fn spawn(&mut self, ready: Ready, ticket: Ticket, hold: Hold) {
        let Ok(cancel) = Cancel::new() else {
            tracing::error!(job = ready.job.name, "no more files can be open");
            return self.queue.ended(&ready.job.name);
        };
        let run = (ready.job.name.clone(), ticket.run.0);
        self.runs.insert(run.clone(), cancel.clone());
        let (shop, sender) = (Arc::clone(&self.shop), self.sender.clone());
        let name = ready.job.name.clone();
        let work = move || {
            let pinged = ping::start(&ready.job, &ticket);
            let report = shop.attempt(&ready, &ticket, hold.shared.as_ref(), &cancel);
            drop(hold);
            ping::end(&ready.job, pinged, &report);
            // Nobody is left to hear it where the daemon has ended.
            _ = sender.send(Event::Ended(Box::new(report)));
        };
        if let Err(error) = thread::Builder::new().name(name.clone()).spawn(work) {
            tracing::error!(%error, job = name, "no thread for a run");
            self.runs.remove(&run);
            self.queue.ended(&name);
        }
    }

    fn take(&mut self, event: Event) {
        let now = self.shop.clock.now();
        match event {
            Event::Ended(report) => {
                if let Err(error) = self.ended(&report, now) {
                    tracing::error!(%error, job = report.job, "the end of a run cannot be recorded");
                    self.pulse.trouble = Some(error.to_string());
                }
            }
            Event::Reload => self.read_again(now),
            Event::Stop => self.stop(now),
        }
    }

    fn ended(&mut self, report: &Report, now: Timestamp) -> Result<()> {
        self.queue.ended(&report.job);
        self.runs.remove(&(report.job.clone(), report.ticket.run.0));
        self.next_look = now;
        let Some(job) = self.plan.job(&report.job).cloned() else { return Ok(()) };
        log(report);
        match &report.ended {
            Ended::Judged(outcome, _) => {
                if report.reason == Reason::Drift && *outcome != Outcome::NoNewData {
                    self.plan.drifted(&report.job, now);
                }
                self.telling.judged(&self.shop.store, &job)
            }
            Ended::Taken => Ok(()),
            // It is found in the records when the daemon begins again.
            Ended::Cancelled if self.ends_at.is_some() => Ok(()),
            Ended::Cancelled if self.replaced.remove(&report.job) => {
                Ok(self.shop.store.give_up(&report.ticket, "replaced by a newer run", &[], now)?)
            }
            Ended::Cancelled => self.retry_or_give_up(&job, report, "ended on demand", now),
            Ended::Failed(why) | Ended::Broken(why) => self.retry_or_give_up(&job, report, why, now),
        }
    }

    fn retry_or_give_up(&mut self, job: &Arc<Job>, report: &Report, why: &str, now: Timestamp) -> Result<()> {
        let (scheduled_at, reason, key) = (report.scheduled_at, report.reason, report.key.clone());
        let ready = Ready { job: Arc::clone(job), scheduled_at, reason, key, queued_at: now };
        self.retry(ready, report.ticket.clone(), why, now)
    }

    /// Reads the settings again; bad ones leave the old ones in place.
    fn read_again(&mut self, now: Timestamp) {
        let outcome = (self.reload)().and_then(|config| {
            job::jobs(&config)?;
            self.config = config;
            self.adopt(now)
        });
        if let Err(error) = &outcome {
            tracing::error!(%error, "the settings stay as they were");
        }
        self.pulse.reloaded = Some((now, outcome.is_ok()));
    }

    fn adopt(&mut self, now: Timestamp) -> Result<()> {
        let jobs = self.define(now)?;
        self.plan.replace(jobs.into_iter().map(|(job, _)| job).collect(), now);
        Ok(())
    }

    /// The jobs of the settings, each with the instant up to which the records have decided it.
    fn define(&self, now: Timestamp) -> Result<Vec<(Arc<Job>, Timestamp)>> {
        let jobs = job::jobs(&self.config)?;
        let definitions: Vec<_> = jobs.iter().map(claim::definition).collect();
        let since = self.shop.store.define_all(&definitions, now)?;
        jobs.into_iter()
            .zip(since)
            .map(|(job, since)| {
                let last = self.shop.store.last_slot(&job.name)?;
                Ok((Arc::new(job), last.map_or(since, |last| last.max(since))))
            })
            .collect()
    }

    /// Reads the time zones anew, and says which runs move by that.
    fn refresh(&mut self, now: Timestamp) {
        self.tzdb = environment::tzdb();
        let before: BTreeMap<String, Option<Timestamp>> =
            self.plan.jobs().map(|job| (job.name.clone(), self.plan.next(&job.name))).collect();
        if let Err(error) = self.adopt(now) {
            tracing::error!(%error, "time zones stay as they were");
            return;
        }
        for (name, old) in before {
            let new = self.plan.next(&name);
            if new != old {
                tracing::warn!(job = name, ?old, ?new, "other time zone data move a run");
            }
        }
    }

    /// Begins no more runs; those that are on may go on for a while. Told a second time, it ends them at once.
    fn stop(&mut self, now: Timestamp) {
        let drain = SignedDuration::try_from(self.drain).unwrap_or(SignedDuration::MAX);
        let at_once = self.ends_at.is_some();
        self.ends_at = Some(if at_once { now } else { later(now, drain) });
        self.forget_what_waits();
        if at_once {
            self.runs.values().for_each(Cancel::kill);
        }
    }

    /// Whether it was told to end and nothing runs; ends what runs where the time for that has come.
    fn is_over(&self, now: Timestamp) -> bool {
        let Some(ends_at) = self.ends_at else { return false };
        if now >= ends_at {
            self.runs.values().filter(|cancel| !cancel.is_cancelled()).for_each(Cancel::cancel);
        }
        self.runs.is_empty()
    }
}

fn log(report: &Report) {
    let (job, slot) = (&report.job, report.scheduled_at);
    match &report.ended {
        Ended::Judged(outcome, reason) => tracing::info!(job, %slot, outcome = outcome.name(), reason, "judged"),
        Ended::Failed(why) | Ended::Broken(why) => tracing::warn!(job, %slot, why, "an attempt failed"),
        Ended::Cancelled => tracing::warn!(job, %slot, "a run was ended on demand"),
        Ended::Taken => {}
    }
}

/// Whether it is time for what happens every `span`; also where the clock was set back.
fn has_come(next: Timestamp, span: SignedDuration, now: Timestamp) -> bool {
    now >= next || next > later(now, span)
}

/// So much later, or at the end of time.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
