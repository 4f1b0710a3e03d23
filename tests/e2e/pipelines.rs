//! The pipelines of `examples/ci`: valid for their engines, and each of their shell steps run, from lint to promotion.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use e2e::root;
use serde_json::Value;

use crate::team_project::{Project, python};

const GITHUB: &str = "examples/ci/github-actions.yml";
const GITLAB: &str = "examples/ci/gitlab-ci.yml";

/// A shell step of a pipeline.
struct Step {
    name: String,
    script: String,
}

fn run_python(python: &Path, args: &[&str]) -> Output {
    Command::new(python).args(args).current_dir(root()).output().unwrap()
}

fn steps(python: &Path, pipeline: &str) -> Vec<Step> {
    let output = run_python(python, &["tests/python/pipeline_steps.py", pipeline]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let steps: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    let name = |step: &Value| format!("{} {}", text(step, "job"), text(step, "name"));
    steps.iter().map(|step| Step { name: name(step), script: text(step, "script") }).collect()
}

fn step(python: &Path, pipeline: &str, name: &str) -> String {
    steps(python, pipeline).into_iter().find(|step| step.name == name).unwrap().script
}

fn from_lint_to_promotion(pipeline: &str, comment: &str) {
    let Some(python) = python() else { return };
    let project = Project::new(&python, "point");
    for Step { name, script } in steps(&python, pipeline) {
        let (status, said) = project.run(&script);
        assert_eq!(status, 0, "{pipeline}: {name}\n{said}");
    }
    let report = project.must("manifest-gen resolve lightgbm@champion --artifact model --verify");
    assert!(report.contains("releases/lightgbm/2.0.0/"), "{report}");
    let registry: Value = serde_json::from_slice(&fs::read(project.path("models/registry.json")).unwrap()).unwrap();
    let evidence = registry["models"]["lightgbm"]["history"].as_array().unwrap().last().unwrap()["evidence"].clone();
    let kinds: Vec<&str> = evidence.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["tests", "lint"]);
    assert_eq!(evidence[0]["summary"], "1 tests, 0 failed, 0 skipped");
    assert_eq!(evidence[1]["summary"], "3 hooks passed, 0 failed");
    assert!(project.calls().contains(comment), "{}", project.calls());
    let pushed = project.must("git -C ../remote log -1 --format=%s main");
    assert_eq!(pushed, "lightgbm 2 is promoted\n");
}

#[test]
fn the_steps_of_github_run_from_lint_to_promotion() {
    from_lint_to_promotion(
        GITHUB,
        "gh pr comment 7 --edit-last --create-if-none --body-file evidence/gate/report.md\n",
    );
}

#[test]
fn the_steps_of_gitlab_run_from_lint_to_promotion() {
    from_lint_to_promotion(
        GITLAB,
        "--data-urlencode body@evidence/gate/report.md https://gitlab.example.com/api/v4/projects/3/merge_requests/7/notes\n",
    );
}

#[test]
fn an_undecided_gate_is_shown_as_such_and_never_as_a_pass() {
    let Some(python) = python() else { return };
    let project = Project::new(&python, "evidence");
    project.must("mkdir evidence");
    let (status, said) = project.run(&step(&python, GITHUB, "gate Gate"));
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("::warning title=Inconclusive::"), "{said}");
    let summary = project.must("cat ../summary");
    assert!(summary.contains("INCONCLUSIVE"), "{summary}");
    let (status, said) = project.run(&step(&python, GITLAB, "gate script"));
    assert_eq!(status, 4, "{said}");
}

#[test]
fn each_status_of_the_gate_ends_the_step_with_its_own_title() {
    let Some(python) = python() else { return };
    let project = Project::new(&python, "point");
    let gate = step(&python, GITHUB, "gate Gate");
    for (status, title) in [(0, "Promote"), (1, "Reject"), (2, "Bad input"), (3, "Environment"), (4, "Inconclusive")] {
        let (ended, said) = project.run(&format!("bench-compare() {{ return {status}; }}\n{gate}"));
        assert_eq!(ended, status, "{said}");
        assert!(said.contains(&format!(" title={title}::")) && said.matches("title=").count() == 1, "{said}");
    }
}

#[test]
fn a_bad_forecast_table_is_bad_input_and_leaves_no_report() {
    let Some(python) = python() else { return };
    let project = Project::new(&python, "evidence");
    project.write("forecasts.csv", "unique_id,ds,cutoff,y\n");
    let (status, said) = project.run(&step(&python, GITHUB, "gate Gate"));
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("::error title=Bad input::"), "{said}");
    assert!(!project.path("evidence/gate/report.md").exists());
}

#[test]
fn failing_tests_end_the_pipeline_and_are_refused_as_evidence() {
    let Some(python) = python() else { return };
    let project = Project::new(&python, "point");
    project.write("tests/test_backtest.py", "def test_horizon():\n    assert False\n");
    project.must("mkdir evidence");
    assert_ne!(project.run(&step(&python, GITHUB, "gate Tests")).0, 0);
    for name in ["gate Lint", "gate Gate"] {
        project.must(&step(&python, GITHUB, name));
    }
    let (status, said) = project.run(&step(&python, GITHUB, "promote Promote"));
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("1 tests, 1 failed"), "{said}");
}

#[test]
fn no_value_of_a_request_is_pasted_into_a_script() {
    let Some(python) = python() else { return };
    for Step { name, script } in steps(&python, GITHUB) {
        assert!(!script.contains("${{"), "{name}");
    }
}

#[test]
fn the_pipelines_are_valid_for_their_engines() {
    let Some(python) = python() else { return };
    for (pipeline, schema, key) in
        [(GITHUB, "vendor.github-workflows", "steps:"), (GITLAB, "vendor.gitlab-ci", "script:")]
    {
        let check = |path: &str| run_python(&python, &["-m", "check_jsonschema", "--builtin-schema", schema, path]);
        let output = check(pipeline);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        // The validator is not asleep: without its steps no job is valid.
        let place = e2e::Place::new();
        let broken = fs::read_to_string(root().join(pipeline)).unwrap().replace(key, "surprise:");
        let path = place.path("pipeline.yml");
        std::io::Write::write_all(&mut fs::File::create(&path).unwrap(), broken.as_bytes()).unwrap();
        assert!(!check(path.to_str().unwrap()).status.success(), "{pipeline}");
    }
}
