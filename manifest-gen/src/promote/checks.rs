//! What speaks against a promotion. Pure: from facts to objections.

use jiff::civil::DateTime;
use jiff::{SignedDuration, SpanRelativeTo, Timestamp, tz::TimeZone};
use shared::format::manifest::{Manifest, PREPROCESSING};
use shared::format::registry::{Action, GivenEvidence, Model};
use shared::format::verdict::{Decision, Verdict};
use shared::{Error, Result};

use crate::new::span;
use crate::new::verdict::decision;

/// Something that speaks against a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// In a sentence.
    pub text: String,
    /// Whether `--force` may overrule it: a judgement may be overruled, broken bytes may not.
    pub can_be_forced: bool,
}

impl Objection {
    /// A judgement, which `--force` overrules.
    pub fn judgement(text: impl Into<String>) -> Self {
        Self { text: text.into(), can_be_forced: true }
    }

    /// A broken fact, which nothing overrules.
    pub fn fact(text: impl Into<String>) -> Self {
        Self { text: text.into(), can_be_forced: false }
    }
}

/// What the verdict leaves to be desired. `unbound` collects what a policy accepts and the history keeps.
pub fn verdict(
    manifest: &Manifest,
    verdict: Option<&Verdict>,
    allow_unbound: bool,
    accepted: &mut Vec<String>,
) -> Vec<Objection> {
    let Some(verdict) = verdict else {
        return vec![Objection::judgement("the release has no verdict: `manifest-gen new --verdict FILE`")];
    };
    let mut objections = Vec::new();
    if verdict.decision != Decision::Promote {
        let why = verdict.reasons.first().map(|reason| format!(": {reason}")).unwrap_or_default();
        objections.push(Objection::judgement(format!("the verdict is {}{why}", decision(verdict))));
    }
    if !verdict.complete {
        objections.push(Objection::judgement(format!("the verdict is incomplete: {}", verdict.missing.join("; "))));
    }
    objections.extend(subject(manifest, verdict, allow_unbound, accepted));
    objections
}

/// Whether the verdict speaks about these bytes.
fn subject(manifest: &Manifest, verdict: &Verdict, allow_unbound: bool, accepted: &mut Vec<String>) -> Vec<Objection> {
    let mut objections = Vec::new();
    for subject in &verdict.subject {
        match manifest.artifact(&subject.role) {
            Some(artifact) if artifact.sha256 != subject.sha256 => objections.push(Objection::judgement(format!(
                "the verdict speaks about another {}: sha256 {} (the release has {})",
                subject.role, subject.sha256, artifact.sha256
            ))),
            Some(_) => {}
            None => objections.push(Objection::judgement(format!(
                "the verdict speaks about a {} that the release does not have",
                subject.role
            ))),
        }
    }
    let must_be_named = manifest.artifacts.iter().filter(|artifact| is_judged(&artifact.role));
    for artifact in must_be_named.filter(|artifact| verdict.subject.iter().all(|named| named.role != artifact.role)) {
        let text = format!(
            "the verdict does not say which {} it speaks about: bench-compare gate --about {}={}",
            artifact.role, artifact.role, artifact.source
        );
        if allow_unbound { accepted.push(text) } else { objections.push(Objection::judgement(text)) }
    }
    objections
}

/// The model and its preprocessing make the forecasts that are judged.
fn is_judged(role: &str) -> bool {
    role == shared::format::manifest::MODEL || role == PREPROCESSING
}

/// Whether the evidence is too old at `now`.
///
/// # Errors
/// [`Error::Usage`] if the span is none.
pub fn age(manifest: &Manifest, max_age: Option<&str>, now: Timestamp) -> Result<Option<Objection>> {
    let Some(text) = max_age else { return Ok(None) };
    let allowed = span_of(text)?;
    let Some((made, words)) = newest(manifest) else {
        return Ok(Some(Objection::judgement(format!(
            "the evidence does not say when it was made, and may be no older than {text}"
        ))));
    };
    let made_at = made.to_zoned(TimeZone::UTC).map_or(now, |zoned| zoned.timestamp());
    let old = now.duration_since(made_at);
    Ok((old > allowed).then(|| {
        let days = old.as_secs() / 86_400;
        Objection::judgement(format!("the evidence is {days} days old ({words}), and may be no older than {text}"))
    }))
}

/// Reads `90d`, `12w`, `36h`; days have 24 hours.
///
/// # Errors
/// [`Error::Usage`].
pub fn span_of(text: &str) -> Result<SignedDuration> {
    let usage = || Error::usage(format!("the span {text:?}"), "a positive span such as 90d, 12w or 36h");
    let span: jiff::Span = text.parse().map_err(|_| usage())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| usage())?;
    if duration.is_positive() { Ok(duration) } else { Err(usage()) }
}

/// The newest time that the evidence states: when a file was written, else the last time that was forecast.
fn newest(manifest: &Manifest) -> Option<(DateTime, String)> {
    let written = manifest.evidence.iter().filter_map(|evidence| {
        let text = evidence.time.as_deref()?;
        Some((span::time(text)?, format!("the {} was written {text}", evidence.kind)))
    });
    let last_target = || {
        let to = &manifest.gate.as_ref()?.span.as_ref()?.to;
        Some((span::time(to)?, format!("its last time is {to}")))
    };
    written.max_by_key(|(time, _)| *time).or_else(last_target)
}

