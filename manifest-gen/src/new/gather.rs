//! What goes into a release: the artefacts, copied and scanned; the evidence, copied and read; the manifest that names them.

use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::config::Config;
use shared::format::input::Tool;
use shared::format::manifest::{
    self, Artifact, Code, Evidence, Feature, GateSummary, MODEL, Manifest, Metric, PREPROCESSING, Training, Window,
};
use shared::format::profile::Profile;
use shared::{Error, Place, Result, fsio};

use crate::features;
use crate::pickle::{self, AllowList, ScanVerdict};
use crate::store::Store;
use crate::version::{ModelVersion, check_name};

use super::args::Args;
use super::span::{self, TestStart};
use super::stage::{Copied, Staging};
use super::{benchmark, code, data, verdict};

/// A release that is put together and not yet in place.
pub(super) struct Gathered {
    pub(super) staging: Staging,
    pub(super) manifest: Manifest,
    pub(super) bytes: Vec<u8>,
}

/// Puts a release together in a staging folder.
pub(super) fn gather(args: &Args, version: &ModelVersion, store: &Store, config: &Config) -> Result<Gathered> {
    let staging = Staging::new(&store.root.join("releases").join(&args.name))?;
    let mut gathering = Gathering { args, version, config, staging: &staging, found: Found::default() };
    gathering.artifacts()?;
    gathering.benchmark()?;
    gathering.verdict()?;
    gathering.other_evidence()?;
    let training = gathering.training()?;
    let features = gathering.features()?;
    let scaling = gathering.scaling()?;
    let manifest = manifest(args, version, gathering.found, training, features, scaling)?;
    let bytes = manifest.to_bytes()?;
    staging.write(manifest::FILE_NAME, &bytes)?;
    Ok(Gathered { staging, manifest, bytes })
}

/// What was found so far.
#[derive(Default)]
struct Found {
    artifacts: Vec<Artifact>,
    evidence: Vec<Evidence>,
    metrics: Vec<Metric>,
    gate: Option<GateSummary>,
    starts: Vec<(&'static str, TestStart)>,
    notes: Vec<String>,
}

struct Gathering<'a> {
    args: &'a Args,
    version: &'a ModelVersion,
    config: &'a Config,
    staging: &'a Staging,
    found: Found,
}

