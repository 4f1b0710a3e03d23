//! A slot from its ticket to its verdict: what a daemon does on a thread of its own, and `once` on the main one.
//!
//! Each step is in the records before the next one begins, so that whoever comes after a crash knows where to go on ([`recover`]).

pub mod archive;
pub mod claim;
pub mod clock;
pub mod environment;
pub mod hold;
pub mod news;
pub mod ping;
pub mod recover;
pub mod sight;
pub mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::error::Result;
use shared::fsio;

use crate::expect::{self, Fresh};
use crate::job::Job;
use crate::plan::Ready;
use crate::process::{self, Cancel, Exit, Slot};
use crate::shared_lock::{Hosts, HostsClaim};
use crate::store::{Archive, Data, Denied, Ending, Host, Outcome, Reason, Store, Ticket, Verdict};
use clock::Clock;
use news::News;
use sight::Seen;
use state::State;

/// The version that is recorded with what this program says itself.
pub const VERSION: &str = concat!("rebench-cron ", env!("CARGO_PKG_VERSION"));

/// The folder below that of a run in which its command leaves its results.
pub const OUT: &str = "out";

/// The file with all that is known of a run.
const RUN: &str = "run.json";

/// Everything that runs are made with.
#[derive(Debug)]
pub struct Shop {
    /// The records.
    pub store: Store,
    /// The state folder.
    pub state: State,
    /// The program that compares.
    pub bench_compare: PathBuf,
    /// This machine.
    pub host: Host,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Who else runs these jobs; none where only this machine does.
    pub hosts: Option<Hosts>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The slot has its verdict.
    Judged(Outcome, String),
    /// What it made, or what it was to see, is not as it should be.
    Failed(String),
    /// The command or its environment failed: status, time limit, signal, disk.
    Broken(String),
    /// It was ended on demand.
    Cancelled,
    /// Another daemon has taken the run over.
    Taken,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The job.
    pub job: String,
    /// The slot.
    pub scheduled_at: Timestamp,
    /// The ticket of the attempt.
    pub ticket: Ticket,
    /// What it was for.
    pub reason: Reason,
    /// What asked for it.
    pub key: String,
    /// How it ended.
    pub ended: Ended,
}

impl Shop {
    /// Makes an attempt at a slot. What cannot be recorded because the disk or the records fail is an environment that failed, and is
    /// tried again as such.
    pub fn attempt(&self, ready: &Ready, ticket: &Ticket, shared: Option<&HostsClaim>, cancel: &Cancel) -> Report {
        let ended = self.go_through(ready, ticket, &Reins { shared, cancel }).unwrap_or_else(|denied| match denied {
            Denied::Stale(stale) => {
                tracing::warn!(%stale, job = ready.job.name, "a run was taken over");
                Ended::Taken
            }
            // Data that are malformed are bad input; trying again does not mend them.
            Denied::Failed(error) if error.exit() == shared::Exit::Usage => Ended::Failed(error.to_string()),
            Denied::Failed(error) => Ended::Broken(error.to_string()),
        });
        let ended = self.note_failure(ticket, ended);
        let Ready { job, scheduled_at, reason, key, .. } = ready;
        Report {
            job: job.name.clone(),
            scheduled_at: *scheduled_at,
            ticket: ticket.clone(),
            reason: *reason,
            key: key.clone(),
            ended,
        }
    }

    fn note_failure(&self, ticket: &Ticket, ended: Ended) -> Ended {
        let why = match &ended {
            Ended::Failed(why) | Ended::Broken(why) => why.as_str(),
            Ended::Cancelled => "ended on demand",
            Ended::Judged(..) | Ended::Taken => return ended,
        };
        match self.store.failed(ticket, why, self.clock.now()) {
            Ok(()) => ended,
            Err(Denied::Stale(_)) => Ended::Taken,
            // The run stays unfinished in the records, and is found there.
            Err(Denied::Failed(error)) => Ended::Broken(error.to_string()),
        }
    }

