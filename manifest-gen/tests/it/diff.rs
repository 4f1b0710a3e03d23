//! `manifest-gen diff` on release folders: status, text, JSON, Markdown.

use crate::common::{release, run, said, store};
use manifest_gen::store::Store;
use serde_json::Value;

fn models() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    release(&store, "1", b"model", |_| ());
    release(&store, "2", b"model", |_| ());
    release(&store, "3", b"a longer model", |manifest| {
        manifest.metrics[0].value = 0.125;
        manifest.features.swap(0, 1);
        manifest.artifacts[0].globals.push("team.transforms.Log".to_owned());
        manifest.notes.push("a | b".to_owned());
    });
    (folder, store)
}

fn diff(store: &Store, words: &[&str]) -> (String, i32) {
    said(&run(store, &[&["diff", "lightgbm"], words].concat(), &[]))
}

#[test]
fn the_same_content_under_another_number_is_the_same() {
    let (_folder, store) = models();
    assert_eq!(diff(&store, &["1", "2"]), ("lightgbm 1.0.0 to 2.0.0: nothing changed\n".to_owned(), 0));
}

#[test]
fn changes_are_lines_and_status_1() {
    let (_folder, store) = models();
    let (text, exit) = diff(&store, &["1", "3"]);
    assert_eq!(exit, 1);
    for line in [
        "lightgbm 1.0.0 to 3.0.0: 6 changes",
        "+ global model: team.transforms.Log",
        "> feature lag_52: place 2 -> place 1",
        "~ metric mape (walmart): 0.25 -> 0.125 (-0.125)",
        "+ note a | b",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    // 5 and 14 bytes.
    assert!(text.contains("~ artifact model: pickle, 5 bytes") && text.contains("(+9)"), "{text}");
}

#[test]
fn json_and_markdown_say_the_same() {
    let (_folder, store) = models();
    let (json, exit) = diff(&store, &["1", "3", "--json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (exit, report["schema"].as_str(), report["same"].as_bool()),
        (1, Some("manifest-gen/diff/1"), Some(false))
    );
    let areas: Vec<&str> =
        report["changes"].as_array().unwrap().iter().map(|row| row["area"].as_str().unwrap()).collect();
    assert_eq!(areas, ["artifact", "global", "feature", "feature", "metric", "note"]);
    let (markdown, _) = diff(&store, &["1", "3", "--format", "markdown"]);
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    assert!(rows.len() == 8 && rows.iter().all(|row| bars(row) == 6), "{markdown}");
}

#[test]
fn what_is_not_there_is_an_error_of_usage() {
    let (_folder, store) = models();
    assert_eq!(diff(&store, &["1", "7"]).1, 2);
    assert_eq!(diff(&store, &["1", "2", "--format", "csv"]).1, 2);
}
