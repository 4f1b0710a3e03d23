//! MLflow's file store: `mlruns/{experiment}/{run}/artifacts/…`, read without MLflow.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::fsio;

use super::{ArtifactPath, MOST_ARTIFACT_BYTES, RunId, absent};

/// The bytes of an artifact of a run in the store at `root`.
pub(super) fn artifact(root: &Path, run: &RunId, path: &ArtifactPath) -> Result<Vec<u8>> {
    let folder = run_folder(root, run)?;
    refuse_deleted(&folder, run)?;
    let artifacts = folder.join("artifacts");
    let file = artifacts.join(path.as_str());
    if !file.is_file() {
        let found = format!("MLflow run {run} has no artifact {path} in {}", artifacts.display());
        return Err(absent(found, elsewhere(&folder)));
    }
    refuse_escape(&artifacts, &file)?;
    read_capped(&file)
}

/// The run's folder in whichever experiment holds it.
fn run_folder(root: &Path, run: &RunId) -> Result<PathBuf> {
    let entries = fs::read_dir(root).map_err(|source| Error::Open { path: root.to_owned(), source })?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path().join(run.as_str())).collect();
    folders.sort();
    folders.into_iter().find(|folder| folder.join("meta.yaml").is_file()).ok_or_else(|| {
        let help =
            "list what is there with `ls`, or set MLFLOW_TRACKING_URI to the store or server that tracks the run";
        absent(format!("no MLflow run {run} in {}", root.display()), help)
    })
}

/// A field of `meta.yaml`, which MLflow writes as one `key: value` a line.
fn meta(folder: &Path, key: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join("meta.yaml")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))?;
    Some(value.trim_matches('\'').to_owned())
}

fn refuse_deleted(folder: &Path, run: &RunId) -> Result<()> {
    if meta(folder, "lifecycle_stage").as_deref() == Some("deleted") {
        return Err(absent(format!("MLflow run {run} is deleted"), "restore it with `mlflow runs restore`"));
    }
    Ok(())
}

/// What to do when the artifact is not below the run.
fn elsewhere(folder: &Path) -> String {
    match meta(folder, "artifact_uri").filter(|uri| !uri.starts_with("file:") && uri.contains("://")) {
        Some(uri) => format!("the run keeps its artifacts in {uri}: download the file and name it instead"),
        None => {
            "log it with mlflow.log_artifact(…, \"benchmark\"), or name another path: mlflow:RUN_ID/PATH".to_owned()
        }
    }
}

/// Refuses a symbolic link that leads out of the run's artifacts.
fn refuse_escape(artifacts: &Path, file: &Path) -> Result<()> {
    let real = |path: &Path| path.canonicalize().map_err(|source| Error::io(path, "resolve", source));
    if real(file)?.starts_with(real(artifacts)?) {
        return Ok(());
    }
    Err(Error::usage(format!("{} leads out of the run's artifacts", file.display()), "a file inside them"))
}

fn read_capped(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut limited = fsio::open(file)?.take(MOST_ARTIFACT_BYTES + 1);
    limited.read_to_end(&mut bytes).map_err(|source| Error::io(file, "read", source))?;
    if bytes.len() as u64 > MOST_ARTIFACT_BYTES {
        let found = format!("{} is larger than {MOST_ARTIFACT_BYTES} bytes", file.display());
        return Err(Error::usage(found, "a results file"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_ARTIFACT;
    use super::*;

    const RUN: &str = "76af81e81f2d4cae80202c1f4c7612b4";

    fn committed() -> PathBuf {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/artifacts/mlruns").into()
    }

    fn ask(root: &Path, run: &str, path: &str) -> Result<Vec<u8>> {
        artifact(root, &RunId::new(run).unwrap(), &ArtifactPath::new(path).unwrap())
    }

    /// A store with one run that holds one artifact.
    fn store(stage: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("7").join(RUN);
        fsio::create_folder(&run.join("artifacts")).unwrap();
        let meta = format!("artifact_uri: s3://bucket/x\nlifecycle_stage: {stage}\n");
        fsio::write_atomic(&run.join("meta.yaml"), meta.as_bytes()).unwrap();
        fsio::write_atomic(&run.join("artifacts/a.json"), b"{}").unwrap();
        (folder, run)
    }

    #[test]
    fn the_committed_run_is_read() {
        let bytes = ask(&committed(), RUN, DEFAULT_ARTIFACT).unwrap();
        assert!(bytes.starts_with(b"{\n  \"results\": ["));
    }

    #[test]
    fn what_is_absent_is_named() {
        let message = |run, path| ask(&committed(), run, path).unwrap_err().to_string();
        assert!(message(RUN, "benchmark/x.json").contains("has no artifact benchmark/x.json"));
        assert!(message("0123456789abcdef0123456789abcdef", "a").contains("no MLflow run 0123"));
        assert!(matches!(ask(Path::new("/absent"), RUN, "a"), Err(Error::Open { .. })));
    }

    #[test]
    fn deleted_runs_and_links_out_of_the_run_are_refused() {
        let (root, run) = store("deleted");
        assert!(ask(root.path(), RUN, "a.json").unwrap_err().to_string().contains("deleted"));
        drop((root, run));
        let (root, run) = store("active");
        assert_eq!(ask(root.path(), RUN, "a.json").unwrap(), b"{}");
        assert!(ask(root.path(), RUN, "b.json").unwrap_err().help().unwrap().contains("s3://bucket/x"));
        std::os::unix::fs::symlink(run.join("meta.yaml"), run.join("artifacts/out.json")).unwrap();
        assert!(ask(root.path(), RUN, "out.json").unwrap_err().to_string().contains("leads out"));
    }
}
