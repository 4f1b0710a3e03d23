//! The daemon over weeks, with real programs and real records, on a clock that is turned by hand.

use jiff::Timestamp;
use rebench_cron::job;
use rebench_cron::plan::Ready;
use rebench_cron::process::Cancel;
use rebench_cron::store::{NewRequest, Reason, RunState};
use rebench_cron::work::clock::{Clock, Event};
use rebench_cron::work::{claim, ping};
use serde_json::Value;

use crate::daemon_support::{Home, at, lines};
use crate::process_support::wait_until;

/// A job that runs on Mondays, and appends a line to `runs`.
fn weekly(keys: &str) -> String {
    format!(
        "[rebench-cron.jobs.weekly]\nschedule = '0 3 * * 1'\nretry-delay = '1m'\n\
         command = ['sh', '-c', 'echo \"$0\" >> runs', '{{scheduled_at}}']\n{keys}\n"
    )
}

/// A job whose command is this script, with the folder for results as `$0`.
fn script(script: &str, keys: &str) -> String {
    format!(
        "[rebench-cron.jobs.weekly]\nschedule = '0 3 * * 1'\nretry-delay = '1m'\n\
         command = ['sh', '-c', '{script}', '{{out_dir}}']\n{keys}\n"
    )
}

#[test]
fn every_week_has_one_run() {
    let home = Home::new();
    home.live(&mut home.daemon(&weekly("")), "2026-03-01T00:00:00Z");
    let runs = home.lines("runs");
    // Mondays from 5 January to 23 February.
    assert_eq!((runs.len(), runs[0].as_str(), runs[7].as_str()), (8, "2026-01-05T03:00:00Z", "2026-02-23T03:00:00Z"));
    let history = home.history("weekly");
    assert_eq!(history.len(), 8);
    assert!(history.iter().all(|slot| slot.ends_with("cron done holds")), "{history:#?}");
    assert_eq!(home.told(), Vec::<String>::new());
    assert!(home.store().unfinished(None).unwrap().is_empty());
}

#[test]
fn a_daemon_that_was_away_catches_up_one_run_and_fires_none_twice() {
    let home = Home::new();
    home.live(&mut home.daemon(&weekly("")), "2026-01-06T00:00:00Z");
    home.clock.set(at("2026-01-27T00:00:00Z"));
    home.live(&mut home.daemon(&weekly("")), "2026-02-03T00:00:00Z");
    let expected = [
        "2026-01-05T03:00:00Z cron done holds",
        "2026-01-19T03:00:00Z cron skipped missed, and a newer one is caught up",
        "2026-01-26T03:00:00Z catchup done holds",
        "2026-02-02T03:00:00Z cron done holds",
    ];
    assert_eq!(home.history("weekly"), expected);
    // The clock goes back a week, and the daemon begins anew.
    home.clock.set(at("2026-01-26T00:00:00Z"));
    home.live(&mut home.daemon(&weekly("")), "2026-02-02T04:00:00Z");
    assert_eq!(home.history("weekly"), expected);
}

#[test]
fn all_that_were_missed_are_caught_up_one_after_the_other() {
    for overlap in ["forbid", "queue", "replace"] {
        let home = Home::new();
        let text = weekly(&format!("missed = 'all'\nmissed-age = '60d'\noverlap = '{overlap}'"));
        home.live(&mut home.daemon(&text), "2026-01-06T00:00:00Z");
        home.clock.set(at("2026-01-27T00:00:00Z"));
        home.live(&mut home.daemon(&text), "2026-01-28T00:00:00Z");
        let caught_up = ["12", "19", "26"].map(|day| format!("2026-01-{day}T03:00:00Z catchup done holds"));
        assert_eq!(home.history("weekly")[1..], caught_up, "{overlap}");
        assert_eq!(home.lines("runs")[1..], ["12", "19", "26"].map(|day| format!("2026-01-{day}T03:00:00Z")));
    }
}

#[test]
fn what_was_missed_for_good_is_an_alert_until_a_run_succeeds() {
    let home = Home::new();
    home.live(&mut home.daemon(&weekly("missed = 'skip'")), "2026-01-06T00:00:00Z");
    home.clock.set(at("2026-01-20T00:00:00Z"));
    home.live(&mut home.daemon(&weekly("missed = 'skip'")), "2026-01-27T00:00:00Z");
    assert_eq!(home.told(), ["RebenchMissed firing", "RebenchMissed resolved"]);
}

