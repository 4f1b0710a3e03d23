//! `manifest-gen promote`: sets an alias to a release, if the evidence allows it.

mod args;
pub mod checks;
pub mod given;

use shared::cli::{Context, note};
use shared::format::manifest::SIGNATURE_NAME;
use shared::format::registry::{Action, Event, Registry};
use shared::format::verdict::Verdict;
use shared::{Error, Exit, Result, clock, digest, fsio};

use crate::change::{self, ChangeReport, OccasionArgs, Subject};
use crate::mlflow::{Announcement, Kind};
use crate::pickle::{self, AllowList, ScanVerdict};
use crate::release;
use crate::signature;
use crate::store::{Store, Stored};
use crate::transaction::{self, Change};
use crate::version::{ModelVersion, check_name};
use crate::{derive, ledger, new};

pub use args::{Args, PolicyArgs};
use checks::Objection;
use given::Given;

/// Runs the command.
///
/// # Errors
/// [`Error::Refused`] with every objection; what cannot be read or written.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    check_name(&args.alias, "alias")?;
    let version = ModelVersion::parse(&args.model_version)?;
    let store = args.store.store();
    let derived = args.derived.derived()?;
    let settings = args.occasion.server.settings(context.config.project.as_deref());
    let report = transaction::change(&store, |registry| {
        // A README that cannot be brought up to date is found before evidence is kept.
        derive::files(&store, registry, &derived)?;
        let (report, stored, changed) = decide(args, &store, registry, &version)?;
        let announcement =
            args.occasion.mlflow.then(|| Announcement::of(&stored, &args.alias, Kind::Release, &settings));
        Ok(Change { registry: changed, derived, announcement, outcome: report })
    })?;
    if args.occasion.mlflow {
        change::tell_mlflow(&store, &settings);
    }
    report.overruled.iter().for_each(|text| note(&format!("on record: {text}")));
    context.emit(&change::print(&report, context.format)?)?;
    Ok(Exit::Ok)
}

fn decide(
    args: &Args,
    store: &Store,
    registry: &Registry,
    version: &ModelVersion,
) -> Result<(ChangeReport, Stored, Option<Registry>)> {
    let stored = store.manifest(&args.name, version)?;
    let given = given::read(&args.evidence, &args.name, &stored.manifest.version)?;
    let previous = registry.models.get(&args.name).and_then(|model| model.aliases.get(&args.alias)).cloned();
    let overruled = judge(args, store, registry, &stored, &given)?;
    release::publish(store, &stored)?;
    let report =
        ChangeReport { overruled: overruled.clone(), ..ChangeReport::aliased(&stored, &args.alias, previous.as_ref()) };
    if !report.changed {
        return Ok((report, stored, None));
    }
    given::keep(store, &given)?;
    let OccasionArgs { by, reason, .. } = &args.occasion;
    let event = Event {
        alias: Some(args.alias.clone()),
        previous,
        forced: args.force.clone().filter(|_| !overruled.is_empty()),
        overruled,
        evidence: given.into_iter().map(|given| given.entry).collect(),
        ..change::event(Action::Promote, Subject::release(store, &stored)?, by.as_deref(), reason.as_deref())?
    };
    let mut changed = registry.clone();
    ledger::append(changed.models.entry(args.name.clone()).or_default(), event, Some(&stored))?;
    Ok((report, stored, Some(changed)))
}

/// Refuses, or says what was overruled or accepted and stays on record.
fn judge(args: &Args, store: &Store, registry: &Registry, stored: &Stored, given: &[Given]) -> Result<Vec<String>> {
    let number = &stored.manifest.version;
    let aliased = registry.models.get(&args.name).and_then(|model| model.aliases.get(&args.alias));
    let mut on_record = Vec::new();
    let mut objections = objections(args, store, registry, stored, given, &mut on_record)?;
    if aliased == Some(number) {
        // It was judged when it came; only broken facts are news.
        objections.retain(|objection| !objection.can_be_forced);
    }
    on_record.extend(settle(objections, args.force.as_deref(), &args.name, number)?);
    Ok(on_record)
}

/// Everything that speaks against it.
fn objections(
    args: &Args,
    store: &Store,
    registry: &Registry,
    stored: &Stored,
    given: &[Given],
    accepted: &mut Vec<String>,
) -> Result<Vec<Objection>> {
    let manifest = &stored.manifest;
    let model = registry.models.get(&args.name);
    let signature = signature_digest(store, stored)?;
    let given: Vec<_> = given.iter().map(|given| given.entry.clone()).collect();
    let mut all: Vec<Objection> = release::damage(store, manifest)?.into_iter().map(Objection::fact).collect();
    all.extend(checks::registered(model, &manifest.version, &stored.sha256, signature.as_deref()));
    all.extend(checks::expected(model, &args.alias, &manifest.version, args.expect.as_deref())?);
    all.extend(pickles(store, stored, &AllowList::shipped().with(&args.allow.allow))?);
    all.extend(signature::objections(store, stored, &args.policy)?);
    all.extend(checks::verdict(manifest, verdict_of(store, stored)?.as_ref(), args.policy.allow_unbound, accepted));
    all.extend(checks::age(manifest, args.policy.max_evidence_age.as_deref(), clock::now()?)?);
    all.extend(checks::evidence(manifest, &given, &args.policy.require_evidence));
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
