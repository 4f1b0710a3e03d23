//! Single changed bytes are detected wherever they are, and no input makes the reader panic.

use std::fs;

use manifest_gen::oms::{self, Signer, Trust};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::folder::{
    Model, authority, bundle, certificates, is_verified, key_signer, now, private_key, public_key, statement, text,
};

const SEED: u64 = 20_261_124;

fn signers() -> Vec<(Signer, Trust)> {
    let chain =
        Signer::Chain { key: private_key("p256.pem"), certificates: certificates(&["leaf", "intermediate", "root"]) };
    vec![
        (key_signer("p256"), public_key("p256")),
        (key_signer("p384"), public_key("p384")),
        (chain, authority(&["root"])),
    ]
}

fn change(bytes: &mut [u8], random: &mut ChaCha8Rng) -> (usize, u8) {
    let at = random.random_range(0..bytes.len());
    bytes[at] ^= random.random_range(1..=255u8);
    (at, bytes[at])
}

#[test]
fn every_changed_byte_of_the_signature_file_is_detected() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let model = Model::new();
    for (signer, trust) in signers() {
        let good = oms::sign(&model.path(), &["model.sig".into()], &signer, Map::new()).unwrap();
        assert!(is_verified(&model.verify(&good, &trust)));
        for _ in 0..300 {
            let mut bad = good.clone();
            let (at, byte) = change(&mut bad, &mut random);
            assert!(!is_verified(&model.verify(&bad, &trust)), "seed {SEED}: byte {at} is {byte}");
        }
    }
}

#[test]
fn every_letter_of_the_frame_counts() {
    // All places outside the base64 texts, each with characters that JSON could overlook.
    let model = Model::new();
    let good = oms::sign(&model.path(), &[], &key_signer("p256"), Map::new()).unwrap();
    let payload = String::from_utf8(good.clone()).unwrap();
    let value: Value = serde_json::from_str(&payload).unwrap();
    let skipped = payload.find(value["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let length = value["dsseEnvelope"]["payload"].as_str().unwrap().len();
    for at in (0..good.len()).filter(|at| !(skipped..skipped + length).contains(at)) {
        for byte in [good[at] ^ 0x20, good[at] ^ 1, b' ', b'"', b'A'] {
            let mut bad = good.clone();
            bad[at] = byte;
            let same = byte == good[at];
            assert_eq!(is_verified(&model.verify(&bad, &public_key("p256"))), same, "byte {at} is {byte}");
        }
    }
}

#[test]
fn every_changed_byte_of_a_file_is_detected() {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let model = Model::new();
    model.put("large", (0..60_000u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>());
    let good = oms::sign(&model.path(), &[], &key_signer("p256"), Map::new()).unwrap();
    for name in ["large", "a.txt", "sub/b.bin", "sub-x"] {
        let bytes = fs::read(model.path().join(name)).unwrap();
        for _ in 0..75 {
            let mut bad = bytes.clone();
            let (at, byte) = change(&mut bad, &mut random);
            model.put(name, &bad);
            let reasons = model.reasons(&good, &public_key("p256"));
            assert!(
                reasons.contains(&format!("{name:?} was changed")),
                "seed {SEED}: {name} byte {at} is {byte}: {reasons}"
            );
        }
        model.put(name, &bytes);
    }
    assert!(is_verified(&model.verify(&good, &public_key("p256"))));
}

fn never_panics(bytes: &[u8]) {
    let model = Model::new();
    for trust in [public_key("p256"), authority(&["root"]), Trust::Nobody] {
        let outcome = oms::verify(&model.path(), bytes, &trust, "model.sig", now()).unwrap();
        assert!(!is_verified(&outcome));
    }
}

/// JSON values that stand where others are expected.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[]]])),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        Just(json!("a.txt:0:18446744073709551615")),
        Just(json!("a.txt:18446744073709551612:18446744073709551615")),
        Just(json!(18_446_744_073_709_551_615_u64)),
        Just(json!(1e300)),
    ]
}

/// Replaces the value at the `n`th place of a JSON tree.
fn replace(value: &mut Value, n: &mut usize, with: &Value) {
    if *n == 0 {
        *value = with.clone();
    }
    *n = n.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, n, with)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, n, with)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        never_panics(&bytes);
    }

    #[test]
    fn bundles_with_odd_values_never_panic(at in 0usize..16, with in odd_value(), cut in any::<prop::sample::Index>()) {
        let mut value = bundle("p256", 256, statement().to_string().as_bytes());
        replace(&mut value, &mut { at }, &with);
        let text = value.to_string();
        let model = Model::new();
        _ = oms::verify(&model.path(), text.as_bytes(), &public_key("p256"), "model.sig", now()).unwrap();
        never_panics(&text.as_bytes()[..cut.index(text.len())]);
    }

    #[test]
    fn signed_statements_with_odd_values_never_panic(at in 0usize..48, with in odd_value(), shards in any::<bool>()) {
        let mut value = statement();
        if shards {
            let reference: Value = serde_json::from_str(&text("conformance.json")).unwrap();
            value["predicate"] = reference["shards1k_example"].clone();
            value = super::folder::reroot(value);
        }
        replace(&mut value, &mut { at }, &with);
        let model = Model::new();
        let signed = bundle("p256", 256, value.to_string().as_bytes());
        _ = oms::verify(&model.path(), signed.to_string().as_bytes(), &public_key("p256"), "model.sig", now()).unwrap();
    }
}

