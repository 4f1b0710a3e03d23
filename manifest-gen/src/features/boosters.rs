//! Features of gradient boosting models in the files of their own libraries.

use std::path::Path;

use serde::Deserialize;
use shared::format::manifest::Feature;
use shared::{Error, Place, Result};

use super::{feature, ubjson};

/// What to do when a model file does not hold the names.
const NO_NAMES: &str = "the model was trained on bare arrays: give the names with --features-from a header or list";

/// The text model of `LightGBM`: `feature_names=` and `feature_infos=` stand in its head, before the first tree.
pub(super) fn lightgbm(path: &Path, bytes: &[u8]) -> Result<Vec<Feature>> {
    let mut head = Head::default();
    for (line, number) in bytes.split(|&byte| byte == b'\n').zip(1..) {
        let line = std::str::from_utf8(line.trim_ascii_end())
            .map_err(|_| Error::input(Place::line(path, number), "not UTF-8", "a text model of LightGBM"))?;
        if line.starts_with("Tree=") {
            break;
        }
        head.take(line, number);
    }
    head.features(path)
}

#[derive(Default)]
struct Head<'a> {
    names: Option<(Vec<&'a str>, u64)>,
    infos: Option<(Vec<&'a str>, u64)>,
    max_index: Option<usize>,
}

impl<'a> Head<'a> {
    fn take(&mut self, line: &'a str, number: u64) {
        let words = |text: &'a str| Some((text.split(' ').filter(|word| !word.is_empty()).collect(), number));
        match line.split_once('=') {
            Some(("feature_names", text)) => self.names = words(text),
            Some(("feature_infos", text)) => self.infos = words(text),
            Some(("max_feature_idx", text)) => self.max_index = text.parse().ok(),
            _ => {}
        }
    }

    fn features(self, path: &Path) -> Result<Vec<Feature>> {
        let missing = |what: &str| {
            Error::input(Place::file(path), format!("no {what} before the first tree"), "a text model of LightGBM")
        };
        let (names, line) = self.names.ok_or_else(|| missing("feature_names="))?;
        let (infos, infos_line) = self.infos.ok_or_else(|| missing("feature_infos="))?;
        if infos.len() != names.len() {
            let found = format!("{} feature_infos", infos.len());
            return Err(Error::input(
                Place::line(path, infos_line),
                found,
                format!("{}, as feature_names", names.len()),
            ));
        }
        if let Some(index) = self.max_index.filter(|index| index.checked_add(1) != Some(names.len())) {
            let found = format!("{} feature_names and max_feature_idx={index}", names.len());
            return Err(Error::input(Place::line(path, line), found, "one name for each index from 0"));
        }
        Ok(names.into_iter().zip(infos).map(|(name, info)| feature(name, kind_of_info(info))).collect())
    }
}

/// `[min:max]` is a number, `3:1:2` are categories, `none` is a column that had one value only.
fn kind_of_info(info: &str) -> Option<&'static str> {
    match info {
        "none" => None,
        _ if info.starts_with('[') => Some("number"),
        _ => Some("category"),
    }
}

#[derive(Deserialize)]
struct Document {
    learner: Learner,
}

#[derive(Deserialize)]
struct Learner {
    #[serde(default)]
    feature_names: Vec<String>,
    #[serde(default)]
    feature_types: Vec<String>,
}

/// Whether a JSON text is a model of `XGBoost`: its first keys are few.
pub(super) fn is_xgboost(text: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&text[..text.len().min(64)]);
    let compact: String = head.chars().filter(|char| !char.is_whitespace()).collect();
    compact.starts_with("{\"learner\":{") || compact.starts_with("{\"version\":[")
}

/// The JSON model of `XGBoost`: `learner.feature_names`, `learner.feature_types`.
pub(super) fn xgboost(path: &Path, bytes: &[u8]) -> Result<Vec<Feature>> {
    let bytes = &bytes[shared::format::json::byte_order_mark(bytes)..];
    let document: Document = serde_json::from_slice(bytes).map_err(|error| {
        let place = Place::at(path, error.line() as u64, error.column() as u64);
        let text = error.to_string();
        let found = text.split(" at line ").next().unwrap_or_default().to_owned();
        Error::input(place, found, "a JSON model of XGBoost")
    })?;
    typed(path, document.learner.feature_names, &document.learner.feature_types)
}

/// The binary model of `XGBoost`, which holds the same as the JSON one.
pub(super) fn xgboost_binary(path: &Path, bytes: &[u8]) -> Result<Vec<Feature>> {
    let found = ubjson::text_lists(bytes, "learner", ["feature_names", "feature_types"]);
    let [names, types] = found.ok_or_else(|| {
        let error = Error::input(Place::file(path), "no complete UBJSON", "a binary model of XGBoost");
        error.with_help("save it as JSON: booster.save_model(\"model.json\")")
    })?;
    typed(path, names, &types)
}

fn typed(path: &Path, names: Vec<String>, types: &[String]) -> Result<Vec<Feature>> {
    if names.is_empty() {
        let error =
            Error::input(Place::file(path), "a model of XGBoost without feature names", "learner.feature_names");
        return Err(error.with_help(NO_NAMES));
    }
    if !types.is_empty() && types.len() != names.len() {
        let found = format!("{} feature_types", types.len());
        return Err(Error::input(Place::file(path), found, format!("{}, as feature_names", names.len())));
    }
    let kind = |index: usize| types.get(index).and_then(|kind| kind_of_type(kind));
    Ok(names.into_iter().enumerate().map(|(index, name)| feature(name, kind(index))).collect())
}

/// The types of `DMatrix`: quantity, indicator, category.
fn kind_of_type(kind: &str) -> Option<&'static str> {
    match kind {
        "float" | "q" => Some("number"),
        "int" => Some("integer"),
        "i" => Some("boolean"),
        "c" => Some("category"),
        _ => None,
    }
}
