//! Promoting, rolling back, yanking: what is refused, what stays on record, what consumers then see.
use crate::python;
use crate::support;

use std::fs;
use std::process::Stdio;

use crate::support::Project;
use serde_json::Value;

fn registry(project: &Project) -> Value {
    serde_json::from_slice(&fs::read(project.path("models/registry.json")).unwrap()).unwrap()
}

fn release(project: &Project, version: &str) {
    project.run(&Project::new_line(version)).ok();
}

#[test]
fn the_whole_way_there_and_back() {
    let project = Project::new();
    project.signed("1");
    project.signed("2");
    project.run("promote lightgbm 1").ok();
    let first = project.files();
    project.run("promote lightgbm 2 --reason better").ok();
    let path = project.run("resolve lightgbm@champion --artifact model --verify").ok().stdout;
    assert_eq!(path, "models/releases/lightgbm/2.0.0/lightgbm_v2.pkl\n");
    assert!(fs::read_to_string(project.path("README.md")).unwrap().contains("| `lightgbm` | 2 "));
    assert_eq!(
        fs::read(project.path("results/verdict.json")).unwrap(),
        fs::read(project.path("verdict_2.json")).unwrap()
    );
    project.run("rollback lightgbm --alias champion --public-key public.pem").ok();
    let registry = registry(&project);
    let model = &registry["models"]["lightgbm"];
    assert_eq!(model["aliases"]["champion"], "1.0.0");
    assert_eq!(model["history"].as_array().unwrap().len(), 3);
    assert_eq!(model["history"][2]["action"], "rollback");
    for name in ["README.md", "results/verdict.json", "results/champion.json"] {
        assert_eq!(project.files()[name], first[name], "{name}");
    }
    project.run("verify --all --key public.pem --require-signature").ok();
    let role = |role: &str| project.run(&format!("resolve lightgbm@champion --artifact {role} --verify")).ok().stdout;
    assert!(role("model").contains("1.0.0/lightgbm_v1") && role("preprocessing").contains("1.0.0/preprocessing"));
}

#[test]
fn the_readme_passes_markdownlint() {
    let project = Project::new();
    for version in ["1", "2"] {
        project.run(&Project::new_line(version)).ok();
    }
    project.run("promote lightgbm 2").ok();
    let Some(python) = python::python("pymarkdown") else { return };
    let mut lint = std::process::Command::new(python);
    lint.args(["-m", "pymarkdown", "scan"]).arg(project.path("README.md"));
    let said = support::said(&lint.output().unwrap());
    assert_eq!((said.status, said.stdout.as_str()), (0, ""), "{}", said.stderr);
}

#[test]
fn what_is_not_proven_is_not_promoted() {
    let project = Project::new();
    for (version, decision) in [("1", "reject"), ("2", "inconclusive"), ("3", "identical")] {
        project.write(&format!("verdict_{version}.json"), &project.verdict(decision, version));
        release(&project, version);
        let said = project.run(&format!("promote lightgbm {version}")).is(1);
        assert!(said.stderr.contains(&format!("the verdict is {decision}")), "{}", said.stderr);
    }
    assert!(!project.path("models/registry.json").exists());
}

#[test]
fn a_release_without_a_verdict_is_not_promoted() {
    let project = Project::new();
    project.run(&Project::new_line("2").replace("--verdict verdict_2.json", "")).ok();
    assert!(project.run("promote lightgbm 2").is(1).stderr.contains("no verdict"));
}

#[test]
fn a_verdict_about_other_bytes_is_refused_and_an_unbound_one_is_a_policy() {
    let project = Project::new();
    project.write("verdict_2.json", &project.verdict("promote", "1"));
    release(&project, "2");
    assert!(project.run("promote lightgbm 2").is(1).stderr.contains("another model"));
    project.run("promote lightgbm 2 --allow-unbound").is(1);

    let mut verdict: Value = serde_json::from_str(&project.verdict("promote", "3")).unwrap();
    verdict["subject"] = serde_json::json!([]);
    project.write("verdict_3.json", &verdict.to_string());
    release(&project, "3");
    assert!(project.run("promote lightgbm 3").is(1).stderr.contains("does not say which model"));
    project.run("promote lightgbm 3 --allow-unbound").ok();
    let registry = registry(&project);
    let event = &registry["models"]["lightgbm"]["history"][0];
    assert!(event["overruled"][0].as_str().unwrap().contains("does not say which model"));
    assert_eq!(event["forced"], Value::Null);
}

