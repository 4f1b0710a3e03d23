//! A single changed byte, anywhere in a signed release, its registry entry or its published copies, is seen.
use crate::support;

use crate::support::Project;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Changes; `TAMPER_ROUNDS` asks for more.
fn rounds() -> usize {
    std::env::var("TAMPER_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(200)
}

/// What must not change: the release, what is published of it, and the registry that names it.
fn is_guarded(name: &str) -> bool {
    name.starts_with("models/releases/")
        || name == "models/registry.json"
        || ["models/lightgbm_v2.pkl", "models/preprocessing_lightgbm_v2.pkl", "models/metadata/lightgbm_v2.json"]
            .contains(&name)
}

#[test]
fn every_single_byte_change_is_seen() {
    let project = Project::new();
    project.signed("2");
    project.run("promote lightgbm 2").ok();
    let policy = manifest_gen::promote::PolicyArgs {
        public_key: Some(project.path(support::PUBLIC_KEY)),
        require_signature: true,
        ..Default::default()
    };
    let store = manifest_gen::store::Store { root: project.path("models") };
    let wanted = [("lightgbm".to_owned(), manifest_gen::version::ModelVersion::parse("2").unwrap())];
    let passes = || {
        let report = manifest_gen::verify::report(&store, &policy, &wanted);
        report.is_ok_and(|report| report.answer <= manifest_gen::verify::Answer::NotApplicable)
    };
    assert!(passes());
    let files: Vec<(String, Vec<u8>)> =
        project.files().into_iter().filter(|(name, bytes)| is_guarded(name) && !bytes.is_empty()).collect();
    let mut random = ChaCha8Rng::seed_from_u64(20_261_124);
    for round in 0..rounds() {
        // Small files as often as large ones: they hold what is said of the others.
        let (name, bytes) = &files[random.random_range(0..files.len())];
        let place = random.random_range(0..bytes.len());
        let mut changed = bytes.clone();
        changed[place] ^= random.random_range(1..=255_u8);
        put(&project, name, &changed);
        assert!(!passes(), "round {round}: byte {place} of {name} was {} and is {}", bytes[place], changed[place]);
        put(&project, name, bytes);
    }
    assert!(passes());
}

fn put(project: &Project, name: &str, bytes: &[u8]) {
    std::io::Write::write_all(&mut std::fs::File::create(project.path(name)).unwrap(), bytes).unwrap();
}
