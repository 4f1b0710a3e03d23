//! `bench-compare leaderboard` against fev 0.10.0 and GIFT-Eval's own numbers, and against bad input.
//!
//! The published tables are not part of the repository: they are looked for in `FORECAST_DATA`, else in `../shared/data`
//! beside it, and a test that lacks them says so.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bench_compare::args::{Cli, Command as Subcommand};
use bench_compare::leaderboard::board::board;
use bench_compare::leaderboard::output::Leaderboard;
use bench_compare::load::results;
use clap::Parser;
use serde_json::Value;

const TOLERANCE: f64 = 1e-9;

fn reference(name: &str) -> Value {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/reference/statistics"));
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// The CSV files of a published benchmark, or a loud `None`.
fn published(name: &str) -> Option<Vec<String>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("FORECAST_DATA").map_or(beside, PathBuf::from).join(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: {} is absent; set FORECAST_DATA to check against published results", folder.display());
        return None;
    };
    let mut files: Vec<String> = entries.map(|entry| entry.unwrap().path().to_str().unwrap().to_owned()).collect();
    files.retain(|path| Path::new(path).extension().is_some_and(|end| end == "csv"));
    files.sort();
    Some(files)
}

fn fixture(name: &str) -> String {
    format!("{}/tests/data/leaderboard/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn compute(files: &[String], flags: &[&str]) -> shared::Result<Leaderboard> {
    let words = ["bench-compare", "leaderboard"].into_iter().chain(files.iter().map(String::as_str));
    let Subcommand::Leaderboard(args) = Cli::parse_from(words.chain(flags.iter().copied())).command else {
        unreachable!("the words say leaderboard")
    };
    board(&results::read(&args.files, &args.options())?, &args)
}

fn json(files: &[String], flags: &[&str]) -> Value {
    serde_json::to_value(compute(files, flags).unwrap()).unwrap()
}

fn fixtures(names: &[&str], flags: &[&str]) -> Value {
    json(&names.iter().map(|name| fixture(name)).collect::<Vec<_>>(), flags)
}

fn refused(names: &[&str], flags: &[&str]) -> shared::Error {
    compute(&names.iter().map(|name| fixture(name)).collect::<Vec<_>>(), flags).unwrap_err()
}

/// Runs the program itself in the folder of the fixtures.
fn program(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-compare"));
    command.arg("leaderboard").args(words).current_dir(fixture("")).output().unwrap()
}

fn by_name(rows: &Value) -> HashMap<&str, &Value> {
    rows.as_array().unwrap().iter().map(|row| (row["model_name"].as_str().unwrap(), row)).collect()
}

/// Every number of the reference row equals ours.
fn assert_same_numbers(expected: &Value, ours: &Value, what: &str) {
    for (name, value) in expected.as_object().unwrap() {
        let Some(value) = value.as_f64() else { continue };
        let found = ours[name].as_f64().unwrap_or_else(|| panic!("{what}: {name} is {}", ours[name]));
        assert!((found - value).abs() <= TOLERANCE, "{what} {name}: {found}, fev has {value}");
    }
}

const BASELINE: [&str; 4] = ["--metric", "SQL", "--baseline-model", "Seasonal Naive"];

fn check_leaderboard(variant: &str, flags: &[&str]) {
    let Some(files) = published("fev_bench") else { return };
    let reference = reference("fev_reference.json");
    let expected = reference["leaderboards"][variant]["rows"].as_array().unwrap();
    let ours = json(&files, &[&BASELINE, flags].concat());
    let rows = by_name(&ours["rows"]);
    assert_eq!((rows.len(), expected.len()), (30, 30));
    for row in expected {
        let name = row["model_name"].as_str().unwrap();
        assert_same_numbers(row, rows[name], &format!("{variant} {name}"));
    }
    for (place, row) in expected.iter().enumerate() {
        assert_eq!(ours["rows"][place]["win_rate"].as_f64().map(rounded), row["win_rate"].as_f64().map(rounded));
    }
}

fn rounded(value: f64) -> i64 {
    (value * 1e9).round() as i64
}

#[test]
fn the_official_fev_leaderboard() {
    let flags = ["--missing", "impute", "--leakage-model", "Chronos-Bolt", "--resamples", "1000", "--seed", "123"];
    check_leaderboard("SQL/official", &flags);
}

#[test]
fn fev_without_leakage_model() {
    check_leaderboard("SQL/impute_noleak", &["--missing", "impute"]);
}

#[test]
fn fev_with_failing_tasks_dropped() {
    check_leaderboard("SQL/drop", &["--missing", "drop", "--resamples", "0"]);
    let Some(files) = published("fev_bench") else { return };
    let ours = json(&files, &[&BASELINE[..], &["--missing", "drop", "--resamples", "0"]].concat());
    assert_eq!(ours["settings"]["n_tasks_used"], 91);
    assert!(ours["rows"][0].get("win_rate_lower").is_none());
}

#[test]
fn fev_with_other_bounds() {
    check_leaderboard("SQL/impute_clip_None_None", &["--missing", "impute", "--resamples", "0", "--clip", "none"]);
    check_leaderboard("SQL/impute_clip_0.5_2.0", &["--missing", "impute", "--resamples", "0", "--clip", "0.5,2"]);
}

fn check_pairwise(variant: &str, flags: &[&str]) {
    let Some(files) = published("fev_bench") else { return };
    let reference = reference("fev_reference.json");
    let models = reference["pairwise"][variant]["included_models"].as_array().unwrap();
    let included = models.iter().flat_map(|model| ["--include-model", model.as_str().unwrap()]);
    let flags: Vec<&str> = BASELINE.into_iter().chain(flags.iter().copied()).chain(included).collect();
    let ours = json(&files, &[&flags[..], &["--pairwise"]].concat());
    let expected = reference["pairwise"][variant]["rows"].as_array().unwrap();
    let pairs = ours["pairwise"].as_array().unwrap();
    assert_eq!(pairs.len(), expected.len());
    for (row, ours) in expected.iter().zip(pairs) {
        assert_eq!((&row["model_1"], &row["model_2"]), (&ours["model_1"], &ours["model_2"]));
        assert_same_numbers(row, ours, &format!("{variant} {} {}", row["model_1"], row["model_2"]));
    }
}

#[test]
fn fev_pairs() {
    check_pairwise("SQL/official", &["--missing", "impute", "--leakage-model", "Chronos-Bolt"]);
    check_pairwise("SQL/drop", &["--missing", "drop"]);
}

#[test]
fn fev_refuses_failed_results_by_default() {
    let Some(files) = published("fev_bench") else { return };
    let error = compute(&files, &BASELINE).unwrap_err();
    let reference = reference("fev_reference.json");
    let theirs = reference["errors"]["SQL/error"].as_str().unwrap();
    for (name, count) in [("AutoARIMA", 4), ("AutoETS", 3), ("DeepAR", 3), ("Stat. Ensemble", 4), ("TabPFN-TS", 1)] {
        assert!(theirs.contains(name));
        assert!(error.to_string().contains(&format!("{name} ({count})")), "{error}");
    }
    assert!(error.to_string().starts_with("100 tasks"), "{error}");
    assert_eq!(error.exit().code(), 2);
}

#[test]
fn fev_files_of_several_versions_are_noted() {
    let Some(files) = published("fev_bench") else { return };
    let ours = json(&files, &[&BASELINE[..], &["--missing", "impute", "--resamples", "0"]].concat());
    let notes = ours["notes"].to_string();
    assert!(notes.contains("fev_version differs between the files: 0.6.1 ("), "{notes}");
    let ets = by_name(&ours["rows"])["AutoETS"].clone();
    assert_eq!(ets["clipped"], 5);
    assert!((ets["skill_score_unclipped"].as_f64().unwrap() + 2.206_319_561_631).abs() <= TOLERANCE);
}

#[test]
fn resampling_families_changes_intervals_and_no_point() {
    let Some(files) = published("fev_bench") else { return };
    let run = |flags: &[&str]| json(&files, &[&BASELINE[..], &["--missing", "impute"], flags].concat());
    let (tasks, families) = (run(&[]), run(&["--families", "auto"]));
    assert_eq!(families["settings"]["resampled"], "59 families");
    let (first, second) = (&tasks["rows"][0], &families["rows"][0]);
    assert_eq!((&first["win_rate"], &first["skill_score"]), (&second["win_rate"], &second["skill_score"]));
    assert_ne!(first["skill_score_lower"], second["skill_score_lower"]);
}

#[test]
fn gift_eval_normalised_geometric_means() {
    let Some(files) = published("gift_eval") else { return };
    let ours = json(&files, &[]);
    let reference = reference("gifteval_reference.json");
    let letters = |name: &str| name.to_lowercase().replace('_', "");
    let rows: HashMap<String, Value> =
        by_name(&ours["rows"]).into_iter().map(|(name, row)| (letters(name), row.clone())).collect();
    assert_eq!((rows.len(), &ours["settings"]["n_tasks"]), (6, &reference["n_configs"]));
    for (name, expected) in reference["models"].as_object().unwrap() {
        for (measure, theirs) in [("normalised_MASE", "norm_MASE_gmean"), ("normalised_CRPS", "norm_CRPS_gmean")] {
            let (found, value) = (rows[&letters(name)][measure].as_f64().unwrap(), expected[theirs].as_f64().unwrap());
            assert!((found - value).abs() <= 1e-8, "{name} {measure}: {found}, published {value}");
        }
    }
    let ranks: f64 = rows.values().map(|row| row["MASE_rank"].as_f64().unwrap()).sum();
    assert!((ranks - 21.0).abs() < 1e-9, "mean ranks of six models add up to 1 + … + 6");
}

#[test]
fn small_numbers_by_hand() {
    // Relative errors 0.8, 0.5, 1 and 1.25: their product is 0.5; two wins, a tie and a loss.
    let ours = fixtures(&["fev_naive.csv", "fev_model.csv"], &[]);
    let row = by_name(&ours["rows"])["model"].clone();
    assert_eq!(row["win_rate"], 0.625);
    assert!((row["skill_score"].as_f64().unwrap() - (1.0 - 0.5_f64.powf(0.25))).abs() < 1e-15);
    assert_eq!((&row["ties"], &row["num_failures"], &row["median_e2e_time_s"]), (&1.into(), &0.into(), &2.5.into()));
}

#[test]
fn context_lengths_below_one_are_read_as_one_and_noted() {
    let ours = fixtures(&["fev_naive.csv", "fev_negative_context.csv"], &[]);
    assert_eq!(ours["settings"]["n_tasks"], 4);
    let notes = ours["notes"].to_string();
    assert!(notes.contains("fev_negative_context.csv:2: min_context_length below 1 in 3 rows"), "{notes}");
    assert!(notes.contains("1 files were written by fev before 0.6.0"), "{notes}");
}

#[test]
fn scores_that_are_no_numbers_are_failures_with_a_place() {
    let ours = fixtures(&["fev_naive.csv", "fev_not_finite.csv"], &["--missing", "impute"]);
    let row = by_name(&ours["rows"])["unstable"].clone();
    // One win and three imputed ties.
    assert_eq!((&row["num_failures"], &row["win_rate"]), (&3.into(), &0.625.into()));
    let failures = ours["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 3);
    assert!(failures[0]["place"].as_str().unwrap().ends_with("fev_not_finite.csv:3"));
    assert_eq!([&failures[0]["found"], &failures[1]["found"], &failures[2]["found"]], ["NaN", "inf", "nothing"]);
    let error = refused(&["fev_naive.csv", "fev_not_finite.csv"], &[]);
    assert!(error.to_string().contains("unstable (3)"), "{error}");
}

#[test]
fn a_key_that_differs_in_one_column_is_explained() {
    let error = refused(&["fev_naive.csv", "fev_malformed_key.csv"], &["--missing", "impute"]);
    assert!(error.to_string().contains("no score above 0 on 1 of 5 tasks"), "{error}");
    assert!(error.help().unwrap().contains("only in horizon: 13 instead of 12"), "{:?}", error.help());
}

#[test]
fn a_baseline_of_zero_is_refused() {
    let error = refused(&["fev_naive.csv", "fev_zero_baseline.csv"], &["--baseline-model", "zero"]);
    assert!(error.help().unwrap().contains("a ratio to 0 is undefined"));
}

#[test]
fn every_bad_cell_is_named() {
    let text = refused(&["fev_naive.csv", "fev_bad_cells.csv"], &[]).to_string();
    for (place, found) in
        [(":2:22: ", "\"n/a?\""), (":3:22: ", "negative"), (":4:4: ", "\"twelve\""), (":5:25: ", "\"perhaps\"")]
    {
        let named = text.lines().any(|line| line.contains(place) && line.contains(found));
        assert!(named, "{place} {found} in {text}");
    }
}

#[test]
fn duplicates_name_both_places() {
    let twice = ["fev_naive.csv", "fev_model.csv", "fev_model.csv"];
    let error = refused(&twice, &[]);
    let first = error.to_string().lines().next().unwrap().to_owned();
    assert!(first.contains("fev_model.csv:2: a second result of \"model\" on task \"shop_1D\", first at"), "{first}");
    assert_eq!(fixtures(&twice, &["--allow-identical"])["settings"]["n_models"], 2);
}

#[test]
fn a_model_whose_name_changes_midway_is_refused() {
    let names = ["gift_naive.csv", "gift_two_names.csv"];
    let error = refused(&names, &["--missing", "impute"]);
    assert!(error.to_string().contains("gift_two_names.csv:4: several model names that share no task"), "{error}");
    let ours = fixtures(&names, &["--rename", "Lab/Zeus-100M=Zeus"]);
    assert_eq!(ours["rows"][0]["normalised_MASE"], 0.629_960_524_947_436_6); // (1/2 · 1 · 1/2)^(1/3)
    let apart = ["--missing", "impute", "--rename", "Zeus=Zeus", "--rename", "Lab/Zeus-100M=Lab/Zeus-100M"];
    assert_eq!(fixtures(&names, &apart)["settings"]["n_models"], 3);
}

#[test]
fn long_and_wide_tables_agree() {
    let flags = ["--baseline-model", "old", "--pairwise", "--tests"];
    let long = fixtures(&["long.csv"], &[&flags[..], &["--map", "model=algo,task=data+h,metric=mae"]].concat());
    let wide = fixtures(&["wide.csv"], &[&flags[..], &["--map", "task=data+h,models=*"]].concat());
    // Relative errors 1/2, 1/4 and 2.
    let skill = by_name(&long["rows"])["new"]["skill_score"].as_f64().unwrap();
    assert!((skill - (1.0 - 0.25_f64.powf(1.0 / 3.0))).abs() < 1e-15);
    for part in ["rows", "pairwise", "tests"] {
        assert_eq!(long[part], wide[part], "{part}");
    }
}

#[test]
fn json_lines_may_hold_bare_nan() {
    let flags = ["--map", "model=algo,task=data+h,metric=mae", "--baseline-model", "old", "--missing", "drop"];
    let ours = fixtures(&["long.jsonl"], &flags);
    assert_eq!(ours["settings"]["n_tasks_used"], 2);
    assert!(ours["failures"][0]["place"].as_str().unwrap().ends_with("long.jsonl:4"));
}

#[test]
fn files_that_are_no_tables_are_refused() {
    for (name, fault) in [("empty.csv", "an empty file"), ("long.csv", "of no known layout")] {
        let error = refused(&[name], &[]);
        assert!(error.to_string().contains(fault), "{error}");
        assert_eq!(error.exit().code(), 2);
    }
    let error = refused(&["ragged.csv"], &["--map", "model=algo,task=data,metric=mae"]);
    assert!(error.to_string().contains("ragged.csv:2: a row of 3 fields (expected 4, as in the header)"), "{error}");
}

#[test]
fn the_output_follows_its_schema() {
    let schema = serde_json::to_value(schemars::schema_for!(Leaderboard)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let flags = ["--missing", "impute", "--pairwise", "--tests", "--families", "auto"];
    for names in [&["fev_naive.csv", "fev_model.csv", "fev_not_finite.csv"][..], &["gift_naive.csv"]] {
        let ours = fixtures(names, &flags);
        assert!(validator.is_valid(&ours), "{:?}", validator.iter_errors(&ours).next().map(|error| error.to_string()));
    }
}

#[test]
fn the_program_says_what_it_did_and_why_it_refused() {
    let good = program(&["fev_naive.csv", "fev_model.csv", "--format", "markdown"]);
    let text = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success() && text.contains("| model "), "{text}");
    let bad = program(&["fev_naive.csv", "fev_not_finite.csv"]);
    let talk = String::from_utf8(bad.stderr).unwrap();
    assert_eq!((bad.status.code(), bad.stdout.len()), (Some(2), 0));
    assert!(talk.contains("note: fev_not_finite.csv:3: \"unstable\" on \"shop_1W\" failed: NaN is no score"), "{talk}");
    assert!(talk.contains("help: --missing drop"), "{talk}");
    let csv = program(&["fev_naive.csv", "fev_model.csv", "--format", "csv", "--resamples", "0"]);
    let header = String::from_utf8(csv.stdout).unwrap().lines().next().unwrap().to_owned();
    assert!(header.starts_with("model_name,win_rate,skill_score,skill_score_unclipped,"), "{header}");
}

#[test]
fn one_identity_for_several_names() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("promotion.toml");
    let text = "[models.champion]\nnames = [\"model\"]\n[models.naive]\nnames = [\"seasonal_naive\"]\n";
    shared::fsio::write_atomic(&config, text.as_bytes()).unwrap();
    let words = ["fev_naive.csv", "fev_model.csv", "--baseline-model", "seasonal_naive", "--json", "--config"];
    let output = program(&[&words[..], &[config.to_str().unwrap()]].concat());
    let ours: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!([&ours["rows"][0]["model_name"], &ours["settings"]["baseline_model"]], ["champion", "naive"]);
}

#[test]
fn the_diagram_is_an_image_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ranks.svg");
    let diagram = ["--tests", "--diagram", path.to_str().unwrap()];
    let output = program(&[&["fev_naive.csv", "fev_model.csv"][..], &diagram].concat());
    assert!(output.status.success());
    let svg = std::fs::read_to_string(path).unwrap();
    assert!(svg.starts_with("<svg xmlns=") && svg.contains("seasonal_naive"), "{svg}");
}

