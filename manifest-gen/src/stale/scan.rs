//! The stale references of one text: pure, in one pass over it.

use std::ops::Range;

use super::catalogue::{Catalogue, Known, Standing, Word, guessed_role};
use super::language::Language;
use super::mlflow::{self, Target, Uri};
use super::reference::{self, Form, Reference, begins_word, ends_word};
use super::{Kind, MAX_FINDINGS_PER_FILE};
use crate::version::ModelVersion;

/// Excuses its line.
const EXCUSE: &str = "manifest-gen: allow stale";

/// How much of a long line is looked at.
const MAX_LINE_BYTES: usize = 4096;

/// What is written is not read: a path behind one of these is that of an output.
const WRITERS: [&str; 7] =
    ["dump(", "save_model(", ".save(", "to_pickle(", "manifest-gen new ", "manifest-gen scan ", "manifest-gen sign "];

/// A stale reference in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    pub(super) model: Option<String>,
    pub(super) replacement: Option<String>,
    pub(super) fix: String,
}

/// The stale references of a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Hits {
    /// In the order of the text.
    pub(super) kept: Vec<Hit>,
    /// How many were excused.
    pub(super) excused: u64,
    /// How many more there are than are kept.
    pub(super) hidden: u64,
}

/// Whether a text speaks of MLflow.
pub(super) fn mentions_mlflow(bytes: &[u8], catalogue: &Catalogue) -> bool {
    catalogue.finder.find_iter(bytes).any(|found| catalogue.words[found.pattern()] == Word::Mention)
}

/// The stale references of a text.
pub(super) fn hits(bytes: &[u8], language: Language, mlflow: bool, catalogue: &Catalogue) -> Hits {
    let text = Text { bytes, language, mlflow, catalogue };
    let silent = language.silent(bytes);
    let mut found = Hits::default();
    let mut seen = 0;
    for word in catalogue.finder.find_iter(bytes) {
        if word.start() < seen || is_silent(&silent, word.start()) {
            continue;
        }
        if let Some(hit) = text.judge(catalogue.words[word.pattern()], word.range()) {
            seen = hit.span.end;
            found.take(hit, &text);
        }
    }
    found
}

fn is_silent(ranges: &[Range<usize>], at: usize) -> bool {
    let next = ranges.partition_point(|range| range.end <= at);
    ranges.get(next).is_some_and(|range| range.contains(&at))
}

impl Hits {
    fn take(&mut self, hit: Hit, text: &Text) {
        match () {
            () if self.kept.len() >= MAX_FINDINGS_PER_FILE => self.hidden += 1,
            () if text.is_excused(&hit) => self.excused += 1,
            () if hit.kind == Kind::HardCodedPath && text.is_written(hit.span.start) => {}
            () => self.kept.push(hit),
        }
    }
}

struct Text<'a> {
    bytes: &'a [u8],
    language: Language,
    mlflow: bool,
    catalogue: &'a Catalogue,
}

