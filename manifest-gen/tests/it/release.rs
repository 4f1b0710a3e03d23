//! Making releases: what is copied, what is refused, and that nothing released ever changes.
use std::fs;

use crate::support::{Project, data};
use serde_json::Value;

fn manifest(project: &Project) -> Value {
    let text = fs::read(project.path("models/releases/lightgbm/2.0.0/manifest.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn metrics_are_those_of_the_benchmark() {
    let project = Project::new();
    project.run(&Project::new_line("2")).ok();
    let manifest = manifest(&project);
    let benchmark: Value =
        serde_json::from_slice(&fs::read(data("benchmark/candidate/benchmark_results.json")).unwrap()).unwrap();
    for metric in manifest["metrics"].as_array().unwrap() {
        let pointer = metric["from"].as_str().unwrap().strip_prefix("benchmark:").unwrap();
        assert_eq!(benchmark.pointer(pointer).unwrap(), &metric["copied"], "{metric}");
        assert_eq!(metric["n"], 540);
        assert_eq!(metric["window"], "2012-08-10..2012-10-26");
    }
    let mape = &manifest["metrics"][0];
    assert_eq!((&mape["name"], &mape["value"]), (&"mape_ratio".into(), &(3.990_132_113_647_565 / 100.0).into()));
}

#[test]
fn the_manifest_says_what_the_release_is() {
    let project = Project::new();
    project.run(&Project::new_line("2")).ok();
    let manifest = manifest(&project);
    assert_eq!((&manifest["version"], &manifest["file_version"]), (&"2.0.0".into(), &"2".into()));
    assert_eq!(manifest["features"].as_array().unwrap().len(), 15);
    assert_eq!(manifest["features"][0]["name"], "last");
    assert_eq!(manifest["training"]["coverage"]["missing_ratio"], 0.25);
    assert_eq!(manifest["horizon"], serde_json::json!({"from": 1, "to": 6}));
    assert_eq!(manifest["code"]["commit"], "0123abc");
    assert_eq!(manifest["gate"]["slices"], serde_json::json!(["holiday = 1", "n_train < 60"]));
    let roles: Vec<_> = manifest["artifacts"].as_array().unwrap().iter().map(|artifact| &artifact["role"]).collect();
    assert_eq!(roles, ["model", "preprocessing"]);
    for artifact in manifest["artifacts"].as_array().unwrap() {
        let file = project.path("models/releases/lightgbm/2.0.0").join(artifact["path"].as_str().unwrap());
        assert_eq!(shared::digest::of_file(&file).unwrap(), artifact["sha256"].as_str().unwrap());
    }
}

#[test]
fn the_same_command_makes_the_same_bytes_and_another_is_refused_with_both_digests() {
    let project = Project::new();
    project.run(&Project::new_line("2")).ok();
    let before = project.files();
    let again = project.run(&format!("{} --json", Project::new_line("2"))).ok().json();
    assert_eq!(again["made"], false);
    project.run(&format!("{} --check", Project::new_line("2"))).ok();
    let other = project.run(&Project::new_line("2").replace("weekly", "daily")).is(1);
    assert!(other.stderr.contains("never changes") && other.stderr.contains("\"cadence\" differs"), "{}", other.stderr);
    let is_digest = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words: Vec<&str> = other.stderr.split([' ', ',', ':']).filter(is_digest).collect();
    assert!(words.len() == 2 && words[0] != words[1], "{}", other.stderr);
    assert_eq!(project.files(), before);
    let twin = Project::new();
    twin.run(&Project::new_line("2")).ok();
    let path = "models/releases/lightgbm/2.0.0/manifest.json";
    assert_eq!(fs::read(project.path(path)).unwrap(), fs::read(twin.path(path)).unwrap());
}

#[test]
fn what_a_killed_signature_left_is_in_nobodys_way() {
    let project = Project::new();
    project.keys();
    project.run(&Project::new_line("2")).ok();
    let left = "models/releases/lightgbm/2.0.0/.promotion-tmp-4294967295-x";
    for again in [Project::new_line("2"), "sign lightgbm 2 --key private.pem".to_owned()] {
        project.write(left, "half a signature");
        project.run("verify lightgbm 2").is(1);
        project.run(&again).ok();
        assert!(!project.path(left).exists(), "{again}");
    }
}

#[test]
fn check_sees_a_changed_source() {
    let project = Project::new();
    project.run(&Project::new_line("2")).ok();
    project.write("requirements.lock", "numpy==1.0\n");
    let said = project.run(&format!("{} --check", Project::new_line("2"))).is(1);
    assert!(said.stderr.contains("\"evidence\" differs"), "{}", said.stderr);
}

#[test]
fn a_model_that_has_seen_its_test_is_refused() {
    let project = Project::new();
    let line = Project::new_line("2").replace("2012-08-03", "2012-08-10");
    let said = project.run(&line).is(1);
    assert!(said.stderr.contains("the model has seen its test"), "{}", said.stderr);
    assert!(!project.path("models/releases/lightgbm/2.0.0").exists());
}

#[test]
fn a_model_that_was_fitted_anew_says_so_for_ever() {
    let project = Project::new();
    let line = Project::new_line("2").replace("2012-08-03", "2012-08-10");
    let said = project.run(&format!("{line} --refitted")).ok();
    assert!(said.stderr.contains("fitted anew after the evidence"), "{}", said.stderr);
    let manifest = fs::read_to_string(project.path("models/releases/lightgbm/2.0.0/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["training"]["refitted"], true);
}

#[test]
fn a_model_without_preprocessing_is_refused_unless_it_holds_it() {
    let project = Project::new();
    let line = "new lightgbm 2 --artifact model=models/lightgbm_v2.pkl";
    let said = project.run(line).is(2);
    assert!(said.stderr.contains("--self-contained"), "{}", said.stderr);
    project.run(&format!("{line} --self-contained")).ok();
}

#[test]
fn a_verdict_about_another_model_is_refused() {
    let project = Project::new();
    let line = Project::new_line("2")
        .replace("--model-name lightgbm_v2", "--model-name other")
        .replace("--benchmark results/benchmark_results.json", "");
    project.write("promotion.toml", "project = \"test\"\n");
    let said = project.run(&line).is(1);
    assert!(said.stderr.contains("the verdict judges \"lightgbm_v2\""), "{}", said.stderr);
}

#[test]
fn a_stranger_at_the_published_path_is_never_overwritten() {
    let project = Project::new();
    project.copy("artifacts/models/random_forest_v1.pkl", "elsewhere/model.pkl");
    let before = project.files();
    let line = Project::new_line("2").replace("model=models/lightgbm_v2.pkl", "model=elsewhere/model.pkl");
    let said = project.run(&line).is(1);
    assert!(said.stderr.contains("another file stands"), "{}", said.stderr);
    assert_eq!(project.files(), before);
}

#[test]
fn a_hostile_pickle_is_never_released() {
    let project = Project::new();
    // cos\ngetpid\n(tR. : a call of os.getpid, spelled in protocol 0; nothing here loads it.
    project.write("models/evil.pkl", "cos\ngetpid\n(tR.");
    let line = "new evil 1 --artifact model=models/evil.pkl --self-contained";
    let said = project.run(line).is(1);
    assert!(said.stderr.contains("os.getpid"), "{}", said.stderr);
    assert!(!project.path("models/releases/evil/1.0.0").exists());
}

#[test]
fn bad_flags_say_what_is_expected() {
    let project = Project::new();
    for (line, words) in [
        ("new ../x 2 --artifact model=a --self-contained", "letters, digits"),
        ("new x latest --artifact model=a --self-contained", "semantic version"),
        ("new x 2 --artifact a --self-contained", "ROLE=PATH"),
        ("new x 2 --artifact model=a --artifact model=b --self-contained", "twice"),
        ("new x 2 --artifact model=absent.pkl --self-contained", "absent.pkl"),
        ("new x 2 --artifact model=models/lightgbm_v2.pkl --self-contained --horizon 0", "--horizon"),
        (
            "new x 2 --artifact model=models/lightgbm_v2.pkl --self-contained --train-window 2012..2010",
            "--train-window",
        ),
    ] {
        let said = project.run(line).is(2);
        assert!(said.stderr.contains(words), "{line}: {}", said.stderr);
    }
    assert!(fs::read_dir(project.path("models/releases/x")).map_or(0, Iterator::count) == 0);
}
