//! `manifest-gen promote`: sets an alias to a release, if the evidence allows it.

mod args;
pub mod checks;
pub mod given;

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format, note};
use shared::format::manifest::SIGNATURE_NAME;
use shared::format::registry::{Action, Event, Registry};
use shared::format::verdict::Verdict;
use shared::{Error, Exit, Result, clock, digest, fsio};

use crate::mlflow::{self, Announcement, Kind};
use crate::pickle::{self, AllowList, ScanVerdict};
use crate::release;
use crate::signature;
use crate::store::{Store, Stored};
use crate::transaction::{self, Change};
use crate::version::{ModelVersion, check_name};
use crate::{ledger, new};

pub use args::{Args, PolicyArgs};
use checks::Objection;

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/promote/1";

/// What was done; `rollback` and `yank` print it too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangeReport {
    /// [`SCHEMA`].
    pub schema: String,
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

/// Runs the command.
///
/// # Errors
/// [`Error::Refused`] with every objection; what cannot be read or written.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    check_name(&args.alias, "alias")?;
    let version = ModelVersion::parse(&args.model_version)?;
    let store = args.store.store();
    let derived = args.derived.derived()?;
    let settings = args.server.settings(context.config.project.as_deref());
    let report = transaction::change(&store, |registry| {
        let (report, stored, changed) = decide(args, &store, registry, &version)?;
        let announcement = args.mlflow.then(|| Announcement::of(&stored, &args.alias, Kind::Release, &settings));
        Ok(Change { registry: changed, derived, announcement, outcome: report })
    })?;
    if args.mlflow {
        tell_mlflow(&store, &settings);
    }
    report.overruled.iter().for_each(|text| note(&format!("on record: {text}")));
    context.emit(&print(&report, context.format)?)?;
    Ok(Exit::Ok)
}

fn decide(
    args: &Args,
    store: &Store,
    registry: &Registry,
    version: &ModelVersion,
) -> Result<(ChangeReport, Stored, Option<Registry>)> {
    let stored = store.manifest(&args.name, version)?;
    let number = stored.manifest.version.clone();
    let signature = signature_digest(store, &stored)?;
    let given = given::read(&args.evidence, &args.name, &number)?;
    let entries: Vec<_> = given.iter().map(|given| given.entry.clone()).collect();
    let mut overruled = Vec::new();
    let model = registry.models.get(&args.name);
    let previous = model.and_then(|model| model.aliases.get(&args.alias)).cloned();
    let mut objections = objections(args, store, registry, &stored, signature.as_deref(), &entries, &mut overruled)?;
    if previous.as_ref() == Some(&number) {
        // It was judged when it came; only broken facts are news.
        objections.retain(|objection| !objection.can_be_forced);
    }
    overruled.extend(settle(objections, args.force.as_deref(), &args.name, &number)?);
    release::publish(store, &stored)?;
    let report = ChangeReport {
        schema: SCHEMA.to_owned(),
        name: args.name.clone(),
        version: number.clone(),
        alias: Some(args.alias.clone()),
        changed: previous.as_ref() != Some(&number),
        previous: previous.clone(),
        overruled: overruled.clone(),
        manifest_sha256: stored.sha256.clone(),
    };
    if !report.changed {
        return Ok((report, stored, None));
    }
    given::keep(store, &given)?;
    let event = Event {
        at: clock::now()?.to_string(),
        action: Action::Promote,
        version: number,
        alias: Some(args.alias.clone()),
        previous,
        by: who(args.by.as_deref()),
        reason: args.reason.clone(),
        forced: args.force.clone().filter(|_| !overruled.is_empty()),
        overruled,
        manifest_sha256: stored.sha256.clone(),
        signature_sha256: signature,
        evidence: entries,
        chain: String::new(),
        sha256: String::new(),
    };
    let mut changed = registry.clone();
    ledger::append(changed.models.entry(args.name.clone()).or_default(), event, &stored)?;
    Ok((report, stored, Some(changed)))
}

/// Everything that speaks against it.
fn objections(
    args: &Args,
    store: &Store,
    registry: &Registry,
    stored: &Stored,
    signature: Option<&str>,
    given: &[shared::format::registry::GivenEvidence],
    accepted: &mut Vec<String>,
) -> Result<Vec<Objection>> {
    let manifest = &stored.manifest;
    let model = registry.models.get(&args.name);
    let mut all: Vec<Objection> = release::damage(store, manifest)?.into_iter().map(Objection::fact).collect();
    all.extend(checks::registered(model, &manifest.version, &stored.sha256, signature));
    all.extend(checks::expected(model, &args.alias, args.expect.as_deref())?);
    all.extend(pickles(store, stored, &AllowList::shipped().with(&args.allow.allow))?);
    all.extend(signature::objections(store, stored, &args.policy)?);
    all.extend(checks::verdict(manifest, verdict_of(store, stored)?.as_ref(), args.policy.allow_unbound, accepted));
    all.extend(checks::age(manifest, args.policy.max_evidence_age.as_deref(), clock::now()?)?);
    all.extend(checks::evidence(manifest, given, &args.policy.require_evidence));
    Ok(all)
}

/// Refuses, unless all objections are judgements and there is a reason to overrule them; returns what was overruled.
fn settle(objections: Vec<Objection>, force: Option<&str>, name: &str, number: &str) -> Result<Vec<String>> {
    let can_be_forced = objections.iter().all(|objection| objection.can_be_forced);
    let texts: Vec<String> = objections.into_iter().map(|objection| objection.text).collect();
    let has_reason = force.is_some_and(|reason| !reason.trim().is_empty());
    if texts.is_empty() || (can_be_forced && has_reason) {
        return Ok(texts);
    }
    let error = Error::refused(format!("{name} {number} is not promoted"), texts);
    Err(match can_be_forced {
        true => error.with_help("--force REASON promotes it all the same, and stays on record for ever"),
        false => error,
    })
}

fn pickles(store: &Store, stored: &Stored, allow: &AllowList) -> Result<Vec<Objection>> {
    let folder = store.path(&Store::release_name_of(&stored.manifest))?;
    let mut objections = Vec::new();
    for artifact in &stored.manifest.artifacts {
        let scan = pickle::scan(fsio::open(&folder.join(&artifact.path))?, allow);
        if scan.verdict != ScanVerdict::Allowed {
            let why = if scan.refused.is_empty() { scan.notes.join("; ") } else { scan.refused.join(", ") };
            objections.push(Objection::fact(format!("the pickle scan does not allow {}: {why}", artifact.path)));
        }
    }
    Ok(objections)
}

/// The verdict that the release carries.
///
/// # Errors
/// If it is there and cannot be read.
pub fn verdict_of(store: &Store, stored: &Stored) -> Result<Option<Verdict>> {
    let Some(evidence) = stored.manifest.evidence("verdict") else { return Ok(None) };
    let path = store.path(&Store::release_name_of(&stored.manifest))?.join(&evidence.path);
    let bytes = fsio::read(&path)?;
    new::verdict::parse(&path, &bytes).map(Some)
}

/// SHA-256 of the signature, if there is one.
///
/// # Errors
/// If it cannot be read.
pub fn signature_digest(store: &Store, stored: &Stored) -> Result<Option<String>> {
    let path = store.path(&Store::release_name_of(&stored.manifest))?.join(SIGNATURE_NAME);
    path.exists().then(|| digest::of_file(&path)).transpose()
}

/// Who does it: what the flag says, else user and host.
pub fn who(stated: Option<&str>) -> String {
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
