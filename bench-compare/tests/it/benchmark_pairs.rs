//! Reading and pairing benchmark files as the gate does.
use std::path::{Path, PathBuf};

use bench_compare::load::benchmark::{BenchmarkSet, Duplicates, Options, Pairs, Score, Side, pair, read};
use shared::format::benchmark::MapeUnit;
use shared::{Error, Exit};

fn data(name: &str) -> String {
    let path: PathBuf = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/benchmark")).join(name);
    path.to_str().unwrap().to_owned()
}

fn own_run(name: &str) -> String {
    data(&format!("{name}/benchmark_results.json"))
}

fn edge(name: &str) -> String {
    data(&format!("edge/{name}.json"))
}

fn set(inputs: &[String], options: &Options) -> Result<BenchmarkSet, Error> {
    read("candidate", inputs, options)
}

fn plain(input: String) -> BenchmarkSet {
    set(&[input], &Options::default()).unwrap()
}

fn own_pairs(baseline: &str, candidate: &str) -> Pairs {
    pair(&plain(own_run(baseline)), "random_forest_v1", &plain(own_run(candidate)), "lightgbm_v2", &[]).unwrap()
}

/// Candidate MAPE over baseline MAPE.
fn ratio(pairs: &Pairs, dataset: &str, window: Option<&str>) -> f64 {
    let task = pairs.tasks.iter().find(|t| t.dataset == dataset && t.window.as_deref() == window).unwrap();
    task.candidate.mape_ratio.finite().unwrap() / task.baseline.mape_ratio.finite().unwrap()
}

#[test]
fn the_known_truth_of_the_four_datasets_is_found() {
    let pairs = own_pairs("baseline", "candidate");
    assert_eq!(pairs.tasks.len(), 4);
    // The data's own description: 4.3 % worse on walmart, 4.1 % on inventory, 1.5 % on ola, level on tsi.
    for (dataset, truth) in [("walmart", 1.043), ("inventory", 1.041), ("ola", 1.015), ("tsi", 1.00)] {
        assert!((ratio(&pairs, dataset, None) - truth).abs() < 0.005, "{dataset}");
    }
}

#[test]
fn windows_are_pairs_of_their_own() {
    let pairs = own_pairs("rolling_baseline", "rolling_candidate");
    assert_eq!((pairs.tasks.len(), pairs.only_in_baseline.len()), (20, 0));
    // The data's own description: the Christmas window goes from 12.1 to 18.7 %.
    assert!((ratio(&pairs, "walmart", Some("2011-11-25")) - 18.7 / 12.1).abs() < 0.01);
}

#[test]
fn a_failed_result_stays_visible_and_is_no_number() {
    let rows = plain(edge("infinity_metric"));
    let failed = rows.of_model("linear_blown_up").next().unwrap();
    assert!(matches!(&failed.mape_ratio, Score::Failed { text, place } if text == "Infinity" && place.line == Some(6)));
    assert!(failed.training_seconds.finite().is_some());
    assert!(rows.notes.iter().any(|note| note.contains(":6:15: \"mape\": Infinity is not finite")));
    let inflated = plain(edge("zero_actuals_mape"));
    let row = inflated.of_model("lightgbm_v2").next().unwrap();
    assert!(matches!(row.mape_ratio, Score::Inflated { .. }) && row.mae.finite().is_some());
}

#[test]
fn absent_rows_are_typed() {
    let absent = plain(edge("candidate_failed_silently"));
    let error = pair(&plain(edge("single_ok")), "lightgbm_v2", &absent, "lightgbm_v2", &[]).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.to_string().contains("no row of candidate model \"lightgbm_v2\" (expected one of seasonal_naive)"));
    let all = plain(own_run("baseline"));
    let required = ["tsi".to_owned(), "m5".to_owned()];
    let pairs = pair(&all, "seasonal_naive", &absent, "seasonal_naive", &required).unwrap();
    assert_eq!((pairs.tasks.len(), pairs.only_in_baseline.len()), (1, 3));
    let sentence = "candidate has no result for dataset \"inventory\" (it failed or was not run)";
    assert!(pairs.only_in_baseline[0].sentence().starts_with(sentence));
    let missing = pairs.missing_required.iter().map(|absent| (absent.missing_from, absent.dataset.as_str()));
    assert_eq!(missing.collect::<Vec<_>>(), [(Side::Baseline, "m5"), (Side::Candidate, "m5")]);
}

