//! Writing to a tracking server: runs, artifacts, registered models, versions, aliases. Every call can be repeated.
//!
//! A run and a version carry a tag that says what they stand for; they are looked for by it before they are created, so that
//! a delivery that broke off is finished by the next one.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::blocking::Body;
use serde_json::json;

use crate::digest;
use crate::error::{Error, Result};
use crate::format::json::Node;
use crate::fsio;

use super::batch::{Batch, Point, pairs};
use super::failure::{Failure, Kind, Outcome};
use super::rest::artifact_request;
use super::server::{Location, Server, encoded};
use super::{ArtifactPath, Config, RunId, Tracking};

const API: &str = "/api/2.0/mlflow";

const EXISTS: &str = "RESOURCE_ALREADY_EXISTS";

/// What the server says of an alias, or a model, that does not exist.
const INVALID: &str = "INVALID_PARAMETER_VALUE";

const NOT_FOUND: &str = "RESOURCE_DOES_NOT_EXIST";

/// Versions in one page of a search.
const PAGE: usize = 200;

/// Points in one page of a history; a page of them stays well below the largest record that is read.
const POINTS: usize = 10_000;

/// Pages that are read at most: a server that always promises one more is not believed.
const MOST_PAGES: usize = 50;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// For everything together.
    pub total: Duration,
}

/// A tracking server that is written to.
pub struct Tracker {
    server: Server,
}

/// A run, as far as writing to it needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its identifier.
    pub id: RunId,
    /// Whether it has been ended, after everything was written and read back.
    pub finished: bool,
    /// Where its artifacts go, percent-encoded; nothing if the server takes none.
    root: Option<String>,
}

/// What a run holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunData {
    /// Parameters.
    pub params: BTreeMap<String, String>,
    /// Tags, those of MLflow itself included.
    pub tags: BTreeMap<String, String>,
    /// The last value of each metric.
    pub metrics: BTreeMap<String, f64>,
    /// The step of that value.
    pub steps: BTreeMap<String, i64>,
}

