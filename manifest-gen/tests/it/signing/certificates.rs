//! Certificate paths that must not be accepted.

use manifest_gen::oms::{self, Outcome, Signer};
use serde_json::{Map, Value};

use super::folder::{Model, authority, certificates, now, private_key};

/// A signature by the P-256 key that carries any certificates, past the signer's own checks.
pub(crate) fn carrying(model: &Model, names: &[&str]) -> Vec<u8> {
    use base64ct::{Base64, Encoding};
    let signer = Signer::Chain { key: private_key("p256.pem"), certificates: certificates(&["leaf"]) };
    let bundle = oms::sign(&model.path(), &[], &signer, Map::new()).unwrap();
    let mut bundle: Value = serde_json::from_slice(&bundle).unwrap();
    let raw = |der: Vec<u8>| serde_json::json!({"rawBytes": Base64::encode_string(&der)});
    let list: Vec<Value> = certificates(names).into_iter().map(raw).collect();
    bundle["verificationMaterial"]["x509CertificateChain"]["certificates"] = list.into();
    bundle.to_string().into_bytes()
}

#[test]
fn faulty_paths_are_refused_by_name() {
    let model = Model::new();
    for (carried, given, expected) in [
        (&["leaf", "intermediate"][..], &["stranger"][..], "no trusted root certifies"),
        (&["leaf", "intermediate"], &["impostor"], "no trusted root certifies"),
        (&["leaf"], &["root"], "no trusted root certifies"),
        // A given certificate that is not self-signed is no root.
        (&["leaf"], &["intermediate"], "no trusted root certifies"),
        (&["leaf"], &["leaf"], "no trusted root certifies"),
        (&["lone"], &["root"], "no trusted root certifies"),
        (&["leaf", "intermediate", "stranger"], &["root"], "\"CN=stranger\" has no part in the path"),
        (&["useless", "intermediate"], &["root"], "\"CN=useless\" is not for signing"),
        (&["critical", "intermediate"], &["root"], "the extension 1.2.3.4"),
        (&["below-no-cert-sign", "no-cert-sign"], &["root"], "without the key usage keyCertSign"),
        (&["below-too-deep", "too-deep"], &["no-length"], "allows fewer intermediate certificates than 1"),
        (&["below-constrained", "constrained"], &["root"], "the extension 2.5.29.30"),
        (&["below-rsa", "rsa-root"], &["root"], "no trusted root certifies"),
        (&["below-rsa1024", "rsa1024-root"], &["root"], "an RSA key of 1024 bits"),
        (&["rsa-root"], &["rsa-root"], "is not for signing"),
        (&["below-rsa"], &["root"], "no trusted root certifies"),
        (&["short", "intermediate"], &["root"], "\"CN=short\" is valid from"),
        (&["stranger"], &["stranger"], "is not for signing"),
    ] {
        let reasons = model.reasons(&carrying(&model, carried), &authority(given));
        assert!(reasons.contains(expected), "{carried:?} below {given:?}: {reasons}");
    }
}

#[test]
fn a_leaf_cannot_issue() {
    let model = Model::new();
    let signer = Signer::Chain {
        key: private_key("other.pem"),
        certificates: certificates(&["below-leaf", "leaf", "intermediate"]),
    };
    let bundle = oms::sign(&model.path(), &[], &signer, Map::new()).unwrap();
    assert!(
        model.reasons(&bundle, &authority(&["root"])).contains("\"CN=leaf\" issued another one, and is no authority")
    );
}

#[test]
fn another_signers_certificate_does_not_help() {
    // A good path to a root, and a signature by a key that it does not certify.
    let model = Model::new();
    let signer = Signer::Chain { key: private_key("other.pem"), certificates: certificates(&["below-leaf"]) };
    let mut bundle: Value =
        serde_json::from_slice(&oms::sign(&model.path(), &[], &signer, Map::new()).unwrap()).unwrap();
    let good: Value = serde_json::from_slice(&carrying(&model, &["leaf", "intermediate"])).unwrap();
    bundle["verificationMaterial"] = good["verificationMaterial"].clone();
    let reasons = model.reasons(bundle.to_string().as_bytes(), &authority(&["root"]));
    assert!(reasons.contains("the signature is not that of this P-256 key"), "{reasons}");
}

#[test]
fn signers_check_their_certificates_too() {
    let model = Model::new();
    for (key, carried, expected) in [
        ("other.pem", &["leaf"][..], "belongs to another key"),
        ("p256.pem", &["useless"], "is not for signing"),
        ("p256.pem", &["leaf", "rsa1024-root"], "an RSA key of 1024 bits"),
    ] {
        let signer = Signer::Chain { key: private_key(key), certificates: certificates(carried) };
        let error = oms::sign(&model.path(), &[], &signer, Map::new()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let none = Signer::Chain { key: private_key("p256.pem"), certificates: Vec::new() };
    assert!(oms::sign(&model.path(), &[], &none, Map::new()).unwrap_err().to_string().contains("no certificate"));
}

#[test]
fn unusable_roots_are_an_error() {
    let model = Model::new();
    let bundle = carrying(&model, &["leaf"]);
    for roots in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        &super::folder::text("keys/p256.pem"),
        &super::folder::text("keys/rsa1024-root.crt.pem"),
    ] {
        let trust = oms::Trust::Authority(roots.to_owned());
        assert!(oms::verify(&model.path(), &bundle, &trust, "", now()).is_err(), "{roots}");
    }
}

#[test]
fn every_byte_of_every_certificate_counts() {
    let model = Model::new();
    let trust = authority(&["root"]);
    for which in 0..3 {
        let good = certificates(&["leaf", "intermediate", "root"]);
        for at in (0..good[which].len()).step_by(7) {
            let mut damaged = good.clone();
            damaged[which][at] ^= 1;
            let bundle = with_certificates(&carrying(&model, &["leaf"]), &damaged);
            let outcome = model.verify(&bundle, &trust);
            assert!(matches!(outcome, Outcome::Refused { .. }), "certificate {which}, byte {at}");
        }
    }
}

fn with_certificates(bundle: &[u8], ders: &[Vec<u8>]) -> Vec<u8> {
    use base64ct::{Base64, Encoding};
    let mut bundle: Value = serde_json::from_slice(bundle).unwrap();
    let list: Vec<Value> = ders.iter().map(|der| serde_json::json!({"rawBytes": Base64::encode_string(der)})).collect();
    bundle["verificationMaterial"]["x509CertificateChain"]["certificates"] = list.into();
    bundle.to_string().into_bytes()
}
