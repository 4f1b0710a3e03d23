//! X.509 certificates: the path from a signer to a given root, offline.
//!
//! Links are checked by signature, names, key identifiers, `basicConstraints`, `keyUsage`, path length and validity.
//! Signers have ECDSA keys, their issuers ECDSA or RSA (2048 to 4096 bits, PKCS #1 v1.5), all with SHA-256, SHA-384 or
//! SHA-512; a critical extension that is not checked here
//! is refused, as are name constraints.

use std::fmt;

use jiff::Timestamp;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256, Sha384, Sha512};
use shared::error::{Error, Place, Result};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::time::Time;

use super::key::PublicKey;
use super::pem;

/// How many certificates a path may have, and a signature may carry.
const LONGEST: usize = 10;
/// Shorter ones can be factored.
const SHORTEST_RSA_BITS: u32 = 2048;
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";
const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";
const ECDSA_SHA512: &str = "1.2.840.10045.4.3.4";
const RSA_SHA256: &str = "1.2.840.113549.1.1.11";
const RSA_SHA384: &str = "1.2.840.113549.1.1.12";
const RSA_SHA512: &str = "1.2.840.113549.1.1.13";
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");

/// The certificates of a PEM text as DER, in its order; `path` is for the error only.
///
/// # Errors
/// [`Error::Input`] if there is none, or something else than certificates.
pub fn certificates_from_pem(text: &str, path: &std::path::Path) -> Result<Vec<Vec<u8>>> {
    ders(text).map_err(|found| Error::input(Place::file(path), found, "X.509 certificates, as PEM"))
}

fn ders(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let blocks = pem::blocks(text)?;
    match blocks.iter().find(|block| block.label != "CERTIFICATE") {
        Some(other) => Err(format!("a PEM block `{}`", other.label)),
        None if blocks.is_empty() => Err("no certificate".into()),
        None => Ok(blocks.iter().map(|block| block.bytes.to_vec()).collect()),
    }
}

/// A certificate that can be read, with the key that it certifies.
pub(super) struct Certificate {
    der: Vec<u8>,
    parsed: x509_cert::Certificate,
    key: CertifiedKey,
}

/// The keys that certificates are signed with.
enum CertifiedKey {
    Ecdsa(PublicKey),
    Rsa(rsa::PublicKey),
}

impl CertifiedKey {
    fn read(der: &[u8]) -> Result<Self, String> {
        match rsa::PublicKey::from_public_key_der(der) {
            Ok(key) if key.n().bit_width() >= SHORTEST_RSA_BITS => Ok(Self::Rsa(key)),
            Ok(key) => Err(format!("an RSA key of {} bits", key.n().bit_width())),
            Err(_) => PublicKey::from_spki(der).map(Self::Ecdsa),
        }
    }

    /// Whether `signature` is this key's over `message` with the algorithm of a certificate.
    fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        let hash: Vec<u8> = match algorithm {
            ECDSA_SHA256 | RSA_SHA256 => Sha256::digest(message).to_vec(),
            ECDSA_SHA384 | RSA_SHA384 => Sha384::digest(message).to_vec(),
            ECDSA_SHA512 | RSA_SHA512 => Sha512::digest(message).to_vec(),
            _ => return false,
        };
        match (self, algorithm) {
            (Self::Ecdsa(key), ECDSA_SHA256 | ECDSA_SHA384 | ECDSA_SHA512) => key.verifies_hash(&hash, signature),
            (Self::Rsa(key), RSA_SHA256) => key.verify(Pkcs1v15Sign::new::<Sha256>(), &hash, signature).is_ok(),
            (Self::Rsa(key), RSA_SHA384) => key.verify(Pkcs1v15Sign::new::<Sha384>(), &hash, signature).is_ok(),
            (Self::Rsa(key), RSA_SHA512) => key.verify(Pkcs1v15Sign::new::<Sha512>(), &hash, signature).is_ok(),
            _ => false,
        }
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.parsed.tbs_certificate().subject().to_string())
    }
}