    fn go_through(&self, ready: &Ready, ticket: &Ticket, reins: &Reins<'_>) -> Result<Ended, Denied> {
        let (job, cancel) = (&ready.job, reins.cancel);
        self.note_fence(job, ticket, reins.shared)?;
        let data = match self.fresh_data(job)? {
            (_, Some(why)) => return self.without_new_data(job, ticket, &why, reins),
            (data, None) => data,
        };
        let folder = self.state.run(&job.name, ready.scheduled_at, &ready.key, ticket.attempt);
        fsio::create_folder(&folder.join(OUT))?;
        let slot = Slot {
            job: job.name.clone(),
            scheduled_at: ready.scheduled_at,
            out_dir: folder.join(OUT),
            log_dir: folder.clone(),
            ticket: self.state.ticket(ticket.run),
        };
        let mut noted = Ok(());
        let outcome = process::run(
            &job.command,
            &slot,
            cancel,
            || self.clock.now(),
            |identity| {
                noted = self.store.started(ticket, identity, &folder, self.clock.now());
                // What is not on record must not run.
                if noted.is_err() {
                    cancel.kill();
                }
            },
        )?;
        noted?;
        self.store.exited(ticket, &Ending::from(&outcome), &folder)?;
        let found = self.environment(job, &folder);
        fsio::write_atomic(
            &folder.join(RUN),
            text(&described(ready, ticket, reins.shared, &outcome, &found)).as_bytes(),
        )?;
        let archive = Archive {
            artifacts: archive::artifacts(&folder, &[&outcome.stdout, &outcome.stderr])?,
            env: Some(found),
            data,
        };
        self.store.archived(ticket, &archive, self.clock.now())?;
        match trouble(&outcome.exit) {
            Some(ended) => Ok(ended),
            None => self.judge(job, ticket, &folder, outcome.started, reins),
        }
    }

    /// The data that the run is to see, and why they are no new sample, if they are not.
    fn fresh_data(&self, job: &Job) -> Result<(Option<Data>, Option<Unfit>)> {
        let Some(state) = expect::look_at_data(&job.expect, &job.folder)? else { return Ok((None, None)) };
        let before = self.store.last_data(&job.name)?.map(data_state);
        let fresh = expect::freshness(&job.expect, &state, before.as_ref(), self.clock.now());
        let unfit = fresh.sentence().map(|why| Unfit { why, is_stale: !matches!(fresh, Fresh::Unchanged) });
        let data = Data { hash: state.sha256, newest: state.newest, rows: Some(state.rows), bytes: state.bytes };
        Ok((Some(data), unfit))
    }

    /// Records that there is nothing new to measure: no sample, and no failure.
    fn without_new_data(&self, job: &Job, ticket: &Ticket, unfit: &Unfit, reins: &Reins<'_>) -> Result<Ended, Denied> {
        let news = match unfit.is_stale {
            true => News::stale_data(&unfit.why),
            false => News::verdict(Outcome::NoNewData, &unfit.why, None),
        };
        self.record(job, ticket, &Verdict::plain(Outcome::NoNewData, &unfit.why, VERSION), &news, reins)
    }

    /// Looks at what a run left, and records what it says of the model.
    fn judge(
        &self,
        job: &Job,
        ticket: &Ticket,
        folder: &Path,
        started: Timestamp,
        reins: &Reins<'_>,
    ) -> Result<Ended, Denied> {
        let produced = expect::read(&job.expect, &folder.join(OUT), started);
        let faults = expect::check(&job.expect, &produced, &sight::rows(self.store.rows_before(&job.name)?));
        if let Some(fault) = faults.first() {
            let more = if faults.len() > 1 { format!(" (and {} more)", faults.len() - 1) } else { String::new() };
            return Ok(Ended::Failed(format!("{fault}{more}")));
        }
        self.store.compared(ticket, &sight::metrics(&produced), self.clock.now())?;
        let Seen { verdict, news } = self.see(job, ticket, folder, reins.cancel)?;
        self.record(job, ticket, &verdict, &news, reins)
    }

    fn record(
        &self,
        job: &Job,
        ticket: &Ticket,
        verdict: &Verdict,
        news: &News,
        reins: &Reins<'_>,
    ) -> Result<Ended, Denied> {
        if let Some(ended) = reins.lost()? {
            return Ok(ended);
        }
        let now = self.clock.now();
        let alerts = news.transitions(job, &self.store.firing(&job.name)?, now);
        self.store.recorded(ticket, verdict, &alerts, now)?;
        self.clean_up(job);
        Ok(Ended::Judged(verdict.outcome, verdict.reason.clone()))
    }