/// A version of a registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelVersion {
    /// Its number at the server.
    pub number: String,
    /// The run that it came from.
    pub run: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Tracker {
    /// A tracker for the server that the configuration names. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Usage`] if it names a file store, [`Error::Environment`] if HTTP cannot be set up.
    pub fn new(config: &Config, limits: Limits) -> Result<Self> {
        let Tracking::Server(base) = &config.tracking else {
            return Err(Error::usage("no MLflow server in MLFLOW_TRACKING_URI", "http://… or https://…")
                .with_help("start `mlflow server` and set MLFLOW_TRACKING_URI to its address"));
        };
        let deadline = Instant::now().checked_add(limits.total);
        Ok(Self { server: Server::new(config, base, limits.connect, deadline)? })
    }

    /// The server's address.
    pub fn base(&self) -> &str {
        self.server.base()
    }

    /// The identifier of an experiment, which is created if there is none of this name.
    ///
    /// # Errors
    /// A [`Failure`] of the server, as of every other method.
    pub fn experiment(&self, name: &str) -> Outcome<String> {
        if let Some(known) = self.known_experiment(name)? {
            return Ok(known);
        }
        match self.server.post(&format!("{API}/experiments/create"), &json!({"name": name})) {
            Ok(answer) => text(&answer, &["experiment_id"]).ok_or_else(|| self.server.incomplete("the experiment")),
            Err(failure) if failure.says(EXISTS) => self.known_experiment(name)?.ok_or(failure),
            Err(failure) => Err(failure),
        }
    }

    fn known_experiment(&self, name: &str) -> Outcome<Option<String>> {
        let request = format!("{API}/experiments/get-by-name?experiment_name={}", parameter(name));
        let answer = self.server.get_record(&request)?;
        let id = |answer: Node| {
            text(&answer, &["experiment", "experiment_id"]).ok_or_else(|| self.server.incomplete("the experiment"))
        };
        answer.map(id).transpose()
    }

    /// The first run of an experiment that carries a tag.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn find_run(&self, experiment: &str, tag: (&str, &str)) -> Outcome<Option<Run>> {
        let body = json!({
            "experiment_ids": [experiment], "filter": format!("tags.`{}` = '{}'", tag.0, tag.1),
            "order_by": ["attributes.start_time ASC"], "max_results": 1,
        });
        let answer = self.server.post(&format!("{API}/runs/search"), &body)?;
        items(&answer, "runs").first().map(|run| self.run_of(run)).transpose()
    }

    /// A new run.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn create_run(
        &self,
        experiment: &str,
        name: &str,
        start_ms: i64,
        tags: &BTreeMap<String, String>,
    ) -> Outcome<Run> {
        let body = json!({
            "experiment_id": experiment, "run_name": name, "start_time": start_ms, "tags": pairs(tags),
        });
        let answer = self.server.post(&format!("{API}/runs/create"), &body)?;
        self.run_of(answer.get("run").unwrap_or(&answer))
    }

    /// The run of an experiment that carries a tag, which is created with these further tags if there is none; and so is the
    /// experiment.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn find_or_create(
        &self,
        experiment: &str,
        tag: (&str, &str),
        name: &str,
        start_ms: i64,
        tags: &[(&str, &str)],
    ) -> Outcome<Run> {
        let experiment = self.experiment(experiment)?;
        if let Some(run) = self.find_run(&experiment, tag)? {
            return Ok(run);
        }
        let tags = [tag].iter().chain(tags).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.create_run(&experiment, name, start_ms, &tags)
    }

    fn run_of(&self, run: &Node) -> Outcome<Run> {
        let id = text(run, &["info", "run_id"]).and_then(|id| RunId::new(&id).ok());
        let id = id.ok_or_else(|| self.server.incomplete("the run"))?;
        let root = match self.server.location_of(run, &id)? {
            Location::Proxied(root) => Some(root),
            Location::Own => None,
        };
        let finished = text(run, &["info", "status"]).as_deref() == Some("FINISHED");
        Ok(Run { id, finished, root })
    }

    /// What a run holds.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn data(&self, run: &Run) -> Outcome<RunData> {
        let answer = self.server.get_record(&format!("{API}/runs/get?run_id={}", run.id))?;
        let answer = answer.ok_or_else(|| self.server.incomplete("what the run holds"))?;
        let data = answer.get("run").and_then(|run| run.get("data"));
        let data = data.ok_or_else(|| self.server.incomplete("what the run holds"))?;
        let metric = |item: &Node| Some((text(item, &["key"])?, number(item.get("value")?)?));
        let metrics = items(data, "metrics").iter().filter_map(metric).collect();
        let step = |item: &Node| Some((text(item, &["key"])?, whole(item, "step")?));
        let steps = items(data, "metrics").iter().filter_map(step).collect();
        Ok(RunData { params: texts(data, "params"), tags: texts(data, "tags"), metrics, steps })
    }

    /// Logs everything of a batch, then reads the run and compares. Of metrics a run shows the last step alone: where it
    /// shows a later one than the batch has, the answer to the request has to do.
    ///
    /// # Errors
    /// A [`Failure`] of the server, or if something reads back otherwise.
    pub fn log(&self, run: &Run, batch: &Batch) -> Outcome<()> {
        for request in batch.requests(run.id.as_str()) {
            self.server.post(&format!("{API}/runs/log-batch"), &request)?;
        }
        let data = self.data(run)?;
        self.compare("parameter", batch.params(), &data.params)?;
        self.compare("tag", &batch.tags(), &data.tags)?;
        let mut written = last_values(batch.metrics());
        written.retain(|key, (step, _)| data.steps.get(key).is_none_or(|shown| *shown <= *step));
        let written = written.into_iter().map(|(key, (_, value))| (key, value)).collect();
        self.compare("metric", &written, &data.metrics)
    }

    fn compare<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &str,
        written: &BTreeMap<String, T>,
        found: &BTreeMap<String, T>,
    ) -> Outcome<()> {
        let differing = written.iter().find(|(key, value)| found.get(*key) != Some(*value));
        match differing {
            None => Ok(()),
            Some((key, value)) => {
                let found = found.get(key).map_or_else(|| "nothing".to_owned(), |found| format!("{found:?}"));
                Err(self.server.differs(&format!("{what} {key:?}"), &found, &format!("{value:?}")))
            }
        }
    }

    /// The points of a metric of a run that come after `after`, a time in milliseconds and a step; in that order.
    ///
    /// # Errors
    /// A [`Failure`] of the server, also if it knows no such run; a metric that it does not know has no points.
    pub fn metric_history(&self, run: &RunId, key: &str, after: Option<(i64, i64)>) -> Outcome<Vec<Point>> {
        let known =
            format!("{API}/metrics/get-history?run_id={run}&metric_key={}&max_results={POINTS}", parameter(key));
        let mut points = Vec::new();
        let mut request = known.clone();
        for _ in 0..MOST_PAGES {
            let answer = self.server.get_record(&request)?.ok_or_else(|| self.server.no_run(run))?;
            for item in items(&answer, "metrics") {
                let point = point(item).ok_or_else(|| self.server.incomplete("value, time and step of a metric"))?;
                points.extend(Some(point).filter(|point| after.is_none_or(|after| place(point) > after)));
            }
            match text(&answer, &["next_page_token"]) {
                // Stores that cannot page send everything, and refuse a token.
                Some(next) if !next.is_empty() => request = format!("{known}&page_token={}", parameter(&next)),
                _ => {
                    points.sort_by_key(place);
                    return Ok(points);
                }
            }
        }
        Err(self.server.too_many(&format!("metric {key:?} of run {run}"), POINTS * MOST_PAGES))
    }

    /// Uploads a file with this SHA-256 unless the run has it already, then reads it back and compares.
    ///
    /// # Errors
    /// A [`Failure`] of the server, of the file, or if it reads back otherwise.
    pub fn upload(&self, run: &Run, path: &ArtifactPath, file: &Path, sha256: &str) -> Outcome<()> {
        self.send_artifact(run, path, sha256, || {
            let opened = fsio::open(file)?;
            let bytes = opened.metadata().map_err(|source| Error::io(file, "read", source))?.len();
            Ok(Body::sized::<File>(opened, bytes))
        })
    }

    /// Uploads a small text in the same way.
    ///
    /// # Errors
    /// As [`Self::upload`].
    pub fn upload_text(&self, run: &Run, path: &ArtifactPath, content: &str) -> Outcome<()> {
        let sha256 = digest::of_bytes(content.as_bytes());
        self.send_artifact(run, path, &sha256, || Ok(Body::from(content.to_owned())))
    }

    fn send_artifact(
        &self,
        run: &Run,
        path: &ArtifactPath,
        sha256: &str,
        body: impl FnOnce() -> Result<Body>,
    ) -> Outcome<()> {
        let root = run.root.clone().ok_or_else(|| self.server.no_uploads())?;
        let request = artifact_request(&Location::Proxied(root), &run.id, path);
        if self.artifact_digest(&request)?.as_deref() == Some(sha256) {
            return Ok(());
        }
        let body = body().map_err(|error| Failure { kind: Kind::Later, code: None, error })?;
        self.server.put(&request, body)?;
        match self.artifact_digest(&request)? {
            Some(found) if found == sha256 => Ok(()),
            found => {
                let found = found.unwrap_or_else(|| "nothing".to_owned());
                Err(self.server.differs(&format!("artifact {path}"), &found, sha256))
            }
        }
    }

    fn artifact_digest(&self, request: &str) -> Outcome<Option<String>> {
        match self.server.stream(request, |body| digest::of_reader(body)) {
            // Other stores than the local one say that they have no such file in words of their own.
            Err(failure) if failure.kind != Kind::Unreachable && failure.code.is_some() => Ok(None),
            found => found,
        }
    }

    /// Ends a run well.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn finish(&self, run: &Run, end_ms: i64) -> Outcome<()> {
        let body = json!({"run_id": run.id.as_str(), "status": "FINISHED", "end_time": end_ms});
        self.server.post(&format!("{API}/runs/update"), &body).map(drop)
    }

    /// Creates a registered model, unless there is one of this name.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn register(&self, name: &str) -> Outcome<()> {
        let known = self.server.get_record(&format!("{API}/registered-models/get?name={}", parameter(name)));
        match known {
            Ok(Some(_)) => return Ok(()),
            Err(failure) if !failure.says(NOT_FOUND) => return Err(failure),
            _ => {}
        }
        match self.server.post(&format!("{API}/registered-models/create"), &json!({"name": name})) {
            Err(failure) if failure.says(EXISTS) => Ok(()),
            other => other.map(drop),
        }
    }

    /// The version of a registered model that carries a tag; the oldest one, if several do.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn find_version(&self, name: &str, tag: (&str, &str)) -> Outcome<Option<ModelVersion>> {
        let filter = parameter(&format!("name='{name}'"));
        let mut found: Vec<ModelVersion> = Vec::new();
        let mut token = String::new();
        for _ in 0..MOST_PAGES {
            let request = format!("{API}/model-versions/search?filter={filter}&max_results={PAGE}&page_token={token}");
            let answer = self.server.get_record(&request)?;
            let Some(answer) = answer else { break };
            let versions = items(&answer, "model_versions").iter().filter_map(version);
            found.extend(versions.filter(|version| version.tags.get(tag.0).map(String::as_str) == Some(tag.1)));
            match text(&answer, &["next_page_token"]) {
                Some(next) if !next.is_empty() => token = parameter(&next),
                _ => break,
            }
        }
        Ok(found.into_iter().min_by_key(|version| version.number.parse::<u64>().unwrap_or(u64::MAX)))
    }

    /// A new version of a registered model, from a folder of a run's artifacts; its tags are read back.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn create_version(
        &self,
        name: &str,
        run: &Run,
        folder: &ArtifactPath,
        tags: &BTreeMap<String, String>,
    ) -> Outcome<ModelVersion> {
        let source = format!("runs:/{}/{folder}", run.id);
        let body = json!({"name": name, "source": source, "run_id": run.id.as_str(), "tags": pairs(tags)});
        let answer = self.server.post(&format!("{API}/model-versions/create"), &body)?;
        let incomplete = || self.server.incomplete("the version");
        let created = answer.get("model_version").and_then(version).ok_or_else(incomplete)?;
        let number = parameter(&created.number);
        let request = format!("{API}/model-versions/get?name={}&version={number}", parameter(name));
        let answer = self.server.get_record(&request)?.ok_or_else(incomplete)?;
        let read = answer.get("model_version").and_then(version).ok_or_else(incomplete)?;
        self.compare("tag of the version", tags, &read.tags)?;
        Ok(read)
    }

    /// The number of the version that an alias points at.
    ///
    /// # Errors
    /// A [`Failure`] of the server.
    pub fn alias(&self, name: &str, alias: &str) -> Outcome<Option<String>> {
        let request = format!("{API}/registered-models/alias?name={}&alias={}", parameter(name), parameter(alias));
        match self.server.get_record(&request) {
            Ok(answer) => Ok(answer.and_then(|answer| scalar(answer.get("model_version")?.get("version")?))),
            // An unknown alias is answered with 400 and this code, not with 404.
            Err(failure) if failure.says(INVALID) || failure.says(NOT_FOUND) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Points an alias at a version, and reads it back.
    ///
    /// # Errors
    /// A [`Failure`] of the server, or if it reads back otherwise.
    pub fn set_alias(&self, name: &str, alias: &str, number: &str) -> Outcome<()> {
        if self.alias(name, alias)?.as_deref() == Some(number) {
            return Ok(());
        }
        let body = json!({"name": name, "alias": alias, "version": number});
        self.server.post(&format!("{API}/registered-models/alias"), &body)?;
        match self.alias(name, alias)? {
            Some(found) if found == number => Ok(()),
            found => {
                let found = found.unwrap_or_else(|| "nothing".to_owned());
                Err(self.server.differs(&format!("alias {alias}"), &format!("version {found}"), number))
            }
        }
    }
}

/// A value of a query, percent-encoded.
fn parameter(text: &str) -> String {
    encoded(text).replace('/', "%2F")
}

/// The value at the end of a path of keys, as text.
fn text(node: &Node, path: &[&str]) -> Option<String> {
    scalar(path.iter().try_fold(node, |node, key| node.get(key))?)
}

/// Whole numbers come as numbers from one server and as texts from another.
fn scalar(node: &Node) -> Option<String> {
    node.as_str().map(str::to_owned).or_else(|| node.as_u64().map(|number| number.to_string()))
}

/// A number, or a text that holds one: `"NaN"`.
fn number(node: &Node) -> Option<f64> {
    node.as_f64().or_else(|| node.as_str()?.parse().ok())
}

/// The elements of an array; a server leaves out the key of an empty one.
fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).and_then(Node::items).unwrap_or_default()
}

