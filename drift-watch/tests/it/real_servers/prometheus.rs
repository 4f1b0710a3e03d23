//! A real Prometheus with the configuration and the rules of the examples: it scrapes the daemon, and what it stored is what
//! `/metrics` shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::stream::Hourly;
use super::{command, example, printed, status_when, steps, succeeds, text_of_example};
use crate::process::{Daemon, wait_for};
use crate::real_process::{Process, alertmanager, get, program, start_alertmanager, start_prometheus};
use crate::replayed::Place;
use crate::served::installed;
use reqwest::Url;
use serde_json::Value;

/// Families that say something else at every scrape.
const MOVING: [&str; 3] =
    ["drift_watch_heartbeat_timestamp_seconds", "drift_watch_feed_idle_seconds", "drift_watch_http_responses_total"];

/// A sample: its name, its labels, its value.
type Sample = (String, BTreeMap<String, String>);

/// A daemon that watches two models, one of which drifts.
fn daemon(place: &Place) -> Daemon {
    let (demand, price) = (Hourly::starting("demand", 60), Hourly::starting("price", 60));
    demand.write(place, 0..52, 1.0);
    price.write(place, 0..45, 1.0);
    price.write(place, 45..52, 1.4);
    let mut daemon = Daemon::start(command(place, &[]));
    status_when(&mut daemon, "all records", |status| {
        ["demand", "price"].iter().all(|model| steps(status, model) >= 51)
    });
    daemon
}

/// The page in the older format, line by line; no label of these streams holds a quote or a comma.
fn samples(page: &str) -> BTreeMap<Sample, f64> {
    let pair =
        |text: &str| text.split_once('=').map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()));
    let sample = |line: &str| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.trim_end_matches('}').split("\",").filter_map(pair).collect();
        ((name.to_owned(), labels), value.parse().unwrap())
    };
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines.map(sample).filter(|((name, _), _)| !MOVING.contains(&name.as_str())).collect()
}

fn ask(base: &str, path: &str, parameters: &[(&str, &str)]) -> Value {
    let url = Url::parse_with_params(&format!("{base}{path}"), parameters).unwrap();
    let answer: Value = serde_json::from_str(&get(url.as_str()).unwrap_or_default()).unwrap_or_default();
    answer["data"].clone()
}

/// What Prometheus stored, without the labels that it adds.
fn stored(base: &str) -> BTreeMap<Sample, f64> {
    let data = ask(base, "/api/v1/query", &[("query", "{__name__=~\"drift_watch_.+\"}")]);
    let sample = |one: &Value| {
        let mut labels: BTreeMap<String, String> = serde_json::from_value(one["metric"].clone()).unwrap();
        let name = labels.remove("__name__").unwrap();
        assert_eq!(labels.remove("project").as_deref(), Some("shop"));
        labels.retain(|label, _| !["job", "instance"].contains(&label.as_str()));
        ((name, labels), one["value"][1].as_str().unwrap().parse().unwrap())
    };
    let all = data["result"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().map(sample).filter(|((name, _), _)| !MOVING.contains(&name.as_str())).collect()
}

/// The examples, with free ports and in a hurry.
fn start(program: &str, place: &Place, address: &str, manager: &str) -> (Process, String) {
    let mut text = text_of_example("prometheus.yml");
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    for (usual, ours) in
        [("127.0.0.1:9464", host(address)), ("127.0.0.1:9093", host(manager)), ("interval: 15s", "interval: 1s".into())]
    {
        assert!(text.contains(usual), "{usual}");
        text = text.replace(usual, &ours);
    }
    place.write("prometheus.yml", text).write("rules.yml", text_of_example("rules.yml"));
    start_prometheus(program, &place.path(""), &place.path("prometheus.yml"))
}

#[test]
fn prometheus_stores_what_the_page_shows() {
    let Some(prometheus) = program(&["prometheus"], "prometheus") else { return };
    let place = Place::new();
    let mut daemon = daemon(&place);
    let address = daemon.address().unwrap().to_owned();
    let manager =
        alertmanager().map(|name| start_alertmanager(name, &place.path(""), &text_of_example("alertmanager.yml")));
    let heard = manager.as_ref().map_or("http://127.0.0.1:9", |(_, base)| base.as_str());
    let (_server, base) = start(prometheus, &place, &address, heard);

    let is_up = |value: &str| {
        ask(&base, "/api/v1/query", &[("query", "up{job=\"drift-watch\"}")])["result"][0]["value"][1] == value
    };
    wait_for("the target is up", || is_up("1"));
    let shown = samples(&daemon.get("/metrics").unwrap().is(200).text);
    wait_for("Prometheus has what the page shows", || stored(&base) == shown);
    // So that two empty pages are not equal: the error of the model that is 5 % off, whose mean size that makes 4 %.
    let mape = shown.iter().find(|((name, labels), _)| {
        let is = |label: &str, value: &str| labels.get(label).map(String::as_str) == Some(value);
        name == "drift_watch_live_mape_ratio" && is("model", "demand") && is("group", "all") && is("window", "28 steps")
    });
    assert!((0.03..0.05).contains(mape.unwrap().1), "{mape:?}");
    assert!(shown.len() > 100, "{}", shown.len());
    // In OpenMetrics, which it prefers, a family of counters is called without `_total`.
    let of = |metric: &str| ask(&base, "/api/v1/targets/metadata", &[("metric", metric)]);
    assert_eq!(of("drift_watch_steps")[0]["type"], "counter");
    assert_eq!(of("drift_watch_live_mape_ratio")[0]["help"], "The metric in its window.");

    let rules = ask(&base, "/api/v1/rules", &[]);
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() >= 8 && rules.iter().all(|rule| rule["lastError"].is_null()), "{rules:#?}");
    if manager.is_some() {
        let arrived = || get(&format!("{heard}/api/v2/alerts")).unwrap_or_default();
        wait_for("the alert that always fires arrives", || arrived().contains("\"alertname\":\"Watchdog\""));
    }
    daemon.stop();
    wait_for("the target is down", || is_up("0"));
    let alerts = || ask(&base, "/api/v1/alerts", &[])["alerts"].to_string();
    wait_for("the alert on a daemon that is down waits", || alerts().contains("DriftWatchDown"));
}

