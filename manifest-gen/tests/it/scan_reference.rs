//! The scanner against the reference pickles: globals and notes of each, and no verdict that would surprise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use manifest_gen::pickle::{AllowList, Scan, ScanVerdict, scan};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data")
}

fn look(path: &Path) -> Scan {
    scan(fs::File::open(path).unwrap(), &AllowList::shipped())
}

#[derive(serde::Deserialize)]
struct Expected {
    globals: BTreeSet<String>,
    notes: Vec<String>,
}

fn expected() -> BTreeMap<String, Expected> {
    serde_json::from_slice(&fs::read(data().join("pickles/expected_globals.json")).unwrap()).unwrap()
}

#[test]
fn every_file_has_the_globals_and_notes_that_are_expected() {
    let expected = expected();
    assert_eq!(expected.len(), 42);
    for (file, expected) in expected {
        let found = look(&data().join("pickles").join(&file));
        assert_eq!(found.globals, expected.globals, "{file}");
        assert_eq!(found.notes, expected.notes, "{file}");
    }
}

#[test]
fn benign_files_are_allowed_and_hostile_files_are_refused() {
    for file in expected().keys() {
        let found = look(&data().join("pickles").join(file));
        let wanted = if file.starts_with("benign/") { ScanVerdict::Allowed } else { ScanVerdict::Refused };
        assert_eq!(found.verdict, wanted, "{file}: {found:?}");
    }
}

#[test]
fn the_copies_are_the_files_that_the_expectations_speak_of() {
    #[derive(serde::Deserialize)]
    struct Artefact {
        sha256: String,
    }
    let artefacts = fs::read(data().join("pickles/artefacts.json")).unwrap();
    let artefacts: BTreeMap<String, Artefact> = serde_json::from_slice(&artefacts).unwrap();
    for (file, artefact) in artefacts {
        assert_eq!(shared::digest::of_file(&data().join("pickles").join(&file)).unwrap(), artefact.sha256, "{file}");
    }
}

#[test]
fn joblib_artefacts_are_read_to_their_end_in_every_compression() {
    for name in [
        "lightgbm_v2.pkl",
        "lightgbm_v2.plain_pickle.pkl",
        "lightgbm_v2.zlib3.pkl",
        "lightgbm_v2.pkl.gz",
        "lightgbm_v2.pkl.bz2",
        "lightgbm_v2.pkl.xz",
        "random_forest_v1.pkl",
        "random_forest_store1_scaler.joblib",
        "preprocessing_lightgbm.pkl",
        "lightgbm_v2.txt",
        "metadata/lightgbm_v2.json",
    ] {
        let found = look(&data().join("artifacts/models").join(name));
        assert_eq!(found.verdict, ScanVerdict::Allowed, "{name}: {:?} {:?}", found.refused, found.notes);
    }
}
