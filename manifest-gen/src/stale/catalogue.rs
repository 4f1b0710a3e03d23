//! What to look for: the names of models, which versions an alias has left behind, and the files of the one it points at.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use semver::Version;
use shared::config::Config;
use shared::format::manifest;
use shared::format::registry::{Model, Registry};
use shared::{Error, Result};

use super::mlflow;
use crate::version::ModelVersion;

/// The role of the published copy of a manifest, which is no artefact.
pub(super) const METADATA: &str = "metadata";

/// What to look for.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pub(super) alias: String,
    pub(super) models: Vec<Known>,
    pub(super) finder: AhoCorasick,
    pub(super) words: Vec<Word>,
}

/// What a word of the text may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The name of a model.
    Name(usize),
    /// A file of a model whose name does not tell the model.
    File(usize),
    /// `models:/`
    Uri,
    /// The stage API.
    Stage,
    /// A word that the stage API shares with others.
    SharedStage,
    /// MLflow is spoken of.
    Mention,
}

/// A registered model.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) name: String,
    /// How it is written in names of files and versions.
    pub(super) written: Vec<String>,
    /// The version that the alias points at, and as the team writes it.
    pub(super) current: Option<(Version, String)>,
    /// Versions above it that the alias has left, and yanked ones.
    left: BTreeSet<Version>,
    /// The files of the models, by their names.
    pub(super) files: BTreeMap<String, KnownFile>,
}

/// A file that the registry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownFile {
    pub(super) role: String,
    /// The versions that it belongs to.
    pub(super) versions: BTreeSet<Version>,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The alias points at it.
    Current,
    /// The alias has left it behind.
    Behind,
    /// The alias has not reached it.
    Ahead,
}

impl Catalogue {
    /// What the registry knows of every model and its `alias`, with the names that `promotion.toml` gives the models.
    ///
    /// # Errors
    /// If there are more names than a search can hold.
    pub fn of(registry: &Registry, alias: &str, config: &Config) -> Result<Self> {
        let others = config.models.all();
        let models = registry.models.iter().map(|(name, model)| {
            let other = others.get(config.identity(name)).map(Vec::as_slice).unwrap_or_default();
            Known::of(name, model, alias, other)
        });
        Self::new(alias, models.collect())
    }

    fn new(alias: &str, models: Vec<Known>) -> Result<Self> {
        let mut all: BTreeMap<String, Word> = fixed_words();
        for (index, model) in models.iter().enumerate() {
            all.extend(model.odd_files().map(|file| (file.to_owned(), Word::File(index))));
        }
        for (index, model) in models.iter().enumerate() {
            all.extend(model.written.iter().map(|name| (name.clone(), Word::Name(index))));
        }
        let (texts, words): (Vec<String>, Vec<Word>) = all.into_iter().unzip();
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&texts);
        let finder = finder.map_err(|error| Error::usage(format!("the names of models: {error}"), "fewer of them"))?;
        Ok(Self { alias: alias.to_owned(), models, finder, words })
    }

    /// The model that is written so.
    pub(super) fn model(&self, written: &str) -> Option<&Known> {
        self.models.iter().find(|model| model.written.iter().any(|name| name == written))
    }
}

fn fixed_words() -> BTreeMap<String, Word> {
    let with = |texts: &[&str], word: Word| texts.iter().map(|text| ((*text).to_owned(), word)).collect::<Vec<_>>();
    let stages =
        with(&mlflow::STAGE_WORDS, Word::Stage).into_iter().chain(with(&mlflow::SHARED_WORDS, Word::SharedStage));
    let mentions = with(&mlflow::MENTIONS, Word::Mention).into_iter();
    stages.chain(mentions).chain([(mlflow::SCHEME.to_owned(), Word::Uri)]).collect()
}

impl Known {
    fn of(name: &str, model: &Model, alias: &str, other_names: &[&str]) -> Self {
        let current =
            model.aliased(alias).and_then(|(number, version)| Some((strict(number)?, version.file_version.clone())));
        let mut written: BTreeSet<String> = other_names.iter().filter_map(|name| without_version(name)).collect();
        written.insert(name.to_owned());
        let written = written.into_iter().collect();
        Self { name: name.to_owned(), written, current, left: left(model, alias), files: files(model) }
    }

    /// Where a version of this model stands.
    pub(super) fn standing(&self, version: &Version) -> Standing {
        match &self.current {
            Some((current, _)) if same(current, version) => Standing::Current,
            Some((current, _)) if version < current => Standing::Behind,
            _ if self.left.contains(version) => Standing::Behind,
            _ => Standing::Ahead,
        }
    }

    /// Files whose names do not contain the model's, as far as they are not too common to be told.
    fn odd_files(&self) -> impl Iterator<Item = &str> {
        let is_plain = |file: &&String| !self.written.iter().any(|name| file.contains(name.as_str()));
        self.files.keys().filter(is_plain).filter(|file| !is_common(file)).map(String::as_str)
    }
}

/// Names that files of any kind have.
fn is_common(file: &str) -> bool {
    let stem = file.split('.').next().unwrap_or_default();
    ["model", "preprocessing", "preprocessor", "scaler", "encoder", "pipeline", "manifest", "estimator"].contains(&stem)
        || stem.len() < 4
}

fn strict(number: &str) -> Option<Version> {
    Version::parse(number).ok()
}

/// Equal up to build metadata, which has no rank.
fn same(left: &Version, right: &Version) -> bool {
    left.cmp_precedence(right).is_eq()
}

/// A name of a model as it stands in front of versions: names with a version name one of them, not the model.
fn without_version(name: &str) -> Option<String> {
    let cut = name.rfind(['_', '-']).filter(|&at| {
        let tail = &name[at + 1..];
        tail.starts_with(['v', 'V']) && ModelVersion::parse(&tail.to_lowercase()).is_ok()
    });
    let bare = cut.map_or(name, |at| &name[..at]);
    (bare.len() > 1).then(|| bare.to_owned())
}

/// Versions that the alias once pointed at, and yanked ones.
fn left(model: &Model, alias: &str) -> BTreeSet<Version> {
    let own = model.history.iter().filter(|event| event.alias.as_deref() == Some(alias));
    let pointed =
        own.flat_map(|event| event.previous.iter().chain([&event.version])).filter_map(|number| strict(number));
    let yanked =
        model.versions.iter().filter(|(_, version)| version.yanked.is_some()).filter_map(|(number, _)| strict(number));
    pointed.chain(yanked).collect()
}

fn files(model: &Model) -> BTreeMap<String, KnownFile> {
    let mut files: BTreeMap<String, KnownFile> = BTreeMap::new();
    for (number, version) in &model.versions {
        let Some(number) = strict(number) else { continue };
        let artifacts =
            version.artifacts.iter().flat_map(|file| [(&file.role, &file.path), (&file.role, &file.published)]);
        let metadata = METADATA.to_owned();
        for (role, path) in artifacts.chain([(&metadata, &version.metadata)]) {
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            let known =
                files.entry(name).or_insert_with(|| KnownFile { role: role.clone(), versions: BTreeSet::new() });
            known.versions.insert(number.clone());
        }
    }
    files
}

/// The role of a file of which only its name is known.
pub(super) fn guessed_role(preprocessing: bool) -> &'static str {
    if preprocessing { manifest::PREPROCESSING } else { manifest::MODEL }
}
