//! A real MLflow: the daemon logs what it measures to it, once and without a NaN, and watches what others log.
//!
//! Runs where `FORECAST_PYTHON` names a python with `mlflow`.

use std::collections::BTreeMap;
use std::process::Command;

use super::stream::Hourly;
use super::{command, has_alert, status_when, steps};
use crate::mlflow_process::Server;
use crate::process::{Daemon, wait_for};
use crate::python;
use crate::real_process::{free_address, get};
use crate::replayed::Place;
use jiff::Timestamp;
use reqwest::blocking::Client;
use serde_json::{Value, json};

/// Key, step and time in milliseconds: value.
type Points = BTreeMap<(String, i64, i64), f64>;

/// Every point that the server's database holds of the runs of an experiment, and the runs' tags; past the API, which shows of
/// points that are there twice only one.
const READ: &str = "
import json, sqlite3, sys
base = sqlite3.connect(sys.argv[1])
runs = base.execute('select run_uuid from runs join experiments using (experiment_id) where experiments.name = ?', ['live']).fetchall()
points = base.execute('select key, step, timestamp, value, is_nan from metrics where run_uuid = ?', runs[0]).fetchall() if runs else []
tags = dict(base.execute('select key, value from tags where run_uuid = ?', runs[0]).fetchall()) if runs else {}
print(json.dumps({'runs': len(runs), 'points': points, 'tags': tags}))
";

struct Mlflow {
    base: String,
    python: String,
    database: String,
    client: Client,
}

impl Mlflow {
    fn post(&self, call: &str, body: &Value) -> Value {
        let url = format!("{}/api/2.0/mlflow/{call}", self.base);
        let answer = self.client.post(url).json(body).send().unwrap().error_for_status().unwrap();
        answer.json().unwrap()
    }

    fn log(&self, run: &str, step: i64, value: f64) {
        let time = Timestamp::now().as_millisecond();
        let metric = json!({"key": "val/mape", "value": value, "timestamp": time, "step": step});
        self.post("runs/log-batch", &json!({"run_id": run, "metrics": [metric]}));
    }

