//! The names of models: where results hold them, and which of them seem to mean one model.

use std::collections::{BTreeMap, BTreeSet};

/// Each name once, in the order of appearance.
pub(super) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// The values of `model_name` in a results file. Looks at the text only, so that a bare NaN elsewhere does not matter.
pub(super) fn in_results(text: &str) -> Vec<String> {
    let after_key = text.split("\"model_name\"").skip(1);
    let values = after_key.filter_map(|rest| {
        let value = rest.trim_start().strip_prefix(':')?;
        serde_json::Deserializer::from_str(value).into_iter::<String>().next()?.ok()
    });
    let names: Vec<String> = values.collect();
    distinct(names.iter().map(String::as_str)).into_iter().map(ToOwned::to_owned).collect()
}

/// Names that look alike but for letter case, signs and one version: `LightGBM` and `lightgbm_v2`. Two versions of one model
/// are two models. Only groups of two names or more.
pub(super) fn alike<'a>(names: &[&'a str]) -> BTreeMap<String, Vec<&'a str>> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        groups.entry(split(name).0).or_default().push(name);
    }
    let versions = |group: &[&str]| group.iter().filter_map(|name| split(name).1).collect::<BTreeSet<_>>().len();
    groups.retain(|_, group| group.len() > 1 && versions(group) <= 1);
    groups
}

/// The bare name in small letters, and the version.
fn split(name: &str) -> (String, Option<String>) {
    let lower = name.to_lowercase();
    let versioned = lower.rsplit_once("_v").or_else(|| lower.rsplit_once("-v"));
    let is_version = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let (bare, version) = match versioned {
        Some((bare, version)) if is_version(version) => (bare, Some(version.to_owned())),
        _ => (lower.as_str(), None),
    };
    (bare.chars().filter(|c| c.is_alphanumeric()).collect(), version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_model_may_be_written_several_ways() {
        let groups = alike(&["LightGBM", "lightgbm_v2", "RandomForest", "Ridge"]);
        assert_eq!(groups, BTreeMap::from([("lightgbm".to_owned(), vec!["LightGBM", "lightgbm_v2"])]));
    }

    #[test]
    fn two_versions_are_two_models() {
        assert!(alike(&["LightGBM", "lightgbm_v1", "lightgbm_v2"]).is_empty());
    }

    #[test]
    fn names_are_read_past_what_json_forbids() {
        let text = r#"{"results": [{"mape": NaN, "model_name": "a\"b"}, {"model_name" : "c"}, {"model_name": "c"}]}"#;
        assert_eq!(in_results(text), ["a\"b", "c"]);
    }
}
