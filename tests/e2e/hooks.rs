//! The hooks for pre-commit, which stop a commit that should not be made.

use std::fs;

use e2e::{data, root};

use crate::team_project::{Project, python};

/// A project in which the hooks are installed.
fn project() -> Option<Project> {
    let project = Project::new(&python()?, "point");
    project.must("pre-commit install");
    Some(project)
}

/// Commits everything: status, and what the hooks said.
fn commit(project: &Project) -> (i32, String) {
    project.run("git add . && git commit --message change")
}

#[test]
fn what_is_in_order_is_committed() {
    let Some(project) = project() else { return };
    fs::copy(data("benchmark/baseline/benchmark_results.json"), project.path("results/benchmark_results.json"))
        .unwrap();
    let (status, said) = commit(&project);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("result files are whole") && said.contains("Passed"), "{said}");
}

#[test]
fn half_a_result_file_is_not_committed() {
    let Some(project) = project() else { return };
    let broken = data("benchmark/edge/truncated_numpy_param.json");
    fs::copy(broken, project.path("results/benchmark_results.json")).unwrap();
    let (status, said) = commit(&project);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("results/benchmark_results.json:14:23: error:"), "{said}");
}

#[test]
fn a_pickle_that_would_run_something_is_not_committed() {
    let Some(project) = project() else { return };
    fs::copy(data("pickles/hostile/51_after_raw_array.joblib"), project.path("artifacts/other.joblib")).unwrap();
    let (status, said) = commit(&project);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("refused: os.getpid"), "{said}");
}

#[test]
fn a_reference_to_a_version_that_was_left_behind_is_not_committed() {
    let Some(project) = project() else { return };
    project.must("manifest-gen new lightgbm 2 && manifest-gen promote lightgbm 2 --force 'a newer one'");
    project.write("serve.py", "MODEL = 'models/lightgbm_v1.pkl'\n");
    let (status, said) = commit(&project);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("serve.py:1:"), "{said}");
}

#[test]
fn hooks_and_configuration_are_valid_for_pre_commit() {
    let Some(python) = python() else { return };
    let project = Project::new(&python, "point");
    for (command, file) in
        [("validate-manifest", ".pre-commit-hooks.yaml"), ("validate-config", "examples/ci/pre-commit-config.yaml")]
    {
        let said = project.must(&format!("pre-commit {command} '{}'", root().join(file).display()));
        assert!(said.is_empty(), "{said}");
        project.write("broken.yaml", "- id: 3\n");
        assert_ne!(project.run(&format!("pre-commit {command} broken.yaml")).0, 0, "{command}");
    }
}
