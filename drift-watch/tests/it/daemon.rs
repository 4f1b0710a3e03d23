//! `drift-watch run` as whoever runs it sees it: reload, stop, tokens, refusals, a full disk, how fast records are counted.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::alert_support::{Server, http, serve};
use crate::process::{Daemon, wait_for};
use crate::replayed::{Place, Said, said};
use crate::synthetic::{START, time};
use drift_watch::core::time::{DAY, SECOND};

const HOUR: i64 = 3600 * SECOND;

/// Feeds are never stale: the wall clock is years ahead of the records.
const PATIENT: [&str; 6] = ["--predictions-stale", "never", "--actuals-stale", "never", "--warm-up", "40d"];

fn prediction(day: i64, model: &str, series: &str, y_hat: f64) -> String {
    let (issued, target) = (time(START + day * DAY - 18 * HOUR), time(START + day * DAY));
    format!(
        "{{\"model\":\"{model}\",\"version\":\"1\",\"series\":\"{series}\",\"issued_at\":\"{issued}\",\"target_time\":\"{target}\",\
         \"horizon\":1,\"y_hat\":{y_hat}}}\n"
    )
}

fn actual(day: i64, series: &str, y: f64) -> String {
    let (target, observed) = (time(START + day * DAY), time(START + day * DAY + HOUR));
    format!("{{\"series\":\"{series}\",\"target_time\":\"{target}\",\"y\":{y},\"observed_at\":\"{observed}\"}}\n")
}

fn run(place: &Place, words: &[&str]) -> Command {
    let mut command = place.command();
    command.args(["run", "--listen", "127.0.0.1:0", "--state", "state", "--poll-interval", "100ms"]).args(words);
    command
}

/// Runs it where it is to end by itself.
fn ends(place: &Place, words: &[&str]) -> Said {
    said(&place.command().arg("run").args(words).output().unwrap())
}

fn dump(place: &Place, words: &[&str]) -> Said {
    said(&place.command().args(["state", "dump", "--canonical"]).args(words).output().unwrap()).is(0)
}

fn post(daemon: &mut Daemon, day: i64, y: f64) {
    daemon.post("/v1/predictions", &prediction(day, "m", "s", 100.0)).unwrap().is(200);
    daemon.post("/v1/actuals", &actual(day, "s", y)).unwrap().is(200);
}

fn windows(daemon: &mut Daemon) -> Vec<String> {
    let view = daemon.status().unwrap();
    let metrics = view["models"][0]["metrics"].as_array().cloned().unwrap_or_default();
    metrics.iter().map(|metric| metric["window"].as_str().unwrap().to_owned()).collect()
}

