//! `rebench-cron once`: one run of a job, now, as cron, systemd, Kubernetes or a person starts it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use shared::Exit;
use shared::alert::{AlertArgs, Carriers};
use shared::cli::{self, Context, Format};
use shared::error::{Error, Result};
use shared::format::input::Tool;

use super::asked;
use super::outgoing::{LABELS, Outgoing, PATIENCE};
use super::shop::ShopArgs;
use crate::daemon::{Telling, telling};
use crate::job::{self, Job, Overlap};
use crate::mlflow::{Flags, Logger};
use crate::plan::{ON_TIME, Ready, retry};
use crate::process::Cancel;
use crate::shared_lock::{Answer, HostsClaim, SharedSlot};
use crate::store::{Claimed, Denied, Outcome, Reason, Ticket, UnfinishedRun};
use crate::work::recover::Left;
use crate::work::{Ended, Report as Attempt, Shop, claim, environment, ping};

/// The `schema` of the report.
pub const SCHEMA: &str = "rebench-cron/once/1";

/// What status 4 becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Fold {
    /// Status 0
    Pass,
    /// Status 1
    Fail,
}

/// Flags of `rebench-cron once`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The job
    pub job: String,
    /// Where and with what it runs
    #[command(flatten)]
    pub shop: ShopArgs,
    /// What status 4, "cannot be decided", becomes: pass (status 0) or fail (status 1)
    #[arg(long, value_name = "ANSWER", value_enum, hide_possible_values = true)]
    pub inconclusive: Option<Fold>,
    /// Where runs are logged
    #[command(flatten)]
    pub mlflow: Flags,
    /// Who is told
    #[command(flatten)]
    pub alerts: AlertArgs,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Who wrote it.
    pub tool: Tool,
    /// The job.
    pub job: String,
    /// The slot, in local time.
    pub scheduled_at: String,
    /// What it is for: `cron` or `manual`.
    pub reason: String,
    /// Attempts that were made.
    pub attempts: u32,
    /// `holds`, `regressed`, `improved`, `inconclusive`, `invalid`, `not_reproducible`, `no_new_data` or `failed`; `another_host` if that has the slot.
    pub outcome: String,
    /// Why, in a sentence.
    pub why: String,
    /// Whether over all runs the model no longer wins.
    pub alarm: bool,
    /// The folder with all that the run left; nothing if nothing was run.
    pub folder: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// If the job is wrong, or its records cannot be had.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let job = Arc::new(job::named(&context.config, &args.job)?);
    let (receivers, managers) = (args.alerts.receivers(&LABELS)?, args.alerts.managers()?);
    let settings = args.mlflow.settings()?;
    let shop = args.shop.shop(context.config.project.as_deref())?;
    let below = |name: &str| shop.state.folder().join(name);
    let outgoing = Outgoing {
        logger: settings.map(|settings| Logger::start(settings, below("mlflow"))).transpose()?,
        carriers: Carriers::start(receivers, managers, &below("outbox"), args.alerts.resend),
        project: context.config.project.clone(),
    };
    let cancel = cancel_on_signals()?;
    let done = Once { shop: &shop, job: &job, cancel: &cancel }.go();
    let told = tell(&shop, &job, &outgoing);
    outgoing.stop();
    let done = done?;
    told?;
    let alarm = shop.store.firing(&job.name)?.iter().any(|row| row.alert.kind == "ModelNoLongerWins");
    let (report, exit) = match &done {
        Done::Ran(attempt, reason) => {
            (report(&shop, &job, attempt, *reason, alarm), exit(&attempt.ended, alarm, args.inconclusive))
        }
        Done::Elsewhere(ready, host) => (elsewhere(ready, host, alarm), Exit::Ok),
    };
    context.emit(&match context.format {
        Format::Json => asked::json(&report)?,
        _ => text(&report),
    })?;
    Ok(exit)
}

/// The exit status of an end.
fn exit(ended: &Ended, alarm: bool, fold: Option<Fold>) -> Exit {
    let exit = match ended {
        Ended::Judged(Outcome::Regressed, _) => Exit::No,
        Ended::Judged(Outcome::Holds | Outcome::Improved | Outcome::NoNewData, _) if !alarm => Exit::Ok,
        Ended::Judged(Outcome::Holds | Outcome::Improved | Outcome::NoNewData, _) => Exit::No,
        Ended::Judged(Outcome::Inconclusive, _) if alarm => Exit::No,
        Ended::Judged(Outcome::Inconclusive | Outcome::NotReproducible, _) => Exit::Undecided,
        Ended::Judged(Outcome::Invalid, _) | Ended::Failed(_) => Exit::Usage,
        Ended::Broken(_) | Ended::Cancelled | Ended::Taken => Exit::Environment,
    };
    match (exit, fold) {
        (Exit::Undecided, Some(Fold::Pass)) => Exit::Ok,
        (Exit::Undecided, Some(Fold::Fail)) => Exit::No,
        (exit, _) => exit,
    }
}

