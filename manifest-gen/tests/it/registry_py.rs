//! `examples/serving/registry.py`, run by the system's python3 on a registry that the types of the tools wrote.
use std::path::Path;
use std::process::Command;

use crate::registered::{Models, Release, write};
use serde_json::Value;

const FEATURES: [(&str, &str); 2] = [("lag", "number"), ("week", "integer")];

fn models() -> Models {
    let mut models = Models::new();
    for file_version in ["1", "2"] {
        let bytes = format!("model {file_version}");
        let artifacts =
            [("model", "model.pkl", bytes.as_bytes()), ("preprocessing", "scaler.pkl", b"scaler".as_slice())];
        models.release(&Release { name: "lightgbm", file_version, artifacts: &artifacts, features: &FEATURES });
    }
    models.promote("lightgbm", "2.0.0", "champion");
    models
}

/// What `resolve` returns, or its error.
fn resolve(models: &Models, alias: &str) -> Result<Value, String> {
    let code = "import json, sys; sys.path.insert(0, sys.argv[1]); import registry\n\
                try: print(json.dumps(registry.resolve('lightgbm', sys.argv[2], sys.argv[3]), default=str))\n\
                except registry.RegistryError as error: sys.exit(str(error))";
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/serving"));
    let output =
        Command::new("python3").args(["-B", "-c", code]).arg(folder).arg(alias).arg(models.root()).output().unwrap();
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8(output.stderr).unwrap()),
    }
}

#[test]
fn it_stays_short_and_without_dependencies() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/serving/registry.py")).unwrap();
    assert!(text.lines().count() <= 40);
    let imports: Vec<&str> =
        text.lines().filter(|line| line.starts_with("import") || line.starts_with("from")).collect();
    assert_eq!(imports, ["import hashlib", "import json", "from pathlib import Path"]);
}

#[test]
fn aliases_and_versions_resolve_to_verified_files() {
    let models = models();
    let found = resolve(&models, "champion").unwrap();
    let entry = &models.registry.models["lightgbm"].versions["2.0.0"];
    assert_eq!(found["version"], "2.0.0");
    assert_eq!(found["manifest"]["sha256"], entry.manifest_sha256.as_str());
    assert_eq!(found["features"], serde_json::json!(["lag", "week"]));
    for artifact in &entry.artifacts {
        let path = found["artifacts"][&artifact.role]["path"].as_str().unwrap();
        assert_eq!(Path::new(path), models.root().join(&artifact.path).canonicalize().unwrap());
        assert_eq!(found["artifacts"][&artifact.role]["sha256"], artifact.sha256.as_str());
    }
    assert_eq!(resolve(&models, "1.0.0").unwrap()["version"], "1.0.0");
    assert!(resolve(&models, "challenger").unwrap_err().contains("no lightgbm@challenger"));
}

#[test]
fn tampered_bytes_are_refused_in_every_file() {
    for file in ["model.pkl", "scaler.pkl", "manifest.json"] {
        let models = models();
        let path = models.root().join("releases/lightgbm/2.0.0").join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[0] ^= 1;
        write(&path, &bytes);
        let error = resolve(&models, "champion").unwrap_err();
        assert!(error.contains(file) && error.contains("SHA-256"), "{error}");
        assert!(resolve(&models, "1.0.0").is_ok());
    }
}

#[test]
fn yanked_versions_are_refused() {
    let mut models = models();
    models.yank("lightgbm", "2.0.0");
    assert!(resolve(&models, "champion").unwrap_err().contains("yanked: leaks the target"));
    assert!(resolve(&models, "2.0.0").is_err());
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    let outside = |path: &str| {
        let mut models = models();
        write(&models.folder.path().join("outside.pkl"), b"model 2");
        let entry = models.registry.models.get_mut("lightgbm").unwrap().versions.get_mut("2.0.0").unwrap();
        entry.artifacts[0].path = path.replace("ROOT", models.folder.path().to_str().unwrap());
        models.save();
        resolve(&models, "champion").unwrap_err()
    };
    for path in ["../outside.pkl", "ROOT/outside.pkl", "releases/../../outside.pkl"] {
        assert!(outside(path).contains("leaves"), "{path}");
    }
}

#[test]
fn a_link_that_leaves_the_folder_is_refused() {
    let models = models();
    let path = models.root().join("releases/lightgbm/2.0.0/model.pkl");
    let outside = models.folder.path().join("outside.pkl");
    std::fs::rename(&path, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &path).unwrap();
    assert!(resolve(&models, "champion").unwrap_err().contains("leaves"));
}

#[test]
fn another_schema_is_refused() {
    let mut models = models();
    models.registry.schema = "manifest-gen/registry/2".to_owned();
    models.save();
    assert!(resolve(&models, "champion").is_err());
}