#[test]
fn force_needs_a_reason_and_is_recorded_for_ever() {
    let project = Project::new();
    project.write("verdict_2.json", &project.verdict("reject", "2"));
    release(&project, "2");
    let command = |reason: &str| {
        support::said(&project.command().args(["promote", "lightgbm", "2", "--force", reason]).output().unwrap())
    };
    command(" ").is(1);
    command("the old one is worse in every way").ok();
    let registry = registry(&project);
    let event = &registry["models"]["lightgbm"]["history"][0];
    assert_eq!(event["forced"], "the old one is worse in every way");
    assert!(event["overruled"][0].as_str().unwrap().starts_with("the verdict is reject"));
}

#[test]
fn force_does_not_overrule_broken_bytes() {
    let project = Project::new();
    release(&project, "2");
    project.write("models/releases/lightgbm/2.0.0/lightgbm_v2.pkl", "other");
    let command = ["promote", "lightgbm", "2", "--force", "please"];
    let said = support::said(&project.command().args(command).output().unwrap()).is(1);
    assert!(said.stderr.contains("sha256"), "{}", said.stderr);
}

#[test]
fn evidence_that_is_old_absent_or_failed_is_refused() {
    let project = Project::new();
    release(&project, "2");
    let old = project.run("promote lightgbm 2 --max-evidence-age 30d").is(1);
    assert!(old.stderr.contains("days old"), "{}", old.stderr);
    assert!(project.run("promote lightgbm 2 --require-evidence tests").is(1).stderr.contains("absent"));
    project.write("bad.xml", "<testsuite><testcase name='a'><failure/></testcase></testsuite>");
    assert!(project.run("promote lightgbm 2 --evidence tests=bad.xml").is(1).stderr.contains("1 failed"));
    project.write("good.xml", "<testsuite><testcase name='a'/></testsuite>");
    project.write("lint.log", "ruff\nexit status 0\n");
    let given = "--require-evidence tests,lint --evidence tests=good.xml --evidence lint=lint.log";
    project.run(&format!("promote lightgbm 2 {given}")).ok();
    let registry = registry(&project);
    let evidence = &registry["models"]["lightgbm"]["history"][0]["evidence"];
    for (index, name) in ["good.xml", "lint.log"].iter().enumerate() {
        let copy = project.path("models").join(evidence[index]["path"].as_str().unwrap());
        assert_eq!(fs::read(copy).unwrap(), fs::read(project.path(name)).unwrap());
    }
}

#[test]
fn an_unsigned_release_is_refused_where_policy_wants_a_signature() {
    let project = Project::new();
    project.keys();
    release(&project, "2");
    project.run("promote lightgbm 2 --require-signature --public-key public.pem").is(1);
    project.run("sign lightgbm 2 --key private.pem").ok();
    project.run("promote lightgbm 2 --require-signature").is(1);
    project.run("promote lightgbm 2 --require-signature --public-key public.pem").ok();
}

#[test]
fn a_signature_of_another_release_is_refused() {
    let project = Project::new();
    project.signed("1");
    project.signed("2");
    let signature = |version: &str| project.path(&format!("models/releases/lightgbm/{version}/model.sig"));
    fs::copy(signature("1.0.0"), signature("2.0.0")).unwrap();
    project.run("verify lightgbm 2 --key public.pem").is(1);
    project.run("promote lightgbm 2 --public-key public.pem").is(1);
}

#[test]
fn what_is_promoted_is_not_signed_anew() {
    let project = Project::new();
    project.keys();
    release(&project, "2");
    project.run("promote lightgbm 2").ok();
    assert!(project.run("sign lightgbm 2 --key private.pem").is(1).stderr.contains("never changes"));
}

