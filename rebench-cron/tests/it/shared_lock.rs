//! Several hosts want the same slots: what a real server, and only it, can decide.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use rebench_cron::process::Cancel;
use rebench_cron::shared_lock::{Answer, Hosts, HostsClaim, SharedSlot, holder};
use shared::secret::Secret;

use crate::postgres_server::Server;
use crate::process_support::wait_until;
use crate::store_support::week;

const URL: &str = "SHARED_LOCK_URL";

fn hosts(server: &Server, name: &str) -> Hosts {
    Hosts::connect(&server.url(), "shop", name).unwrap()
}

fn slot(at: Timestamp) -> SharedSlot {
    SharedSlot { job: "walmart".to_owned(), scheduled_at: at, key: String::new(), is_alone: true }
}

#[track_caller]
fn ours(answer: Answer) -> HostsClaim {
    match answer {
        Answer::Ours(claim) => claim,
        other => panic!("{other:?}"),
    }
}

fn confirm(claim: &HostsClaim) -> bool {
    claim.confirm(&Cancel::new().unwrap()).unwrap()
}

/// Wants all slots, and says which it got, with their fences.
fn race(server: &Server, state: &Path) -> Vec<(i64, i64)> {
    let hosts = hosts(server, &holder(state, "here").unwrap());
    let mut got = Vec::new();
    for number in 0..200 {
        loop {
            match hosts.claim(&slot(week(number))).unwrap() {
                Answer::Ours(claim) => {
                    assert!(confirm(&claim));
                    got.push((number, claim.fence()));
                }
                Answer::Elsewhere(_) => {}
                Answer::Busy => {
                    thread::yield_now();
                    continue;
                }
            }
            break;
        }
    }
    got
}

#[test]
fn two_hosts_get_two_hundred_slots_once_each() {
    let Some(server) = Server::start("two_hosts_get_two_hundred_slots_once_each") else { return };
    let states = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    // The table is not there yet: they race for making it, too.
    let got = thread::scope(|scope| {
        let racers = states.each_ref().map(|state| scope.spawn(|| race(&server, state.path())));
        racers.map(|racer| racer.join().unwrap())
    });
    eprintln!("{} and {} slots", got[0].len(), got[1].len());
    for mine in &got {
        assert!(mine.is_sorted_by(|one, next| one.1 < next.1), "fences of a job rise: {mine:?}");
    }
    let all = got.concat();
    let slots: BTreeSet<i64> = all.iter().map(|(slot, _)| *slot).collect();
    let fences: BTreeSet<i64> = all.iter().map(|(_, fence)| *fence).collect();
    assert_eq!((all.len(), slots.len(), fences.len()), (200, 200, 200));
    let sql = "SELECT count(*), count(recorded_at), count(DISTINCT host) FROM rebench_cron_slots";
    let row = server.client().query_one(sql, &[]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (200, 200));
}

#[test]
fn a_run_is_on_on_one_host_at_a_time_unless_the_job_allows_more() {
    let Some(server) = Server::start("a_run_is_on_on_one_host_at_a_time") else { return };
    let (one, two) = (hosts(&server, "one"), hosts(&server, "two"));
    let first = ours(one.claim(&slot(week(0))).unwrap());
    assert!(matches!(two.claim(&slot(week(0))).unwrap(), Answer::Elsewhere(host) if host == "one"));
    assert!(matches!(two.claim(&slot(week(1))).unwrap(), Answer::Busy));
    let beside = SharedSlot { is_alone: false, ..slot(week(2)) };
    let beside = ours(two.claim(&beside).unwrap());
    assert!(confirm(&beside));
    let other = SharedSlot { job: "m5".to_owned(), ..slot(week(0)) };
    assert!(two.claim(&other).unwrap().ours().is_some());
    // In another namespace jobs of the same name are others.
    let elsewhere = Hosts::connect(&server.url(), "warehouse", "two").unwrap();
    assert!(elsewhere.claim(&slot(week(0))).unwrap().ours().is_some());
    drop(first);
    assert!(two.claim(&slot(week(1))).unwrap().ours().is_some());
}

#[test]
fn what_was_asked_for_by_a_key_is_one_hosts_whenever_it_was_asked() {
    let Some(server) = Server::start("what_was_asked_for_by_a_key") else { return };
    let asked = |at| SharedSlot { key: "alert-1".to_owned(), ..slot(at) };
    assert!(hosts(&server, "one").claim(&asked(week(0))).unwrap().ours().is_some());
    let answer = hosts(&server, "two").claim(&asked(week(1))).unwrap();
    assert!(matches!(answer, Answer::Elsewhere(host) if host == "one"));
}

/// Takes a slot, and is killed with it. Run by itself it has nothing to do.
#[test]
fn killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let hosts = Hosts::connect(&Secret::new(url), "shop", "killed").unwrap();
    let _claim = ours(hosts.claim(&slot(week(0))).unwrap());
    eprintln!("claimed");
    loop {
        thread::park();
    }
}

