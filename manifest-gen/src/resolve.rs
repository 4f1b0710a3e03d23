//! `manifest-gen resolve`: one path on standard output, for batch scripts.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format};
use shared::format::input::Tool;
use shared::format::registry::RegistryArtifact;
use shared::{Error, Exit, Result, fsio};

use crate::release;
use crate::store::{Resolved, Store, StoreArgs};

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/resolve/1";

/// Flags of `manifest-gen resolve`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// `NAME@ALIAS` or `NAME@VERSION`; `NAME` alone is its champion
    pub reference: String,
    /// The role whose path is wanted; the release folder if absent
    #[arg(long, value_name = "ROLE")]
    pub artifact: Option<String>,
    /// Hash the files before saying where they are
    #[arg(long)]
    pub verify: bool,
    /// The published copy, not the file in the release
    #[arg(long, requires = "artifact")]
    pub published: bool,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What a reference means.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ResolveReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The model.
    pub name: String,
    /// Strict semantic version.
    pub version: String,
    /// What was asked for: the release folder, or the file of the role.
    pub path: PathBuf,
    /// The release folder.
    pub release: PathBuf,
    /// SHA-256 of the manifest.
    pub manifest_sha256: String,
    /// Whether the files were hashed.
    pub verified: bool,
    /// All artefacts, relative to the folder of models.
    pub artifacts: Vec<RegistryArtifact>,
    /// The names of the features, in order.
    pub features: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// If the reference means nothing, or (with `--verify`) the files are not those of the registry.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let resolved = store.resolve(&args.reference)?;
    if args.verify {
        verify(&store, &resolved)?;
    }
    let report = report(args, &store, resolved)?;
    context.emit(&match context.format {
        Format::Json => crate::print::json(&report)?,
        _ => format!("{}\n", report.path.display()),
    })?;
    Ok(Exit::Ok)
}

fn report(args: &Args, store: &Store, resolved: Resolved) -> Result<ResolveReport> {
    let release = store.path(&resolved.version.release)?;
    let path = match &args.artifact {
        None => release.clone(),
        Some(role) => {
            let artifact = artifact(&resolved, role)?;
            store.path(if args.published { &artifact.published } else { &artifact.path })?
        }
    };
    Ok(ResolveReport {
        schema: SCHEMA.to_owned(),
        tool: crate::print::tool(),
        name: resolved.name,
        version: resolved.number,
        path,
        release,
        manifest_sha256: resolved.version.manifest_sha256,
        verified: args.verify,
        artifacts: resolved.version.artifacts,
        features: resolved.version.features,
    })
}

fn artifact<'a>(resolved: &'a Resolved, role: &str) -> Result<&'a RegistryArtifact> {
    resolved.version.artifact(role).ok_or_else(|| {
        let known: Vec<&str> = resolved.version.artifacts.iter().map(|artifact| artifact.role.as_str()).collect();
        Error::usage(format!("{} {} has no artefact {role:?}", resolved.name, resolved.number), known.join(", "))
    })
}

/// Hashes manifest, artefacts and their published copies.
fn verify(store: &Store, resolved: &Resolved) -> Result<()> {
    let version = &resolved.version;
    let manifest = store.path(&format!("{}/manifest.json", version.release))?;
    let mut wanted = vec![(manifest, version.manifest_sha256.as_str())];
    for artifact in &version.artifacts {
        wanted.push((store.path(&artifact.path)?, artifact.sha256.as_str()));
        wanted.push((store.path(&artifact.published)?, artifact.sha256.as_str()));
    }
    let mut reasons = Vec::new();
    for (path, expected) in wanted {
        fsio::open(&path)?;
        reasons.extend(release::other_bytes(&path, expected)?);
    }
    match reasons.is_empty() {
        true => Ok(()),
        false => {
            Err(Error::refused(format!("{} {} is not what was promoted", resolved.name, resolved.number), reasons)
                .with_help(format!("`manifest-gen verify {} {}` says more", resolved.name, version.file_version)))
        }
    }
}
