//! The changes between two manifests, a row each, in the order of the manifest.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::format::manifest::{Artifact, Feature, Manifest, Metric};

/// What happened to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Only the new release has it.
    Added,
    /// Only the old release has it.
    Removed,
    /// Both have it, and it differs.
    Changed,
    /// A feature stands at another place among those that both have.
    Moved,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// `artifact`, `global`, `feature`, `training`, `data`, `contract`, `scaling`, `metric`, `gate`, `evidence`, `code`, `note`.
    pub area: String,
    /// Which of them.
    pub what: String,
    /// What happened to it.
    pub kind: Kind,
    /// What the old release says.
    pub old: Option<String>,
    /// What the new release says.
    pub new: Option<String>,
    /// New minus old, of numbers.
    pub difference: Option<f64>,
}

/// All changes.
pub fn compare(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let mut changes = artifacts(old, new);
    changes.extend(globals(old, new));
    changes.extend(features(&old.features, &new.features));
    changes.extend(named("training", &training(old), &training(new)));
    changes.extend(named("data", &data(old), &data(new)));
    changes.extend(named("contract", &contract(old), &contract(new)));
    changes.extend(named("scaling", &scaling(old), &scaling(new)));
    changes.extend(metrics(&old.metrics, &new.metrics));
    changes.extend(named("gate", &gate(old), &gate(new)));
    changes.extend(named("evidence", &evidence(old), &evidence(new)));
    changes.extend(named("code", &code(old), &code(new)));
    changes.extend(named("note", &notes(old), &notes(new)));
    changes
}

/// Names and what they are set to.
type Named = BTreeMap<String, String>;

fn change(area: &str, what: &str, old: Option<&str>, new: Option<&str>) -> Option<Change> {
    let kind = match (old, new) {
        (None, Some(_)) => Kind::Added,
        (Some(_), None) => Kind::Removed,
        (Some(old), Some(new)) if old != new => Kind::Changed,
        _ => return None,
    };
    let [old, new] = [old, new].map(|side| side.map(str::to_owned));
    Some(Change { area: area.to_owned(), what: what.to_owned(), kind, old, new, difference: None })
}

fn named(area: &str, old: &Named, new: &Named) -> Vec<Change> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let one = |name: &String| change(area, name, old.get(name).map(String::as_str), new.get(name).map(String::as_str));
    names.into_iter().filter_map(one).collect()
}

fn artifacts(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let by_role = |manifest: &Manifest| -> BTreeMap<String, Artifact> {
        manifest.artifacts.iter().map(|artifact| (artifact.role.clone(), artifact.clone())).collect()
    };
    let text = |artifact: &Artifact| {
        let Artifact { format, bytes, sha256, .. } = artifact;
        format!("{format}, {bytes} bytes, sha256 {sha256}")
    };
    let (old, new) = (by_role(old), by_role(new));
    let texts = |artifacts: &BTreeMap<String, Artifact>| -> Named {
        artifacts.iter().map(|(role, artifact)| (role.clone(), text(artifact))).collect()
    };
    let mut changes = named("artifact", &texts(&old), &texts(&new));
    for change in &mut changes {
        if let (Some(old), Some(new)) = (old.get(&change.what), new.get(&change.what)) {
            change.difference = Some(new.bytes as f64 - old.bytes as f64);
        }
    }
    changes
}

/// What the pickles of a release would import, by role.
fn globals(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let all = |manifest: &Manifest| -> Named {
        let of = |artifact: &Artifact| {
            let role = artifact.role.clone();
            artifact.globals.clone().into_iter().map(move |global| (format!("{role}: {global}"), global))
        };
        manifest.artifacts.iter().flat_map(of).collect()
    };
    named("global", &all(old), &all(new))
}

fn features(old: &[Feature], new: &[Feature]) -> Vec<Change> {
    let names =
        |features: &[Feature]| -> BTreeSet<String> { features.iter().map(|feature| feature.name.clone()).collect() };
    let (before, after) = (names(old), names(new));
    let kind = |features: &[Feature]| -> Named {
        let text = |feature: &Feature| feature.kind.clone().unwrap_or_else(|| "unknown type".to_owned());
        features.iter().map(|feature| (feature.name.clone(), text(feature))).collect()
    };
    let mut changes = named("feature", &kind(old), &kind(new));
    changes.extend(moves(&common(old, &after), &common(new, &before), old, new));
    changes
}

