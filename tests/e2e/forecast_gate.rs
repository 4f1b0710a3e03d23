//! `bench-compare gate` on the unemployment forecasts: 14 series, 23 cutoffs three months apart, horizon 6.

use std::fs;

use e2e::{Place, Said, data};
use serde_json::Value;

fn gate(place: &Place, extra: &[&str]) -> Said {
    let (table, train) = (data("cv/bls_unemployment_cv.csv"), data("cv/bls_unemployment_train.csv"));
    let mut args = vec!["gate", "--forecasts", &table, "--train", &train, "--season", "12"];
    args.extend(extra);
    place.run("bench-compare", &args)
}

fn find<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let gates = verdict["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["name"] == name).unwrap_or_else(|| panic!("no gate {name} in {verdict}"))
}

#[test]
fn the_estimate_is_the_ratio_of_the_two_mapes() {
    let said = gate(&Place::new(), &["--baseline-model", "SeasonalNaive", "--candidate-model", "Ridge", "--json"]);
    let verdict = said.json();
    let primary = find(&verdict, "primary");
    // The data's README: Ridge 17.0 %, SeasonalNaive 22.1 %.
    assert!((primary["candidate_value"].as_f64().unwrap() - 0.170).abs() < 5e-4, "{primary}");
    assert!((primary["baseline_value"].as_f64().unwrap() - 0.221).abs() < 5e-4, "{primary}");
    let estimate = primary["estimate"].as_f64().unwrap();
    let (low, high) = (primary["interval"][0].as_f64().unwrap(), primary["interval"][1].as_f64().unwrap());
    assert!(low < estimate && estimate < high);
    assert_eq!(verdict["evidence"]["n"]["series"], 14);
    assert_eq!(verdict["evidence"]["n"]["cutoffs"], 23);
    // 22 steps of 3 months at a horizon of 6 months.
    assert_eq!(verdict["evidence"]["n"]["independent_windows"], 12.0);
}

#[test]
fn the_issue_s_command_line_names_every_gate() {
    let args = [
        "--baseline-model",
        "RandomForest",
        "--candidate-model",
        "LightGBM",
        "--metric",
        "mape",
        "--slice",
        "holiday = 1",
        "--slice",
        "n_train < 60",
        "--json",
    ];
    let said = gate(&Place::new(), &args);
    let verdict = said.json();
    for name in ["primary", "slice: holiday = 1", "slice: n_train < 60"] {
        assert!(!find(&verdict, name)["reason"].as_str().unwrap().is_empty(), "{name}");
    }
    assert_ne!(verdict["decision"], "promote", "18.2 against 18.3 % is no evidence");
    assert!([1, 4].contains(&said.status));
}

#[test]
fn csv_and_parquet_give_the_same_verdict() {
    let place = Place::new();
    let args = ["--baseline-model", "Naive", "--candidate-model", "XGBoost", "--guardrail", "rmse=0.05", "--json"];
    let csv = gate(&place, &args).json();
    let table = data("cv/bls_unemployment_cv.parquet");
    let train = data("cv/bls_unemployment_train.csv");
    let mut words = vec!["gate", "--forecasts", &table, "--train", &train, "--season", "12"];
    words.extend(args);
    let parquet = place.run("bench-compare", &words).json();
    crate::same::assert_same(&csv["gates"], &parquet["gates"], "gates", 20);
}

#[test]
fn a_candidate_compared_with_itself_is_identical_and_not_promoted() {
    let said = gate(&Place::new(), &["--baseline-model", "Ridge", "--candidate-model", "Ridge", "--json"]);
    assert_eq!((said.json()["decision"].as_str(), said.status), (Some("identical"), 1), "{}", said.stderr);
    let only = ["--baseline-model", "Ridge", "--candidate-model", "Ridge", "--primary", "non-inferiority"];
    assert_eq!(gate(&Place::new(), &only).status, 0);
}

#[test]
fn coverage_short_of_its_level_is_shown() {
    let args =
        ["--baseline-model", "SeasonalNaive", "--candidate-model", "LightGBM", "--guardrail", "coverage=0", "--json"];
    let verdict = gate(&Place::new(), &args).json();
    let coverage = find(&verdict, "guardrail: coverage");
    // The data's README: the nominal 90 % interval covers 65 %.
    assert!((coverage["candidate_value"].as_f64().unwrap() - 0.65).abs() < 5e-3, "{coverage}");
    assert_eq!(coverage["outcome"], "fail");
    assert_eq!(verdict["decision"], "reject");
}

#[test]
fn too_few_windows_are_inconclusive_and_name_what_is_missing() {
    let place = Place::new();
    let rows = fs::read_to_string(data("cv/bls_unemployment_cv.csv")).unwrap();
    let few: Vec<&str> = rows
        .lines()
        .filter(|row| row.starts_with("unique_id") || row.contains(",2004-01-01,") || row.contains(",2004-04-01,"))
        .collect();
    std::io::Write::write_all(&mut fs::File::create(place.path("few.csv")).unwrap(), few.join("\n").as_bytes())
        .unwrap();
    let said = place.run(
        "bench-compare",
        &["gate", "--forecasts", "few.csv", "--baseline-model", "SeasonalNaive", "--candidate-model", "Ridge"],
    );
    assert_eq!(said.status, 4, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("independent windows"), "{}", said.stdout);
    let folded = place.run(
        "bench-compare",
        &[
            "gate",
            "--forecasts",
            "few.csv",
            "--baseline-model",
            "SeasonalNaive",
            "--candidate-model",
            "Ridge",
            "--inconclusive",
            "fail",
        ],
    );
    assert_eq!(folded.status, 1);
}

#[test]
fn the_report_is_written_before_a_non_zero_exit() {
    let place = Place::new();
    let said = gate(
        &place,
        &["--baseline-model", "Ridge", "--candidate-model", "Naive", "--report", "report", "-o", "verdict.json"],
    );
    assert_eq!(said.status, 4, "{}", said.stderr);
    for name in ["verdict.json", "report/report.html", "report/report.md", "report/junit.xml"] {
        assert!(fs::metadata(place.path(name)).unwrap().len() > 100, "{name}");
    }
    let html = fs::read_to_string(place.path("report/report.html")).unwrap();
    assert!(!html.contains("http://") && !html.contains("https://"), "the page is self-contained");
}

#[test]
fn the_same_inputs_give_the_same_bytes_on_any_number_of_threads() {
    let place = Place::new();
    let run = |threads: &str, name: &str| {
        let mut command = place.command("bench-compare");
        let table = data("cv/bls_unemployment_cv.csv");
        command.args([
            "gate",
            "--forecasts",
            &table,
            "--baseline-model",
            "Naive",
            "--candidate-model",
            "Ridge",
            "--aa",
            "-o",
            name,
        ]);
        command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        fs::read(place.path(name)).unwrap()
    };
    assert_eq!(run("1", "one.json"), run("3", "three.json"));
}

#[test]
fn a_verdict_is_bound_to_the_artefacts_judged() {
    let place = Place::new();
    let model = data("benchmark/edge/notes.txt");
    let about = format!("model={model}");
    let verdict =
        gate(&place, &["--baseline-model", "Naive", "--candidate-model", "Ridge", "--about", &about, "--json"]).json();
    assert_eq!(verdict["subject"][0]["role"], "model");
    assert_eq!(verdict["subject"][0]["sha256"].as_str().unwrap().len(), 64);
}
