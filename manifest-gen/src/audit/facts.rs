//! What the audit knows of a release and the project around it: gathered here, judged elsewhere.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use shared::cli::Context;
use shared::config::{Config, Table, Value};
use shared::format::manifest::Manifest;
use shared::format::registry::{Event, Model};
use shared::format::verdict::Verdict;
use shared::{Result, clock, fsio};

use crate::derive;
use crate::pickle::{self, AllowList, ScanVerdict};
use crate::promote::{self, checks};
use crate::stale::{self, Catalogue};
use crate::store::{Store, Stored};
use crate::verify::{self, Check};
use crate::version::ModelVersion;

use super::Args;

/// All of it.
pub(super) struct Facts {
    pub(super) reference: String,
    pub(super) manifest: Manifest,
    pub(super) manifest_sha256: String,
    pub(super) manifest_path: String,
    /// Where the release stands.
    pub(super) release: String,
    /// The event that brought the version, and its number in the history.
    pub(super) promoted: Option<(usize, Event)>,
    pub(super) registry: String,
    pub(super) verdict: Option<Verdict>,
    /// What `verify` says.
    pub(super) checks: Vec<Check>,
    pub(super) registry_faults: Vec<String>,
    /// Pickles that the present list does not allow.
    pub(super) pickles: Vec<String>,
    /// What speaks against the verdict.
    pub(super) verdict_objections: Vec<String>,
    /// The age of the evidence: the policy, and what speaks against it.
    pub(super) age: Option<(String, Option<String>)>,
    /// The README, and the derived files that are not as they should be.
    pub(super) readme: Option<(PathBuf, Vec<PathBuf>)>,
    /// References to versions that are left behind.
    pub(super) stale: Vec<String>,
    pub(super) looked_at: u64,
    pub(super) training_code: Vec<Script>,
    /// Whether the benchmark row states the parameters.
    pub(super) has_parameters: bool,
    pub(super) required_slices: Vec<String>,
    pub(super) signature_required: bool,
    /// Where promotion.toml names the model for each daemon.
    pub(super) monitored_at: Option<String>,
    pub(super) scheduled_at: Option<String>,
    pub(super) config: Option<PathBuf>,
}

/// A file of training code.
pub(super) struct Script {
    pub(super) path: PathBuf,
    pub(super) exists: bool,
    pub(super) is_notebook: bool,
    /// Whether version control has it as it stands.
    pub(super) is_committed: bool,
}

pub(super) fn gather(args: &Args, context: &Context) -> Result<Facts> {
    let store = args.store.store();
    let resolved = store.resolve(&args.reference)?;
    let stored = store.manifest(&resolved.name, &ModelVersion::parse(&resolved.number)?)?;
    let registry = store.registry()?;
    let model = store.model(&registry, &resolved.name)?;
    let verdict = promote::verdict_of(&store, &stored).ok().flatten();
    let wanted = [(resolved.name.clone(), ModelVersion::parse(&resolved.number)?)];
    let verified = verify::report(&store, &args.policy, &wanted)?;
    let found = stale::find(&args.consumers, &Catalogue::of(&registry, derive::CHAMPION, &context.config)?)?;
    let names = names(&context.config, &stored.manifest);
    Ok(Facts {
        reference: args.reference.clone(),
        manifest_path: manifest_path(&store, &stored)?,
        release: store.path(&resolved.version.release)?.display().to_string(),
        promoted: promoted(model, &resolved.number),
        registry: store.registry_path().display().to_string(),
        checks: verified.releases.into_iter().flat_map(|release| release.checks).collect(),
        registry_faults: verified.registry,
        pickles: pickles(&store, &stored, &AllowList::shipped().with(&args.allow.allow))?,
        verdict_objections: verdict_objections(args, &stored.manifest, verdict.as_ref()),
        verdict,
        age: age(args, &stored.manifest)?,
        readme: readme(args, &store)?,
        looked_at: found.files,
        stale: stale_references(&found, &stored.manifest.name),
        training_code: args.training_code.iter().map(|path| script(path)).collect(),
        has_parameters: has_parameters(&store, &stored)?,
        required_slices: args.require_slice.clone(),
        signature_required: args.policy.require_signature,
        monitored_at: named_at(&context.config, "drift-watch", &["model", "manifest"], &names),
        scheduled_at: named_at(&context.config, "rebench-cron", &["model", "candidate-model"], &names),
        config: context.config.path.clone(),
        manifest_sha256: stored.sha256,
        manifest: stored.manifest,
    })
}

fn manifest_path(store: &Store, stored: &Stored) -> Result<String> {
    let folder = store.path(&Store::release_name_of(&stored.manifest))?;
    Ok(folder.join(shared::format::manifest::FILE_NAME).display().to_string())
}

/// The event that brought the version under its alias, the last one where there are several.
fn promoted(model: &Model, number: &str) -> Option<(usize, Event)> {
    let is_it = |event: &&Event| event.version == number && event.action == shared::format::registry::Action::Promote;
    let index = model.history.iter().rposition(|event| is_it(&event))?;
    Some((index + 1, model.history[index].clone()))
}

