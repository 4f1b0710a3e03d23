//! Promotions delivered to a real MLflow server, and read back by MLflow's own Python client.
//!
//! Runs where `FORECAST_PYTHON` names a python with `mlflow`.
#![cfg(feature = "http")]
use crate::python;

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{promote, release, run, said, store};
use crate::mlflow_process::Server;
use manifest_gen::mlflow::{self, Settings};
use manifest_gen::store::{Store, Stored};
use serde_json::Value;
use shared::format::registry::Action;

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/python/check_mlflow.py");

fn client(python: &str, words: &[&str]) -> Value {
    let output = Command::new(python).arg(CHECK).args(words).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn queued(store: &Store, release: &Stored, action: Action, at: &str) {
    promote(store, release, "champion", action, at);
    let settings = Settings { tracking_uri: None, experiment: "walmart sales".to_owned() };
    match action {
        Action::Rollback => mlflow::queue_alias(store, release, "champion", &settings).unwrap(),
        _ => mlflow::queue(store, release, "champion", &settings).unwrap(),
    }
}

/// As if the process had been killed between the delivery and its note of it.
fn forget_deliveries(store: &Store) {
    let folder = store.root.join(".outbox/mlflow");
    for entry in std::fs::read_dir(folder.join("done")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::rename(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
}

fn sync(store: &Store, uri: &str) -> (String, i32) {
    said(&run(store, &["sync", "--tracking-uri", uri], &[]))
}

#[test]
fn promotions_arrive_when_the_server_is_there() {
    let Some(python) = python::python("mlflow, sklearn") else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{port}");
    let model = folder.path().join("model.pkl");
    client(&python, &["make-model", model.to_str().unwrap()]);
    let (first, second) = (
        release(&store, "1", b"another model", |_| ()),
        release(&store, "2", &std::fs::read(&model).unwrap(), |manifest| {
            manifest.artifacts[0].globals = vec!["sklearn.linear_model._base.LinearRegression".to_owned()];
        }),
    );
    queued(&store, &second, Action::Promote, "2026-01-05T00:00:00Z");

    let start = Instant::now();
    let (text, exit) = sync(&store, &uri);
    assert!(
        exit == 3 && text.contains("waiting lightgbm 2.0.0 as champion") && text.contains("cannot be reached"),
        "{text}"
    );
    assert!(start.elapsed() < Duration::from_secs(10));

    let _server = Server::start(&python, folder.path(), port);
    let (text, exit) = sync(&store, &uri);
    assert_eq!((text.as_str(), exit), ("delivered lightgbm 2.0.0 as champion\n", 0));
    let root = store.root.join("releases/lightgbm/2.0.0");
    let check = |release: &Stored| {
        let folder = root.with_file_name(&release.manifest.version);
        let words = ["check", &uri, "lightgbm", "champion", "walmart sales", folder.to_str().unwrap()];
        client(&python, &words)
    };
    let counts = check(&second);
    assert_eq!(counts, serde_json::json!({"runs": 1, "versions": 1, "metric_points": 4}));
    client(&python, &["load", &uri, "lightgbm", "champion"]);

    assert_eq!(sync(&store, &uri), ("nothing waits\n".to_owned(), 0));
    queued_again(&store, &second);
    assert_eq!(sync(&store, &uri), ("nothing waits\n".to_owned(), 0));
    forget_deliveries(&store);
    assert_eq!(sync(&store, &uri).1, 0);
    assert_eq!(check(&second), counts);

    queued(&store, &first, Action::Rollback, "2026-01-06T00:00:00Z");
    assert_eq!(sync(&store, &uri), ("delivered lightgbm 1.0.0 as champion\n".to_owned(), 0));
    assert_eq!(check(&first), serde_json::json!({"runs": 2, "versions": 2, "metric_points": 4}));
}

/// As a repair does that does not know whether the promotion was queued.
fn queued_again(store: &Store, release: &Stored) {
    let settings = Settings { tracking_uri: None, experiment: "walmart sales".to_owned() };
    mlflow::queue(store, release, "champion", &settings).unwrap();
}
