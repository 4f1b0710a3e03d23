//! A judged run, as it is logged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{Result, digest};

use crate::job::Job;
use crate::store::{HistoryRow, HistoryRun, Metric, Store, Verdict};

/// The values of metrics that are logged at most: those of series are not, so that this is far away.
const MOST_VALUES: usize = 5_000;

/// What is kept of a run in files: where it is below its folder, and its name in `MLflow`.
const FILES: [(&str, &str); 2] = [("judge/verdict.json", "verdict.json"), ("run.json", "run.json")];

/// What the environment of a run is asked for, and the parameter that it becomes.
const VERSIONS: [(&str, &str); 6] = [
    ("commit", "commit"),
    ("python", "python"),
    ("packages_sha256", "packages_sha256"),
    ("tzdb", "tzdb"),
    ("rebench_cron", "rebench_cron"),
    ("bench_compare", "bench_compare"),
];

/// A judged run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// What no other run of any records has: hexadecimal digits and a number.
    pub id: String,
    /// The job.
    pub job: String,
    /// The slot, on the wall of the job's time zone.
    pub slot: String,
    /// The outcome, as the records name it.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// When it was started; where nothing ran, when it was judged.
    pub started: Timestamp,
    /// When it was judged.
    pub ended: Timestamp,
    /// What it was made with, and what it was held against.
    pub params: BTreeMap<String, String>,
    /// What was measured.
    pub values: Vec<Value>,
    /// Its files.
    pub artefacts: Vec<Artefact>,
}

/// A number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// `effect`, or metric, model and data set: `mape/lightgbm/walmart`.
    pub name: String,
    /// Its value; nothing where it is not finite.
    pub value: Option<f64>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artefact {
    /// Its name in `MLflow`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its digest.
    pub sha256: String,
}

impl Artefact {
    fn of(folder: &Path, (below, name): (&str, &str)) -> Option<Self> {
        let path = folder.join(below);
        let sha256 = digest::of_file(&path).ok()?;
        Some(Self { name: name.to_owned(), path, sha256 })
    }

    /// Whether it is still there as it was: files of old runs are deleted.
    pub(super) fn is_there(&self) -> bool {
        digest::of_file(&self.path).is_ok_and(|sha256| sha256 == self.sha256)
    }
}

impl RunRecord {
    /// What the records say of a slot of a job; none if it has no verdict.
    ///
    /// # Errors
    /// [`shared::Error::Environment`] if the records cannot be read.
    pub fn of(store: &Store, job: &Job, row: &HistoryRow) -> Result<Option<Self>> {
        let Some((run, (verdict, at))) = row.run.as_ref().and_then(|run| Some((run, run.verdict.as_ref()?))) else {
            return Ok(None);
        };
        let metrics = store.metrics_of(run.run)?;
        Ok(Some(Self {
            id: id(store.path(), run),
            job: job.name.clone(),
            slot: row.wall.clone(),
            outcome: verdict.outcome.name().to_owned(),
            reason: verdict.reason.clone(),
            started: run.started.unwrap_or(*at),
            ended: *at,
            params: params(job, row, run, verdict),
            values: numbers(verdict).chain(measured(&metrics)).take(MOST_VALUES).collect(),
            artefacts: files(run.folder.as_deref()),
        }))
    }
}

/// Records are told apart by where they are, runs of the same records by their number.
fn id(records: &Path, run: &HistoryRun) -> String {
    let place = json!([run.host, records.to_string_lossy()]).to_string();
    format!("{}-{}", &digest::of_bytes(place.as_bytes())[..16], run.run)
}

fn params(job: &Job, row: &HistoryRow, run: &HistoryRun, verdict: &Verdict) -> BTreeMap<String, String> {
    let known = [
        ("job", Some(job.name.clone())),
        ("model", verdict.candidate_model.clone().or_else(|| job.model.clone())),
        ("baseline", verdict.baseline_model.clone()),
        ("baseline_id", verdict.baseline_id.clone()),
        ("baseline_kind", verdict.baseline_kind.map(|kind| kind.name().to_owned())),
        ("metric", verdict.metric.clone()),
        ("asked_by", Some(row.reason.name().to_owned())),
        ("attempt", Some(run.attempt.to_string())),
        ("data_sha256", run.data.as_ref().map(|data| data.hash.clone())),
        ("judged_by", Some(verdict.tool_version.clone())),
    ];
    let version = |key: &str| run.env.as_ref()?.get(key)?.as_str().map(str::to_owned);
    let versions = VERSIONS.map(|(key, name)| (name, version(key)));
    let all = known.into_iter().chain(versions);
    all.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn numbers(verdict: &Verdict) -> impl Iterator<Item = Value> {
    let all = [
        ("effect", verdict.effect),
        ("effect_standard_error", verdict.se),
        ("effect_lower", verdict.ci_lo),
        ("effect_upper", verdict.ci_hi),
        ("p_value", verdict.p),
        ("e_value", verdict.e_value),
        ("noise_floor", verdict.noise_floor),
    ];
    all.into_iter().filter_map(|(name, value)| Some(Value::of(name.to_owned(), value?)))
}

/// What is known of all series together.
fn measured(metrics: &[Metric]) -> impl Iterator<Item = Value> {
    metrics.iter().filter(|metric| metric.series.is_empty()).map(|metric| {
        let Metric { name, model, dataset, fold, value, .. } = metric;
        let fold = if fold.is_empty() { String::new() } else { format!("/{fold}") };
        Value::of(format!("{name}/{model}/{dataset}{fold}"), *value)
    })
}

impl Value {
    fn of(name: String, value: f64) -> Self {
        Self { name, value: Some(value).filter(|value| value.is_finite()) }
    }
}

fn files(folder: Option<&Path>) -> Vec<Artefact> {
    folder.into_iter().flat_map(|folder| FILES.iter().filter_map(|file| Artefact::of(folder, *file))).collect()
}
