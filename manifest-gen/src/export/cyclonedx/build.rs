//! The document of a manifest.

use std::collections::BTreeSet;

use jiff::Timestamp;
use shared::digest;
use shared::format::manifest::{Artifact, DataFile, Evidence, MODEL, Manifest, Metric};
use shared::format::registry;

use super::Spec;
use super::bom::{
    Approach, Bom, Commit, Component, Considerations, Data, Dependency, Hash, Interval, Metadata, ModelCard,
    ModelParameters, Pedigree, PerformanceMetric, Port, Property, QuantitativeAnalysis, Reference, Tools,
};

/// Before the names of properties that CycloneDX itself has no field for.
const PROPERTIES: &str = "forecast-promotion:";

/// Packages whose name says what kind of model it is.
const FAMILIES: [&str; 5] = ["lightgbm", "xgboost", "catboost", "statsmodels", "sklearn"];

pub(super) fn bom(manifest: &Manifest, sha256: &str, version: Option<&registry::Version>, spec: Spec) -> Bom {
    let data = unique(&manifest.training.data);
    let model = model(manifest, sha256, version, &data);
    Bom {
        schema: format!("http://cyclonedx.org/schema/bom-{}.schema.json", spec.number()),
        format: "CycloneDX",
        spec_version: spec.number(),
        serial_number: serial_number(sha256, spec),
        version: 1,
        dependencies: dependencies(&model, &data),
        metadata: Metadata { timestamp: timestamp(manifest, version), tools: tools(manifest), component: model },
        components: data.into_iter().map(data_component).collect(),
    }
}