#[test]
fn the_order_of_files_and_models_changes_nothing() {
    let names = ["fev_naive.csv", "fev_model.csv", "fev_negative_context.csv"];
    let rows = |names: &[&str]| fixtures(names, &["--tests", "--pairwise"]);
    let (forth, back) = (rows(&names), rows(&[names[2], names[1], names[0]]));
    for part in ["rows", "pairwise", "tests", "settings"] {
        assert_eq!(forth[part], back[part], "{part}");
    }
}

/// A long table of scores that look like noise, from a linear congruential generator.
fn made_up(models: usize, tasks: usize) -> String {
    let mut state = 20_261_123_u64;
    let mut score = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) % 5000 + 1
    };
    let mut text = "algo,data,mae\n".to_owned();
    for cell in 0..models * tasks {
        text += &format!("m{:03},t{:03},{}\n", cell / tasks, cell % tasks, score());
    }
    text
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.csv");
    shared::fsio::write_atomic(&path, made_up(61, 47).as_bytes()).unwrap();
    let run = |threads: &str, rule: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench-compare"));
        command.args(["leaderboard", "--map", "model=algo,task=data,metric=mae", "--baseline-model", "m000", "--json"]);
        command.args(["--pairwise", "--tests", "--resamples", "333", "--rule", rule]).arg(&path);
        let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    for rule in ["fev", "gift-eval"] {
        let one = run("1", rule);
        assert!(one.len() > 500_000, "61 models, 3,721 pairs and their tests: {} bytes", one.len());
        assert!(one == run("2", rule) && one == run("5", rule), "{rule}");
    }
}

