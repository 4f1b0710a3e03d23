//! The runs of this process, and the orphans that come to it: each is ended with the run that it stems from, and collected,
//! without taking the exit status of a child that someone waits for.
//!
//! An orphan is told by the variable [`VARIABLE`], which it inherits. One that cleared its environment is ended with the last
//! run that can have brought it up, told by the time of its start and by its session, which none of our own children has.

use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{getpid, set_child_subreaper};
use wait4::try_wait4_pid;

use super::table::{self, Row};

/// The variable that holds the token of a run.
pub(super) const VARIABLE: &str = "REBENCH_RUN";

/// The variable that holds the ticket of a run, which is known before it is started.
pub(super) const TICKET: &str = "REBENCH_TICKET";

static RUNS: Mutex<Runs> = Mutex::new(Runs { active: Vec::new(), started: 0 });

/// What all tokens of this process begin with; another process has another, also where it has the same number.
static PREFIX: LazyLock<String> =
    LazyLock::new(|| format!("{:016x}-", RandomState::new().hash_one(std::process::id())));

struct Runs {
    active: Vec<Active>,
    started: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Active {
    token: String,
    /// Unknown until its program is started.
    root: Option<Root>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Root {
    pid: i32,
    start_ticks: u64,
}

/// A run that is on; dropped, it is over.
#[derive(Debug)]
pub(super) struct Membership {
    token: String,
}

/// Begins a run. From now on orphans come to this process.
pub(super) fn enter() -> Membership {
    static ADOPTING: OnceLock<()> = OnceLock::new();
    // Where the system refuses, orphans go to its first process; those seen before are found there too.
    ADOPTING.get_or_init(|| _ = set_child_subreaper(Some(getpid())));
    let mut runs = runs();
    runs.started += 1;
    let token = format!("{}{}", *PREFIX, runs.started);
    runs.active.push(Active { token: token.clone(), root: None });
    Membership { token }
}

impl Membership {
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Notes the process that the run begins with.
    pub(super) fn started(&self, pid: i32, start_ticks: u64) {
        let mut runs = runs();
        runs.active.iter_mut().filter(|run| run.token == self.token).for_each(|run| {
            run.root = Some(Root { pid, start_ticks });
        });
    }

    /// Which of the rows are orphans of this run.
    pub(super) fn orphans(&self, own: &Row, table: &[Row]) -> Vec<i32> {
        let active = runs().active.clone();
        let orphan = |row: &&Row| {
            let candidate = row.parent == own.pid && !row.ended && !in_a_group(&active, row);
            candidate && belongs(&self.token, &active, own, row, table::variable(row.pid, VARIABLE).as_deref())
        };
        table.iter().filter(orphan).map(|row| row.pid).collect()
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        runs().active.retain(|run| run.token != self.token);
    }
}

fn runs() -> MutexGuard<'static, Runs> {
    // It is whole between any two of its statements.
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_a_group(active: &[Active], row: &Row) -> bool {
    active.iter().any(|run| run.root.is_some_and(|root| root.pid == row.group))
}

/// Whether an orphan belongs to the run of `token`, given the token in its environment.
fn belongs(token: &str, active: &[Active], own: &Row, row: &Row, found: Option<&str>) -> bool {
    match found {
        Some(found) if found == token => true,
        // Of another run that is on, or left over by one that is not.
        Some(found) if found.starts_with(PREFIX.as_str()) => !active.iter().any(|run| run.token == found),
        _ => row.session != own.session && is_last_parent(token, active, row),
    }
}

/// Whether the run was on when the orphan was started, and no other that is on still was.
fn is_last_parent(token: &str, active: &[Active], row: &Row) -> bool {
    let was_on = |run: &&Active| run.root.is_none_or(|root| root.start_ticks <= row.start_ticks);
    active.iter().filter(was_on).all(|run| run.token == token)
        && active.iter().any(|run| was_on(&run) && run.token == token)
}

/// Whether it was adopted: no child that this process itself started can look like this, since all of them stay in its session
/// and either lead a group or stay in ours.
fn is_adopted(own: &Row, row: &Row) -> bool {
    row.parent == own.pid && (row.session != own.session || (row.group != row.pid && row.group != own.group))
}

/// Collects orphans that have ended and belong to no run that is on. For a process with the number 1 to call now and then;
/// each run does so too.
pub fn reap_orphans() {
    if let Some(own) = table::own() {
        reap(&own, &table::all());
    }
}

/// Says how many it collected.
pub(super) fn reap(own: &Row, table: &[Row]) -> usize {
    let active = runs().active.clone();
    let unclaimed = table.iter().filter(|row| row.ended && is_adopted(own, row) && !in_a_group(&active, row));
    // Another thread may have been faster.
    unclaimed.filter(|row| u32::try_from(row.pid).is_ok_and(|pid| matches!(try_wait4_pid(pid), Ok(Some(_))))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pid: i32, group: i32, session: i32, start_ticks: u64) -> Row {
        Row { pid, name: "x".to_owned(), parent: 5, group, session, ended: true, start_ticks }
    }

    fn active(token: &str, root: Option<(i32, u64)>) -> Active {
        Active { token: token.to_owned(), root: root.map(|(pid, start_ticks)| Root { pid, start_ticks }) }
    }

    #[test]
    fn an_orphan_without_a_token_goes_with_the_last_run_that_can_have_brought_it_up() {
        let (own, orphan) = (row(5, 5, 5, 1), row(30, 30, 30, 200));
        let both = [active("a", Some((10, 100))), active("b", Some((20, 150)))];
        let belongs = |token, active: &[Active]| belongs(token, active, &own, &orphan, None);
        assert!(!belongs("a", &both) && !belongs("b", &both));
        assert!(belongs("a", &both[..1]) && belongs("b", &both[1..]));
        let later = [active("a", Some((10, 100))), active("b", Some((20, 201)))];
        assert!(belongs("a", &later) && !belongs("b", &later), "b began after it");
        assert!(!belongs("a", &[active("a", Some((10, 100))), active("b", None)]), "b may be starting it");
        let ours = row(30, 30, 5, 200);
        assert!(!super::belongs("a", &both[..1], &own, &ours, None), "a hook of ours looks like this");
    }

    #[test]
    fn a_token_is_enough() {
        let (own, orphan) = (row(5, 5, 5, 1), row(30, 30, 5, 200));
        let token = |number: u8| format!("{}{number}", *PREFIX);
        let both = [active(&token(1), Some((10, 100))), active(&token(2), Some((20, 150)))];
        let belongs = |run: u8, found: u8| belongs(&token(run), &both, &own, &orphan, Some(&token(found)));
        assert!(belongs(2, 2) && !belongs(1, 2));
        assert!(belongs(1, 9), "left over by a run that is over");
    }

    #[test]
    fn children_that_someone_waits_for_are_not_adopted() {
        let own = row(5, 5, 5, 1);
        assert!(!is_adopted(&own, &row(30, 30, 5, 1)), "a hook in a group of its own");
        assert!(!is_adopted(&own, &row(30, 5, 5, 1)), "a child in our group");
        assert!(is_adopted(&own, &row(30, 30, 30, 1)) && is_adopted(&own, &row(30, 10, 5, 1)));
        assert!(!is_adopted(&own, &Row { parent: 6, ..row(30, 30, 30, 1) }));
    }
}
