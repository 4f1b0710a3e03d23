//! What a daemon that is no more left undone.
//!
//! A run whose command may still be on is ended, with whatever it started: its outputs had their end in that daemon. Where there is no
//! verdict yet the slot is tried again, as another attempt. A job of which somebody's run is on is left alone: the lock says so.

use shared::error::Result;

use super::Shop;
use crate::job::Job;
use crate::process;
use crate::store::{Denied, RunState, Ticket, UnfinishedRun};

/// What is left to do for a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// Nothing: it is done, or another daemon's.
    Nothing,
    /// Its last attempt failed, or is lost: another may follow.
    Again(Ticket, String),
}

impl Shop {
    /// Finishes what can be finished of a run.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub fn recover(&self, job: &Job, run: &UnfinishedRun) -> Result<Left> {
        let ticket = match self.store.take_over(run.ticket.run, &self.host, self.clock.now()) {
            Ok(ticket) => ticket,
            Err(Denied::Stale(_)) => return Ok(Left::Nothing),
            Err(Denied::Failed(error)) => return Err(error),
        };
        let left = match run.state {
            RunState::Recorded | RunState::Alerted => {
                self.store.alerted(&ticket, self.clock.now()).map(|()| Left::Nothing)
            }
            RunState::Failed | RunState::Lost => Ok(Left::Again(ticket, run.error.clone().unwrap_or_else(lost))),
            RunState::Claimed | RunState::Started | RunState::Exited | RunState::Archived | RunState::Compared => {
                self.lose(job, run, ticket)
            }
        };
        Ok(left?)
    }

    fn lose(&self, job: &Job, run: &UnfinishedRun, ticket: Ticket) -> Result<Left, Denied> {
        process::end_ticket(&self.state.ticket(run.ticket.run), job.grace);
        run.identity.iter().for_each(|identity| _ = identity.end(job.grace));
        self.store.lost(&ticket, self.clock.now())?;
        Ok(Left::Again(ticket, lost()))
    }
}

fn lost() -> String {
    "the daemon that ran it is no more".to_owned()
}