#[test]
fn a_run_that_fails_is_tried_again_and_then_given_up() {
    let home = Home::new();
    let text = script("echo x >> runs; test $(wc -l < runs) -gt 4", "retries = 2");
    home.live(&mut home.daemon(&text), "2026-01-13T00:00:00Z");
    let history = home.history("weekly");
    assert_eq!(history[0], "2026-01-05T03:00:00Z cron failed the command ended with status 1");
    // The second week fails once, as the fourth run of all, and then succeeds.
    assert_eq!(history[1], "2026-01-12T03:00:00Z cron done holds");
    assert_eq!(home.lines("runs").len(), 5);
    assert_eq!(home.told(), ["RebenchFailed firing", "RebenchFailed resolved"]);
}

#[test]
fn an_exit_status_of_0_says_little() {
    let home = Home::new();
    let text = script("true", "retries = 0\n[rebench-cron.jobs.weekly.expect]\nfiles = ['benchmark_results.json']");
    home.live(&mut home.daemon(&text), "2026-01-06T00:00:00Z");
    let history = home.history("weekly");
    assert!(history[0].contains(" failed ") && history[0].contains("benchmark_results.json"), "{history:?}");
}

#[test]
fn a_run_that_takes_too_long_is_ended() {
    let home = Home::new();
    home.live(
        &mut home.daemon(&script("sleep 100", "retries = 0\ntimeout = '100ms'\ngrace = '100ms'")),
        "2026-01-06T00:00:00Z",
    );
    assert!(home.history("weekly")[0].contains("took longer than its timeout"), "{:?}", home.history("weekly"));
}

#[test]
fn data_that_did_not_change_are_no_sample() {
    let home = Home::new();
    home.write("data.csv", "ds,y\n2026-01-01,1\n");
    // The third run is on new data.
    let text = script("echo x >> runs", "[rebench-cron.jobs.weekly.expect]\ndata = ['data.csv']");
    let mut daemon = home.daemon(&text);
    home.live(&mut daemon, "2026-01-13T00:00:00Z");
    home.write("data.csv", "ds,y\n2026-01-01,1\n2026-01-08,2\n");
    home.live(&mut daemon, "2026-01-20T00:00:00Z");
    let outcomes: Vec<String> = home.history("weekly").iter().map(|slot| slot[21..].to_owned()).collect();
    assert_eq!(outcomes, ["cron done holds", "cron done no_new_data", "cron done holds"]);
    assert_eq!(home.lines("runs").len(), 2);
}

fn request(home: &Home, reason: Reason, key: &str) {
    let new = NewRequest { job: "weekly".to_owned(), reason, key: key.to_owned(), evidence: Value::Null };
    home.shop().store.request(&new, home.clock.now()).unwrap();
}

#[test]
fn drift_asks_for_a_run_once_which_may_stand_for_the_next_one() {
    let home = Home::new();
    let mut daemon = home.daemon(&weekly(""));
    // Saturday evening: the run on Monday at 3 is 32 hours away, less than a fifth of a week.
    home.live(&mut daemon, "2026-01-10T19:00:00Z");
    for _ in 0..3 {
        request(&home, Reason::Drift, "alert-1");
    }
    home.live(&mut daemon, "2026-01-10T20:00:00Z");
    request(&home, Reason::Drift, "alert-2");
    home.live(&mut daemon, "2026-01-10T20:01:00Z");
    home.live(&mut daemon, "2026-01-20T00:00:00Z");
    let history = home.history("weekly");
    let expected = [
        "2026-01-05T03:00:00Z cron done holds",
        "2026-01-10T19:00:00Z drift done holds",
        "2026-01-12T03:00:00Z cron skipped a run that drift asked for stands for it",
        "2026-01-19T03:00:00Z cron done holds",
    ];
    assert_eq!(history, expected);
    assert!(home.store().requests().unwrap().is_empty(), "the second was refused");
}

#[test]
fn a_person_may_ask_for_as_many_runs_as_he_likes() {
    let home = Home::new();
    let mut daemon = home.daemon(&weekly(""));
    home.live(&mut daemon, "2026-01-02T00:00:00Z");
    request(&home, Reason::Manual, "one");
    home.live(&mut daemon, "2026-01-02T01:00:00Z");
    request(&home, Reason::Manual, "two");
    home.live(&mut daemon, "2026-01-02T02:00:00Z");
    assert_eq!(home.lines("runs").len(), 2);
}