/// Evidence that is asked for and absent, or that speaks against.
pub fn evidence(manifest: &Manifest, given: &[GivenEvidence], required: &[String]) -> Vec<Objection> {
    let has = |kind: &String| given.iter().any(|evidence| evidence.kind == *kind) || manifest.evidence(kind).is_some();
    let absent = required.iter().filter(|kind| !has(kind)).map(|kind| {
        Objection::judgement(format!("evidence of the kind {kind:?} is asked for and absent: --evidence {kind}=FILE"))
    });
    let failed = given.iter().filter(|evidence| !evidence.passed).map(|evidence| {
        Objection::judgement(format!("the evidence {:?} speaks against it: {}", evidence.kind, evidence.summary))
    });
    absent.chain(failed).collect()
}

/// Whether the registry knows the version with other bytes, or has withdrawn it.
pub fn registered(
    model: Option<&Model>,
    number: &str,
    manifest_sha256: &str,
    signature_sha256: Option<&str>,
) -> Vec<Objection> {
    let Some(entry) = model.and_then(|model| model.versions.get(number)) else { return Vec::new() };
    let mut objections = Vec::new();
    if let Some(yanked) = &entry.yanked {
        objections.push(Objection::fact(format!("{number} was yanked at {}: {}", yanked.at, yanked.reason)));
    }
    if entry.manifest_sha256 != manifest_sha256 {
        objections.push(Objection::fact(format!(
            "{number} is registered with the manifest {}, and the release has {manifest_sha256}",
            entry.manifest_sha256
        )));
    }
    if entry.signature_sha256.as_deref() != signature_sha256 {
        objections.push(Objection::fact(format!(
            "{number} is registered with {}, and the release has {}: sign before the first promotion",
            signature_words(entry.signature_sha256.as_deref()),
            signature_words(signature_sha256)
        )));
    }
    objections
}

fn signature_words(sha256: Option<&str>) -> String {
    sha256.map_or_else(|| "no signature".to_owned(), |sha256| format!("the signature {sha256}"))
}

/// Whether the alias points where the caller thinks, or pointed there when this `version` took it: a command that is given again,
/// since nobody heard its answer, has done what it says.
///
/// # Errors
/// [`Error::Usage`] if the expected version is none.
pub fn expected(model: Option<&Model>, alias: &str, version: &str, expect: Option<&str>) -> Result<Option<Objection>> {
    let Some(expect) = expect else { return Ok(None) };
    let wanted = match expect {
        "none" => None,
        text => Some(crate::version::ModelVersion::parse(text)?.semver.to_string()),
    };
    let found = model.and_then(|model| model.aliases.get(alias));
    let is_so = found == wanted.as_ref() || is_done(model, alias, version, wanted.as_ref());
    let words = |version: Option<&String>| version.map_or_else(|| "no version".to_owned(), Clone::clone);
    Ok((!is_so)
        .then(|| Objection::fact(format!("{alias} points at {}, not at {}", words(found), words(wanted.as_ref())))))
}

/// Whether the last that happened to the alias is that this version was promoted over that one.
fn is_done(model: Option<&Model>, alias: &str, version: &str, over: Option<&String>) -> bool {
    let last = model.and_then(|model| model.history.iter().rfind(|event| event.alias.as_deref() == Some(alias)));
    last.is_some_and(|last| last.action == Action::Promote && last.version == version && last.previous.as_ref() == over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_positive_and_have_units() {
        assert_eq!(span_of("2w").unwrap(), SignedDuration::from_hours(336));
        assert_eq!(span_of("36h").unwrap(), SignedDuration::from_hours(36));
        for text in ["", "90", "-3d", "0d", "soon"] {
            assert!(span_of(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_version_that_was_yanked_or_changed_is_refused_for_good() {
        let entry = |yanked| {
            let text = format!(
                r#"{{"file_version":"1","release":"r","manifest_sha256":"aa","signature_sha256":null,"metadata":"m",
                "artifacts":[],"features":[],"cadence":null,"frequency":null,"horizon":null,"metrics":[],"gate":null,
                "promoted_at":"t","yanked":{yanked}}}"#
            );
            let mut model = Model::default();
            model.versions.insert("1.0.0".into(), serde_json::from_str(&text).unwrap());
            model
        };
        let clean = entry("null");
        assert!(registered(Some(&clean), "1.0.0", "aa", None).is_empty());
        assert!(!registered(Some(&clean), "1.0.0", "bb", None)[0].can_be_forced);
        assert!(!registered(Some(&clean), "1.0.0", "aa", Some("s"))[0].can_be_forced);
        let yanked = entry(r#"{"at":"t","reason":"leak"}"#);
        assert!(registered(Some(&yanked), "1.0.0", "aa", None)[0].text.contains("leak"));
        assert!(registered(None, "1.0.0", "aa", None).is_empty());
    }

    #[test]
    fn the_alias_must_point_where_the_caller_thinks() {
        let mut model = Model::default();
        model.aliases.insert("champion".into(), "1.0.0".into());
        assert!(expected(Some(&model), "champion", "3.0.0", Some("1")).unwrap().is_none());
        assert!(expected(Some(&model), "champion", "3.0.0", Some("2")).unwrap().is_some());
        assert!(expected(Some(&model), "champion", "3.0.0", Some("none")).unwrap().is_some());
        assert!(expected(None, "champion", "3.0.0", Some("none")).unwrap().is_none());
    }
}
