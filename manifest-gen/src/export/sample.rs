//! A release with something in every field, for the tests of this crate.

use shared::format::input::Tool;
use shared::format::manifest::{
    Artifact, Code, Coverage, DataFile, Evidence, Feature, GateSummary, Horizon, MIN_READER, Manifest, Metric, SCHEMA,
    Training, Window,
};
use shared::format::registry;

fn text(text: &str) -> String {
    text.to_owned()
}

fn artifact(role: &str, path: &str, globals: &[&str]) -> Artifact {
    Artifact {
        role: text(role),
        path: text(path),
        published: path.to_owned(),
        source: format!("models/{path}"),
        bytes: 12,
        sha256: "a".repeat(64),
        format: text("pickle"),
        globals: globals.iter().map(|global| text(global)).collect(),
    }
}

fn evidence(kind: &str, path: &str) -> Evidence {
    let time = (kind == "verdict").then(|| text("2026-01-02T03:04:05Z"));
    Evidence { kind: text(kind), path: text(path), source: text(path), bytes: 3, sha256: "b".repeat(64), time }
}

fn metric(name: &str, value: f64, interval: Option<[f64; 2]>) -> Metric {
    Metric {
        name: text(name),
        value,
        copied: value,
        n: Some(270),
        interval,
        dataset: Some(text("walmart")),
        window: None,
        from: text("benchmark: results[2]"),
    }
}

fn window(from: &str, to: &str) -> Window {
    Window { from: text(from), to: text(to) }
}

/// The manifest.
pub(crate) fn manifest() -> Manifest {
    Manifest {
        schema: text(SCHEMA),
        min_reader: text(MIN_READER),
        tool: Tool { name: text("manifest-gen"), version: text("0.1.0") },
        name: text("lightgbm"),
        version: text("2.0.0"),
        file_version: text("2"),
        model_name: text("lightgbm_v2"),
        dataset: Some(text("walmart")),
        artifacts: vec![
            artifact("model", "lightgbm_v2.pkl", &["lightgbm.basic.Booster", "lightgbm.sklearn.LGBMRegressor"]),
            artifact("preprocessing", "preprocessing_lightgbm_v2.pkl", &["sklearn.preprocessing._data.StandardScaler"]),
        ],
        training: Training {
            refitted: false,
            window: Some(window("2010-02-05", "2012-08-03")),
            data: vec![DataFile { path: text("data/walmart.csv"), bytes: 99, sha256: "c".repeat(64) }],
            coverage: Some(Coverage {
                series: 45,
                rows: 5805,
                from: Some(text("2010-02-05")),
                to: Some(text("2012-08-03")),
                missing_ratio: 0.0,
            }),
        },
        frequency: Some(text("W-FRI")),
        cadence: Some(text("weekly")),
        horizon: Some(Horizon { from: 1, to: 6 }),
        time_zone: Some(text("America/Chicago")),
        features: [("lag_1", "number"), ("lag_52", "number"), ("holiday", "boolean")]
            .map(|(name, kind)| Feature { name: text(name), kind: Some(text(kind)) })
            .to_vec(),
        features_from: Some(text("models/lightgbm_v2.txt")),
        scaling: vec![serde_json::json!({"step": "StandardScaler", "columns": ["lag_1", "lag_52"]})],
        metrics: vec![metric("mape", 0.25, Some([0.2, 0.3])), metric("mae", 1234.5, None)],
        gate: Some(GateSummary {
            decision: text("promote"),
            metric: text("mape"),
            baselines: vec![text("seasonal_naive")],
            estimate: Some(-0.05),
            interval: Some([-0.07, -0.03]),
            slices: vec![text("holiday = 1")],
            span: Some(window("2012-08-10", "2012-10-26")),
            verdict_sha256: "b".repeat(64),
        }),
        evidence: vec![
            evidence("benchmark", "evidence/benchmark_results.json"),
            evidence("environment", "evidence/requirements.lock"),
            evidence("verdict", "evidence/verdict.json"),
        ],
        code: Some(Code { commit: "d".repeat(40), dirty: false }),
        notes: vec![text("trained on the data of all 45 stores | holidays as the retailer counts them <sic>")],
        other: std::collections::BTreeMap::new(),
    }
}

/// Its entry in the registry.
pub(crate) fn version() -> registry::Version {
    registry::Version::of(&manifest(), &"e".repeat(64), Some(&"f".repeat(64)), "2026-01-05T00:00:00Z", None)
}
