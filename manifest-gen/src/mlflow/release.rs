//! A release in the words of MLflow: parameters, metrics, tags, files, and the `MLmodel` file beside them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use shared::format::benchmark::{self, Row};
use shared::format::json::{Member, Node, Value, to_python};
use shared::format::manifest::{self, Artifact, Manifest, Metric};
use shared::mlflow::{ArtifactPath, Batch, DEFAULT_ARTIFACT, key};
use shared::{Error, Place, Result, digest, fsio};

use crate::store::{Store, Stored};

use super::parcel::Parcel;

/// The tag of runs and versions that says which release they are.
pub(super) const MANIFEST_TAG: &str = "manifest_sha256";

/// The folder of the run's artifacts that a version is made from.
pub(super) const MODEL_FOLDER: &str = "model";

/// A file to upload.
pub(super) struct Upload {
    /// Where it goes.
    pub(super) to: ArtifactPath,
    /// Where it is.
    pub(super) from: PathBuf,
    /// SHA-256.
    pub(super) sha256: String,
}

/// The tags by which a run, and a version, are known.
pub(super) fn tags(release: &Stored, parcel: &Parcel) -> BTreeMap<String, String> {
    let manifest = &release.manifest;
    let mut tags = BTreeMap::from(
        [
            (MANIFEST_TAG, release.sha256.as_str()),
            ("version", &manifest.version),
            ("file_version", &manifest.file_version),
            ("model", &manifest.name),
            ("model_name", &manifest.model_name),
            ("promoted_at", &parcel.at),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let gate = manifest.gate.as_ref().map(|gate| gate.decision.clone());
    tags.extend(gate.map(|decision| ("gate".to_owned(), decision)));
    tags
}

/// What the run says: parameters of the model, metrics of the evidence, where it came from.
pub(super) fn batch(store: &Store, release: &Stored, parcel: &Parcel) -> Batch {
    let manifest = &release.manifest;
    let mut batch = Batch::default();
    params(manifest).iter().for_each(|(name, value)| batch.param(name, value));
    for (name, value) in benchmark_params(store, manifest) {
        let taken = batch.params().contains_key(&key(&name));
        batch.param(&if taken { format!("params/{name}") } else { name }, &value);
    }
    metrics(manifest, milliseconds(&parcel.at), &mut batch);
    batch.tag("mlflow.source.name", "manifest-gen");
    batch.tag("mlflow.source.type", "JOB");
    if let Some(code) = &manifest.code {
        batch.tag("mlflow.source.git.commit", &code.commit);
        batch.tag("code_dirty", if code.dirty { "true" } else { "false" });
    }
    batch
}

/// Milliseconds since 1970 of a time in RFC 3339; 0 for what is none.
pub(super) fn milliseconds(time: &str) -> i64 {
    time.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond)
}

fn params(manifest: &Manifest) -> Vec<(String, String)> {
    let window = manifest.training.window.as_ref();
    let data = manifest.training.data.iter().map(|file| file.sha256.as_str()).collect::<Vec<_>>().join(", ");
    let known = [
        ("training_from", window.map(|window| window.from.clone())),
        ("training_to", window.map(|window| window.to.clone())),
        ("training_data_sha256", Some(data).filter(|data| !data.is_empty())),
        ("frequency", manifest.frequency.clone()),
        ("cadence", manifest.cadence.clone()),
        ("time_zone", manifest.time_zone.clone()),
        ("horizon", manifest.horizon.map(|horizon| format!("{}..{}", horizon.from, horizon.to))),
        ("n_features", Some(manifest.features.len().to_string())),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The hyperparameters of the model's row in the benchmark file, if the release has one that says any.
fn benchmark_params(store: &Store, manifest: &Manifest) -> Vec<(String, String)> {
    let Some(row) = benchmark_row(store, manifest) else { return Vec::new() };
    let Some(members) = row.params.as_ref().and_then(Node::members) else { return Vec::new() };
    members.iter().map(|member| (member.key.clone(), param_text(&member.node))).collect()
}

fn benchmark_row(store: &Store, manifest: &Manifest) -> Option<Row> {
    let path = release_file(store, manifest, &manifest.evidence("benchmark")?.path).ok()?;
    let rows = benchmark::examine(&path, &fsio::read(&path).ok()?).rows;
    let dataset = manifest.dataset.as_deref();
    let is_ours = |row: &Row| {
        let names = [row.dataset_name.as_str(), row.task().0];
        row.model_name == manifest.model_name && dataset.is_none_or(|dataset| names.contains(&dataset))
    };
    rows.into_iter().find(is_ours)
}

/// A value on one line; a text without quotes.
fn param_text(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.clone(),
        _ => one_line(node),
    }
}

fn one_line(node: &Node) -> String {
    match &node.value {
        Value::Array(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |member: &Member| format!("{}: {}", quoted(&member.key), one_line(&member.node));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        _ => to_python(node),
    }
}

/// A text as JSON writes it, which is also how YAML does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Metrics under their own name where that is enough, else below the dataset and window.
fn metrics(manifest: &Manifest, timestamp: i64, batch: &mut Batch) {
    for metric in &manifest.metrics {
        let same = |other: &&Metric| key(&other.name) == key(&metric.name);
        let alone = manifest.metrics.iter().filter(same).count() == 1;
        let name = if alone { metric.name.clone() } else { full_name(metric) };
        batch.metric(&name, metric.value, timestamp, 0);
        let ends = metric.interval.into_iter().flatten().zip(["lower", "upper"]);
        ends.for_each(|(value, end)| batch.metric(&format!("{name}.{end}"), value, timestamp, 0));
    }
}

fn full_name(metric: &Metric) -> String {
    let parts = [metric.dataset.as_deref(), metric.window.as_deref(), Some(&metric.name)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

/// A file of the release folder.
fn release_file(store: &Store, manifest: &Manifest, path: &str) -> Result<PathBuf> {
    store.path(&format!("releases/{}/{}/{path}", manifest.name, manifest.version))
}

/// Every file of the release as it stands, checked against the digests that the manifest and the registry hold.
pub(super) fn uploads(store: &Store, release: &Stored, parcel: &Parcel) -> Result<Vec<Upload>> {
    let manifest = &release.manifest;
    let artifacts = manifest.artifacts.iter().map(|artifact| (artifact.path.as_str(), artifact.sha256.clone()));
    let evidence = manifest.evidence.iter().map(|evidence| (evidence.path.as_str(), evidence.sha256.clone()));
    let mut uploads = Vec::new();
    for (path, sha256) in artifacts.chain(evidence).chain([(manifest::FILE_NAME, release.sha256.clone())]) {
        let to = format!("{MODEL_FOLDER}/release/{path}");
        uploads.push(upload(&to, release_file(store, manifest, path)?, sha256)?);
    }
    let signature = release_file(store, manifest, manifest::SIGNATURE_NAME)?;
    if signature.exists() {
        let to = format!("{MODEL_FOLDER}/release/{}", manifest::SIGNATURE_NAME);
        let sha256 = digest::of_file(&signature)?;
        uploads.push(upload(&to, signature, sha256)?);
    }
    if let Some(benchmark) = manifest.evidence("benchmark") {
        let from = release_file(store, manifest, &benchmark.path)?;
        uploads.push(upload(DEFAULT_ARTIFACT, from, benchmark.sha256.clone())?);
    }
    for given in &parcel.evidence {
        let file_name = given.path.rsplit('/').next().unwrap_or_default();
        let to = format!("promotion/{}/{file_name}", given.kind);
        uploads.push(upload(&to, store.path(&given.path)?, given.sha256.clone())?);
    }
    Ok(uploads)
}

fn upload(to: &str, from: PathBuf, sha256: String) -> Result<Upload> {
    let found = digest::of_file(&from)?;
    if found == sha256 {
        return Ok(Upload { to: ArtifactPath::new(to)?, from, sha256 });
    }
    let error = Error::input(Place::file(from), format!("the file has the SHA-256 {found}"), sha256);
    Err(error.with_help("a release never changes; see `manifest-gen verify`"))
}

/// The file by which MLflow's client knows a folder as a model.
pub(super) fn mlmodel(release: &Stored, run: &str, created: &str) -> String {
    let time = created.parse::<Timestamp>().unwrap_or_default();
    let sklearn = release.manifest.artifact(manifest::MODEL).filter(|model| is_sklearn(model)).map(|model| {
        let path = quoted(&format!("release/{}", model.path));
        format!(
            "  python_function:\n    loader_module: mlflow.sklearn\n    model_path: {path}\n  \
             sklearn:\n    pickled_model: {path}\n    serialization_format: pickle\n"
        )
    });
    format!(
        "artifact_path: {MODEL_FOLDER}\nflavors:\n  forecast_promotion:\n    manifest: release/{}\n    \
         manifest_sha256: {}\n{}run_id: {}\nutc_time_created: '{}'\n",
        manifest::FILE_NAME,
        quoted(&release.sha256),
        sklearn.unwrap_or_default(),
        quoted(run),
        time.strftime("%Y-%m-%d %H:%M:%S.000000"),
    )
}

/// Whether MLflow's loader of scikit-learn models can read it: a bare pickle of an estimator.
fn is_sklearn(model: &Artifact) -> bool {
    model.format == "pickle" && model.globals.iter().any(|global| global.starts_with("sklearn."))
}
