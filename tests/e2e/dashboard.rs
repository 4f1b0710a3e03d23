//! `examples/dashboard`: what it shows of a project, without a browser and in one, with pictures in `target/dashboard/`.

use std::path::Path;
use std::process::{Command, Stdio};

use e2e::root;
use serde_json::{Value, json};
use shared::fsio;

use crate::browser::{Browser, PROGRAM};
use crate::process::{Daemon, wait_for};
use crate::project::Project;
use crate::real_process::{Process, program, start};

/// A reason that is no Markdown and no HTML.
const HOSTILE: &str = "**stock** <b>was</b> [wrong](http://127.0.0.1)";

/// A weekly re-benchmark on the forecasts of the project.
const JOB: &str = r#"
[rebench-cron]
state = "rebench"

[rebench-cron.jobs.demand]
schedule = "30 2 * * 1"
command = ["cp", "forecasts.csv", "{out_dir}/forecasts.csv"]
model = "demand"

[rebench-cron.jobs.demand.expect]
files = ["forecasts.csv"]

[rebench-cron.jobs.demand.judge]
forecasts = "forecasts.csv"
candidate-model = "v2"
baseline-model = "v1"
"#;

/// A project in which all has happened that the page shows: 2.0.0 is the champion, and has drifted.
fn eventful() -> Option<Project> {
    let project = Project::released("streamlit")?;
    let key = root().join("tests/data/signing/keys/p256.pem");
    project.demand("sign", &["2", "--key", key.to_str().unwrap()]);
    project.demand("promote", &["1", "--by", "anna"]);
    project.demand("promote", &["2", "--by", "ci"]);
    project.demand("rollback", &["--by", "anna", "--reason", HOSTILE]);
    project.demand("promote", &["2", "--by", "ci"]);
    project.demand("yank", &["1", "--by", "anna", "--reason", "trained on returns"]);
    fsio::write_atomic(&project.place.path("promotion.toml"), JOB.as_bytes()).unwrap();
    project.succeeds("rebench-cron", &["once", "demand"]);
    log_drift(&project);
    Some(project)
}

/// Ninety days of live records up to today, so that no feed is stale; the last thirty are wrong.
fn log_drift(project: &Project) {
    let live = root().join("examples/live");
    let mut log = Command::new(&project.python);
    log.arg("-B").arg(live.join("serve_90_days.py")).arg("--shift");
    assert!(log.current_dir(project.place.path("")).stderr(Stdio::inherit()).status().unwrap().success());
}

/// Reports of the re-benchmarks, as a timer would leave them.
fn report(project: &Project) {
    fsio::create_folder(&project.place.path("history")).unwrap();
    project.succeeds("rebench-cron", &["status", "--json", "-o", "rebench.json"]);
    project.succeeds("rebench-cron", &["history", "demand", "--json", "-o", "history/demand.json"]);
}

/// The daemon, which has seen all records.
fn watch(project: &Project) -> (Daemon, String) {
    let mut command = project.place.command("drift-watch");
    command.args(["run", "--listen", "127.0.0.1:0", "--state", "state", "--warm-up", "40d"]);
    command.args(["--predictions", "records/predictions.jsonl", "--actuals", "records/actuals.jsonl"]);
    let mut daemon = Daemon::start(command);
    wait_for("the drift", || daemon.status().is_some_and(|status| status["models"][0]["standing"] == "drift"));
    let url = format!("{}/api/v1/status", daemon.address().unwrap());
    (daemon, url)
}

fn dashboard() -> String {
    root().join("examples/dashboard/dashboard.py").display().to_string()
}

/// What the page shows, without a browser.
fn shown(project: &Project, drift: &str) -> Value {
    let mut check = Command::new(&project.python);
    check.arg("-B").arg(root().join("tests/python/check_dashboard.py")).arg(dashboard());
    check.env("DRIFT", drift).env("REBENCH", "rebench.json").current_dir(project.place.path(""));
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["exceptions"], json!([]));
    shown
}

/// One column of the first table below a heading.
fn column(shown: &Value, heading: &str, name: &str) -> Value {
    shown["tables"][heading][0].as_array().unwrap().iter().map(|row| row[name].clone()).collect()
}

#[test]
fn the_tables_hold_what_has_happened() {
    let Some(project) = eventful() else { return };
    report(&project);
    let (daemon, url) = watch(&project);
    let shown = shown(&project, &url);
    let cards = &shown["cards"];
    assert_eq!(cards["Champion"], json!([r"2\.0\.0", "signed"]));
    assert_eq!((&cards["Champion since"][1], &cards["Live accuracy"][0]), (&json!("ci"), &json!("drift")));
    assert_eq!(cards["Re-benchmark"][0], "improved");

    let of_release = |name: &str| column(&shown, "Releases", name);
    assert_eq!(of_release("version"), json!(["3.0.0", "2.0.0", "1.0.0"]));
    assert_eq!(of_release("standing"), json!(["never promoted", "champion", "yanked"]));
    assert_eq!(of_release("verdict"), json!(["reject", "promote", "promote"]));
    assert_eq!(of_release("signed"), json!([false, true, false]));
    assert_eq!(of_release("by"), json!(["", "ci", "anna"]));
    assert_eq!((of_release("series"), of_release("data_to")), (json!([12, 12, 12]), json!(vec!["2026-04-10"; 3])));
    let mape = [of_release("mape_ratio")[1].clone(), metric(&project, "2.0.0", "mape_ratio")];
    let [shown_mape, mape] = mape.map(|value| value.as_f64().unwrap());
    assert!((shown_mape - mape).abs() < 1e-8, "{shown_mape} {mape}");

    let of_event = |name: &str| column(&shown, "Promotions, rollbacks, yanks", name);
    assert_eq!(of_event("action"), json!(["yank", "promote", "rollback", "promote", "promote"]));
    assert_eq!(of_event("version"), json!(["1.0.0", "2.0.0", "1.0.0", "2.0.0", "1.0.0"]));
    assert_eq!(of_event("reason"), json!(["trained on returns", "", HOSTILE, "", ""]));
    assert_eq!(column(&shown, "Live accuracy", "standing"), json!(["drift"]));
    assert_eq!(column(&shown, "Re-benchmarks", "outcome"), json!(["improved"]));
    daemon.stop();
}

