//! Step 1: accuracy and error profile, against numbers that pandas computed and against the rows themselves.

use serde_json::Value;

use super::{Example, errors, mean};

#[track_caller]
fn near(ours: &Value, theirs: f64, tolerance: f64) {
    let ours = ours.as_f64().unwrap();
    assert!((ours - theirs).abs() < tolerance, "{ours} {theirs}");
}

#[test]
fn scores_are_those_of_pandas_and_of_the_rows() {
    let example = Example::after("evidence");
    let python = example.json("results/benchmark_results.json");
    let said = example.run("bench-compare score results/departures.csv --models Ridge,LightGBM --json").json();
    for model in ["Ridge", "LightGBM"] {
        let ours = &said["models"][model];
        let theirs = python["results"].as_array().unwrap().iter().find(|row| row["model_name"] == model).unwrap();
        // The table has two decimals, pandas computed from all.
        near(&ours["mape_ratio"], theirs["mape"].as_f64().unwrap() / 100.0, 2e-4);
        near(&ours["mae"], theirs["mae"].as_f64().unwrap(), 5e-3);
        near(&ours["rmse"], theirs["rmse"].as_f64().unwrap(), 5e-3);
        near(&ours["mape_ratio"], mean(&errors(&example, "results/departures.csv", model, |_| true)), 1e-12);
    }
    let table = example.read("build/evidence/departures.txt");
    assert!(table.contains("2016 of 2016 rows, 16 series"), "{table}");
}

#[test]
fn the_profile_has_the_errors_of_each_horizon() {
    let example = Example::after("evidence");
    let profile = example.json("build/evidence/profile.json");
    let cells = profile["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 7);
    for cell in cells {
        let horizon = cell["horizon"].to_string();
        let errors = errors(&example, "results/departures.csv", "LightGBM", |row| row["h"] == horizon);
        assert_eq!(errors.len(), 16 * 18, "series and cutoffs");
        near(&cell["absolute_percentage_error"]["mean"], mean(&errors), 1e-9);
    }
}
