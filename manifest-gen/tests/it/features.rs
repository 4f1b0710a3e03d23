//! Features as the libraries themselves state them, from the files that they write.
use std::path::Path;

use manifest_gen::features::{self, Kind};
use serde_json::Value;

fn data(name: &str) -> (std::path::PathBuf, Vec<u8>) {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/artifacts")).join(name);
    let bytes = std::fs::read(&path).unwrap();
    (path, bytes)
}

fn read(name: &str) -> Vec<(String, Option<String>)> {
    let (path, bytes) = data(name);
    features::read(&path, &bytes).unwrap().into_iter().map(|feature| (feature.name, feature.kind)).collect()
}

fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// What the libraries said, written by `make_feature_models.py`.
fn said() -> Value {
    serde_json::from_slice(&data("features/expected.json").1).unwrap()
}

#[test]
fn a_text_model_of_lightgbm_states_fifteen_numbers() {
    let found = read("models/lightgbm_v2.txt");
    let expected = "last lag1 lag2 mean4 mean13 std13 seas seas_prev h pos_sin pos_cos holiday holiday_seas level sid";
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "), expected);
    assert!(found.iter().all(|(_, kind)| kind.as_deref() == Some("number")));
}

#[test]
fn categories_and_constant_columns_of_lightgbm_are_told_apart() {
    let (found_names, kinds): (Vec<String>, Vec<Option<String>>) = read("features/lightgbm.txt").into_iter().unzip();
    assert_eq!(found_names, names(&said()["lightgbm"]));
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_deref().unwrap_or("-")).collect();
    assert_eq!(kinds, ["number", "number", "number", "category", "-"]);
}

#[test]
fn both_files_of_xgboost_state_names_and_types() {
    for file in ["features/xgboost.json", "features/xgboost.ubj"] {
        let (found_names, kinds): (Vec<String>, Vec<Option<String>>) = read(file).into_iter().unzip();
        assert_eq!(found_names, names(&said()["xgboost"][0]), "{file}");
        // float, int, i, c, float
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_deref().unwrap()).collect();
        assert_eq!(kinds, ["number", "integer", "boolean", "category", "number"], "{file}");
    }
}

#[test]
fn a_model_of_bare_arrays_is_refused_with_a_remedy() {
    let (path, bytes) = data("features/xgboost_bare.json");
    let error = features::read(&path, &bytes).unwrap_err();
    assert!(error.to_string().contains("without feature names"), "{error}");
    assert!(error.help().unwrap().contains("--features-from"));
}

#[test]
fn a_binary_model_that_is_cut_is_refused() {
    let (path, bytes) = data("features/xgboost.ubj");
    assert_eq!(features::kind_of(&bytes), Kind::XgBoostBinary);
    for cut in (20..bytes.len() - 1).step_by(7) {
        assert!(features::read(&path, &bytes[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn a_text_model_whose_head_disagrees_is_refused_with_its_line() {
    let (path, bytes) = data("models/lightgbm_v2.txt");
    let text = String::from_utf8(bytes).unwrap().replace(" [0:10]\n", "\n");
    let error = features::read(&path, text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("lightgbm_v2.txt:9: 14 feature_infos (expected 15, as feature_names)"), "{error}");
}

fn of_text(text: &str) -> Vec<(String, Option<String>)> {
    let found = features::read(Path::new("f"), text.as_bytes()).unwrap();
    found.into_iter().map(|feature| (feature.name, feature.kind)).collect()
}

#[test]
fn lists_of_all_kinds_give_the_same_names() {
    let plain = vec![("a".to_owned(), None), ("b c".to_owned(), None)];
    for text in [
        "a\nb c\n",
        "# inputs\na\r\n\r\nb c",
        "a,b c\n1,2\n",
        "[\"a\", \"b c\"]",
        "{\"features\": [\"a\", {\"name\": \"b c\"}]}",
    ] {
        assert_eq!(of_text(text), plain, "{text:?}");
    }
    let typed = of_text("[{\"name\": \"a\", \"type\": \"category\"}]");
    assert_eq!(typed, [("a".to_owned(), Some("category".to_owned()))]);
}

#[test]
fn a_type_that_no_manifest_knows_has_its_place() {
    let error = features::read(Path::new("f.json"), b"[\n {\"name\": \"a\", \"type\": \"float\"}]").unwrap_err();
    assert!(error.to_string().starts_with("f.json:2:24: \"float\" (expected one of number"), "{error}");
}