impl Gathering<'_> {
    fn model_name(&self) -> &str {
        self.args.model_name.as_deref().unwrap_or(&self.args.name)
    }

    fn artifacts(&mut self) -> Result<()> {
        let pairs = pairs(&self.args.artifact, "--artifact", "ROLE=PATH")?;
        check_roles(&pairs, self.args.self_contained)?;
        let allow = AllowList::shipped().with(&self.args.allow.allow);
        let mut refused = Vec::new();
        for (role, path) in pairs {
            let (artifact, reason) = self.artifact(&role, &path, &allow)?;
            refused.extend(reason);
            self.found.artifacts.push(artifact);
        }
        self.found.artifacts.sort_by(|a, b| a.role.cmp(&b.role));
        match refused.is_empty() {
            true => Ok(()),
            false => Err(Error::refused("artefacts that must not be loaded", refused)
                .with_help("`manifest-gen scan` shows all that a pickle would import, and how to allow it")),
        }
    }

    fn artifact(&self, role: &str, source: &Path, allow: &AllowList) -> Result<(Artifact, Option<String>)> {
        let extension = source.extension().map(|text| format!(".{}", text.to_string_lossy())).unwrap_or_default();
        let published = published_name(role, &self.args.name, &self.version.written, &extension);
        let copied = self.staging.copy(source, &published)?;
        let scan = pickle::scan(fsio::open(&copied.path)?, allow);
        let artifact = Artifact {
            role: role.to_owned(),
            path: published.clone(),
            published,
            source: source.display().to_string(),
            bytes: copied.bytes,
            sha256: copied.sha256,
            format: scan.container.clone(),
            globals: scan.globals.iter().cloned().collect(),
        };
        Ok((artifact, refusal(source, &scan)))
    }

    fn benchmark(&mut self) -> Result<()> {
        let Some(path) = &self.args.benchmark else { return Ok(()) };
        let bytes = self.keep("benchmark", path)?;
        let wanted = benchmark::Wanted {
            model: self.model_name(),
            dataset: self.args.dataset.as_deref(),
            unit: self.args.mape_unit.map(Into::into),
            config: self.config,
        };
        let read = benchmark::read(path, &bytes, &wanted)?;
        self.date_last(read.time);
        self.found.metrics = read.metrics;
        self.found.notes.extend(read.notes);
        self.found.starts.extend(read.starts.into_iter().map(|start| ("benchmark", start)));
        Ok(())
    }

    fn verdict(&mut self) -> Result<()> {
        let Some(path) = &self.args.verdict else { return Ok(()) };
        let bytes = self.keep("verdict", path)?;
        let verdict = verdict::parse(path, &bytes)?;
        if let Some(reason) = verdict::other_candidate(&verdict, &self.args.name, self.model_name(), self.config) {
            return Err(Error::refused(path.display().to_string(), vec![reason]));
        }
        self.found.starts.extend(verdict::start(&verdict).map(|start| ("verdict", start)));
        self.found.gate = Some(verdict::summary(&verdict, &bytes));
        Ok(())
    }

    fn other_evidence(&mut self) -> Result<()> {
        let named =
            [("profile", &self.args.profile), ("environment", &self.args.env_lock), ("scaling", &self.args.scaling)];
        for (kind, path) in named {
            if let Some(path) = path {
                let bytes = self.keep(kind, path)?;
                if kind == "profile" {
                    self.check_profile(path, &bytes)?;
                }
            }
        }
        for (kind, path) in pairs(&self.args.evidence, "--evidence", "KIND=PATH")? {
            self.keep(&kind, &path)?;
        }
        self.found.evidence.sort_by(|a, b| a.kind.cmp(&b.kind));
        Ok(())
    }

    /// A profile is one, and of this model.
    fn check_profile(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let profile = Profile::parse(path, bytes)?;
        let names = [self.args.name.as_str(), self.model_name()];
        match names.iter().any(|name| self.config.same(&profile.model, name)) {
            true => Ok(()),
            false => Err(Error::refused(
                path.display().to_string(),
                vec![format!("the profile is that of {:?}, not of {:?}", profile.model, self.model_name())],
            )
            .with_help("[models.NAME] in promotion.toml says what files call a model")),
        }
    }

    /// Copies a file of evidence into the release and notes it; returns its bytes.
    fn keep(&mut self, kind: &str, source: &Path) -> Result<Vec<u8>> {
        if self.found.evidence.iter().any(|evidence| evidence.kind == kind) {
            return Err(Error::usage(format!("evidence of the kind {kind:?} twice"), "one file of each kind"));
        }
        let path = format!("evidence/{kind}{}", file_suffix(source));
        let Copied { bytes, sha256, path: copy } = self.staging.copy(source, &path)?;
        let source = source.display().to_string();
        self.found.evidence.push(Evidence { kind: kind.to_owned(), path, source, bytes, sha256, time: None });
        fsio::read(&copy)
    }

    fn date_last(&mut self, time: Option<String>) {
        if let Some(last) = self.found.evidence.last_mut() {
            last.time = time;
        }
    }

    fn training(&mut self) -> Result<Training> {
        let window = self.args.train_window.as_deref().map(span::window).transpose()?;
        if let Some(window) = &window {
            self.refuse_overlap(window)?;
        }
        let files = self.args.data.iter().map(|path| data::file(path)).collect::<Result<Vec<_>>>()?;
        let paths: Vec<&Path> = self.args.data.iter().map(PathBuf::as_path).filter(|path| is_csv(path)).collect();
        let coverage = match paths.is_empty() {
            true => None,
            false => self.stated(data::coverage(&paths, &data::Columns::of(self.args))?),
        };
        Ok(Training { window, refitted: self.args.refitted, data: files, coverage })
    }

    /// The value, or a note that says why there is none.
    fn stated<T>(&mut self, found: Result<T, String>) -> Option<T> {
        found.map_err(|reason| self.found.notes.push(reason)).ok()
    }

    fn refuse_overlap(&mut self, window: &Window) -> Result<()> {
        let starts = &self.found.starts;
        let mut reasons: Vec<String> =
            starts.iter().filter_map(|(evidence, start)| span::overlap(window, start, evidence)).collect();
        reasons.dedup();
        if starts.is_empty() && !self.found.evidence.is_empty() {
            self.found
                .notes
                .push("no evidence says when its test begins: it was not compared with the training".into());
        }
        if self.args.refitted && !reasons.is_empty() {
            self.found.notes.push("fitted anew after the evidence, which is of the procedure".into());
        }
        match reasons.is_empty() || self.args.refitted {
            true => Ok(()),
            false => Err(Error::refused("the evidence is no test of this model", reasons)
                .with_help("train up to the first cutoff, or gather evidence from later windows; --refitted if the benchmark fitted it at each cutoff, and it was fitted anew on all data afterwards")),
        }
    }

    fn features(&mut self) -> Result<Vec<Feature>> {
        let Some(path) = &self.args.features_from else { return Ok(Vec::new()) };
        let bytes = fsio::read(path)?;
        match features::kind_of(&bytes) {
            features::Kind::Pickle => pickled_features(path, &bytes),
            _ => features::read(path, &bytes),
        }
    }

    fn scaling(&self) -> Result<Vec<Value>> {
        let Some(path) = &self.args.scaling else { return Ok(Vec::new()) };
        let bytes = fsio::read(path)?;
        let place = |line: usize, column: usize| Place::at(path, line as u64, column as u64);
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            Error::input(place(error.line(), error.column()), error.to_string(), "the scaling steps as a JSON list")
        })?;
        Ok(match value {
            Value::Array(steps) => steps,
            Value::Object(mut object) => match object.remove("steps") {
                Some(Value::Array(steps)) => steps,
                Some(steps) => vec![steps],
                None => vec![Value::Object(object)],
            },
            other => return Err(Error::input(Place::file(path), format!("{other}"), "a list of scaling steps")),
        })
    }
}