impl Certificate {
    /// Reads a DER certificate.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(der: &[u8]) -> Result<Self, String> {
        let parsed =
            x509_cert::Certificate::from_der(der).map_err(|error| format!("a malformed certificate: {error}"))?;
        let subject = parsed.tbs_certificate().subject().to_string();
        let key = parsed.tbs_certificate().subject_public_key_info().to_der().map_err(|error| error.to_string());
        let key = key.and_then(|der| CertifiedKey::read(&der));
        let key = key.map_err(|found| {
            format!("the certificate {subject:?}: {found} (expected ECDSA on P-256, P-384 or P-521, or RSA of at least 2048 bits)")
        })?;
        Ok(Self { der: der.to_vec(), parsed, key })
    }

    /// The certificates of a PEM text that can be used here; a list of roots may hold others.
    ///
    /// # Errors
    /// [`Error::Usage`] if none can.
    pub(super) fn read_pem(text: &str) -> Result<Vec<Self>> {
        Self::usable(text)
            .map_err(|found| Error::usage(format!("the trusted certificates: {found}"), "X.509 certificates, as PEM"))
    }

    fn usable(text: &str) -> Result<Vec<Self>, String> {
        let mut unusable = String::from("no certificate");
        let read = |der: Vec<u8>| Self::read(&der).map_err(|found| unusable = found).ok();
        let usable: Vec<Self> = ders(text)?.into_iter().filter_map(read).collect();
        if usable.is_empty() { Err(unusable) } else { Ok(usable) }
    }

    /// The key of a signer.
    ///
    /// # Errors
    /// If it is one that only certificates are signed with.
    pub(super) fn key(&self) -> Result<&PublicKey, String> {
        match &self.key {
            CertifiedKey::Ecdsa(key) => Ok(key),
            CertifiedKey::Rsa(_) => Err(format!("the certificate {self} has an RSA key (expected ECDSA for a signer)")),
        }
    }

    /// Subject, issuer and fingerprint, for people.
    pub(super) fn describe(&self) -> String {
        let fingerprint = shared::digest::of_bytes(&self.der);
        format!(
            "certificate {self}, issued by {:?}, sha256:{fingerprint}",
            self.parsed.tbs_certificate().issuer().to_string()
        )
    }

    /// An extension, if it is there.
    fn extension<T>(&self) -> Result<Option<T>, String>
    where
        T: AssociatedOid + for<'a> Decode<'a, Error = x509_cert::der::Error>,
    {
        let found = self.parsed.tbs_certificate().get_extension::<T>();
        found
            .map(|found| found.map(|(_, extension)| extension))
            .map_err(|_| format!("the certificate {self} has a malformed extension"))
    }

    /// Whether it may sign a release: `digitalSignature` among its key usages, or `codeSigning` among the extended ones.
    pub(super) fn check_may_sign(&self) -> Result<(), String> {
        let usage = self.extension::<KeyUsage>()?.is_some_and(|usage| usage.digital_signature());
        let extended = self.extension::<ExtendedKeyUsage>()?.is_some_and(|extended| extended.0.contains(&CODE_SIGNING));
        match usage || extended {
            true => Ok(()),
            false => Err(format!(
                "the certificate {self} is not for signing (expected the key usage digitalSignature or codeSigning)"
            )),
        }
    }

    fn check_extensions(&self) -> Result<(), String> {
        let known = [KeyUsage::OID, BasicConstraints::OID, ExtendedKeyUsage::OID, SubjectAltName::OID];
        let refused = self.parsed.tbs_certificate().extensions().into_iter().flatten().find(|extension| {
            extension.extn_id == NameConstraints::OID || extension.critical && !known.contains(&extension.extn_id)
        });
        refused.map_or(Ok(()), |extension| {
            Err(format!("the certificate {self} has the extension {}, which is not checked here", extension.extn_id))
        })
    }

    fn check_valid_at(&self, at: Timestamp, what: &str) -> Result<(), String> {
        let validity = self.parsed.tbs_certificate().validity();
        let (from, until) = (timestamp(validity.not_before), timestamp(validity.not_after));
        match from.is_some_and(|from| from <= at) && until.is_some_and(|until| at <= until) {
            true => Ok(()),
            false => Err(format!(
                "the certificate {self} is valid from {} until {}, not {what} ({at})",
                text(from),
                text(until)
            )),
        }
    }

    /// Whether it may issue certificates above a path of `intermediates` further issuers.
    fn check_may_issue(&self, intermediates: usize) -> Result<(), String> {
        let constraints = self.extension::<BasicConstraints>()?.filter(|constraints| constraints.ca);
        let constraints = constraints.ok_or_else(|| {
            format!("the certificate {self} issued another one, and is no authority (basicConstraints)")
        })?;
        if self.extension::<KeyUsage>()?.is_some_and(|usage| !usage.key_cert_sign()) {
            return Err(format!("the certificate {self} issued another one without the key usage keyCertSign"));
        }
        match constraints.path_len_constraint.is_some_and(|most| intermediates > usize::from(most)) {
            true => Err(format!("the certificate {self} allows fewer intermediate certificates than {intermediates}")),
            false => Ok(()),
        }
    }

    /// Whether `issuer` signed this certificate, and their names and key identifiers agree.
    fn is_issued_by(&self, issuer: &Self) -> bool {
        self.parsed.tbs_certificate().issuer() == issuer.parsed.tbs_certificate().subject()
            && self.identifies(issuer).unwrap_or(false)
            && self.signed_with(&issuer.key)
    }

    fn identifies(&self, issuer: &Self) -> Result<bool, String> {
        let Some(named) = self.extension::<AuthorityKeyIdentifier>()? else { return Ok(true) };
        let theirs = issuer.extension::<SubjectKeyIdentifier>()?;
        let serial = issuer.parsed.tbs_certificate().serial_number();
        let key = named.key_identifier.zip(theirs).is_none_or(|(named, theirs)| named == theirs.0);
        Ok(key && named.authority_cert_serial_number.is_none_or(|named| named == *serial))
    }

    fn signed_with(&self, key: &CertifiedKey) -> bool {
        let algorithm = self.parsed.signature_algorithm();
        let signature = self.parsed.signature().as_bytes().unwrap_or_default();
        let signed = self.parsed.tbs_certificate().to_der();
        algorithm == self.parsed.tbs_certificate().signature()
            && signed.is_ok_and(|signed| key.verifies(&algorithm.oid.to_string(), &signed, signature))
    }

    fn is_root(&self) -> bool {
        self.is_issued_by(self)
    }
}

