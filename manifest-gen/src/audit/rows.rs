//! The rows of the checklist. Pure: from facts to answers.

use shared::format::manifest::{MODEL, PREPROCESSING};
use shared::format::registry::GivenEvidence;

use crate::verify;

use super::facts::{Facts, Script};
use super::{Answer, Proof, Row};

/// All rows, in the order of the steps.
pub(super) fn all(facts: &Facts) -> Vec<Row> {
    let rows: [fn(&Facts) -> Row; 18] = [
        benchmark,
        tracked,
        script,
        package,
        manifest,
        pickles,
        integrity,
        registered,
        readme,
        requirements,
        consumers,
        tests,
        lint,
        wins,
        fresh,
        slices,
        monitoring,
        rebenchmark,
    ];
    rows.iter().map(|row| row(facts)).collect()
}

/// The frame of a row; what is missing makes it fail.
fn row(facts: &Facts, step: u8, name: &'static str, question: &'static str, command: &str, found: Found) -> Row {
    let (answer, reason, evidence) = match found {
        Found::Pass(reason, evidence) => (Answer::Pass, reason, evidence),
        Found::Fail(reason, evidence) => (Answer::Fail, reason, evidence),
        Found::NotApplicable(reason) => (Answer::NotApplicable, reason, Vec::new()),
    };
    let command = command.replace("NAME", &facts.manifest.name).replace("VERSION", &facts.manifest.file_version);
    let command = command.replace("REFERENCE", &facts.reference);
    Row { step, row: name, question, answer, required: true, reason, evidence, command }
}

/// What a row found.
enum Found {
    Pass(String, Vec<Proof>),
    Fail(String, Vec<Proof>),
    NotApplicable(String),
}

fn place(place: impl Into<String>) -> Proof {
    Proof { place: place.into(), sha256: None }
}

fn file(place: impl Into<String>, sha256: &str) -> Proof {
    Proof { place: place.into(), sha256: Some(sha256.to_owned()) }
}

/// The manifest itself, which names everything else by digest.
fn the_manifest(facts: &Facts) -> Proof {
    file(facts.manifest_path.clone(), &facts.manifest_sha256)
}

/// A piece of evidence of the release.
fn kept(facts: &Facts, kind: &str) -> Option<Proof> {
    let evidence = facts.manifest.evidence(kind)?;
    Some(file(format!("{}/{}", facts.release, evidence.path), &evidence.sha256))
}

fn benchmark(facts: &Facts) -> Row {
    let found = match kept(facts, "benchmark") {
        Some(proof) if !facts.manifest.metrics.is_empty() => {
            let report = kept(facts, "report");
            Found::Pass(
                format!("{} metrics were copied from it", facts.manifest.metrics.len()),
                [Some(proof), report].into_iter().flatten().collect(),
            )
        }
        _ => Found::Fail("the release has no benchmark results: new --benchmark FILE".into(), Vec::new()),
    };
    row(facts, 1, "benchmark", "benchmark results are part of the release", "manifest-gen verify NAME VERSION", found)
}

fn tracked(facts: &Facts) -> Row {
    let has_metrics = !facts.manifest.metrics.is_empty();
    let found = match (facts.has_parameters, has_metrics) {
        (true, true) => Found::Pass(
            "parameters, metrics and artefacts are in the release, by digest".into(),
            kept(facts, "benchmark").into_iter().chain([the_manifest(facts)]).collect(),
        ),
        (false, true) => Found::Fail("the benchmark rows state no parameters (\"params\")".into(), Vec::new()),
        _ => Found::Fail("no metrics are on record".into(), Vec::new()),
    };
    row(
        facts,
        1,
        "tracked",
        "parameters, metrics and artefacts are tracked",
        "manifest-gen diff NAME OLD VERSION",
        found,
    )
}

