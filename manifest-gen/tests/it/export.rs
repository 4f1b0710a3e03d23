//! Exports against the official schemas and, where `FORECAST_PYTHON` has them, against the validators that people use.

use crate::python;

use std::io::Write;
use std::process::{Command, Stdio};

use crate::common::{promote, release, run, said, store};
use jsonschema::{Registry, Validator};
use manifest_gen::store::Store;
use serde_json::Value;
use shared::format::registry::Action;

const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cyclonedx/");

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/python/check_cyclonedx.py");

const SPECS: [&str; 3] = ["1.5", "1.6", "1.7"];

fn schema(name: &str) -> Value {
    let path = format!("{SCHEMAS}{name}.SNAPSHOT.schema.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn validator(spec: &str) -> Validator {
    let parts = ["spdx", "jsf-0.82", "cryptography-defs"];
    let resources =
        parts.map(|name| (format!("http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json"), schema(name)));
    let registry = Registry::new().extend(resources).unwrap().prepare().unwrap();
    jsonschema::options().with_registry(&registry).build(&schema(&format!("bom-{spec}"))).unwrap()
}

fn models() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let released = release(&store, "2", b"model", |_| ());
    promote(&store, &released, "champion", Action::Promote, "2026-01-05T00:00:00Z");
    release(&store, "3", b"bare", |manifest| {
        manifest.training = shared::format::manifest::Training::default();
        (manifest.metrics, manifest.evidence) = (Vec::new(), Vec::new());
        (manifest.gate, manifest.code, manifest.horizon) = (None, None, None);
        (manifest.frequency, manifest.cadence, manifest.dataset) = (None, None, None);
        (manifest.features, manifest.scaling, manifest.notes) = (Vec::new(), Vec::new(), Vec::new());
        manifest.artifacts[0].globals.clear();
    });
    (folder, store)
}

fn export(store: &Store, words: &[&str]) -> String {
    let (text, exit) = said(&run(store, &[&["export"], words].concat(), &[]));
    assert_eq!(exit, 0, "{text}");
    text
}

fn bom(store: &Store, version: &str, spec: &str) -> String {
    export(store, &["cyclonedx", "lightgbm", version, "--spec", spec])
}

#[test]
fn documents_are_valid_by_the_official_schemas() {
    let (_folder, store) = models();
    for spec in SPECS {
        let validator = validator(spec);
        for version in ["2", "3"] {
            let mut bom: Value = serde_json::from_str(&bom(&store, version, spec)).unwrap();
            let errors: Vec<String> = validator.iter_errors(&bom).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{spec} {version}");
            assert_eq!(bom["specVersion"], spec);
            // The validator does refuse what the schema refuses.
            bom["metadata"]["component"]["modelCard"]["surprise"] = Value::from(1);
            assert!(!validator.is_valid(&bom));
        }
    }
}

#[test]
fn documents_say_what_the_manifest_says() {
    let (_folder, store) = models();
    let text = bom(&store, "2", "1.6");
    assert_eq!(text, bom(&store, "2.0.0", "1.6"));
    let bom: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(bom["metadata"]["timestamp"], "2026-01-05T00:00:00Z");
    let model = &bom["metadata"]["component"];
    assert_eq!(model["name"], "lightgbm");
    let card = &model["modelCard"];
    assert_eq!(card["modelParameters"]["architectureFamily"], "lightgbm");
    assert_eq!(card["modelParameters"]["inputs"][1]["format"], "lag_52: number");
    let metric = &card["quantitativeAnalysis"]["performanceMetrics"][0];
    assert_eq!((metric["type"].as_str(), metric["value"].as_str()), (Some("mape"), Some("0.25")));
    assert_eq!(metric["confidenceInterval"]["upperBound"], "0.3");
    let serial =
        |spec: &str| serde_json::from_str::<Value>(&self::bom(&store, "2", spec)).unwrap()["serialNumber"].clone();
    assert_ne!(serial("1.5"), serial("1.6"));
}

#[test]
fn the_validator_that_people_use_takes_them() {
    let Some(python) = python::python("cyclonedx.validation.json, jsonschema") else { return };
    let (_folder, store) = models();
    for spec in SPECS {
        for version in ["2", "3"] {
            let mut child = Command::new(&python).args([CHECK, spec]).stdin(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(bom(&store, version, spec).as_bytes()).unwrap();
            assert!(child.wait().unwrap().success(), "{spec} {version}");
        }
    }
}

#[test]
fn cards_have_no_faults_of_markdown() {
    let Some(python) = python::python("pymarkdown, yaml") else { return };
    let (folder, store) = models();
    for version in ["2", "3"] {
        let path = folder.path().join(format!("card{version}.md"));
        let card = export(&store, &["card", "lightgbm", version]);
        shared::fsio::write_atomic(&path, card.as_bytes()).unwrap();
        let scan = ["-m", "pymarkdown", "--enable-extensions", "front-matter", "scan", path.to_str().unwrap()];
        let output = Command::new(&python).args(scan).output().unwrap();
        assert!(output.status.success(), "{}\n{card}", String::from_utf8_lossy(&output.stdout));
        let load = "import sys, yaml; m = yaml.safe_load(open(sys.argv[1]).read().split('---')[1]); \
                    assert m['pipeline_tag'] == 'time-series-forecasting', m";
        assert!(Command::new(&python).args(["-c", load, path.to_str().unwrap()]).status().unwrap().success());
    }
}

#[test]
fn the_schema_of_manifests_takes_a_manifest_and_no_other_file() {
    let (_folder, store) = models();
    let output = Command::new(env!("CARGO_BIN_EXE_manifest-gen")).args(["export", "schema", "--no-config"]).output();
    let schema: Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let read = |path: &str| serde_json::from_slice::<Value>(&std::fs::read(store.root.join(path)).unwrap()).unwrap();
    assert!(validator.is_valid(&read("releases/lightgbm/2.0.0/manifest.json")));
    assert!(!validator.is_valid(&read("registry.json")));
}

#[test]
fn other_formats_and_unknown_releases_are_refused() {
    let (_folder, store) = models();
    let status = |words: &[&str]| said(&run(&store, words, &[])).1;
    assert_eq!(status(&["export", "cyclonedx", "lightgbm", "2", "--format", "csv"]), 2);
    assert_eq!(status(&["export", "card", "lightgbm", "2", "--json"]), 2);
    assert_eq!(status(&["export", "cyclonedx", "lightgbm", "9"]), 2);
    assert_eq!(status(&["export", "cyclonedx", "lightgbm", "2", "--spec", "1.4"]), 2);
}
