//! `examples/serving/app.py` as a service: it follows the registry without a restart and refuses bytes that are not its own.
//!
//! Needs `FORECAST_PYTHON`, a python with fastapi, uvicorn, joblib and scikit-learn; says so where there is none.
use crate::python;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::registered::{Models, Release, write};
use serde_json::{Value, json};

/// How long the service may take to answer for the first time.
const PATIENCE: Duration = Duration::from_mins(1);

const FEATURES: [(&str, &str); 2] = [("lag", "number"), ("week", "number")];

/// Trains two versions: the second says ten times what the first says.
const TRAIN: &str = "
import sys, joblib
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler
rows = [[0.0, 1.0], [1.0, 0.0], [2.0, 5.0], [3.0, 2.0]]
scaler = StandardScaler().fit(rows)
joblib.dump(scaler, sys.argv[1] + '/scaler.pkl')
for version, factor in (('1', 1.0), ('2', 10.0)):
    model = LinearRegression().fit(scaler.transform(rows), [factor * row[0] for row in rows])
    joblib.dump(model, sys.argv[1] + '/model' + version + '.pkl')
";

/// Two releases that the python trained; the first is champion.
fn models(python: &Path) -> Models {
    let mut models = Models::new();
    let folder = models.folder.path().to_owned();
    let status = Command::new(python).args(["-c", TRAIN]).arg(&folder).status().unwrap();
    assert!(status.success());
    let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
    for file_version in ["1", "2"] {
        let (model, scaler) = (bytes(&format!("model{file_version}.pkl")), bytes("scaler.pkl"));
        let artifacts =
            [("model", "model.pkl", model.as_slice()), ("preprocessing", "preprocessing.pkl", scaler.as_slice())];
        models.release(&Release { name: "lightgbm", file_version, artifacts: &artifacts, features: &FEATURES });
    }
    models.promote("lightgbm", "1.0.0", "champion");
    models
}

/// The running service; it ends with the test.
struct Service {
    child: Child,
    port: u16,
}

impl Drop for Service {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Service {
    fn start(python: &Path, models: &Models) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(python)
            .args(["-B", "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--log-level", "warning", "--port"])
            .arg(port.to_string())
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/serving"))
            .env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/live"))
            .env("RECORDS", models.root().join("records"))
            .env("MODELS", models.root())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut service = Self { child, port };
        let started = Instant::now();
        while service.connect().is_none() {
            assert!(service.child.try_wait().unwrap().is_none(), "uvicorn ended");
            assert!(started.elapsed() < PATIENCE, "uvicorn does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        service
    }

    fn connect(&self) -> Option<TcpStream> {
        TcpStream::connect(("127.0.0.1", self.port)).ok()
    }

    /// Status and answer to a request for forecasts.
    fn predict(&self, request: &Value) -> (u16, Value) {
        let mut stream = self.connect().unwrap();
        let body = request.to_string();
        let head = format!(
            "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
    }
}

/// The one forecast, to a few digits.
fn forecast(answer: &Value) -> f64 {
    (answer["predictions"][0].as_f64().unwrap() * 1e6).round() / 1e6
}

#[test]
fn the_service_follows_the_registry_and_refuses_tampered_bytes() {
    let Some(python) = python::python("fastapi, uvicorn, joblib, sklearn").map(PathBuf::from) else { return };
    let mut models = models(&python);
    let service = Service::start(&python, &models);
    let request = json!({ "instances": [{ "lag": 2.0, "week": 5.0 }] });
    let manifest =
        |models: &Models, version: &str| models.registry.models["lightgbm"].versions[version].manifest_sha256.clone();

    let (status, first) = service.predict(&request);
    assert_eq!((status, &first["version"], forecast(&first)), (200, &json!("1.0.0"), 2.0), "{first}");
    assert_eq!(first["manifest_sha256"], manifest(&models, "1.0.0"));
    assert_eq!(service.predict(&json!({ "instances": [{ "lag": 2.0 }] })).0, 422);

    models.promote("lightgbm", "2.0.0", "champion");
    let (status, second) = service.predict(&request);
    assert_eq!((status, &second["version"], forecast(&second)), (200, &json!("2.0.0"), 20.0), "{second}");
    assert_eq!(second["manifest_sha256"], manifest(&models, "2.0.0"));

    let path = models.root().join("releases/lightgbm/2.0.0/model.pkl");
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    write(&path, &bad);
    for _ in 0..2 {
        let (status, refused) = service.predict(&request);
        assert_eq!(status, 503, "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains("SHA-256"), "{refused}");
    }

    write(&path, &good);
    assert_eq!(service.predict(&request).1["version"], "2.0.0");
    models.yank("lightgbm", "2.0.0");
    let (status, refused) = service.predict(&request);
    assert_eq!(status, 503);
    assert!(refused["detail"].as_str().unwrap().contains("yanked"), "{refused}");
}