/// A UUID of version 8 (RFC 9562): what it is made from is ours to say.
fn serial_number(sha256: &str, spec: Spec) -> String {
    let hex = digest::of_bytes(format!("cyclonedx {} {sha256}", spec.number()).as_bytes());
    let variant = match hex.as_bytes()[16] % 4 {
        0 => '8',
        1 => '9',
        2 => 'a',
        _ => 'b',
    };
    format!("urn:uuid:{}-{}-8{}-{variant}{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

fn timestamp(manifest: &Manifest, version: Option<&registry::Version>) -> Option<String> {
    let promoted = version.map(|version| version.promoted_at.as_str());
    let judged = || manifest.evidence("verdict").and_then(|verdict| verdict.time.as_deref());
    let time: Timestamp = promoted.or_else(judged)?.parse().ok()?;
    Some(time.to_string())
}

fn tools(manifest: &Manifest) -> Tools {
    let tool = &manifest.tool;
    let version = Some(tool.version.clone());
    Tools {
        components: vec![Component { kind: "application", name: tool.name.clone(), version, ..Component::default() }],
    }
}

/// A data file that is named twice is one component.
fn unique(files: &[DataFile]) -> Vec<&DataFile> {
    let mut seen = BTreeSet::new();
    files.iter().filter(|file| seen.insert((&file.path, &file.sha256))).collect()
}

fn sha256(content: &str) -> Vec<Hash> {
    vec![Hash { alg: "SHA-256", content: content.to_owned() }]
}

fn data_ref(file: &DataFile) -> String {
    format!("data:{}", file.path)
}

fn data_component(file: &DataFile) -> Component {
    Component {
        kind: "data",
        bom_ref: Some(data_ref(file)),
        name: file.path.clone(),
        hashes: sha256(&file.sha256),
        data: vec![Data { kind: "dataset", name: file.path.clone() }],
        ..Component::default()
    }
}

fn model(
    manifest: &Manifest,
    manifest_sha256: &str,
    version: Option<&registry::Version>,
    data: &[&DataFile],
) -> Component {
    let files = manifest.artifacts.iter().map(artifact).chain(manifest.evidence.iter().map(evidence));
    let commit = manifest.code.as_ref().map(|code| Commit { uid: code.commit.clone() });
    Component {
        kind: "machine-learning-model",
        bom_ref: Some(format!("model:{}@{}", manifest.name, manifest.version)),
        name: manifest.name.clone(),
        version: Some(manifest.version.clone()),
        hashes: manifest.artifact(MODEL).map(|model| sha256(&model.sha256)).unwrap_or_default(),
        pedigree: commit.map(|commit| Pedigree { commits: vec![commit] }),
        properties: provenance(manifest, manifest_sha256, version),
        components: files.collect(),
        model_card: Some(card(manifest, data)),
        data: Vec::new(),
    }
}

fn artifact(artifact: &Artifact) -> Component {
    let globals = artifact.globals.iter().map(|global| ("pickle-global", Some(global.clone())));
    let known = [("role", Some(artifact.role.clone())), ("format", Some(artifact.format.clone()))];
    file(&artifact.path, &artifact.sha256, properties(known.into_iter().chain(globals)))
}

fn evidence(evidence: &Evidence) -> Component {
    let known = [("evidence", Some(evidence.kind.clone())), ("time", evidence.time.clone())];
    file(&evidence.path, &evidence.sha256, properties(known))
}

fn file(path: &str, content: &str, properties: Vec<Property>) -> Component {
    Component {
        kind: "file",
        bom_ref: Some(format!("file:{path}")),
        name: path.to_owned(),
        hashes: sha256(content),
        properties,
        ..Component::default()
    }
}

fn properties(known: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Vec<Property> {
    let property =
        |(name, value): (&str, Option<String>)| Some(Property { name: format!("{PROPERTIES}{name}"), value: value? });
    known.into_iter().filter_map(property).collect()
}

/// What the release is and who judged it.
fn provenance(manifest: &Manifest, sha256: &str, version: Option<&registry::Version>) -> Vec<Property> {
    let gate = manifest.gate.as_ref();
    let dirty = manifest.code.as_ref().map(|code| code.dirty.to_string());
    properties([
        ("manifest-sha256", Some(sha256.to_owned())),
        ("signature-sha256", version.and_then(|version| version.signature_sha256.clone())),
        ("file-version", Some(manifest.file_version.clone())),
        ("evidence-name", Some(manifest.model_name.clone())),
        ("decision", gate.map(|gate| gate.decision.clone())),
        ("baselines", gate.map(|gate| gate.baselines.join(", "))),
        ("uncommitted-changes", dirty),
        ("yanked", version.and_then(|version| version.yanked.as_ref()).map(|yanked| yanked.reason.clone())),
    ])
}

fn card(manifest: &Manifest, data: &[&DataFile]) -> ModelCard {
    let metrics: Vec<PerformanceMetric> = manifest.metrics.iter().map(metric).collect();
    let limits = limitations(manifest);
    ModelCard {
        model_parameters: parameters(manifest, data),
        quantitative_analysis: Some(metrics)
            .filter(|metrics| !metrics.is_empty())
            .map(|performance_metrics| QuantitativeAnalysis { performance_metrics }),
        considerations: Some(limits)
            .filter(|limits| !limits.is_empty())
            .map(|technical_limitations| Considerations { technical_limitations }),
        properties: contract(manifest),
    }
}

fn parameters(manifest: &Manifest, data: &[&DataFile]) -> ModelParameters {
    let (family, architecture) = architecture(manifest).unzip();
    let input = |feature: &shared::format::manifest::Feature| Port {
        format: format!("{}: {}", feature.name, feature.kind.as_deref().unwrap_or("unknown")),
    };
    let output = |horizon: &shared::format::manifest::Horizon| Port {
        format: format!("forecast of steps {} to {}", horizon.from, horizon.to),
    };
    ModelParameters {
        approach: Approach { kind: "supervised" },
        task: "time-series-forecasting",
        architecture_family: family,
        model_architecture: architecture,
        datasets: data.iter().map(|file| Reference { to: data_ref(file) }).collect(),
        inputs: manifest.features.iter().map(input).collect(),
        outputs: manifest.horizon.iter().map(output).collect(),
    }
}

/// The package and the class of the estimator, as far as the pickle names one that is known.
fn architecture(manifest: &Manifest) -> Option<(String, String)> {
    let globals = &manifest.artifact(MODEL)?.globals;
    FAMILIES.iter().find_map(|family| {
        let of_family = |global: &&String| global.starts_with(&format!("{family}."));
        let is_class = |global: &&String| {
            let name = global.rsplit('.').next().unwrap_or_default();
            name.starts_with(|first: char| first.is_ascii_uppercase())
        };
        let global = globals.iter().filter(of_family).rfind(is_class)?;
        Some(((*family).to_owned(), global.clone()))
    })
}

fn metric(metric: &Metric) -> PerformanceMetric {
    let parts = [metric.dataset.as_deref(), metric.window.as_deref()];
    let slice = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    PerformanceMetric {
        kind: metric.name.clone(),
        value: metric.value.to_string(),
        slice: Some(slice).filter(|slice| !slice.is_empty()),
        confidence_interval: metric
            .interval
            .map(|[lower, upper]| Interval { lower_bound: lower.to_string(), upper_bound: upper.to_string() }),
    }
}

fn limitations(manifest: &Manifest) -> Vec<String> {
    let horizon = manifest.horizon.map(|horizon| format!("forecasts {} to {} steps ahead", horizon.from, horizon.to));
    let frequency = manifest.frequency.as_ref().map(|frequency| format!("series of frequency {frequency}"));
    let cadence = manifest.cadence.as_ref().map(|cadence| format!("asked for {cadence}"));
    [horizon, frequency, cadence].into_iter().flatten().chain(manifest.notes.iter().cloned()).collect()
}

fn contract(manifest: &Manifest) -> Vec<Property> {
    let names: Vec<&str> = manifest.features.iter().map(|feature| feature.name.as_str()).collect();
    let window = manifest.training.window.as_ref();
    let scaling = Some(&manifest.scaling).filter(|steps| !steps.is_empty());
    properties([
        ("horizon", manifest.horizon.map(|horizon| format!("{}..{}", horizon.from, horizon.to))),
        ("frequency", manifest.frequency.clone()),
        ("cadence", manifest.cadence.clone()),
        ("time-zone", manifest.time_zone.clone()),
        ("feature-order", Some(serde_json::Value::from(names).to_string())),
        ("scaling", scaling.map(|steps| serde_json::Value::from(steps.clone()).to_string())),
        ("training-from", window.map(|window| window.from.clone())),
        ("training-to", window.map(|window| window.to.clone())),
    ])
}

fn dependencies(model: &Component, data: &[&DataFile]) -> Vec<Dependency> {
    let files = model.components.iter().filter_map(|file| file.bom_ref.clone());
    let depends_on: BTreeSet<String> = data.iter().map(|file| data_ref(file)).chain(files).collect();
    let of = model.bom_ref.clone().unwrap_or_default();
    vec![Dependency { of, depends_on: depends_on.into_iter().collect() }]
}
