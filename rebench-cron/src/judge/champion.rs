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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_champion_is_the_version_that_the_alias_names() {
        let version = |at: &str| {
            json!({
                "file_version": "1", "release": "releases/a/1.0.0", "manifest_sha256": "m", "signature_sha256": null, "metadata": "x",
                "artifacts": [], "features": [], "cadence": null, "frequency": null, "horizon": null, "metrics": [], "gate": null,
                "promoted_at": at, "yanked": null,
            })
        };
        let versions = json!({"1.0.0": version("2026-01-05T03:00:00Z"), "2.0.0": version("2026-02-02T03:00:00Z")});
        let text = json!({
            "schema": "manifest-gen/registry/1", "min_reader": "0.1.0",
            "models": {
                "a": {"versions": versions, "aliases": {"champion": "1.0.0", "shadow": "2.0.0"}, "history": []},
                "b": {"versions": {}, "aliases": {}, "history": []},
            },
        });
        let registry = Registry::parse(Path::new("registry.json"), text.to_string().as_bytes()).unwrap();
        let found = Champion::of(&registry, "a").unwrap();
        assert_eq!((found.version.as_str(), found.promoted_at.as_str()), ("1.0.0", "2026-01-05T03:00:00Z"));
        assert_eq!((Champion::of(&registry, "b"), Champion::of(&registry, "c")), (None, None));
    }

    #[test]
    fn another_recorded_file_is_another_baseline() {
        assert_eq!(baseline_id("naive", None), "naive");
        assert_ne!(baseline_id("naive", Some("a")), baseline_id("naive", Some("b")));
    }
}
