//! `drift-watch export --joined` into `bench-compare score` and `gate`: champion and shadow on the recorded stream without drift.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::{Place, Said};
use serde_json::{Value, json};

/// The stream, or a skip that is hard to overlook.
fn stream() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("FORECAST_DATA").map_or(beside, PathBuf::from).join("live/nodrift");
    let is_there = folder.is_dir();
    if !is_there {
        eprintln!("SKIPPED: {} is absent; FORECAST_DATA names the folder above `live`", folder.display());
    }
    is_there.then_some(folder)
}

/// The champion's predictions, and those of a shadow that runs five minutes later and errs more.
fn two_versions(champion: &str) -> String {
    let mut all = String::new();
    for (place, line) in champion.lines().enumerate() {
        let record: Value = serde_json::from_str(line).unwrap();
        let factor = 1.0 + 0.3 * f64::from(u32::try_from(place % 7).unwrap()) / 7.0;
        let scaled = |field: &str| record[field].as_f64().unwrap() * factor;
        let mut shadow = record.clone();
        shadow["version"] = json!("3");
        shadow["issued_at"] = json!(record["issued_at"].as_str().unwrap().replace(":00:00Z", ":05:00Z"));
        for field in ["y_hat", "lo", "hi"] {
            shadow[field] = json!(scaled(field));
        }
        // Writing to a String cannot fail.
        _ = writeln!(all, "{line}\n{shadow}");
    }
    all
}

#[expect(clippy::disallowed_methods, reason = "a test's own file")]
fn set_up(place: &Place) -> Option<Vec<String>> {
    let folder = stream()?;
    let champion = fs::read_to_string(folder.join("predictions.jsonl")).unwrap();
    fs::write(place.path("predictions.jsonl"), two_versions(&champion)).unwrap();
    let actuals = folder.join("actuals.jsonl").display().to_string();
    Some(["--predictions", "predictions.jsonl", "--actuals", &actuals, "--warm-up", "40d"].map(str::to_owned).to_vec())
}

fn run(place: &Place, tool: &str, words: &[&str], flags: &[String]) -> Said {
    let words: Vec<&str> = words.iter().copied().chain(flags.iter().map(String::as_str)).collect();
    place.run(tool, &words)
}

/// MAPE and rows of a version at a horizon, over all its steps.
fn ours(report: &Value, version: &str, horizon: &str) -> (f64, u64) {
    let model = report["models"].as_array().unwrap().iter().find(|model| model["version"] == version).unwrap();
    let is_it = |metric: &&Value| {
        metric["metric"] == "mape_ratio"
            && metric["horizon"] == horizon
            && metric["group"] == "all"
            && metric["window"] == "1000 steps"
    };
    let metric = model["metrics"].as_array().unwrap().iter().find(is_it).unwrap();
    (metric["value"].as_f64().unwrap(), metric["n"].as_u64().unwrap())
}

#[test]
fn live_metrics_are_those_of_the_benchmark() {
    let place = Place::new();
    let Some(flags) = set_up(&place) else { return };
    let report = run(&place, "drift-watch", &["replay", "--json", "--window", "1000"], &flags).json();
    for file in ["live.parquet", "live.csv"] {
        let said = run(&place, "drift-watch", &["export", "--joined", "-o", file], &flags);
        assert_eq!((said.status, said.stderr.as_str(), said.stdout.as_str()), (0, "", ""), "{file}");
        let score = place.run("bench-compare", &["score", file, "--by", "h", "--json"]).json();
        let by_horizon = score["groups"]["h"].as_object().unwrap_or_else(|| panic!("{file}: {score}"));
        assert!(by_horizon.len() >= 2, "{score}");
        for (horizon, models) in by_horizon {
            for (column, version) in [("nyc_departures_lgbm_v2", "2"), ("nyc_departures_lgbm_v3", "3")] {
                let theirs = &models[column];
                let (mape, n) = ours(&report, version, horizon);
                let difference = theirs["mape_ratio"].as_f64().unwrap() - mape;
                assert!(difference.abs() < 1e-12, "{file} {horizon} {column}: {theirs} {mape}");
                assert_eq!(theirs["n"].as_u64(), Some(n), "{file} {horizon} {column}");
                assert!(theirs["coverage_ratio"].is_f64(), "{theirs}");
            }
        }
    }
}

#[test]
fn champion_and_shadow_go_straight_into_the_gate() {
    let place = Place::new();
    let Some(flags) = set_up(&place) else { return };
    let names = ["--name", "nyc_departures_lgbm@2=champion", "--name", "nyc_departures_lgbm@3=shadow"];
    let words = [&["export", "--joined", "-o", "live.parquet"][..], &names].concat();
    assert_eq!(run(&place, "drift-watch", &words, &flags).status, 0);
    let gate = |baseline: &str, candidate: &str| {
        let words =
            ["gate", "--forecasts", "live.parquet", "--baseline-model", baseline, "--candidate-model", candidate];
        place.run("bench-compare", &[&words[..], &["--json"]].concat())
    };
    let said = gate("champion", "shadow");
    let verdict = said.json();
    assert_eq!((said.status, verdict["decision"].as_str()), (1, Some("reject")), "{}", said.stderr);
    let score = place.run("bench-compare", &["score", "live.parquet", "--json"]).json();
    let primary = verdict["gates"].as_array().unwrap().iter().find(|gate| gate["name"] == "primary").unwrap();
    for (side, column) in [("baseline_value", "champion"), ("candidate_value", "shadow")] {
        // Two ways of adding the same numbers up.
        let [gate, score] =
            [&primary[side], &score["models"][column]["mape_ratio"]].map(|value| value.as_f64().unwrap());
        assert!((gate / score - 1.0).abs() < 1e-12, "{gate} {score}: {primary}");
    }
    // One window a day, whoever ran when.
    let days = verdict["evidence"]["n"]["cutoffs"].as_u64().unwrap();
    assert!((80..=110).contains(&days), "{days}");
    let said = gate("shadow", "champion");
    assert_eq!(said.json()["decision"], "promote", "{}", said.stderr);
}

#[test]
fn what_cannot_be_exported_says_what_to_do() {
    let place = Place::new();
    let Some(flags) = set_up(&place) else { return };
    let cases: [(&[&str], &str); 4] = [
        (&["-o", "live.xlsx"], "-o FILE.parquet, -o FILE.csv or --format csv"),
        (&["--only", "nyc_departures_lgbm@9"], "nyc_departures_lgbm@2, nyc_departures_lgbm@3"),
        (&["--name", "nyc_departures_lgbm@2=ds"], "--name nyc_departures_lgbm@2=COLUMN"),
        (&["--json"], "-o FILE.parquet, -o FILE.csv or --format csv"),
    ];
    for (words, expected) in cases {
        let said = run(&place, "drift-watch", &[&["export", "--joined"], words].concat(), &flags);
        assert_eq!(said.status, 2, "{words:?}: {}", said.stderr);
        assert!(said.stderr.contains(expected), "{words:?}: {}", said.stderr);
    }
}
