//! Folders of models for tests: releases with real files and digests, promoted in a registry.

#![allow(dead_code, reason = "each test uses some of it")]
#[path = "../../../src/export/sample.rs"]
mod sample;

use std::path::Path;
use std::process::{Command, Output};

use manifest_gen::store::{Store, Stored};
use manifest_gen::version::ModelVersion;
use shared::format::manifest::Manifest;
use shared::format::registry::{Action, Event, GivenEvidence, Version};
use shared::{digest, fsio};

/// A benchmark file in which the release's model has parameters.
const BENCHMARK: &str = r#"{"results": [
 {"model_name": "naive", "dataset_name": "walmart", "mape": 9.1, "rmse": 2.0, "mae": 1.5, "training_time": 0.1,
  "prediction_time": 0.1, "n_samples": 270, "n_features": 3, "params": {"n_estimators": 1}},
 {"model_name": "lightgbm_v2", "dataset_name": "walmart", "mape": 5.1, "rmse": 1.0, "mae": 0.5, "training_time": 0.1,
  "prediction_time": 0.1, "n_samples": 270, "n_features": 3,
  "params": {"n_estimators": 250, "learning_rate": 0.05, "objective": "mae", "monotone (%)": [1, 0], "horizon": "weekly"}}
 ], "timestamp": "2026-01-01T00:00:00", "n_models": 2, "n_datasets": 1}"#;

/// A folder of models without releases.
pub(crate) fn store(folder: &Path) -> Store {
    Store { root: folder.join("models") }
}

/// Makes the release `version` whose model has these bytes; `change` may alter its manifest.
pub(crate) fn release(store: &Store, version: &str, model: &[u8], change: impl FnOnce(&mut Manifest)) -> Stored {
    let number = ModelVersion::parse(version).unwrap();
    let mut manifest = sample::manifest();
    manifest.version = number.semver.to_string();
    manifest.file_version.clone_from(&number.written);
    change(&mut manifest);
    let folder = store.release_folder(&manifest.name, &number.semver);
    fsio::create_folder(&folder.join("evidence")).unwrap();
    for artifact in &mut manifest.artifacts {
        let bytes = if artifact.role == "model" { model } else { b"scaler of weeks".as_slice() };
        fsio::write_atomic(&folder.join(&artifact.path), bytes).unwrap();
        (artifact.bytes, artifact.sha256) = (bytes.len() as u64, digest::of_bytes(bytes));
    }
    for evidence in &mut manifest.evidence {
        let text = if evidence.kind == "benchmark" { BENCHMARK } else { "evidence" };
        fsio::write_atomic(&folder.join(&evidence.path), text.as_bytes()).unwrap();
        (evidence.bytes, evidence.sha256) = (text.len() as u64, digest::of_bytes(text.as_bytes()));
    }
    fsio::write_atomic(&folder.join("model.sig"), b"{\"signature\": true}").unwrap();
    fsio::write_atomic(&folder.join("manifest.json"), &manifest.to_bytes().unwrap()).unwrap();
    store.manifest(&manifest.name, &number).unwrap()
}

/// Writes into the registry that the alias was set to a release, with a test log as evidence.
pub(crate) fn promote(store: &Store, release: &Stored, alias: &str, action: Action, at: &str) {
    let manifest = &release.manifest;
    let mut registry = store.registry().unwrap();
    let model = registry.models.entry(manifest.name.clone()).or_default();
    let version = Version::of(manifest, &release.sha256, None, at, None);
    model.versions.entry(manifest.version.clone()).or_insert(version);
    let path = format!("promotions/{}/junit.xml", manifest.version);
    let text = b"<testsuite/>";
    fsio::create_folder(store.root.join(&path).parent().unwrap()).unwrap();
    fsio::write_atomic(&store.root.join(&path), text).unwrap();
    let mut event = Event {
        at: at.to_owned(),
        action,
        version: manifest.version.clone(),
        alias: Some(alias.to_owned()),
        previous: model.aliases.insert(alias.to_owned(), manifest.version.clone()),
        by: "ann@host".to_owned(),
        reason: None,
        forced: None,
        overruled: Vec::new(),
        manifest_sha256: release.sha256.clone(),
        signature_sha256: None,
        evidence: vec![GivenEvidence {
            kind: "tests".to_owned(),
            path,
            sha256: digest::of_bytes(text),
            passed: true,
            summary: "0 tests".to_owned(),
        }],
        chain: model.history.last().map_or_else(|| "0".repeat(64), |event| event.sha256.clone()),
        sha256: String::new(),
    };
    event.sha256 = event.digest().unwrap();
    model.history.push(event);
    fsio::write_atomic(&store.registry_path(), &registry.to_bytes().unwrap()).unwrap();
}

/// Runs the tool on a folder of models.
pub(crate) fn run(store: &Store, words: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_manifest-gen"));
    command.args(words).arg("--root").arg(&store.root).arg("--no-config");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MLFLOW_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied()).output().unwrap()
}

/// Standard output as text, and the exit status.
pub(crate) fn said(output: &Output) -> (String, i32) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.code().unwrap())
}
