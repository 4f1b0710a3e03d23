//! Runs of MLflow: artifacts are read from a local file store or, with the feature `http`, from a tracking server over REST;
//! with that feature a [`Tracker`] also writes runs, registered models, versions and aliases.
//!
//! Nothing is executed and no model is loaded. What a run or a server says of paths is never followed outside the run's own
//! artifact folder; secrets come from the environment or from files and stand in no message.

mod batch;
mod config;
#[cfg(feature = "http")]
mod delivery;
#[cfg(feature = "http")]
mod failure;
#[cfg(feature = "http")]
mod rest;
#[cfg(feature = "http")]
mod server;
mod store;
#[cfg(feature = "http")]
mod tracker;

use std::fmt;

use crate::error::{Error, Result};

pub use batch::{Batch, Point, distinct_key, key};
pub use config::{Config, Secret, Tracking};
#[cfg(feature = "http")]
pub use delivery::{Deliverer, LIMITS, deliver};
#[cfg(feature = "http")]
pub use failure::{Courier, Failure, Kind, Outcome};
#[cfg(feature = "http")]
pub use tracker::{Limits, ModelVersion, Run, RunData, Tracker};

/// The artifact that is read where none is named.
pub const DEFAULT_ARTIFACT: &str = "benchmark/benchmark_results.json";

/// The largest artifact that is read, in bytes.
pub const MOST_ARTIFACT_BYTES: u64 = 64 << 20;

/// The identifier of a run: 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId(String);

impl RunId {
    /// Checks the form of an identifier.
    ///
    /// # Errors
    /// If it is not 32 lower-case hexadecimal digits.
    pub fn new(text: &str) -> Result<Self> {
        let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex && text.len() == 32 {
            return Ok(Self(text.to_owned()));
        }
        let error = Error::usage(format!("MLflow run {text:?}"), "32 hexadecimal digits");
        Err(error.with_help("copy the run ID from the run's page or from `mlflow runs list`"))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of an artifact below its run's artifact folder: plain names joined by `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// Checks that a path cannot leave the folder: no empty part, `.`, `..`, backslash or control character.
    ///
    /// # Errors
    /// If it could.
    pub fn new(text: &str) -> Result<Self> {
        let plain =
            |part: &str| !matches!(part, "" | "." | "..") && !part.contains(|c: char| c == '\\' || c.is_control());
        if text.split('/').all(plain) {
            return Ok(Self(text.to_owned()));
        }
        let expected = "a path below the run's artifacts, such as benchmark/benchmark_results.json";
        Err(Error::usage(format!("artifact path {text:?}"), expected))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bytes of an artifact.
///
/// # Errors
/// [`Error::Usage`] if the run or the artifact does not exist or the tracking address is of a kind that cannot be read,
/// [`Error::Environment`] if the server or the store fails.
pub fn artifact(config: &Config, run: &RunId, path: &ArtifactPath) -> Result<Vec<u8>> {
    match &config.tracking {
        Tracking::Store(root) => store::artifact(root, run, path),
        #[cfg(feature = "http")]
        Tracking::Server(base) => rest::artifact(config, base, run, path),
        #[cfg(not(feature = "http"))]
        Tracking::Server(_) => {
            Err(Error::usage("an MLflow server in MLFLOW_TRACKING_URI", "a file store in this build")
                .with_help("build with the feature `http`, or download the artifact and name the file"))
        }
    }
}

/// The run or artifact that a command names does not exist; a retry does not help.
fn absent(found: String, help: impl Into<String>) -> Error {
    Error::usage(found, "an existing run with this artifact").with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_are_hexadecimal() {
        assert!(RunId::new("76af81e81f2d4cae80202c1f4c7612b4").is_ok());
        for bad in ["", "76af", "../../../../../../etc/passwd/////", "76AF81E81F2D4CAE80202C1F4C7612B4"] {
            assert!(RunId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn artifact_paths_stay_below_the_run() {
        assert!(ArtifactPath::new("benchmark/a b.json").is_ok());
        for bad in ["", "/etc/passwd", "a/../b", "..", "a//b", "a/", "./a", "a\\..\\b", "a\nb"] {
            assert!(ArtifactPath::new(bad).is_err(), "{bad}");
        }
    }
}