#[test]
fn settings_are_read_again_and_bad_ones_leave_the_old_ones_in_place() {
    let home = Home::new();
    let mut daemon = home.daemon(&weekly(""));
    home.live(&mut daemon, "2026-01-06T12:00:00Z");
    home.write("promotion.toml", "[rebench-cron.jobs.weekly]\nschedule = '0 25 * * *'\ncommand = ['true']\n");
    daemon.sender().send(Event::Reload).unwrap();
    home.live(&mut daemon, "2026-01-06T13:00:00Z");
    assert_eq!(daemon.pulse().reloaded.map(|(_, worked)| worked), Some(false));
    assert_eq!(daemon.plan().next("weekly"), Some(at("2026-01-12T03:00:00Z")));
    home.write("promotion.toml", &weekly("").replace("0 3 * * 1", "0 3 * * *"));
    daemon.sender().send(Event::Reload).unwrap();
    home.live(&mut daemon, "2026-01-07T12:00:00Z");
    assert_eq!(home.lines("runs"), ["2026-01-05T03:00:00Z", "2026-01-07T03:00:00Z"]);
}

#[test]
fn retries_keep_to_the_number_of_runs_at_once_too() {
    let mut home = Home::new();
    home.most_runs = 1;
    home.write("stay", "");
    let job = |name: &str, script: &str| {
        format!(
            "[rebench-cron.jobs.{name}]\nschedule = '0 3 * * 1'\nretry-delay = '1m'\ncommand = ['sh', '-c', '{script}']\n"
        )
    };
    // The first fails once, and is to be tried again while the second one is on.
    let first = job("a", "test ! -e on || echo beside >> runs; test -e seen || { touch seen; exit 1; }");
    let second = job("b", "touch on; while test -e stay; do sleep 0.02; done; rm on");
    let (clock, stay, seen) = (std::sync::Arc::clone(&home.clock), home.path("stay"), home.path("seen"));
    let mut beat = |_: &_| {
        if seen.exists() {
            clock.rush();
        }
        if clock.now() > at("2026-01-05T03:03:00Z") {
            _ = std::fs::remove_file(&stay);
        }
    };
    home.daemon(&[first, second].concat()).live(Some(at("2026-01-06T00:00:00Z")), &mut beat).unwrap();
    assert_eq!(["a", "b"].map(|job| home.history(job).concat()), ["2026-01-05T03:00:00Z cron done holds"; 2]);
    assert_eq!(home.lines("runs"), Vec::<String>::new());
}

/// Starts what it is told to, and stays for as long as the file `stay` is there.
const STAYS: &str = "echo x >> runs; while test -e stay; do sleep 0.02; done";

#[test]
fn a_newer_run_takes_the_place_of_one_that_is_on() {
    let home = Home::new();
    home.write("stay", "");
    home.clock.rush();
    let keys = "overlap = 'replace'\ngrace = '100ms'\ntimeout = '40d'";
    let mut daemon = home.daemon(&script(STAYS, keys));
    let runs = home.path("runs");
    let stay = home.path("stay");
    let seen = std::cell::Cell::new(0);
    let live = daemon.live(Some(at("2026-01-13T00:00:00Z")), &mut |daemon| {
        seen.set(seen.get().max(lines(&runs).len()));
        if seen.get() == 2 && daemon.pulse().running == 1 {
            _ = std::fs::remove_file(&stay);
        }
    });
    live.unwrap();
    let expected = ["2026-01-05T03:00:00Z cron failed replaced by a newer run", "2026-01-12T03:00:00Z cron done holds"];
    assert_eq!(home.history("weekly"), expected);
}

