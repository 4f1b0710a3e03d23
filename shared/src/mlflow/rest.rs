//! Reading an artifact over MLflow's REST interface: the run's record, then the file.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::format::json;

use super::server::{Location, MOST_RECORD_BYTES, Server, encoded};
use super::{ArtifactPath, Config, MOST_ARTIFACT_BYTES, RunId, absent};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The bytes of an artifact of a run that the server at `base` tracks.
pub(super) fn artifact(config: &Config, base: &str, run: &RunId, path: &ArtifactPath) -> Result<Vec<u8>> {
    let server = Server::new(config, base, CONNECT_TIMEOUT, None)?;
    let record = server.get(&format!("/api/2.0/mlflow/runs/get?run_id={run}"), MOST_RECORD_BYTES)?;
    let record = record.ok_or_else(|| no_run(base, run))?;
    // What is no JSON names no place either.
    let record = json::parse(&record).or_else(|_| json::parse(b"{}")).map_err(|fault| fault.in_file(base.as_ref()))?;
    let location = server.location(&record, run)?;
    let bytes = server.get(&artifact_request(&location, run, path), MOST_ARTIFACT_BYTES)?;
    bytes.ok_or_else(|| {
        let help = "see the run's Artifacts page, log it with mlflow.log_artifact(…, \"benchmark\"), or name another path: \
                    mlflow:RUN_ID/PATH";
        absent(format!("{base}: MLflow run {run} has no artifact {path}"), help)
    })
}

pub(super) fn artifact_request(location: &Location, run: &RunId, path: &ArtifactPath) -> String {
    match location {
        Location::Proxied(root) => format!("/api/2.0/mlflow-artifacts/artifacts/{root}/{}", encoded(path.as_str())),
        Location::Own => format!("/get-artifact?run_uuid={run}&path={}", encoded(path.as_str())),
    }
}

fn no_run(base: &str, run: &RunId) -> Error {
    let help = "see the run ID and MLFLOW_TRACKING_URI: each server tracks its own runs";
    absent(format!("{base}: no MLflow run {run}"), help)
}
