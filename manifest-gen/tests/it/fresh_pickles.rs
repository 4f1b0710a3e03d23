//! Pickles made fresh by the real libraries: our globals are those that the real unpickler asks for.
//!
//! `FORECAST_PYTHON` names a python that has scikit-learn, pandas and joblib (and `LightGBM`, `XGBoost`, `CatBoost`,
//! statsmodels, lz4 if they are to be covered); without it the test says loudly that it was skipped.
use crate::python;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use manifest_gen::pickle::{AllowList, ScanVerdict, feature_names, scan};
use serde_json::Value;

#[derive(serde::Deserialize)]
struct Expected {
    globals: BTreeSet<String>,
    /// A list, null for none, or `"any"`.
    features: Value,
    refused: bool,
}

#[test]
fn fresh_pickles_are_read_as_the_real_unpickler_reads_them() {
    let Some(python) = python::python("sklearn, pandas, joblib") else { return };
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/make_pickles.py");
    let status = Command::new(python).arg(script).arg(folder.path()).status().unwrap();
    assert!(status.success());
    let expected = fs::read(folder.path().join("expected.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_slice(&expected).unwrap();
    assert!(expected.len() > 100, "{} files", expected.len());
    let wrong: Vec<String> =
        expected.iter().filter_map(|(file, expected)| wrong(folder.path(), file, expected)).collect();
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), expected.len(), wrong.join("\n"));
}

fn wrong(folder: &Path, file: &str, expected: &Expected) -> Option<String> {
    let bytes = fs::read(folder.join(file)).unwrap();
    let found = scan(&bytes[..], &AllowList::shipped());
    let verdict = if expected.refused { ScanVerdict::Refused } else { ScanVerdict::Allowed };
    if found.verdict != verdict {
        return Some(format!("{file}: {:?}, refused {:?}, notes {:?}", found.verdict, found.refused, found.notes));
    }
    if found.globals != expected.globals {
        let difference: Vec<&String> = found.globals.symmetric_difference(&expected.globals).collect();
        return Some(format!("{file}: globals differ in {difference:?}"));
    }
    let names = feature_names(&bytes[..]);
    let features = serde_json::to_value(&names).unwrap();
    (expected.features != "any" && features != expected.features)
        .then(|| format!("{file}: features {features} where {} were expected", expected.features))
}
