//! `manifest-gen rollback`: sets an alias back to the version before; model and preprocessing together.

use shared::cli::Context;
use shared::format::registry::{Action, Event, Registry};
use shared::{Error, Exit, Result};

use crate::change::{self, ChangeReport, OccasionArgs, Subject};
use crate::derive::{CHAMPION, DerivedArgs};
use crate::ledger;
use crate::mlflow::{Announcement, Kind};
use crate::promote::{self, PolicyArgs};
use crate::release;
use crate::signature;
use crate::store::{Store, StoreArgs, Stored};
use crate::transaction::{self, Change};
use crate::version::ModelVersion;

/// Flags of `manifest-gen rollback`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model
    pub name: String,
    /// The alias to set back
    #[arg(long, default_value = CHAMPION)]
    pub alias: String,
    /// The version to go back to; the one before, if absent
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// What signatures are checked with.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// What is derived from the registry.
    #[command(flatten)]
    pub derived: DerivedArgs,
    /// Who and why.
    #[command(flatten)]
    pub occasion: OccasionArgs,
}

/// Runs the command.
///
/// # Errors
/// If there is nothing to go back to, or the earlier release is not what it was.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let derived = args.derived.derived()?;
    let settings = args.occasion.server.settings(context.config.project.as_deref());
    let report = transaction::change(&store, |registry| {
        let (report, stored, registry) = decide(args, &store, registry)?;
        let announcement = args.occasion.mlflow.then(|| Announcement::of(&stored, &args.alias, Kind::Alias, &settings));
        Ok(Change { registry, derived, announcement, outcome: report })
    })?;
    if args.occasion.mlflow {
        change::tell_mlflow(&store, &settings);
    }
    context.emit(&change::print(&report, context.format)?)?;
    Ok(Exit::Ok)
}

fn decide(args: &Args, store: &Store, registry: &Registry) -> Result<(ChangeReport, Stored, Option<Registry>)> {
    let model = store.model(registry, &args.name)?;
    let number = match &args.to {
        Some(text) => ModelVersion::parse(text)?.semver.to_string(),
        None => ledger::before(&args.name, model, &args.alias)?,
    };
    let stored = store.manifest(&args.name, &ModelVersion::parse(&number)?)?;
    refuse_damage(args, store, registry, &stored)?;
    let previous = model.aliases.get(&args.alias).cloned();
    release::publish(store, &stored)?;
    let report = ChangeReport::aliased(&stored, &args.alias, previous.as_ref());
    if !report.changed {
        return Ok((report, stored, None));
    }
    let OccasionArgs { by, reason, .. } = &args.occasion;
    let event = Event {
        alias: Some(args.alias.clone()),
        previous,
        ..change::event(Action::Rollback, Subject::release(store, &stored)?, by.as_deref(), reason.as_deref())?
    };
    let mut changed = registry.clone();
    ledger::append(changed.models.entry(args.name.clone()).or_default(), event, Some(&stored))?;
    Ok((report, stored, Some(changed)))
}

/// The earlier release must be registered, usable, and what it was.
fn refuse_damage(args: &Args, store: &Store, registry: &Registry, stored: &Stored) -> Result<()> {
    let number = &stored.manifest.version;
    let model = registry.models.get(&args.name);
    let mut reasons = release::damage(store, &stored.manifest)?;
    if model.is_none_or(|model| !model.versions.contains_key(number)) {
        reasons.push(format!("{number} was never promoted"));
    }
    let signature = promote::signature_digest(store, stored)?;
    let registered = promote::checks::registered(model, number, &stored.sha256, signature.as_deref());
    let signed = signature::objections(store, stored, &args.policy)?;
    reasons.extend(registered.into_iter().chain(signed).map(|objection| objection.text));
    match reasons.is_empty() {
        true => Ok(()),
        false => Err(Error::refused(format!("{} is not rolled back to {number}", args.name), reasons)),
    }
}
