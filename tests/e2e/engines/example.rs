//! The job of `examples/spark`, as a team would schedule it.

use std::path::Path;
use std::process::Command;

use e2e::{Place, binaries, data, root};

use super::spark::has_java;
use crate::python::python;

#[test]
fn the_job_of_the_example_ends_with_the_status_of_the_gate_on_the_rows() {
    if !has_java() {
        return;
    }
    let Some(python) = python("pyspark") else { return };
    let place = Place::new();
    let (table, train) = (data("cv/bls_unemployment_cv.csv"), data("cv/bls_unemployment_train.csv"));
    let mut words = vec!["gate", "--forecasts", &table, "--train", &train, "--season", "12", "--slice", "holiday = 1"];
    words.extend(["--candidate-model", "LightGBM", "--baseline-model", "SeasonalNaive", "--json"]);
    let rows = place.run("bench-compare", &words);
    let folder = Path::new(&python).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut job = Command::new("make");
    job.args(["--silent", "gate"]).arg(format!("OUT={}", place.path("out").display()));
    job.current_dir(root().join("examples/spark")).env("PATH", format!("{}:{path}", binaries().display()));
    job.env("SPARK_SUBMIT", folder.join("spark-submit")).env("PYSPARK_PYTHON", &python);
    let said = job.output().unwrap();
    let verdict = shared::fsio::read(&place.path("out/verdict.json"));
    let verdict = verdict.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said.stderr)));
    crate::same::assert_same(&rows.json(), &serde_json::from_slice(&verdict).unwrap(), "the example", 200);
    // make has a status of its own, and names that of the gate.
    assert!(String::from_utf8_lossy(&said.stderr).contains(&format!("Error {}", rows.status)), "{said:?}");
}

#[test]
fn the_schedule_of_the_example_can_be_read() {
    let settings = root().join("examples/spark/promotion.toml").display().to_string();
    let said = Place::new().run("rebench-cron", &["check", "--config", &settings]);
    assert_eq!(said.status, 0, "{}", said.stderr);
}