#[test]
fn promtool_finds_nothing_wrong_with_the_page_of_a_daemon() {
    if !installed("promtool") {
        return;
    }
    let place = Place::new();
    let mut daemon = daemon(&place);
    let page = daemon.get("/metrics").unwrap().is(200).text;
    let mut check = Command::new("promtool");
    check.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = check.spawn().unwrap();
    running.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success() && printed(&output).trim().is_empty(), "{}", printed(&output));
    daemon.stop();
}

#[test]
fn the_examples_are_a_configuration_and_rules_of_prometheus() {
    if installed("promtool") {
        succeeds(Command::new("promtool").args(["check", "config"]).arg(example("prometheus.yml")));
        succeeds(Command::new("promtool").args(["check", "rules"]).arg(example("rules.yml")));
    }
}

/// What a healthy daemon shows: a value every quarter of a minute, for an hour. `_` is no sample.
const HEALTHY: [(&str, &str); 10] = [
    ("up{job=\"drift-watch\"}", "1x240"),
    ("drift_watch_heartbeat_timestamp_seconds", "0+15x240"),
    ("drift_watch_ready", "1x240"),
    ("drift_watch_config_last_reload_successful", "1x240"),
    ("drift_watch_feed_healthy{feed=\"a.jsonl\",kind=\"actuals\"}", "1x240"),
    ("drift_watch_feed_bad_rows_total{feed=\"a.jsonl\",kind=\"actuals\"}", "3x240"),
    ("drift_watch_alerts{kind=\"feed\",state=\"firing\"}", "0x240"),
    ("drift_watch_receiver_healthy{receiver=\"mlflow\"}", "1x240"),
    ("drift_watch_receiver_refused_messages{receiver=\"mlflow\"}", "0x240"),
    ("drift_watch_dropped_series_total", "0x240"),
];

/// What goes wrong, which alert then fires, and what it looks like.
const FAULTS: [(&str, &str, &str); 11] = [
    ("DriftWatchDown", "up{job=\"drift-watch\"}", "1x20 0x220"),
    ("DriftWatchDown", "up{job=\"drift-watch\"}", "1x20 _x220"),
    ("DriftWatchHangs", "drift_watch_heartbeat_timestamp_seconds", "0+15x20 300x220"),
    ("DriftWatchNotReady", "drift_watch_ready", "1x20 0x220"),
    ("DriftWatchReloadFailed", "drift_watch_config_last_reload_successful", "0x240"),
    ("DriftWatchFeedUnreadable", "drift_watch_feed_healthy{feed=\"a.jsonl\",kind=\"actuals\"}", "0x240"),
    ("DriftWatchBadRows", "drift_watch_feed_bad_rows_total{feed=\"a.jsonl\",kind=\"actuals\"}", "3x100 5x140"),
    ("DriftWatchFeedStale", "drift_watch_alerts{kind=\"feed\",state=\"firing\"}", "0x20 1x220"),
    ("DriftWatchDeliveryFails", "drift_watch_receiver_healthy{receiver=\"mlflow\"}", "1x20 0x220"),
    ("DriftWatchMessagesRefused", "drift_watch_receiver_refused_messages{receiver=\"mlflow\"}", "0x20 2x220"),
    ("DriftWatchSeriesDropped", "drift_watch_dropped_series_total", "0x100 7x140"),
];

/// A case for `promtool test rules`: what fires after half an hour. An alert is a series of the name ALERTS to Prometheus.
fn case(fault: Option<(&str, &str, &str)>) -> String {
    let mut text = "  - interval: 15s\n    input_series:\n".to_owned();
    for (series, usual) in HEALTHY {
        let values = fault.filter(|(_, of, _)| *of == series).map_or(usual, |(_, _, values)| values);
        _ = writeln!(text, "      - {{series: '{series}', values: '{values}'}}");
    }
    text += "    promql_expr_test:\n      - expr: count by (alertname) (ALERTS{alertstate='firing'})\n        eval_time: 30m\n        exp_samples:\n";
    for name in fault.iter().map(|(name, ..)| *name).chain(["Watchdog"]) {
        _ = writeln!(text, "          - {{labels: '{{alertname=\"{name}\"}}', value: 1}}");
    }
    text
}

#[test]
fn each_rule_fires_for_its_fault_and_no_other() {
    let rules = text_of_example("rules.yml");
    let named: BTreeSet<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let tried: BTreeSet<&str> = FAULTS.iter().map(|(name, ..)| *name).chain(["Watchdog"]).collect();
    assert_eq!(named, tried, "every rule has its case");
    if !installed("promtool") {
        return;
    }
    let place = Place::new();
    let cases: String = [None].into_iter().chain(FAULTS.map(Some)).map(case).collect();
    place.write("rules.yml", rules.clone());
    place.write("rules_test.yml", format!("rule_files: [rules.yml]\nevaluation_interval: 15s\ntests:\n{cases}"));
    succeeds(Command::new("promtool").args(["test", "rules"]).arg(place.path("rules_test.yml")));
}
