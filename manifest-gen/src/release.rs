//! A release on disk: what its folder should hold, what it holds, and its published copies.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use shared::format::manifest::{self, Manifest};
use shared::{Error, Result, digest, fsio};

use crate::store::{Store, Stored};

/// Every file that a manifest names, relative to the release folder, with its digest.
pub fn named_files(manifest: &Manifest) -> BTreeMap<String, &str> {
    let artifacts = manifest.artifacts.iter().map(|file| (file.path.clone(), file.sha256.as_str()));
    let evidence = manifest.evidence.iter().map(|file| (file.path.clone(), file.sha256.as_str()));
    artifacts.chain(evidence).collect()
}

/// What is wrong with the files of a release: missing, other bytes, not named by the manifest.
///
/// # Errors
/// If the folder cannot be read.
pub fn damage(store: &Store, manifest: &Manifest) -> Result<Vec<String>> {
    let folder = store.path(&format!("releases/{}/{}", manifest.name, manifest.version))?;
    let named = named_files(manifest);
    let found = files_below(&folder)?;
    let mut reasons = Vec::new();
    for (path, expected) in &named {
        match found.contains(path) {
            true => reasons.extend(other_bytes(&folder.join(path), expected)?),
            false => reasons.push(format!("{} is missing", folder.join(path).display())),
        }
    }
    let own = [manifest::FILE_NAME, manifest::SIGNATURE_NAME];
    let extra = found.iter().filter(|path| !named.contains_key(*path) && !own.contains(&path.as_str()));
    reasons.extend(extra.map(|path| format!("{} is not named by the manifest", folder.join(path).display())));
    Ok(reasons)
}

/// Says so if the file has another digest.
pub(crate) fn other_bytes(path: &Path, expected: &str) -> Result<Option<String>> {
    let found = digest::of_file(path)?;
    Ok((found != expected).then(|| format!("{} has sha256 {found} (expected {expected})", path.display())))
}

/// Files below a folder, relative to it with `/`; a symbolic link is listed as the file that it must not be.
fn files_below(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut open = vec![String::new()];
    while let Some(relative) = open.pop() {
        let here = folder.join(&relative);
        let entries = fs::read_dir(&here).map_err(|source| Error::Open { path: here.clone(), source })?;
        for entry in entries {
            let entry = entry.map_err(|error| Error::io(&here, "read", error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if relative.is_empty() { name } else { format!("{relative}/{name}") };
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder { &mut open } else { &mut files }.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Where the published copy of the manifest stands, relative to the folder of models.
pub fn metadata_name(manifest: &Manifest) -> String {
    format!("metadata/{}_v{}.json", manifest.name, manifest.file_version)
}

/// Writes the published copies that are not there yet or have other bytes; returns their names.
///
/// # Errors
/// If one cannot be written.
pub fn publish(store: &Store, stored: &Stored) -> Result<Vec<String>> {
    let folder = store.path(&format!("releases/{}/{}", stored.manifest.name, stored.manifest.version))?;
    let mut published = Vec::new();
    for artifact in &stored.manifest.artifacts {
        copy(&folder.join(&artifact.path), &store.path(&artifact.published)?, &artifact.sha256)?;
        published.push(artifact.published.clone());
    }
    let name = metadata_name(&stored.manifest);
    let path = store.path(&name)?;
    if fs::read(&path).ok().as_ref() != Some(&stored.bytes) {
        path.parent().map_or(Ok(()), fsio::create_folder)?;
        fsio::write_atomic(&path, &stored.bytes)?;
    }
    published.push(name);
    Ok(published)
}

/// What is wrong with the published copies.
///
/// # Errors
/// If one cannot be read.
pub fn damaged_copies(store: &Store, stored: &Stored) -> Result<Vec<String>> {
    let artifacts = stored.manifest.artifacts.iter().map(|artifact| (&artifact.published, artifact.sha256.as_str()));
    let name = metadata_name(&stored.manifest);
    let mut reasons = Vec::new();
    for (published, expected) in artifacts.chain([(&name, stored.sha256.as_str())]) {
        let path = store.path(published)?;
        match path.exists() {
            true => reasons.extend(other_bytes(&path, expected)?),
            false => reasons.push(format!("{} is missing", path.display())),
        }
    }
    Ok(reasons)
}

fn copy(from: &Path, to: &Path, expected: &str) -> Result<()> {
    if to.exists() && digest::of_file(to)? == expected {
        return Ok(());
    }
    to.parent().map_or(Ok(()), fsio::create_folder)?;
    fsio::copy_atomic(from, to)
}
