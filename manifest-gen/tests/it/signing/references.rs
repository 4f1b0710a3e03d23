//! Signatures that the public client made, over the trees that it signed.

use manifest_gen::oms::{Outcome, Trust};
use serde_json::Value;

use super::folder::{Model, data, is_verified, text};

/// The self-signed certificate in the reference signature as PEM.
fn certificate(bundle: &str) -> String {
    let bundle: Value = serde_json::from_str(bundle).unwrap();
    let raw = &bundle["verificationMaterial"]["x509CertificateChain"]["certificates"][0]["rawBytes"];
    let lines: Vec<&str> =
        raw.as_str().unwrap().as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

#[test]
fn signatures_by_a_key_verify() {
    let key = Trust::PublicKey(text("prime256v1.pub"));
    for (file, method, unsigned) in
        [("example.sig", "files", 0), ("blake3.sig", "files", 0), ("shards1k.sig", "shards", 1)]
    {
        let outcome = Model::new().verify(text(file).as_bytes(), &key);
        let Outcome::Verified { files, unsigned: left_out, predicate, signer } = outcome else {
            panic!("{file}: {outcome:?}")
        };
        assert_eq!(predicate["serialization"]["method"], method, "{file}");
        assert_eq!(predicate["resources"].as_array().unwrap().len(), files.len(), "{file}");
        // Shards have no part for an empty file.
        assert_eq!(left_out.len(), unsigned, "{file}: {left_out:?}");
        assert_eq!(signer, "P-256 key sha256:fc601d9447181e05855a0f339c371e3907c009014add02c4da3369bae3477ea2");
    }
}

#[test]
fn the_untouched_reference_folder_verifies() {
    let key = Trust::PublicKey(text("prime256v1.pub"));
    let outcome = manifest_gen::oms::verify(&data("m"), text("example.sig").as_bytes(), &key, "", super::folder::now());
    assert!(is_verified(&outcome.unwrap()));
}

#[test]
fn the_signature_by_a_certificate_verifies_within_its_validity() {
    let bundle = text("cert_example.sig");
    let model = Model::new();
    std::fs::remove_file(model.path().join("sub-x")).unwrap();
    model.put("Ünï.txt", "x");
    let trust = Trust::Authority(certificate(&bundle));
    let at = |time: &str| {
        manifest_gen::oms::verify(&model.path(), bundle.as_bytes(), &trust, "", time.parse().unwrap()).unwrap()
    };
    assert!(is_verified(&at("2026-12-01T00:00:00Z")));
    for outside in ["2026-11-23T02:57:24Z", "2026-12-23T02:57:26Z"] {
        let Outcome::Refused { reasons } = at(outside) else { panic!("{outside}") };
        assert!(
            reasons[0].contains("is valid from 2026-11-23T02:57:25Z until 2026-12-23T02:57:25Z, not now"),
            "{reasons:?}"
        );
    }
}

#[test]
fn shards_show_every_difference() {
    let key = Trust::PublicKey(text("prime256v1.pub"));
    let bundle = text("shards1k.sig");
    let reasons = |change: fn(&Model)| {
        let model = Model::new();
        change(&model);
        model.reasons(bundle.as_bytes(), &key)
    };
    assert!(reasons(|model| model.put("a.txt", "hellO")).contains("\"a.txt:4:5\" was changed"));
    assert!(
        reasons(|model| model.put("a.txt", "hell")).contains("\"a.txt:4:5\" is no part of the file, whose length is 4")
    );
    assert!(
        reasons(|model| model.put("a.txt", "hello, world"))
            .contains("\"a.txt\" has 3 parts of 4 bytes, of which 1 are signed")
    );
    assert!(reasons(|model| model.put("a.txt", "")).contains("\"a.txt:0:4\" is no part"));
    assert!(reasons(|model| model.put("new", "x")).contains("\"new\" is not signed"));
    assert!(
        reasons(|model| std::fs::remove_file(model.path().join("sub-x")).unwrap()).contains("\"sub-x\" is missing")
    );
}