impl Text<'_> {
    fn judge(&self, word: Word, span: Range<usize>) -> Option<Hit> {
        match word {
            Word::Name(model) => {
                self.judge_reference(&self.catalogue.models[model], &reference::read(self.bytes, span)?)
            }
            Word::File(model) => self.judge_file(&self.catalogue.models[model], span),
            Word::Uri => Some(self.judge_uri(&mlflow::uri(self.bytes, span)?)),
            Word::Stage => self.is_word(&span).then(|| self.stage(span, None)),
            Word::SharedStage if self.mlflow => Some(self.stage(mlflow::stage_use(self.bytes, span)?, None)),
            Word::SharedStage | Word::Mention => None,
        }
    }

    fn at(&self, span: &Range<usize>) -> String {
        String::from_utf8_lossy(&self.bytes[span.clone()]).into_owned()
    }

    fn is_word(&self, span: &Range<usize>) -> bool {
        begins_word(self.bytes, span.start) && ends_word(self.bytes, span.end)
    }

    fn judge_reference(&self, model: &Known, found: &Reference) -> Option<Hit> {
        let Some(written) = &found.version else { return Some(self.unversioned(model, found)) };
        let version = ModelVersion::parse(&self.at(written)).ok()?.semver;
        let is_known = || model.files.contains_key(&self.at(&found.span));
        match (model.standing(&version), found.form) {
            (Standing::Behind, _) => Some(self.left_behind(model, found, written)),
            (Standing::Current, Form::File | Form::Release) => Some(self.hard_coded(model, found)),
            (_, Form::File | Form::SharedEnding) if is_known() => Some(self.hard_coded(model, found)),
            _ => None,
        }
    }

    fn left_behind(&self, model: &Known, found: &Reference, written: &Range<usize>) -> Hit {
        let replacement = model.current.as_ref().map(|(number, short)| match found.form {
            Form::At => format!("{}@{}", model.name, self.catalogue.alias),
            Form::Release => self.replaced(&found.span, written, &number.to_string()),
            _ if self.at(written).matches('.').count() == 2 => self.replaced(&found.span, written, &number.to_string()),
            _ => self.replaced(&found.span, written, short),
        });
        let fix = match found.form {
            Form::At | Form::Name => self.by_name(model),
            _ => self.by_path(model, found),
        };
        let kind = Kind::LeftBehind;
        Hit { span: found.span.clone(), kind, model: Some(model.name.clone()), replacement, fix }
    }

    /// The text of `span` with another version.
    fn replaced(&self, span: &Range<usize>, version: &Range<usize>, by: &str) -> String {
        format!("{}{by}{}", self.at(&(span.start..version.start)), self.at(&(version.end..span.end)))
    }

    fn hard_coded(&self, model: &Known, found: &Reference) -> Hit {
        let (kind, fix) = (Kind::HardCodedPath, self.by_path(model, found));
        Hit { span: found.span.clone(), kind, model: Some(model.name.clone()), replacement: None, fix }
    }

    fn unversioned(&self, model: &Known, found: &Reference) -> Hit {
        let is_one = found.preprocessing && found.form == Form::File;
        let kind = if is_one { Kind::UnversionedPreprocessing } else { Kind::HardCodedPath };
        let fix = self.by_path(model, found);
        let fix = if is_one { format!("{fix}: the one that was trained with the model") } else { fix };
        Hit { span: found.span.clone(), kind, model: Some(model.name.clone()), replacement: None, fix }
    }

    fn judge_file(&self, model: &Known, span: Range<usize>) -> Option<Hit> {
        let file = model.files.get(&self.at(&span)).filter(|_| self.is_word(&span))?;
        let behind = file.versions.iter().all(|version| model.standing(version) == Standing::Behind);
        let kind = if behind { Kind::LeftBehind } else { Kind::HardCodedPath };
        let fix = self.by_role(model, &file.role);
        Some(Hit { span, kind, model: Some(model.name.clone()), replacement: None, fix })
    }

    fn judge_uri(&self, uri: &Uri) -> Hit {
        let written = self.at(&uri.name);
        let model = self.catalogue.model(&written);
        let kind = match &uri.target {
            Target::Stage => Kind::MlflowStage,
            Target::Version(version) if self.is_behind(model, version) => Kind::LeftBehind,
            Target::Version(_) | Target::Latest => Kind::MlflowVersion,
        };
        let by_alias = format!("models:/{written}@{}", self.catalogue.alias);
        let fix = "name the alias, which promotions move".to_owned();
        let model = model.map(|model| model.name.clone());
        Hit { span: uri.span.clone(), kind, model, replacement: Some(by_alias), fix }
    }

    fn is_behind(&self, model: Option<&Known>, version: &Range<usize>) -> bool {
        let version = ModelVersion::parse(&self.at(version)).ok().map(|version| version.semver);
        model.zip(version).is_some_and(|(model, version)| model.standing(&version) == Standing::Behind)
    }

    fn stage(&self, span: Range<usize>, model: Option<String>) -> Hit {
        let word = self.at(&span);
        let fix = match word.as_str() {
            "get_latest_versions" | "registered-models/get-latest-versions" => {
                "get_model_version_by_alias(name, alias)".to_owned()
            }
            _ if word.contains("transition") => "set_registered_model_alias(name, alias, version)".to_owned(),
            _ => format!("stages are deprecated in MLflow: use the alias {:?}", self.catalogue.alias),
        };
        Hit { span, kind: Kind::MlflowStage, model, replacement: None, fix }
    }

    fn by_name(&self, model: &Known) -> String {
        format!("say {}@{}, which promotions move", model.name, self.catalogue.alias)
    }

    fn by_path(&self, model: &Known, found: &Reference) -> String {
        let known = model.files.get(&self.at(&found.span));
        self.by_role(model, known.map_or(guessed_role(found.preprocessing), |file| &file.role))
    }

    /// How a consumer in this language gets a file by the name of its model.
    fn by_role(&self, model: &Known, role: &str) -> String {
        let (name, alias) = (&model.name, &self.catalogue.alias);
        if role == super::catalogue::METADATA {
            return format!("read it of {name}@{alias} in registry.json");
        }
        match self.language {
            Language::Python | Language::Notebook => {
                format!("resolve({name:?}, alias={alias:?}) of registry.py gives the path of {role:?}")
            }
            Language::Shell | Language::Makefile | Language::Lines => {
                format!("`manifest-gen resolve {name}@{alias} --artifact {role} --verify` prints the path")
            }
            _ => format!("say {name}@{alias} and resolve the artefact {role:?} where it is loaded"),
        }
    }

    /// Whether the rest of the line excuses it.
    fn is_excused(&self, hit: &Hit) -> bool {
        let rest = &self.bytes[hit.span.end..self.bytes.len().min(hit.span.end + MAX_LINE_BYTES)];
        let line = String::from_utf8_lossy(rest.split(|&byte| byte == b'\n').next().unwrap_or_default());
        line.find(EXCUSE).is_some_and(|at| {
            let before = line[..at].trim_end();
            before.ends_with('#') || before.ends_with("<!--")
        })
    }

    /// Whether the command or call that the place stands in writes files.
    fn is_written(&self, at: usize) -> bool {
        let before = &self.bytes[at.saturating_sub(MAX_LINE_BYTES)..at];
        let is_start = |&end: &usize| before[end] == b'\n' && !before[..end].ends_with(b"\\");
        let start = (0..before.len()).rev().find(is_start).map_or(0, |end| end + 1);
        let line = String::from_utf8_lossy(&before[start..]);
        WRITERS.iter().any(|writer| line.contains(writer))
    }
}
