//! Reads the reference that stands around the name of a model in a text, and how far it reaches.

use std::ops::Range;

use crate::version::ModelVersion;

/// Parts of a file name that say that it is the preprocessing.
const PREPROCESSING: [&[u8]; 8] = [
    b"preprocessing",
    b"preprocessor",
    b"preprocess",
    b"scaler",
    b"encoder",
    b"transformer",
    b"imputer",
    b"feature_pipeline",
];

/// Endings that only artefacts have.
const BINARY_ENDINGS: [&[u8]; 13] = [
    b".pickle",
    b".pkl",
    b".joblib",
    b".onnx",
    b".cbm",
    b".ubj",
    b".npz",
    b".npy",
    b".safetensors",
    b".skops",
    b".h5",
    b".pt",
    b".keras",
];

/// Endings that artefacts share with other files.
const TEXT_ENDINGS: [&[u8]; 4] = [b".json", b".txt", b".bin", b".model"];

/// Endings of compressed files, after another one.
const COMPRESSED: [&[u8]; 6] = [b".gz", b".bz2", b".xz", b".zst", b".lz4", b".z"];

/// The longest version that is believed.
const MAX_VERSION_BYTES: usize = 64;

/// How far a file name with a variable in it is followed.
const MAX_PATTERN_BYTES: usize = 96;

/// How a model is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `lightgbm_v1`
    Name,
    /// `lightgbm_v1.pkl`, `preprocessing_lightgbm.pkl`
    File,
    /// `lightgbm_v1.json`: an artefact only if the registry knows a file of this name.
    SharedEnding,
    /// `lightgbm_v{version}.pkl`
    Pattern,
    /// `lightgbm@1`
    At,
    /// `releases/lightgbm/1.0.0`
    Release,
}

/// A reference to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// All of it.
    pub(super) span: Range<usize>,
    /// The name.
    pub(super) name: Range<usize>,
    /// The version as written, without `v`.
    pub(super) version: Option<Range<usize>>,
    pub(super) form: Form,
    /// Whether the file is the preprocessing.
    pub(super) preprocessing: bool,
}

/// The reference around the name at `name`, if it is one: a word of its own, with a version or the ending of an artefact.
pub(super) fn read(text: &[u8], name: Range<usize>) -> Option<Reference> {
    release(text, &name).or_else(|| at(text, &name)).or_else(|| file_or_name(text, &name))
}

fn release(text: &[u8], name: &Range<usize>) -> Option<Reference> {
    let folder = name.start - text[..name.start].ends_with(b"releases/").then_some(9)?;
    let version = version_at(text, name.end + usize::from(text.get(name.end) == Some(&b'/')))?;
    let is_release = begins_word(text, folder) && text[name.end] == b'/';
    is_release.then(|| Reference {
        span: folder..version.end,
        name: name.clone(),
        version: Some(version),
        form: Form::Release,
        preprocessing: false,
    })
}

fn at(text: &[u8], name: &Range<usize>) -> Option<Reference> {
    if text.get(name.end) != Some(&b'@') || !begins_word(text, name.start) {
        return None;
    }
    let version = version_at(text, name.end + 1 + usize::from(text.get(name.end + 1) == Some(&b'v')))?;
    let (span, name) = (name.start..version.end, name.clone());
    Some(Reference { span, name, version: Some(version), form: Form::At, preprocessing: false })
}

fn file_or_name(text: &[u8], name: &Range<usize>) -> Option<Reference> {
    let start = before(text, name.start);
    if !begins_word(text, start) {
        return None;
    }
    let mut end = name.end;
    let preprocessing = take_role(text, &mut end) || start < name.start;
    let found = Reference { span: start..end, name: name.clone(), version: None, form: Form::File, preprocessing };
    match version_marker(text, end) {
        None => unversioned(text, found),
        Some(length) => pattern(text, end + length)
            .map(|far| Reference { span: start..far, form: Form::Pattern, ..found.clone() })
            .or_else(|| versioned(text, found, end + length)),
    }
}

/// Without a version it is a reference only if it has the ending of an artefact.
fn unversioned(text: &[u8], found: Reference) -> Option<Reference> {
    let (end, form) = ending(text, found.span.end)?;
    (form == Form::File).then_some(Reference { span: found.span.start..end, ..found })
}

fn versioned(text: &[u8], found: Reference, at: usize) -> Option<Reference> {
    let version = versions(text, at).find(|version| closes(text, version.end))?;
    let mut end = version.end;
    let preprocessing = take_role(text, &mut end) || found.preprocessing;
    let (end, form) =
        ending(text, end).or_else(|| ends_word(text, version.end).then_some((version.end, Form::Name)))?;
    Some(Reference { span: found.span.start..end, version: Some(version), form, preprocessing, ..found })
}