/// What came of a slot.
enum Done {
    Ran(Attempt, Reason),
    /// Another host has it.
    Elsewhere(Ready, String),
}

/// Where a slot may be run.
enum Place {
    /// Here; there is a claim where there are other hosts.
    Here(Option<HostsClaim>),
    /// On this other host, which has it.
    Elsewhere(String),
}

struct Once<'a> {
    shop: &'a Shop,
    job: &'a Arc<Job>,
    cancel: &'a Cancel,
}

impl Once<'_> {
    /// Runs a slot to its end, with all its attempts.
    fn go(&self) -> Result<Done> {
        let now = self.shop.clock.now();
        self.shop.store.define(&claim::definition(self.job), now)?;
        self.finish_what_was_left(now)?;
        let Some(lock) = self.shop.state.lock(&self.job.name)? else { return Err(is_on(self.job)) };
        let done = match self.claim(now)? {
            Claim::Ours(ready, ticket, shared) => Done::Ran(self.attempts(&ready, ticket, shared)?, ready.reason),
            Claim::Elsewhere(ready, host) => Done::Elsewhere(ready, host),
        };
        drop(lock);
        Ok(done)
    }

    /// The slot of the schedule that is due, if nobody decided it yet; else one of its own.
    fn claim(&self, now: Timestamp) -> Result<Claim> {
        let slot = self.job.schedule.prev(now.checked_add(SignedDuration::from_nanos(1)).unwrap_or(now));
        let late = |slot: &Timestamp| Duration::try_from(now.duration_since(*slot)).unwrap_or_default();
        let due = slot.filter(|slot| late(slot) <= ON_TIME);
        let due = due.map(|slot| self.ready(slot, Reason::Cron, String::new()));
        let own = self.ready(now, Reason::Manual, format!("once-{now}"));
        for ready in due.into_iter().chain([own]) {
            let shared = match self.place(&ready)? {
                Place::Here(shared) => shared,
                Place::Elsewhere(host) => return Ok(Claim::Elsewhere(ready, host)),
            };
            let request = claim::claim(&ready, &environment::tzdb(), now, None);
            match self.shop.store.claim(&request, now, &self.shop.host)? {
                Claimed::Ticket(ticket) => return Ok(Claim::Ours(ready, ticket, shared)),
                Claimed::Overlap(_) => return Err(is_on(self.job)),
                Claimed::Known(_) => {}
            }
        }
        Err(is_on(self.job))
    }

    /// Where it may be run; nowhere while another host runs the job, or the others cannot be asked.
    fn place(&self, ready: &Ready) -> Result<Place> {
        let Some(hosts) = &self.shop.hosts else { return Ok(Place::Here(None)) };
        match hosts.claim(&SharedSlot::from(ready))? {
            Answer::Ours(claim) => Ok(Place::Here(Some(claim))),
            Answer::Elsewhere(host) => Ok(Place::Elsewhere(host)),
            Answer::Busy => Err(is_on(self.job)),
        }
    }

    fn ready(&self, scheduled_at: Timestamp, reason: Reason, key: String) -> Ready {
        Ready { job: Arc::clone(self.job), scheduled_at, reason, key, queued_at: scheduled_at }
    }

    fn attempts(&self, ready: &Ready, mut ticket: Ticket, mut shared: Option<HostsClaim>) -> Result<Attempt> {
        loop {
            let pinged = ping::start(self.job, &ticket);
            let attempt = self.shop.attempt(ready, &ticket, shared.as_ref(), self.cancel);
            ping::end(self.job, pinged, &attempt);
            let why = match &attempt.ended {
                Ended::Failed(why) | Ended::Broken(why) => why.clone(),
                Ended::Cancelled => "ended on demand".to_owned(),
                Ended::Judged(..) | Ended::Taken => return Ok(attempt),
            };
            // Others may have the job while this one waits.
            drop(shared.take());
            let place = self.wait_for_retry(&ticket, &why).then(|| self.place(ready));
            let Some(Ok(Place::Here(again))) = place else {
                self.shop.give_up(self.job, &ticket, &why)?;
                return Ok(attempt);
            };
            shared = again;
            ticket = self.shop.store.retry(&ticket, &self.shop.host, self.shop.clock.now())?;
        }
    }

    /// Waits until another attempt may be made; whether one may.
    fn wait_for_retry(&self, ticket: &Ticket, why: &str) -> bool {
        let at = retry::at(self.job, ticket.attempt, self.shop.clock.now());
        let Some(at) = at.filter(|_| !self.cancel.is_cancelled()) else { return false };
        cli::note(&format!("{}: {why}; tried again at {at:.0}", self.job.name));
        while self.shop.clock.now() < at && !self.cancel.is_cancelled() {
            std::thread::sleep(Duration::from_millis(200));
        }
        !self.cancel.is_cancelled()
    }

    /// Ends what an earlier call left that was killed.
    fn finish_what_was_left(&self, now: Timestamp) -> Result<()> {
        let unfinished = self.shop.store.unfinished(Some(&self.shop.host.name))?;
        let left: Vec<UnfinishedRun> = unfinished.into_iter().filter(|run| run.job == self.job.name).collect();
        if left.is_empty() {
            return Ok(());
        }
        let Some(_lock) = self.shop.state.lock_alone(&self.job.name)? else {
            return if self.job.overlap == Overlap::Allow { Ok(()) } else { Err(is_on(self.job)) };
        };
        for run in &left {
            if let Left::Again(ticket, why) = self.shop.recover(self.job, run)? {
                match self.shop.store.give_up(&ticket, &format!("{why}; a newer run was made by hand"), &[], now) {
                    Ok(()) | Err(Denied::Stale(_)) => {}
                    Err(Denied::Failed(error)) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// What came of claiming a slot.
enum Claim {
    Ours(Ready, Ticket, Option<HostsClaim>),
    /// Another host has it.
    Elsewhere(Ready, String),
}

fn is_on(job: &Job) -> Error {
    Error::Environment {
        what: format!("a run of {} is on", job.name),
        help: Some("wait for its end, or set overlap = \"allow\"".to_owned()),
    }
}

/// Ends the run at the signals that end a program.
fn cancel_on_signals() -> Result<Cancel> {
    let cancel = Cancel::new()?;
    let own = cancel.clone();
    crate::signals::on_end(move |count| if count == 1 { own.cancel() } else { own.kill() })?;
    Ok(cancel)
}

/// Tells receivers what is new; what cannot be delivered waits for the next run.
fn tell(shop: &Shop, job: &Job, outgoing: &Outgoing) -> Result<()> {
    let now = shop.clock.now();
    for row in shop.store.untold()? {
        if let Some(transition) = telling::transition(&row) {
            outgoing.tell(&transition, now)?;
        }
        shop.store.told(row.number, now)?;
    }
    let firing = shop.store.firing(&job.name)?;
    outgoing.show(&firing.iter().filter_map(telling::alert).collect::<Vec<_>>());
    telling::finish(&shop.store, &shop.host.name, now)?;
    outgoing.judged(&shop.store, job)?;
    outgoing.settle(PATIENCE);
    Ok(())
}

fn report(shop: &Shop, job: &Job, attempt: &Attempt, reason: Reason, alarm: bool) -> Report {
    let (outcome, why) = match &attempt.ended {
        Ended::Judged(outcome, why) => (outcome.name(), why.as_str()),
        Ended::Failed(why) | Ended::Broken(why) => ("failed", why.as_str()),
        Ended::Cancelled => ("failed", "ended on demand"),
        Ended::Taken => ("failed", "another daemon has taken the run over"),
    };
    let folder = shop.state.run(&job.name, attempt.scheduled_at, &attempt.key, attempt.ticket.attempt);
    Report {
        schema: SCHEMA.to_owned(),
        tool: asked::tool(),
        job: job.name.clone(),
        scheduled_at: claim::wall(job, attempt.scheduled_at),
        reason: reason.name().to_owned(),
        attempts: attempt.ticket.attempt,
        outcome: outcome.to_owned(),
        why: why.to_owned(),
        alarm,
        folder: folder.is_dir().then(|| folder.display().to_string()),
    }
}

/// That there is nothing to do here.
fn elsewhere(ready: &Ready, host: &str, alarm: bool) -> Report {
    Report {
        schema: SCHEMA.to_owned(),
        tool: asked::tool(),
        job: ready.job.name.clone(),
        scheduled_at: claim::wall(&ready.job, ready.scheduled_at),
        reason: ready.reason.name().to_owned(),
        attempts: 0,
        outcome: "another_host".to_owned(),
        why: format!("the host {host} has this slot, and records what comes of it"),
        alarm,
        folder: None,
    }
}

fn text(report: &Report) -> String {
    let attempts = if report.attempts <= 1 { String::new() } else { format!(", attempt {}", report.attempts) };
    let alarm = if report.alarm { "\n  ALARM: over all runs the model no longer wins" } else { "" };
    let folder = report.folder.as_ref().map_or_else(String::new, |folder| format!("\n  {folder}"));
    format!(
        "{}  {} {}{attempts}\n  {}{alarm}{folder}\n",
        report.outcome.to_uppercase().replace('_', " "),
        report.job,
        report.scheduled_at,
        report.why,
    )
}
