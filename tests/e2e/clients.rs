//! What others read of us: the dataclass of the team, the signing client of `OpenSSF`, MLflow.

use std::process::Command;

use e2e::{Place, data, root};
use serde_json::{Value, json};

use crate::mlflow_process::Server;
use crate::project::Project;
use crate::python::python;
use crate::real_process::free_address;

/// Rows of `benchmark_results.json` as the team's dataclass, which refuses unknown keys, reads them.
fn loaded(python: &str, place: &Place, file: &str) -> Vec<Value> {
    let mut load = Command::new(python);
    load.arg(root().join("tests/data/python/load_benchmark.py")).arg(place.path(file));
    let output = load.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn benchmark_results_that_score_writes_are_read_by_the_dataclass_of_the_team() {
    let Some(python) = python("dataclasses") else { return };
    let place = Place::new();
    let table = data("cv/bls_unemployment_cv.csv");
    let words =
        ["score", &table, "--write-benchmark", "out", "--dataset", "bls", "--metrics", "mape,rmse,mae", "--json"];
    let score = place.run("bench-compare", &words);
    assert_eq!(score.status, 0, "{}", score.stderr);
    let file = "out/benchmark_results.json";
    let rows = loaded(&python, &place, file);
    let models = score.json()["models"].clone();
    assert_eq!(rows.len(), models.as_object().unwrap().len());
    for row in &rows {
        let model = &models[row["model_name"].as_str().unwrap()];
        let number = |value: &Value| value.as_f64().unwrap();
        // The class writes percent.
        assert!((number(&row["mape"]) / number(&model["mape_ratio"]) - 100.0).abs() < 1e-9, "{row} {model}");
        assert_eq!(
            (number(&row["rmse"]), number(&row["mae"])),
            (number(&model["rmse"]), number(&model["mae"])),
            "{row}"
        );
        assert_eq!((&row["dataset_name"], &row["n_samples"]), (&json!("bls"), &model["n"]), "{row}");
    }
    let lint = place.run("bench-compare", &["lint", file]);
    assert_eq!((lint.status, lint.stdout.as_str()), (0, "1 file, 0 errors, 0 warnings\n"));
}

#[test]
fn a_release_that_is_signed_and_promoted_is_verified_by_the_public_client() {
    let Some(project) = Project::released("model_signing, OpenSSL") else { return };
    let key = |name: &str| data(&format!("signing/keys/{name}"));
    project.demand("sign", &["1", "--key", &key("p256.pem")]);
    project.demand("promote", &["1", "--public-key", &key("p256.pub"), "--require-signature"]);
    let release = project.place.path("models/releases/demand/1.0.0");
    let verified = || {
        let mut client = Command::new(&project.python);
        client.args(["-m", "model_signing", "verify", "key", "--public_key", &key("p256.pub"), "--signature"]);
        client.arg(release.join("model.sig")).arg(&release).output().unwrap()
    };
    let said = verified();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let model = release.join("demand_v1.pkl");
    let mut bytes = shared::fsio::read(&model).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    shared::fsio::write_atomic(&model, &bytes).unwrap();
    assert!(!verified().status.success(), "a changed byte is seen");
}

/// What MLflow's own client reads behind the alias.
fn behind_champion(project: &Project, uri: &str) -> Value {
    let mut client = Command::new(&project.python);
    client.arg(root().join("tests/python/check_mlflow.py")).args(["read", uri, "demand", "champion"]);
    let output = client.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn promotions_and_rollbacks_are_read_by_the_client_of_mlflow() {
    let Some(project) = Project::released("mlflow") else { return };
    let address = free_address();
    let _server = Server::start(&project.python, &project.place.path(""), address.port());
    let uri = format!("http://{address}");
    let told = ["--mlflow", "--tracking-uri", &uri, "--experiment", "demand"];
    for (command, words, version) in [("promote", &["1"][..], "1"), ("promote", &["2"], "2"), ("rollback", &[], "1")] {
        project.demand(command, &[words, &told].concat());
        let read = behind_champion(&project, &uri);
        assert_eq!((&read["tags"]["version"], &read["status"]), (&json!(format!("{version}.0.0")), &json!("FINISHED")));
        let file = project.place.path(&format!("v{version}/benchmark_results.json"));
        let results: Value = serde_json::from_slice(&shared::fsio::read(&file).unwrap()).unwrap();
        assert_eq!(read["metrics"]["rmse"], results["results"][0]["rmse"], "{read}");
        let mape = results["results"][0]["mape"].as_f64().unwrap();
        assert!((read["metrics"]["mape_ratio"].as_f64().unwrap() - mape / 100.0).abs() < 1e-12, "{read}");
    }
}
