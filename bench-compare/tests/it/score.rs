//! `score` on the real table: its output, its schema, and the files that the team's loader reads.

#![expect(clippy::unwrap_used, clippy::float_cmp, reason = "a test")]

use bench_compare::args::{Cli, Command};
use bench_compare::score::{Score, score};
use clap::Parser;
use serde_json::Value;
use shared::Exit;
use shared::cli::{Context, Format};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/cv");

fn command(more: &[&str]) -> Command {
    let cv = format!("{DATA}/bls_unemployment_cv.csv");
    Cli::try_parse_from(["bench-compare", "score", &cv].iter().chain(more)).unwrap().command
}

fn scored(more: &[&str]) -> Score {
    let Command::Score(args) = command(more) else { panic!("score") };
    score(&args, true).unwrap()
}

fn train() -> String {
    format!("{DATA}/bls_unemployment_train.csv")
}

#[test]
fn the_command_line_of_the_readme() {
    let metrics = "mape,smape,wape,mase,rmsse,mae,rmse,bias,da,coverage,pinball";
    let score = scored(&[
        "--train",
        &train(),
        "--season",
        "12",
        "--metrics",
        metrics,
        "--by",
        "unique_id,h,holiday",
        "--slice",
        "n_train < 60",
    ]);
    let json: Value = serde_json::to_value(&score).unwrap();
    assert_eq!(json["schema"], "bench-compare/score/1");
    assert!(score.complete, "{:?}", score.missing);
    let percent = |model: &str, key: &str| (json["models"][model][key].as_f64().unwrap() * 1000.0).round() / 10.0;
    assert_eq!(percent("Ridge", "mape_ratio"), 17.0);
    assert_eq!(percent("LightGBM", "coverage_ratio"), 65.1);
    assert_eq!(json["models"]["Ridge"]["coverage_ratio"], Value::Null);
    assert_eq!(json["models"]["Ridge"]["n"], 1932);
    assert_eq!(json["groups"]["holiday"]["1"]["Ridge"]["n"], 308);
    assert_eq!(json["groups"]["unique_id"].as_object().unwrap().len(), 14);
    assert_eq!(json["slices"]["n_train < 60"]["Ridge"]["n"], 14 * 4 * 6);
    assert_eq!(json["inputs"][0]["sha256"].as_str().unwrap().len(), 64);
    let schema = serde_json::to_value(schemars::schema_for!(Score)).unwrap();
    jsonschema::validate(&schema, &json).unwrap();
}

#[test]
fn what_cannot_be_computed_is_said() {
    let score = scored(&["--metrics", "mase,mae"]);
    assert!(!score.complete);
    assert_eq!(score.missing, ["mase cannot be computed: it needs the history of the series (--train)"]);
    let Command::Score(args) = command(&["--level", "80"]) else { panic!("score") };
    assert!(
        bench_compare::score::score(&args, false)
            .unwrap_err()
            .to_string()
            .contains("no model has an interval of 80 percent")
    );
}

#[test]
fn benchmark_files_are_those_of_the_class() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let context =
        Context { format: Format::Json, output: Some(folder.path().join("score.json")), ..Context::default() };
    let Command::Score(args) = command(&[
        "--write-benchmark",
        out.to_str().unwrap(),
        "--dataset",
        "bls",
        "--model",
        "LightGBM",
        "--model",
        "Ridge",
    ]) else {
        panic!("score")
    };
    assert_eq!(bench_compare::score::run(&args, &context).unwrap(), Exit::Ok);
    let read = |name: &str| shared::fsio::read(&out.join(name)).unwrap();
    let results: Value = serde_json::from_slice(&read("benchmark_results.json")).unwrap();
    let row = &results["results"][0];
    assert_eq!(
        (&row["model_name"], &row["dataset_name"], &row["n_samples"]),
        (&"LightGBM".into(), &"bls".into(), &1932.into())
    );
    assert_eq!((row["mape"].as_f64().unwrap() * 10.0).round() / 10.0, 18.2);
    assert!(String::from_utf8(read("benchmark_report.txt")).unwrap().contains("Model: LightGBM | Dataset: bls"));
}

#[test]
fn tables_have_a_line_for_each_model() {
    let folder = tempfile::tempdir().unwrap();
    for (format, expected) in
        [(Format::Text, "Ridge"), (Format::Csv, "all,,Ridge,1932,0.17"), (Format::Markdown, "| Ridge")]
    {
        let path = folder.path().join("out");
        let Command::Score(args) = command(&["--metrics", "mape"]) else { panic!("score") };
        bench_compare::score::run(&args, &Context { format, output: Some(path.clone()), ..Context::default() })
            .unwrap();
        let text = String::from_utf8(shared::fsio::read(&path).unwrap()).unwrap();
        assert!(text.contains(expected), "{text}");
    }
}
