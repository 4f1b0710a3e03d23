//! Signing a folder.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value};
use shared::error::{Error, Place, Result};

use super::bundle::{self, Claim, Signed, pre_authentication_encoding};
use super::certificate::Certificate;
use super::key::PrivateKey;
use super::paths::{self, Ignored};
use super::{hash, statement, walk};

/// Who signs.
#[derive(Debug)]
pub enum Signer {
    /// The holder of a key; verifiers need its public half.
    Key(PrivateKey),
    /// The holder of a key that a certificate vouches for; verifiers need a root above it.
    Chain {
        /// The key of the first certificate.
        key: PrivateKey,
        /// DER, leaf first, then its issuers; the root may be left out.
        certificates: Vec<Vec<u8>>,
    },
}

impl Signer {
    fn key(&self) -> &PrivateKey {
        match self {
            Self::Key(key) | Self::Chain { key, .. } => key,
        }
    }

    /// What the bundle says of the signer.
    fn claim(&self) -> Result<Claim> {
        match self {
            Self::Key(key) => Ok(Claim::Key { hint: Some(key.public_key().hint()?) }),
            Self::Chain { key, certificates } => {
                check_chain(key, certificates)
                    .map_err(|found| Error::usage(found, "the key's own certificate first, then its issuers"))?;
                Ok(Claim::Chain(certificates.clone()))
            }
        }
    }
}

fn check_chain(key: &PrivateKey, certificates: &[Vec<u8>]) -> Result<(), String> {
    let read: Result<Vec<_>, _> = certificates.iter().map(|der| Certificate::read(der)).collect();
    let read = read?;
    let leaf = read.first().ok_or("no certificate")?;
    leaf.check_may_sign()?;
    match *leaf.key()? == key.public_key() {
        true => Ok(()),
        false => Err(format!("the certificate {leaf} belongs to another key")),
    }
}

/// Signs every regular file below `folder` and returns the text of the signature file. The same folder, key and `extra`
/// give the same bytes.
///
/// `ignore` are exact relative paths that the signature leaves out, with all below them: the signature's own, at least.
/// `.git`, `.gitattributes`, `.github` and `.gitignore` at the top are always left out. `extra` are further fields of the
/// predicate; other clients ignore them.
///
/// # Errors
/// Links, special files and names that are not UTF-8 below the folder; no file to sign; unusable paths, fields or
/// certificates; files that cannot be read.
pub fn sign(folder: &Path, ignore: &[String], signer: &Signer, extra: Map<String, Value>) -> Result<Vec<u8>> {
    check_arguments(ignore, &extra)?;
    let claim = signer.claim()?;
    let listing = walk::list(folder)?;
    if !listing.oddities.is_empty() {
        return Err(hash::unhashable(folder, &listing.oddities));
    }
    let ignored = Ignored::new(ignore.iter().map(String::as_str));
    let names: Vec<String> = listing.files.into_iter().filter(|file| !ignored.covers(file)).collect();
    if names.is_empty() {
        return Err(Error::input(Place::file(folder), "no file to sign", "at least one that is not left out"));
    }
    let payload = statement::write(&base_name(folder), &hash::below(folder, &names)?, ignore, extra);
    let signature = signer.key().sign(&pre_authentication_encoding(&payload));
    bundle::write(&Signed { payload, signature, claim })
}

fn check_arguments(ignore: &[String], extra: &Map<String, Value>) -> Result<()> {
    if let Some((path, fault)) = ignore.iter().find_map(|path| paths::fault(path).map(|fault| (path, fault))) {
        return Err(Error::usage(
            format!("the path to leave out {path:?} {fault}"),
            "a path relative to the signed folder",
        ));
    }
    match statement::RESERVED.into_iter().find(|key| extra.contains_key(*key)) {
        Some(key) => Err(Error::usage(
            format!("a further predicate field {key:?}"),
            "a name that the specification does not use",
        )),
        None => Ok(()),
    }
}

/// The folder's name, for information only.
fn base_name(folder: &Path) -> String {
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    real.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}
