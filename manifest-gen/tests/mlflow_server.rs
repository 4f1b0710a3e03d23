//! Promotions delivered to a real MLflow server, and read back by MLflow's own Python client.
//!
//! Runs where `FORECAST_PYTHON` names a python with `mlflow`.
#![cfg(feature = "http")]
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;
mod python;

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{promote, release, run, said, store};
use manifest_gen::mlflow::{self, Settings};
use manifest_gen::store::{Store, Stored};
use serde_json::Value;
use shared::format::registry::Action;

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/python/check_mlflow.py");

const START_PATIENCE: Duration = Duration::from_mins(4);

/// A server in a process group of its own, which ends with the test.
struct Server {
    child: Child,
}

impl Server {
    fn start(python: &str, folder: &Path, port: u16) -> Self {
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let child = Command::new(python)
            .args(["-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", folder.join("mlflow.db").display()))
            .arg("--artifacts-destination")
            .arg(folder.join("artifacts"))
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .current_dir(folder)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let server = Self { child };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
            assert!(start.elapsed() < START_PATIENCE, "the server does not start: {}", log());
            thread::sleep(Duration::from_millis(300));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The group: the server has workers.
        let group = format!("-{}", self.child.id());
        _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        _ = self.child.wait();
    }
}

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
