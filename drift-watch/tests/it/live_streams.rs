//! The four live streams, with the shipped defaults and a warm-up of 40 days.
//!
//! `tests/data/live`: a stretch without a change; the same with half the series at 0.65 times their size; the recession of 2008; and a stretch with
//! every fault that live records have, whose `truth.json` counts them.
use std::collections::{BTreeMap, BTreeSet};

use crate::replayed::{Place, Said, data};
use jiff::Timestamp;
use serde_json::Value;

fn lines(stream: &str, layout: &str) -> Said {
    let file = |kind: &str| data(&format!("live/{stream}/{kind}.{layout}")).display().to_string();
    let (predictions, actuals) = (file("predictions"), file("actuals"));
    Place::new().replay(&["--predictions", &predictions, "--actuals", &actuals, "--warm-up", "40d", "--json"])
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap()
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(data(path)).unwrap()).unwrap()
}

/// Alerts on accuracy that detectors with a promise raised.
fn drifts(report: &Value) -> Vec<&Value> {
    list(report, "alerts").iter().filter(|alert| alert["kind"] == "drift").collect()
}

#[test]
fn a_stretch_without_a_change_is_quiet() {
    let report = lines("nodrift", "jsonl").is(0).json();
    assert_eq!((text(&report, "decision"), list(&report, "alerts").len()), ("no_drift", 0), "{report:#}");
    // 85 days, of which 40 warm up: it did watch.
    assert_eq!(report["models"][0]["steps"], 85);
    assert!(text(&report["models"][0], "reason").contains("44 steps watched"));
}

#[test]
fn a_shift_of_half_the_series_is_seen_within_five_days_and_laid_to_them() {
    let report = lines("level_shift_injected", "jsonl").is(1).json();
    let truth = json("live/level_shift_injected/truth.json");
    let moved: BTreeSet<&str> = list(&truth, "series").iter().map(|name| name.as_str().unwrap()).collect();
    let drifts = drifts(&report);
    let first = drifts.iter().map(|alert| text(alert, "fired_at")).min().unwrap();
    assert!(("2013-07-20".."2013-07-26").contains(&first), "{first}");
    for alert in drifts.iter().filter(|alert| text(alert, "fired_at") == first) {
        let by_series: Vec<&Value> = list(alert, "attribution").iter().filter(|part| part["by"] == "series").collect();
        let named: BTreeSet<&str> =
            by_series.iter().filter(|part| part["named"] == true).map(|part| text(part, "name")).collect();
        let right = named.intersection(&moved).count();
        assert!(right >= 7 && named.len() - right <= 1, "{}: {named:?}", text(alert, "subject"));
        let shares: f64 = by_series.iter().map(|part| part["share_ratio"].as_f64().unwrap()).sum();
        assert!(by_series.len() == 16 && (shares - 1.0).abs() < 1e-9, "signed parts add up: {shares}");
    }
    // Actuals fell to 0.65 times what they were: the forecasts are too high.
    let bias = drifts.iter().find(|alert| alert["subject"] == "bias").unwrap();
    assert_eq!(bias["findings"][0]["side"], "above");
}

#[test]
fn the_recession_is_seen_by_bias_or_coverage_before_mape() {
    let report = lines("real_drift_recession", "jsonl").is(1).json();
    let drifts = drifts(&report);
    let first = |subjects: &[&str]| {
        let of_these = drifts.iter().filter(|alert| subjects.contains(&text(alert, "subject")));
        of_these.map(|alert| text(alert, "fired_at")).min().map(ToOwned::to_owned)
    };
    let early = first(&["bias", "coverage"]).unwrap();
    assert!(early.starts_with("2008-"), "{early}");
    assert!(first(&["mape"]).is_none_or(|late| early < late), "{early}");
    assert!(drifts.iter().all(|alert| text(alert, "fired_at") >= "2008-"), "nothing before the recession");
}

/// What is left of a messy stream: each forecast once, each actual once with its last value.
struct Cleaned {
    predictions: String,
    actuals: String,
}

