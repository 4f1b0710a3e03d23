//! A release, put in place or compared with the one that is there; and its published copies.

use std::collections::BTreeMap;
use std::path::Path;

use shared::format::manifest::{self, Manifest};
use shared::{Error, Result, digest, fsio};

use crate::release;
use crate::store::{Store, Stored};

use super::gather::Gathered;
use super::stage::Renamed;
use super::{NewReport, SCHEMA};

/// Puts the release in place, unless it is there already with the same bytes; then its published copies.
pub(super) fn install(store: &Store, gathered: Gathered) -> Result<NewReport> {
    let Gathered { staging, manifest, bytes } = gathered;
    let version: semver::Version = manifest.version.parse().map_err(|_| wrong_version(&manifest))?;
    let release = store.release_folder(&manifest.name, &version);
    let fresh = Stored { sha256: digest::of_bytes(&bytes), manifest, bytes };
    refuse_foreign_copies(store, &fresh.manifest)?;
    // What a kill left of its signature is none of its files.
    fsio::sweep(&release);
    let made = !release.exists() && staging.rename(&release)? == Renamed::Done;
    let stored = if made { fresh } else { same(store, &release, fresh)? };
    let published = release::publish(store, &stored)?;
    Ok(report(&release, &stored, made, published))
}

/// Compares the release with the one that is there.
pub(super) fn compare(store: &Store, gathered: &Gathered) -> Result<NewReport> {
    let manifest = &gathered.manifest;
    let version: semver::Version = manifest.version.parse().map_err(|_| wrong_version(manifest))?;
    let release = store.release_folder(&manifest.name, &version);
    if !release.exists() {
        return Err(Error::refused(release.display().to_string(), vec!["there is no such release".into()]));
    }
    let fresh =
        Stored { manifest: manifest.clone(), bytes: gathered.bytes.clone(), sha256: digest::of_bytes(&gathered.bytes) };
    let stored = same(store, &release, fresh)?;
    Ok(report(&release, &stored, false, Vec::new()))
}

/// The release that is there, if its bytes are those of `fresh`: what differs between two runs of the same command (the
/// commit, the version of the tool) is not compared, and the first run stays on record.
fn same(store: &Store, release: &Path, fresh: Stored) -> Result<Stored> {
    let path = release.join(manifest::FILE_NAME);
    let bytes = fsio::read(&path)?;
    let stored = Stored { manifest: Manifest::parse(&path, &bytes)?, sha256: digest::of_bytes(&bytes), bytes };
    let mut reasons = differences(&stored.manifest, &fresh.manifest);
    reasons.extend(release::damage(store, &stored.manifest)?);
    if reasons.is_empty() {
        return Ok(stored);
    }
    let what = format!(
        "{} is released with manifest sha256 {}, and this one has {}",
        release.display(),
        stored.sha256,
        fresh.sha256
    );
    Err(Error::refused(what, reasons).with_help("a released version never changes: give this one a new number"))
}

/// The parts of the manifest in which they differ.
fn differences(stored: &Manifest, fresh: &Manifest) -> Vec<String> {
    let fields = |manifest: &Manifest| -> BTreeMap<String, serde_json::Value> {
        let bare = Manifest { code: None, tool: stored.tool.clone(), ..manifest.clone() };
        serde_json::to_value(bare).ok().and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    };
    let (old, new) = (fields(stored), fields(fresh));
    new.iter().filter(|(key, value)| old.get(*key) != Some(value)).map(|(key, _)| format!("{key:?} differs")).collect()
}

/// A file that stands where a copy is to be published, and is another one, is not overwritten.
fn refuse_foreign_copies(store: &Store, manifest: &Manifest) -> Result<()> {
    let mut reasons = Vec::new();
    for artifact in &manifest.artifacts {
        let path = store.path(&artifact.published)?;
        if path.exists() {
            let found = digest::of_file(&path)?;
            if found != artifact.sha256 {
                reasons.push(format!("{} has sha256 {found}, the artefact {}", path.display(), artifact.sha256));
            }
        }
    }
    match reasons.is_empty() {
        true => Ok(()),
        false => Err(Error::refused("another file stands where a copy is to be published", reasons)
            .with_help("move it away, or give this release another version")),
    }
}

fn wrong_version(manifest: &Manifest) -> Error {
    Error::usage(format!("version {:?}", manifest.version), "a strict semantic version")
}

fn report(release: &Path, stored: &Stored, made: bool, published: Vec<String>) -> NewReport {
    NewReport {
        schema: SCHEMA.to_owned(),
        tool: crate::print::tool(),
        name: stored.manifest.name.clone(),
        version: stored.manifest.version.clone(),
        release: release.display().to_string(),
        manifest_sha256: stored.sha256.clone(),
        made,
        published,
        notes: stored.manifest.notes.clone(),
    }
}