/// Where the file name begins: `preprocessing_` in front of the name belongs to it.
fn before(text: &[u8], name: usize) -> usize {
    let Some(&(b'_' | b'-')) = name.checked_sub(1).and_then(|at| text.get(at)) else { return name };
    let role = PREPROCESSING.iter().find(|role| text[..name - 1].ends_with(role));
    role.map_or(name, |role| name - 1 - role.len())
}

/// Passes `_preprocessing`.
fn take_role(text: &[u8], at: &mut usize) -> bool {
    let Some(b'_' | b'-') = text.get(*at) else { return false };
    let role = PREPROCESSING.iter().find(|role| text[*at + 1..].starts_with(role));
    *at += role.map_or(0, |role| role.len() + 1);
    role.is_some()
}

/// The length of `_v`, `-v` and so on.
fn version_marker(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..at + 2)? {
        [b'_' | b'-', b'v' | b'V'] => Some(2),
        _ => None,
    }
}

/// The version that begins at `at` and is followed by no letter or digit.
pub(super) fn version_at(text: &[u8], at: usize) -> Option<Range<usize>> {
    versions(text, at).find(|version| ends_word(text, version.end))
}

/// The versions that may begin at `at`, the longest first: `1.2-rc.1`, `1.2`, `1`.
fn versions(text: &[u8], at: usize) -> impl Iterator<Item = Range<usize>> {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest
        .iter()
        .take(MAX_VERSION_BYTES)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(byte))
        .count();
    let is_end = |end: &usize| {
        let cut = rest.get(*end).is_none_or(|byte| !byte.is_ascii_digit() || !rest[*end - 1].is_ascii_digit());
        cut && rest[*end - 1].is_ascii_alphanumeric() && is_version(&rest[..*end])
    };
    let ends: Vec<usize> = (1..=length).rev().filter(is_end).collect();
    ends.into_iter().map(move |end| at..at + end)
}

fn is_version(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let preview = text.split_once('-').is_none_or(|(_, preview)| is_preview(preview));
    bytes[0].is_ascii_digit() && preview && ModelVersion::parse(text).is_ok()
}

/// `rc.1`, `beta2`: any other word behind a hyphen is not part of the version.
fn is_preview(text: &str) -> bool {
    let word = text.trim_end_matches(|char: char| char.is_ascii_digit() || char == '.');
    ["alpha", "beta", "rc", "dev", "pre"].contains(&word)
}

/// Behind the ending of an artefact, and whether others have it too.
fn ending(text: &[u8], at: usize) -> Option<(usize, Form)> {
    let rest = text.get(at..)?;
    let known =
        |endings: &[&[u8]]| endings.iter().find(|ending| rest.starts_with(ending)).map(|ending| at + ending.len());
    let (end, form) = known(&BINARY_ENDINGS)
        .map(|end| (end, Form::File))
        .or_else(|| known(&TEXT_ENDINGS).map(|end| (end, Form::SharedEnding)))?;
    let packed = COMPRESSED.iter().find(|more| text[end..].starts_with(more) && ends_word(text, end + more.len()));
    let end = end + packed.map_or(0, |more| more.len());
    ends_word(text, end).then_some((end, form))
}

/// Behind a file name whose version is a variable: `{version}.pkl`, `$VERSION.pkl`, `%d.pkl`, `*.pkl`.
fn pattern(text: &[u8], at: usize) -> Option<usize> {
    if !matches!(text.get(at)?, b'{' | b'$' | b'%' | b'*' | b'<' | b'?') {
        return None;
    }
    let rest = &text[at..text.len().min(at + MAX_PATTERN_BYTES)];
    let stop = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"'\"`,;)".contains(byte));
    let dots = (0..stop.unwrap_or(rest.len())).filter(|&far| rest[far] == b'.');
    dots.filter_map(|far| ending(text, at + far)).find(|(_, form)| *form == Form::File).map(|(end, _)| end)
}

/// Whether a word may begin at `at`.
pub(super) fn begins_word(text: &[u8], at: usize) -> bool {
    let before = |far: usize| at.checked_sub(far).and_then(|at| text.get(at)).copied();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match before(1) {
        Some(b'-') => before(2).is_none_or(|byte| !is_word(byte)),
        Some(byte) => !is_word(byte),
        None => true,
    }
}

