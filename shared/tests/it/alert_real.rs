//! The real Alertmanager: it takes what we post, groups it, tells of its end, and inhibits drift where a feed is stale.
//!
//! Needs `prometheus-alertmanager` (Debian's name) or `alertmanager`. Without it the test fails where `CI` is set, and says
//! that it was left out elsewhere.
#![cfg(feature = "http")]
use crate::alert_support;

use std::path::Path;
use std::time::Duration;

use crate::alert_support::{Server, alert, http, serve, wait_until};
use crate::real_process::{Process, alertmanager, get, start_alertmanager};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::alert::{Alert, Alertmanager, Auth, Network, Resender};

/// Starts it with a receiver of webhooks; returns its address.
fn start(program: &str, folder: &Path, hook: &str) -> (Process, String) {
    let config = format!(
        "route: {{receiver: test, group_by: [alertname], group_wait: 200ms, group_interval: 1s, repeat_interval: 1h}}\n\
         receivers: [{{name: test, webhook_configs: [{{url: '{hook}', send_resolved: true}}]}}]\n\
         inhibit_rules:\n- source_matchers: [alertname=FeedStale]\n  target_matchers: [alertname=ForecastDrift]\n  \
         equal: [model]\n"
    );
    start_alertmanager(program, folder, &config)
}

/// Alertmanager's own word on the alert of this series: `active`, `suppressed`, …
fn state(base: &str, series: &str) -> Option<String> {
    let alerts: Value = serde_json::from_str(&get(&format!("{base}/api/v2/alerts"))?).ok()?;
    let found = alerts.as_array()?.iter().find(|alert| alert["labels"]["series"] == series)?.clone();
    Some(found["status"]["state"].as_str()?.to_owned())
}

fn named(id: &str, name: &str, model: &str) -> Alert {
    let mut alert = alert(id);
    name.clone_into(&mut alert.name);
    alert.labels.insert("model".to_owned(), model.to_owned());
    alert.starts_at = Timestamp::now().saturating_sub(SignedDuration::from_secs(5)).unwrap();
    alert
}

/// One turn of the loop that a daemon runs.
fn tell(client: &Alertmanager, resender: &mut Resender, alerts: &[Alert]) {
    let now = Timestamp::now();
    let due = resender.due(alerts, now);
    let report = client.post(&due).unwrap();
    assert_eq!((report.accepted, report.refused.len()), (due.len(), 0), "{:?}", report.refused);
    resender.sent(alerts, &due, now);
}

/// The series that notifications of this status have named.
fn notified(server: &Server, status: &str) -> Vec<String> {
    let alerts = server.requests().into_iter().flat_map(|request| request.json()["alerts"].as_array().unwrap().clone());
    let of_status = alerts.filter(|alert| alert["status"] == status);
    of_status.map(|alert| alert["labels"]["series"].as_str().unwrap().to_owned()).collect()
}

fn heard(server: &Server, status: &str, series: &[&str]) -> bool {
    let found = notified(server, status);
    series.iter().all(|series| found.iter().any(|found| found == series))
}

#[test]
fn alertmanager_receives_groups_inhibits_and_resolves() {
    let Some(program) = alertmanager() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = serve(|_, _| http("200 OK", "", ""));
    let (_process, base) = start(program, folder.path(), &server.url);
    let client = Alertmanager::new(&base, Auth::None, Network::default()).unwrap();
    let mut resender = Resender::default();

    // A stale feed of model m is known before the drift that it explains; n has drifted by itself.
    let hostile = "ä \"}{<b>\n";
    let mut alerts = vec![named("feed", "FeedStale", "m")];
    tell(&client, &mut resender, &alerts);
    wait_until("the feed alert is active", || state(&base, "feed").as_deref() == Some("active"));
    let drifted =
        [named("m1", "ForecastDrift", "m"), named("n1", "ForecastDrift", "n"), named("n2", "ForecastDrift", "n")];
    alerts.extend(drifted);
    alerts[2].labels.insert("bad-name".to_owned(), hostile.to_owned());
    tell(&client, &mut resender, &alerts);
    wait_until("the alerts are told of", || heard(&server, "firing", &["feed", "n1", "n2"]));
    wait_until("the drift of m is inhibited", || state(&base, "m1").as_deref() == Some("suppressed"));
    assert!(!heard(&server, "firing", &["m1"]));
    let both = |request: &alert_support::Request| {
        let body = request.json();
        body["groupLabels"]["alertname"] == "ForecastDrift" && body["alerts"].as_array().unwrap().len() == 2
    };
    wait_until("n1 and n2 come as one notification", || server.requests().iter().any(both));
    let labels = |request: &alert_support::Request| {
        let alerts = request.json()["alerts"].as_array().unwrap().clone();
        alerts.iter().any(|alert| alert["labels"]["bad_name"] == hostile)
    };
    assert!(server.requests().iter().any(labels), "hostile texts arrive as they are, under a safe name");

    // The feed is mended: the drift that it hid is told of. n1 ends.
    alerts[0].ends_at = Some(Timestamp::now());
    alerts[2].ends_at = Some(Timestamp::now());
    tell(&client, &mut resender, &alerts);
    wait_until("the ends are told of", || heard(&server, "resolved", &["feed", "n1"]));
    wait_until("the drift that was hidden is told of", || heard(&server, "firing", &["m1"]));
    assert!(!heard(&server, "resolved", &["n2"]));
}

#[test]
fn an_alert_of_a_sender_that_died_ends_by_itself() {
    let Some(program) = alertmanager() else { return };
    let folder = tempfile::tempdir().unwrap();
    let server = serve(|_, _| http("200 OK", "", ""));
    let (_process, base) = start(program, folder.path(), &server.url);
    let client = Alertmanager::new(&base, Auth::None, Network::default()).unwrap();
    // Posted again every second, it lives for three; nobody posts it again.
    let mut resender = Resender::new(Duration::from_secs(1), Duration::from_secs(5));
    tell(&client, &mut resender, &[named("a", "ForecastDrift", "m")]);
    wait_until("it is told of", || heard(&server, "firing", &["a"]));
    wait_until("its end is told of", || heard(&server, "resolved", &["a"]));
}
