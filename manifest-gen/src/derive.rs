//! What is derived from the registry: the README's table, model cards, the stable paths that dashboards read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::format::manifest::Manifest;
use shared::format::registry::Registry;
use shared::{Error, Result, fsio};

use crate::render;
use crate::store::{Store, Stored};
use crate::version::ModelVersion;

/// The alias whose evidence the stable paths show.
pub const CHAMPION: &str = "champion";

/// What to derive, and where to put it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Derived {
    /// The README with the table of models.
    pub readme: Option<PathBuf>,
    /// The folder of model cards.
    pub cards: Option<PathBuf>,
    /// Kind of evidence and the stable path of the champion's file; `{name}` is the model.
    pub publish: Vec<(String, PathBuf)>,
}

/// Flags of every command that changes the registry.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DerivedArgs {
    /// The README whose table of models is kept up to date
    #[arg(long, value_name = "FILE", help_heading = "Derived files")]
    pub readme: Option<PathBuf>,
    /// The folder in which a card for each model is kept up to date
    #[arg(long, value_name = "DIR", help_heading = "Derived files")]
    pub card: Option<PathBuf>,
    /// A stable path for a piece of the champion's evidence: `benchmark=results/{name}/benchmark_results.json`
    #[arg(long, value_name = "KIND=PATH", help_heading = "Derived files")]
    pub publish: Vec<String>,
}

impl DerivedArgs {
    /// What the flags say, with absolute paths, so that a repair may run elsewhere.
    ///
    /// # Errors
    /// [`Error::Usage`] for a `--publish` that is no pair.
    pub fn derived(&self) -> Result<Derived> {
        let publish = self.publish.iter().map(|text| {
            let (kind, path) =
                text.split_once('=').filter(|(kind, path)| !kind.is_empty() && !path.is_empty()).ok_or_else(|| {
                    Error::usage(format!("--publish {text:?}"), "KIND=PATH")
                        .with_help("for example --publish verdict=results/verdict.json")
                })?;
            Ok((kind.to_owned(), absolute(Path::new(path))?))
        });
        Ok(Derived {
            readme: self.readme.as_deref().map(absolute).transpose()?,
            cards: self.card.as_deref().map(absolute).transpose()?,
            publish: publish.collect::<Result<Vec<_>>>()?,
        })
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|error| Error::io(path, "resolve", error))
}

/// The files as they should be.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

/// All derived files, without writing any.
///
/// # Errors
/// If a README has no markers, or a release cannot be read.
pub fn files(store: &Store, registry: &Registry, derived: &Derived) -> Result<Files> {
    let mut files = Files::new();
    if let Some(path) = &derived.readme {
        let old = fsio::read(path)?;
        let manifests = champions(store, registry)?;
        files.insert(path.clone(), render::readme(path, &old, registry, &manifests)?);
    }
    if let Some(folder) = &derived.cards {
        for (name, stored) in champions(store, registry)? {
            let text = render::card(registry, &name, &stored);
            files.insert(folder.join(format!("{name}.md")), text.into_bytes());
        }
    }
    if !derived.publish.is_empty() {
        for (name, stored) in champions(store, registry)? {
            publish(store, &name, &stored.manifest, derived, &mut files)?;
        }
    }
    Ok(files)
}

/// The manifests of all champions.
fn champions(store: &Store, registry: &Registry) -> Result<BTreeMap<String, Stored>> {
    let champions = registry.models.iter().filter_map(|(name, model)| Some((name, model.aliases.get(CHAMPION)?)));
    champions.map(|(name, number)| Ok((name.clone(), store.manifest(name, &ModelVersion::parse(number)?)?))).collect()
}

fn publish(store: &Store, name: &str, manifest: &Manifest, derived: &Derived, files: &mut Files) -> Result<()> {
    let release = store.path(&format!("releases/{name}/{}", manifest.version))?;
    for (kind, pattern) in &derived.publish {
        let Some(evidence) = manifest.evidence(kind) else { continue };
        let path = PathBuf::from(pattern.display().to_string().replace("{name}", name));
        let bytes = fsio::read(&release.join(&evidence.path))?;
        if files.insert(path.clone(), bytes).is_some() {
            return Err(Error::usage(
                format!("--publish {kind}={} is one path for several models", path.display()),
                "a path with {name} in it",
            ));
        }
    }
    Ok(())
}

/// Writes the files that are not as they should be.
///
/// # Errors
/// [`Error::Io`].
pub fn write(files: &Files) -> Result<()> {
    for (path, bytes) in files {
        if std::fs::read(path).ok().as_ref() != Some(bytes) {
            path.parent().map_or(Ok(()), fsio::create_folder)?;
            fsio::write_atomic(path, bytes)?;
        }
    }
    Ok(())
}

/// The files that are not as they should be.
pub fn stale(files: &Files) -> Vec<&PathBuf> {
    files
        .iter()
        .filter(|(path, bytes)| std::fs::read(path).ok().as_ref() != Some(bytes))
        .map(|(path, _)| path)
        .collect()
}
