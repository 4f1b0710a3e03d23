//! `promotion.toml`: what is read, what is refused and where.

use std::path::{Path, PathBuf};

use shared::config::{self, Config};

fn parse(text: &str) -> Config {
    Config::parse(Path::new("p/promotion.toml"), text).unwrap()
}

fn refused(text: &str) -> String {
    Config::parse(Path::new("promotion.toml"), text).unwrap_err().to_string()
}

#[test]
fn a_model_has_one_identity() {
    let config = parse(
        "project = \"bls\"\n[models.lightgbm]\nnames = [\"lightgbm_v2\", \"LightGBM\", \"lightgbm\"]\n[models.rf]\n",
    );
    assert_eq!(config.project.as_deref(), Some("bls"));
    assert_eq!(config.identity("LightGBM"), "lightgbm");
    assert_eq!(config.identity("lightgbm"), "lightgbm");
    assert_eq!(config.identity("never heard of"), "never heard of");
    assert!(config.same("LightGBM", "lightgbm_v2") && !config.same("rf", "LightGBM"));
    assert_eq!(config.models.all().len(), 2);
    assert_eq!(config.folder(), Path::new("p"));
}

#[test]
fn a_name_claimed_twice_is_refused() {
    let text = "[models.a]\nnames = [\"x\"]\n[models.b]\nnames = [\"y\", \"x\"]\n";
    let expected =
        "promotion.toml:4:15: the name \"x\" is claimed by \"a\" and by \"b\" (expected each name under one model)";
    assert_eq!(refused(text), expected);
    assert!(refused("[models.a]\nnames = [\"b\"]\n[models.b]\n").contains("claimed by \"b\" and by \"a\""));
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    assert_eq!(refused("projekt = 'x'\n"), "promotion.toml:1:1: unknown key \"projekt\": did you mean \"project\"?");
    assert!(refused("\n[models.a]\nnames = ['x']\nname = 1\n").starts_with("promotion.toml:4:1: unknown key \"name\""));
    assert!(refused("project = 3").contains("promotion.toml:1:1: \"project\" is 3 (expected a text)"));
    assert!(refused("models = 3").contains("(expected a table)"));
    assert!(refused("[bench]\n").contains("unknown key \"bench\""));
}

#[test]
fn a_syntax_error_has_a_place() {
    let text = refused("project = \"x\"\nslice = [\n");
    assert!(text.starts_with("promotion.toml:2:") || text.starts_with("promotion.toml:3:"), "{text}");
}

#[test]
fn all_problems_are_told_at_once() {
    assert_eq!(refused("a = 1\nb = 2\n").lines().count(), 2);
}

#[test]
fn the_file_is_found_upward() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b");
    std::fs::create_dir_all(&deep).unwrap();
    shared::fsio::write_atomic(&folder.path().join("promotion.toml"), b"").unwrap();
    assert_eq!(config::find(&deep), Some(PathBuf::from("../../promotion.toml")));
    assert_eq!(config::find(folder.path()), Some(PathBuf::from("promotion.toml")));
}