#[test]
fn files_that_cannot_be_compared_are_refused() {
    let refused = |a: &BenchmarkSet, b: &BenchmarkSet| pair(a, "lightgbm_v2", b, "lightgbm_v2", &[]).unwrap_err();
    let error = refused(&plain(edge("single_ok")), &plain(edge("fewer_samples_same_dataset")));
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.to_string().contains("n_samples 45 here and 91 in "), "{error}");
    let percent = Options { mape_unit: Some(MapeUnit::Percent), ..Options::default() };
    let fractions = set(&[edge("mape_as_fraction")], &percent).unwrap();
    let error = refused(&plain(own_run("candidate")), &fractions);
    assert!(error.to_string().contains("factor of 20") && error.help().unwrap().contains("--mape-unit"), "{error}");
}

#[test]
fn fractions_are_told_and_noted() {
    let fractions = plain(edge("mape_as_fraction"));
    assert!(fractions.notes.iter().any(|note| note.contains("mape is read as fraction")));
    let pairs = pair(&plain(own_run("candidate")), "lightgbm_v2", &fractions, "lightgbm_v2", &[]).unwrap();
    assert!((ratio(&pairs, "walmart", None) - 1.0).abs() < 1e-12);
}

#[test]
fn duplicates_follow_the_rule() {
    let read_with = |duplicates| set(&[edge("duplicate_rows")], &Options { duplicates, ..Options::default() });
    for refusing in [Duplicates::Refuse, Duplicates::Identical] {
        let error = read_with(refusing).unwrap_err();
        assert!(error.to_string().contains("duplicate_rows.json:17:5: another row"), "{error}");
        assert!(error.help().unwrap().contains("--duplicates"));
    }
    let percent = |duplicates| 100.0 * read_with(duplicates).unwrap().rows[0].mape_ratio.finite().unwrap();
    let (first, second) = (5.579_062_663_488_659, 5.468_009_409_267_35);
    assert!((percent(Duplicates::Last) - second).abs() < 1e-13);
    assert!((percent(Duplicates::Mean) - f64::midpoint(first, second)).abs() < 1e-13);
    let twice = [edge("single_ok"), edge("single_ok")];
    let identical = Options { duplicates: Duplicates::Identical, ..Options::default() };
    assert_eq!(set(&twice, &identical).unwrap().rows.len(), 1);
    assert!(set(&twice, &Options::default()).is_err());
}

#[test]
fn duplicates_of_models_that_nobody_compares_are_no_error() {
    let both = [own_run("baseline"), own_run("candidate")]; // seasonal_naive stands in both
    assert!(set(&both, &Options::default()).is_err());
    let models = vec!["random_forest_v1".to_owned(), "lightgbm_v2".to_owned()];
    let one_set = set(&both, &Options { models, ..Options::default() }).unwrap();
    assert_eq!(pair(&one_set, "random_forest_v1", &one_set, "lightgbm_v2", &[]).unwrap().tasks.len(), 4);
}

#[test]
fn a_model_has_one_identity() {
    let names = [("lightgbm_v2".to_owned(), "lightgbm".to_owned())].into_iter().collect();
    let rows = set(&[own_run("candidate")], &Options { names, ..Options::default() }).unwrap();
    assert_eq!(rows.of_model("lightgbm").count(), 4);
    assert_eq!(rows.of_model("lightgbm_v2").count(), 4);
    assert_eq!(rows.models(), ["lightgbm", "seasonal_naive"]);
}

#[test]
fn unusable_files_are_refused_with_place_and_help() {
    for (name, place) in [("truncated_numpy_param", ":14:23:"), ("empty_results", ":2:14:")] {
        let error = set(&[edge(name)], &Options::default()).unwrap_err();
        assert!(error.to_string().contains(place) && error.help().is_some(), "{error}");
        assert_eq!(error.exit(), Exit::Usage);
    }
    for accepted in ["utf8_bom_crlf", "nan_in_params", "extra_key", "zero_metrics", "nan_metric"] {
        assert!(set(&[edge(accepted)], &Options::default()).is_ok(), "{accepted}");
    }
}