/// Whether a word may end before `at`: a full stop or hyphen after it may close a sentence.
pub(super) fn ends_word(text: &[u8], at: usize) -> bool {
    let after = |far: usize| text.get(at + far).copied();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match after(0) {
        Some(b'-') => after(1).is_none_or(|byte| !is_word(byte)),
        Some(b'.') => after(1).is_none_or(|byte| !byte.is_ascii_digit()),
        Some(byte) => !is_word(byte),
        None => true,
    }
}

/// Whether a version may end before `at`: at the end of the word, or where a role or an ending follows.
fn closes(text: &[u8], at: usize) -> bool {
    let mut end = at;
    ends_word(text, at) || (take_role(text, &mut end) && ending(text, end).is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The reference around the first `lightgbm`: text, version, form.
    fn reference(text: &str) -> Option<(&str, Option<&str>, Form)> {
        let at = text.find("lightgbm").unwrap();
        let found = read(text.as_bytes(), at..at + 8)?;
        Some((&text[found.span], found.version.map(|version| &text[version]), found.form))
    }

    #[test]
    fn every_form_is_read_to_its_end() {
        assert_eq!(reference("\"models/lightgbm_v1.pkl\""), Some(("lightgbm_v1.pkl", Some("1"), Form::File)));
        assert_eq!(reference("lightgbm_v1.pkl.gz"), Some(("lightgbm_v1.pkl.gz", Some("1"), Form::File)));
        assert_eq!(reference("lightgbm-v1.2.3.joblib"), Some(("lightgbm-v1.2.3.joblib", Some("1.2.3"), Form::File)));
        assert_eq!(
            reference("lightgbm_v2.0.0-rc.1.pkl"),
            Some(("lightgbm_v2.0.0-rc.1.pkl", Some("2.0.0-rc.1"), Form::File))
        );
        assert_eq!(reference("lightgbm_v1.json"), Some(("lightgbm_v1.json", Some("1"), Form::SharedEnding)));
        assert_eq!(reference("the lightgbm_v1."), Some(("lightgbm_v1", Some("1"), Form::Name)));
        assert_eq!(reference("lightgbm_V1.predict"), Some(("lightgbm_V1", Some("1"), Form::Name)));
        assert_eq!(reference("lightgbm@1.0"), Some(("lightgbm@1.0", Some("1.0"), Form::At)));
        assert_eq!(reference("lightgbm@v1"), Some(("lightgbm@v1", Some("1"), Form::At)));
        assert_eq!(
            reference("x/releases/lightgbm/1.0.0/model.pkl"),
            Some(("releases/lightgbm/1.0.0", Some("1.0.0"), Form::Release))
        );
        assert_eq!(reference("preprocessing_lightgbm.pkl"), Some(("preprocessing_lightgbm.pkl", None, Form::File)));
        assert_eq!(reference("lightgbm_scaler_v1.pkl"), Some(("lightgbm_scaler_v1.pkl", Some("1"), Form::File)));
        assert_eq!(reference("lightgbm_v1_scaler.pkl"), Some(("lightgbm_v1_scaler.pkl", Some("1"), Form::File)));
        assert_eq!(reference("f\"lightgbm_v{version}.pkl\""), Some(("lightgbm_v{version}.pkl", None, Form::Pattern)));
        assert_eq!(reference("--lightgbm_v1"), Some(("lightgbm_v1", Some("1"), Form::Name)));
    }

    #[test]
    fn other_words_are_none() {
        for text in [
            "my_lightgbm_v1",
            "my-lightgbm_v1",
            "xlightgbm_v1",
            "lightgbm",
            "lightgbm_v",
            "lightgbm_v1x",
            "lightgbm_v1_old",
            "lightgbm_v1-old",
            "lightgbm_1",
            "lightgbm==1.0",
            "lightgbm.py",
            "lightgbm@champion",
            "lightgbm_v1.2.3.4",
            "lightgbm_v01",
            "lightgbm@1x",
            "myreleases/lightgbm/1.0.0",
            "lightgbm/1.0.0",
            "lightgbm_v{version}.csv",
            "lightgbm.json",
            "lightgbm_value",
            "lightgbm_vs_naive.txt",
            "lightgbm_v1.7z",
        ] {
            assert_eq!(reference(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_holds_the_name(before in "[-_./@a-z0-9 ]{0,12}", after in "[-_./@a-zV0-9{}\\* ]{0,24}") {
            let text = format!("{before}lightgbm{after}");
            let at = text.find("lightgbm").unwrap();
            if let Some(found) = read(text.as_bytes(), at..at + 8) {
                prop_assert!(found.span.start <= at && found.span.end >= at + 8 && found.span.end <= text.len());
            }
        }
    }
}