fn rows(path: &str) -> Vec<Value> {
    let content = std::fs::read_to_string(data(path)).unwrap();
    content.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn instant(row: &Value, key: &str) -> Timestamp {
    text(row, key).parse().unwrap()
}

fn cleaned() -> Cleaned {
    let mut forecasts: BTreeMap<(String, String, Timestamp, Timestamp), Value> = BTreeMap::new();
    for row in rows("live/messy/predictions.jsonl").into_iter().filter(|row| row["y_hat"].is_number()) {
        let (issued, target) = (instant(&row, "issued_at"), instant(&row, "target_time"));
        if issued < target {
            forecasts.entry((text(&row, "version").into(), text(&row, "series").into(), target, issued)).or_insert(row);
        }
    }
    // Each value is observed when the first one was.
    let mut values: BTreeMap<(String, Timestamp), (Timestamp, Timestamp, f64)> = BTreeMap::new();
    for row in rows("live/messy/actuals.jsonl").into_iter().filter(|row| row["y"].is_number()) {
        let (observed, y) = (instant(&row, "observed_at"), row["y"].as_f64().unwrap());
        let known = values
            .entry((text(&row, "series").into(), instant(&row, "target_time")))
            .or_insert((observed, observed, y));
        known.0 = known.0.min(observed);
        if observed >= known.1 {
            (known.1, known.2) = (observed, y);
        }
    }
    let mut predictions: Vec<Value> = forecasts.into_values().collect();
    predictions.sort_by_key(|row| instant(row, "issued_at"));
    let mut actuals: Vec<(Timestamp, String)> = values
        .into_iter()
        .map(|((series, target), (observed, _, y))| {
            (observed, format!("{{\"series\":\"{series}\",\"target_time\":\"{target}\",\"y\":{y:?},\"observed_at\":\"{observed}\"}}\n"))
        })
        .collect();
    actuals.sort_by_key(|row| row.0);
    let line = |row: &Value| format!("{row}\n");
    Cleaned {
        predictions: predictions.iter().map(line).collect(),
        actuals: actuals.into_iter().map(|row| row.1).collect(),
    }
}

/// Metrics by (version, metric, horizon, group, window): value and rows.
fn metrics(report: &Value) -> BTreeMap<String, (Option<f64>, u64)> {
    let mut all = BTreeMap::new();
    for model in list(report, "models") {
        for metric in list(model, "metrics") {
            let key = ["metric", "horizon", "group", "window"].map(|key| text(metric, key)).join(" ");
            all.insert(
                format!("{} {key}", text(model, "version")),
                (metric["value"].as_f64(), metric["n"].as_u64().unwrap()),
            );
        }
        for series in list(model, "worst_series") {
            let key = format!("{} {}", text(model, "version"), text(series, "series"));
            all.insert(key, (series["mape_ratio"].as_f64(), series["n"].as_u64().unwrap()));
        }
    }
    all
}

#[track_caller]
fn assert_same_metrics(left: &Value, right: &Value) {
    let (left, right) = (metrics(left), metrics(right));
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    assert!(left.len() > 50);
    for (key, (value, n)) in &left {
        let (other, other_n) = right[key];
        assert_eq!(*n, other_n, "rows of {key}");
        match (value, other) {
            (Some(value), Some(other)) => {
                assert!((value - other).abs() <= 1e-12 * other.abs(), "{key}: {value} and {other}");
            }
            (value, other) => assert_eq!(*value, other, "{key}"),
        }
    }
}

#[test]
fn every_fault_of_the_messy_stream_is_counted() {
    let report = lines("messy", "jsonl").json();
    let truth = json("live/messy/truth.json");
    for (fault, n) in truth.as_object().unwrap() {
        let found = report["faults"].get(fault).and_then(Value::as_u64).unwrap_or(0);
        match fault.as_str() {
            // The truth counts 40 rows that were moved. The row of the NaN is one of them, and cannot be read; three were moved to where their
            // `observed_at` is not before that of the row ahead of them: nothing in the file says that they were.
            "out_of_order" => assert_eq!((n.as_u64(), found), (Some(40), out_of_order())),
            _ => assert_eq!(Some(found), n.as_u64(), "{fault}"),
        }
    }
    assert_eq!(out_of_order(), 36);
}

/// Readable actuals that were observed before one that stands ahead of them.
fn out_of_order() -> u64 {
    let mut newest = Timestamp::MIN;
    let mut count = 0;
    for row in rows("live/messy/actuals.jsonl").iter().filter(|row| row["y"].is_number()) {
        let observed = instant(row, "observed_at");
        count += u64::from(observed < newest);
        newest = newest.max(observed);
    }
    count
}

#[test]
fn the_messy_stream_gives_the_metrics_of_the_cleaned_one() {
    let place = Place::new();
    let clean = cleaned();
    place.write("predictions.jsonl", &clean.predictions).write("actuals.jsonl", &clean.actuals);
    let words = ["--predictions", "predictions.jsonl", "--actuals", "actuals.jsonl", "--warm-up", "40d", "--json"];
    let of_cleaned = place.replay(&words).is(0).json();
    let odd: Vec<&String> =
        of_cleaned["faults"].as_object().unwrap().iter().filter(|(_, n)| **n != 0).map(|(name, _)| name).collect();
    assert!(
        odd.iter().all(|name| ["late", "missing", "no_prediction", "pred_second_version", "restated_after_decision"]
            .contains(&name.as_str())),
        "{odd:?}"
    );
    assert_same_metrics(&lines("messy", "jsonl").is(0).json(), &of_cleaned);
}

#[test]
fn csv_says_what_json_lines_say() {
    for stream in ["nodrift", "level_shift_injected", "real_drift_recession", "messy"] {
        let (json, csv) = (lines(stream, "jsonl"), lines(stream, "csv"));
        assert_eq!(json.status, csv.status, "{stream}");
        let (json, csv) = (json.json(), csv.json());
        assert_same_metrics(&json, &csv);
        let alerts = |report: &Value| -> Vec<(String, String)> {
            list(report, "alerts")
                .iter()
                .map(|alert| (text(alert, "subject").into(), text(alert, "fired_at").into()))
                .collect()
        };
        assert_eq!(alerts(&json), alerts(&csv), "{stream}");
    }
}
