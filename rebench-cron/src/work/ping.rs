//! Saying to a watcher elsewhere that a job runs and has run: silence is the alarm that still comes when this machine is dead.

use shared::alert::{Network, Outcome, Ping};
use shared::secret::Secret;

use super::{Ended, Report};
use crate::job::Job;
use crate::store::Ticket;

/// Says that a run begins; what says its end.
pub fn start(job: &Job, ticket: &Ticket) -> Option<Ping> {
    let path = job.ping_url_file.as_ref()?;
    let ping = Secret::from_file(path).and_then(|url| Ping::new(&url, Network::default()));
    let ping = ping.inspect_err(|error| tracing::error!(%error, job = job.name, "no ping")).ok()?;
    note(job, ping.start(&ticket.token));
    Some(ping)
}

/// Says how it ended.
pub fn end(job: &Job, ping: Option<Ping>, report: &Report) {
    let Some(ping) = ping else { return };
    let run = &report.ticket.token;
    note(
        job,
        match &report.ended {
            Ended::Judged(outcome, reason) => ping.success(run, &format!("{}: {reason}", outcome.name())),
            Ended::Failed(why) | Ended::Broken(why) => ping.fail(run, why),
            Ended::Cancelled => ping.fail(run, "ended on demand"),
            Ended::Taken => ping.log(run, "taken over by another daemon"),
        },
    );
}

fn note(job: &Job, outcome: Outcome) {
    match outcome {
        Outcome::Delivered => {}
        Outcome::Refused(why) => tracing::warn!(why, job = job.name, "a ping was refused"),
        Outcome::Later { error, .. } => tracing::warn!(%error, job = job.name, "a ping was not delivered"),
    }
}
