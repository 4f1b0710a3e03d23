//! Live metrics in a real MLflow server, and its history polled.
//!
//! Runs where `FORECAST_PYTHON` names a python with `mlflow`.
use crate::python;

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use crate::mlflow_process::Server;
use drift_watch::mlflow::{LiveMetric, Seen, Sink, Watched, poll};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::mlflow::{Config, Limits, Tracker};
use shared::outbox::Outbox;

const METRIC: &str = "live/mape_ratio/1/region=north";

/// What MLflow's own client reads: the runs of the experiment with their tags, and the history of the metric.
const READ: &str = "
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
runs = client.search_runs([client.get_experiment_by_name('live').experiment_id])
history = [[m.step, m.timestamp, m.value] for m in client.get_metric_history(runs[0].info.run_id, sys.argv[2])]
tags = {key: value for key, value in runs[0].data.tags.items() if not key.startswith('mlflow.')}
print(json.dumps({'runs': len(runs), 'run': runs[0].info.run_id, 'tags': tags, 'history': history}))
";

fn tracker(base: &str) -> Tracker {
    let config = Config::from_variables(|name| (name == "MLFLOW_TRACKING_URI").then(|| base.to_owned())).unwrap();
    let limits = Limits { connect: Duration::from_secs(2), total: Duration::from_mins(2) };
    Tracker::new(&config, limits).unwrap()
}

fn metric(step: i64, value: f64) -> LiveMetric {
    let time = Timestamp::from_second(1_767_225_600 + step).unwrap();
    LiveMetric { model: "o'neil".into(), version: "2.0.0".into(), metric: METRIC.into(), value, time, step }
}

#[test]
fn what_was_put_is_what_the_server_has() {
    let Some(python) = python::python("mlflow") else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}");
    let _server = Server::start(&python, folder.path(), port);
    let outbox = folder.path().join("outbox");
    let sink = Sink::new(Outbox::new(&outbox), "live");
    sink.put(&[metric(0, 0.05), metric(1, f64::NAN), metric(2, 0.06)]).unwrap();
    for _ in 0..2 {
        let delivery = sink.deliver(&tracker(&uri)).unwrap();
        assert_eq!((delivery.delivered.len(), delivery.waiting.len()), (3, 0), "{:?}", delivery.waiting);
        // As if the process had been killed before it noted the delivery.
        for entry in std::fs::read_dir(outbox.join("done")).unwrap() {
            let path = entry.unwrap().path();
            std::fs::rename(&path, outbox.join(path.file_name().unwrap())).unwrap();
        }
    }
    let key = METRIC.replace('=', ":");
    let output = Command::new(&python).args(["-c", READ, &uri, &key]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["runs"], 1);
    let first = 1_767_225_600_000_i64;
    assert_eq!(found["history"], json!([[0, first, 0.05], [2, first + 2000, 0.06]]));
    let tags = &found["tags"];
    assert_eq!(
        (&tags["model"], &tags["version"], &tags["drift-watch"], &tags["not_finite"]),
        (&json!("o'neil"), &json!("2.0.0"), &json!("live"), &json!(key))
    );

    let watched = [Watched::parse(&format!("{}/{key}", found["run"].as_str().unwrap())).unwrap()];
    let polled = poll(&watched, &Seen::default(), &tracker(&uri));
    let values: Vec<f64> = polled.points.iter().map(|point| point.value).collect();
    assert_eq!((values, polled.failures.len()), (vec![0.05, 0.06], 0));
    assert!(poll(&watched, &polled.seen, &tracker(&uri)).points.is_empty());
    let unknown = [Watched::parse("0123456789abcdef0123456789abcdef/mape").unwrap()];
    let polled = poll(&unknown, &Seen::default(), &tracker(&uri));
    assert!(polled.points.is_empty() && polled.failures.len() <= 1, "{:?}", polled.failures);
}
