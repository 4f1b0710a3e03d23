//! `bench-compare gate` on files of the `ModelBenchmark` class: the real ones, and every awkward one.

use e2e::{Place, Said, data};

fn gate(baseline: &str, candidate: &str, models: [&str; 2], extra: &[&str]) -> Said {
    let (baseline, candidate) = (data(&format!("benchmark/{baseline}")), data(&format!("benchmark/{candidate}")));
    let mut args = vec!["gate", "--baseline", &baseline, "--candidate", &candidate, "--baseline-model", models[0]];
    args.extend(["--candidate-model", models[1]]);
    args.extend(extra);
    Place::new().run("bench-compare", &args)
}

const REAL: [&str; 2] = ["random_forest_v1", "lightgbm_v2"];

#[test]
fn the_dataset_on_which_the_candidate_is_worse_is_the_reason() {
    let said = gate("baseline/benchmark_results.json", "candidate/benchmark_results.json", REAL, &["--json"]);
    let verdict = said.json();
    assert_eq!((said.status, verdict["decision"].as_str()), (1, Some("reject")), "{}", said.stderr);
    // The data's README: 4.3 % worse on walmart, 4.1 % on inventory, 1.5 % on ola, level on tsi.
    let reasons = verdict["reasons"].to_string();
    assert!(reasons.contains("walmart") && reasons.contains("inventory"), "{reasons}");
    assert!(!reasons.contains("ola") && !reasons.contains("tsi"), "{reasons}");
    let gates = verdict["gates"].as_array().unwrap();
    let walmart = gates.iter().find(|gate| gate["name"] == "dataset: walmart").unwrap();
    assert!((walmart["estimate"].as_f64().unwrap() - 0.043).abs() < 5e-4, "{walmart}");
}

#[test]
fn four_datasets_cannot_decide_and_the_verdict_says_why() {
    let said = gate(
        "baseline/benchmark_results.json",
        "candidate/benchmark_results.json",
        REAL,
        &["--dataset-limit", "none", "--json"],
    );
    assert_eq!(said.status, 4, "{}", said.stderr);
    let reasons = said.json()["reasons"].to_string();
    // 2^-4: no sign-flip test of four units can be smaller.
    assert!(reasons.contains("0.0625"), "{reasons}");
}

#[test]
fn the_christmas_window_is_found_and_named() {
    let files = ("rolling_baseline/benchmark_results.json", "rolling_candidate/benchmark_results.json");
    let said = gate(files.0, files.1, REAL, &["--json"]);
    let verdict = said.json();
    assert_eq!(said.status, 1);
    assert!(verdict["reasons"][0].as_str().unwrap().contains("walmart@2011-11-25"), "{}", verdict["reasons"]);
    // The data's README: from 12.1 to 18.7 %.
    assert_eq!(verdict["windows"][0]["name"], "walmart@2011-11-25");
    assert!((verdict["windows"][0]["candidate_value"].as_f64().unwrap() - 0.187).abs() < 5e-4);
    assert!((verdict["windows"][0]["baseline_value"].as_f64().unwrap() - 0.121).abs() < 5e-4);
}

#[test]
fn the_bare_comparison_is_a_rule_of_its_own() {
    let files = ("baseline/benchmark_results.json", "candidate/benchmark_results.json");
    let said =
        gate(files.0, files.1, ["seasonal_naive", "lightgbm_v2"], &["--rule", "point", "--metric", "rmse", "--json"]);
    let verdict = said.json();
    assert_eq!((said.status, verdict["policy"]["rule"].as_str()), (0, Some("point")), "{}", verdict["reasons"]);
}

#[test]
fn times_are_limits_and_never_tests() {
    let files = ("baseline/benchmark_results.json", "candidate/benchmark_results.json");
    let said = gate(files.0, files.1, REAL, &["--guardrail", "training-time=0.5", "--json"]);
    let verdict = said.json();
    let gates = verdict["gates"].as_array().unwrap();
    let time = gates.iter().find(|gate| gate["name"] == "guardrail: training-time").unwrap();
    assert_eq!((time["kind"].as_str(), time["p_value"].is_null()), (Some("limit"), true));
    // The data's README: trains 64 % faster.
    assert_eq!(time["outcome"], "pass");
}

