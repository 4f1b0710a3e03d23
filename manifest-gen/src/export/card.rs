//! The model card of a release: Markdown that passes markdownlint's defaults, with the YAML front matter of Hugging Face.
//!
//! Texts of the manifest stand in code spans, so that nothing in them is taken for markup; lines are filled to 80 columns.

use shared::format::manifest::{Artifact, Evidence, Manifest, Metric};
use shared::format::registry::Version;

/// The widest line, unless a single word is wider.
const WIDTH: usize = 80;

/// The longest code span of several words; with its marks and an indentation it fits a line.
const PIECE: usize = 70;

/// The text of the card; `version` is the registry's entry of the release, if it was promoted.
pub fn text(manifest: &Manifest, version: Option<&Version>) -> String {
    let mut card = Card { text: front_matter(manifest) };
    card.block(&format!("# {} {}", code(&manifest.name), manifest.version));
    card.paragraph(&summary(manifest, version));
    card.section("Artefacts", &manifest.artifacts.iter().map(artifact).collect::<Vec<_>>());
    card.section("Training", &training(manifest));
    card.section("Inputs and outputs", &contract(manifest));
    card.section("Metrics", &manifest.metrics.iter().map(metric).collect::<Vec<_>>());
    card.section("Gate", &gate(manifest));
    card.section("Evidence", &manifest.evidence.iter().map(evidence).collect::<Vec<_>>());
    card.section("Provenance", &provenance(manifest, version));
    card.section("Notes", &manifest.notes.iter().map(|note| code(note)).collect::<Vec<_>>());
    card.text
}

/// A card in the making.
struct Card {
    text: String,
}

impl Card {
    fn block(&mut self, block: &str) {
        self.text.push('\n');
        self.text.push_str(block);
        self.text.push('\n');
    }

    fn paragraph(&mut self, sentence: &str) {
        self.block(&filled(sentence, "", ""));
    }

    /// A heading and a list; nothing if there is nothing to list.
    fn section(&mut self, heading: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.block(&format!("## {heading}"));
        let items: Vec<String> = items.iter().map(|item| filled(item, "- ", "  ")).collect();
        self.block(&items.join("\n"));
    }
}

/// Words in lines of at most [`WIDTH`] columns. What stands between backticks is one word.
pub(crate) fn filled(text: &str, first: &str, rest: &str) -> String {
    let mut lines = vec![first.to_owned()];
    let mut is_empty = true;
    for word in words(text) {
        let width = lines.last().map_or(0, |line| line.chars().count());
        if !is_empty && width + 1 + word.chars().count() > WIDTH {
            lines.push(rest.to_owned());
            is_empty = true;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if is_empty { "" } else { " " });
            line.push_str(&word);
        }
        is_empty = false;
    }
    lines.join("\n")
}

fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut in_code = false;
    for char in text.chars() {
        in_code ^= char == '`';
        match char == ' ' && !in_code {
            true => words.push(String::new()),
            false => words.last_mut().into_iter().for_each(|word| word.push(char)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A text as it stands, on one line. Code that is too long for a line is cut into pieces, so that lines can break.
pub(crate) fn code(text: &str) -> String {
    let clean = text.replace('`', "'").split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.chars().count() {
        0 => "(empty)".to_owned(),
        1..=PIECE => format!("`{clean}`"),
        _ => pieces(&clean).iter().map(|piece| format!("`{piece}`")).collect::<Vec<_>>().join(" "),
    }
}

/// A long text in pieces of whole words; a word stays whole.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in text.split(' ') {
        match pieces.last_mut() {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) if last.chars().count() + word.chars().count() < PIECE => {
                last.push(' ');
                last.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

fn summary(manifest: &Manifest, version: Option<&Version>) -> String {
    let dataset = manifest.dataset.as_ref().map(|dataset| format!(" on {}", code(dataset))).unwrap_or_default();
    let promoted = match version {
        Some(Version { yanked: Some(yanked), .. }) => {
            format!(" It was yanked at {} and must not be used: {}.", code(&yanked.at), code(&yanked.reason))
        }
        Some(version) => format!(" It was first promoted at {}.", code(&version.promoted_at)),
        None => " It has not been promoted.".to_owned(),
    };
    format!("Forecasting model, called {} in its evidence{dataset}.{promoted}", code(&manifest.model_name))
}

fn artifact(artifact: &Artifact) -> String {
    let Artifact { role, path, bytes, sha256, format, .. } = artifact;
    format!("{}: {}, {}, {bytes} bytes, SHA-256 {}", code(role), code(path), code(format), code(sha256))
}

fn evidence(evidence: &Evidence) -> String {
    let Evidence { kind, path, sha256, time, .. } = evidence;
    let time = time.as_ref().map(|time| format!(" of {}", code(time))).unwrap_or_default();
    format!("{}{time}: {}, SHA-256 {}", code(kind), code(path), code(sha256))
}

fn training(manifest: &Manifest) -> Vec<String> {
    let training = &manifest.training;
    let window = training.window.iter().map(|window| format!("Window: {} to {}", code(&window.from), code(&window.to)));
    let refitted =
        training.refitted.then(|| "Fitted anew after the evidence was gathered, which is of the procedure".to_owned());
    let coverage = training.coverage.iter().map(|coverage| {
        let missing = 100.0 * coverage.missing_ratio;
        format!("Coverage: {} series, {} rows, {missing:.2} % without a target", coverage.series, coverage.rows)
    });
    let data = training
        .data
        .iter()
        .map(|file| format!("Data: {}, {} bytes, SHA-256 {}", code(&file.path), file.bytes, code(&file.sha256)));
    window.chain(refitted).chain(coverage).chain(data).collect()
}

fn contract(manifest: &Manifest) -> Vec<String> {
    let horizon = manifest.horizon.map(|horizon| format!("Horizon: {} to {} steps ahead", horizon.from, horizon.to));
    let said = |what: &str, text: &Option<String>| text.as_ref().map(|text| format!("{what}: {}", code(text)));
    let facts = [
        horizon,
        said("Frequency", &manifest.frequency),
        said("Cadence", &manifest.cadence),
        said("Time zone", &manifest.time_zone),
    ];
    let feature = |feature: &shared::format::manifest::Feature| match &feature.kind {
        Some(kind) => format!("{} ({})", code(&feature.name), code(kind)),
        None => code(&feature.name),
    };
    let features = manifest.features.iter().map(feature).collect::<Vec<_>>().join(", ");
    let features = Some(format!("Features, in order: {features}")).filter(|_| !manifest.features.is_empty());
    let steps = manifest.scaling.iter().map(|step| format!("Scaling: {}", code(&step.to_string())));
    facts.into_iter().chain([features]).flatten().chain(steps).collect()
}

fn metric(metric: &Metric) -> String {
    let interval = metric.interval.map(|[lower, upper]| format!(" [{lower}, {upper}]")).unwrap_or_default();
    let rows = metric.n.map(|n| format!(", {n} rows")).unwrap_or_default();
    let parts = [&metric.dataset, &metric.window].into_iter().flatten().map(|part| code(part)).collect::<Vec<_>>();
    let of = if parts.is_empty() { String::new() } else { format!(" on {}", parts.join(", ")) };
    format!("{}: {}{interval}{of}{rows}", code(&metric.name), metric.value)
}

fn gate(manifest: &Manifest) -> Vec<String> {
    let Some(gate) = &manifest.gate else { return Vec::new() };
    let baselines = gate.baselines.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ");
    let interval = gate.interval.map(|[lower, upper]| format!(" [{lower}, {upper}]")).unwrap_or_default();
    let estimate = gate.estimate.map(|estimate| format!("Effect on {}: {estimate}{interval}", code(&gate.metric)));
    let slices = gate.slices.iter().map(|slice| code(slice)).collect::<Vec<_>>().join(", ");
    let slices = Some(format!("Slices: {slices}")).filter(|_| !gate.slices.is_empty());
    let span = gate.span.as_ref().map(|span| format!("Tested on {} to {}", code(&span.from), code(&span.to)));
    let decision = format!("Decision: {}, against {baselines}", code(&gate.decision));
    [Some(decision), estimate, span, slices].into_iter().flatten().collect()
}

fn provenance(manifest: &Manifest, version: Option<&Version>) -> Vec<String> {
    let code_line = manifest.code.as_ref().map(|commit| {
        let state = if commit.dirty { ", with changes that are in no commit" } else { "" };
        format!("Training code: commit {}{state}", code(&commit.commit))
    });
    let manifest_line = version.map(|version| format!("Manifest: SHA-256 {}", code(&version.manifest_sha256)));
    let signature = version.and_then(|version| version.signature_sha256.as_ref());
    let signature = signature.map(|sha256| format!("Signature: SHA-256 {}", code(sha256)));
    let verify =
        format!("Check it: {}", code(&format!("manifest-gen verify {} {}", manifest.name, manifest.file_version)));
    [code_line, manifest_line, signature, Some(verify)].into_iter().flatten().collect()
}

/// A text in YAML, where JSON texts are texts.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn front_matter(manifest: &Manifest) -> String {
    let library = library(manifest).map(|library| format!("library_name: {}\n", yaml(library))).unwrap_or_default();
    let tags = "tags:\n  - time-series-forecasting\n  - forecast-promotion\n";
    format!("---\n{library}pipeline_tag: time-series-forecasting\n{tags}{}---\n", model_index(manifest))
}

/// The results as Hugging Face lists them.
fn model_index(manifest: &Manifest) -> String {
    if manifest.metrics.is_empty() {
        return String::new();
    }
    let results: String = manifest.metrics.iter().map(|metric| result(manifest, metric)).collect();
    format!("model-index:\n  - name: {}\n    results:\n{results}", yaml(&manifest.name))
}

fn result(manifest: &Manifest, metric: &Metric) -> String {
    let dataset = yaml(metric.dataset.as_deref().or(manifest.dataset.as_deref()).unwrap_or("unknown"));
    let name = yaml(&metric.name);
    format!(
        "      - task:\n          type: time-series-forecasting\n        dataset:\n          type: {dataset}\n          \
         name: {dataset}\n        metrics:\n          - type: {name}\n            name: {name}\n            value: {}\n",
        serde_json::Value::from(metric.value),
    )
}

fn library(manifest: &Manifest) -> Option<&'static str> {
    let globals = &manifest.artifact(shared::format::manifest::MODEL)?.globals;
    let known =
        [("lightgbm.", "lightgbm"), ("xgboost.", "xgboost"), ("catboost.", "catboost"), ("sklearn.", "sklearn")];
    let found = known.iter().find(|(package, _)| globals.iter().any(|global| global.starts_with(package)));
    found.map(|(_, library)| *library)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sample;

    #[test]
    fn lines_are_filled_and_code_is_not_broken() {
        let text = filled(&format!("a {} b", code(&"x".repeat(64))), "- ", "  ");
        assert_eq!(text, format!("- a `{}` b", "x".repeat(64)));
        let text = filled(&"word ".repeat(40), "- ", "  ");
        assert!(text.lines().all(|line| line.len() <= WIDTH) && text.lines().count() == 3, "{text}");
    }

    #[test]
    fn texts_of_the_manifest_are_no_markup() {
        let mut manifest = sample::manifest();
        manifest.notes = vec!["<b>`x`</b>\n# not a heading | _no_ *emphasis*".to_owned()];
        let card = text(&manifest, None);
        assert!(card.ends_with("## Notes\n\n- `<b>'x'</b> # not a heading | _no_ *emphasis*`\n"), "{card}");
    }

    #[test]
    fn a_card_says_what_is_known() {
        let card = text(&sample::manifest(), Some(&sample::version()));
        for part in
            ["# `lightgbm` 2.0.0", "first promoted at `2026-01-05T00:00:00Z`", "`mape`: 0.25 [0.2, 0.3] on `walmart`"]
        {
            assert!(card.contains(part), "{part} in {card}");
        }
        let long: Vec<&str> = card.lines().filter(|line| line.chars().count() > WIDTH).collect();
        assert!(long.iter().all(|line| line.split_whitespace().count() <= 2), "{long:?}");
        let yanked = Version {
            yanked: Some(shared::format::registry::Yanked { at: "now".to_owned(), reason: "leak".to_owned() }),
            ..sample::version()
        };
        assert!(text(&sample::manifest(), Some(&yanked)).contains("must not be used: `leak`"));
    }
}
