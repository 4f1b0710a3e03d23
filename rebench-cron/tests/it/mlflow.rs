//! Judged runs delivered to a server that answers as a real one was recorded to, and to a real one.
//!
//! The latter where `FORECAST_PYTHON` names a python with `mlflow`.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rebench_cron::job::{Job, jobs};
use rebench_cron::mlflow::{Logger, Queue, RUN_TAG, RunRecord, Settings};
use rebench_cron::store::{Outcome, Store, Verdict};
use serde_json::{Value, json};
use shared::config::Config;
use shared::{digest, fsio};

use crate::mlflow_loopback::{answer, recorded, serve, tracker};
use crate::mlflow_process;
use crate::python;
use crate::store_support::{claim, compare, monday, records};

const RUN: &str = "e61f144a58734694a2220858d2108196";

fn job() -> Job {
    let text = "[rebench-cron.jobs.walmart]\ncommand = [\"true\"]\nschedule = '0 3 * * 1'\n";
    jobs(&Config::parse(Path::new("promotion.toml"), text).unwrap()).unwrap().remove(0)
}

/// A run with its files in `folder`, judged as regressed.
fn judged(store: &Store, folder: &Path, number: i64) -> RunRecord {
    std::fs::create_dir_all(folder.join("judge")).unwrap();
    fsio::write_atomic(&folder.join("judge/verdict.json"), b"{\"outcome\": \"regressed\"}\n").unwrap();
    fsio::write_atomic(&folder.join("run.json"), b"{\"job\": \"walmart\"}\n").unwrap();
    let ticket = claim(store, number);
    compare(store, &ticket, folder);
    let verdict = Verdict {
        metric: Some("mae".into()),
        candidate_model: Some("lightgbm".into()),
        baseline_model: Some("naive".into()),
        effect: Some(0.25),
        ci_lo: Some(0.125),
        ci_hi: Some(0.375),
        e_value: Some(40.0),
        ..Verdict::plain(Outcome::Regressed, "mae is 25 % worse", "rebench-cron 0.1.0")
    };
    store.recorded(&ticket, &verdict, &[], monday() + Duration::from_mins(1)).unwrap();
    let row = store.history("walmart", 1).unwrap().remove(0);
    RunRecord::of(store, &job(), &row).unwrap().unwrap()
}

/// What the server keeps.
#[derive(Debug, Default)]
struct Kept {
    runs: usize,
    finished: bool,
    params: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    metrics: BTreeMap<String, Value>,
    files: BTreeMap<String, String>,
    uploads: usize,
    asked: usize,
    /// From this request on, answers are lost after they were carried out.
    cut: Option<usize>,
}

impl Kept {
    fn run(&self) -> Value {
        let pairs = |texts: &BTreeMap<String, String>| -> Value {
            texts.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
        };
        let metrics: Value = self.metrics.values().cloned().collect();
        json!({
            "info": {
                "run_id": RUN, "status": if self.finished { "FINISHED" } else { "RUNNING" },
                "artifact_uri": format!("mlflow-artifacts:/1/{RUN}/artifacts"), "lifecycle_stage": "active",
            },
            "data": {"params": pairs(&self.params), "tags": pairs(&self.tags), "metrics": metrics},
        })
    }

    fn log(&mut self, body: &Value) {
        let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
        let items = |kind: &str| body[kind].as_array().cloned().unwrap_or_default();
        for item in items("params") {
            let (key, value) = (text(&item, "key"), text(&item, "value"));
            let before = self.params.insert(key, value.clone());
            assert!(before.is_none_or(|before| before == value), "MLflow refuses to change a parameter");
        }
        self.tags.extend(items("tags").iter().map(|item| (text(item, "key"), text(item, "value"))));
        self.metrics.extend(items("metrics").into_iter().map(|item| (text(&item, "key"), item)));
    }

    fn carry_out(&mut self, request: &str, body: &str) -> String {
        let (method, path) = request.split_once(' ').unwrap();
        let path = path.split([' ', '?']).next().unwrap();
        let parsed: Value = serde_json::from_str(body).unwrap_or_default();
        match path.trim_start_matches("/api/2.0/") {
            "mlflow/experiments/get-by-name" => recorded("06_get_experiment_by_name"),
            "mlflow/runs/search" if self.runs == 0 => recorded("42_search_runs_empty"),
            "mlflow/runs/search" => {
                let filter = parsed["filter"].as_str().unwrap();
                assert_eq!(filter, format!("tags.`{RUN_TAG}` = '{}'", self.tags[RUN_TAG]));
                answer(&json!({"runs": [self.run()]}))
            }
            "mlflow/runs/create" => {
                self.runs += 1;
                self.log(&parsed);
                answer(&json!({"run": self.run()}))
            }
            "mlflow/runs/log-batch" => {
                self.log(&parsed);
                recorded("08_log_batch")
            }
            "mlflow/runs/get" => answer(&json!({"run": self.run()})),
            "mlflow/runs/update" => {
                self.finished = parsed["status"] == "FINISHED";
                answer(&json!({}))
            }
            file if file.starts_with("mlflow-artifacts/") && method == "PUT" => {
                self.uploads += 1;
                self.files.insert(file.to_owned(), body.to_owned());
                answer(&json!({}))
            }
            file => match self.files.get(file) {
                Some(text) => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len()),
                None => recorded("27_run_404"),
            },
        }
    }

    fn file(&self, name: &str) -> &str {
        self.files.iter().find(|(path, _)| path.ends_with(&format!("/{name}"))).unwrap().1
    }
}

