//! Daemons and single runs on several hosts, which are folders here, with one real server between them.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::thread;

use rebench_cron::daemon::Daemon;
use rebench_cron::shared_lock::{Answer, Hosts, SharedSlot};
use serde_json::Value;

use crate::daemon_support::{Home, at, lines};
use crate::postgres_server::Server;
use crate::process_support::wait_until;

fn hosts(server: &Server, name: &str) -> Hosts {
    Hosts::connect(&server.url(), "shop", name).unwrap()
}

fn daemon(home: &Home, server: &Server, name: &str, text: &str) -> Daemon {
    home.daemon_among(text, Some(hosts(server, name)))
}

/// A job whose run says that it is on, and waits until it is let go.
const WAITS: &str = "[rebench-cron.jobs.weekly]\nschedule = '0 3 * * 1'\nretries = 0\n\
    command = ['sh', '-c', 'touch on; while [ ! -e go ]; do sleep 0.02; done']\n";

/// What the records of a folder say once a run that was on while `meanwhile` happened has ended.
fn history_after(server: &mut Server, meanwhile: impl FnOnce(&mut Server)) -> Vec<String> {
    let home = Home::new();
    let mut daemon = daemon(&home, server, "one", WAITS);
    thread::scope(|scope| {
        let life = scope.spawn(|| home.live(&mut daemon, "2026-01-06T00:00:00Z"));
        wait_until("the run is on", || home.path("on").exists());
        meanwhile(server);
        home.write("go", "");
        life.join().unwrap();
    });
    home.history("weekly")
}

#[test]
fn two_daemons_run_each_slot_once() {
    let Some(server) = Server::start("two_daemons_run_each_slot_once") else { return };
    let common = tempfile::tempdir().unwrap();
    let runs = common.path().join("runs");
    let text = format!(
        "[rebench-cron.jobs.hourly]\nschedule = '0 * * * *'\noverlap = 'allow'\n\
         command = ['sh', '-c', 'echo \"$0\" >> {}', '{{scheduled_at}}']\n",
        runs.display()
    );
    let homes = ["one", "two"].map(|name| (name, Home::new()));
    thread::scope(|scope| {
        for (name, home) in &homes {
            let mut daemon = daemon(home, &server, name, &text);
            scope.spawn(move || home.live(&mut daemon, "2026-01-02T00:00:00Z"));
        }
    });
    let runs = lines(&runs);
    let slots: BTreeSet<&String> = runs.iter().collect();
    // From 01:00 of the first day to 00:00 of the second.
    assert_eq!((runs.len(), slots.len()), (24, 24), "{runs:?}");
    for (_, home) in &homes {
        let history = home.history("hourly");
        assert_eq!(history.len(), 24, "{history:#?}");
        let fits = |slot: &String| slot.ends_with("cron done holds") || slot.contains("cron skipped the host");
        assert!(history.iter().all(fits), "{history:#?}");
    }
}

#[test]
fn a_run_outlives_a_restart_of_the_server() {
    let Some(mut server) = Server::start("a_run_outlives_a_restart_of_the_server") else { return };
    let history = history_after(&mut server, Server::restart);
    assert_eq!(history, ["2026-01-05T03:00:00Z cron done holds"]);
}

#[test]
fn a_run_is_no_verdict_where_another_host_took_the_job_over() {
    let Some(mut server) = Server::start("a_run_is_no_verdict") else { return };
    let mut others = None;
    let history = history_after(&mut server, |server| {
        server.restart();
        let scheduled_at = at("2026-01-12T03:00:00Z");
        let next = SharedSlot { job: "weekly".to_owned(), scheduled_at, key: String::new(), is_alone: true };
        others = hosts(server, "two").claim(&next).unwrap().ours();
        assert!(others.is_some());
    });
    assert_eq!(history, ["2026-01-05T03:00:00Z cron failed another host took the job over"]);
}

#[test]
fn a_run_of_the_job_on_another_host_is_an_overlap() {
    let Some(server) = Server::start("a_run_of_the_job_on_another_host") else { return };
    let scheduled_at = at("2025-12-29T03:00:00Z");
    let before = SharedSlot { job: "weekly".to_owned(), scheduled_at, key: String::new(), is_alone: true };
    let claim = hosts(&server, "two").claim(&before).unwrap();
    assert!(matches!(claim, Answer::Ours(_)));
    let home = Home::new();
    home.write("go", "");
    let mut daemon = daemon(&home, &server, "one", WAITS);
    home.live(&mut daemon, "2026-01-06T00:00:00Z");
    drop(claim);
    home.live(&mut daemon, "2026-01-13T00:00:00Z");
    let expected = [
        "2026-01-05T03:00:00Z cron skipped overlap: a run of the job is on, on another host",
        "2026-01-12T03:00:00Z cron done holds",
    ];
    assert_eq!(home.history("weekly"), expected);
}

