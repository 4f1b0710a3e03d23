//! The checklist: a release for which every row passes, and for each row a change that makes just that row fail.
use std::process::Command;

use crate::support::{Project, Said, said};
use serde_json::Value;

/// What promotion.toml says beside the settings of every test.
const DAEMONS: &str = r#"
[drift-watch.run]
model = ["lightgbm"]

[rebench-cron.jobs.lightgbm]
schedule = "0 3 * * 1"
"#;

/// How a project is made; each test changes one thing.
struct Setup {
    new: String,
    promote: String,
    audit: String,
    daemons: String,
}

impl Setup {
    fn good() -> Self {
        Self {
            new: format!("{} --profile profile.json", Project::new_line("2").replace(" --code-commit 0123abc", "")),
            promote: "promote lightgbm 2 --evidence tests=junit.xml --evidence lint=lint.log".to_owned(),
            audit: "audit lightgbm@champion --json --training-code train.py --consumers jobs".to_owned(),
            daemons: DAEMONS.to_owned(),
        }
    }

    fn project(&self) -> Project {
        let project = Project::new();
        project.copy("profile/lightgbm.json", "profile.json");
        project.write("train.py", "print('training')\n");
        project.write("explore.ipynb", "{\"cells\": []}\n");
        project.write("jobs/predict.sh", "model=$(manifest-gen resolve lightgbm@champion --artifact model)\n");
        project.write("junit.xml", "<testsuite><testcase name='a'/></testsuite>");
        project.write("lint.log", "exit status 0\n");
        let config = std::fs::read_to_string(project.path("promotion.toml")).unwrap();
        project.write("promotion.toml", &(config + &self.daemons));
        for line in ["init -q", "add .", "-c user.name=t -c user.email=t@example.org commit -qm start"] {
            let git = Command::new("git").args(line.split(' ')).current_dir(project.folder.path()).output().unwrap();
            assert!(git.status.success(), "{git:?}");
        }
        project.run(&self.new).ok();
        project.run(&self.promote).ok();
        project
    }

    fn audit(&self, project: &Project) -> Said {
        project.run(&self.audit)
    }
}

fn failing(said: &Said) -> Vec<String> {
    let report = said.json();
    let rows = report["rows"].as_array().unwrap();
    let failed = rows.iter().filter(|row| row["answer"] == "fail");
    failed.map(|row| row["row"].as_str().unwrap().to_owned()).collect()
}

/// Audits a project that differs from the good one by `setup` and `change`.
#[track_caller]
fn fails(setup: Setup, change: impl FnOnce(&Project), expected: &[&str]) {
    let project = setup.project();
    change(&project);
    let said = setup.audit(&project).is(1);
    assert_eq!(failing(&said), expected, "{}", said.stdout);
}

fn with_new(from: &str, to: &str) -> Setup {
    let good = Setup::good();
    assert!(good.new.contains(from), "{from:?}");
    Setup { new: good.new.replace(from, to), ..good }
}

#[test]
fn every_row_passes_or_does_not_apply() {
    let setup = Setup::good();
    let project = setup.project();
    let said = setup.audit(&project).ok();
    let report = said.json();
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 18);
    for row in rows {
        let is_fresh = row["row"] == "fresh";
        assert_eq!(row["answer"], if is_fresh { "not-applicable" } else { "pass" }, "{row}");
    }
    let tests = rows.iter().find(|row| row["row"] == "tests").unwrap();
    assert_eq!(tests["evidence"][0]["sha256"], shared::digest::of_file(&project.path("junit.xml")).unwrap());
}

#[test]
fn a_manifest_that_drift_watch_reads_names_the_model() {
    let daemons = DAEMONS.replace("model = [\"lightgbm\"]", "manifest = [\"models/metadata/lightgbm_v2.json\"]");
    let setup = Setup { daemons, ..Setup::good() };
    setup.audit(&setup.project()).ok();
    let other = DAEMONS.replace("model = [\"lightgbm\"]", "manifest = [\"models/metadata/lightgbm_small_v2.json\"]");
    fails(Setup { daemons: other, ..Setup::good() }, |_| {}, &["monitoring"]);
}

#[test]
fn benchmark() {
    let setup = with_new("--benchmark results/benchmark_results.json", "");
    fails(setup, |_| {}, &["benchmark", "tracked", "manifest"]);
}

#[test]
fn tracked() {
    let setup = Setup::good();
    let project = setup.project();
    let path = project.path("results/benchmark_results.json");
    let mut results: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for row in results["results"].as_array_mut().unwrap() {
        row["params"] = Value::Null;
    }
    project.write("results/benchmark_results.json", &results.to_string());
    project.run(&setup.new.replace("lightgbm 2", "lightgbm 4")).ok();
    project.run(&format!("{} --force old-results", setup.promote.replace("lightgbm 2", "lightgbm 4"))).ok();
    assert!(failing(&setup.audit(&project).is(1)).contains(&"tracked".to_owned()));
}

#[test]
fn training_code_is_a_committed_script() {
    let notebook = Setup { audit: Setup::good().audit.replace("train.py", "explore.ipynb"), ..Setup::good() };
    fails(notebook, |_| {}, &["training-code"]);
    fails(Setup::good(), |project| project.write("train.py", "changed\n"), &["training-code"]);
    let unnamed = Setup { audit: Setup::good().audit.replace("--training-code train.py", ""), ..Setup::good() };
    fails(unnamed, |_| {}, &["training-code"]);
}

#[test]
fn manifest() {
    fails(with_new("--train-window 2010-02-05..2012-08-03", ""), |_| {}, &["manifest"]);
}

