//! ECDSA keys on P-256, P-384 and P-521: read from PEM, sign, verify, and the hint by which a bundle names a key.

use std::fmt;
use std::path::Path;

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::pkcs8::PrivateKeyInfoRef;
use sec1::EcPrivateKey;
use sec1::der::Decode;
use shared::error::{Error, Place, Result};
use x509_cert::der::Encode;
use x509_cert::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::pem;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const EXPECTED: &str = "an unencrypted ECDSA key on P-256, P-384 or P-521, as PEM";
const MAKE_ONE: &str = "make one with: openssl ecparam -name prime256v1 -genkey -noout -out private.pem";

/// The curves of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    fn oid(self) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(match self {
            Self::P256 => "1.2.840.10045.3.1.7",
            Self::P384 => "1.3.132.0.34",
            Self::P521 => "1.3.132.0.35",
        })
    }

    fn of(oid: ObjectIdentifier) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|curve| curve.oid() == oid);
        known.ok_or_else(|| format!("a key on the curve {}", curve_name(oid)))
    }

    fn field_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        })
    }
}

fn curve_name(oid: ObjectIdentifier) -> String {
    match oid.to_string().as_str() {
        "1.3.132.0.10" => "secp256k1".into(),
        "1.3.132.0.33" => "P-224".into(),
        other => other.into(),
    }
}

fn algorithm_name(oid: ObjectIdentifier) -> String {
    match oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => "an RSA key".into(),
        "1.2.840.10040.4.1" => "a DSA key".into(),
        "1.3.101.110" | "1.3.101.111" => "an X25519 or X448 key, which cannot sign".into(),
        "1.3.101.112" => "an Ed25519 key".into(),
        "1.3.101.113" => "an Ed448 key".into(),
        other => format!("a key of the algorithm {other}"),
    }
}

/// The curve that an algorithm identifier names.
fn curve(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Curve, String> {
    if algorithm.oid != EC_PUBLIC_KEY {
        return Err(algorithm_name(algorithm.oid));
    }
    Curve::of(algorithm.parameters_oid().map_err(|_| "a key with explicit curve parameters".to_owned())?)
}

/// A private key that signs. `Debug` shows the curve only, and the secret is wiped from memory when the key goes.
pub struct PrivateKey(Secret);

enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, secret)", self.curve())
    }
}

impl PrivateKey {
    /// Reads an unencrypted ECDSA key on P-256, P-384 or P-521: SEC1 (`EC PRIVATE KEY`, an `EC PARAMETERS` block may
    /// stand before it) or PKCS#8 (`PRIVATE KEY`). `path` is for the error only.
    ///
    /// # Errors
    /// [`Error::Input`] that says what the text holds instead.
    pub fn from_pem(text: &str, path: &Path) -> Result<Self> {
        Self::read(text).map_err(|found| Error::input(Place::file(path), found, EXPECTED).with_help(MAKE_ONE))
    }

    fn read(text: &str) -> Result<Self, String> {
        let mut blocks = pem::blocks(text)?;
        blocks.retain(|block| block.label != "EC PARAMETERS");
        match blocks.as_slice() {
            [] => Err("no PEM block".into()),
            [one] => Self::from_block(one),
            _ => Err(format!("{} PEM blocks", blocks.len())),
        }
    }

    fn from_block(block: &pem::Block) -> Result<Self, String> {
        match block.label.as_str() {
            _ if block.encrypted => Err("an encrypted key".into()),
            "ENCRYPTED PRIVATE KEY" => Err("an encrypted key".into()),
            "EC PRIVATE KEY" => Self::from_sec1(&block.bytes, None),
            "PRIVATE KEY" => Self::from_pkcs8(&block.bytes),
            "RSA PRIVATE KEY" => Err("an RSA key".into()),
            "DSA PRIVATE KEY" => Err("a DSA key".into()),
            "OPENSSH PRIVATE KEY" => Err("a key in OpenSSH's own format".into()),
            "PUBLIC KEY" => Err("a public key".into()),
            other => Err(format!("a PEM block `{other}`")),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, String> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| "malformed PKCS#8".to_owned())?;
        Self::from_sec1(info.private_key.as_bytes(), Some(curve(&info.algorithm)?))
    }

    fn from_sec1(der: &[u8], outer: Option<Curve>) -> Result<Self, String> {
        let key = EcPrivateKey::from_der(der).map_err(|_| "a malformed key or explicit curve parameters".to_owned())?;
        let inner = key.parameters.and_then(sec1::EcParameters::named_curve).map(Curve::of).transpose()?;
        let curve = match (outer, inner) {
            (Some(outer), Some(inner)) if outer != inner => return Err("a key that names two curves".into()),
            (Some(curve), _) | (None, Some(curve)) => curve,
            (None, None) => return Err("a key that names no curve".into()),
        };
        let secret = Self::from_scalar(curve, key.private_key)?;
        match key.public_key.is_none_or(|claimed| secret.public_key().owns(claimed)) {
            true => Ok(secret),
            false => Err("a private key with another key's public part".into()),
        }
    }

    fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self, String> {
        let secret = match scalar.len() == curve.field_bytes() {
            false => None,
            true => match curve {
                Curve::P256 => p256::ecdsa::SigningKey::from_slice(scalar).ok().map(Secret::P256),
                Curve::P384 => p384::ecdsa::SigningKey::from_slice(scalar).ok().map(Secret::P384),
                Curve::P521 => p521::ecdsa::SigningKey::from_slice(scalar).ok().map(Secret::P521),
            },
        };
        secret.map(Self).ok_or_else(|| format!("a number that is no {curve} key"))
    }

    fn curve(&self) -> Curve {
        self.public_key().curve()
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(match &self.0 {
            Secret::P256(key) => Point::P256(*key.verifying_key()),
            Secret::P384(key) => Point::P384(*key.verifying_key()),
            Secret::P521(key) => Point::P521(*key.verifying_key()),
        })
    }

    /// The DER signature of `message` with the curve's own hash (SHA-256, SHA-384, SHA-512). The nonce comes from key
    /// and message (RFC 6979), so the same message gives the same bytes.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Secret::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
        }
    }
}

/// A public key that checks signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Point);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Point {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` block (`SubjectPublicKeyInfo`), as `openssl ec -pubout` writes it.
    ///
    /// # Errors
    /// [`Error::Usage`] that says what the text holds instead.
    pub fn from_pem(text: &str) -> Result<Self> {
        let expected = "an ECDSA public key on P-256, P-384 or P-521, as PEM";
        Self::read(text).map_err(|found| Error::usage(format!("the public key: {found}"), expected))
    }

    fn read(text: &str) -> Result<Self, String> {
        match pem::blocks(text)?.as_slice() {
            [] => Err("no PEM block".into()),
            [block] if block.label == "PUBLIC KEY" => Self::from_spki(&block.bytes),
            [block] if block.label.ends_with("PRIVATE KEY") => Err("a private key".into()),
            [block] => Err(format!("a PEM block `{}`", block.label)),
            blocks => Err(format!("{} PEM blocks", blocks.len())),
        }
    }

    /// Reads a DER `SubjectPublicKeyInfo`.
    pub(super) fn from_spki(der: &[u8]) -> Result<Self, String> {
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| "a malformed public key".to_owned())?;
        let curve = curve(&info.algorithm)?;
        let point = info.subject_public_key.as_bytes().unwrap_or_default();
        Self::from_point(curve, point).ok_or_else(|| format!("a point that is not on {curve}"))
    }

    fn from_point(curve: Curve, point: &[u8]) -> Option<Self> {
        let point = match curve {
            Curve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(Point::P256),
            Curve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(Point::P384),
            Curve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(Point::P521),
        };
        point.map(Self)
    }

    pub(super) fn curve(&self) -> Curve {
        match self.0 {
            Point::P256(_) => Curve::P256,
            Point::P384(_) => Curve::P384,
            Point::P521(_) => Curve::P521,
        }
    }

    fn owns(&self, point: &[u8]) -> bool {
        Self::from_point(self.curve(), point).is_some_and(|other| other == *self)
    }

    /// The uncompressed point.
    fn point(&self) -> Vec<u8> {
        match &self.0 {
            Point::P256(key) => key.to_sec1_point(false).as_bytes().to_vec(),
            Point::P384(key) => key.to_sec1_point(false).as_bytes().to_vec(),
            Point::P521(key) => key.to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    /// The key as PEM, byte for byte as openssl writes it.
    ///
    /// # Errors
    /// None is known; the encoder reports lengths that no key has.
    pub fn to_pem(&self) -> Result<String> {
        let point = self.point();
        let curve = self.curve().oid();
        let encoded = BitStringRef::from_bytes(&point).and_then(|subject_public_key| {
            let algorithm = AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some(AnyRef::from(&curve)) };
            SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der()
        });
        let der =
            encoded.map_err(|error| Error::usage(format!("the public key: {error}"), "a key that can be encoded"))?;
        Ok(pem::write("PUBLIC KEY", &der))
    }

    /// How a bundle names the key: the SHA-256 of its PEM text.
    ///
    /// # Errors
    /// As [`PublicKey::to_pem`].
    pub fn hint(&self) -> Result<String> {
        Ok(shared::digest::of_bytes(self.to_pem()?.as_bytes()))
    }

    /// Whether `signature` (DER) is this key's over `message` with the curve's own hash.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Point::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Point::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Point::P521(key) => p521::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }

    /// Whether `signature` (DER) is this key's over a message whose hash is `hash`; for certificates, which choose the
    /// hash themselves.
    pub(super) fn verifies_hash(&self, hash: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Point::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok()),
            Point::P384(key) => p384::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok()),
            Point::P521(key) => p521::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oms::hash::{from_hex, hex};

    #[test]
    fn signatures_are_those_of_rfc_6979() {
        // RFC 6979, appendices A.2.5 and A.2.6: key, and r and s over the message "sample" with the curve's own hash.
        for (curve, key, r, s) in [
            (
                Curve::P256,
                "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
            ),
            (
                Curve::P384,
                "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
                "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
                "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
            ),
        ] {
            let signature = hex(&PrivateKey::from_scalar(curve, &from_hex(key).unwrap()).unwrap().sign(b"sample"));
            assert!(signature.contains(r) && signature.ends_with(s), "{curve}: {signature}");
        }
    }
}
