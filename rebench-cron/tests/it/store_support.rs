//! Records in folders of their own, and short words for what is done with them.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rebench_cron::process::{Exit, Identity, Usage};
use rebench_cron::store::{
    AlertState, Archive, Artifact, Claim, Claimed, Data, Ending, Host, Job, Metric, NewAlert, Outcome, Reason, Store,
    Ticket, Verdict,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A Monday, at which slots begin.
pub(crate) fn monday() -> Timestamp {
    "2026-01-05T03:00:00Z".parse().unwrap()
}

/// The Monday that many weeks later.
pub(crate) fn week(number: i64) -> Timestamp {
    monday() + SignedDuration::from_hours(7 * 24 * number)
}

pub(crate) fn host(name: &str) -> Host {
    Host { name: name.to_owned(), boot_id: Some("boot".to_owned()) }
}

pub(crate) fn job(name: &str) -> Job {
    Job { name: name.to_owned(), spec: json!({ "job": name }), spec_hash: "1".to_owned(), tz: "UTC".to_owned() }
}

/// Records with the job `walmart`.
pub(crate) fn records() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.define(&job("walmart"), monday()).unwrap();
    (folder, store)
}

pub(crate) fn cron(scheduled_at: Timestamp) -> Claim {
    Claim {
        job: "walmart".to_owned(),
        scheduled_at,
        wall: scheduled_at.to_string(),
        tzdb: "2026a".to_owned(),
        reason: Reason::Cron,
        key: String::new(),
        lateness: Duration::from_millis(12),
        forbid_overlap: false,
        request: None,
    }
}

pub(crate) fn drift(scheduled_at: Timestamp, key: &str) -> Claim {
    Claim { reason: Reason::Drift, key: key.to_owned(), ..cron(scheduled_at) }
}

pub(crate) fn claim(store: &Store, number: i64) -> Ticket {
    claimed(store, &cron(week(number)))
}

pub(crate) fn claimed(store: &Store, claim: &Claim) -> Ticket {
    let claimed = store.claim(claim, claim.scheduled_at, &host("here")).unwrap();
    let Claimed::Ticket(ticket) = claimed else { panic!("{claimed:?}") };
    ticket
}

pub(crate) fn identity() -> Identity {
    let (boot_id, token) = (Some("boot".to_owned()), "token".to_owned());
    Identity { pid: 4711, start_ticks: Some(99), boot_id, token }
}

pub(crate) fn ending(exit: Exit) -> Ending {
    let usage = Usage { user: Duration::from_millis(1500), system: Duration::from_millis(20), peak_rss_bytes: 1 << 20 };
    Ending { started: monday(), ended: monday() + Duration::from_secs(9), exit, usage }
}

pub(crate) fn archive() -> Archive {
    let artifact = Artifact { path: "stdout".into(), sha256: "aa".to_owned(), bytes: 100, truncated: false };
    let data = Data { hash: "d1".to_owned(), newest: Some(monday()), rows: Some(70), bytes: 7000 };
    Archive { artifacts: vec![artifact], env: Some(json!({ "cpu": "x" })), data: Some(data) }
}

pub(crate) fn metric(name: &str, series: &str, value: f64, n: u64) -> Metric {
    Metric {
        name: name.to_owned(),
        model: "lightgbm".to_owned(),
        dataset: "walmart".to_owned(),
        series: series.to_owned(),
        fold: String::new(),
        value,
        n,
    }
}

pub(crate) fn alert(id: &str, state: AlertState) -> NewAlert {
    let body = json!({ "id": id });
    NewAlert { id: id.to_owned(), job: "walmart".to_owned(), kind: "regression".to_owned(), state, body }
}

pub(crate) fn verdict(outcome: Outcome) -> Verdict {
    Verdict { effect: Some(0.25), p: Some(1e-300), ..Verdict::plain(outcome, "as found", "0.1.0") }
}

/// Takes a claimed run to where it can be judged.
pub(crate) fn compare(store: &Store, ticket: &Ticket, folder: &Path) {
    store.started(ticket, &identity(), folder, monday()).unwrap();
    store.exited(ticket, &ending(Exit::Exited(0)), folder).unwrap();
    store.archived(ticket, &archive(), monday()).unwrap();
    store.compared(ticket, &[metric("mae", "", 0.5, 70)], monday()).unwrap();
}

/// A slot from its claim to its end.
pub(crate) fn whole(store: &Store, number: i64, outcome: Outcome) -> Ticket {
    let ticket = claim(store, number);
    compare(store, &ticket, Path::new(&format!("runs/{number}")));
    store.recorded(&ticket, &verdict(outcome), &[], monday()).unwrap();
    store.alerted(&ticket, monday()).unwrap();
    ticket
}

/// All records, as they are exported.
pub(crate) fn exported(store: &Store) -> Vec<Value> {
    let mut out = Vec::new();
    store.export_jsonl(&mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn table(store: &Store, name: &str) -> Vec<Value> {
    exported(store).into_iter().filter(|row| row["table"] == name).collect()
}