/// The features that both releases have, in one's order.
fn common<'a>(features: &'a [Feature], other: &BTreeSet<String>) -> Vec<&'a str> {
    features.iter().map(|feature| feature.name.as_str()).filter(|name| other.contains(*name)).collect()
}

/// Features whose rank among the common ones differs, with their places (from 1) in the whole lists.
fn moves(before: &[&str], after: &[&str], old: &[Feature], new: &[Feature]) -> Vec<Change> {
    let place = |features: &[Feature], name: &str| {
        features.iter().position(|feature| feature.name == name).map(|index| format!("place {}", index + 1))
    };
    let ranks: BTreeMap<&str, usize> = before.iter().enumerate().map(|(rank, name)| (*name, rank)).collect();
    let moved = after.iter().enumerate().filter(|(rank, name)| ranks.get(*name) != Some(rank));
    let row = |(_, name): (usize, &&str)| Change {
        area: "feature".to_owned(),
        what: (*name).to_owned(),
        kind: Kind::Moved,
        old: place(old, name),
        new: place(new, name),
        difference: None,
    };
    moved.map(row).collect()
}

fn collected<const N: usize>(pairs: [(&str, Option<String>); N]) -> Named {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn training(manifest: &Manifest) -> Named {
    let coverage = manifest.training.coverage.as_ref();
    collected([
        ("window", manifest.training.window.as_ref().map(|window| format!("{} to {}", window.from, window.to))),
        ("fitted anew after the evidence", manifest.training.refitted.then(|| "yes".to_owned())),
        ("series", coverage.map(|coverage| coverage.series.to_string())),
        ("rows", coverage.map(|coverage| coverage.rows.to_string())),
        ("missing ratio", coverage.map(|coverage| coverage.missing_ratio.to_string())),
    ])
}

fn data(manifest: &Manifest) -> Named {
    let text = |bytes: u64, sha256: &str| format!("{bytes} bytes, sha256 {sha256}");
    manifest.training.data.iter().map(|file| (file.path.clone(), text(file.bytes, &file.sha256))).collect()
}

fn contract(manifest: &Manifest) -> Named {
    collected([
        ("horizon", manifest.horizon.map(|horizon| format!("{}..{}", horizon.from, horizon.to))),
        ("cadence", manifest.cadence.clone()),
        ("frequency", manifest.frequency.clone()),
        ("time zone", manifest.time_zone.clone()),
        ("dataset", manifest.dataset.clone()),
    ])
}

fn scaling(manifest: &Manifest) -> Named {
    let step = |(index, step): (usize, &serde_json::Value)| (format!("step {:03}", index + 1), step.to_string());
    manifest.scaling.iter().enumerate().map(step).collect()
}

fn metric_key(metric: &Metric) -> String {
    let of = [metric.dataset.as_deref(), metric.window.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if of.is_empty() { metric.name.clone() } else { format!("{} ({of})", metric.name) }
}

fn metrics(old: &[Metric], new: &[Metric]) -> Vec<Change> {
    let values = |metrics: &[Metric]| -> BTreeMap<String, f64> {
        metrics.iter().map(|metric| (metric_key(metric), metric.value)).collect()
    };
    let texts = |values: &BTreeMap<String, f64>| -> Named {
        values.iter().map(|(key, value)| (key.clone(), value.to_string())).collect()
    };
    let (old, new) = (values(old), values(new));
    let mut changes = named("metric", &texts(&old), &texts(&new));
    for change in &mut changes {
        if let (Some(old), Some(new)) = (old.get(&change.what), new.get(&change.what)) {
            change.difference = Some(new - old).filter(|difference| difference.is_finite());
        }
    }
    changes
}

fn gate(manifest: &Manifest) -> Named {
    let Some(gate) = &manifest.gate else { return Named::new() };
    let interval = gate.interval.map(|[lower, upper]| format!(" [{lower}, {upper}]")).unwrap_or_default();
    collected([
        ("decision", Some(gate.decision.clone())),
        ("metric", Some(gate.metric.clone())),
        ("baselines", Some(gate.baselines.join(", "))),
        ("estimate", gate.estimate.map(|estimate| format!("{estimate}{interval}"))),
        ("slices", Some(gate.slices.join("; "))),
        ("span", gate.span.as_ref().map(|span| format!("{} to {}", span.from, span.to))),
    ])
}

/// All evidence, the environment's lock file among it.
fn evidence(manifest: &Manifest) -> Named {
    let name = |kind: &str, path: &str| match manifest.evidence.iter().filter(|other| other.kind == kind).count() {
        1 => kind.to_owned(),
        _ => format!("{kind}: {path}"),
    };
    let all = manifest.evidence.iter();
    all.map(|evidence| (name(&evidence.kind, &evidence.path), format!("sha256 {}", evidence.sha256))).collect()
}

fn code(manifest: &Manifest) -> Named {
    let code = manifest.code.as_ref();
    let state = |dirty: bool| if dirty { "uncommitted changes" } else { "clean" };
    collected([
        ("commit", code.map(|code| code.commit.clone())),
        ("work tree", code.map(|code| state(code.dirty).to_owned())),
        ("written by", Some(format!("{} {}", manifest.tool.name, manifest.tool.version))),
    ])
}

fn notes(manifest: &Manifest) -> Named {
    manifest.notes.iter().map(|note| (note.clone(), note.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sample;

    fn found(change: impl FnOnce(&mut Manifest)) -> Vec<(String, String, Kind, Option<f64>)> {
        let old = sample::manifest();
        let mut new = old.clone();
        change(&mut new);
        compare(&old, &new).into_iter().map(|row| (row.area, row.what, row.kind, row.difference)).collect()
    }

    fn row(area: &str, what: &str, kind: Kind) -> (String, String, Kind, Option<f64>) {
        (area.to_owned(), what.to_owned(), kind, None)
    }

    #[test]
    fn the_same_manifest_has_no_changes_and_its_number_is_none() {
        assert!(found(|_| ()).is_empty());
        assert!(found(|new| new.version = "3.0.0".to_owned()).is_empty());
    }

    #[test]
    fn artefacts_and_globals() {
        let changes = found(|new| {
            new.artifacts[0].bytes += 10;
            new.artifacts[0].sha256 = "f".repeat(64);
            new.artifacts[0].globals.push("posix.system".to_owned());
        });
        assert_eq!(changes[0], ("artifact".to_owned(), "model".to_owned(), Kind::Changed, Some(10.0)));
        assert_eq!(changes[1], row("global", "model: posix.system", Kind::Added));
        let changes = found(|new| drop(new.artifacts.pop()));
        assert_eq!(changes[0], row("artifact", "preprocessing", Kind::Removed));
    }

    #[test]
    fn features_are_added_removed_retyped_and_moved() {
        // lag_1, lag_52, holiday
        assert_eq!(
            found(|new| new.features.swap(0, 1)),
            [row("feature", "lag_52", Kind::Moved), row("feature", "lag_1", Kind::Moved)]
        );
        assert_eq!(found(|new| drop(new.features.remove(0))), [row("feature", "lag_1", Kind::Removed)]);
        assert_eq!(found(|new| new.features[2].kind = None), [row("feature", "holiday", Kind::Changed)]);
        let added = Feature { name: "price".to_owned(), kind: None };
        assert_eq!(found(|new| new.features.insert(0, added)), [row("feature", "price", Kind::Added)]);
    }

    #[test]
    fn metrics_tell_their_difference() {
        let changes = found(|new| new.metrics[0].value = 0.5);
        assert_eq!(changes, [("metric".to_owned(), "mape (walmart)".to_owned(), Kind::Changed, Some(0.25))]);
    }

    #[test]
    fn everything_else_shows() {
        let areas = |change: fn(&mut Manifest)| -> Vec<String> {
            found(change).into_iter().map(|(area, what, ..)| format!("{area} {what}")).collect()
        };
        assert_eq!(areas(|new| new.training.window = None), ["training window"]);
        assert_eq!(areas(|new| new.training.data[0].sha256 = "0".repeat(64)), ["data data/walmart.csv"]);
        assert_eq!(areas(|new| new.cadence = Some("daily".to_owned())), ["contract cadence"]);
        assert_eq!(areas(|new| new.frequency = None), ["contract frequency"]);
        assert_eq!(areas(|new| new.horizon = None), ["contract horizon"]);
        assert_eq!(areas(|new| new.scaling.clear()), ["scaling step 001"]);
        assert_eq!(areas(|new| new.gate.as_mut().unwrap().decision = "reject".to_owned()), ["gate decision"]);
        assert_eq!(areas(|new| new.evidence[1].sha256 = "0".repeat(64)), ["evidence environment"]);
        assert_eq!(areas(|new| new.code.as_mut().unwrap().commit = "0".repeat(40)), ["code commit"]);
        assert_eq!(areas(|new| new.code.as_mut().unwrap().dirty = true), ["code work tree"]);
        assert_eq!(areas(|new| new.notes.clear()).len(), 1);
    }
}
