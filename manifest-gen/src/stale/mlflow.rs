//! MLflow's model URIs and its deprecated stages.

use std::ops::Range;

use super::reference::{begins_word, ends_word, version_at};

/// Names of the stage API: no other library has them.
pub(super) const STAGE_WORDS: [&str; 4] = [
    "transition_model_version_stage",
    "get_latest_versions",
    "model-versions/transition-stage",
    "registered-models/get-latest-versions",
];

/// Names of the stage API that others have too: they count in files that speak of MLflow.
pub(super) const SHARED_WORDS: [&str; 2] = ["stage", "current_stage"];

/// How files speak of MLflow.
pub(super) const MENTIONS: [&str; 3] = ["mlflow", "MLflow", "Mlflow"];

/// Opens the URI of a registered model.
pub(super) const SCHEME: &str = "models:/";

/// The stages that mean something; `None` is too common a word.
const STAGES: [&str; 3] = ["Production", "Staging", "Archived"];

/// The longest name of a registered model.
const MAX_NAME_BYTES: usize = 256;

/// What follows the name in a URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// `models:/lightgbm/1`
    Version(Range<usize>),
    /// `models:/lightgbm/latest`
    Latest,
    /// `models:/lightgbm/Production`
    Stage,
}

/// The URI of a registered model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uri {
    pub(super) span: Range<usize>,
    pub(super) name: Range<usize>,
    pub(super) target: Target,
}

/// The URI that opens at `scheme`, unless it names an alias or a variable.
pub(super) fn uri(text: &[u8], scheme: Range<usize>) -> Option<Uri> {
    let rest = &text[scheme.end..text.len().min(scheme.end + MAX_NAME_BYTES)];
    let length = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"/@\"'`<>()".contains(byte))?;
    let name = scheme.end..scheme.end + length;
    if length == 0 || text[name.end] != b'/' || !begins_word(text, scheme.start) {
        return None;
    }
    let (end, target) = target(text, name.end + 1)?;
    Some(Uri { span: scheme.start..end, name, target })
}

fn target(text: &[u8], at: usize) -> Option<(usize, Target)> {
    let is =
        |word: &str| text.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()));
    let word = |word: &&str| is(word) && ends_word(text, at + word.len());
    if let Some(stage) = STAGES.iter().chain(&["None"]).find(|stage| word(stage)) {
        return Some((at + stage.len(), Target::Stage));
    }
    if word(&"latest") {
        return Some((at + "latest".len(), Target::Latest));
    }
    version_at(text, at).map(|version| (version.end, Target::Version(version)))
}

/// The use of a stage that `word` begins: `stage="Production"`, `stages=["Staging"]`, `.current_stage`.
pub(super) fn stage_use(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    match &text[word.clone()] {
        b"stage" => assigned(text, word),
        _ => (text[..word.start].ends_with(b".") && ends_word(text, word.end)).then_some(word),
    }
}

fn assigned(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let plural = usize::from(text.get(word.end) == Some(&b's'));
    let equals = pass(text, word.end + plural, b" \t");
    let open = pass(text, (text.get(equals) == Some(&b'=')).then_some(equals + 1)?, b" \t[(");
    let quote = text.get(open).filter(|byte| matches!(byte, b'"' | b'\''))?;
    let stage = STAGES.iter().find(|stage| text[open + 1..].starts_with(stage.as_bytes()))?;
    let end = open + 1 + stage.len();
    (text.get(end) == Some(quote) && begins_word(text, word.start)).then_some(word.start..end + 1)
}

/// Passes at most 16 of these bytes.
fn pass(text: &[u8], at: usize, these: &[u8]) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take(16).take_while(|byte| these.contains(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(&str, &str, Target)> {
        let at = text.find(SCHEME).unwrap();
        let uri = uri(text.as_bytes(), at..at + SCHEME.len())?;
        Some((&text[uri.span], &text[uri.name], uri.target))
    }

    #[test]
    fn versions_and_stages_are_read_and_aliases_left_alone() {
        assert_eq!(read("\"models:/a b/1\""), None);
        assert_eq!(read("x models:/sales/12\"").unwrap(), ("models:/sales/12", "sales", Target::Version(16..18)));
        assert_eq!(read("models:/sales/Production").unwrap(), ("models:/sales/Production", "sales", Target::Stage));
        assert_eq!(read("models:/{name}/staging'").unwrap().2, Target::Stage);
        assert_eq!(read("models:/sales/latest").unwrap().2, Target::Latest);
        for text in [
            "models:/sales@champion",
            "models:/sales/{version}",
            "models:/sales",
            "mymodels:/sales/1",
            "models:/sales/1x",
            "models:/",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    fn stage(text: &str) -> Option<&str> {
        let at = text.find("stage").unwrap();
        stage_use(text.as_bytes(), at..at + 5).map(|span| &text[span])
    }

    #[test]
    fn stages_are_mlflows() {
        assert_eq!(stage("f(stage=\"Production\")"), Some("stage=\"Production\""));
        assert_eq!(stage("f(stages = ['Staging'])"), Some("stages = ['Staging'"));
        for text in ["stage=\"train\"", "mystage=\"Production\"", "stage=Production", "stage", "stage: \"Production\""]
        {
            assert_eq!(stage(text), None, "{text}");
        }
    }
}