#[test]
fn integrity_and_scan() {
    let change =
        |project: &Project| project.write("models/releases/lightgbm/2.0.0/lightgbm_v2.pkl", "cos\ngetpid\n(tR.");
    fails(Setup::good(), change, &["scan", "integrity"]);
}

#[test]
fn integrity() {
    fails(Setup::good(), |project| project.write("models/metadata/lightgbm_v2.json", "{}"), &["integrity"]);
}

#[test]
fn registry() {
    let change = |project: &Project| {
        let text = std::fs::read_to_string(project.path("models/registry.json")).unwrap();
        project.write("models/registry.json", &text.replace("tester@", "other@"));
    };
    fails(Setup::good(), change, &["registry"]);
}

#[test]
fn readme() {
    let change = |project: &Project| {
        let text = std::fs::read_to_string(project.path("README.md")).unwrap();
        project.write("README.md", &text.replace("3.99 %", "2.99 %"));
    };
    fails(Setup::good(), change, &["readme"]);
}

#[test]
fn inference() {
    fails(with_new("--scaling scaling.json", ""), |_| {}, &["inference"]);
    fails(with_new("--cadence weekly", ""), |_| {}, &["inference"]);
}

#[test]
fn consumers() {
    let change = |project: &Project| project.write("jobs/old.py", "joblib.load('models/lightgbm_v1.pkl')\n");
    let setup = Setup::good();
    let project = setup.project();
    project
        .run(
            &setup
                .new
                .replace("lightgbm 2", "lightgbm 1")
                .replace("_2.", "_1.")
                .replace("models/lightgbm_v2.pkl", "models/lightgbm_v1.pkl")
                .replace("lightgbm_v2.pkl", "lightgbm_v1.pkl"),
        )
        .ok();
    project.run("promote lightgbm 1 --alias previous").ok();
    change(&project);
    assert_eq!(failing(&setup.audit(&project).is(1)), ["consumers"]);
}

#[test]
fn tests_and_lint() {
    let promote = |line: &str| Setup { promote: line.to_owned(), ..Setup::good() };
    fails(promote("promote lightgbm 2 --evidence lint=lint.log"), |_| {}, &["tests"]);
    fails(promote("promote lightgbm 2 --evidence tests=junit.xml"), |_| {}, &["lint"]);
}

#[test]
fn wins() {
    let setup = with_new("--verdict verdict_2.json", "--verdict rejected.json");
    let project = Project::new();
    let rejected = project.verdict("reject", "2");
    let setup = Setup { promote: format!("{} --force because", setup.promote), ..setup };
    let project = {
        let project = Project::new();
        project.write("rejected.json", &rejected);
        drop(project);
        let made = Setup { new: "--version".into(), promote: "--version".into(), ..Setup::good() }.project();
        made.write("rejected.json", &rejected);
        made.run(&setup.new).ok();
        made.run(&setup.promote).ok();
        made
    };
    assert_eq!(failing(&setup.audit(&project).is(1)), ["wins"]);
}

#[test]
fn fresh() {
    let setup = Setup { audit: format!("{} --max-evidence-age 30d", Setup::good().audit), ..Setup::good() };
    fails(setup, |_| {}, &["fresh"]);
}

#[test]
fn slices() {
    let setup =
        Setup { audit: format!("{} --require-slice holiday,promotion_week", Setup::good().audit), ..Setup::good() };
    fails(setup, |_| {}, &["slices"]);
}

#[test]
fn monitoring() {
    fails(with_new("--profile profile.json", ""), |_| {}, &["monitoring"]);
    let setup = Setup { daemons: DAEMONS.replace("model = [\"lightgbm\"]", ""), ..Setup::good() };
    fails(setup, |_| {}, &["monitoring"]);
}

#[test]
fn re_benchmark() {
    let other = DAEMONS.replace("rebench-cron.jobs.lightgbm", "rebench-cron.jobs.other");
    // It runs beside another model, and is not the one that is judged.
    let daemons = format!("{other}expect.models = [\"lightgbm\"]\njudge.baseline-model = \"lightgbm\"\n");
    fails(Setup { daemons, ..Setup::good() }, |_| {}, &["re-benchmark"]);
}

#[test]
fn package() {
    // `new` makes no release without preprocessing unless it is told to; the row then says that it was.
    let setup = with_new("--artifact preprocessing=models/preprocessing_lightgbm_v2.pkl", "--self-contained");
    let setup = Setup { promote: format!("{} --force because", setup.promote), ..setup };
    let project = setup.project();
    let report = setup.audit(&project).is(1).json();
    let row = report["rows"].as_array().unwrap().iter().find(|row| row["row"] == "package").unwrap().clone();
    assert_eq!(row["reason"], "released as self-contained");
}

#[test]
fn a_row_that_is_optional_does_not_decide() {
    let setup = Setup { promote: "promote lightgbm 2 --evidence lint=lint.log".into(), ..Setup::good() };
    let project = setup.project();
    project.run(&format!("{} --optional tests", setup.audit)).ok();
    project.run(&format!("{} --optional nonsense", setup.audit)).is(2);
}

#[test]
fn markdown_and_text_show_every_row() {
    let setup = Setup::good();
    let project = setup.project();
    let line = setup.audit.replace("--json", "--format markdown");
    let markdown = project.run(&line).ok().stdout;
    assert_eq!(markdown.lines().filter(|line| line.starts_with("| ")).count(), 2 + 18);
    let output = project.command().args(setup.audit.replace("--json", "").split_whitespace()).output().unwrap();
    let text = said(&output).ok().stdout;
    assert!(text.contains("passed: 17 pass, 0 fail, 1 not applicable"), "{text}");
}
