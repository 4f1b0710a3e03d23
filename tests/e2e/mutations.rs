//! The list of faults that `tests/mutations/run.py` seeds: each still has its place in the tools.

use std::collections::BTreeSet;
use std::fs;

use e2e::root;
use serde_json::Value;

fn faults() -> Vec<Value> {
    serde_json::from_slice(&fs::read(root().join("tests/mutations/faults.json")).unwrap()).unwrap()
}

#[test]
fn each_seeded_fault_has_one_place_in_the_tools() {
    for fault in faults() {
        let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        let file = root().join(text("crate")).join("src").join(text("file"));
        let (source, fragment) = (fs::read_to_string(file).unwrap(), text("fragment"));
        let at = if fault["at"].is_null() { fragment.clone() } else { text("at") };
        assert_eq!(source.matches(&at).count(), 1, "{}: {at}", text("name"));
        assert_eq!(at.matches(&fragment).count(), 1, "{}: {fragment}", text("name"));
        assert_ne!(fragment, text("becomes"), "{}", text("name"));
    }
}

#[test]
fn faults_are_spread_over_all_tools_and_steps() {
    let faults = faults();
    assert!(faults.len() >= 20);
    let all = |key: &str, end: char| -> BTreeSet<String> {
        faults.iter().map(|fault| fault[key].as_str().unwrap().split(end).next().unwrap().to_owned()).collect()
    };
    assert_eq!(all("name", '\n').len(), faults.len(), "names are distinct");
    let crates = ["bench-compare", "drift-watch", "manifest-gen", "rebench-cron", "shared"];
    assert!(all("crate", '/').iter().eq(crates));
    assert!(all("step", ' ').iter().eq(["1", "2", "3", "4", "5", "6"]));
}
