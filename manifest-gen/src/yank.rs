//! `manifest-gen yank`: withdraws a version for good.

use shared::cli::{Context, note};
use shared::format::registry::{Action, Registry};
use shared::{Error, Exit, Result};

use crate::change::{self, ChangeReport, SCHEMA, Subject};
use crate::derive::DerivedArgs;
use crate::ledger;
use crate::store::{Store, StoreArgs};
use crate::transaction::{self, Change};
use crate::version::ModelVersion;

/// Flags of `manifest-gen yank`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model
    pub name: String,
    /// The version that must not be used any more
    #[arg(value_name = "VERSION")]
    pub model_version: String,
    /// Why; stays on record
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// What is derived from the registry.
    #[command(flatten)]
    pub derived: DerivedArgs,
    /// Who does it; user and host if absent
    #[arg(long, value_name = "WHO")]
    pub by: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// If the version is not registered.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let derived = args.derived.derived()?;
    let (report, aliases) = transaction::change(&store, |registry| {
        let (report, aliases, registry) = decide(args, &store, registry)?;
        Ok(Change { registry, derived, announcement: None, outcome: (report, aliases) })
    })?;
    for alias in aliases {
        note(&format!(
            "{}@{alias} points at it and resolves no more: `manifest-gen rollback {} --alias {alias}`",
            args.name, args.name
        ));
    }
    context.emit(&change::print(&report, context.format)?)?;
    Ok(Exit::Ok)
}

fn decide(args: &Args, store: &Store, registry: &Registry) -> Result<(ChangeReport, Vec<String>, Option<Registry>)> {
    if args.reason.trim().is_empty() {
        return Err(Error::usage("an empty --reason", "why the version must not be used any more"));
    }
    let number = ModelVersion::parse(&args.model_version)?.semver.to_string();
    let model = store.model(registry, &args.name)?;
    let entry = model.versions.get(&number).ok_or_else(|| {
        let known = model.versions.keys().cloned().collect::<Vec<_>>().join(", ");
        Error::usage(format!("{} {number} is not registered", args.name), format!("one of {known}"))
    })?;
    let pointing = model.aliases.iter().filter(|(_, target)| **target == number);
    let aliases = pointing.map(|(alias, _)| alias.clone()).collect();
    let report = ChangeReport {
        schema: SCHEMA.to_owned(),
        tool: crate::print::tool(),
        name: args.name.clone(),
        version: number.clone(),
        alias: None,
        previous: None,
        changed: entry.yanked.is_none(),
        overruled: Vec::new(),
        manifest_sha256: entry.manifest_sha256.clone(),
    };
    if !report.changed {
        return Ok((report, aliases, None));
    }
    let subject = Subject::registered(&number, entry);
    let event = change::event(Action::Yank, subject, args.by.as_deref(), Some(&args.reason))?;
    let mut changed = registry.clone();
    ledger::append(changed.models.entry(args.name.clone()).or_default(), event, None)?;
    Ok((report, aliases, Some(changed)))
}