fn pickles(store: &Store, stored: &Stored, allow: &AllowList) -> Result<Vec<String>> {
    let folder = store.path(&Store::release_name_of(&stored.manifest))?;
    let mut refused = Vec::new();
    for artifact in &stored.manifest.artifacts {
        let path = folder.join(&artifact.path);
        let Ok(file) = fsio::open(&path) else { continue };
        let scan = pickle::scan(file, allow);
        if scan.verdict != ScanVerdict::Allowed {
            refused.push(format!("{}: {}", path.display(), scan.refused.join(", ")));
        }
    }
    Ok(refused)
}

fn verdict_objections(args: &Args, manifest: &Manifest, verdict: Option<&Verdict>) -> Vec<String> {
    let objections = checks::verdict(manifest, verdict, args.policy.allow_unbound, &mut Vec::new());
    objections.into_iter().map(|objection| objection.text).collect()
}

fn age(args: &Args, manifest: &Manifest) -> Result<Option<(String, Option<String>)>> {
    let Some(max_age) = &args.policy.max_evidence_age else { return Ok(None) };
    let objection = checks::age(manifest, Some(max_age), clock::now()?)?;
    Ok(Some((max_age.clone(), objection.map(|objection| objection.text))))
}

fn readme(args: &Args, store: &Store) -> Result<Option<(PathBuf, Vec<PathBuf>)>> {
    let Some(readme) = args.derived.readme.clone() else { return Ok(None) };
    let files = derive::files(store, &store.registry()?, &args.derived.derived()?)?;
    Ok(Some((readme, derive::stale(&files).into_iter().cloned().collect())))
}

fn stale_references(report: &stale::Report, name: &str) -> Vec<String> {
    let is_error = |finding: &&stale::Finding| finding.kind.severity() == stale::Severity::Error;
    let is_ours = |finding: &&stale::Finding| finding.model.as_deref().is_none_or(|model| model == name);
    let errors = report.findings.iter().filter(is_error).filter(is_ours);
    errors
        .map(|finding| format!("{}:{}:{} {}", finding.path.display(), finding.line, finding.column, finding.found))
        .collect()
}

fn script(path: &Path) -> Script {
    let tracked = git(path, &["ls-files", "--error-unmatch"]).is_some();
    let changed = git(path, &["status", "--porcelain"]).is_none_or(|text| !text.trim().is_empty());
    Script {
        path: path.to_owned(),
        exists: path.is_file(),
        is_notebook: path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("ipynb")),
        is_committed: tracked && !changed,
    }
}

fn git(path: &Path, args: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(args).arg("--").arg(path).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the rows of the benchmark that metrics were copied from have parameters.
fn has_parameters(store: &Store, stored: &Stored) -> Result<bool> {
    let Some(evidence) = stored.manifest.evidence("benchmark") else { return Ok(false) };
    let path = store.path(&Store::release_name_of(&stored.manifest))?.join(&evidence.path);
    let Ok(bytes) = fsio::read(&path) else { return Ok(false) };
    let rows = shared::format::benchmark::examine(&path, &bytes).into_file().map(|file| file.rows).unwrap_or_default();
    let prefix = |index: usize| format!("benchmark:/results/{index}/");
    let is_copied = |index: usize| stored.manifest.metrics.iter().any(|metric| metric.from.starts_with(&prefix(index)));
    Ok(rows.iter().enumerate().any(|(index, row)| is_copied(index) && row.params.is_some()))
}

/// Every name that files may call the model.
fn names(config: &Config, manifest: &Manifest) -> Vec<String> {
    let known =
        config.models.names().iter().filter(|(_, model)| **model == manifest.name).map(|(name, _)| name.clone());
    known.chain([manifest.name.clone(), manifest.model_name.clone()]).collect()
}

/// Where the table of a tool says, by one of these keys or by the name of a table, that the model is its subject.
fn named_at(config: &Config, tool: &str, keys: &[&str], names: &[String]) -> Option<String> {
    let place = find(config.tool(tool)?, keys, names)?;
    Some(place.of(config.path.as_deref()?).to_string())
}

/// Whether a path is that of a published manifest of the model.
fn is_manifest(path: &str, name: &str) -> bool {
    let path = Path::new(path);
    let stem = path.file_stem().and_then(OsStr::to_str).and_then(|stem| stem.strip_prefix(name));
    stem.is_some_and(|rest| rest.starts_with("_v")) && path.extension().is_some_and(|extension| extension == "json")
}

fn find(table: &Table, keys: &[&str], names: &[String]) -> Option<shared::config::Position> {
    let is_name = |text: &str| {
        names.iter().any(|name| text == name || text.split('@').next() == Some(name) || is_manifest(text, name))
    };
    table.entries.iter().find_map(|entry| match &entry.value {
        Value::Table(_) if is_name(&entry.key) => Some(entry.at),
        Value::Table(inner) => find(inner, keys, names),
        _ if !keys.contains(&entry.key.as_str()) => None,
        Value::One(scalar) => is_name(&scalar.text).then_some(scalar.at),
        Value::Many(scalars) => scalars.iter().find(|scalar| is_name(&scalar.text)).map(|scalar| scalar.at),
        Value::Other => None,
    })
}