/// A fixture with some of its bytes replaced and its end cut off.
fn damaged(bytes: &[u8], wounds: &[(usize, u8)], kept: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, byte) in wounds {
        let place = place % bytes.len();
        bytes[place] = *byte;
    }
    bytes.truncate(kept % (bytes.len() + 1));
    bytes
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn damaged_files_never_panic(
        name in proptest::sample::select(vec!["fev_model.csv", "gift_two_names.csv", "long.jsonl", "wide.csv"]),
        wounds in proptest::collection::vec((0_usize..5000, proptest::num::u8::ANY), 0..6),
        kept in 0_usize..5000,
        ending in proptest::sample::select(vec!["csv", "jsonl", "json", "parquet"]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("damaged.{ending}"));
        let bytes = damaged(&std::fs::read(fixture(name)).unwrap(), &wounds, kept);
        shared::fsio::write_atomic(&path, &bytes).unwrap();
        let files = [path.to_str().unwrap().to_owned()];
        let maps: [&[&str]; 3] =
            [&[], &["--map", "model=algo,task=data+h,metric=mae"], &["--map", "task=data+h,models=*"]];
        for map in maps {
            // Whatever it says, it says it as an answer.
            _ = compute(&files, &[map, &["--baseline-model", "model", "--resamples", "10", "--tests"]].concat());
        }
    }
}
