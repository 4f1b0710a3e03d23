//! `manifest-gen verify`: is a release what was promoted, and does everything that names it agree?

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format};
use shared::format::input::Tool;
use shared::format::manifest::{MODEL, Manifest, PREPROCESSING};
use shared::format::registry::{Registry, Version};
use shared::{Error, Exit, Result, clock, fsio};

use crate::ledger;
use crate::oms::Trust;
use crate::pickle::{self, AllowList};
use crate::promote::{self, PolicyArgs, checks};
use crate::release;
use crate::signature::{self, Standing};
use crate::store::{Store, StoreArgs, Stored};
use crate::version::ModelVersion;

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/verify/1";

/// Flags of `manifest-gen verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model
    #[arg(required_unless_present = "all")]
    pub name: Option<String>,
    /// The version
    #[arg(required_unless_present = "all", value_name = "VERSION")]
    pub model_version: Option<String>,
    /// Every release in the folder of models
    #[arg(long, conflicts_with_all = ["name", "model_version"])]
    pub all: bool,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
    /// The public key, or the certificates of the authority, that signatures are checked with
    #[arg(long, visible_alias = "key", value_name = "FILE")]
    pub public_key: Option<std::path::PathBuf>,
    /// The release must be signed
    #[arg(long)]
    pub require_signature: bool,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// All is as it should be.
    Ok,
    /// There is nothing to check.
    NotApplicable,
    /// It cannot be told.
    Unknown,
    /// Something is not as it should be.
    Failed,
}

/// One check of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// `files`, `signature`, `pickles`, `contract`, `published`, `verdict`, `registry`, `history`.
    pub check: &'static str,
    /// How it ended.
    pub answer: Answer,
    /// Why.
    pub details: Vec<String>,
}

/// All checks of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verified {
    /// The model.
    pub name: String,
    /// The version.
    pub version: String,
    /// The checks.
    pub checks: Vec<Check>,
}

/// What the command prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct VerifyReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The worst answer.
    pub answer: Answer,
    /// By release.
    pub releases: Vec<Verified>,
    /// What is wrong with the registry as a whole.
    pub registry: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If a release or the registry cannot be read at all.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let policy = PolicyArgs {
        public_key: args.public_key.clone(),
        require_signature: args.require_signature,
        ..PolicyArgs::default()
    };
    let wanted = wanted(args, &store)?;
    let report = report(&store, &policy, &wanted)?;
    context.emit(&print(&report, context.format)?)?;
    Ok(match report.answer {
        Answer::Ok | Answer::NotApplicable => Exit::Ok,
        Answer::Unknown => Exit::Undecided,
        Answer::Failed => Exit::No,
    })
}

type Wanted = (String, ModelVersion);

fn wanted(args: &Args, store: &Store) -> Result<Vec<Wanted>> {
    match (&args.name, &args.model_version) {
        (Some(name), Some(version)) => Ok(vec![(name.clone(), ModelVersion::parse(version)?)]),
        _ => all(store),
    }
}

/// Every release on disk or in the registry, in the order of names and versions.
///
/// # Errors
/// If the registry cannot be read, or there is no release at all.
pub fn all(store: &Store) -> Result<Vec<Wanted>> {
    let mut found: Vec<Wanted> = Vec::new();
    for name in names_in(&store.root.join("releases")) {
        for number in names_in(&store.root.join("releases").join(&name)) {
            found.extend(ModelVersion::parse(&number).ok().map(|version| (name.clone(), version)));
        }
    }
    for (name, model) in store.registry()?.models {
        for number in model.versions.keys() {
            found.push((name.clone(), ModelVersion::parse(number)?));
        }
    }
    found.sort_by(|a, b| (&a.0, &a.1.semver).cmp(&(&b.0, &b.1.semver)));
    found.dedup_by(|a, b| a.0 == b.0 && a.1.semver == b.1.semver);
    match found.is_empty() {
        true => Err(Error::usage(format!("{}: no release", store.root.display()), "one that `manifest-gen new` made")),
        false => Ok(found),
    }
}