#[test]
fn a_yanked_version_never_resolves_and_never_returns() {
    let project = Project::new();
    for version in ["1", "2", "3"] {
        release(&project, version);
        project.run(&format!("promote lightgbm {version}")).ok();
    }
    project.run("yank lightgbm 2 --reason leak").ok();
    assert!(project.run("resolve lightgbm@2").is(1).stderr.contains("leak"));
    assert!(project.run("promote lightgbm 2").is(1).stderr.contains("yanked"));
    project.run("promote lightgbm 2 --force please").is(1);
    project.run("rollback lightgbm --to 2").is(1);
    project.run("rollback lightgbm").ok();
    assert_eq!(registry(&project)["models"]["lightgbm"]["aliases"]["champion"], "1.0.0");
    let again = project.run("yank lightgbm 2 --reason other --json").ok().json();
    assert_eq!(again["changed"], false);
}

#[test]
fn a_model_under_another_name_is_seen() {
    let project = Project::new();
    release(&project, "2");
    project.run("promote lightgbm 2").ok();
    let text = fs::read_to_string(project.path("models/registry.json")).unwrap();
    project.write("models/registry.json", &text.replacen("\"lightgbm\": {", "\"light_bm\": {", 1));
    assert!(project.run("verify lightgbm 2").is(1).stdout.contains("belongs to another name"));
}

#[test]
fn there_is_nothing_to_roll_back_to_from_the_first() {
    let project = Project::new();
    release(&project, "1");
    project.run("promote lightgbm 1").ok();
    assert!(project.run("rollback lightgbm").is(1).stderr.contains("only version"));
}

#[test]
fn a_rollback_to_a_damaged_release_is_refused() {
    let project = Project::new();
    for version in ["1", "2"] {
        release(&project, version);
        project.run(&format!("promote lightgbm {version}")).ok();
    }
    project.write("models/releases/lightgbm/1.0.0/preprocessing_lightgbm_v1.pkl", "other");
    project.run("rollback lightgbm").is(1);
    assert_eq!(registry(&project)["models"]["lightgbm"]["aliases"]["champion"], "2.0.0");
}

#[test]
fn expect_is_compare_and_swap() {
    let project = Project::new();
    for version in ["1", "2"] {
        release(&project, version);
    }
    project.run("promote lightgbm 1 --expect 2").is(1);
    project.run("promote lightgbm 1 --expect none").ok();
    project.run("promote lightgbm 2 --expect none").is(1);
    project.run("promote lightgbm 2 --expect 1").ok();
    // Given again, as after a crash before its answer, it has done what it says; and did nothing of the kind where it came from elsewhere.
    let again = project.run("promote lightgbm 2 --expect 1").ok();
    assert!(again.stdout.contains("already"), "nothing is promoted twice");
    project.run("promote lightgbm 2 --expect none").is(1);
}

#[test]
fn a_readme_without_markers_stops_the_promotion_before_it_changes_anything() {
    let project = Project::new();
    release(&project, "2");
    project.write("README.md", "# no markers\n");
    let before = project.files();
    assert!(project.run("promote lightgbm 2").is(2).stderr.contains("manifest-gen:begin"));
    assert_eq!(project.files(), before);
}

#[test]
fn fifty_promoters_at_once_leave_one_event_a_version() {
    let project = Project::new();
    for version in ["1", "2"] {
        release(&project, version);
    }
    let spawn = |number: usize| {
        let version = (number % 2 + 1).to_string();
        let mut command = project.command();
        command.args(["promote", "lightgbm", &version, "--alias", &format!("slot-{version}")]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = (0..50).map(spawn).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let registry = registry(&project);
    let history = registry["models"]["lightgbm"]["history"].as_array().unwrap();
    let mut versions: Vec<&str> = history.iter().map(|event| event["version"].as_str().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, ["1.0.0", "2.0.0"]);
    project.run("verify --all").ok();
}

#[test]
fn fifty_releases_of_one_version_leave_one() {
    let project = Project::new();
    let spawn = |number: usize| {
        let line = Project::new_line("2").replace("weekly", &format!("cadence-{number}"));
        project.command().args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<_> = (0..50).map(spawn).collect();
    let won: usize = children.into_iter().map(|mut child| usize::from(child.wait().unwrap().code() == Some(0))).sum();
    assert_eq!(won, 1);
    project.run("verify lightgbm 2").ok();
    let left = fs::read_dir(project.path("models/releases/lightgbm")).unwrap().count();
    assert_eq!(left, 1, "staging folders are removed");
}
