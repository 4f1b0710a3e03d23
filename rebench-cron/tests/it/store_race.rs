//! Several daemons want the same slots.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use rebench_cron::store::{Claim, Claimed, Store, Ticket};

use crate::store_support::{cron, host, job, monday, records, table, week};

const FOLDER: &str = "STORE_RACE_FOLDER";
const SLOTS: i64 = 1000;

/// Claims all slots, in pieces of five, and says which it got.
fn race(folder: &Path, name: &str) -> Vec<Ticket> {
    let store = Store::open(folder).unwrap();
    store.define(&job("walmart"), monday()).unwrap();
    let claims: Vec<Claim> = (0..SLOTS).map(|number| cron(week(number))).collect();
    let claimed = claims.chunks(5).flat_map(|piece| store.claim_all(piece, monday(), &host(name)).unwrap());
    claimed.filter_map(Claimed::ticket).collect()
}

/// Takes part in the race of another process. Run by itself it has nothing to do.
#[test]
fn racer() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    race(Path::new(&folder), "process").iter().for_each(|ticket| eprintln!("got {} {}", ticket.slot, ticket.fence));
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store_race::racer", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn finish(mut child: Child) -> Vec<(i64, u64)> {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    let lines = text.lines().filter_map(|line| line.strip_prefix("got "));
    lines
        .map(|line| line.split_once(' ').unwrap())
        .map(|(slot, fence)| (slot.parse().unwrap(), fence.parse().unwrap()))
        .collect()
}

#[test]
fn two_threads_and_two_processes_get_a_thousand_slots_once_each() {
    let folder = tempfile::tempdir().unwrap();
    // The file is not there yet: they race for making it, too.
    let path = folder.path();
    let children = [start(folder.path()), start(folder.path())];
    let threads: Vec<Vec<Ticket>> = thread::scope(|scope| {
        let racers = ["one", "two"].map(|name| scope.spawn(move || race(path, name)));
        racers.map(|racer| racer.join().unwrap()).into()
    });
    let own = threads.into_iter().flatten().map(|ticket| (ticket.slot.0, ticket.fence));
    let got: Vec<(i64, u64)> = own.chain(children.into_iter().flat_map(finish)).collect();
    let slots: BTreeSet<i64> = got.iter().map(|(slot, _)| *slot).collect();
    let fences: BTreeSet<u64> = got.iter().map(|(_, fence)| *fence).collect();
    assert_eq!((got.len(), slots.len()), (1000, 1000));
    assert_eq!(fences, (1..=1000).collect());
    let store = Store::open(folder.path()).unwrap();
    assert_eq!((table(&store, "slots").len(), table(&store, "runs").len()), (1000, 1000));
    store.integrity().unwrap();
}

#[test]
fn threads_may_share_one_store() {
    let (_folder, store) = records();
    let claim = |number| store.claim(&cron(week(number)), monday(), &host("here")).unwrap().ticket().is_some();
    let got: usize = thread::scope(|scope| {
        let threads = [0; 4].map(|_| scope.spawn(|| (0..50).filter(|number| claim(*number)).count()));
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert_eq!(got, 50);
}

#[test]
fn a_thousand_slots_of_a_second_are_claimed_at_once() {
    let (_folder, store) = records();
    let jobs: Vec<String> = (0..SLOTS).map(|number| format!("job-{number}")).collect();
    for name in &jobs {
        store.define(&job(name), monday()).unwrap();
    }
    let claims: Vec<Claim> =
        jobs.iter().map(|name| Claim { job: name.clone(), forbid_overlap: true, ..cron(monday()) }).collect();
    let begun = Instant::now();
    let claimed = store.claim_all(&claims, monday(), &host("here")).unwrap();
    let took = begun.elapsed();
    eprintln!("claim_all of {SLOTS} slots of {SLOTS} jobs: {took:?}");
    assert!(claimed.into_iter().all(|claimed| claimed.ticket().is_some()));
    // Far more than it takes, so that only something that is quadratic or syncs for each slot fails here.
    assert!(took.as_secs() < 5, "{took:?}");
}

#[test]
fn all_who_open_new_records_at_once_can() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            (0..6).for_each(|_| drop(scope.spawn(|| Store::open(folder.path()).unwrap())));
        });
        Store::read(folder.path()).unwrap().integrity().unwrap();
    }
}
