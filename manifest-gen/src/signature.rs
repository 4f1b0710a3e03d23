//! The signature of a release: made, checked, bound to name, version and manifest.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use shared::format::manifest::SIGNATURE_NAME;
use shared::{Error, Place, Result, clock, fsio};

use crate::oms::{self, Outcome, Trust};
use crate::promote::PolicyArgs;
use crate::promote::checks::Objection;
use crate::store::{Store, Stored};

/// The field of the predicate that binds a signature to its release.
const BINDING: &str = "release";

/// What a release's signature is worth.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// There is none.
    Unsigned,
    /// There is one over these bytes, and nobody said whom to trust.
    Unchecked,
    /// It is that of the trusted signer over these bytes, this name and this version.
    Good {
        /// The signer, in words.
        signer: String,
    },
    /// It is not, for these reasons.
    Bad(Vec<String>),
}

/// The fields that bind a signature to the release.
pub fn binding(stored: &Stored) -> Map<String, Value> {
    let manifest = &stored.manifest;
    let bound = json!({"name": manifest.name, "version": manifest.version, "manifest_sha256": stored.sha256});
    Map::from_iter([(BINDING.to_owned(), bound)])
}

/// Where the signature of a release stands.
///
/// # Errors
/// If the path leaves the folder of models.
pub fn path(store: &Store, stored: &Stored) -> Result<PathBuf> {
    Ok(store.path(&Store::release_name_of(&stored.manifest))?.join(SIGNATURE_NAME))
}

/// Whom to trust: a public key or the certificates of an authority.
///
/// # Errors
/// If the file is neither.
pub fn trust(policy: &PolicyArgs) -> Result<Option<Trust>> {
    let Some(path) = &policy.public_key else { return Ok(None) };
    let text = String::from_utf8_lossy(&fsio::read(path)?).into_owned();
    match () {
        () if text.contains("BEGIN CERTIFICATE") => {
            oms::certificates_from_pem(&text, path)?;
            Ok(Some(Trust::Authority(text)))
        }
        () if text.contains("BEGIN PUBLIC KEY") => {
            oms::PublicKey::from_pem(&text)
                .map_err(|error| Error::input(Place::file(path), error.to_string(), "a whole PEM block"))?;
            Ok(Some(Trust::PublicKey(text)))
        }
        () => Err(Error::input(
            Place::file(path),
            "no PEM public key or certificate",
            "BEGIN PUBLIC KEY or BEGIN CERTIFICATE",
        )
        .with_help("openssl ec -in private.pem -pubout -out public.pem")),
    }
}

/// Judges the signature of a release at `now`.
///
/// # Errors
/// If a file cannot be read.
pub fn standing(store: &Store, stored: &Stored, trust: Option<&Trust>, now: Timestamp) -> Result<Standing> {
    let path = path(store, stored)?;
    if !path.exists() {
        return Ok(Standing::Unsigned);
    }
    let trust = trust.unwrap_or(&Trust::Nobody);
    let folder = store.path(&Store::release_name_of(&stored.manifest))?;
    let bundle = fsio::read(&path)?;
    let (predicate, unsigned, standing) = match oms::verify(&folder, &bundle, trust, SIGNATURE_NAME, now)? {
        Outcome::Refused { reasons } => return Ok(Standing::Bad(reasons)),
        Outcome::Verified { predicate, unsigned, signer, .. } => (predicate, unsigned, Standing::Good { signer }),
        Outcome::SignerUnknown { predicate, unsigned, .. } => (predicate, unsigned, Standing::Unchecked),
    };
    if !unsigned.is_empty() {
        return Ok(Standing::Bad(vec![format!("the signature leaves out {}", unsigned.join(", "))]));
    }
    Ok(match predicate.get(BINDING) {
        // The public client signs no such field; the manifest that it signs names the release.
        None => standing,
        found if found == binding(stored).get(BINDING) => standing,
        Some(_) => Standing::Bad(vec!["the signature is bound to another name, version or manifest".to_owned()]),
    })
}

/// What the signature leaves to be desired under a policy.
///
/// # Errors
/// As [`standing`].
pub fn objections(store: &Store, stored: &Stored, policy: &PolicyArgs) -> Result<Vec<Objection>> {
    let trust = trust(policy)?;
    Ok(match standing(store, stored, trust.as_ref(), clock::now()?)? {
        Standing::Good { .. } => Vec::new(),
        Standing::Unsigned if policy.require_signature => {
            vec![Objection::judgement("the release is not signed: `manifest-gen sign`")]
        }
        Standing::Unchecked if policy.require_signature => {
            vec![Objection::judgement("the signature cannot be checked: --public-key FILE")]
        }
        Standing::Unsigned | Standing::Unchecked => Vec::new(),
        Standing::Bad(reasons) => reasons.into_iter().map(Objection::fact).collect(),
    })
}
