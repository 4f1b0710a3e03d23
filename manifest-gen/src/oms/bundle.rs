//! The file around a signature: a Sigstore bundle v0.3 with a DSSE envelope.

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};
use shared::format::json;

/// The only media type of the specification.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What a payload is.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Material {
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<KeyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<Chain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<serde_json::Value>,
    tlog_entries: Vec<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<serde_json::Value>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct KeyName {
    hint: Option<String>,
    /// The PEM text itself, as the public client wrote it up to 1.0.1.
    #[serde(skip_serializing)]
    raw_bytes: Option<String>,
    /// Written beside it; says what the key says.
    #[serde(skip_serializing)]
    key_details: Option<String>,
}

impl KeyName {
    /// The hash of the key's PEM text.
    fn hint(self) -> Result<Option<String>, String> {
        let raw = self.raw_bytes.map(|raw| base64("the public key", &raw)).transpose()?;
        let named = raw.map(|pem| shared::digest::of_bytes(&pem));
        match (self.hint, named) {
            (Some(hint), Some(named)) if hint != named => Err(format!("a hint {hint:?} beside another key, {named:?}")),
            (hint, named) => Ok(hint.or(named)),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    certificates: Vec<Certificate>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Certificate {
    raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    sig: String,
    #[serde(default)]
    keyid: Option<String>,
}

/// By what a bundle says it can be checked.
pub(super) enum Claim {
    /// A key, perhaps with the hash of its PEM text.
    Key { hint: Option<String> },
    /// DER certificates, leaf first.
    Chain(Vec<Vec<u8>>),
}

/// A signature with all that it was made over.
pub(super) struct Signed {
    /// The statement, exactly as signed.
    pub(super) payload: Vec<u8>,
    /// DER.
    pub(super) signature: Vec<u8>,
    /// Who is said to have signed.
    pub(super) claim: Claim,
}

/// What is signed: the pre-authentication encoding of DSSE.
pub(super) fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Reads a bundle.
///
/// # Errors
/// Why it cannot be accepted.
pub(super) fn read(bytes: &[u8]) -> Result<Signed, String> {
    let bundle: Bundle = serde_json::from_value(strict_json(bytes, "the signature file")?)
        .map_err(|error| format!("the signature file: {error}"))?;
    expect("media type", &bundle.media_type, MEDIA_TYPE)?;
    expect("payload type", &bundle.dsse_envelope.payload_type, PAYLOAD_TYPE)?;
    let claim = claim(bundle.verification_material)?;
    let [signature] = bundle.dsse_envelope.signatures.as_slice() else {
        return Err(format!("{} signatures in the envelope (expected one)", bundle.dsse_envelope.signatures.len()));
    };
    let signature = base64("the signature", &signature.sig)?;
    Ok(Signed { payload: base64("the payload", &bundle.dsse_envelope.payload)?, signature, claim })
}

/// JSON as RFC 8259 has it: no byte order mark, no `NaN`, no key twice in one object.
pub(super) fn strict_json(bytes: &[u8], what: &str) -> Result<serde_json::Value, String> {
    if json::byte_order_mark(bytes) > 0 {
        return Err(format!("{what}: a byte order mark (expected JSON)"));
    }
    let value = json::parse(bytes).and_then(|node| node.to_serde());
    value.map_err(|fault| {
        let json::Fault { at, found, expected, .. } = fault;
        format!("{what}:{}:{}: {found} (expected {expected})", at.line, at.column)
    })
}

fn expect(what: &str, found: &str, expected: &str) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} {found:?} (expected {expected:?})")) }
}

fn base64(what: &str, text: &str) -> Result<Vec<u8>, String> {
    Base64::decode_vec(text).map_err(|_| format!("{what} is not padded standard base64"))
}

fn claim(material: Material) -> Result<Claim, String> {
    let Material { public_key, x509_certificate_chain, certificate, tlog_entries, timestamp_verification_data } =
        material;
    let claim = match (public_key, x509_certificate_chain, certificate) {
        (None, None, Some(_)) => return Err(KEYLESS.into()),
        (Some(key), None, None) => Claim::Key { hint: key.hint()? },
        (None, Some(chain), None) => Claim::Chain(decode(&chain)?),
        _ => return Err(
            "verification material that names no signer, or several (expected one of publicKey, x509CertificateChain)"
                .into(),
        ),
    };
    match tlog_entries.is_empty() && timestamp_verification_data.is_none() {
        true => Ok(claim),
        false => Err("transparency log entries or timestamps, which are not checked here (expected none)".into()),
    }
}

const KEYLESS: &str = "a keyless Sigstore signature, which only Sigstore's public services can vouch for (expected a signature by a key \
                       or a certificate chain; check this one with: model_signing verify sigstore)";

fn decode(chain: &Chain) -> Result<Vec<Vec<u8>>, String> {
    chain.certificates.iter().map(|certificate| base64("a certificate", &certificate.raw_bytes)).collect()
}

/// Writes a bundle: one line without a line end, so that no byte of it can change unnoticed.
pub(super) fn write(signed: &Signed) -> Result<Vec<u8>> {
    let mut material = Material::default();
    match &signed.claim {
        Claim::Key { hint } => material.public_key = Some(KeyName { hint: hint.clone(), ..KeyName::default() }),
        Claim::Chain(chain) => {
            let certificates = chain.iter().map(|der| Certificate { raw_bytes: Base64::encode_string(der) }).collect();
            material.x509_certificate_chain = Some(Chain { certificates });
        }
    }
    let signature = Signature { sig: Base64::encode_string(&signed.signature), keyid: Some(String::new()) };
    let bundle = Bundle {
        media_type: MEDIA_TYPE.into(),
        verification_material: material,
        dsse_envelope: Envelope {
            payload: Base64::encode_string(&signed.payload),
            payload_type: PAYLOAD_TYPE.into(),
            signatures: vec![signature],
        },
    };
    serde_json::to_vec(&bundle).map_err(|error| Error::usage(error.to_string(), "a signature that JSON can hold"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_dsse_protocol() {
        // The protocol's example has other type and payload; the shape is `DSSEv1 SP LEN SP type SP LEN SP payload`.
        let encoded = pre_authentication_encoding("hello wörld".as_bytes());
        assert_eq!(encoded, "DSSEv1 28 application/vnd.in-toto+json 12 hello wörld".as_bytes());
    }
}
