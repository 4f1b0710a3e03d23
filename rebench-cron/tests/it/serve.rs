//! The server of the daemon, asked as its clients ask.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rebench_cron::daemon::Pulse;
use rebench_cron::job::{Job, jobs};
use rebench_cron::serve::snapshot::{JobView, Recorded};
use rebench_cron::serve::{Beat, PATIENCE, Server, Snapshot, Source, health, metrics};
use rebench_cron::store::{AlertState, Outcome, Reason, Skip, Tally};
use serde_json::{Value, json};
use shared::alert::ReceiverView;
use shared::config::Config;
use shared::serve::{Histogram, Secret};
use shared::{Error, Result};

use crate::store_support::{alert, claim, compare, monday, records, verdict, week, whole};

const PAGE: &str = include_str!("../../../docs/METRICS.md");

/// A source that says what it was told to.
struct Told {
    snapshot: Snapshot,
    health: Mutex<Result<(), String>>,
    status: Option<Value>,
}

impl Source for Told {
    fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }

    fn status(&self) -> Result<Value> {
        self.status.clone().ok_or_else(|| Error::usage("nothing", "something"))
    }

    fn health(&self) -> Result<(), String> {
        self.health.lock().unwrap().clone()
    }
}

fn told(status: Option<Value>) -> Arc<Told> {
    Arc::new(Told { snapshot: full(), health: Mutex::new(Ok(())), status })
}

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Status and text of an answer to this head.
fn ask(server: &Server, request: &str, head: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!("{request} HTTP/1.1\r\n{head}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

fn get(server: &Server, path: &str) -> (u16, String) {
    ask(server, &format!("GET {path}"), "Host: localhost\r\n")
}

fn job(name: &str) -> Arc<Job> {
    let text = format!("[rebench-cron.jobs.{name}]\ncommand = [\"true\"]\nschedule = '0 3 * * 1'\n");
    Arc::new(jobs(&Config::parse(Path::new("promotion.toml"), &text).unwrap()).unwrap().remove(0))
}

fn beat() -> Beat {
    Beat { at: week(5), pulse: Pulse::default(), jobs: vec![(job("walmart"), Some(week(6)))] }
}

/// A snapshot that leaves no family out.
fn full() -> Snapshot {
    let mut queueing = Histogram::new(&[1.0, 60.0]);
    [0.25, 30.0].into_iter().for_each(|seconds| queueing.observe(seconds));
    let pulse = Pulse { running: 1, waiting: 2, queueing, reloaded: Some((week(1), true)), ..Pulse::default() };
    let tally = Tally {
        verdicts: BTreeMap::from([(Outcome::Holds, 3), (Outcome::Regressed, 1)]),
        failed: 2,
        skipped: 7,
        last_run: Some(week(5)),
        lateness: Some(Duration::from_millis(1500)),
        last_end: Some(rebench_cron::store::SlotEnd::Judged(Outcome::Regressed)),
        effect: Some(0.0625),
        e_value: Some(40.0),
        ..Tally::default()
    };
    let view = JobView { next: Some(week(6)), records: Some(Recorded { overdue: true, tally }) };
    let last_delivered = Some(monday().to_string());
    let receiver = ReceiverView { name: "slack-1".into(), last_delivered, ..ReceiverView::default() };
    Snapshot {
        version: "0.1.0".into(),
        turned_at: week(5),
        pulse,
        jobs: BTreeMap::from([("walmart".to_owned(), view)]),
        untold: Some(4),
        receivers: vec![receiver],
    }
}

fn hostile() -> Snapshot {
    let mut snapshot = full();
    let view = snapshot.jobs["walmart"].clone();
    snapshot.jobs = ["a\"b\\c\nd", "é 漢字", ""].map(|name| (name.to_owned(), view.clone())).into();
    snapshot
}

#[test]
fn a_snapshot_reads_as_its_numbers() {
    let text = metrics::text(&full());
    for line in [
        // 2026-01-05T03:00:00Z is 1767582000, a week 604800 seconds.
        "rebench_job_next_timestamp_seconds{job=\"walmart\"} 1771210800.0",
        "rebench_job_last_run_timestamp_seconds{job=\"walmart\"} 1770606000.0",
        "rebench_job_last_outcome{job=\"walmart\",outcome=\"regressed\"} 1.0",
        "rebench_job_last_outcome{job=\"walmart\",outcome=\"failed\"} 0.0",
        "rebench_job_overdue{job=\"walmart\"} 1.0",
        "rebench_job_e_value{job=\"walmart\"} 40.0",
        "rebench_job_effect_ratio{job=\"walmart\"} 0.0625",
        "rebench_runs_total{job=\"walmart\",outcome=\"holds\"} 3.0",
        "rebench_runs_total{job=\"walmart\",outcome=\"failed\"} 2.0",
        "rebench_runs_total{job=\"walmart\",outcome=\"improved\"} 0.0",
        "rebench_slots_skipped_total{job=\"walmart\"} 7.0",
        "rebench_runs_running 1.0",
        "rebench_runs_waiting 2.0",
        "rebench_queueing_seconds_bucket{le=\"1.0\"} 1.0",
        "rebench_queueing_seconds_bucket{le=\"+Inf\"} 2.0",
        "rebench_queueing_seconds_sum 30.25",
        "rebench_lateness_seconds{job=\"walmart\"} 1.5",
        "rebench_records_writable 1.0",
        "rebench_alerts_untold 4.0",
        "rebench_receiver_healthy{receiver=\"slack-1\"} 0.0",
        "rebench_build_info{version=\"0.1.0\"} 1.0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn names_are_escaped() {
    let text = metrics::text(&hostile());
    assert!(text.contains("rebench_job_overdue{job=\"a\\\"b\\\\c\\nd\"} 1.0\n"), "{text}");
}

#[test]
fn records_that_cannot_be_read_leave_no_zeros() {
    let snapshot = Snapshot::of(&beat(), None, Vec::new(), week(5));
    let text = metrics::text(&snapshot);
    assert!(text.contains("rebench_records_readable 0.0") && text.contains("rebench_job_next_timestamp_seconds"));
    assert!(!text.contains("rebench_runs_total") && !text.contains("rebench_alerts_untold"), "{text}");
}

/// Whether promtool is there; in CI it must be.
fn has_promtool() -> bool {
    let there = Command::new("promtool").arg("--version").output().is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "promtool must be installed where CI is set");
    if !there {
        std::io::stderr().write_all(b"\n*** SKIPPED: promtool is not installed\n").unwrap();
    }
    there
}

#[test]
fn promtool_finds_nothing_to_say() {
    if !has_promtool() {
        return;
    }
    for snapshot in [full(), hostile(), Snapshot::of(&beat(), None, Vec::new(), week(5))] {
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = promtool.spawn().unwrap();
        running.stdin.take().unwrap().write_all(metrics::text(&snapshot).as_bytes()).unwrap();
        let output = running.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && said.trim().is_empty(), "{said}");
    }
}

/// Families with their types and labels, as the page has them.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = PAGE.lines().filter(|line| line.starts_with("| `rebench_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        (quoted(cells[1])[0].clone(), (cells[2].to_owned(), quoted(cells[4]).into_iter().collect()))
    })
    .collect()
}

