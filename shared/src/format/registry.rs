//! The registry `registry.json` (format 4.6): which version of which model is served under which alias, and how it came there.
//!
//! It is what its history says: every entry, alias and yank follows from the append-only events and the manifests that they
//! name, so that it can be checked byte by byte. Paths are relative to its folder.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::manifest::{GateSummary, Horizon, Manifest, Metric};
use super::versioned;
use crate::digest;
use crate::error::Result;

/// The `schema` of a registry that this version writes.
pub const SCHEMA: &str = "manifest-gen/registry/1";

/// The oldest version of the tools that understands what this version writes.
pub const MIN_READER: &str = "0.1.0";

/// The name of the file.
pub const FILE_NAME: &str = "registry.json";

/// All models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registry {
    /// [`SCHEMA`].
    pub schema: String,
    /// The oldest version of the tools that understands it.
    pub min_reader: String,
    /// By name.
    pub models: BTreeMap<String, Model>,
    /// Fields of newer versions, kept when the file is rewritten.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A model: its released versions, where its aliases point, and what happened.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// By strict semantic version.
    pub versions: BTreeMap<String, Version>,
    /// `champion` and others: the version that each points at.
    pub aliases: BTreeMap<String, String>,
    /// Oldest first; never rewritten.
    pub history: Vec<Event>,
    /// Fields of newer versions, kept when the file is rewritten.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A released version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// The version as the team writes it in file names.
    pub file_version: String,
    /// The release folder, relative to the registry's folder.
    pub release: String,
    /// SHA-256 of `manifest.json`.
    pub manifest_sha256: String,
    /// SHA-256 of `model.sig`, if it is signed.
    pub signature_sha256: Option<String>,
    /// The published copy of the manifest, relative to the registry's folder.
    pub metadata: String,
    /// The artefacts.
    pub artifacts: Vec<RegistryArtifact>,
    /// The names of the features, in order.
    pub features: Vec<String>,
    /// How often forecasts are asked for.
    pub cadence: Option<String>,
    /// The step of the series.
    pub frequency: Option<String>,
    /// The steps ahead that it forecasts.
    pub horizon: Option<Horizon>,
    /// Metrics.
    pub metrics: Vec<Metric>,
    /// What the verdict says.
    pub gate: Option<GateSummary>,
    /// When it was first promoted, in RFC 3339.
    pub promoted_at: String,
    /// Why it must not be used any more, if so.
    pub yanked: Option<Yanked>,
}

/// An artefact as consumers need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegistryArtifact {
    /// `model`, `preprocessing`, …
    pub role: String,
    /// In the release folder, relative to the registry's folder.
    pub path: String,
    /// The published copy, relative to the registry's folder.
    pub published: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// Why and when a version was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Yanked {
    /// When, in RFC 3339.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// An alias was set to a version on evidence.
    Promote,
    /// An alias was set back to an earlier version.
    Rollback,
    /// A version was withdrawn.
    Yank,
}

/// One entry of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// When, in RFC 3339.
    pub at: String,
    /// What happened.
    pub action: Action,
    /// To which version.
    pub version: String,
    /// Under which alias, unless it is a yank.
    pub alias: Option<String>,
    /// Where the alias pointed before.
    pub previous: Option<String>,
    /// Who did it: user and host.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// Why checks that refused were overruled; for ever on record.
    pub forced: Option<String>,
    /// What was overruled, or accepted by a policy that allows it.
    pub overruled: Vec<String>,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
    /// SHA-256 of the signature, if there was one.
    pub signature_sha256: Option<String>,
    /// Evidence that was given with the promotion.
    pub evidence: Vec<GivenEvidence>,
    /// `sha256` of the event before, of 64 zeros for the first one.
    pub chain: String,
    /// SHA-256 of this event's JSON without this field.
    pub sha256: String,
}

/// Evidence that was given with a promotion: that tests and linters ran, and how they ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenEvidence {
    /// `tests`, `lint`, …
    pub kind: String,
    /// Its copy, relative to the registry's folder.
    pub path: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Whether it says that all is well.
    pub passed: bool,
    /// What it says, in a sentence.
    pub summary: String,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            min_reader: MIN_READER.to_owned(),
            models: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }
}

impl Registry {
    /// Reads the text of a registry that is called `path`.
    ///
    /// # Errors
    /// If it is no registry, or one that only newer versions understand.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        versioned::parse(path, bytes, SCHEMA)
    }

    /// The bytes of the file; the same registry gives the same bytes.
    ///
    /// # Errors
    /// If a number is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        versioned::to_bytes(self)
    }
}

impl Model {
    /// Where an alias points.
    pub fn aliased(&self, alias: &str) -> Option<(&str, &Version)> {
        let version = self.aliases.get(alias)?;
        Some((version.as_str(), self.versions.get(version)?))
    }
}

impl Version {
    /// The entry of a release, as its manifest tells it.
    pub fn of(
        manifest: &Manifest,
        manifest_sha256: &str,
        signature_sha256: Option<&str>,
        promoted_at: &str,
        yanked: Option<Yanked>,
    ) -> Self {
        let release = format!("releases/{}/{}", manifest.name, manifest.version);
        let artifacts = manifest.artifacts.iter().map(|artifact| RegistryArtifact {
            role: artifact.role.clone(),
            path: format!("{release}/{}", artifact.path),
            published: artifact.published.clone(),
            bytes: artifact.bytes,
            sha256: artifact.sha256.clone(),
        });
        Self {
            file_version: manifest.file_version.clone(),
            manifest_sha256: manifest_sha256.to_owned(),
            signature_sha256: signature_sha256.map(str::to_owned),
            metadata: format!("metadata/{}_v{}.json", manifest.name, manifest.file_version),
            artifacts: artifacts.collect(),
            features: manifest.features.iter().map(|feature| feature.name.clone()).collect(),
            cadence: manifest.cadence.clone(),
            frequency: manifest.frequency.clone(),
            horizon: manifest.horizon,
            metrics: manifest.metrics.clone(),
            gate: manifest.gate.clone(),
            promoted_at: promoted_at.to_owned(),
            yanked,
            release,
        }
    }

    /// The artefact of a role.
    pub fn artifact(&self, role: &str) -> Option<&RegistryArtifact> {
        self.artifacts.iter().find(|artifact| artifact.role == role)
    }
}

impl Event {
    /// The digest that `sha256` should hold.
    ///
    /// # Errors
    /// None that can occur: an event has no numbers that JSON cannot hold.
    pub fn digest(&self) -> Result<String> {
        let bare = Self { sha256: String::new(), ..self.clone() };
        Ok(digest::of_bytes(&versioned::to_bytes(&bare)?))
    }
}
