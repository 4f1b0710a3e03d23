//! `SECURITY.md` claims nothing that no test shows.

use std::fs;

use e2e::root;

/// The tests that the document names, with the files that they are said to stand in.
fn named(text: &str) -> Vec<(&str, &str)> {
    let links = text.split("[`").skip(1).filter_map(|rest| rest.split_once("`]("));
    links.filter_map(|(name, rest)| Some((name, rest.split_once(')')?.0))).collect()
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let named = named(&text);
    assert!(named.len() > 30, "the table is gone");
    for (name, file) in named {
        let code = fs::read_to_string(root().join(file)).unwrap_or_default();
        assert!(code.contains(&format!("fn {name}(")), "{file} has no test {name}");
    }
}

#[test]
fn every_row_of_the_threat_model_names_a_test() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| **")).collect();
    assert!(rows.len() > 10, "the table is gone");
    rows.iter().for_each(|row| assert!(row.contains("[`"), "{row}"));
}
