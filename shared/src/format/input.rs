//! What every JSON output says of its origin: the tool that wrote it and the files that it read.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest;
use crate::error::Result;

/// A file that an output rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// What the file was used as: `forecasts`, `train`, `baseline`, `candidate`, `policy`, …
    pub role: String,
    /// The path as the user gave it.
    pub path: PathBuf,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

impl Input {
    /// Describes the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_file(role: &str, path: &Path) -> Result<Self> {
        Ok(Self { role: role.to_owned(), path: path.to_owned(), sha256: digest::of_file(path)? })
    }
}

/// The program that wrote an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}