fn names_in(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// Checks releases and the registry.
///
/// # Errors
/// If something cannot be read at all.
pub fn report(store: &Store, policy: &PolicyArgs, wanted: &[Wanted]) -> Result<VerifyReport> {
    let (registry, bytes) = store.registry_bytes()?;
    let trust = signature::trust(policy)?;
    let releases = wanted
        .iter()
        .map(|(name, version)| one(store, policy, trust.as_ref(), &registry, name, version))
        .collect::<Result<Vec<_>>>()?;
    let whole = whole(&registry, bytes.as_deref())?;
    let worst = releases.iter().flat_map(|release| &release.checks).map(|check| check.answer);
    let known = worst.filter(|answer| *answer != Answer::NotApplicable).max().unwrap_or(Answer::Ok);
    let answer = if whole.is_empty() { known } else { Answer::Failed };
    Ok(VerifyReport { schema: SCHEMA.to_owned(), tool: crate::print::tool(), answer, releases, registry: whole })
}

/// The registry is written in one way only, and its models are what their histories say.
fn whole(registry: &Registry, bytes: Option<&[u8]>) -> Result<Vec<String>> {
    let Some(bytes) = bytes else { return Ok(Vec::new()) };
    let mut faults = Vec::new();
    if registry.to_bytes()? != bytes {
        faults.push("the registry is not as this tool writes it".to_owned());
    }
    for (name, model) in &registry.models {
        faults.extend(ledger::faults(name, model).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    Ok(faults)
}

fn one(
    store: &Store,
    policy: &PolicyArgs,
    trust: Option<&Trust>,
    registry: &Registry,
    name: &str,
    version: &ModelVersion,
) -> Result<Verified> {
    let number = version.semver.to_string();
    let entry = registry.models.get(name).and_then(|model| model.versions.get(&number));
    let checks = match store.manifest(name, version) {
        Err(error) if error.exit() == Exit::Usage && entry.is_some() => vec![failed("files", vec![error.to_string()])],
        Err(error) => return Err(error),
        Ok(stored) => checks(store, policy, trust, entry, &stored)?,
    };
    Ok(Verified { name: name.to_owned(), version: number, checks })
}

fn checks(
    store: &Store,
    policy: &PolicyArgs,
    trust: Option<&Trust>,
    entry: Option<&Version>,
    stored: &Stored,
) -> Result<Vec<Check>> {
    Ok(vec![
        judged("files", release::damage(store, &stored.manifest)?),
        signature(store, stored, policy, trust)?,
        judged("pickles", changed_pickles(store, stored)?),
        judged("contract", contract(store, stored)?),
        judged("published", release::damaged_copies(store, stored)?),
        verdict(store, stored),
        registered(store, entry, stored)?,
    ])
}

fn judged(check: &'static str, details: Vec<String>) -> Check {
    let answer = if details.is_empty() { Answer::Ok } else { Answer::Failed };
    Check { check, answer, details }
}

fn failed(check: &'static str, details: Vec<String>) -> Check {
    Check { check, answer: Answer::Failed, details }
}

fn signature(store: &Store, stored: &Stored, policy: &PolicyArgs, trust: Option<&Trust>) -> Result<Check> {
    let (answer, details) = match signature::standing(store, stored, trust, clock::now()?)? {
        Standing::Good { signer } => (Answer::Ok, vec![signer]),
        Standing::Bad(reasons) => (Answer::Failed, reasons),
        Standing::Unsigned if policy.require_signature => (Answer::Failed, vec!["not signed".to_owned()]),
        Standing::Unsigned => (Answer::NotApplicable, vec!["not signed".to_owned()]),
        Standing::Unchecked => (Answer::Unknown, vec!["signed, and nobody said by whom: --key PUBLIC.pem".to_owned()]),
    };
    Ok(Check { check: "signature", answer, details })
}

/// What pickles would import, now and in the manifest.
fn changed_pickles(store: &Store, stored: &Stored) -> Result<Vec<String>> {
    let folder = store.path(&Store::release_name_of(&stored.manifest))?;
    let mut details = Vec::new();
    for artifact in &stored.manifest.artifacts {
        let path = folder.join(&artifact.path);
        // A file that is missing is told by the check of the files.
        let Ok(file) = fsio::open(&path) else { continue };
        let scan = pickle::scan(file, &AllowList::shipped());
        if scan.container != artifact.format || !scan.globals.iter().eq(&artifact.globals) {
            details.push(format!("{} would not import what the manifest says", path.display()));
        }
    }
    Ok(details)
}

/// Whether the manifest's contract makes sense, and is that of the model file where that names its features.
fn contract(store: &Store, stored: &Stored) -> Result<Vec<String>> {
    let manifest = &stored.manifest;
    let names: Vec<&str> = manifest.features.iter().map(|feature| feature.name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let mut details = Vec::new();
    if sorted.len() != names.len() || names.contains(&"") {
        details.push("a feature is named twice, or not at all".to_owned());
    }
    let differs = |(_, own): &(&str, Vec<String>)| !names.is_empty() && *own != names;
    if let Some((role, _)) = own_features(store, manifest)?.filter(differs) {
        details.push(format!("the {role} file names other features, or in another order"));
    }
    Ok(details)
}

/// The features that the first artefact asks for which a request meets, where it names them: preprocessing may give the model others.
fn own_features<'a>(store: &Store, manifest: &'a Manifest) -> Result<Option<(&'a str, Vec<String>)>> {
    let folder = store.path(&Store::release_name_of(manifest))?;
    let own = |role: &str| {
        let artifact = manifest.artifact(role)?;
        let names = fsio::open(&folder.join(&artifact.path)).ok().and_then(pickle::feature_names)?;
        Some((artifact.role.as_str(), names))
    };
    Ok(own(PREPROCESSING).or_else(|| own(MODEL)))
}

/// Whether the verdict in the release is about these bytes; what it decides is the promotion's business.
fn verdict(store: &Store, stored: &Stored) -> Check {
    let found = match promote::verdict_of(store, stored) {
        Err(error) => return failed("verdict", vec![error.to_string()]),
        Ok(found) => found,
    };
    let Some(verdict) = found else {
        return Check { check: "verdict", answer: Answer::NotApplicable, details: vec!["no verdict".to_owned()] };
    };
    let is_other =
        |objection: &String| objection.contains("speaks about another") || objection.contains("does not have");
    let objections = checks::verdict(&stored.manifest, Some(&verdict), true, &mut Vec::new());
    judged("verdict", objections.into_iter().map(|objection| objection.text).filter(is_other).collect())
}

/// Whether the registry's entry is what the manifest says.
fn registered(store: &Store, entry: Option<&Version>, stored: &Stored) -> Result<Check> {
    let Some(entry) = entry else {
        let details = vec!["not promoted yet".to_owned()];
        return Ok(Check { check: "registry", answer: Answer::NotApplicable, details });
    };
    let signature = promote::signature_digest(store, stored)?;
    let expected =
        Version::of(&stored.manifest, &stored.sha256, signature.as_deref(), &entry.promoted_at, entry.yanked.clone());
    let fields = |version: &Version| serde_json::to_value(version).ok().and_then(|value| value.as_object().cloned());
    let (found, wanted) = (fields(entry).unwrap_or_default(), fields(&expected).unwrap_or_default());
    let differing = wanted.iter().filter(|(key, value)| found.get(*key) != Some(value));
    Ok(judged(
        "registry",
        differing.map(|(key, _)| format!("{key:?} in the registry is not that of the release")).collect(),
    ))
}

fn print(report: &VerifyReport, format: Format) -> Result<String> {
    match format {
        Format::Json => crate::print::json(report),
        Format::Csv => Err(Error::usage("--format csv", "text or json")),
        Format::Text | Format::Markdown => Ok(text(report)),
    }
}

fn text(report: &VerifyReport) -> String {
    let mut text = String::new();
    for release in &report.releases {
        text.push_str(&format!("{} {}\n", release.name, release.version));
        for check in &release.checks {
            text.push_str(&line(check));
        }
    }
    for fault in &report.registry {
        text.push_str(&format!("registry\n  FAILED   {fault}\n"));
    }
    text
}

fn line(check: &Check) -> String {
    let word = match check.answer {
        Answer::Ok => "ok",
        Answer::NotApplicable => "-",
        Answer::Unknown => "unknown",
        Answer::Failed => "FAILED",
    };
    let details = check.details.join("\n                      ");
    format!("  {word:<8} {:<10} {details}", check.check).trim_end().to_owned() + "\n"
}