/// The same, as they are served. The buckets of a histogram are its own matter.
fn served() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut all: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let text = metrics::text(&full());
    for line in text.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kind.clone_into(&mut all.entry(name.to_owned()).or_default().0);
        } else if let Some((name, labels)) = line.split_once('{')
            && let Some(family) = all.get_mut(name)
        {
            let names = labels.split("\",").filter_map(|label| label.split_once("=\""));
            family.1.extend(names.map(|(name, _)| name.to_owned()));
        }
    }
    all
}

#[test]
fn the_page_and_the_code_name_the_same_families() {
    assert_eq!(documented(), served());
}

#[test]
fn the_census_counts_what_was_recorded() {
    let (_folder, store) = records();
    whole(&store, 0, Outcome::Holds);
    whole(&store, 1, Outcome::Holds);
    let failing = claim(&store, 2);
    compare(&store, &failing, Path::new("runs/2"));
    store.failed(&failing, "broken", week(2)).unwrap();
    store.give_up(&failing, "broken", &[alert("a", AlertState::Firing)], week(2)).unwrap();
    let skip = Skip {
        job: "walmart".into(),
        scheduled_at: week(5),
        wall: String::new(),
        tzdb: String::new(),
        reason: Reason::Cron,
        why: "missed".into(),
        count: 3,
    };
    store.skipped(&[skip], &[], week(5)).unwrap();
    let census = store.census().unwrap();
    let tally = &census.jobs["walmart"];
    assert_eq!((tally.verdicts[&Outcome::Holds], tally.failed, tally.skipped, census.untold), (2, 1, 3, 1));
    assert_eq!((tally.last_end, tally.decided), (Some(rebench_cron::store::SlotEnd::Failed), Some(week(5))));
    assert_eq!((tally.last_run, tally.lateness), (Some(monday()), Some(Duration::from_millis(12))));
    // The verdicts of the records' tests have this effect and no e-value.
    assert_eq!((tally.effect, tally.e_value), (verdict(Outcome::Holds).effect, None));
    whole(&store, 6, Outcome::Regressed);
    let tally = &store.census().unwrap().jobs["walmart"];
    assert_eq!(tally.last_end, Some(rebench_cron::store::SlotEnd::Judged(Outcome::Regressed)));
}