#[test]
fn a_required_dataset_that_is_absent_rejects() {
    let files = ("baseline/benchmark_results.json", "candidate/benchmark_results.json");
    let said = gate(files.0, files.1, REAL, &["--require-dataset", "walmart,bakery", "--json"]);
    assert_eq!(said.status, 1);
    assert!(said.json()["reasons"].to_string().contains("bakery"));
}

/// File in `edge/`, the two models, the status, and what the message must hold: the place, the fault or the remedy.
const EDGE: [(&str, [&str; 2], i32, &[&str]); 15] = [
    (
        "candidate_failed_silently.json",
        ["lightgbm_v2", "lightgbm_v2"],
        2,
        &["candidate_failed_silently.json", "lightgbm_v2", "help:"],
    ),
    ("duplicate_rows.json", ["lightgbm_v2", "lightgbm_v2"], 2, &["duplicate_rows.json:", "help:"]),
    ("empty_results.json", ["lightgbm_v2", "lightgbm_v2"], 2, &["empty_results.json", "help:"]),
    ("extra_key.json", ["lightgbm_v2", "lightgbm_v2"], 1, &["identical"]),
    (
        "fewer_samples_same_dataset.json",
        ["lightgbm_v2", "lightgbm_v2"],
        2,
        &["fewer_samples_same_dataset.json:3:", "45", "91", "help:"],
    ),
    ("infinity_metric.json", ["lightgbm_v2", "linear_blown_up"], 1, &["Infinity", "infinity_metric.json:6:"]),
    ("infinity_metric.json", ["lightgbm_v2", "lightgbm_v2"], 1, &["identical"]),
    ("nan_in_params.json", ["lightgbm_v2", "lightgbm_v2"], 1, &["identical"]),
    ("nan_metric.json", ["lightgbm_v2", "lightgbm_v2"], 2, &["tsi", "help:"]),
    ("single_ok.json", ["lightgbm_v2", "lightgbm_v2"], 1, &["identical"]),
    ("truncated_numpy_param.json", ["lightgbm_v2", "lightgbm_v2"], 2, &["truncated_numpy_param.json:14:", "help:"]),
    ("utf8_bom_crlf.json", ["lightgbm_v2", "lightgbm_v2"], 1, &["identical"]),
    ("zero_actuals_mape.json", ["lightgbm_v2", "lightgbm_v2"], 2, &["nyc_departures_blizzard", "help:"]),
    ("zero_metrics.json", ["lightgbm_v2", "oracle"], 4, &["tsi"]),
    ("notes.txt", ["lightgbm_v2", "lightgbm_v2"], 2, &["notes.txt:1:"]),
];

#[test]
fn every_awkward_file_has_its_status_and_its_message() {
    for (file, models, status, holds) in EDGE {
        let said = gate("edge/single_ok.json", &format!("edge/{file}"), models, &["--mape-unit", "percent"]);
        let text = said.stdout + &said.stderr;
        assert_eq!(said.status, status, "{file}: {text}");
        for part in holds {
            assert!(text.to_lowercase().contains(&part.to_lowercase()), "{file}: no {part:?} in {text}");
        }
    }
}

#[test]
fn inflated_percentages_are_no_evidence() {
    let file = "edge/zero_actuals_mape.json";
    let said = gate(file, file, ["seasonal_naive", "lightgbm_v2"], &[]);
    assert_eq!(said.status, 4, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("zeros among the actuals"), "{}", said.stdout);
}

#[test]
fn a_file_of_fractions_read_as_percent_is_refused() {
    let files = ("candidate/benchmark_results.json", "edge/mape_as_fraction.json");
    let said = gate(files.0, files.1, ["lightgbm_v2", "lightgbm_v2"], &["--mape-unit", "percent"]);
    assert_eq!(said.status, 2, "{}", said.stdout);
    assert!(said.stderr.contains("mape_as_fraction.json:") && said.stderr.contains("--mape-unit"), "{}", said.stderr);
    let inferred = gate(files.0, files.1, ["lightgbm_v2", "lightgbm_v2"], &[]);
    assert_eq!(inferred.status, 1, "the same numbers in two units are identical: {}", inferred.stdout);
}