fn append(path: &Path, text: &str) {
    File::options().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// The transitions that a webhook was told: name and status.
fn told(server: &Server) -> Vec<(String, String)> {
    let one = |value: Value| {
        (value["alert"]["name"].as_str().unwrap().to_owned(), value["status"].as_str().unwrap().to_owned())
    };
    server.requests().iter().map(|request| one(request.json())).collect()
}

fn config(place: &Place, text: &str) {
    place.write("promotion.toml", format!("[drift-watch.run]\n{text}\n"));
}

#[test]
fn a_reload_takes_a_good_configuration_and_leaves_a_bad_one() {
    let place = Place::new();
    config(&place, "window = 9");
    let mut daemon = Daemon::start(run(&place, &PATIENT));
    (1..=12).for_each(|day| post(&mut daemon, day, 90.0));
    let has = |daemon: &mut Daemon, window: &str| windows(daemon).iter().any(|found| found == window);
    wait_for("the window of the first configuration", || has(&mut daemon, "9 steps"));

    config(&place, "window = 5");
    daemon.post("/-/reload", "").unwrap().is(200);
    wait_for("the window of the second configuration", || has(&mut daemon, "5 steps"));
    config(&place, "window = 7");
    assert!(daemon.signal("HUP"));
    wait_for("the window of the third configuration", || has(&mut daemon, "7 steps"));

    for (bad, parts) in [
        ("window = \"wide\"", ["promotion.toml:2", "wide"]),
        ("windows = 4", ["promotion.toml:2", "windows"]),
        ("window = 4\nprofile = [\"absent.json\"]", ["absent.json", "absent.json"]),
        ("window = 4\nhost-name = [\"other\"]", ["another --host-name", "restart"]),
        ("window = 4\nwebhook = [\"ftp://example.org\"]", ["webhook", "ftp"]),
    ] {
        config(&place, bad);
        let answer = daemon.post("/-/reload", "").unwrap();
        assert!(answer.status == 500 && answer.text.contains("the old configuration stays"), "{bad}: {answer:?}");
        assert!(parts.iter().all(|part| answer.text.contains(part)), "{bad}: {}", answer.text);
        let metrics = daemon.get("/metrics").unwrap().text;
        assert!(metrics.contains("drift_watch_config_last_reload_successful 0"), "{bad}");
    }
    daemon.says("the configuration stays as it was");
    let said = daemon.said().matches("stays as it was").count();
    assert!(daemon.signal("HUP"));
    wait_for("what is said of a signal's reload", || daemon.said().matches("stays as it was").count() > said);

    // It goes on as before.
    post(&mut daemon, 13, 90.0);
    wait_for("the thirteenth step", || daemon.status().unwrap()["models"][0]["steps"] == 13);
    assert!(has(&mut daemon, "7 steps") && !has(&mut daemon, "4 steps"));
    config(&place, "window = 4");
    daemon.post("/-/reload", "").unwrap().is(200);
    assert!(daemon.get("/metrics").unwrap().text.contains("drift_watch_config_last_reload_successful 1"));
    daemon.stop();
}

#[test]
fn what_was_judged_before_a_reload_is_not_judged_again_after_a_crash() {
    let place = Place::new();
    config(&place, "rule = [\"old: mae > 5 over 1 min 1\"]");
    let mut daemon = Daemon::start(run(&place, &PATIENT));
    (1..=3).for_each(|day| post(&mut daemon, day, 90.0));
    config(&place, "rule = [\"new: mae > 6 over 1 min 1\"]");
    daemon.post("/-/reload", "").unwrap().is(200);
    assert!(daemon.killer().kill());
    let mut daemon = Daemon::start(run(&place, &PATIENT));
    post(&mut daemon, 4, 90.0);
    daemon.stop();
    let subjects = |text: &str| -> Vec<(u64, String)> {
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events
            .map(|event| {
                (event["number"].as_u64().unwrap(), event["alert"]["labels"]["rule"].as_str().unwrap().to_owned())
            })
            .collect()
    };
    let events = fs::read_to_string(place.path("state/events.jsonl")).unwrap();
    assert_eq!(subjects(&events), [(0, "old (horizon 1)".to_owned()), (1, "new (horizon 1)".to_owned())]);
}

#[test]
fn a_stop_keeps_all_that_was_acknowledged() {
    let place = Place::new();
    let mut daemon = Daemon::start(run(&place, &PATIENT));
    let address = daemon.address().unwrap().to_owned();
    let (sender, acknowledged) = channel();
    let clients = (0..4).map(|client| {
        let (sender, address) = (sender.clone(), address.clone());
        std::thread::spawn(move || {
            let http = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
            for day in 1.. {
                let series = format!("s{client}");
                let sent = http.post(format!("{address}/v1/actuals")).body(actual(day, &series, 5.0));
                match sent.header("content-type", "application/x-ndjson").send() {
                    Ok(answer) if answer.status() == 200 => sender.send((series, day)).unwrap(),
                    // Too busy, or about to stop; or gone.
                    Ok(answer) => assert!([429, 503].contains(&answer.status().as_u16()), "{answer:?}"),
                    Err(_) => return,
                }
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut all: Vec<(String, i64)> = (0..20).map(|_| acknowledged.recv().unwrap()).collect();
    daemon.stop();
    clients.into_iter().for_each(|client| client.join().unwrap());
    all.extend(acknowledged.try_iter());
    let state = dump(&place, &["--state", "state"]).json();
    for (series, day) in &all {
        let target = time(START + day * DAY).to_string();
        let known = state["actuals"][series].as_array().unwrap();
        assert!(known.iter().any(|actual| actual["target_time"] == *target), "{series} {target}");
    }
}

#[test]
fn a_second_daemon_is_refused() {
    let place = Place::new();
    let daemon = Daemon::start(run(&place, &PATIENT));
    let words = ["--no-listen", "--predictions", "p.jsonl", "--state", "state"];
    ends(&place, &words).is(3).says(&[
        "state",
        &format!("process {} holds the state folder", daemon.pid()),
        "stop that one",
    ]);
    daemon.stop();
}

#[test]
fn the_state_of_a_running_daemon_can_be_read() {
    let place = Place::new();
    let rows: String = (1..=80).map(|day| prediction(day, "m", "s", 100.0)).collect();
    let known: String = (1..=79).map(|day| actual(day, "s", 98.0 + (day % 5) as f64)).collect();
    place.write("p.jsonl", rows).write("a.jsonl", known);
    let mut daemon =
        Daemon::start(run(&place, &[&["--predictions", "p.jsonl", "--actuals", "a.jsonl"][..], &PATIENT].concat()));
    let open = |daemon: &mut Daemon| daemon.status().is_some_and(|view| view["models"][0]["open_predictions"] == 1);
    wait_for("the rows of the file", || open(&mut daemon));
    let running = dump(&place, &["--state", "state"]).stdout;
    post(&mut daemon, 81, 90.0);
    let later = dump(&place, &["--state", "state"]).stdout;
    // It judges as the daemon does, not as one without a configuration would.
    assert!(later.contains("\"baseline\"") && later != running, "{later}");
    assert!(daemon.killer().kill());
    assert_eq!(later, dump(&place, &["--state", "state"]).stdout);
    Daemon::start(run(&place, &PATIENT)).stop();
    assert_eq!(later, dump(&place, &["--state", "state"]).stdout);
}

#[test]
fn standard_input_is_a_source() {
    let place = Place::new();
    let predictions: String = (1..=400).map(|day| prediction(day, "m", "s", 100.0)).collect();
    let actuals: String = (1..=400).map(|day| actual(day, "s", 90.0 + (day % 7) as f64)).collect();
    place.write("p.jsonl", format!("{predictions}broken\n")).write("a.jsonl", &actuals);
    let files = ["--predictions", "p.jsonl", "--actuals", "a.jsonl"];
    let right = dump(&place, &[&files[..], &PATIENT].concat()).stdout;

    // Actuals of a file may be read before the forecasts of a stream: here these come first.
    let mut command = place.command();
    command.args(["run", "--no-listen", "--until-caught-up", "--state", "state", "--predictions", "-"]).args(PATIENT);
    said(&command.stdin(File::open(place.path("p.jsonl")).unwrap()).output().unwrap()).is(0);
    let mut command = place.command();
    command.args(["run", "--no-listen", "--until-caught-up", "--state", "state", "--actuals", "-"]).args(PATIENT);
    said(&command.stdin(File::open(place.path("a.jsonl")).unwrap()).output().unwrap()).is(0);
    assert_eq!(dump(&place, &["--state", "state"]).stdout, right);

    ends(&place, &["--no-listen", "--predictions", "-", "--actuals", "-"]).is(2).says(&["standard input twice"]);
}

#[test]
fn a_daemon_with_an_open_standard_input_counts_what_came_and_stops() {
    let place = Place::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut command = run(&place, &["--predictions", "-"]);
    command.args(PATIENT).stdin(reader);
    let mut daemon = Daemon::start(command);
    writer.write_all(prediction(1, "m", "s", 100.0).as_bytes()).unwrap();
    wait_for("the forecast", || daemon.status().unwrap()["models"][0]["open_predictions"] == 1);
    writer.write_all(prediction(2, "m", "s", 100.0).as_bytes()).unwrap();
    wait_for("the second forecast", || daemon.status().unwrap()["models"][0]["open_predictions"] == 2);
    daemon.stop();
    drop(writer);
    let state = dump(&place, &["--state", "state"]).json();
    assert_eq!(state["models"][0]["forecasts"]["s"].as_array().unwrap().len(), 2);
}

#[test]
fn records_need_the_token_of_their_model() {
    let place = Place::new();
    place.write("token", "correct-horse-battery\n");
    let mut daemon = Daemon::start(run(&place, &["--ingest-token-file", "m=token"]));
    let (ours, other) = (prediction(1, "m", "s", 1.0), prediction(1, "other", "s", 1.0));
    for (token, body, status) in [
        (None, &ours, 401),
        (Some("correct-horse"), &ours, 401),
        (Some("correct-horse-battery"), &other, 403),
        (Some("correct-horse-battery"), &ours, 200),
    ] {
        let answer = daemon.post_as("/v1/predictions", body, token).unwrap().is(status);
        assert!(!answer.text.contains("battery"), "{}", answer.text);
    }
    wait_for("the forecast", || daemon.status().unwrap()["models"][0]["open_predictions"] == 1);
    assert_eq!(daemon.status().unwrap()["models"].as_array().unwrap().len(), 1);
    daemon.stop();
}

#[test]
fn other_machines_are_served_only_with_a_token() {
    let place = Place::new();
    place.write("token", "correct-horse-battery\n");
    let refused = ends(&place, &["--listen", "0.0.0.0:0", "--state", "state"]).is(2);
    refused.says(&["0.0.0.0:0", "no token is set", "127.0.0.1:9464"]);
    assert!(!place.path("state").exists(), "nothing was made");
    let mut command = place.command();
    command.args(["run", "--listen", "0.0.0.0:0", "--state", "state", "--read-token-file", "token"]);
    Daemon::start(command).stop();
}

#[test]
fn an_alert_of_the_wall_clock_is_told_once_whatever_is_killed() {
    let place = Place::new();
    let hook = serve(|_, _| http("200 OK", "", ""));
    let mut daemon = Daemon::start(run(&place, &["--webhook", &hook.url]));
    (1..=4).for_each(|day| post(&mut daemon, day, 90.0));
    // Both feeds have been silent for years.
    wait_for("two alerts", || told(&hook).len() == 2);
    for _ in 0..3 {
        assert!(daemon.killer().kill());
        daemon = Daemon::start(run(&place, &["--webhook", &hook.url]));
        wait_for("the view", || daemon.get("/-/ready").unwrap().status == 200);
    }
    daemon.stop();
    assert_eq!(fs::read_to_string(place.path("state/events.jsonl")).unwrap().lines().count(), 2);
    assert_eq!(told(&hook).len(), 2, "{:?}", told(&hook));
}

#[test]
fn an_alert_that_came_and_went_while_the_daemon_was_down_is_told_whole() {
    let place = Place::new();
    let hook = serve(|_, _| http("200 OK", "", ""));
    let bad = 11..=15;
    let actuals: String = (1..=30).map(|day| actual(day, "s", if bad.contains(&day) { 50.0 } else { 99.0 })).collect();
    place.write("a.jsonl", actuals);
    place.write("p.jsonl", (1..=30).map(|day| prediction(day, "m", "s", 100.0)).collect::<String>());
    let words =
        ["--predictions", "p.jsonl", "--actuals", "a.jsonl", "--webhook", &hook.url, "--rule", "mae > 20 over 1 min 1"];
    let daemon = Daemon::start(run(&place, &[&words[..], &PATIENT].concat()));
    wait_for("both transitions", || told(&hook).len() == 2);
    daemon.stop();
    let pair = |status: &str| ("ForecastRule".to_owned(), status.to_owned());
    assert_eq!(told(&hook), [pair("firing"), pair("resolved")]);
}

/// A disk that can be full.
trait Room {
    /// Takes all room.
    fn fill(&self, daemon: &Daemon);
    /// Gives it back.
    fn clear(&self, daemon: &Daemon);
}

/// A file system of 2 MiB in memory, below this path.
struct Small(PathBuf);

impl Small {
    /// Nothing where this user may mount none.
    fn mount(path: PathBuf) -> Option<Self> {
        fs::create_dir_all(&path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "none"]).arg(&path).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(path))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

impl Room for Small {
    fn fill(&self, _: &Daemon) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        let mut zeros = std::io::repeat(0).take(64 << 20);
        assert!(std::io::copy(&mut zeros, &mut file).is_err(), "it is full now");
    }

    fn clear(&self, _: &Daemon) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

/// The largest size of a file, which the system keeps a process from passing.
struct Limit;

impl Limit {
    fn set(daemon: &Daemon, bytes: &str) {
        let set =
            Command::new("prlimit").args(["--pid", &daemon.pid().to_string(), &format!("--fsize={bytes}:")]).output();
        let set = set.unwrap();
        assert!(set.status.success(), "{set:?}");
    }
}

impl Room for Limit {
    fn fill(&self, daemon: &Daemon) {
        Self::set(daemon, "1024");
    }

    fn clear(&self, daemon: &Daemon) {
        Self::set(daemon, "unlimited");
    }
}

fn ready(daemon: &mut Daemon) -> (u16, String) {
    let answer = daemon.get("/-/ready").unwrap();
    (answer.status, answer.text)
}

/// Posts and appends while there is room, while there is none, and again; nothing is lost and nothing is told twice.
fn outlives_a_full_disk(place: &Place, mut command: Command, room: &dyn Room) {
    let hook = serve(|_, _| http("200 OK", "", ""));
    let files = ["--predictions", "live/p.jsonl", "--actuals", "live/a.jsonl"];
    fs::create_dir(place.path("live")).unwrap();
    let (p, a) = (place.path("live/p.jsonl"), place.path("live/a.jsonl"));
    command.args(["run", "--listen", "127.0.0.1:0", "--poll-interval", "100ms", "--state", "disk/state"]);
    command.args(files).args(["--webhook", &hook.url, "--rule", "mae > 20 over 1 min 1"]).args(PATIENT);
    let mut daemon = Daemon::start(command);
    let mut sent = String::new();
    append(&p, &prediction(1, "m", "s", 100.0));
    append(&a, &actual(1, "s", 99.0));
    wait_for("the first step", || daemon.status().unwrap()["models"][0]["steps"] == 1);

    room.fill(&daemon);
    // A page may have room for a little more.
    let posted = |daemon: &mut Daemon, day: i64| {
        let series: Vec<String> = (0..200).map(|n| prediction(day, "m", &format!("posted {n}"), 1.0)).collect();
        let body = series.concat();
        (daemon.post("/v1/predictions", &body).unwrap(), body)
    };
    let refused = loop {
        let (answer, body) = posted(&mut daemon, 40);
        if answer.status != 200 {
            break answer.is(503);
        }
        sent.push_str(&body);
    };
    assert!(refused.text.contains("journal"), "{}", refused.text);
    wait_for("word of it", || ready(&mut daemon).0 == 503);
    assert!(ready(&mut daemon).1.contains("records cannot be kept"), "{}", ready(&mut daemon).1);

    // An alert would be due, in rows that are too many for what is left of a page.
    append(&p, &(2..=31).map(|day| prediction(day, "m", "s", 100.0)).collect::<String>());
    append(&a, &(2..=31).map(|day| actual(day, "s", 50.0)).collect::<String>());
    wait_for("the alert", || told(&hook).contains(&("StateNotKept".to_owned(), "firing".to_owned())));
    let metrics = daemon.get("/metrics").unwrap().text;
    assert!(metrics.contains("drift_watch_ready 0.0\n"), "{metrics}");
    assert!(metrics.contains("drift_watch_alerts{kind=\"feed\",state=\"firing\"} 1.0\n"), "{metrics}");
    let page = daemon.get("/").unwrap().is(200).text;
    assert!(page.contains("records cannot be kept"), "{page}");
    let alerts = daemon.status().unwrap()["alerts"].clone();
    assert_eq!(
        (&alerts[0]["name"], &alerts[0]["state"], &alerts[0]["severity"]),
        (&"StateNotKept".into(), &"firing".into(), &"critical".into())
    );
    daemon.get("/-/healthy").unwrap().is(200);

    room.clear(&daemon);
    wait_for("readiness", || ready(&mut daemon).0 == 200);
    wait_for("the rows that waited", || daemon.status().unwrap()["models"][0]["steps"] == 31);
    let (answer, body) = posted(&mut daemon, 40);
    answer.is(200);
    sent.push_str(&body);
    let expected = [("StateNotKept", "firing"), ("StateNotKept", "resolved"), ("ForecastRule", "firing")];
    wait_for("all deliveries", || told(&hook).len() == expected.len());
    let mut found = told(&hook);
    found.sort();
    let mut expected = expected.map(|(name, status)| (name.to_owned(), status.to_owned()));
    expected.sort();
    assert_eq!(found, expected);
    daemon.stop();
    assert_eq!(fs::read_to_string(place.path("disk/state/events.jsonl")).unwrap().lines().count(), 1);

    append(&p, &sent);
    let words = [&files[..], &["--rule", "mae > 20 over 1 min 1"], &PATIENT].concat();
    assert_eq!(dump(place, &["--state", "disk/state"]).stdout, dump(place, &words).stdout);
}

#[test]
fn a_full_disk_is_outlived() {
    let place = Place::new();
    let Some(disk) = Small::mount(place.path("disk")) else {
        assert!(std::env::var_os("CI").is_none(), "where CI is set, this user must be able to mount a file system");
        eprintln!("SKIPPED: this user may not mount a small file system, so this test has shown nothing");
        return;
    };
    outlives_a_full_disk(&place, place.command(), &disk);
}

#[test]
fn a_limit_on_files_is_outlived() {
    let place = Place::new();
    fs::create_dir(place.path("disk")).unwrap();
    // The signal that says so would end the process.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_drift-watch")]);
    shell.current_dir(place.path("")).env("NO_COLOR", "1");
    outlives_a_full_disk(&place, shell, &Limit);
}

#[test]
fn standard_input_waits_for_a_full_disk() {
    let place = Place::new();
    fs::create_dir(place.path("disk")).unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_drift-watch")]);
    shell.args(["run", "--listen", "127.0.0.1:0", "--state", "state", "--predictions", "-"]).args(PATIENT);
    shell.current_dir(place.path("")).stdin(reader);
    let mut daemon = Daemon::start(shell);
    Limit.fill(&daemon);
    let rows: String = (0..40).map(|n| prediction(1, "m", &format!("s{n}"), 1.0)).collect();
    writer.write_all(rows.as_bytes()).unwrap();
    wait_for("word of it", || ready(&mut daemon).0 == 503);
    assert!(ready(&mut daemon).1.contains("records cannot be kept"));
    Limit.clear(&daemon);
    wait_for("the rows", || daemon.status().unwrap()["models"][0]["open_predictions"] == 40);
    wait_for("readiness", || ready(&mut daemon).0 == 200);
    daemon.stop();
}

/// Steps that are decided, as `/metrics` says.
fn steps(daemon: &mut Daemon) -> usize {
    let text = daemon.get("/metrics").unwrap().text;
    let line = text.lines().find(|line| line.starts_with("drift_watch_steps_total{"));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().trim_end_matches(".0").parse().unwrap())
}

#[test]
fn a_pair_is_counted_within_a_second() {
    const PAIRS: usize = 200;
    let place = Place::new();
    let mut daemon = Daemon::start(run(&place, &[&["--maturity", "0s"][..], &PATIENT].concat()));
    let address = daemon.address().unwrap().to_owned();
    let sender = std::thread::spawn(move || {
        let http = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        let send = |path: &str, body: String| {
            let request = http.post(format!("{address}{path}")).header("content-type", "application/x-ndjson");
            assert_eq!(request.body(body).send().unwrap().status(), 200);
        };
        let one = |day: i64| {
            let start = Instant::now();
            send("/v1/predictions", prediction(day, "m", "s", 100.0));
            send("/v1/actuals", actual(day, "s", 90.0));
            start
        };
        (1..=200).map(one).collect::<Vec<Instant>>()
    });
    let mut seen: Vec<Instant> = Vec::new();
    wait_for("all pairs", || {
        let known = steps(&mut daemon);
        seen.resize(known.max(seen.len()), Instant::now());
        known == PAIRS
    });
    let sent = sender.join().unwrap();
    let mut took: Vec<Duration> = sent.iter().zip(&seen).map(|(sent, seen)| seen.duration_since(*sent)).collect();
    took.sort();
    let (p50, p99) = (took[PAIRS / 2], took[PAIRS * 99 / 100]);
    eprintln!("from the first byte of a post to /metrics, {PAIRS} pairs: p50 {p50:.0?}, p99 {p99:.0?}");
    assert!(p99 < Duration::from_secs(1), "{p99:?}");
    let text = daemon.get("/metrics").unwrap().text;
    let mae = text.lines().find(|line| line.starts_with("drift_watch_live_mae{")).unwrap();
    assert!(mae.ends_with(" 10.0"), "{mae}");
    daemon.stop();
}
