//! `manifest-gen sign`: signs the whole release folder.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use shared::cli::{Context, Format};
use shared::format::input::Tool;
use shared::format::manifest::SIGNATURE_NAME;
use shared::{Error, Exit, Result, digest, fsio};

use crate::oms::{self, PrivateKey, Signer};
use crate::release;
use crate::signature;
use crate::store::{Store, StoreArgs, Stored};
use crate::version::ModelVersion;

/// The `schema` of what the command prints.
pub const SCHEMA: &str = "manifest-gen/sign/1";

/// Flags of `manifest-gen sign`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The model
    pub name: String,
    /// The version
    #[arg(value_name = "VERSION")]
    pub model_version: String,
    /// The private key: ECDSA P-256, P-384 or P-521, in PEM
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Certificates of the key, its own first, in PEM; the key alone signs if absent
    #[arg(long, value_name = "FILE")]
    pub certificates: Option<PathBuf>,
    /// Where the models are.
    #[command(flatten)]
    pub store: StoreArgs,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program that wrote this.
    pub tool: Tool,
    /// The signature.
    pub signature: PathBuf,
    /// SHA-256 of it.
    pub sha256: String,
    /// False where the same signature was there already.
    pub made: bool,
}

/// Runs the command.
///
/// # Errors
/// If the release is damaged, or registered with another signature or none.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let store = args.store.store();
    let stored = store.manifest(&args.name, &ModelVersion::parse(&args.model_version)?)?;
    // What a kill left of an earlier signature is no damage.
    fsio::sweep(&store.path(&Store::release_name_of(&stored.manifest))?);
    refuse_damage(&store, &stored)?;
    let bundle = bundle(args, &store, &stored)?;
    refuse_registered(&store, &stored, &digest::of_bytes(&bundle))?;
    let path = signature::path(&store, &stored)?;
    let made = !path.exists() || fsio::read(&path)? != bundle;
    if made {
        fsio::write_atomic(&path, &bundle)?;
    }
    let report = SignReport {
        schema: SCHEMA.to_owned(),
        tool: crate::print::tool(),
        signature: path,
        sha256: digest::of_bytes(&bundle),
        made,
    };
    context.emit(&match context.format {
        Format::Json => crate::print::json(&report)?,
        _ => format!("{} {}\n", if made { "signed" } else { "unchanged" }, report.signature.display()),
    })?;
    Ok(Exit::Ok)
}

fn bundle(args: &Args, store: &Store, stored: &Stored) -> Result<Vec<u8>> {
    let text = String::from_utf8_lossy(&fsio::read(&args.key)?).into_owned();
    let key = PrivateKey::from_pem(&text, &args.key)?;
    let signer = match &args.certificates {
        None => Signer::Key(key),
        Some(path) => {
            let certificates = oms::certificates_from_pem(&String::from_utf8_lossy(&fsio::read(path)?), path)?;
            Signer::Chain { key, certificates }
        }
    };
    let folder = store.path(&Store::release_name_of(&stored.manifest))?;
    oms::sign(&folder, &[SIGNATURE_NAME.to_owned()], &signer, signature::binding(stored))
}

fn refuse_damage(store: &Store, stored: &Stored) -> Result<()> {
    let reasons = release::damage(store, &stored.manifest)?;
    match reasons.is_empty() {
        true => Ok(()),
        false => Err(Error::refused("a damaged release is not signed", reasons)),
    }
}

/// A registered release never changes, and its signature belongs to it.
fn refuse_registered(store: &Store, stored: &Stored, sha256: &str) -> Result<()> {
    let manifest = &stored.manifest;
    let registry = store.registry()?;
    let entry = registry.models.get(&manifest.name).and_then(|model| model.versions.get(&manifest.version));
    match entry {
        Some(entry) if entry.signature_sha256.as_deref() != Some(sha256) => Err(Error::refused(
            format!("{} {} is not signed", manifest.name, manifest.version),
            vec!["it is promoted as it stands, and a released version never changes".to_owned()],
        )
        .with_help("sign a release before its first promotion")),
        _ => Ok(()),
    }
}