fn script(facts: &Facts) -> Row {
    let bad: Vec<String> = facts.training_code.iter().filter_map(fault).collect();
    let found = match &facts.manifest.code {
        None => Found::Fail("the manifest names no commit of the training code".into(), vec![the_manifest(facts)]),
        Some(code) if code.dirty => {
            Found::Fail(format!("commit {} had changes that are in no commit", code.commit), vec![the_manifest(facts)])
        }
        Some(_) if facts.training_code.is_empty() => {
            Found::Fail("nobody said which scripts train the model: --training-code FILE".into(), Vec::new())
        }
        Some(_) if !bad.is_empty() => Found::Fail(bad.join("; "), paths(&facts.training_code)),
        Some(code) => Found::Pass(format!("committed scripts at {}", code.commit), paths(&facts.training_code)),
    };
    row(facts, 1, "training-code", "the training code is a versioned script, not a notebook", "git log -1", found)
}

fn fault(script: &Script) -> Option<String> {
    let path = script.path.display();
    match () {
        () if !script.exists => Some(format!("{path} is not there")),
        () if script.is_notebook => Some(format!("{path} is a notebook")),
        () if !script.is_committed => Some(format!("{path} is not committed as it stands")),
        () => None,
    }
}

fn paths(scripts: &[Script]) -> Vec<Proof> {
    scripts.iter().map(|script| place(script.path.display().to_string())).collect()
}

fn package(facts: &Facts) -> Row {
    let artifact = |role: &str| {
        let artifact = facts.manifest.artifact(role)?;
        Some(file(format!("{}/{}", facts.release, artifact.path), &artifact.sha256))
    };
    let found = match (artifact(MODEL), artifact(PREPROCESSING)) {
        (Some(model), Some(preprocessing)) => {
            Found::Pass("model and preprocessing travel together".into(), vec![model, preprocessing])
        }
        (Some(model), None) => Found::Pass("released as self-contained".into(), vec![model]),
        (None, _) => Found::Fail("the release has no model".into(), Vec::new()),
    };
    row(
        facts,
        2,
        "package",
        "estimator and preprocessing are saved together",
        "manifest-gen resolve REFERENCE --json",
        found,
    )
}

fn manifest(facts: &Facts) -> Row {
    let manifest = &facts.manifest;
    let missing = absent(&[
        ("the training window", manifest.training.window.is_some()),
        ("data digests", !manifest.training.data.is_empty()),
        ("metrics", !manifest.metrics.is_empty()),
        ("features", !manifest.features.is_empty()),
    ]);
    let all_there = match manifest.training.refitted {
        false => "training window, data, metrics and features are stated",
        true => {
            "training window, data, metrics and features are stated; fitted anew after the evidence, which is of the procedure"
        }
    };
    let found = stated(missing, all_there, facts);
    row(
        facts,
        2,
        "manifest",
        "training window, metrics and feature set are on record",
        "manifest-gen verify NAME VERSION",
        found,
    )
}

