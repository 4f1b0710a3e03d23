//! What the tests share: a folder to sign, the test keys, and a bundle written by other code than ours.

use std::fs;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use manifest_gen::oms::{self, Outcome, PrivateKey, Signer, Trust};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::pkcs8::DecodePrivateKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};
use tempfile::TempDir;

/// Within the validity of the test certificates.
pub(crate) const NOW: &str = "2027-01-01T00:00:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/signing").join(path)
}

pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(data(path)).unwrap()
}

pub(crate) fn private_key(name: &str) -> PrivateKey {
    PrivateKey::from_pem(&text(&format!("keys/{name}")), &data(name)).unwrap()
}

pub(crate) fn key_signer(curve: &str) -> Signer {
    Signer::Key(private_key(&format!("{curve}.pem")))
}

pub(crate) fn public_key(name: &str) -> Trust {
    Trust::PublicKey(text(&format!("keys/{name}.pub")))
}

pub(crate) fn certificates(names: &[&str]) -> Vec<Vec<u8>> {
    let pem: String = names.iter().map(|name| text(&format!("keys/{name}.crt.pem"))).collect();
    oms::certificates_from_pem(&pem, Path::new("chain.pem")).unwrap()
}

pub(crate) fn authority(names: &[&str]) -> Trust {
    Trust::Authority(names.iter().map(|name| text(&format!("keys/{name}.crt.pem"))).collect())
}

#[expect(clippy::disallowed_methods, reason = "a test's file needs no atomic write")]
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The tree `m` of the reference, in a place where it may be changed.
pub(crate) struct Model {
    pub(crate) root: TempDir,
}

impl Model {
    pub(crate) fn new() -> Self {
        let model = Self { root: tempfile::tempdir().unwrap() };
        for name in ["a.txt", "empty", "sub-x", "sub/b.bin"] {
            model.put(name, fs::read(data("m").join(name)).unwrap());
        }
        model
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().join("m")
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        write(&self.path().join(name), bytes);
    }

    pub(crate) fn verify(&self, bundle: &[u8], trust: &Trust) -> Outcome {
        oms::verify(&self.path(), bundle, trust, oms::DEFAULT_NAME, now()).unwrap()
    }

    /// The reasons of a refusal, one a line.
    pub(crate) fn reasons(&self, bundle: &[u8], trust: &Trust) -> String {
        match self.verify(bundle, trust) {
            Outcome::Refused { reasons } => reasons.join("\n"),
            other => panic!("not refused: {other:?}"),
        }
    }
}

pub(crate) fn is_verified(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Verified { .. })
}

/// The statement over the tree `m`, in the order that the reference file has.
pub(crate) fn statement() -> Value {
    let bundle: Value = serde_json::from_str(&text("example.sig")).unwrap();
    let payload = Base64::decode_vec(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// Makes the root digest fit the listed resources.
pub(crate) fn reroot(mut statement: Value) -> Value {
    let digits: String = statement["predicate"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["digest"].as_str().unwrap())
        .collect();
    let bytes: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let root = shared::digest::of_bytes(&bytes);
    statement["subject"][0]["digest"]["sha256"] = root.into();
    statement
}

/// Signs as another client would: `curve` names the key, `hash` the bits of the hash.
pub(crate) fn raw_signature(curve: &str, hash: usize, payload: &[u8]) -> String {
    let mut message = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len()).into_bytes();
    message.extend_from_slice(payload);
    let digest = match hash {
        256 => Sha256::digest(&message).to_vec(),
        384 => Sha384::digest(&message).to_vec(),
        _ => Sha512::digest(&message).to_vec(),
    };
    let pem = text(&format!("keys/{curve}.pem"));
    let der = Base64::decode_vec(&pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    let signature = match curve {
        "p384" => {
            let key = p384::ecdsa::SigningKey::from_pkcs8_der(&der).unwrap();
            let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
            signature.to_der().as_bytes().to_vec()
        }
        "p521" => {
            // RFC 6979 in this crate wants at least half the curve's size of hash; repeating it is what no signer does, so
            // the short hash is padded in front, which names the same number.
            let key = p521::ecdsa::SigningKey::from_pkcs8_der(&der).unwrap();
            let padded = [vec![0; 66 - digest.len()], digest].concat();
            let signature: p521::ecdsa::Signature = key.sign_prehash(&padded).unwrap();
            signature.to_der().as_bytes().to_vec()
        }
        _ => {
            let key = p256::ecdsa::SigningKey::from_pkcs8_der(&der).unwrap();
            let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
            signature.to_der().as_bytes().to_vec()
        }
    };
    Base64::encode_string(&signature)
}

/// The hint of a test key: the hash of the file that openssl wrote.
pub(crate) fn hint(curve: &str) -> String {
    shared::digest::of_bytes(text(&format!("keys/{curve}.pub")).as_bytes())
}

/// A bundle around any payload.
pub(crate) fn bundle(curve: &str, hash: usize, payload: &[u8]) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": hint(curve)}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": Base64::encode_string(payload),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": raw_signature(curve, hash, payload), "keyid": ""}],
        },
    })
}

/// A bundle by the P-256 test key around a statement.
pub(crate) fn signed(statement: &Value) -> Value {
    bundle("p256", 256, statement.to_string().as_bytes())
}