/// A metric as the registry has it.
fn metric(project: &Project, version: &str, name: &str) -> Value {
    let registry: Value =
        serde_json::from_slice(&fsio::read(&project.place.path("models/registry.json")).unwrap()).unwrap();
    let metrics = registry["models"]["demand"]["versions"][version]["metrics"].as_array().unwrap().clone();
    metrics.iter().find(|metric| metric["name"] == name).unwrap()["value"].clone()
}

#[test]
fn each_release_shows_its_verdict() {
    let Some(project) = Project::released("streamlit") else { return };
    let shown = shown(&project, "nothing.json");
    for (version, badge, outcome) in [("1", ":green", "pass"), ("2", ":green", "pass"), ("3", ":red", "fail")] {
        let verdict: Value =
            serde_json::from_slice(&fsio::read(&project.place.path(&format!("verdict_v{version}.json"))).unwrap())
                .unwrap();
        let page = &shown["verdicts"][format!("{version}.0.0")];
        assert!(page["badges"][0].as_str().unwrap().starts_with(badge), "{page}");
        assert_eq!(column(page, "Verdict", "gate"), json!(["primary", "guardrail: rmse", "slice: weekend = 1"]));
        assert_eq!(column(page, "Verdict", "outcome"), json!(vec![outcome; 3]));
        let effect = verdict["gates"][0]["estimate"].as_f64().unwrap() * 100.0;
        assert_eq!(column(page, "Verdict", "effect")[0], format!("{effect:+.1}%"));
        for reason in verdict["reasons"].as_array().unwrap() {
            assert!(page["texts"].to_string().contains(reason.as_str().unwrap()), "{page}");
        }
    }
    let notes = shown["texts"].to_string();
    assert!(notes.contains("Live accuracy: nothing at nothing.json (No such file or directory)"), "{notes}");
}

#[test]
fn a_folder_without_a_model_says_what_makes_one() {
    let Some(project) = Project::new("streamlit") else { return };
    let shown = shown(&project, "nothing.json");
    assert!(shown["notes"].to_string().contains("manifest-gen new"), "{shown}");
    assert_eq!(shown["tables"], json!({}));
}

fn serve(project: &Project, drift: &str) -> (Process, String) {
    start(&project.place.path(""), "/_stcore/health", |address| {
        let mut command = Command::new(&project.python);
        command.args([
            "-B",
            "-m",
            "streamlit",
            "run",
            "--server.headless",
            "true",
            "--browser.gatherUsageStats",
            "false",
        ]);
        command.args(["--client.toolbarMode", "minimal", "--server.address", "127.0.0.1", "--server.port"]);
        command.arg(address.port().to_string()).arg(dashboard());
        command.env("DRIFT", drift).env("REBENCH", "rebench.json");
        command
    })
}

fn picture(browser: &mut Browser, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("dashboard");
    fsio::create_folder(&folder).unwrap();
    browser.picture(&folder.join(name).with_extension("png"));
    let overflow = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth").as_i64().unwrap();
    assert!(overflow <= 0, "{name}: {overflow} pixels too wide");
    assert_eq!(browser.evaluate("document.querySelectorAll('[data-testid=stException]').length"), 0, "{name}");
}

/// The page has run to its end and has drawn as many charts.
fn drawn(browser: &mut Browser, charts: usize) {
    browser.wait("document.querySelector('[data-test-script-state=notRunning] h1')");
    browser.wait(&format!("document.querySelectorAll('[data-testid=stVegaLiteChart] .marks').length >= {charts}"));
}

#[test]
fn pictures_for_a_look() {
    let Some(PROGRAM) = program(&[PROGRAM], "chromium") else { return };
    let Some(project) = eventful() else { return };
    report(&project);
    let (daemon, url) = watch(&project);
    let (_server, base) = serve(&project, &url);
    let mut browser = Browser::start();
    for (name, size, scheme) in
        [("wide-light", (1280, 3000), "light"), ("wide-dark", (1280, 3000), "dark"), ("narrow", (420, 3800), "light")]
    {
        browser.visit(&base, size, scheme);
        drawn(&mut browser, 3);
        let headings = browser.evaluate("[...document.querySelectorAll('h3')].map(one => one.textContent)");
        let expected = json!(["Releases", "Verdict", "Live accuracy", "Re-benchmarks", "Promotions, rollbacks, yanks"]);
        assert_eq!(headings, expected);
        picture(&mut browser, name);
    }
    daemon.stop();
    let Some(empty) = Project::new("streamlit") else { return };
    let (_server, base) = serve(&empty, "nothing.json");
    browser.visit(&base, (1280, 900), "light");
    drawn(&mut browser, 0);
    browser.wait("document.querySelector('[data-testid=stAlert]')");
    picture(&mut browser, "empty");
}

#[test]
fn the_commands_of_the_readme_work_as_written() {
    let Some(project) = eventful() else { return };
    let said = project.walk("examples/dashboard/README.md", &["9464", "8501"]);
    assert!(said.contains("ok"), "{said}");
    let shown = shown(&project, "reports/drift.json");
    assert_eq!(shown["cards"]["Live accuracy"][0], "drift");
}
