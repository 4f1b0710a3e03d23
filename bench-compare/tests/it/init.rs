//! `bench-compare init` writes a file that the tool itself accepts, in whatever folder.

use std::path::Path;

use bench_compare::args::Cli;
use bench_compare::init;
use shared::cli::parse_from;
use shared::fsio::write_atomic;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data");

/// Reads `text` as the promotion.toml of `folder`, as every command does before it runs.
fn accept(folder: &Path, text: &str) -> anyhow::Result<()> {
    let file = folder.join("promotion.toml");
    write_atomic(&file, text.as_bytes())?;
    parse_from::<Cli>(&["bench-compare", "check", "--config", file.to_str().unwrap()], &|_| None).map(|_| ())
}

/// The draft with every default put into force.
fn uncommented(text: &str) -> String {
    let is_setting =
        |line: &str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let lines = text.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_draft_is_accepted_wherever_it_is_made() {
    for folder in ["cv", "benchmark", "artifacts", "."] {
        let scratch = tempfile::tempdir().unwrap();
        let text = init::draft("a \"project\"", &Path::new(DATA).join(folder));
        accept(scratch.path(), &text).unwrap_or_else(|error| panic!("{folder}: {error}\n{text}"));
    }
}

#[test]
fn an_empty_folder_gets_a_draft_too() {
    let scratch = tempfile::tempdir().unwrap();
    let text = init::draft("p", scratch.path());
    accept(scratch.path(), &text).unwrap();
    assert!(text.contains("\n# [models.lightgbm]\n"));
}

#[test]
fn the_keys_of_the_draft_are_known() {
    let scratch = tempfile::tempdir().unwrap();
    let text = uncommented(&init::draft("p", scratch.path()));
    if let Err(error) = accept(scratch.path(), &text) {
        assert!(!error.to_string().contains("unknown key"), "{error}\n{text}");
    }
}

#[test]
fn names_that_look_alike_become_one_model() {
    let scratch = tempfile::tempdir().unwrap();
    for name in ["cv/bls_unemployment_cv.csv", "benchmark/candidate/benchmark_results.json"] {
        let file = Path::new(name).file_name().unwrap();
        std::fs::copy(Path::new(DATA).join(name), scratch.path().join(file)).unwrap();
    }
    let text = init::draft("p", scratch.path());
    assert!(text.contains("[models.lightgbm]\nnames = [\"LightGBM\", \"lightgbm_v2\"]"), "{text}");
    accept(scratch.path(), &text).unwrap();
}
