//! The documents that are made from the code are those of this code.

use e2e::docs;

#[test]
fn generated_documents_are_fresh() {
    let stale = docs::stale();
    assert!(stale.is_empty(), "out of date: {stale:?}; run `{}` and commit what it writes", docs::COMMAND);
}

#[test]
fn documents_hold_no_date_and_no_path_of_this_machine() {
    for (path, text) in docs::all() {
        let root = docs::root().canonicalize().unwrap();
        assert!(!text.contains(root.to_str().unwrap()), "{}", path.display());
        let title = text.lines().find(|line| line.starts_with(".TH "));
        let dated = |title: &str| title.contains(" 20") || title.contains("\"20");
        assert!(title.is_none_or(|title| !dated(title)), "{}: {title:?}", path.display());
    }
}

#[test]
fn the_schema_of_the_settings_is_one() {
    let schemas = docs::all().into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "json"));
    for (path, text) in schemas {
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", path.display());
    }
}
