//! The verdict in short, as manifest and registry carry it.

use std::path::Path;

use shared::config::Config;
use shared::digest;
use shared::format::manifest::{GateSummary, Window};
use shared::format::verdict::{self, EvidenceKind, GateKind, Verdict};
use shared::{Error, Place, Result};

use super::span::TestStart;

/// Reads the verdict that the user calls `path`.
pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Verdict> {
    let verdict: Verdict = serde_json::from_slice(bytes).map_err(|error| {
        let place = Place::at(path, error.line() as u64, error.column() as u64);
        let text = error.to_string();
        let found = text.split(" at line ").next().unwrap_or_default().to_owned();
        Error::input(place, found, "a verdict, as `bench-compare gate --json` writes it")
    })?;
    match verdict.schema == verdict::SCHEMA {
        true => Ok(verdict),
        false => Err(Error::input(
            Place::file(path),
            format!("\"schema\" is {:?}", verdict.schema),
            format!("{:?}", verdict::SCHEMA),
        )),
    }
}

/// Why the verdict speaks about another model, if so.
pub(super) fn other_candidate(verdict: &Verdict, name: &str, model_name: &str, config: &Config) -> Option<String> {
    let is_it = [name, model_name].iter().any(|known| config.same(&verdict.candidate, known));
    (!is_it).then(|| {
        format!(
            "the verdict judges {:?}, not {model_name:?}: --model-name or [models.{name}] in promotion.toml says what the \
             evidence calls the model",
            verdict.candidate
        )
    })
}

/// When the evidence of the verdict begins, where it says so.
pub(super) fn start(verdict: &Verdict) -> Option<TestStart> {
    let (first, _) = verdict.evidence.span.clone()?;
    match verdict.evidence.kind {
        EvidenceKind::Forecasts => Some(TestStart::Target(first)),
        EvidenceKind::Benchmark => Some(TestStart::Cutoff(first)),
        EvidenceKind::Results => None,
    }
}

/// What manifest and registry say of it.
pub(super) fn summary(verdict: &Verdict, bytes: &[u8]) -> GateSummary {
    let primary = verdict.gates.iter().find(|gate| gate.kind != GateKind::Evidence);
    let mut slices: Vec<String> = verdict.gates.iter().filter_map(|gate| gate.slice.clone()).collect();
    slices.dedup();
    GateSummary {
        decision: decision(verdict),
        metric: verdict.metric.clone(),
        baselines: verdict.baselines.clone(),
        estimate: primary.and_then(|gate| gate.estimate),
        interval: primary.and_then(|gate| gate.interval),
        slices,
        span: verdict.evidence.span.clone().map(|(from, to)| Window { from, to }),
        verdict_sha256: digest::of_bytes(bytes),
    }
}

/// The decision as the file writes it.
pub(crate) fn decision(verdict: &Verdict) -> String {
    let value = serde_json::to_value(verdict.decision).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
