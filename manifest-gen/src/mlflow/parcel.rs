//! What a message says: which release, under which alias, by which event of the registry.

use serde::{Deserialize, Serialize};
use shared::format::registry::{Event, Registry};
use shared::outbox::Message;
use shared::{Error, Result};

use crate::store::{Store, Stored};
use crate::version::ModelVersion;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A release was promoted.
    Release,
    /// An alias moved to a release that was promoted earlier.
    Alias,
}

impl Kind {
    /// Its name in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Alias => "alias",
        }
    }
}

/// The body of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The model.
    pub name: String,
    /// Strict semantic version.
    pub version: String,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
    /// The alias that points at it now.
    pub alias: String,
    /// The experiment of the run.
    pub experiment: String,
    /// When it happened, in RFC 3339.
    pub at: String,
    /// The event of the registry's history, by its digest; nothing if it has none.
    pub event: Option<String>,
    /// Evidence that was given with the promotion and is no part of the release.
    pub evidence: Vec<Given>,
}

/// A file beside the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// What it is evidence of.
    pub kind: String,
    /// Relative to the registry's folder, with `/`.
    pub path: String,
    /// SHA-256.
    pub sha256: String,
}

impl Parcel {
    /// From the newest event that set the alias to this release; `now` is the time where there is none.
    pub fn new(registry: &Registry, release: &Stored, alias: &str, experiment: &str, now: &str) -> Self {
        let manifest = &release.manifest;
        let event = event(registry, &manifest.name, &manifest.version, alias);
        let given = event.map(|event| event.evidence.as_slice()).unwrap_or_default().iter();
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            manifest_sha256: release.sha256.clone(),
            alias: alias.to_owned(),
            experiment: experiment.to_owned(),
            at: event.map_or(now, |event| &event.at).to_owned(),
            event: event.map(|event| event.sha256.clone()),
            evidence: given
                .map(|given| Given { kind: given.kind.clone(), path: given.path.clone(), sha256: given.sha256.clone() })
                .collect(),
        }
    }

    /// The message; the same event gives the same key.
    ///
    /// # Errors
    /// None that can occur: a parcel is texts.
    pub fn message(&self, kind: Kind) -> Result<Message> {
        let what = self.event.as_deref().unwrap_or(&self.manifest_sha256);
        let key = format!("{}/{}/{}/{}/{what}", kind.name(), self.name, self.version, self.alias);
        let body =
            serde_json::to_value(self).map_err(|error| Error::Environment { what: error.to_string(), help: None })?;
        Ok(Message::new(&key, &self.name, kind.name(), &self.at, body))
    }

    /// What a message says.
    ///
    /// # Errors
    /// If it says something else.
    pub fn of(message: &Message) -> Result<Self> {
        serde_json::from_value(message.body.clone()).map_err(|error| {
            Error::usage(format!("message {:?} says something else: {error}", message.key), "a release and an alias")
        })
    }

    /// The release that is meant, as it stands.
    ///
    /// # Errors
    /// If it is not there or is another one now.
    pub fn release(&self, store: &Store) -> Result<Stored> {
        let stored = store.manifest(&self.name, &ModelVersion::parse(&self.version)?)?;
        if stored.sha256 == self.manifest_sha256 {
            return Ok(stored);
        }
        let found = format!("the manifest of {} {} has the SHA-256 {}", self.name, self.version, stored.sha256);
        Err(Error::usage(found, self.manifest_sha256.clone())
            .with_help(format!("a release never changes; see `manifest-gen verify {} {}`", self.name, self.version)))
    }
}

fn event<'a>(registry: &'a Registry, name: &str, version: &str, alias: &str) -> Option<&'a Event> {
    let history = &registry.models.get(name)?.history;
    history.iter().rev().find(|event| event.version == version && event.alias.as_deref() == Some(alias))
}