fn texts(node: &Node, key: &str) -> BTreeMap<String, String> {
    let pair = |item: &Node| Some((text(item, &["key"])?, text(item, &["value"]).unwrap_or_default()));
    items(node, key).iter().filter_map(pair).collect()
}

fn version(node: &Node) -> Option<ModelVersion> {
    let run = text(node, &["run_id"]).unwrap_or_default();
    Some(ModelVersion { number: text(node, &["version"])?, run, tags: texts(node, "tags") })
}

/// A whole number, or a text that holds one.
fn whole(item: &Node, key: &str) -> Option<i64> {
    let node = item.get(key)?;
    node.as_i64().or_else(|| node.as_str()?.parse().ok())
}

fn point(item: &Node) -> Option<Point> {
    Some(Point {
        key: text(item, &["key"])?,
        value: number(item.get("value")?)?,
        timestamp: whole(item, "timestamp")?,
        // Left out where it is 0.
        step: if item.get("step").is_some() { whole(item, "step")? } else { 0 },
    })
}

fn place(point: &Point) -> (i64, i64) {
    (point.timestamp, point.step)
}

/// Step and value of each metric that a server shows: those of the highest step, then of the latest time, then the largest.
fn last_values(points: &[Point]) -> BTreeMap<String, (i64, f64)> {
    let mut last: BTreeMap<&str, &Point> = BTreeMap::new();
    let order = |a: &Point, b: &Point| {
        (a.step, a.timestamp).cmp(&(b.step, b.timestamp)).then(a.value.total_cmp(&b.value)).is_ge()
    };
    for point in points {
        let known = last.entry(&point.key).or_insert(point);
        if order(point, known) {
            *known = point;
        }
    }
    last.into_iter().map(|(key, point)| (key.to_owned(), (point.step, point.value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::json;

    #[test]
    fn whole_numbers_are_taken_as_numbers_and_as_texts() {
        let node = json::parse(br#"{"a": {"b": 12}, "c": "12", "v": "NaN", "w": 1.5}"#).unwrap();
        assert_eq!(text(&node, &["a", "b"]), text(&node, &["c"]));
        assert!(number(node.get("v").unwrap()).unwrap().is_nan());
        assert_eq!(number(node.get("w").unwrap()), Some(1.5));
        assert!(items(&node, "absent").is_empty());
    }

    #[test]
    fn the_last_value_is_that_of_the_highest_step() {
        let mut batch = Batch::default();
        batch.metric("m", 1.0, 9, 5);
        batch.metric("m", 2.0, 99, 1);
        assert_eq!(last_values(batch.metrics())["m"], (5, 1.0));
    }

    #[test]
    fn a_file_store_is_not_written_to() {
        let config = Config::from_variables(|_| None).unwrap();
        let limits = Limits { connect: Duration::from_secs(1), total: Duration::from_secs(1) };
        assert!(Tracker::new(&config, limits).is_err());
    }
}