    /// Ends a slot whose attempts all failed.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub fn give_up(&self, job: &Job, ticket: &Ticket, why: &str) -> Result<(), Denied> {
        let now = self.clock.now();
        let alerts = News::failed(why).transitions(job, &self.store.firing(&job.name)?, now);
        self.store.give_up(ticket, why, &alerts, now)
    }

    fn environment(&self, job: &Job, folder: &Path) -> Value {
        environment::capture(job, folder, environment::version(&self.bench_compare).as_deref())
    }

    /// Deletes files of runs that are no longer needed. What cannot be deleted now is found again the next time.
    fn clean_up(&self, job: &Job) {
        if let Err(error) = self.delete_old(job) {
            tracing::warn!(%error, job = job.name, "old runs are not deleted");
        }
    }

    fn delete_old(&self, job: &Job) -> Result<()> {
        let now = self.clock.now();
        for expired in self.store.retain(&job.name, &sight::policy(job), now)? {
            if expired.folder.exists() {
                std::fs::remove_dir_all(&expired.folder)
                    .map_err(|source| shared::Error::io(&expired.folder, "delete", source))?;
            }
            self.store.forgotten(expired.run, now)?;
        }
        Ok(())
    }
}

/// What an attempt is held by: a hand that may end it, and the leave of other hosts.
struct Reins<'a> {
    shared: Option<&'a HostsClaim>,
    cancel: &'a Cancel,
}

impl Reins<'_> {
    /// How the attempt ends if other hosts do not let it be recorded.
    fn lost(&self) -> Result<Option<Ended>> {
        let Some(shared) = self.shared else { return Ok(None) };
        match shared.confirm(self.cancel) {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(Ended::Broken(hold::OVERTAKEN.to_owned()))),
            Err(_) if self.cancel.is_cancelled() => Ok(Some(Ended::Cancelled)),
            Err(error) => Err(error),
        }
    }
}

/// Why data are no new sample.
struct Unfit {
    why: String,
    /// Whether somebody must look after them.
    is_stale: bool,
}

fn data_state(data: Data) -> expect::DataState {
    let Data { hash, newest, rows, bytes } = data;
    expect::DataState { sha256: hash, files: 1, bytes, rows: rows.unwrap_or(0), newest }
}

/// How an attempt ended whose command did.
fn trouble(exit: &Exit) -> Option<Ended> {
    match exit {
        Exit::Exited(0) => None,
        Exit::Exited(status) => Some(Ended::Broken(format!("the command ended with status {status}"))),
        Exit::Signalled(signal) => Some(Ended::Broken(format!("the command was ended by signal {signal}"))),
        Exit::TimedOut => Some(Ended::Broken("the command took longer than its timeout, and was ended".to_owned())),
        Exit::Cancelled => Some(Ended::Cancelled),
        Exit::NotStarted(why) => Some(Ended::Broken(why.clone())),
    }
}

/// All that is known of a run, for its folder.
fn described(
    ready: &Ready,
    ticket: &Ticket,
    shared: Option<&HostsClaim>,
    outcome: &process::Outcome,
    environment: &Value,
) -> Value {
    let names = |processes: &[process::Process]| {
        processes.iter().map(|it| format!("{} {}", it.pid, it.name)).collect::<Vec<_>>()
    };
    let output = |output: &process::Captured| json!({"bytes": output.bytes, "kept": output.kept, "sha256": output.sha256, "truncated": output.truncated, "fault": output.fault});
    json!({
        "schema": "rebench-cron/run/1",
        "tool": {"name": "rebench-cron", "version": env!("CARGO_PKG_VERSION")},
        "job": ready.job.name, "scheduled_at": ready.scheduled_at, "wall": claim::wall(&ready.job, ready.scheduled_at),
        "reason": ready.reason.name(), "key": ready.key, "attempt": ticket.attempt, "fence": ticket.fence, "shared": shared.map(hold::described),
        "argv": ready.job.argv, "folder": ready.job.folder,
        "started": outcome.started, "ended": outcome.ended, "seconds": outcome.took.as_secs_f64(),
        "exit": exit_text(&outcome.exit),
        "user_seconds": outcome.usage.user.as_secs_f64(), "system_seconds": outcome.usage.system.as_secs_f64(),
        "peak_rss_bytes": outcome.usage.peak_rss_bytes,
        "stdout": output(&outcome.stdout), "stderr": output(&outcome.stderr),
        "leftovers": names(&outcome.leftovers), "survivors": names(&outcome.survivors),
        "environment": environment,
    })
}

fn exit_text(exit: &Exit) -> String {
    match exit {
        Exit::Exited(status) => format!("status {status}"),
        Exit::Signalled(signal) => format!("signal {signal}"),
        Exit::TimedOut => "timed out".to_owned(),
        Exit::Cancelled => "cancelled".to_owned(),
        Exit::NotStarted(why) => format!("not started: {why}"),
    }
}

fn text(value: &Value) -> String {
    format!("{value:#}\n")
}
