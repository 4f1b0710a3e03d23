//! Verifying a folder: first who signed, then what the statement says, then every file.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use shared::error::Result;

use super::bundle::{self, Claim, Signed, pre_authentication_encoding};
use super::certificate::{self, Certificate};
use super::compare::compare;
use super::key::PublicKey;
use super::statement::{self, Resource};

/// Whose signatures count.
#[derive(Debug, Clone)]
pub enum Trust {
    /// The holder of this public key (PEM text).
    PublicKey(String),
    /// Whoever these certificates (PEM text) vouch for: self-signed ones are roots, others may stand between.
    Authority(String),
    /// Nobody: the files are compared, and the answer is at best [`Outcome::SignerUnknown`].
    Nobody,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The folder is what a trusted signer signed.
    Verified {
        /// What is signed, in the order of the signature.
        files: Vec<Resource>,
        /// Files that are there and that the signature leaves out (git files, `ignore_paths`, empty files under shards);
        /// not the signature itself.
        unsigned: Vec<String>,
        /// The whole predicate, with the fields that the specification does not know.
        predicate: Value,
        /// Who signed, for people.
        signer: String,
    },
    /// The folder is what the signature lists, and nobody vouches for the signature ([`Trust::Nobody`] only).
    SignerUnknown {
        /// What is listed.
        files: Vec<Resource>,
        /// As in [`Outcome::Verified`].
        unsigned: Vec<String>,
        /// The whole predicate.
        predicate: Value,
        /// Who is said to have signed.
        claimed: String,
    },
    /// It is not.
    Refused {
        /// Every mismatch; after a thousand, only how many more there are.
        reasons: Vec<String>,
    },
}

/// How many reasons are given one by one.
const MOST_REASONS: usize = 1000;

/// Verifies `folder` against the signature file's bytes.
///
/// `signature_name` is the signature's own path below the folder (empty if it lies elsewhere). Whatever is wrong with the
/// signature or the folder is [`Outcome::Refused`].
///
/// # Errors
/// If `trust` is unusable, the folder is none, or something cannot be read.
pub fn verify(folder: &Path, bundle: &[u8], trust: &Trust, signature_name: &str, now: Timestamp) -> Result<Outcome> {
    let trust = Trusted::read(trust)?;
    let authentic = bundle::read(bundle).map_err(|reason| vec![reason]).and_then(|signed| {
        let signer = trust.authenticate(&signed, now)?;
        Ok((signer, statement::read(&signed.payload)?))
    });
    let (signer, statement) = match authentic {
        Ok(authentic) => authentic,
        Err(reasons) => return Ok(refused(reasons)),
    };
    let comparison = compare(folder, &statement, signature_name)?;
    if !comparison.mismatches.is_empty() {
        return Ok(refused(comparison.mismatches));
    }
    let (files, unsigned, predicate) = (statement.resources, comparison.unsigned, statement.predicate);
    Ok(match trust {
        Trusted::Nobody => Outcome::SignerUnknown { files, unsigned, predicate, claimed: signer },
        _ => Outcome::Verified { files, unsigned, predicate, signer },
    })
}

fn refused(mut reasons: Vec<String>) -> Outcome {
    let more = reasons.len().saturating_sub(MOST_REASONS);
    reasons.truncate(MOST_REASONS);
    if more > 0 {
        reasons.push(format!("… and {more} more"));
    }
    Outcome::Refused { reasons }
}

enum Trusted {
    Key(PublicKey),
    Authority(Vec<Certificate>),
    Nobody,
}

impl Trusted {
    fn read(trust: &Trust) -> Result<Self> {
        Ok(match trust {
            Trust::PublicKey(pem) => Self::Key(PublicKey::from_pem(pem)?),
            Trust::Authority(pem) => Self::Authority(Certificate::read_pem(pem)?),
            Trust::Nobody => Self::Nobody,
        })
    }

    /// Who signed; nothing of the payload is read before.
    fn authenticate(&self, signed: &Signed, now: Timestamp) -> Result<String, Vec<String>> {
        match (self, &signed.claim) {
            (Self::Key(key), Claim::Key { hint }) => {
                let own = key.hint().map_err(|error| vec![error.to_string()])?;
                let reasons: Vec<String> =
                    wrong_hint(hint.as_deref(), &own).into_iter().chain(wrong_signature(key, signed)).collect();
                if reasons.is_empty() { Ok(format!("{} key sha256:{own}", key.curve())) } else { Err(reasons) }
            }
            (Self::Authority(given), Claim::Chain(carried)) => {
                by_certificate(&certificate::validate(carried, given, now)?, signed)
            }
            (Self::Nobody, claim) => claimed(claim, signed),
            (Self::Key(_), Claim::Chain(_)) => {
                Err(vec!["signed with a certificate (expected a signature by the given key)".into()])
            }
            (Self::Authority(_), Claim::Key { .. }) => {
                Err(vec!["signed with a key (expected a signature by a certificate below the given ones)".into()])
            }
        }
    }
}

fn wrong_hint(hint: Option<&str>, own: &str) -> Option<String> {
    hint.filter(|hint| *hint != own)
        .map(|hint| format!("signed with another key: its hint is {hint:?} (expected {own:?})"))
}

fn wrong_signature(key: &PublicKey, signed: &Signed) -> Option<String> {
    let message = pre_authentication_encoding(&signed.payload);
    (!key.verifies(&message, &signed.signature))
        .then(|| format!("the signature is not that of this {} key over this statement", key.curve()))
}

/// A carried certificate must fit the signature, even if nobody vouches for it.
fn claimed(claim: &Claim, signed: &Signed) -> Result<String, Vec<String>> {
    match claim {
        Claim::Key { hint: None } => Ok("a key that is not named".into()),
        Claim::Key { hint: Some(hint) } => Ok(format!("key sha256:{hint}")),
        Claim::Chain(carried) => {
            let leaf = carried.first().ok_or("no certificate in the signature".to_owned());
            let leaf = leaf.and_then(|der| Certificate::read(der)).map_err(|reason| vec![reason])?;
            by_certificate(&leaf, signed)
        }
    }
}

fn by_certificate(leaf: &Certificate, signed: &Signed) -> Result<String, Vec<String>> {
    let wrong = leaf.key().map_or_else(Some, |key| wrong_signature(key, signed));
    wrong.map_or_else(|| Ok(leaf.describe()), |reason| Err(vec![reason]))
}
