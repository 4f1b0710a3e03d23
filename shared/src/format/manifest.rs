//! The manifest of a release (format 4.5): which bytes, trained on what, judged by which evidence.
//!
//! A release is the folder `releases/NAME/VERSION/`: artefacts, `manifest.json`, `evidence/`, `model.sig`. Its manifest never
//! changes; what happens to the release afterwards stands in the registry ([`super::registry`]).

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::input::Tool;
use super::versioned;
use crate::error::Result;

/// The `schema` of a manifest that this version writes.
pub const SCHEMA: &str = "manifest-gen/manifest/1";

/// The oldest version of the tools that understands what this version writes.
pub const MIN_READER: &str = "0.1.0";

/// The name of the manifest in the release folder.
pub const FILE_NAME: &str = "manifest.json";

/// The name of the signature in the release folder.
pub const SIGNATURE_NAME: &str = "model.sig";

/// The role of the estimator among the artefacts.
pub const MODEL: &str = "model";

/// The role of the preprocessing among the artefacts.
pub const PREPROCESSING: &str = "preprocessing";

/// What a release is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// The oldest version of the tools that understands it.
    pub min_reader: String,
    /// Who wrote it.
    pub tool: Tool,
    /// The name of the model in the registry.
    pub name: String,
    /// Strict semantic version: `2.0.0`.
    pub version: String,
    /// The version as the team writes it in file names: `2`.
    pub file_version: String,
    /// What the evidence calls the model: `lightgbm_v2`.
    pub model_name: String,
    /// The dataset of the evidence, where it has several.
    pub dataset: Option<String>,
    /// The artefacts, sorted by role; one has the role `model`.
    pub artifacts: Vec<Artifact>,
    /// What it was trained on.
    pub training: Training,
    /// The step of the series, as pandas writes it: `W-FRI`.
    pub frequency: Option<String>,
    /// How often forecasts are asked for: `weekly`.
    pub cadence: Option<String>,
    /// The steps ahead that it forecasts.
    pub horizon: Option<Horizon>,
    /// The zone of naive times.
    pub time_zone: Option<String>,
    /// The inputs of the model, in order.
    pub features: Vec<Feature>,
    /// Where the features were read from: the path as given.
    pub features_from: Option<String>,
    /// The scaling steps, in order, as the team's file states them.
    pub scaling: Vec<Value>,
    /// Metrics, copied by key from the evidence.
    pub metrics: Vec<Metric>,
    /// What the verdict says, where there is one.
    pub gate: Option<GateSummary>,
    /// The evidence, sorted by kind.
    pub evidence: Vec<Evidence>,
    /// The commit of the training code.
    pub code: Option<Code>,
    /// What a reader should know of it.
    pub notes: Vec<String>,
    /// Fields of newer versions, kept when the file is rewritten.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A file of the release that is loaded or read by a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// `model`, `preprocessing`, …
    pub role: String,
    /// Relative to the release folder, with `/`.
    pub path: String,
    /// The published copy, relative to the registry's folder, with `/`.
    pub published: String,
    /// The path that it was taken from, as given.
    pub source: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The container: `pickle`, `zlib`, `text`, …
    pub format: String,
    /// What a pickle would import, sorted.
    pub globals: Vec<String>,
}

/// What the model was trained on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Training {
    /// First and last day or time of the training window, as given.
    pub window: Option<Window>,
    /// Whether the model was fitted anew after its evidence was gathered: the evidence is then of the procedure, by rolling origin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refitted: bool,
    /// The data files.
    pub data: Vec<DataFile>,
    /// What the data cover.
    pub coverage: Option<Coverage>,
}

/// A stretch of time, both ends within it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The first day or time.
    pub from: String,
    /// The last.
    pub to: String,
}

/// A data file: named, not copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DataFile {
    /// The path as given.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// What the data cover.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Series.
    pub series: u64,
    /// Rows.
    pub rows: u64,
    /// The first time.
    pub from: Option<String>,
    /// The last time.
    pub to: Option<String>,
    /// Share of rows without a value of the target, as a proportion.
    pub missing_ratio: f64,
}

/// The steps ahead, both ends within them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Horizon {
    /// The nearest step, from 1.
    pub from: u32,
    /// The farthest step.
    pub to: u32,
}

/// An input of the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// Its type: `number`, `integer`, `category`, `boolean`, `text`; null where the source does not say.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// A metric, copied from the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// `mape_ratio`, `rmse`, `mae`, …; proportions end in `_ratio`.
    pub name: String,
    /// Its value; a proportion where the name says so.
    pub value: f64,
    /// The number as the evidence has it, in its own unit.
    pub copied: f64,
    /// How many rows it rests on.
    pub n: Option<u64>,
    /// Confidence interval, where the evidence has one.
    pub interval: Option<[f64; 2]>,
    /// The dataset.
    pub dataset: Option<String>,
    /// The test window, where the evidence names one.
    pub window: Option<String>,
    /// Where it was copied from: kind of evidence and key.
    pub from: String,
}

/// What the verdict says, in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateSummary {
    /// `promote`, `reject`, `inconclusive`, `identical`.
    pub decision: String,
    /// The primary metric.
    pub metric: String,
    /// The baselines.
    pub baselines: Vec<String>,
    /// The effect on the primary metric.
    pub estimate: Option<f64>,
    /// Its interval.
    pub interval: Option<[f64; 2]>,
    /// The slices that were gated, as predicates.
    pub slices: Vec<String>,
    /// First and last target time of the evidence.
    pub span: Option<Window>,
    /// SHA-256 of the verdict.
    pub verdict_sha256: String,
}

/// A file that the release rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// `verdict`, `benchmark`, `profile`, `environment`, `report`, `tests`, `lint`, …
    pub kind: String,
    /// Relative to the release folder, with `/`.
    pub path: String,
    /// The path that it was taken from, as given.
    pub source: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// When it was made, where the file itself says so.
    pub time: Option<String>,
}

/// The commit of the training code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Code {
    /// The commit's hash.
    pub commit: String,
    /// Whether the work tree had changes that are in no commit.
    pub dirty: bool,
}

impl Manifest {
    /// Reads the text of a manifest that is called `path`.
    ///
    /// # Errors
    /// If it is no manifest, or one that only newer versions understand.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        versioned::parse(path, bytes, SCHEMA)
    }

    /// The bytes of the file; the same manifest gives the same bytes.
    ///
    /// # Errors
    /// If a number is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        versioned::to_bytes(self)
    }

    /// The artefact of a role.
    pub fn artifact(&self, role: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.role == role)
    }

    /// The evidence of a kind.
    pub fn evidence(&self, kind: &str) -> Option<&Evidence> {
        self.evidence.iter().find(|evidence| evidence.kind == kind)
    }
}