fn server(kept: &Arc<Mutex<Kept>>) -> String {
    let kept = Arc::clone(kept);
    serve(move |request, body| {
        let mut kept = kept.lock().unwrap();
        kept.asked += 1;
        let answer = kept.carry_out(request, body);
        kept.cut.is_none_or(|cut| kept.asked < cut).then_some(answer)
    })
}

/// As if the process had been killed before it noted the delivery.
fn forget(queue: &Path) {
    for entry in std::fs::read_dir(queue.join("done")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::rename(&path, queue.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_judged_run_arrives_once_with_all_that_is_known_of_it() {
    let (folder, store) = records();
    let record = judged(&store, &folder.path().join("run"), 0);
    let path = folder.path().join("queue");
    let (queue, kept) = (Queue::new(&path, "rebench"), Arc::new(Mutex::new(Kept::default())));
    let tracker = tracker(&server(&kept));
    queue.put(&record).unwrap();
    queue.put(&record).unwrap();
    let delivery = queue.deliver(&tracker).unwrap();
    assert_eq!((delivery.delivered.len(), delivery.waiting.len()), (1, 0), "{:?}", delivery.waiting);
    forget(&path);
    assert_eq!(queue.deliver(&tracker).unwrap().delivered.len(), 1);
    let kept = kept.lock().unwrap();
    assert_eq!((kept.runs, kept.finished, kept.uploads), (1, true, 2));
    let param = |key: &str| kept.params.get(key).map(String::as_str);
    assert_eq!([param("job"), param("model"), param("baseline")], [Some("walmart"), Some("lightgbm"), Some("naive")]);
    assert_eq!((param("data_sha256"), param("commit")), (Some("d1"), None));
    let tag = |key: &str| kept.tags[key].as_str();
    assert_eq!([tag("outcome"), tag("reason")], ["regressed", "mae is 25 % worse"]);
    assert_eq!((tag("slot"), tag(RUN_TAG)), ("2026-01-05T03:00:00Z", record.id.as_str()));
    let values: BTreeMap<&str, f64> =
        kept.metrics.iter().map(|(key, item)| (key.as_str(), item["value"].as_f64().unwrap())).collect();
    let expected = [
        ("e_value", 40.0),
        ("effect", 0.25),
        ("effect_lower", 0.125),
        ("effect_upper", 0.375),
        ("mae/lightgbm/walmart", 0.5),
    ];
    assert_eq!(values, BTreeMap::from(expected));
    assert_eq!(kept.file("verdict.json"), "{\"outcome\": \"regressed\"}\n");
    assert_eq!(kept.file("run.json"), "{\"job\": \"walmart\"}\n");
}

#[test]
fn wherever_the_connection_breaks_the_next_delivery_finishes_the_run() {
    let (folder, store) = records();
    let record = judged(&store, &folder.path().join("run"), 0);
    let mut broken = 0;
    for cut in 1.. {
        let queue = Queue::new(folder.path().join(format!("queue-{cut}")), "rebench");
        let kept = Arc::new(Mutex::new(Kept { cut: Some(cut), ..Kept::default() }));
        let base = server(&kept);
        queue.put(&record).unwrap();
        let whole = queue.deliver(&tracker(&base)).unwrap().delivered.len() == 1;
        kept.lock().unwrap().cut = None;
        let again = queue.deliver(&tracker(&base)).unwrap();
        assert_eq!((again.waiting.len(), again.refused.len()), (0, 0), "cut at {cut}: {again:?}");
        let kept = kept.lock().unwrap();
        assert_eq!((kept.runs, kept.finished, kept.files.len()), (1, true, 2), "cut at {cut}");
        if whole {
            break;
        }
        broken += 1;
    }
    // Experiment, search, creation, three kinds of entries, the run read back, look, file and look for two files, the end.
    assert_eq!(broken, 14);
}

#[test]
fn files_that_are_gone_are_named_and_hold_up_nothing() {
    let (folder, store) = records();
    let record = judged(&store, &folder.path().join("run"), 0);
    let queue = Queue::new(folder.path().join("queue"), "rebench");
    queue.put(&record).unwrap();
    std::fs::remove_file(folder.path().join("run/run.json")).unwrap();
    let kept = Arc::new(Mutex::new(Kept::default()));
    assert_eq!(queue.deliver(&tracker(&server(&kept))).unwrap().delivered.len(), 1);
    let kept = kept.lock().unwrap();
    assert_eq!((kept.files.len(), kept.tags["rebench.artefacts_gone"].as_str()), (1, "run.json"));
    assert!(kept.finished);
}

#[test]
fn runs_of_other_records_are_other_runs() {
    let ((one, first), (two, second)) = (records(), records());
    let (a, b) = (judged(&first, &one.path().join("run"), 0), judged(&second, &two.path().join("run"), 0));
    assert_ne!(a.id, b.id);
    assert_eq!(a.id.rsplit('-').next(), b.id.rsplit('-').next(), "both are the first of their records");
    assert_ne!(judged(&first, &one.path().join("next"), 1).id, a.id);
}

#[test]
fn what_has_no_verdict_is_not_logged() {
    let (_folder, store) = records();
    claim(&store, 0);
    let row = store.history("walmart", 1).unwrap().remove(0);
    assert_eq!(RunRecord::of(&store, &job(), &row).unwrap(), None);
}

fn settings(base: &str) -> Settings {
    let server =
        shared::mlflow::Config::from_variables(|name| (name == "MLFLOW_TRACKING_URI").then(|| base.to_owned()));
    Settings { experiment: "rebench".into(), server: server.unwrap() }
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_logger_delivers_what_is_put_and_what_waited() {
    let (folder, store) = records();
    let kept = Arc::new(Mutex::new(Kept::default()));
    let base = server(&kept);
    let queue = folder.path().join("queue");
    let record = judged(&store, &folder.path().join("run"), 0);
    let logger = Logger::start(settings(&base), &queue).unwrap();
    logger.put(&record).unwrap();
    wait_for("the run", || logger.health().delivered == 1);
    logger.stop();
    forget(&queue);
    let logger = Logger::start(settings(&base), &queue).unwrap();
    wait_for("what waited", || logger.health().delivered == 1);
    assert!(logger.health().healthy);
    logger.stop();
    assert_eq!(kept.lock().unwrap().runs, 1);
}

#[test]
fn a_file_store_is_no_server() {
    let error = Logger::start(settings("./mlruns"), "queue").unwrap_err();
    assert!(matches!(error, shared::Error::Usage { .. }), "{error}");
}

/// What MLflow's own client reads.
const READ: &str = "
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
runs = client.search_runs([client.get_experiment_by_name('rebench').experiment_id])
run = runs[0]
files = {}
for name in ['verdict.json', 'run.json']:
    with open(client.download_artifacts(run.info.run_id, name)) as file:
        files[name] = file.read()
tags = {key: value for key, value in run.data.tags.items() if not key.startswith('mlflow.')}
print(json.dumps({'runs': len(runs), 'status': run.info.status, 'params': run.data.params,
    'metrics': run.data.metrics, 'tags': tags, 'files': files}))
";

#[test]
fn a_real_server_has_what_was_put() {
    let Some(python) = python::python("mlflow") else { return };
    let (folder, store) = records();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}");
    let _server = mlflow_process::Server::start(&python, folder.path(), port);
    let record = judged(&store, &folder.path().join("run"), 0);
    let path = folder.path().join("queue");
    let queue = Queue::new(&path, "rebench");
    queue.put(&record).unwrap();
    let delivery = queue.deliver(&tracker(&uri)).unwrap();
    assert_eq!((delivery.delivered.len(), delivery.waiting.len()), (1, 0), "{:?}", delivery.waiting);
    forget(&path);
    assert_eq!(queue.deliver(&tracker(&uri)).unwrap().delivered.len(), 1);
    let output = Command::new(&python).args(["-c", READ, &uri]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["runs"], &found["status"]), (&json!(1), &json!("FINISHED")));
    assert_eq!(found["metrics"]["mae/lightgbm/walmart"], 0.5);
    assert_eq!((&found["params"]["baseline"], &found["tags"]["outcome"]), (&json!("naive"), &json!("regressed")));
    assert_eq!(found["tags"][RUN_TAG], record.id.as_str());
    let digest = digest::of_bytes(found["files"]["verdict.json"].as_str().unwrap().as_bytes());
    let verdict = record.artefacts.iter().find(|artefact| artefact.name == "verdict.json").unwrap();
    assert_eq!(digest, verdict.sha256);
}