/// What a pickle says of its features, read without loading it.
fn pickled_features(path: &Path, bytes: &[u8]) -> Result<Vec<Feature>> {
    let names = pickle::feature_names(bytes).ok_or_else(|| {
        Error::input(Place::file(path), "a pickle that names no features", "a model that was fitted on named columns")
            .with_help("fit on a DataFrame, or name a list: --features-from features.json")
    })?;
    Ok(names.into_iter().map(|name| Feature { name, kind: None }).collect())
}

fn manifest(
    args: &Args,
    version: &ModelVersion,
    found: Found,
    training: Training,
    features: Vec<Feature>,
    scaling: Vec<Value>,
) -> Result<Manifest> {
    Ok(Manifest {
        schema: manifest::SCHEMA.to_owned(),
        min_reader: manifest::MIN_READER.to_owned(),
        tool: Tool { name: "manifest-gen".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        name: args.name.clone(),
        version: version.semver.to_string(),
        file_version: version.written.clone(),
        model_name: args.model_name.clone().unwrap_or_else(|| args.name.clone()),
        dataset: args.dataset.clone(),
        artifacts: found.artifacts,
        training,
        frequency: args.frequency.clone(),
        cadence: args.cadence.clone(),
        horizon: args.horizon.as_deref().map(span::horizon).transpose()?,
        time_zone: args.time_zone.clone(),
        features,
        features_from: args.features_from.as_ref().map(|path| path.display().to_string()),
        scaling,
        metrics: found.metrics,
        gate: found.gate,
        evidence: found.evidence,
        code: match &args.code_commit {
            Some(commit) => Some(Code { commit: commit.clone(), dirty: false }),
            None => code::commit(),
        },
        notes: found.notes,
        other: std::collections::BTreeMap::new(),
    })
}

/// `ROLE=PATH` flags.
fn pairs(texts: &[String], flag: &str, expected: &str) -> Result<Vec<(String, PathBuf)>> {
    let mut pairs: Vec<(String, PathBuf)> = Vec::new();
    for text in texts {
        let (role, path) = text
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or_else(|| Error::usage(format!("{flag} {text:?}"), expected))?;
        check_name(role, "the name before `=`,")?;
        if pairs.iter().any(|(known, _)| known == role) {
            return Err(Error::usage(format!("{flag} names {role:?} twice"), "each once"));
        }
        pairs.push((role.to_owned(), PathBuf::from(path)));
    }
    Ok(pairs)
}

/// A model never travels without its preprocessing.
fn check_roles(pairs: &[(String, PathBuf)], self_contained: bool) -> Result<()> {
    let has = |role: &str| pairs.iter().any(|(known, _)| known == role);
    if !has(MODEL) {
        return Err(Error::usage("no artefact has the role \"model\"", "--artifact model=FILE"));
    }
    if !has(PREPROCESSING) && !self_contained {
        return Err(Error::usage("no artefact has the role \"preprocessing\"", "--artifact preprocessing=FILE")
            .with_help("say --self-contained where the model file holds its preprocessing, as a pipeline does"));
    }
    Ok(())
}

/// The paths that teams expect: `lightgbm_v2.pkl`, `preprocessing_lightgbm_v2.pkl`.
fn published_name(role: &str, name: &str, written: &str, extension: &str) -> String {
    match role {
        MODEL => format!("{name}_v{written}{extension}"),
        _ => format!("{role}_{name}_v{written}{extension}"),
    }
}

fn refusal(source: &Path, scan: &pickle::Scan) -> Option<String> {
    let source = source.display();
    match scan.verdict {
        ScanVerdict::Allowed => None,
        ScanVerdict::Refused if scan.refused.is_empty() => Some(format!("{source}: {}", scan.notes.join("; "))),
        ScanVerdict::Refused => Some(format!("{source} would import {}", scan.refused.join(", "))),
        ScanVerdict::NotParsed => {
            Some(format!("{source} could not be read to its end ({}): {}", scan.container, scan.notes.join("; ")))
        }
    }
}

/// All extensions of a file: `.tar.gz`, `.json`.
fn file_suffix(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.trim_start_matches('.').split_once('.').map(|(_, rest)| format!(".{rest}")).unwrap_or_default()
}

fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}
