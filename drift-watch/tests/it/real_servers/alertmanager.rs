//! A real Alertmanager with the configuration of the examples: alerts of a model are one group, a feed that is silent hides what it
//! may have caused, and what has ended is gone.

use std::process::Command;

use super::stream::Hourly;
use super::{command, example, has_alert, status_when, steps, succeeds, text_of_example};
use crate::process::{Daemon, wait_for};
use crate::real_process::{alertmanager, get, start_alertmanager};
use crate::replayed::Place;
use crate::served::installed;
use serde_json::Value;

/// The example, in a hurry.
fn configuration() -> String {
    let mut text = text_of_example("alertmanager.yml");
    for (usual, fast) in [("group_wait: 30s", "group_wait: 100ms"), ("group_interval: 5m", "group_interval: 1s")] {
        assert!(text.contains(usual), "{usual}");
        text = text.replace(usual, fast);
    }
    text
}

fn ask(base: &str, path: &str) -> Vec<Value> {
    get(&format!("{base}{path}")).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// State, and whether something inhibits it, of the alerts of this name and model.
fn standing(base: &str, name: &str, model: &str) -> Vec<(String, bool)> {
    let of = |alert: &&Value| {
        alert["labels"]["alertname"] == name && alert["labels"]["model"].as_str().unwrap_or("") == model
    };
    let found = ask(base, "/api/v2/alerts");
    let stand = |alert: &Value| {
        let inhibited = !alert["status"]["inhibitedBy"].as_array().unwrap().is_empty();
        (alert["status"]["state"].as_str().unwrap().to_owned(), inhibited)
    };
    found.iter().filter(of).map(stand).collect()
}

fn all_are(found: &[(String, bool)], state: &str, inhibited: bool) -> bool {
    !found.is_empty() && found.iter().all(|one| *one == (state.to_owned(), inhibited))
}

/// The labels of the group in which an alert of this model is, and the identities of its alerts.
fn groups_of(base: &str, model: &str) -> Vec<(Value, usize)> {
    let groups = ask(base, "/api/v2/alerts/groups");
    let is_of =
        |group: &&Value| group["alerts"].as_array().unwrap().iter().any(|alert| alert["labels"]["model"] == model);
    groups
        .iter()
        .filter(is_of)
        .map(|group| (group["labels"].clone(), group["alerts"].as_array().unwrap().len()))
        .collect()
}

fn start(place: &Place, base: &str, words: &[&str]) -> Daemon {
    Daemon::start(command(place, &[&["--config", "promotion.toml", "--alertmanager", base], words].concat()))
}

#[test]
fn drift_is_grouped_by_model_hidden_by_its_feed_and_ends() {
    let Some(program) = alertmanager() else { return };
    let place = Place::new();
    place.write("promotion.toml", "project = \"shop\"\n");
    let (_server, base) = start_alertmanager(program, &place.path(""), &configuration());
    // Both models drift. The forecasts of one have not come for ten days.
    let (old, new) = (Hourly::starting("silent", 300), Hourly::starting("demand", 90));
    old.write(&place, 0..45, 1.0);
    old.write(&place, 45..52, 1.5);
    new.write(&place, 0..45, 1.0);
    new.write(&place, 45..52, 1.5);
    let mut daemon = start(&place, &base, &[]);
    let status = status_when(&mut daemon, "both drift", |status| {
        has_alert(status, "drift", "silent", "firing") && steps(status, "demand") >= 51
    });
    let shown = status["alerts"].as_array().unwrap();
    let drifts = shown.iter().filter(|alert| alert["kind"] == "drift" && alert["model"] == "demand").count();
    assert!(drifts >= 2, "several metrics show it: {shown:?}");

    wait_for("the drift that nothing hides", || {
        let found = standing(&base, "ForecastDrift", "demand");
        found.len() == drifts && all_are(&found, "active", false)
    });
    let together = serde_json::json!({"project": "shop", "model": "demand"});
    wait_for("one group of the model", || groups_of(&base, "demand") == [(together.clone(), drifts)]);
    wait_for("the silent feed", || all_are(&standing(&base, "FeedStale", "silent"), "active", false));
    wait_for("the drift that the feed hides", || {
        all_are(&standing(&base, "ForecastDrift", "silent"), "suppressed", true)
    });

    // A forecast comes again: the feed is well, and the drift is told of.
    old.predict(&place, 299..300, 1.0);
    wait_for("the end of the feed's alert", || standing(&base, "FeedStale", "silent").is_empty());
    wait_for("the drift that was hidden", || all_are(&standing(&base, "ForecastDrift", "silent"), "active", false));

    // The model is as good as it was, for as long as its alerts ask for.
    new.write(&place, 52..85, 1.0);
    wait_for("the end of the drift", || standing(&base, "ForecastDrift", "demand").is_empty());
    assert!(all_are(&standing(&base, "ForecastDrift", "silent"), "active", false), "the other one goes on");
    let status = status_when(&mut daemon, "the end", |status| has_alert(status, "drift", "demand", "resolved"));
    let receiver = &status["receivers"][0];
    assert_eq!((&receiver["name"], &receiver["healthy"]), (&"alertmanager-1".into(), &true.into()), "{receiver}");
    daemon.stop();
}

#[test]
fn silent_actuals_hide_the_drift_of_all_models() {
    let Some(program) = alertmanager() else { return };
    let place = Place::new();
    place.write("promotion.toml", "project = \"shop\"\n");
    let (_server, base) = start_alertmanager(program, &place.path(""), &configuration());
    let demand = Hourly::starting("demand", 60);
    demand.write(&place, 0..45, 1.0);
    demand.write(&place, 45..52, 1.5);
    // The last actuals are about nine hours old.
    let daemon = start(&place, &base, &["--actuals-stale", "1h"]);
    wait_for("the silent feed", || all_are(&standing(&base, "FeedStale", ""), "active", false));
    wait_for("the drift that it hides", || all_are(&standing(&base, "ForecastDrift", "demand"), "suppressed", true));
    daemon.stop();
}

#[test]
fn the_example_is_a_configuration_of_alertmanager() {
    if installed("amtool") {
        let said = succeeds(Command::new("amtool").arg("check-config").arg(example("alertmanager.yml")));
        assert!(said.contains("SUCCESS") && said.contains("2 inhibit rules"), "{said}");
    }
}
