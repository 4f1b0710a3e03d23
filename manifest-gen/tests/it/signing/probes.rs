//! The probes of `conformance.json`, rebuilt from their names: the public client's answer is given, or a documented other one.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;

use manifest_gen::oms::Trust;
use serde_json::{Value, json};

use super::folder::{
    Model, bundle, data, hint, is_verified, public_key, raw_signature, reroot, signed, statement, text,
};

/// The client accepts these, we do not; `docs/SIGNING.md` says why.
pub(crate) const STRICTER: [&str; 5] = [
    "dot_slash_name",
    "dup_resource",
    "extra_file_ignore_unsigned",
    "old_predicate_Digests_v0.1",
    "two_signatures_first_good",
];

/// The client refuses these, we do not: its command line cannot hash as the signature says, and its library cannot read
/// back the float that it wrote. `docs/SIGNING.md` says so.
pub(crate) const WIDER: [&str; 4] = [
    "blake3_made_by_api_verify_cli",
    "shards1k_made_by_api_verify_api",
    "shards1k_made_by_api_verify_cli",
    "shards_sha256_cli",
];

/// Entries that show a file and are no probe.
const NO_PROBES: [&str; 3] = ["blake2_example", "blake3_example", "shards1k_example"];

/// A folder, a signature file, and whose signature counts.
pub(crate) struct Probe {
    pub(crate) model: Model,
    pub(crate) bundle: Vec<u8>,
    pub(crate) trust: Trust,
}

impl Probe {
    fn of(bundle: &Value) -> Self {
        Self { model: Model::new(), bundle: bundle.to_string().into_bytes(), trust: public_key("p256") }
    }

    fn reference(file: &str) -> Self {
        Self { model: Model::new(), bundle: text(file).into_bytes(), trust: Trust::PublicKey(text("prime256v1.pub")) }
    }

    fn trusting(mut self, key: &str) -> Self {
        self.trust = public_key(key);
        self
    }

    fn with(self, change: impl FnOnce(&Model)) -> Self {
        change(&self.model);
        self
    }
}

/// The example statement, changed.
fn statement_with(change: impl FnOnce(&mut Value)) -> Probe {
    let mut statement = statement();
    change(&mut statement);
    Probe::of(&signed(&statement))
}

/// The example statement with changed resources, and the root digest that fits them.
fn resources_with(change: impl FnOnce(&mut Vec<Value>)) -> Probe {
    let mut statement = statement();
    change(statement["predicate"]["resources"].as_array_mut().unwrap());
    Probe::of(&signed(&reroot(statement)))
}

/// The example bundle, changed.
fn bundle_with(change: impl FnOnce(&mut Value)) -> Probe {
    let mut bundle = signed(&statement());
    change(&mut bundle);
    Probe::of(&bundle)
}

fn remove(value: &mut Value, key: &str) {
    value.as_object_mut().unwrap().remove(key).unwrap();
}

fn curve(curve: &str, hash: usize) -> Probe {
    Probe::of(&bundle(curve, hash, statement().to_string().as_bytes())).trusting(curve)
}

fn shards() -> Probe {
    statement_with(|statement| {
        let reference: Value = serde_json::from_str(&text("conformance.json")).unwrap();
        statement["predicate"] = reference["shards1k_example"].clone();
        statement["predicate"]["serialization"]["shard_size"] = json!(4);
        *statement = reroot(statement.clone());
    })
}

fn blake2() -> Probe {
    statement_with(|statement| {
        let reference: Value = serde_json::from_str(&text("conformance.json")).unwrap();
        statement["predicate"] = reference["blake2_example"].clone();
        *statement = reroot(statement.clone());
    })
}

fn old_statement() -> Value {
    let mut old = statement();
    let subject = |resource: &Value| json!({"name": resource["name"], "digest": {"sha256": resource["digest"]}});
    let subjects: Vec<Value> = old["predicate"]["resources"].as_array().unwrap().iter().map(subject).collect();
    old["subject"] = subjects.into();
    old["predicateType"] = "https://model_signing/Digests/v0.1".into();
    old["predicate"] = json!({});
    old
}