fn timestamp(time: Time) -> Option<Timestamp> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    Timestamp::from_second(seconds).ok()
}

fn text(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "an unknown time".into(), |time| time.to_string())
}

/// Checks that the first certificate of a signature leads to one of the given roots, `now` and when it was issued, and
/// may sign; returns it.
///
/// # Errors
/// Everything that is wrong with the path.
pub(super) fn validate(carried: &[Vec<u8>], given: &[Certificate], now: Timestamp) -> Result<Certificate, Vec<String>> {
    if carried.is_empty() || carried.len() > LONGEST {
        return Err(vec![format!("{} certificates in the signature (expected 1 to {LONGEST})", carried.len())]);
    }
    let carried: Result<Vec<_>, _> = carried.iter().map(|der| Certificate::read(der)).collect();
    let mut carried = carried.map_err(|reason| vec![reason])?;
    let path = path(&carried, given).map_err(|reason| vec![reason])?;
    let mut reasons = problems(&path, now);
    reasons.extend(unused(&carried, &path, given));
    if reasons.is_empty() { Ok(carried.swap_remove(0)) } else { Err(reasons) }
}

/// From the leaf to a root. A self-signed certificate among the given ones is a root, the others may only stand between.
fn path<'a>(carried: &'a [Certificate], given: &'a [Certificate]) -> Result<Vec<&'a Certificate>, String> {
    let (roots, between): (Vec<_>, Vec<_>) = given.iter().partition(|certificate| certificate.is_root());
    let mut path: Vec<&Certificate> = vec![&carried[0]];
    while let Some(&last) = path.last().filter(|_| path.len() <= LONGEST) {
        if roots.iter().any(|root| root.der == last.der) {
            return Ok(path);
        }
        let candidates = roots.iter().chain(&between).copied().chain(&carried[1..]);
        let issuer =
            candidates.filter(|one| path.iter().all(|used| used.der != one.der)).find(|one| last.is_issued_by(one));
        match issuer {
            Some(issuer) => path.push(issuer),
            None => {
                return Err(format!("no trusted root certifies {last}: its issuer is not known, or did not sign it"));
            }
        }
    }
    Err(format!("more than {LONGEST} certificates between the signer and a root"))
}

fn problems(path: &[&Certificate], now: Timestamp) -> Vec<String> {
    let issued = timestamp(path[0].parsed.tbs_certificate().validity().not_before);
    let everywhere = path.iter().flat_map(|certificate| {
        let at_issue = issued.map_or(Ok(()), |at| certificate.check_valid_at(at, "when the signer's was issued"));
        [certificate.check_valid_at(now, "now"), at_issue, certificate.check_extensions()]
    });
    let issuers = path.iter().skip(1).enumerate().map(|(below, issuer)| issuer.check_may_issue(below));
    everywhere.chain(issuers).chain([path[0].check_may_sign()]).filter_map(Result::err).collect()
}

/// Certificates that a signature carries for nothing: nothing vouches for their bytes.
fn unused<'a>(
    carried: &'a [Certificate],
    path: &'a [&Certificate],
    given: &'a [Certificate],
) -> impl Iterator<Item = String> + 'a {
    let known = move |one: &Certificate| path.iter().copied().chain(given).any(|other| other.der == one.der);
    carried
        .iter()
        .filter(move |one| !known(one))
        .map(|one| format!("the certificate {one} has no part in the path to the root"))
}