    fn read(&self) -> Value {
        let output = Command::new(&self.python).args(["-c", READ, &self.database]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The points, each of which is there once and is a number.
    fn points(&self) -> Points {
        let mut all = Points::new();
        for point in self.read()["points"].as_array().unwrap() {
            let (key, value) = (point[0].as_str().unwrap().to_owned(), point[3].as_f64().unwrap());
            assert!(!point[4].as_bool().unwrap_or(point[4] == 1) && value.is_finite(), "{point}");
            let before = all.insert((key, point[1].as_i64().unwrap(), point[2].as_i64().unwrap()), value);
            assert_eq!(before, None, "{point} twice");
        }
        all
    }
}

fn daemon(place: &Place, mlflow: &Mlflow, run: &str) -> Daemon {
    let rule = format!("val: mlflow:{run}/val/mape > 0.2 for 2");
    let watched = format!("{run}/val/mape");
    let words =
        ["--mlflow-experiment", "live", "--mlflow-metric", &watched, "--mlflow-interval", "1s", "--rule", &rule];
    let mut command = command(place, &words);
    command.env("MLFLOW_TRACKING_URI", &mlflow.base);
    Daemon::start(command)
}

/// What the page of the daemon says of each of its steps, oldest first: the sparkline of a metric.
fn history(status: &Value, metric: &str) -> Vec<Option<f64>> {
    let of = |one: &&Value| one["metric"] == metric && one["group"] == "all" && one["window"] == "28 steps";
    let found = status["models"][0]["metrics"].as_array().unwrap().iter().find(of).unwrap();
    serde_json::from_value(found["history"].clone()).unwrap()
}

/// Each step's value under the number and the time of the step.
fn expected(status: &Value, demand: &Hourly) -> Points {
    let mut all = Points::new();
    for metric in ["mape_ratio", "wape_ratio", "mae", "rmse", "bias_ratio", "da_ratio", "coverage_ratio"] {
        for (value, step) in history(status, metric).into_iter().zip(0..) {
            let time = demand.target(step) / 1000;
            all.extend(value.map(|value| ((format!("live/{metric}/h1"), step, time), value)));
        }
    }
    all
}

/// MAPE by target time, by hand.
fn mape(place: &Place) -> BTreeMap<i64, f64> {
    let read = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(place.path(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let key = |row: &Value| (row["series"].to_string(), row["target_time"].to_string());
    let forecasts: BTreeMap<_, f64> =
        read("predictions.jsonl").iter().map(|row| (key(row), row["y_hat"].as_f64().unwrap())).collect();
    let mut errors: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for row in read("actuals.jsonl") {
        let (y, target) =
            (row["y"].as_f64().unwrap(), row["target_time"].as_str().unwrap().parse::<Timestamp>().unwrap());
        errors.entry(target.as_millisecond()).or_default().push((forecasts[&key(&row)] - y).abs() / y);
    }
    errors.into_iter().map(|(time, errors)| (time, errors.iter().sum::<f64>() / errors.len() as f64)).collect()
}

fn delivered(status: &Value, steps: u64) -> bool {
    let receiver = &status["receivers"][0];
    receiver["name"] == "mlflow" && receiver["delivered"].as_u64() >= Some(steps) && receiver["waiting"] == 0
}

fn check_sink(place: &Place, mlflow: &Mlflow, demand: &Hourly, run: &str) {
    let mut daemon = daemon(place, mlflow, run);
    let status = status_when(&mut daemon, "all steps logged", |status| {
        let steps = steps(status, "demand");
        steps >= 17 && delivered(status, steps)
    });
    let (stored, expected) = (mlflow.points(), expected(&status, demand));
    assert!(expected.len() > 17 * 5, "{expected:?}");
    assert_eq!(stored, expected);
    let mape = mape(place);
    for ((_, _, time), value) in stored.iter().filter(|((key, ..), _)| key == "live/mape_ratio/h1") {
        assert!((value - mape[time]).abs() < 1e-12, "{value} instead of {}", mape[time]);
    }
    let tags = &mlflow.read()["tags"];
    assert_eq!((&tags["model"], &tags["version"]), (&json!("demand"), &json!("1")));
    daemon.stop();
}

/// A restart, with a queue that forgot what it had delivered, as one that was killed.
fn check_restart(place: &Place, mlflow: &Mlflow, demand: &Hourly, run: &str) {
    std::fs::remove_dir_all(place.path("state/mlflow/done")).unwrap();
    demand.write(place, 18..21, 1.0);
    let mut daemon = daemon(place, mlflow, run);
    let status = status_when(&mut daemon, "all steps logged again", |status| {
        let steps = steps(status, "demand");
        steps >= 20 && delivered(status, steps)
    });
    assert_eq!(mlflow.points(), expected(&status, demand), "each point once, the new ones with them");
    assert_eq!(mlflow.read()["runs"], 1);
    daemon.stop();
}

fn check_rule(place: &Place, mlflow: &Mlflow, run: &str) {
    let name = format!("mlflow:{run}/val/mape");
    let value = |status: &Value| status["external"][0]["value"].as_f64();
    mlflow.log(run, 0, 0.05);
    let mut daemon = daemon(place, mlflow, run);
    let status = status_when(&mut daemon, "the first value", |status| value(status) == Some(0.05));
    assert_eq!(status["external"][0]["name"], name.as_str());
    mlflow.log(run, 1, 0.3);
    let status = status_when(&mut daemon, "one bad value", |status| value(status) == Some(0.3));
    assert!(!has_alert(&status, "rule", "", "firing"), "the rule asks for two");
    mlflow.log(run, 2, 0.4);
    let status = status_when(&mut daemon, "the rule", |status| has_alert(status, "rule", "", "firing"));
    assert!(status["alerts"].to_string().contains(&format!("{name} is 0.4")), "{}", status["alerts"]);
    daemon.stop();
    // The restart neither repeats nor forgets it.
    let mut daemon = self::daemon(place, mlflow, run);
    status_when(&mut daemon, "the same alert", |status| has_alert(status, "rule", "", "firing"));
    mlflow.log(run, 3, 0.05);
    status_when(&mut daemon, "the end of the rule", |status| has_alert(status, "rule", "", "resolved"));
    daemon.stop();
    let events = std::fs::read_to_string(place.path("state/events.jsonl")).unwrap();
    let of_rule: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<&str> = of_rule
        .iter()
        .filter(|event| event["alert"]["kind"] == "rule")
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(seen, ["fired", "resolved"]);
}

#[test]
fn metrics_go_to_mlflow_once_and_others_come_from_there() {
    let Some(python) = python::python("mlflow") else { return };
    let (folder, place) = (tempfile::tempdir().unwrap(), Place::new());
    let address = free_address();
    let _server = Server::start(&python, folder.path(), address.port());
    let database = folder.path().join("mlflow.db").display().to_string();
    let mlflow = Mlflow {
        base: format!("http://{address}"),
        python,
        database,
        client: Client::builder().no_proxy().build().unwrap(),
    };
    wait_for("MLflow", || get(&format!("{}/health", mlflow.base)).is_some());
    let experiment = mlflow.post("experiments/create", &json!({"name": "others"}));
    let run = mlflow.post("runs/create", &json!({"experiment_id": experiment["experiment_id"], "start_time": 1}));
    let run = run["run"]["info"]["run_id"].as_str().unwrap();

    let demand = Hourly::starting("demand", 40);
    demand.write(&place, 0..18, 1.0);
    check_sink(&place, &mlflow, &demand, run);
    check_restart(&place, &mlflow, &demand, run);
    check_rule(&place, &mlflow, run);
}
