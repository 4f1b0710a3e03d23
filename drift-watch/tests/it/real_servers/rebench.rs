//! The program that is run where a model drifts: how often, with what evidence, in which environment.

use std::collections::BTreeSet;
use std::path::Path;

use super::stream::Hourly;
use super::{command, has_alert, status_when};
use crate::process::{Daemon, wait_for};
use crate::replayed::Place;
use drift_watch::run::evidence::{Evidence, SCHEMA};
use drift_watch::view::{AlertKind, MeasureView};
use serde_json::Value;

/// Writes down what it was given, and that it ran; the shell's own variables are not in `environ`.
const HOOK: &str = "\
set -eu
printf '%s\\n' \"$@\" > words
cp \"$3\" evidence.json
cat > transition.json
cp /proc/$$/environ environment
echo ran >> runs
";

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}

/// The messages in a folder of a queue.
fn messages(folder: &Path) -> usize {
    let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "json")).count()
}

fn json(place: &Place, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(place.path(name)).unwrap()).unwrap()
}

fn start(place: &Place) -> Daemon {
    let hook = ["sh", "hook.sh", "{model}", "{id}", "{evidence}", "{project}"].map(|word| format!("--rebench={word}"));
    let mut command = command(place, &["--config", "promotion.toml", "--hook-env", "HANDED_ON"]);
    command.args(hook).env("HANDED_ON", "yes").env("SECRET_TOKEN", "hunter2");
    Daemon::start(command)
}

/// Those that the brief of a hook allows: the usual ones where they are set, the one that is named, those of the alert.
fn check_environment(place: &Place) {
    let environment = std::fs::read(place.path("environment")).unwrap();
    let variables = environment.split(|byte| *byte == 0).filter(|variable| !variable.is_empty());
    let texts: Vec<String> = variables.map(|variable| String::from_utf8_lossy(variable).into_owned()).collect();
    let names: BTreeSet<&str> = texts.iter().map(|text| text.split('=').next().unwrap()).collect();
    let usual = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];
    let mut expected: BTreeSet<&str> = usual.into_iter().filter(|name| std::env::var_os(name).is_some()).collect();
    expected.extend(["HANDED_ON", "ALERT_ID", "ALERT_NAME", "ALERT_STATUS", "ALERT_SEVERITY"]);
    assert_eq!(names, expected);
    assert!(texts.contains(&"HANDED_ON=yes".to_owned()) && texts.contains(&"ALERT_STATUS=firing".to_owned()));
}

fn measure<'a>(evidence: &'a Evidence, metric: &str) -> &'a MeasureView {
    evidence.metrics.iter().find(|one| one.metric == metric && one.horizon == "1").unwrap()
}

fn check_evidence(place: &Place, status: &Value) {
    let words = std::fs::read_to_string(place.path("words")).unwrap();
    let words: Vec<&str> = words.lines().collect();
    let evidence: Evidence = serde_json::from_value(json(place, "evidence.json")).unwrap();
    assert_eq!((words[0], words[1], words[3]), ("demand", evidence.alert_id.as_str(), "shop"));
    assert!(Path::new(words[2]).is_absolute() && words[2].ends_with(&format!("{}.json", evidence.alert_id)));
    let alert = status["alerts"].as_array().unwrap().iter().find(|alert| alert["id"] == words[1]).unwrap();
    assert_eq!(
        (evidence.reason.as_str(), evidence.fired_at.as_str()),
        (alert["reason"].as_str().unwrap(), alert["since"].as_str().unwrap())
    );
    assert_eq!(
        (evidence.schema.as_str(), evidence.kind, evidence.model.as_str(), evidence.version.as_str()),
        (SCHEMA, AlertKind::Drift, "demand", "1")
    );
    // Forecasts half as large again as the actuals, which are 5 % off at random, whose mean size that is: 0.8 · 5 % = 4 %.
    let mape = measure(&evidence, "mape_ratio");
    let (value, baseline) = (mape.value.unwrap(), mape.baseline.unwrap());
    assert!((0.4..0.6).contains(&value) && (0.03..0.05).contains(&baseline) && mape.n > 0, "{mape:?}");
    let bias = measure(&evidence, "bias_ratio");
    assert!((0.4..0.6).contains(&bias.value.unwrap()) && bias.baseline.unwrap().abs() < 0.02, "{bias:?}");
    let Some((from, to)) = evidence.window.from.as_ref().zip(evidence.window.to.as_ref()) else { panic!("no window") };
    assert!(from <= to && !evidence.findings.is_empty());
    // All four series have moved alike, and with them both segments.
    let named = |by: &str| -> BTreeSet<&str> {
        evidence.attribution.iter().filter(|part| part.by == by && part.named).map(|part| part.name.as_str()).collect()
    };
    assert_eq!(named("series"), BTreeSet::from(["demand-0", "demand-1", "demand-2", "demand-3"]));
    assert_eq!(named("coast"), BTreeSet::from(["no", "yes"]));
    let shares: f64 = evidence.attribution.iter().filter(|part| part.by == "series").map(|part| part.share_ratio).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    // The same on its standard input.
    let transition = json(place, "transition.json");
    assert_eq!((&transition["alert"]["id"], &transition["status"]), (&Value::from(words[1]), &Value::from("firing")));
    assert_eq!(transition["payload"]["metrics"], json(place, "evidence.json")["metrics"]);
}

#[test]
fn a_drift_asks_for_one_benchmark_with_its_evidence_and_a_restart_for_none() {
    let place = Place::new();
    place.write("promotion.toml", "project = \"shop\"\n").write("hook.sh", HOOK);
    let demand = Hourly::starting("demand", 60);
    demand.write(&place, 0..45, 1.0);
    let mut daemon = start(&place);
    status_when(&mut daemon, "45 steps", |status| super::steps(status, "demand") >= 44);
    assert!(!place.path("runs").exists(), "nothing drifts yet");
    demand.write(&place, 45..52, 1.5);
    wait_for("the hook", || lines(&place.path("runs")) > 0);
    // The level, the bias and the intervals all say that this model has changed.
    let status = status_when(&mut daemon, "all steps", |status| super::steps(status, "demand") >= 51);
    let firing = status["alerts"].as_array().unwrap().iter().filter(|alert| alert["kind"] == "drift").count();
    assert!(firing >= 2 && has_alert(&status, "drift", "demand", "firing"), "{status:#}");
    check_environment(&place);
    check_evidence(&place, &status);
    daemon.stop();

    let mut daemon = start(&place);
    demand.write(&place, 52..54, 1.5);
    let status = status_when(&mut daemon, "further steps", |status| super::steps(status, "demand") >= 53);
    assert!(has_alert(&status, "drift", "demand", "firing"));
    daemon.stop();
    assert_eq!(messages(&place.path("state/outbox/rebench")), 0, "nothing waits");
    assert_eq!(
        (messages(&place.path("state/outbox/rebench/done")), lines(&place.path("runs"))),
        (1, 1),
        "one drift, one run"
    );
    assert!(place.path("state/evidence").read_dir().unwrap().count() >= 2, "every alert has its evidence");
}