#[test]
fn hostile_signed_statements_are_refused_at_once() {
    let model = Model::new();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut value = statement();
        change(&mut value);
        model.reasons(super::folder::signed(&value).to_string().as_bytes(), &public_key("p256"))
    };
    for everything in [".", "", "/", "./"] {
        let reasons = refused(&|s| s["predicate"]["serialization"]["ignore_paths"] = json!([everything]));
        assert!(reasons.contains("would leave out everything"), "{everything}: {reasons}");
    }
    let left_out = refused(&|s| s["predicate"]["serialization"]["ignore_paths"] = json!(["sub"]));
    assert!(left_out.contains("\"sub/b.bin\" is listed, and also left out"), "{left_out}");
    assert!(refused(&|s| s["predicate"]["resources"] = json!([])).contains("no resources"));
    for name in ["/etc/passwd", "sub//b.bin", "sub/../a.txt", "a.txt/", ""] {
        let reasons = refused(&|s| s["predicate"]["resources"][0]["name"] = name.into());
        assert!(reasons.contains(&format!("the path {name:?}")), "{name}: {reasons}");
    }
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(model.reasons(nested.as_bytes(), &public_key("p256")).contains("the signature file:1:"));
    let deep = bundle("p256", 256, nested.as_bytes()).to_string();
    assert!(model.reasons(deep.as_bytes(), &public_key("p256")).contains("the signed statement:1:"));
}

#[test]
fn json_that_two_readers_could_read_in_two_ways_is_refused() {
    let model = Model::new();
    let good = oms::sign(&model.path(), &[], &key_signer("p256"), Map::new()).unwrap();
    let good = String::from_utf8(good).unwrap();
    let twice = good.replacen("{\"mediaType\"", "{\"mediaType\":\"x\",\"mediaType\"", 1);
    assert!(model.reasons(twice.as_bytes(), &public_key("p256")).contains("occurs twice"));
    let marked = format!("\u{feff}{good}");
    assert!(model.reasons(marked.as_bytes(), &public_key("p256")).contains("byte order mark"));
    let payload = statement().to_string().replacen('{', "{\"x\":NaN,", 1);
    let signed = bundle("p256", 256, payload.as_bytes()).to_string();
    assert!(model.reasons(signed.as_bytes(), &public_key("p256")).contains("NaN is not finite"));
}