#[test]
fn the_job_of_a_host_that_was_killed_is_taken_over_with_the_next_slot() {
    let Some(server) = Server::start("the_job_of_a_host_that_was_killed") else { return };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "shared_lock::killed", "--nocapture"])
        .env(URL, server.text("postgres"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "claimed"));
    let two = hosts(&server, "two");
    assert!(matches!(two.claim(&slot(week(1))).unwrap(), Answer::Busy));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut claim = None;
    wait_until("the lock is free", || {
        claim = two.claim(&slot(week(1))).unwrap().ours();
        claim.is_some()
    });
    assert!(confirm(&claim.unwrap()));
    assert!(matches!(two.claim(&slot(week(0))).unwrap(), Answer::Elsewhere(host) if host == "killed"));
    // It comes back, and tries its slot again: with a fence that is newer than the other's.
    let again = ours(hosts(&server, "killed").claim(&slot(week(0))).unwrap());
    assert!(confirm(&again));
}

#[test]
fn a_stale_fence_records_nothing() {
    let Some(server) = Server::start("a_stale_fence_records_nothing") else { return };
    let (one, two) = (hosts(&server, "one"), hosts(&server, "two"));
    let paused = ours(one.claim(&slot(week(0))).unwrap());
    server.cut();
    let newer = ours(two.claim(&slot(week(1))).unwrap());
    assert!(newer.fence() > paused.fence());
    assert!(!confirm(&paused), "while the other's run is on");
    drop(newer);
    assert!(!confirm(&paused), "when it is over");
    let sql = "SELECT recorded_at IS NULL FROM rebench_cron_slots WHERE host = 'one'";
    assert!(server.client().query_one(sql, &[]).unwrap().get::<_, bool>(0));
}

#[test]
fn a_lost_session_is_made_good_where_nobody_came_between() {
    let Some(server) = Server::start("a_lost_session_is_made_good") else { return };
    let (one, two) = (hosts(&server, "one"), hosts(&server, "two"));
    let claim = ours(one.claim(&slot(week(0))).unwrap());
    server.cut();
    assert!(confirm(&claim));
    // The lock is held again, so that nobody comes between this and the records.
    assert!(matches!(two.claim(&slot(week(1))).unwrap(), Answer::Busy));
    // A slot that somebody took out of the table by hand is nobody's.
    server.client().execute("DELETE FROM rebench_cron_slots", &[]).unwrap();
    assert!(!confirm(&claim));
}

#[test]
fn a_lock_that_another_session_has_without_a_fence_is_not_recorded_over() {
    let Some(server) = Server::start("a_lock_without_a_fence") else { return };
    let one = hosts(&server, "one").with_patience(Duration::ZERO);
    let claim = ours(one.claim(&slot(week(0))).unwrap());
    server.cut();
    let mut stranger = server.client();
    let key = rebench_cron::shared_lock::key("shop", "walmart");
    stranger.execute("SELECT pg_advisory_lock($1)", &[&key]).unwrap();
    let error = claim.confirm(&Cancel::new().unwrap()).unwrap_err();
    assert!(error.to_string().contains("another session has the lock of walmart"), "{error}");
    drop(stranger);
    wait_until("the lock is free", || claim.confirm(&Cancel::new().unwrap()).is_ok_and(|may| may));
}

#[test]
fn without_a_server_nothing_is_claimed_or_recorded() {
    let Some(mut server) = Server::start("without_a_server_nothing_is_claimed_or_recorded") else { return };
    let one = hosts(&server, "one").with_patience(Duration::ZERO);
    let claim = ours(one.claim(&slot(week(0))).unwrap());
    server.stop();
    let errors = [one.claim(&slot(week(1))).unwrap_err(), claim.confirm(&Cancel::new().unwrap()).unwrap_err()];
    for error in errors {
        let text = format!("{error} {error:?}");
        assert!(text.contains("refused") || text.contains("closed") || text.contains("terminating"), "{text}");
        assert!(text.contains("tried again") && !text.contains("geheim"), "{text}");
    }
    server.go();
    assert!(confirm(&claim));
    assert!(matches!(one.claim(&slot(week(1))).unwrap(), Answer::Busy));
}

#[test]
fn what_is_wrong_with_a_server_is_said_with_the_remedy() {
    let Some(server) = Server::start("what_is_wrong_with_a_server") else { return };
    let refused = |url: &str, remedy: &str| {
        let error = Hosts::connect(&Secret::new(url), "shop", "one").unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains(remedy) && !text.contains("geheim"), "{text}");
    };
    refused(&server.text("absent"), "createdb");
    refused(&server.text("postgres").replace("disable", "require"), "sslmode=disable");
    let mut client = server.client();
    client.batch_execute("CREATE ROLE bench LOGIN").unwrap();
    let bench = server.text("postgres").replace("postgres:geheim", "bench:geheim");
    refused(&bench, "CREATE on the schema");
    // Who may not make the table can use one that is there.
    hosts(&server, "one");
    client.batch_execute("GRANT SELECT, INSERT, UPDATE ON rebench_cron_slots TO bench").unwrap();
    client.batch_execute("GRANT USAGE ON rebench_cron_fences TO bench").unwrap();
    let weak = Hosts::connect(&Secret::new(&bench), "shop", "two").unwrap();
    assert!(confirm(&ours(weak.claim(&slot(week(0))).unwrap())));
    client.batch_execute("COMMENT ON TABLE rebench_cron_slots IS 'rebench-cron/slots/2'").unwrap();
    refused(&server.text("postgres"), "the same version");
}
