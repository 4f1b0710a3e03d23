//! A daemon is killed at any moment: what it was told to be recorded is there, and the rest is seen to by the next.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rebench_cron::process::Exit;
use rebench_cron::store::{AlertState, Outcome, RunState, Store, Ticket};

use crate::store_support::{alert, archive, claim, ending, host, identity, job, metric, monday, table, verdict, week};

const FOLDER: &str = "STORE_CRASH_FOLDER";

/// How many kills; `STORE_KILLS` says otherwise.
fn rounds() -> usize {
    std::env::var("STORE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}

/// Finishes what an earlier one left and goes on with new slots until it is killed; says each step when it is recorded. Run
/// by itself it has nothing to do.
#[test]
fn victim() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = Store::open(Path::new(&folder)).unwrap();
    store.define(&job("walmart"), monday()).unwrap();
    for left in store.unfinished(None).unwrap() {
        let ticket = store.take_over(left.ticket.run, &host("here"), monday()).unwrap();
        go_on(&store, &ticket, left.state);
    }
    let first = table(&store, "slots").len();
    for number in first.. {
        let ticket = claim(&store, i64::try_from(number).unwrap() % 5000);
        say(&ticket, RunState::Claimed);
        go_on(&store, &ticket, RunState::Claimed);
    }
}

fn say(ticket: &Ticket, state: RunState) {
    eprintln!("step {} {}", ticket.run, state.name());
}

fn go_on(store: &Store, ticket: &Ticket, mut state: RunState) {
    while state != RunState::Alerted {
        state = step(store, ticket, state);
        say(ticket, state);
    }
}

fn step(store: &Store, ticket: &Ticket, state: RunState) -> RunState {
    let folder = Path::new("runs/1");
    let alerts = [alert(&ticket.slot.to_string(), AlertState::Firing)];
    let (to, outcome) = match state {
        RunState::Claimed => (RunState::Started, store.started(ticket, &identity(), folder, monday())),
        RunState::Started => (RunState::Exited, store.exited(ticket, &ending(Exit::Exited(1)), folder)),
        RunState::Exited => (RunState::Archived, store.archived(ticket, &archive(), monday())),
        RunState::Archived => (RunState::Compared, store.compared(ticket, &[metric("mae", "", 0.5, 7)], monday())),
        RunState::Compared => {
            (RunState::Recorded, store.recorded(ticket, &verdict(Outcome::Regressed), &alerts, monday()))
        }
        _ => (RunState::Alerted, store.alerted(ticket, monday())),
    };
    outcome.unwrap();
    to
}

/// Lets a victim do that many steps and kills it a moment later, wherever it is then; all that it said.
fn kill_after(folder: &Path, steps: usize, moment: Duration) -> Vec<(i64, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store_crash::victim", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["step", run, state] => said.push((run.parse().unwrap(), state.to_owned())),
            _ => assert!(!line.contains("panicked"), "{line}"),
        }
        if said.len() == steps {
            let begun = Instant::now();
            while begun.elapsed() < moment {}
            child.kill().unwrap();
        }
    }
    assert!(!child.wait().unwrap().success() && said.len() >= steps);
    said
}

#[test]
fn whatever_was_said_to_be_recorded_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut said: BTreeSet<(i64, String)> = BTreeSet::new();
    for round in 0..rounds() {
        // One more than all states of a run, so that each round stops at another state.
        let moment = Duration::from_micros(73 * u64::try_from(round % 29).unwrap());
        said.extend(kill_after(folder.path(), 1 + round % 8, moment));
        let store = Store::open(folder.path()).unwrap();
        store.integrity().unwrap();
        let known = table(&store, "events");
        let known: BTreeSet<(i64, String)> =
            known.iter().filter_map(|row| Some((row["run"].as_i64()?, row["kind"].as_str()?.to_owned()))).collect();
        let missing: Vec<_> = said.difference(&known).collect();
        assert!(missing.is_empty(), "round {round}: {missing:?}");
        check(&store);
    }
    eprintln!("{} kills, {} steps said, none missing", rounds(), said.len());
}

/// Each verdict has its alert and its slot, and no slot has two.
fn check(store: &Store) {
    let slots = |name: &str, column: &str| -> Vec<String> {
        table(store, name).iter().map(|row| row[column].to_string().trim_matches('"').to_owned()).collect()
    };
    let (judged, told) = (slots("verdicts", "slot"), slots("alerts", "id"));
    assert_eq!(judged, told, "no alert is lost");
    assert_eq!(judged.iter().collect::<BTreeSet<_>>().len(), judged.len());
    let done = table(store, "slots").iter().filter(|row| row["state"] == "done").count();
    assert_eq!(done, judged.len());
    assert!(store.unfinished(None).unwrap().len() <= 1);
    let newest = store.history("walmart", 1).unwrap();
    assert!(newest.iter().all(|row| row.scheduled_at >= week(0)));
}
