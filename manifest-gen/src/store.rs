//! The folder of models: releases, published copies, registry, and where each stands.

use std::path::PathBuf;

use shared::format::manifest::{self, Manifest};
use shared::format::registry::{self, Model, Registry, Version};
use shared::{Error, Place, Result, digest, fsio};

use crate::version::{ModelVersion, check_name};

/// Flags of every command that reads or writes the folder of models.
#[derive(Debug, Clone, clap::Args)]
pub struct StoreArgs {
    /// The folder of models: registry.json, releases, published copies
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub root: PathBuf,
}

impl StoreArgs {
    /// The folder.
    pub fn store(&self) -> Store {
        Store { root: self.root.clone() }
    }
}

/// The folder of models.
#[derive(Debug, Clone)]
pub struct Store {
    /// As the user named it.
    pub root: PathBuf,
}

/// A manifest as it stands in a release.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// What it says.
    pub manifest: Manifest,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of them.
    pub sha256: String,
}

impl Store {
    /// Where the registry stands.
    pub fn registry_path(&self) -> PathBuf {
        self.root.join(registry::FILE_NAME)
    }

    /// The registry; an empty one where there is none yet.
    ///
    /// # Errors
    /// If it cannot be read or is malformed.
    pub fn registry(&self) -> Result<Registry> {
        Ok(self.registry_bytes()?.0)
    }

    /// The registry and its bytes; none where there is no file yet.
    ///
    /// # Errors
    /// As [`Store::registry`].
    pub fn registry_bytes(&self) -> Result<(Registry, Option<Vec<u8>>)> {
        let path = self.registry_path();
        // A link that leads nowhere is no new beginning: the registry is elsewhere, and out of reach.
        if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Ok((Registry::default(), None));
        }
        let bytes = fsio::read(&path)?;
        Ok((Registry::parse(&path, &bytes)?, Some(bytes)))
    }

    /// A path that a file of this folder names, which must stay within the folder.
    ///
    /// # Errors
    /// [`Error::Input`] if it leaves it.
    pub fn path(&self, relative: &str) -> Result<PathBuf> {
        let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
        match relative.split('/').all(is_plain) {
            true => Ok(self.root.join(relative)),
            false => Err(Error::input(
                Place::file(self.registry_path()),
                format!("the path {relative:?}"),
                "a relative path below the folder of models",
            )),
        }
    }

    /// The folder of a release, relative to the root.
    pub fn release_name(name: &str, version: &semver::Version) -> String {
        format!("releases/{name}/{version}")
    }

    /// The folder of the release that a manifest belongs to, relative to the root.
    pub fn release_name_of(manifest: &Manifest) -> String {
        format!("releases/{}/{}", manifest.name, manifest.version)
    }

    /// A registered model.
    ///
    /// # Errors
    /// [`Error::Usage`] if it is not.
    pub fn model<'a>(&self, registry: &'a Registry, name: &str) -> Result<&'a Model> {
        registry.models.get(name).ok_or_else(|| {
            let known: Vec<&str> = registry.models.keys().map(String::as_str).collect();
            self.unknown("model", name, &known)
        })
    }

    /// The folder of a release.
    pub fn release_folder(&self, name: &str, version: &semver::Version) -> PathBuf {
        self.root.join(Self::release_name(name, version))
    }

    /// The manifest of a release.
    ///
    /// # Errors
    /// If there is no such release, or its manifest is malformed or that of another one.
    pub fn manifest(&self, name: &str, version: &ModelVersion) -> Result<Stored> {
        check_name(name, "model")?;
        let path = self.release_folder(name, &version.semver).join(manifest::FILE_NAME);
        if !path.exists() {
            let found = format!("no release {name} {}: {} is not there", version.semver, path.display());
            return Err(Error::usage(found, "a release that `manifest-gen new` made")
                .with_help(format!("make it with `manifest-gen new {name} {}`", version.written)));
        }
        let bytes = fsio::read(&path)?;
        let manifest = Manifest::parse(&path, &bytes)?;
        if manifest.name != name || manifest.version != version.semver.to_string() {
            let found = format!("the manifest is that of {} {}", manifest.name, manifest.version);
            return Err(Error::input(Place::file(path), found, format!("{name} {}", version.semver)));
        }
        Ok(Stored { manifest, sha256: digest::of_bytes(&bytes), bytes })
    }

    /// The registered version that `NAME@ALIAS` or `NAME@VERSION` means; `NAME` alone means its champion.
    ///
    /// # Errors
    /// If the model, alias or version is not registered, or the version is yanked.
    pub fn resolve(&self, reference: &str) -> Result<Resolved> {
        let (name, selector) = reference.split_once('@').unwrap_or((reference, "champion"));
        let registry = self.registry()?;
        let model = self.model(&registry, name)?;
        let (number, version) = select(model, selector).ok_or_else(|| {
            let known: Vec<&str> = model.aliases.keys().chain(model.versions.keys()).map(String::as_str).collect();
            self.unknown(&format!("alias or version of {name}"), selector, &known)
        })?;
        if let Some(yanked) = &version.yanked {
            let found = format!("{name} {number} was yanked at {}: {}", yanked.at, yanked.reason);
            return Err(Error::refused(reference, vec![found])
                .with_help(format!("go back with `manifest-gen rollback {name} --alias ALIAS`")));
        }
        Ok(Resolved { name: name.to_owned(), number: number.to_owned(), version: version.clone() })
    }

    fn unknown(&self, what: &str, found: &str, known: &[&str]) -> Error {
        let near = shared::suggest::nearest(found, known.iter().copied());
        let expected = match known.is_empty() {
            true => "a registered one; there is none yet".to_owned(),
            false => format!("one of {}", known.join(", ")),
        };
        let error = Error::usage(format!("{}: no {what} {found:?}", self.registry_path().display()), expected);
        match near {
            Some(near) => error.with_help(format!("did you mean {near:?}?")),
            None => error.with_help("versions are registered by `manifest-gen promote`"),
        }
    }
}

/// A registered version.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The model.
    pub name: String,
    /// The strict semantic version.
    pub number: String,
    /// The entry.
    pub version: Version,
}

fn select<'a>(model: &'a Model, selector: &str) -> Option<(&'a str, &'a Version)> {
    model.aliased(selector).or_else(|| {
        let number = ModelVersion::parse(selector).ok()?.semver.to_string();
        model.versions.get_key_value(&number).map(|(number, version)| (number.as_str(), version))
    })
}
