//! A folder of models for tests: releases and a registry, written from the types that the tools write.
#![allow(dead_code, reason = "each test uses some of it")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shared::digest;
use shared::format::manifest::{self, Manifest};
use shared::format::registry::{self, Action, Event, Registry, Version, Yanked};
use tempfile::TempDir;

/// A file of the repository's test data.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data")).join(name)
}

/// A temporary folder with models in it.
pub(crate) struct Models {
    pub(crate) folder: TempDir,
    pub(crate) registry: Registry,
}

/// A release to write.
pub(crate) struct Release<'a> {
    pub(crate) name: &'a str,
    pub(crate) file_version: &'a str,
    /// Role, file name and bytes.
    pub(crate) artifacts: &'a [(&'a str, &'a str, &'a [u8])],
    /// Name and type.
    pub(crate) features: &'a [(&'a str, &'a str)],
}

impl Models {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), registry: Registry::default() }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    /// Writes a release and registers it without an alias.
    pub(crate) fn release(&mut self, release: &Release) {
        let version = format!("{}.0.0", release.file_version);
        let folder = self.root().join("releases").join(release.name).join(&version);
        fs::create_dir_all(&folder).unwrap();
        for (_, file, bytes) in release.artifacts {
            write(&folder.join(file), bytes);
        }
        let manifest = manifest(release, &version);
        let bytes = manifest.to_bytes().unwrap();
        write(&folder.join(manifest::FILE_NAME), &bytes);
        let entry = Version::of(&manifest, &digest::of_bytes(&bytes), None, "2026-11-24T06:00:00Z", None);
        self.registry.models.entry(release.name.to_owned()).or_default().versions.insert(version, entry);
        self.save();
    }

    /// Points an alias at a version, as a promotion does.
    pub(crate) fn promote(&mut self, name: &str, version: &str, alias: &str) {
        let model = self.registry.models.get_mut(name).unwrap();
        let previous = model.aliases.insert(alias.to_owned(), version.to_owned());
        model.history.push(event(version, alias, previous));
        self.save();
    }

    pub(crate) fn yank(&mut self, name: &str, version: &str) {
        let entry = self.registry.models.get_mut(name).unwrap().versions.get_mut(version).unwrap();
        entry.yanked = Some(Yanked { at: "2026-11-24T07:00:00Z".to_owned(), reason: "leaks the target".to_owned() });
        self.save();
    }

    pub(crate) fn save(&self) {
        write(&self.root().join(registry::FILE_NAME), &self.registry.to_bytes().unwrap());
    }
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    shared::fsio::create_folder(path.parent().unwrap()).unwrap();
    shared::fsio::write_atomic(path, bytes).unwrap();
}

fn event(version: &str, alias: &str, previous: Option<String>) -> Event {
    Event {
        at: "2026-11-24T06:00:00Z".to_owned(),
        action: Action::Promote,
        version: version.to_owned(),
        alias: Some(alias.to_owned()),
        previous,
        by: "test".to_owned(),
        reason: None,
        forced: None,
        overruled: Vec::new(),
        manifest_sha256: String::new(),
        signature_sha256: None,
        evidence: Vec::new(),
        chain: String::new(),
        sha256: String::new(),
    }
}

fn manifest(release: &Release, version: &str) -> Manifest {
    let artifact = |(role, file, bytes): &(&str, &str, &[u8])| -> Value {
        json!({ "role": role, "path": file, "published": file, "source": file, "bytes": bytes.len(),
            "sha256": digest::of_bytes(bytes), "format": "pickle", "globals": [] })
    };
    let features = release.features.iter().map(|(name, kind)| json!({ "name": name, "type": kind }));
    let value = json!({
        "schema": manifest::SCHEMA, "min_reader": manifest::MIN_READER, "tool": { "name": "manifest-gen", "version": "0.1.0" },
        "name": release.name, "version": version, "file_version": release.file_version,
        "model_name": release.name, "dataset": null,
        "artifacts": release.artifacts.iter().map(artifact).collect::<Vec<_>>(),
        "training": { "window": { "from": "2010-02-05", "to": "2012-08-03" }, "data": [], "coverage": null },
        "frequency": "W-FRI", "cadence": "weekly", "horizon": { "from": 1, "to": 6 }, "time_zone": null,
        "features": features.collect::<Vec<_>>(), "features_from": null, "scaling": [], "metrics": [], "gate": null,
        "evidence": [], "code": null, "notes": [],
    });
    Manifest::parse(Path::new("manifest.json"), value.to_string().as_bytes()).unwrap()
}
