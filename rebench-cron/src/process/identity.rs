//! Who a run is, also for a daemon that starts again: its number alone may be another's by then.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::nursery::{TICKET, VARIABLE};
use super::running::{Process, send};
use super::table::{self, Row};

/// How often it is looked whether it is gone.
const PAUSE: Duration = Duration::from_millis(20);

/// How long the killed may take to go.
const MOST_DYING: Duration = Duration::from_secs(5);

/// Names a run on this machine, by the first of its processes, for this boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The number of the process, which is that of its group.
    pub pid: i32,
    /// When it was started, in clock ticks since boot; unknown where `/proc` is not to be had.
    pub start_ticks: Option<u64>,
    /// The boot.
    pub boot_id: Option<String>,
    /// What all processes of the run have in the variable `REBENCH_RUN`.
    pub token: String,
}

impl Identity {
    pub(super) fn of(pid: i32, start_ticks: Option<u64>, token: &str) -> Self {
        Self { pid, start_ticks, boot_id: table::boot_id(), token: token.to_owned() }
    }

    /// Whether its first process still runs. What is not known for sure counts as gone.
    pub fn lives(&self) -> bool {
        self.is_of_this_boot() && table::own().is_some() && table::read(self.pid).is_some_and(|row| self.is_first(&row))
    }

    /// Ends a run that a daemon left which is no more: what carries its token, and the group of its first process as long as
    /// that lives; SIGTERM, and SIGKILL after `grace`. Says what could not be ended. Nothing happens after another boot.
    pub fn end(&self, grace: Duration) -> Vec<Process> {
        end(grace, &|| self.left())
    }

    fn left(&self) -> Vec<Row> {
        if !self.is_of_this_boot() || table::own().is_none() {
            return Vec::new();
        }
        let table = table::all();
        let first = table.iter().any(|row| self.is_first(row));
        let belongs = |row: &Row| (first && row.group == self.pid) || self.has_token(row);
        table.into_iter().filter(|row| !row.ended && belongs(row)).collect()
    }

    fn has_token(&self, row: &Row) -> bool {
        table::variable(row.pid, VARIABLE).is_some_and(|found| found == self.token)
    }

    fn is_first(&self, row: &Row) -> bool {
        !row.ended && row.pid == self.pid && Some(row.start_ticks) == self.start_ticks
    }

    fn is_of_this_boot(&self) -> bool {
        self.boot_id.is_some() && self.boot_id == table::boot_id()
    }
}

/// Ends what carries this ticket: the run of a daemon that ended before it could say whom it started. As [`Identity::end`].
pub fn end_ticket(ticket: &str, grace: Duration) -> Vec<Process> {
    let has_ticket = |row: &Row| !row.ended && table::variable(row.pid, TICKET).is_some_and(|found| found == ticket);
    match ticket.is_empty() || table::own().is_none() {
        true => Vec::new(),
        false => end(grace, &|| table::all().into_iter().filter(has_ticket).collect()),
    }
}

/// Ends the processes that `left` finds, and says which could not be ended.
fn end(grace: Duration, left: &dyn Fn() -> Vec<Row>) -> Vec<Process> {
    signal_for(Signal::TERM, grace, left);
    let survivors = signal_for(Signal::KILL, MOST_DYING, left);
    survivors.into_iter().map(|row| Process { pid: row.pid, name: row.name }).collect()
}

/// Signals what is left until nothing is or the time is over; says what is left then.
fn signal_for(signal: Signal, patience: Duration, left: &dyn Fn() -> Vec<Row>) -> Vec<Row> {
    let started = Instant::now();
    let mut told = Vec::new();
    loop {
        let left = left();
        if left.is_empty() || started.elapsed() >= patience {
            return left;
        }
        // Each once, so that a program that tidies up is not told to over and over.
        for row in left.iter().filter(|row| !told.contains(&row.id())) {
            send(row, signal);
            send(row, Signal::CONT);
        }
        told = left.iter().map(Row::id).collect();
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_of_the_number_is_not_it() {
        let own = table::own().unwrap();
        let identity = Identity::of(own.pid, Some(own.start_ticks), "no such token");
        assert!(identity.lives());
        let others = [
            Identity { start_ticks: Some(own.start_ticks + 1), ..identity.clone() },
            Identity { boot_id: Some("another".to_owned()), ..identity.clone() },
            Identity { start_ticks: None, ..identity },
        ];
        for other in others {
            // Ending it would end this test.
            assert!(!other.lives() && other.end(Duration::ZERO).is_empty(), "{other:?}");
        }
    }
}
