//! What is signed here verifies here, and is what the specification says.

use std::os::unix::fs::symlink;
use std::path::Path;

use manifest_gen::oms::{self, Outcome, Signer, Trust, hash};
use serde_json::{Map, Value, json};

use super::folder::{Model, authority, certificates, is_verified, key_signer, private_key, public_key};

fn sign(model: &Model, signer: &Signer) -> Vec<u8> {
    oms::sign(&model.path(), &["model.sig".into()], signer, Map::new()).unwrap()
}

fn payload(bundle: &[u8]) -> Value {
    use base64ct::{Base64, Encoding};
    let bundle: Value = serde_json::from_slice(bundle).unwrap();
    let bytes = Base64::decode_vec(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn three_curves_verify_and_repeat_their_bytes() {
    for curve in ["p256", "p384", "p521"] {
        let model = Model::new();
        let bundle = sign(&model, &key_signer(curve));
        assert_eq!(bundle, sign(&model, &key_signer(curve)), "{curve}");
        model.put("model.sig", &bundle);
        let Outcome::Verified { files, unsigned, .. } = model.verify(&bundle, &public_key(curve)) else {
            panic!("{curve}")
        };
        assert_eq!(files.len(), 4);
        assert_eq!(unsigned, Vec::<String>::new());
        assert!(model.reasons(&bundle, &public_key("other")).contains("signed with another key"));
    }
}

#[test]
fn a_chain_verifies() {
    let model = Model::new();
    for (carried, given) in [
        (&["leaf", "intermediate", "root"][..], &["root"][..]),
        (&["leaf", "root", "intermediate"], &["root"]),
        (&["leaf", "intermediate"], &["stranger", "root"]),
        (&["leaf"], &["root", "intermediate"]),
        (&["code-signing", "intermediate"], &["rsa-root", "root"]),
        (&["lone"], &["lone"]),
        (&["below-rsa", "rsa-root"], &["rsa-root"]),
        (&["below-rsa"], &["root", "rsa-root"]),
    ] {
        let signer = Signer::Chain { key: private_key("p256.pem"), certificates: certificates(carried) };
        let outcome = model.verify(&sign(&model, &signer), &authority(given));
        assert!(is_verified(&outcome), "{carried:?} {outcome:?}");
    }
}

#[test]
fn the_statement_is_the_specifications() {
    let model = Model::new();
    for name in ["sub.txt", ".git/config", ".gitignore", "sub/.git/x", "notes/draft", "Ünï.txt"] {
        model.put(name, name);
    }
    let mut extra = Map::new();
    extra.insert("release".into(), json!({"name": "lightgbm", "version": "2.0.0"}));
    let ignore = ["model.sig".to_owned(), "notes".to_owned()];
    let bundle = oms::sign(&model.path(), &ignore, &key_signer("p256"), extra.clone()).unwrap();
    let statement = payload(&bundle);
    let names: Vec<&str> =
        statement["predicate"]["resources"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    // By code point of the whole name, not by path component.
    assert_eq!(names, ["a.txt", "empty", "sub-x", "sub.txt", "sub/.git/x", "sub/b.bin", "Ünï.txt"]);
    assert_eq!(statement["subject"][0]["name"], "m");
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "https://model_signing/signature/v1.0");
    assert_eq!(
        statement["predicate"]["serialization"],
        json!({"method": "files", "hash_type": "sha256", "allow_symlinks": false,
               "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore", "model.sig", "notes"]})
    );
    let Outcome::Verified { predicate, unsigned, .. } = model.verify(&bundle, &public_key("p256")) else { panic!() };
    assert_eq!(predicate["release"], extra["release"]);
    assert_eq!(unsigned, [".git/config", ".gitignore", "notes/draft"]);
}

#[test]
fn the_root_digest_of_the_reference_comes_out() {
    // `example.sig` signs the same tree; for it the two sort orders differ in `sub-x` only.
    let root = payload(&sign(&Model::new(), &key_signer("p256")))["subject"][0]["digest"]["sha256"].clone();
    let mut reference = super::folder::statement();
    let resources = reference["predicate"]["resources"].as_array_mut().unwrap();
    resources.sort_by_key(|resource| resource["name"].as_str().unwrap().to_owned());
    assert_eq!(root, super::folder::reroot(reference)["subject"][0]["digest"]["sha256"]);
}

#[test]
fn every_mismatch_is_named() {
    let model = Model::new();
    let bundle = sign(&model, &key_signer("p256"));
    model.put("a.txt", "changed");
    model.put("new", "x");
    std::fs::remove_file(model.path().join("empty")).unwrap();
    symlink("/etc", model.path().join("sub/etc")).unwrap();
    let reasons = model.reasons(&bundle, &public_key("p256"));
    for expected in
        ["\"sub/etc\" is a symbolic link", "\"new\" is not signed", "\"empty\" is missing", "\"a.txt\" was changed"]
    {
        assert!(reasons.contains(expected), "{reasons}");
    }
    assert_eq!(reasons.lines().count(), 4);
}

#[test]
fn the_wrong_kind_of_trust_is_refused_and_no_trust_is_no_yes() {
    let model = Model::new();
    let by_key = sign(&model, &key_signer("p256"));
    let chain = Signer::Chain { key: private_key("p256.pem"), certificates: certificates(&["leaf", "intermediate"]) };
    let by_chain = sign(&model, &chain);
    assert!(model.reasons(&by_key, &authority(&["root"])).contains("signed with a key"));
    assert!(model.reasons(&by_chain, &public_key("p256")).contains("signed with a certificate"));
    for bundle in [&by_key, &by_chain] {
        assert!(matches!(model.verify(bundle, &Trust::Nobody), Outcome::SignerUnknown { .. }));
    }
    model.put("a.txt", "x");
    assert!(model.reasons(&by_key, &Trust::Nobody).contains("\"a.txt\" was changed"));
}

/// Up to version 1.0.1 the public client wrote the key's PEM text in place of its hash, and no list of log entries.
#[test]
fn the_first_clients_way_to_name_a_key_is_understood() {
    use base64ct::{Base64, Encoding};
    let model = Model::new();
    let mut bundle: Value = serde_json::from_slice(&sign(&model, &key_signer("p384"))).unwrap();
    let naming = |key: &str| {
        let pem = super::folder::text(&format!("keys/{key}.pub"));
        json!({"publicKey": {"rawBytes": Base64::encode_string(pem.as_bytes()), "keyDetails": "PKIX_ECDSA_P384_SHA_384"}})
    };
    bundle["dsseEnvelope"]["signatures"][0]["keyid"] = Value::Null;
    bundle["verificationMaterial"] = naming("p384");
    assert!(is_verified(&model.verify(bundle.to_string().as_bytes(), &public_key("p384"))));
    bundle["verificationMaterial"] = naming("other");
    let reasons = model.reasons(bundle.to_string().as_bytes(), &public_key("p384"));
    assert!(reasons.contains("signed with another key"), "{reasons}");
    bundle["verificationMaterial"]["publicKey"]["hint"] = super::folder::hint("p384").into();
    let reasons = model.reasons(bundle.to_string().as_bytes(), &public_key("p384"));
    assert!(reasons.contains("beside another key"), "{reasons}");
}

#[test]
fn keyless_signatures_are_refused_with_the_tool_that_checks_them() {
    let model = Model::new();
    let mut bundle: Value = serde_json::from_slice(&sign(&model, &key_signer("p256"))).unwrap();
    bundle["verificationMaterial"] = json!({"certificate": {"rawBytes": "AAAA"}, "tlogEntries": [{"logIndex": "1"}]});
    let reasons = model.reasons(bundle.to_string().as_bytes(), &public_key("p256"));
    assert!(
        reasons.contains("a keyless Sigstore signature") && reasons.contains("model_signing verify sigstore"),
        "{reasons}"
    );
}

#[test]
fn what_cannot_be_signed_is_an_error() {
    let signer = key_signer("p256");
    let message = |model: &Model, ignore: &[String], extra: Map<String, Value>| {
        oms::sign(&model.path(), ignore, &signer, extra).unwrap_err().to_string()
    };
    let model = Model::new();
    for path in ["./model.sig", "/model.sig", "../model.sig", ""] {
        assert!(message(&model, &[path.into()], Map::new()).contains("the path to leave out"), "{path}");
    }
    let reserved: Map<String, Value> = [("resources".to_owned(), json!([]))].into_iter().collect();
    assert!(message(&model, &[], reserved).contains("\"resources\""));
    let all: Vec<String> = ["a.txt", "empty", "sub", "sub-x"].map(String::from).into();
    assert!(message(&model, &all, Map::new()).contains("no file to sign"));
    symlink("a.txt", model.path().join("link")).unwrap();
    assert!(message(&model, &[], Map::new()).contains("link: a symbolic link"));
    let linked = model.root.path().join("linked");
    symlink(model.path(), &linked).unwrap();
    assert!(oms::sign(&linked.join(""), &[], &signer, Map::new()).unwrap_err().to_string().contains("a symbolic link"));
    assert!(oms::sign(Path::new("/nowhere"), &[], &signer, Map::new()).is_err());
}

#[test]
fn names_that_are_not_utf8_and_special_files_are_refused() {
    use std::os::unix::ffi::OsStrExt;
    let model = Model::new();
    let bundle = sign(&model, &key_signer("p256"));
    let odd = model.path().join(std::ffi::OsStr::from_bytes(b"\xFF"));
    super::folder::write(&odd, "x");
    assert!(model.reasons(&bundle, &public_key("p256")).contains("a name that is not UTF-8"));
    assert!(hash::files(&model.path()).unwrap_err().to_string().contains("a name that is not UTF-8"));
    std::fs::remove_file(odd).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(model.path().join("socket")).unwrap();
    assert!(model.reasons(&bundle, &public_key("p256")).contains("\"socket\" is neither a file nor a folder"));
}

#[test]
fn hashing_agrees_with_the_reference_and_sorts() {
    // `sha256sum` of the reference tree.
    let files = hash::files(&Model::new().path()).unwrap();
    let found: Vec<(&str, &str, u64)> =
        files.iter().map(|file| (file.path.as_str(), file.sha256.as_str(), file.bytes)).collect();
    assert_eq!(
        found,
        [
            ("a.txt", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", 5),
            ("empty", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0),
            ("sub-x", "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b", 1),
            ("sub/b.bin", "e258d248fda94c63753607f7c4494ee0fcbe92f1a76bfdac795c9d84101eb317", 6),
        ]
    );
    // FIPS 180-2, appendix B.3: one million times the letter a, longer than a block.
    let model = Model::new();
    model.put("million", "a".repeat(1_000_000));
    let million = hash::one(&model.path().join("million")).unwrap();
    assert_eq!(million.sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    assert_eq!(million.bytes, 1_000_000);
}