#[test]
fn a_job_is_overdue_once_its_slot_is_no_more_on_time() {
    let (_folder, store) = records();
    whole(&store, 0, Outcome::Holds);
    let overdue = |now: Timestamp| {
        let census = store.census().unwrap();
        let snapshot = Snapshot::of(&beat(), Some(&census), Vec::new(), now);
        snapshot.jobs["walmart"].records.as_ref().unwrap().overdue
    };
    // A slot is on time for five minutes.
    assert!(!overdue(week(1) - SignedDuration::from_hours(1)) && !overdue(week(1) + SignedDuration::from_mins(4)));
    assert!(overdue(week(1) + SignedDuration::from_mins(6)));
    claim(&store, 1);
    assert!(!overdue(week(1) + SignedDuration::from_mins(6)));
}

#[test]
fn a_loop_that_hangs_and_records_that_fail_are_said() {
    assert_eq!(health(PATIENCE, None), Ok(()));
    assert!(health(PATIENCE + Duration::from_secs(1), None).unwrap_err().contains("has not turned for"));
    assert!(health(Duration::ZERO, Some("disk full")).unwrap_err().contains("disk full"));
}

#[test]
fn each_path_answers() {
    let source = told(Some(json!({"jobs": [1, 2]})));
    let server = Server::start(loopback(), None, source.clone()).unwrap();
    let (status, answer) = get(&server, "/metrics");
    assert!(status == 200 && answer.contains("content-type: text/plain; version=0.0.4"), "{answer}");
    assert!(answer.ends_with(&metrics::text(&full())) && answer.contains("x-content-type-options: nosniff"));
    let (status, answer) = get(&server, "/status");
    assert!(status == 200 && answer.ends_with("{\"jobs\":[1,2]}"), "{answer}");
    assert_eq!(get(&server, "/healthz").0, 200);
    *source.health.lock().unwrap() = Err("records cannot be written: disk full".into());
    let (status, answer) = get(&server, "/healthz");
    assert!(status == 503 && answer.contains("disk full"), "{answer}");
    assert_eq!(get(&server, "/absent").0, 404);
    assert_eq!(ask(&server, "POST /metrics", "Host: localhost\r\nContent-Length: 0\r\n").0, 405);
    let failing = Server::start(loopback(), None, told(None)).unwrap();
    assert_eq!(get(&failing, "/status").0, 500);
}

#[test]
fn other_names_for_this_machine_are_refused() {
    let server = Server::start(loopback(), None, told(None)).unwrap();
    for other in ["Host: evil.example\r\n", "", "Host: localhost\r\nHost: evil.example\r\n"] {
        assert_eq!(ask(&server, "GET /metrics", other).0, 403, "{other:?}");
    }
}

#[test]
fn a_token_is_asked_for_where_there_is_one() {
    let source = told(Some(json!({})));
    *source.health.lock().unwrap() = Err("disk full".into());
    let server = Server::start(loopback(), Some(Secret::new("0123456789abcdef")), source).unwrap();
    for path in ["/metrics", "/status"] {
        assert_eq!(get(&server, path).0, 401);
        let with = |token: &str| {
            ask(&server, &format!("GET {path}"), &format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n")).0
        };
        assert_eq!((with("0123456789abcdef"), with("0123456789abcdeF")), (200, 401));
    }
    let (status, answer) = get(&server, "/healthz");
    assert!(status == 503 && !answer.contains("disk full"), "a stranger learns no reason: {answer}");
}

#[test]
fn an_open_address_needs_a_token_and_a_taken_one_is_said() {
    let open = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(Server::start(open, None, told(None)), Err(Error::Usage { .. })));
    let taken = TcpListener::bind(loopback()).unwrap();
    let error = Server::start(taken.local_addr().unwrap(), None, told(None)).unwrap_err();
    assert!(matches!(error, Error::Environment { .. }) && error.to_string().contains("cannot listen"), "{error}");
}

#[test]
fn a_server_that_was_stopped_answers_no_more() {
    let server = Server::start(loopback(), None, told(None)).unwrap();
    let address = server.address();
    assert_eq!(get(&server, "/healthz").0, 200);
    server.stop();
    assert!(TcpStream::connect(address).is_err());
}
