//! Manifests, registries, verdicts and evidence as anybody could have written them: never a panic.

use std::path::Path;
use std::sync::OnceLock;

use crate::support::Project;
use manifest_gen::store::Store;
use manifest_gen::version::ModelVersion;
use proptest::prelude::*;
use shared::format::manifest::Manifest;
use shared::format::registry::Registry;

/// A real manifest and a real registry.
fn real() -> &'static (Vec<u8>, Vec<u8>) {
    static REAL: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    REAL.get_or_init(|| {
        let project = Project::new();
        project.run(&Project::new_line("2")).ok();
        project.run("promote lightgbm 2").ok();
        let files = project.files();
        (files["models/metadata/lightgbm_v2.json"].clone(), files["models/registry.json"].clone())
    })
}

/// Cuts out a part and puts other bytes in its place.
fn changed(bytes: &[u8], from: usize, length: usize, other: &[u8]) -> Vec<u8> {
    let from = from % bytes.len();
    let to = (from + length).min(bytes.len());
    [&bytes[..from], other, &bytes[to..]].concat()
}

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let path = Path::new("x");
        _ = Manifest::parse(path, &bytes);
        _ = Registry::parse(path, &bytes);
        _ = manifest_gen::evidence::read(&bytes);
        _ = ModelVersion::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn changed_files(from in any::<usize>(), length in 0_usize..40, other in "[\\[\\]{}\",:0-9a-z./\\\\-]{0,20}") {
        let (manifest, registry) = real();
        let path = Path::new("x");
        _ = Manifest::parse(path, &changed(manifest, from, length, other.as_bytes()));
        if let Ok(registry) = Registry::parse(path, &changed(registry, from, length, other.as_bytes())) {
            for (name, model) in &registry.models {
                _ = manifest_gen::ledger::faults(name, model);
                _ = manifest_gen::ledger::before("lightgbm", model, "champion");
            }
        }
    }

    #[test]
    fn paths_never_leave_the_root(parts in prop::collection::vec("(\\.\\.|\\.|a|/|b c|)", 0..6)) {
        let store = Store { root: "root".into() };
        if let Ok(path) = store.path(&parts.join("/")) {
            prop_assert!(path.starts_with("root") && !path.components().any(|part| part.as_os_str() == ".."));
        }
    }
}

#[test]
fn a_registry_that_points_outside_is_refused() {
    let project = Project::new();
    project.run(&Project::new_line("2")).ok();
    project.run("promote lightgbm 2").ok();
    let text = String::from_utf8(project.files()["models/registry.json"].clone()).unwrap();
    project.write("models/registry.json", &text.replace("releases/lightgbm/2.0.0", "../../etc"));
    project.run("resolve lightgbm@champion").is(2);
    project.run("resolve lightgbm@champion --artifact model --verify").is(2);
    project.run("verify lightgbm 2").is(1);
}