#[test]
fn told_to_end_it_lets_runs_end_and_finds_those_that_could_not() {
    let home = Home::new();
    home.write("stay", "");
    let mut daemon = home.daemon(&script(STAYS, "grace = '100ms'"));
    let (sender, runs) = (daemon.sender(), home.path("runs"));
    let tell = std::thread::spawn(move || {
        wait_until("a run", || lines(&runs).len() == 1);
        // The second one ends what is on.
        (0..2).for_each(|_| sender.send(Event::Stop).unwrap());
    });
    daemon.live(None, &mut |_| {}).unwrap();
    tell.join().unwrap();
    drop(daemon);
    let left = home.store().unfinished(None).unwrap();
    assert_eq!(left.iter().map(|run| run.state).collect::<Vec<_>>(), [RunState::Failed]);
    std::fs::remove_file(home.path("stay")).unwrap();
    home.live(&mut home.daemon(&script(STAYS, "grace = '100ms'")), "2026-01-05T05:00:00Z");
    assert_eq!(home.history("weekly"), ["2026-01-05T03:00:00Z cron done holds"]);
    assert_eq!(home.lines("runs").len(), 2);
}

/// Leaves a run in each state in which a daemon can be killed, and lets another one find it.
#[test]
fn whatever_state_a_killed_daemon_leaves_a_run_in_its_slot_has_one_verdict() {
    for leave in ["claimed", "started", "exited", "archived", "compared", "recorded"] {
        let home = Home::new();
        let text = weekly("");
        home.clock.set(at("2026-01-05T03:00:00Z"));
        leave_in(&home, &text, leave);
        home.live(&mut home.daemon(&text), "2026-01-06T00:00:00Z");
        assert_eq!(home.history("weekly"), ["2026-01-05T03:00:00Z cron done holds"], "{leave}");
        home.store().integrity().unwrap();
        assert!(home.store().unfinished(None).unwrap().is_empty(), "{leave}");
    }
}

fn leave_in(home: &Home, text: &str, state: &str) {
    let shop = home.shop();
    let job = std::sync::Arc::new(job::jobs(&home.config(text)).unwrap().remove(0));
    let now = home.clock.now();
    shop.store.define(&claim::definition(&job), at("2026-01-01T00:00:00Z")).unwrap();
    let ready = Ready { job, scheduled_at: now, reason: Reason::Cron, key: String::new(), queued_at: now };
    let claim = claim::claim(&ready, "2026a", now, None);
    let ticket = shop.store.claim(&claim, now, &shop.host).unwrap().ticket().unwrap();
    if state == "claimed" {
        return;
    }
    let whole = shop.attempt(&ready, &ticket, None, &Cancel::new().unwrap());
    assert!(whole.ended.is_judged(), "{whole:?}");
    ping::end(&ready.job, None, &whole);
    if state == "recorded" {
        return;
    }
    // The records as they were when the run had come so far.
    let sql = format!(
        "DELETE FROM verdicts; UPDATE slots SET state = 'claimed'; UPDATE runs SET state = '{state}'; {}",
        if state == "compared" { "" } else { "DELETE FROM metrics;" }
    );
    rusqlite::Connection::open(shop.store.path()).unwrap().execute_batch(&sql).unwrap();
}

#[test]
fn a_run_that_a_killed_daemon_left_is_ended_before_another_one_begins() {
    let home = Home::new();
    let text = script("echo $$ >> pids; sleep 100", "timeout = '40d'\nretries = 1\ngrace = '100ms'");
    let shop = std::sync::Arc::new(home.shop());
    home.clock.set(at("2026-01-05T03:00:00Z"));
    let job = std::sync::Arc::new(job::jobs(&home.config(&text)).unwrap().remove(0));
    shop.store.define(&claim::definition(&job), at("2026-01-01T00:00:00Z")).unwrap();
    let now = home.clock.now();
    let ready = Ready {
        job: std::sync::Arc::clone(&job),
        scheduled_at: now,
        reason: Reason::Cron,
        key: String::new(),
        queued_at: now,
    };
    let ticket =
        shop.store.claim(&claim::claim(&ready, "2026a", now, None), now, &shop.host).unwrap().ticket().unwrap();
    // The daemon that has claimed it and started it is no more.
    let mut orphan = std::process::Command::new("sleep")
        .arg("100")
        .env("REBENCH_TICKET", shop.state.ticket(ticket.run))
        .spawn()
        .unwrap();
    let quick = script("true", "timeout = '40d'\nretries = 1\ngrace = '100ms'");
    home.live(&mut home.daemon(&quick), "2026-01-05T05:00:00Z");
    assert!(orphan.try_wait().unwrap().is_some_and(|status| !status.success()), "it still runs");
    assert_eq!(home.history("weekly"), ["2026-01-05T03:00:00Z cron done holds"]);
    let _: Timestamp = now;
}
