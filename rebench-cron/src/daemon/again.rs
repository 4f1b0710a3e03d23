//! Runs that are tried again later: attempts that failed, and starts that had to wait.

use jiff::Timestamp;
use shared::error::Result;

use super::Daemon;
use super::hosts::Asked;
use crate::plan::{Ready, retry};
use crate::store::{Denied, Ticket};
use crate::work::Ended;
use crate::work::hold::Hold;

/// A run that is tried again.
#[derive(Debug, Clone)]
pub(super) struct Again {
    pub(super) at: Timestamp,
    pub(super) ready: Ready,
    /// The attempt that failed; none if nothing was claimed yet.
    pub(super) last: Option<Ticket>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Agains(Vec<Again>);

impl Agains {
    pub(super) fn add(&mut self, again: Again) {
        self.0.push(again);
    }

    pub(super) fn wake(&self) -> Option<Timestamp> {
        self.0.iter().map(|again| again.at).min()
    }

    /// Whether an attempt at this slot is to follow.
    pub(super) fn has(&self, ticket: &Ticket) -> bool {
        self.0.iter().any(|again| again.last.as_ref().is_some_and(|last| last.slot == ticket.slot))
    }

    /// The first slot of a job that was not claimed yet.
    pub(super) fn first_of(&self, job: &str) -> Option<Timestamp> {
        let waits = |again: &&Again| again.last.is_none() && again.ready.key.is_empty() && again.ready.job.name == job;
        self.0.iter().filter(waits).map(|again| again.ready.scheduled_at).min()
    }

    fn take_due(&mut self, now: Timestamp) -> Vec<Again> {
        let (due, wait) = std::mem::take(&mut self.0).into_iter().partition(|again| again.at <= now);
        self.0 = wait;
        due
    }
}

impl Daemon {
    /// Plans the next attempt at a slot, or gives it up.
    pub(super) fn retry(&mut self, ready: Ready, last: Ticket, why: &str, now: Timestamp) -> Result<()> {
        match retry::at(&ready.job, last.attempt, now) {
            Some(at) => self.again.add(Again { at, ready, last: Some(last) }),
            None => match self.shop.give_up(&ready.job, &last, why) {
                Ok(()) | Err(Denied::Stale(_)) => {}
                Err(Denied::Failed(error)) => return Err(error),
            },
        }
        Ok(())
    }

    /// Starts attempts whose time has come.
    pub(super) fn try_again(&mut self, now: Timestamp) -> Result<()> {
        let mut outcome = Ok(());
        for again in self.again.take_due(now) {
            match (again.last.clone(), &outcome) {
                (None, _) => self.queue(again.ready),
                (Some(last), Ok(())) => outcome = self.next_attempt(again, &last, now),
                (Some(_), Err(_)) => self.again.add(again),
            }
        }
        outcome
    }

    fn next_attempt(&mut self, again: Again, last: &Ticket, now: Timestamp) -> Result<()> {
        let lock = if self.queue.has_room() { self.shop.state.lock(&again.ready.job.name)? } else { None };
        let Some(lock) = lock else {
            self.again.add(Again { at: super::later(now, super::LOOK), ..again });
            return Ok(());
        };
        let shared = match self.ask_hosts(&again.ready, now) {
            Asked::Held(shared) => shared,
            Asked::Later(at) => {
                self.again.add(Again { at, ..again });
                return Ok(());
            }
            Asked::Elsewhere(why) => return Ok(self.shop.store.give_up(last, &why, &[], now)?),
        };
        match self.shop.store.retry(last, &self.shop.host, now) {
            Ok(ticket) => {
                self.queue.begun(&again.ready.job.name);
                self.spawn(again.ready, ticket, Hold { shared, lock });
            }
            Err(Denied::Stale(_)) => {}
            Err(Denied::Failed(error)) => {
                self.again.add(again);
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Ended {
    /// Whether the slot has its verdict.
    pub fn is_judged(&self) -> bool {
        matches!(self, Self::Judged(..))
    }
}