fn utf8_sorted_keys() -> Probe {
    let probe = resources_with(|resources| {
        resources.push(json!({"name": "Ünï.txt", "algorithm": "sha256", "digest": shared::digest::of_bytes(b"x")}));
        resources.iter_mut().for_each(Value::sort_all_objects);
    });
    probe.model.put("Ünï.txt", "x");
    probe
}

pub(crate) fn rebuild(name: &str) -> Option<Probe> {
    let first = |value: &mut Vec<Value>| value[0].clone();
    Some(match name {
        "compact_json" => statement_with(|_| {}),
        "utf8_sorted_keys" => utf8_sorted_keys(),
        "resources_reverse_order" => resources_with(|resources| resources.reverse()),
        "wrong_root_digest" => statement_with(|s| s["subject"][0]["digest"]["sha256"] = "0".repeat(64).into()),
        "no_ignore_paths" => statement_with(|s| remove(&mut s["predicate"]["serialization"], "ignore_paths")),
        "extra_predicate_field" => statement_with(|s| s["predicate"]["release"] = json!({"name": "x", "version": 2})),
        "extra_serialization_field" => statement_with(|s| s["predicate"]["serialization"]["x"] = json!([1])),
        "extra_resource_field" => resources_with(|resources| resources[0]["x"] = json!(null)),
        "subject_name_other" => statement_with(|s| s["subject"][0]["name"] = "other".into()),
        "two_subjects" => statement_with(|s| {
            let again = first(s["subject"].as_array_mut().unwrap());
            s["subject"].as_array_mut().unwrap().push(again);
        }),
        "second_digest_alg_in_subject" => statement_with(|s| s["subject"][0]["digest"]["sha512"] = "00".into()),
        "uppercase_hex" => resources_with(|resources| {
            resources[0]["digest"] = resources[0]["digest"].as_str().unwrap().to_uppercase().into();
        }),
        "dup_resource" => resources_with(|resources| {
            let again = first(resources);
            resources.push(again);
        }),
        "dotdot_resource" => {
            let probe = resources_with(|resources| {
                let digest = shared::digest::of_bytes(b"outside");
                resources.push(json!({"name": "../m.pub", "algorithm": "sha256", "digest": digest}));
            });
            probe.with(|model| super::folder::write(&model.root.path().join("m.pub"), "outside"))
        }
        "dot_slash_name" => resources_with(|resources| resources[0]["name"] = "./a.txt".into()),
        "allow_symlinks_missing" => statement_with(|s| remove(&mut s["predicate"]["serialization"], "allow_symlinks")),
        "no_hint" => bundle_with(|b| remove(&mut b["verificationMaterial"]["publicKey"], "hint")),
        "wrong_hint" => bundle_with(|b| b["verificationMaterial"]["publicKey"]["hint"] = hint("other").into()),
        "no_tlogEntries" => bundle_with(|b| remove(&mut b["verificationMaterial"], "tlogEntries")),
        "no_keyid" => bundle_with(|b| remove(&mut b["dsseEnvelope"]["signatures"][0], "keyid")),
        "extra_bundle_field" => bundle_with(|b| b["extra"] = json!(1)),
        "media_v0.2" => bundle_with(|b| b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2".into()),
        "payloadType_other" => bundle_with(|b| b["dsseEnvelope"]["payloadType"] = "application/json".into()),
        "two_signatures_second_good" => two_signatures(|bad, good| json!([bad, good])),
        "two_signatures_first_good" => two_signatures(|bad, good| json!([good, bad])),
        "old_predicate_Digests_v0.1" => Probe::of(&signed(&old_statement())),
        "secp384r1_sha384" => curve("p384", 384),
        "secp384r1_sha256_wrong_hash" => curve("p384", 256),
        "secp521r1_sha512" => curve("p521", 512),
        "secp521r1_sha256_wrong_hash" => curve("p521", 256),
        "ed25519_pubkey" => statement_with(|_| {}).trusting("ed25519"),
        "tampered" => statement_with(|_| {}).with(|model| model.put("sub/b.bin", "other!")),
        "extra_file" | "extra_file_ignore_unsigned" => statement_with(|_| {}).with(|model| model.put("extra", "x")),
        "symlink_present" => statement_with(|_| {}).with(|model| symlink("a.txt", model.path().join("ln")).unwrap()),
        "gitignore_added" => statement_with(|_| {}).with(|model| model.put(".gitignore", "x")),
        "shards_sha256_cli" | "shards_sha256_api" => shards(),
        "blake3_made_by_api_verify_cli" | "blake3_made_by_api_verify_api" => Probe::reference("blake3.sig"),
        "blake2_made_by_api_verify_cli" | "blake2_made_by_api_verify_api" => blake2(),
        "shards1k_made_by_api_verify_cli" | "shards1k_made_by_api_verify_api" => Probe::reference("shards1k.sig"),
        _ => return None,
    })
}

fn two_signatures(order: impl FnOnce(Value, Value) -> Value) -> Probe {
    let bad = json!({"sig": raw_signature("other", 256, b"another payload"), "keyid": ""});
    bundle_with(|b| b["dsseEnvelope"]["signatures"] = order(bad, b["dsseEnvelope"]["signatures"][0].clone()))
}

/// Each probe and whether the public client accepted it.
pub(crate) fn recorded() -> Vec<(String, bool)> {
    let all: Value = serde_json::from_str(&text("conformance.json")).unwrap();
    let probes = all.as_object().unwrap().iter().filter(|(name, _)| !NO_PROBES.contains(&name.as_str()));
    probes.map(|(name, answer)| (name.clone(), answer[0] == 0)).collect()
}

fn accepted(probe: &Probe) -> bool {
    // A public key that cannot be used is an error, which is no yes.
    let Probe { model, bundle, trust } = probe;
    let outcome = manifest_gen::oms::verify(&model.path(), bundle, trust, "model.sig", super::folder::now());
    outcome.is_ok_and(|outcome| is_verified(&outcome))
}

#[test]
fn the_answers_are_the_clients_or_documented_others() {
    let (mut stricter, mut wider) = (BTreeSet::new(), BTreeSet::new());
    let recorded = recorded();
    assert_eq!(recorded.len(), 44);
    for (name, client) in &recorded {
        let probe = rebuild(name).unwrap_or_else(|| panic!("{name} is not rebuilt"));
        match (accepted(&probe), client) {
            (true, false) => wider.insert(name.as_str()),
            (false, true) => stricter.insert(name.as_str()),
            _ => true,
        };
    }
    assert_eq!(stricter, BTreeSet::from(STRICTER));
    assert_eq!(wider, BTreeSet::from(WIDER));
}

#[test]
fn the_document_names_every_difference() {
    let document = fs::read_to_string(data("../../../docs/SIGNING.md")).unwrap();
    for name in STRICTER.iter().chain(&WIDER) {
        assert!(document.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn refusals_say_why() {
    let reason = |name: &str| {
        let probe = rebuild(name).unwrap();
        probe.model.reasons(&probe.bundle, &probe.trust)
    };
    for (name, expected) in [
        ("wrong_root_digest", "root digest \"0000"),
        ("two_subjects", "2 subjects (expected one)"),
        ("dup_resource", "\"a.txt\" is listed twice"),
        ("dot_slash_name", "the path \"./a.txt\" has a `.` component"),
        ("dotdot_resource", "the path \"../m.pub\" leaves the folder with `..`"),
        ("allow_symlinks_missing", "allow_symlinks null"),
        ("wrong_hint", "signed with another key: its hint is"),
        ("extra_bundle_field", "unknown field `extra`"),
        ("media_v0.2", "media type \"application/vnd.dev.sigstore.bundle+json;version=0.2\""),
        ("payloadType_other", "payload type \"application/json\""),
        ("two_signatures_first_good", "2 signatures in the envelope (expected one)"),
        ("old_predicate_Digests_v0.1", "of before version 1.0"),
        ("secp384r1_sha256_wrong_hash", "the signature is not that of this P-384 key"),
        ("secp521r1_sha256_wrong_hash", "the signature is not that of this P-521 key"),
        ("tampered", "\"sub/b.bin\" was changed: its sha256 is"),
        ("extra_file", "\"extra\" is not signed"),
        ("symlink_present", "\"ln\" is a symbolic link"),
        ("blake2_made_by_api_verify_api", "hash_type \"blake2b\""),
    ] {
        assert!(reason(name).contains(expected), "{name}: {}", reason(name));
    }
}