#[test]
fn nothing_begins_while_the_server_cannot_be_reached() {
    let Some(mut server) = Server::start("nothing_begins_while_the_server_cannot_be_reached") else { return };
    let home = Home::new();
    home.write("go", "");
    let mut daemon = daemon(&home, &server, "one", WAITS);
    server.stop();
    home.live(&mut daemon, "2026-01-05T03:10:00Z");
    assert!(!home.path("on").exists());
    assert_eq!(home.history("weekly"), Vec::<String>::new());
    let trouble = daemon.pulse().trouble.clone().unwrap();
    assert!(trouble.starts_with("slots cannot be claimed: the PostgreSQL server: "), "{trouble}");
    server.go();
    home.live(&mut daemon, "2026-01-05T04:00:00Z");
    assert_eq!(daemon.pulse().trouble, None);
    assert_eq!(home.history("weekly"), ["2026-01-05T03:00:00Z cron done holds"]);
}

#[test]
fn what_was_missed_here_and_run_elsewhere_alerts_nobody() {
    let Some(server) = Server::start("what_was_missed_here_and_run_elsewhere_alerts_nobody") else { return };
    let home = Home::new();
    home.write("go", "");
    let text = format!("{WAITS}missed = 'skip'\n");
    let (one, two) = (hosts(&server, "one"), hosts(&server, "two"));
    home.live(&mut home.daemon_among(&text, Some(one.clone())), "2026-01-06T00:00:00Z");
    let scheduled_at = at("2026-01-12T03:00:00Z");
    let slot = SharedSlot { job: "weekly".to_owned(), scheduled_at, key: String::new(), is_alone: true };
    assert!(two.claim(&slot).unwrap().ours().is_some());
    home.clock.set(at("2026-01-14T00:00:00Z"));
    home.live(&mut home.daemon_among(&text, Some(one.clone())), "2026-01-15T00:00:00Z");
    assert_eq!(home.told(), Vec::<String>::new());
    let history = home.history("weekly");
    assert_eq!(history[1], "2026-01-12T03:00:00Z cron skipped missed here, but the host two has it");
    // Nobody ran the next one.
    home.clock.set(at("2026-01-21T00:00:00Z"));
    home.live(&mut home.daemon_among(&text, Some(one)), "2026-01-22T00:00:00Z");
    assert_eq!(home.told(), ["RebenchMissed firing"]);
}

fn once(home: &Home, state: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rebench-cron"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home.folder.path())
        .args([
            "once",
            "minutely",
            "--config",
            "promotion.toml",
            "--json",
            "--postgres-url-file",
            "url",
            "--state",
            state,
        ])
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn once_on_two_hosts_runs_a_slot_once() {
    let Some(server) = Server::start("once_on_two_hosts_runs_a_slot_once") else { return };
    let home = Home::new();
    server.write_url(&home.path("url"));
    let job = "[rebench-cron.jobs.minutely]\nschedule = '* * * * *'\ncommand = ['true']\n";
    home.write("promotion.toml", job);
    let nameless = once(&home, "nameless");
    let said = String::from_utf8(nameless.stderr).unwrap();
    assert_eq!(nameless.status.code(), Some(2), "{said}");
    assert!(said.contains("--postgres-namespace"), "{said}");
    home.write("promotion.toml", &format!("project = \"shop\"\n{job}"));
    // A minute may end between the two: then they are about two slots, and it is tried again.
    let (first, second) = (0..3)
        .map(|round| ["a", "b"].map(|host| report(&once(&home, &format!("{host}{round}")))))
        .map(|[first, second]| (first, second))
        .find(|(first, second)| first["scheduled_at"] == second["scheduled_at"])
        .unwrap();
    assert_eq!((&first["outcome"], &first["attempts"]), (&"holds".into(), &1.into()));
    assert_eq!((&second["outcome"], &second["attempts"]), (&"another_host".into(), &0.into()), "{second}");
    let run = std::path::Path::new(first["folder"].as_str().unwrap()).join("run.json");
    let run: Value = serde_json::from_slice(&std::fs::read(run).unwrap()).unwrap();
    assert_eq!(run["shared"]["namespace"], "shop");
    let sql = "SELECT max(fence) FROM rebench_cron_slots WHERE recorded_at IS NOT NULL";
    let fence: i64 = server.client().query_one(sql, &[]).unwrap().get(0);
    assert_eq!(run["shared"]["fence"], fence);
    home.write("url", "postgresql://postgres:geheim@127.0.0.1:1/postgres");
    let lost = once(&home, "lost");
    let said = String::from_utf8(lost.stderr).unwrap();
    assert_eq!(lost.status.code(), Some(3), "{said}");
    assert!(said.contains("PostgreSQL") && !said.contains("geheim"), "{said}");
}
