//! What all changes of the registry have in common: who and why, the event, the report, what MLflow is told.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Format, note};
use shared::format::input::Tool;
use shared::format::registry::{Action, Event, Version};
use shared::{Error, Exit, Result, clock};

use crate::mlflow::{self, MlflowArgs};
use crate::promote::signature_digest;
use crate::store::{Store, Stored};

/// Flags of every command that sets an alias.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct OccasionArgs {
    /// Why; stays on record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Who does it; user and host if absent
    #[arg(long, value_name = "WHO")]
    pub by: Option<String>,
    /// Also tell MLflow: run, artefacts, version, alias; a server that is down delays it
    #[arg(long)]
    pub mlflow: bool,
    /// Where MLflow is.
    #[command(flatten)]
    pub server: MlflowArgs,
}

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/promote/1";

/// What was done; `rollback` and `yank` print it too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangeReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The model.
    pub name: String,
    /// The version.
    pub version: String,
    /// The alias, unless a version was yanked.
    pub alias: Option<String>,
    /// Where the alias pointed before.
    pub previous: Option<String>,
    /// False where it was so already.
    pub changed: bool,
    /// What was overruled or accepted; stays on record.
    pub overruled: Vec<String>,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
}

impl ChangeReport {
    /// That an alias which pointed at `previous` points at a release.
    pub(crate) fn aliased(stored: &Stored, alias: &str, previous: Option<&String>) -> Self {
        let manifest = &stored.manifest;
        Self {
            schema: SCHEMA.to_owned(),
            tool: crate::print::tool(),
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            alias: Some(alias.to_owned()),
            previous: previous.cloned(),
            changed: previous != Some(&manifest.version),
            overruled: Vec::new(),
            manifest_sha256: stored.sha256.clone(),
        }
    }
}

/// The bytes that an event speaks of.
pub(crate) struct Subject {
    version: String,
    manifest_sha256: String,
    signature_sha256: Option<String>,
}

impl Subject {
    /// A release as it stands.
    pub(crate) fn release(store: &Store, stored: &Stored) -> Result<Self> {
        Ok(Self {
            version: stored.manifest.version.clone(),
            manifest_sha256: stored.sha256.clone(),
            signature_sha256: signature_digest(store, stored)?,
        })
    }

    /// A release as the registry knows it, whatever has become of it.
    pub(crate) fn registered(number: &str, entry: &Version) -> Self {
        Self {
            version: number.to_owned(),
            manifest_sha256: entry.manifest_sha256.clone(),
            signature_sha256: entry.signature_sha256.clone(),
        }
    }
}

/// An event about a release, now; alias, evidence and what was overruled are the caller's, the chain is the ledger's.
///
/// # Errors
/// If the clock is set to no time.
pub(crate) fn event(action: Action, subject: Subject, by: Option<&str>, reason: Option<&str>) -> Result<Event> {
    Ok(Event {
        at: clock::now()?.to_string(),
        action,
        version: subject.version,
        alias: None,
        previous: None,
        by: who(by),
        reason: reason.map(str::to_owned),
        forced: None,
        overruled: Vec::new(),
        manifest_sha256: subject.manifest_sha256,
        signature_sha256: subject.signature_sha256,
        evidence: Vec::new(),
        chain: String::new(),
        sha256: String::new(),
    })
}

/// Who does it: what the flag says, else user and host.
fn who(stated: Option<&str>) -> String {
    let user = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or("unknown".into());
    let host = || std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).unwrap_or("unknown".into());
    stated.map_or_else(|| format!("{}@{}", user(), host().trim()), str::to_owned)
}

/// A server that is down delays it, and never blocks or loses it.
pub(crate) fn tell_mlflow(store: &Store, settings: &mlflow::Settings) {
    let report = mlflow::deliver(store, settings, mlflow::PROMOTION_PATIENCE);
    if report.exit() != Exit::Ok {
        note(&format!("MLflow has not been told yet:\n{}help: `manifest-gen sync` tries again", report.text()));
    }
}

/// What a change of the registry prints.
///
/// # Errors
/// [`Error::Usage`] for a format that it does not have.
pub fn print(report: &ChangeReport, format: Format) -> Result<String> {
    match format {
        Format::Json => crate::print::json(report),
        Format::Csv => Err(Error::usage("--format csv", "text or json")),
        Format::Text | Format::Markdown => Ok(text(report)),
    }
}

fn text(report: &ChangeReport) -> String {
    let ChangeReport { name, version, .. } = report;
    match (&report.alias, report.changed, &report.previous) {
        (None, true, _) => format!("{name} {version} is yanked\n"),
        (None, false, _) => format!("{name} {version} was yanked already\n"),
        (Some(alias), false, _) => format!("{name}@{alias} is {version} already\n"),
        (Some(alias), true, None) => format!("{name}@{alias} is now {version}\n"),
        (Some(alias), true, Some(previous)) => format!("{name}@{alias} is now {version} (was {previous})\n"),
    }
}
