//! `examples/serving` as a service: releases of real models are promoted and rolled back while requests flow, and what it logs is
//! what `drift-watch` joins.

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::ToSpan;
use serde_json::{Value, json};
use shared::fsio;

use crate::process::{Daemon, wait_for};
use crate::project::Project;
use crate::service::{Answer, Service};

/// What a release is served with.
const MODULES: &str = "fastapi, uvicorn";

/// How often a registry is written that changes all the time.
const CHANGES: u32 = 150;

/// How many rows each version has in its records.
fn logged(project: &Project) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(project.place.path("records/predictions.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut counts = BTreeMap::new();
    for record in records {
        assert_eq!(record["model"], "demand");
        *counts.entry(record["version"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

fn answered(answers: &[Answer]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    answers.iter().for_each(|answer| *counts.entry(answer.version.clone()).or_default() += 1);
    counts
}

/// How many forecasts of each version stand beside their actual in a report of `replay` or `status`.
fn joined(report: &Value) -> BTreeMap<String, u64> {
    let models = report["models"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows = |model: &Value| {
        let is_it = |one: &&Value| one["metric"] == "mae" && one["horizon"] == "1" && one["group"] == "all";
        let metric = model["metrics"].as_array()?.iter().find(is_it)?;
        Some((model["version"].as_str()?.to_owned(), metric["n"].as_u64()?))
    };
    models.iter().filter_map(rows).collect()
}

/// The flags by which drift-watch reads the records; its window is longer than they are.
fn watching() -> Vec<&'static str> {
    let records = ["--predictions", "records/predictions.jsonl", "--actuals", "records/actuals.jsonl"];
    [&records[..], &["--manifest", "models/metadata/demand_v2.json", "--window", "100000"]].concat()
}

fn watch(project: &Project) -> Daemon {
    let mut command = project.place.command("drift-watch");
    command.args(["run", "--listen", "127.0.0.1:0", "--state", "state", "--poll-interval", "50ms"]).args(watching());
    Daemon::start(command)
}

/// Does something while clients ask without a pause; no request fails.
fn under_load(service: &Service, clients: usize, work: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    let ask = || {
        while !is_over.load(Ordering::SeqCst) {
            service.ask();
        }
    };
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..clients).map(|_| scope.spawn(ask)).collect();
        // Ends the clients whatever happens here.
        let outcome = catch_unwind(AssertUnwindSafe(work));
        is_over.store(true, Ordering::SeqCst);
        asking.into_iter().for_each(|client| client.join().unwrap());
        outcome.unwrap();
    });
}

/// Promotes and rolls back; each change is seen at once.
fn promote_and_roll_back(project: &Project, service: &Service) {
    service.wait_for_more("1.0.0", 40);
    project.demand("promote", &["2"]);
    assert_eq!(service.ask().version, "2.0.0");
    service.wait_for_more("2.0.0", 40);
    project.demand("rollback", &["--reason", "stock was wrong"]);
    assert_eq!(service.ask().version, "1.0.0");
    service.wait_for_more("1.0.0", 40);
}

/// Tells the service what became of everything it was asked about.
fn tell_actuals(service: &Service) {
    let actual = |number: i64| {
        let mut actual = service.about(number);
        let known = service.target(number).checked_add(25.hours()).unwrap();
        actual["y"] = json!(19.0 + f64::from(u32::try_from(number % 7).unwrap()) / 2.0);
        actual["observed_at"] = json!(known.to_string());
        actual
    };
    let all: Vec<Value> = (0..service.asked()).map(actual).collect();
    let (status, said) = service.post("/actuals", &json!(all));
    assert_eq!((status, &said["logged"]), (200, &json!(all.len())), "{said}");
}

#[test]
fn a_promotion_is_served_without_a_restart_and_every_row_that_is_logged_is_joined() {
    let Some(project) = Project::released(MODULES) else { return };
    project.demand("promote", &["1"]);
    let service = Service::start(&project);
    let mut daemon = watch(&project);
    under_load(&service, 3, || promote_and_roll_back(&project, &service));

    let answers = service.answers();
    for answer in &answers {
        let expected = project.forecast(&answer.version[..1]);
        assert!((answer.forecast - expected).abs() < 1e-9, "{answer:?} {expected}");
    }
    let counts = answered(&answers);
    assert!(counts.len() == 2 && counts.values().all(|&count| count >= 40), "{counts:?}");
    assert_eq!(logged(&project), counts, "the version that is logged is the one that answered");

    tell_actuals(&service);
    let replayed = project.place.run("drift-watch", &[&["replay", "--json"], &watching()[..]].concat());
    assert_eq!(joined(&replayed.json()), counts, "{}", replayed.stderr);
    wait_for("the rows to be joined", || daemon.status().is_some_and(|status| joined(&status) == counts));
    let faults = daemon.status().unwrap()["faults"].clone();
    let odd: Vec<_> = faults.as_object().unwrap().iter().filter(|(_, count)| **count != json!(0)).collect();
    assert_eq!(odd, [(&"pred_second_version".to_owned(), &json!(counts["2.0.0"]))]);
    daemon.stop();
}

#[test]
fn a_registry_that_changes_all_the_time_fails_no_request() {
    let Some(project) = Project::released(MODULES) else { return };
    project.demand("promote", &["1"]);
    let service = Service::start(&project);
    let registry = project.place.path("models/registry.json");
    let bytes = fs::read(&registry).unwrap();
    under_load(&service, 6, || {
        for _ in 0..CHANGES {
            fsio::write_atomic(&registry, &bytes).unwrap();
            service.wait_for_more("1.0.0", 2);
        }
    });
    assert_eq!(logged(&project), answered(&service.answers()));
}

#[test]
fn bytes_that_the_registry_does_not_vouch_for_are_not_served() {
    let Some(project) = Project::released(MODULES) else { return };
    project.demand("promote", &["1"]);
    let service = Service::start(&project);
    assert_eq!(service.ask().version, "1.0.0");
    let path = project.place.path("models/releases/demand/1.0.0/demand_v1.pkl");
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fsio::write_atomic(&path, &bad).unwrap();
    let (status, said) = service.post("/predict", &service.question(99));
    assert!(status == 503 && said["detail"].as_str().unwrap().contains("SHA-256"), "{status} {said}");
    fsio::write_atomic(&path, &good).unwrap();
    assert_eq!(service.ask().version, "1.0.0");
    assert_eq!(logged(&project)["1.0.0"], 2, "what was refused is not logged");
}

#[test]
fn what_drift_watch_would_not_read_is_refused() {
    let Some(project) = Project::released(MODULES) else { return };
    project.demand("promote", &["1"]);
    let service = Service::start(&project);
    let asked = |change: &dyn Fn(&mut Value)| {
        let mut body = service.question(0);
        change(&mut body);
        service.post("/predict", &body).0
    };
    assert_eq!(asked(&|body| body["about"][0]["target_time"] = json!("2030-01-02T00:00:00")), 422, "no time zone");
    assert_eq!(asked(&|body| body["about"][0]["horizon"] = json!(0)), 422);
    assert_eq!(asked(&|body| body["about"] = json!([service.about(0), service.about(1)])), 422, "one instance");
    assert_eq!(asked(&|body| body["instances"] = json!([{"lag": 20.0}])), 422, "a feature is missing");
    let actual = json!({"series": "shop_01", "target_time": "2030-01-02T00:00:00Z", "y": "NaN"});
    assert_eq!(service.post("/actuals", &json!([actual])).0, 422);
    assert_eq!(asked(&|body| body["about"] = json!([])), 200, "nobody needs to say what it is about");
    assert_eq!(fs::read_dir(project.place.path("records")).unwrap().count(), 0, "nothing is logged");
}

#[test]
fn the_commands_of_the_readme_work_as_written() {
    let Some(project) = Project::released(MODULES) else { return };
    project.demand("promote", &["1"]);
    let said = project.walk("examples/serving/README.md", &["8000"]);
    let versions: Vec<&str> = said.split("\"version\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(versions, ["1.0.0", "2.0.0", "1.0.0"], "{said}");
    assert!(said.contains("demand 2.0.0: 1 step"), "{said}");
}