fn absent(parts: &[(&'static str, bool)]) -> Vec<&'static str> {
    parts.iter().filter(|(_, is_there)| !is_there).map(|(name, _)| *name).collect()
}

fn stated(missing: Vec<&str>, all_there: &str, facts: &Facts) -> Found {
    match missing.is_empty() {
        true => Found::Pass(all_there.to_owned(), vec![the_manifest(facts)]),
        false => Found::Fail(format!("the manifest does not state {}", missing.join(", ")), vec![the_manifest(facts)]),
    }
}

fn pickles(facts: &Facts) -> Row {
    let found = match facts.pickles.is_empty() {
        true => Found::Pass(
            "every artefact was read to its end, and imports only what is allowed".into(),
            vec![the_manifest(facts)],
        ),
        false => Found::Fail(facts.pickles.join("; "), Vec::new()),
    };
    row(facts, 2, "scan", "loading the artefacts runs no foreign code", "manifest-gen scan", found)
}

fn integrity(facts: &Facts) -> Row {
    let failed: Vec<String> = facts
        .checks
        .iter()
        .filter(|check| check.answer == verify::Answer::Failed || is_unknown_signature(facts, check))
        .map(|check| format!("{}: {}", check.check, check.details.join("; ")))
        .collect();
    let found = match failed.is_empty() {
        true => Found::Pass("files, copies, registry entry and signature agree".into(), vec![the_manifest(facts)]),
        false => Found::Fail(failed.join("; "), vec![the_manifest(facts)]),
    };
    row(
        facts,
        2,
        "integrity",
        "the release is, byte for byte, what was promoted",
        "manifest-gen verify NAME VERSION",
        found,
    )
}

/// A signature that a policy asks for, and that nobody could check.
fn is_unknown_signature(facts: &Facts, check: &verify::Check) -> bool {
    facts.signature_required && check.answer == verify::Answer::Unknown
}

fn registered(facts: &Facts) -> Row {
    let found = match &facts.promoted {
        _ if !facts.registry_faults.is_empty() => {
            Found::Fail(facts.registry_faults.join("; "), vec![place(facts.registry.clone())])
        }
        None => Found::Fail("no event of the history promoted it".into(), vec![place(facts.registry.clone())]),
        Some((number, event)) => {
            let forced = event.forced.as_ref().map(|why| format!("; FORCED: {why}")).unwrap_or_default();
            let text = format!("event {number}: by {} at {}{forced}", event.by, event.at);
            Found::Pass(text, vec![file(facts.registry.clone(), &event.sha256)])
        }
    };
    row(
        facts,
        3,
        "registry",
        "the registry leads from its name to artefacts and version",
        "manifest-gen resolve REFERENCE --verify",
        found,
    )
}

fn readme(facts: &Facts) -> Row {
    let found = match &facts.readme {
        None => Found::Fail("no README is kept up to date: --readme FILE".into(), Vec::new()),
        Some((path, stale)) if stale.is_empty() => Found::Pass(
            "the README and what else is derived are current".into(),
            vec![place(path.display().to_string())],
        ),
        Some((_, stale)) => Found::Fail(
            "not current: `manifest-gen render` writes it".into(),
            stale.iter().map(|path| place(path.display().to_string())).collect(),
        ),
    };
    row(
        facts,
        3,
        "readme",
        "the README shows metrics and data coverage, and is current",
        "manifest-gen render --check",
        found,
    )
}

fn requirements(facts: &Facts) -> Row {
    let manifest = &facts.manifest;
    let missing = absent(&[
        ("the order of the features", !manifest.features.is_empty()),
        ("the scaling steps", !manifest.scaling.is_empty() || manifest.artifact(PREPROCESSING).is_none()),
        ("the cadence", manifest.cadence.is_some()),
        ("the horizon", manifest.horizon.is_some()),
    ]);
    let found = stated(missing, "feature order, scaling steps, cadence and horizon are stated", facts);
    row(
        facts,
        3,
        "inference",
        "what inference requires is on record",
        "manifest-gen check-request REFERENCE request.json",
        found,
    )
}

fn consumers(facts: &Facts) -> Row {
    let found = match facts.stale.is_empty() {
        true => Found::Pass(format!("{} files name no version that is left behind", facts.looked_at), Vec::new()),
        false => Found::Fail(
            format!("{} references to versions that are left behind", facts.stale.len()),
            facts.stale.iter().map(place).collect(),
        ),
    };
    row(facts, 4, "consumers", "API, dashboard and batch jobs name no old version", "manifest-gen stale .", found)
}

fn tests(facts: &Facts) -> Row {
    let found = given(facts, "tests");
    row(
        facts,
        5,
        "tests",
        "the tests ran and passed",
        "manifest-gen promote NAME VERSION --evidence tests=junit.xml",
        found,
    )
}

fn lint(facts: &Facts) -> Row {
    let found = given(facts, "lint");
    row(
        facts,
        5,
        "lint",
        "the linters ran and passed",
        "manifest-gen promote NAME VERSION --evidence lint=lint.log",
        found,
    )
}

/// Evidence that came with the promotion.
fn given(facts: &Facts, kind: &str) -> Found {
    let folder = facts.registry.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    let proof = |given: &GivenEvidence| vec![file(format!("{folder}{}", given.path), &given.sha256)];
    let found = facts.promoted.as_ref().and_then(|(_, event)| event.evidence.iter().find(|given| given.kind == kind));
    match found {
        Some(given) if given.passed => Found::Pass(given.summary.clone(), proof(given)),
        Some(given) => Found::Fail(given.summary.clone(), proof(given)),
        None => Found::Fail(format!("no evidence came with the promotion: --evidence {kind}=FILE"), Vec::new()),
    }
}

fn wins(facts: &Facts) -> Row {
    let proof = || kept(facts, "verdict").into_iter().collect::<Vec<_>>();
    let reason = facts.verdict.as_ref().and_then(|verdict| verdict.reasons.first().cloned()).unwrap_or_default();
    let found = match facts.verdict_objections.is_empty() {
        true => Found::Pass(reason, proof()),
        false => Found::Fail(facts.verdict_objections.join("; "), proof()),
    };
    row(facts, 5, "wins", "it wins against its baselines, on these bytes", "bench-compare gate", found)
}

fn fresh(facts: &Facts) -> Row {
    let found = match &facts.age {
        None => Found::NotApplicable("no age is set: --max-evidence-age SPAN".into()),
        Some((max_age, None)) => Found::Pass(format!("no older than {max_age}"), Vec::new()),
        Some((_, Some(objection))) => Found::Fail(objection.clone(), Vec::new()),
    };
    row(facts, 5, "fresh", "the evidence is not stale", "manifest-gen audit REFERENCE --max-evidence-age 90d", found)
}

fn slices(facts: &Facts) -> Row {
    let gated = facts.manifest.gate.as_ref().map(|gate| gate.slices.clone()).unwrap_or_default();
    let missing: Vec<&String> =
        facts.required_slices.iter().filter(|word| !gated.iter().any(|slice| slice.contains(*word))).collect();
    let proof = kept(facts, "verdict").into_iter().collect();
    let words: Vec<&str> = missing.iter().map(|word| word.as_str()).collect();
    let found = match words.as_slice() {
        [] => Found::Pass(format!("gated: {}", gated.join("; ")), proof),
        words => Found::Fail(format!("no gated slice has {}", words.join(", ")), proof),
    };
    row(facts, 5, "slices", "holidays and cold starts were gated", "bench-compare gate --slice PREDICATE", found)
}

fn monitoring(facts: &Facts) -> Row {
    let profile = kept(facts, "profile");
    let found = match (&facts.monitored_at, profile) {
        (Some(at), Some(profile)) => {
            Found::Pass("live accuracy is watched against its profile".into(), vec![place(at.clone()), profile])
        }
        (None, _) => Found::Fail("no table [drift-watch] of promotion.toml names the model".into(), config(facts)),
        (Some(at), None) => {
            Found::Fail("the release carries no profile: new --profile FILE".into(), vec![place(at.clone())])
        }
    };
    row(facts, 6, "monitoring", "live accuracy of this model is watched", "drift-watch check", found)
}

fn rebenchmark(facts: &Facts) -> Row {
    let found = match &facts.scheduled_at {
        Some(at) => Found::Pass("a re-benchmark is scheduled".into(), vec![place(at.clone())]),
        None => Found::Fail("no table [rebench-cron] of promotion.toml names the model".into(), config(facts)),
    };
    row(facts, 6, "re-benchmark", "a weekly or monthly re-benchmark is scheduled", "rebench-cron check", found)
}

fn config(facts: &Facts) -> Vec<Proof> {
    facts.config.iter().map(|path| place(path.display().to_string())).collect()
}
