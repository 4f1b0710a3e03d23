//! What an input argument names: a file, standard input, or an artifact of an MLflow run.

use std::path::{Path, PathBuf};

use shared::mlflow::{self, ArtifactPath, Config, DEFAULT_ARTIFACT, RunId};
use shared::{Result, fsio};

/// What stands before the run ID in an argument that names an MLflow artifact.
const MLFLOW_PREFIX: &str = "mlflow:";

/// Where the bytes of an input come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input: `-`.
    Stdin,
    /// An artifact of an MLflow run: `mlflow:RUN_ID` or `mlflow:RUN_ID/PATH`.
    Mlflow {
        /// The run.
        run: RunId,
        /// The artifact; `benchmark/benchmark_results.json` where none is named.
        path: ArtifactPath,
    },
}

/// Reads an argument. A file whose name begins with `mlflow:` is named `./mlflow:…`.
///
/// # Errors
/// If an `mlflow:` argument has no run ID of 32 hexadecimal digits, or a path that leaves the run.
pub fn resolve(arg: &str) -> Result<Source> {
    if arg == "-" {
        return Ok(Source::Stdin);
    }
    let Some(named) = arg.strip_prefix(MLFLOW_PREFIX) else { return Ok(Source::File(arg.into())) };
    let (run, path) = named.split_once('/').unwrap_or((named, DEFAULT_ARTIFACT));
    Ok(Source::Mlflow { run: RunId::new(run)?, path: ArtifactPath::new(path)? })
}

impl Source {
    /// How messages and outputs name it.
    pub fn name(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Stdin => "-".into(),
            Self::Mlflow { run, path } => format!("{MLFLOW_PREFIX}{run}/{path}").into(),
        }
    }

    /// All its bytes; an MLflow run is looked up where the environment says.
    ///
    /// # Errors
    /// If it cannot be opened or read, or if the run or artifact does not exist.
    pub fn read(&self) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => fsio::read(path),
            Self::Stdin => fsio::read(Path::new("-")),
            Self::Mlflow { run, path } => mlflow::artifact(&Config::from_env()?, run, path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_name_files_stdin_or_runs() {
        let run = "76af81e81f2d4cae80202c1f4c7612b4";
        assert_eq!(resolve("-").unwrap(), Source::Stdin);
        assert_eq!(resolve("a/b.json").unwrap(), Source::File("a/b.json".into()));
        let name = |arg: &str| resolve(arg).unwrap().name();
        assert_eq!(
            name(&format!("mlflow:{run}")),
            Path::new(&format!("mlflow:{run}/benchmark/benchmark_results.json"))
        );
        assert_eq!(name(&format!("mlflow:{run}/x/y.json")), Path::new(&format!("mlflow:{run}/x/y.json")));
        for bad in ["mlflow:", "mlflow:abc", &format!("mlflow:{run}/../x"), &format!("mlflow:{run}/")] {
            assert!(resolve(bad).is_err(), "{bad}");
        }
    }
}
