//! Who is held to account: the champion that the registry names, and the identity of what it is held against. Pure.

use serde::{Deserialize, Serialize};
use shared::format::registry::Registry;

/// The alias of the model that is in use.
const ALIAS: &str = "champion";

/// The version that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Champion {
    /// Its version.
    pub version: String,
    /// When it was first promoted, in RFC 3339.
    pub promoted_at: String,
    /// SHA-256 of its manifest.
    pub manifest_sha256: String,
}

impl Champion {
    /// The champion of a model; nothing where the registry does not know the model, or the model has none.
    pub fn of(registry: &Registry, model: &str) -> Option<Self> {
        let (version, entry) = registry.models.get(model)?.aliased(ALIAS)?;
        Some(Self {
            version: version.to_owned(),
            promoted_at: entry.promoted_at.clone(),
            manifest_sha256: entry.manifest_sha256.clone(),
        })
    }
}

/// The identity of a baseline: its model, and for a recorded one the SHA-256 of the file.
pub fn baseline_id(model: &str, recorded_sha256: Option<&str>) -> String {
    recorded_sha256.map_or_else(|| model.to_owned(), |digest| format!("{model}@sha256:{digest}"))
}
