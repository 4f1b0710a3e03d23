//! Live metrics delivered to, and metrics polled from, a server that answers as a real one was recorded to.
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use drift_watch::mlflow::{LiveMetric, Seen, Sink, Watched, poll};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::outbox::Outbox;

use crate::mlflow_loopback::{answer, recorded, serve, tracker};

const RUN: &str = "e61f144a58734694a2220858d2108196";
const UNKNOWN: &str = "0123456789abcdef0123456789abcdef";

/// What the server stores: runs that were made, and points, each once.
#[derive(Debug, Default)]
struct Stored {
    runs: usize,
    points: BTreeSet<(i64, i64, String, String)>,
    tags: Vec<String>,
    /// How many further requests to log are cut off after they were stored.
    cut: usize,
}

/// Answers as the recorded server, and stores what is logged as that one does.
fn stateful(stored: &Arc<Mutex<Stored>>) -> String {
    let stored = Arc::clone(stored);
    serve(move |request, body| {
        let mut stored = stored.lock().unwrap();
        let path = request.split(' ').nth(1).unwrap();
        Some(match path.split('?').next().unwrap().trim_start_matches("/api/2.0/mlflow/") {
            "experiments/get-by-name" => recorded("06_get_experiment_by_name"),
            "runs/search" if stored.runs == 0 => recorded("42_search_runs_empty"),
            "runs/search" => answer(&json!({"runs": [run(&stored)]})),
            "runs/create" => {
                stored.runs += 1;
                stored.tags.push(body.to_owned());
                recorded("07_create_run")
            }
            "runs/log-batch" => {
                let cut = log(&mut stored, body);
                return (!cut).then(|| recorded("08_log_batch"));
            }
            "runs/get" => answer(&json!({"run": run(&stored)})),
            _ => panic!("{request}"),
        })
    })
}

/// Stores points; says whether the answer is to be lost.
fn log(stored: &mut Stored, body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body["run_id"] == RUN && !body.to_string().contains("null"), "{body}");
    for point in body["metrics"].as_array().into_iter().flatten() {
        let number = |key: &str| point[key].as_i64().unwrap();
        let key = point["key"].as_str().unwrap().to_owned();
        stored.points.insert((number("step"), number("timestamp"), key, point["value"].to_string()));
    }
    stored.tags.extend(body["tags"].as_array().into_iter().flatten().map(Value::to_string));
    let cut = stored.cut > 0;
    stored.cut = stored.cut.saturating_sub(1);
    cut
}

/// The record of the run in the shape of `33_get_run`: of each metric the last step.
fn run(stored: &Stored) -> Value {
    let text = recorded("33_get_run");
    let mut run: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
    let mut last = serde_json::Map::new();
    for (step, timestamp, key, value) in &stored.points {
        let value: Value = serde_json::from_str(value).unwrap();
        last.insert(key.clone(), json!({"key": key, "value": value, "timestamp": timestamp, "step": step}));
    }
    run["run"]["data"]["metrics"] = last.into_iter().map(|(_, point)| point).collect();
    let tags = stored.tags.iter().filter_map(|tag| serde_json::from_str::<Value>(tag).ok());
    run["run"]["data"]["tags"] = tags.filter(|tag| tag.get("key").is_some()).collect();
    run["run"].take()
}

fn metric(step: i64, metric: &str, value: f64) -> LiveMetric {
    let time = Timestamp::from_second(1_767_225_600 + step * 86_400).unwrap();
    LiveMetric { model: "o'neil".into(), version: "2.0.0".into(), metric: metric.into(), value, time, step }
}

fn steps(steps: std::ops::Range<i64>) -> Vec<LiveMetric> {
    let of =
        |step: i64| [metric(step, "live/mape_ratio/1", 0.01 * step as f64), metric(step, "live/bias_ratio/1", 0.5)];
    steps.flat_map(of).collect()
}

fn sink(folder: &Path) -> Sink {
    Sink::new(Outbox::new(folder), "walmart_sales_forecasting")
}

#[test]
fn steps_arrive_once_whatever_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, stored) = (sink(folder.path()), Arc::new(Mutex::new(Stored::default())));
    let tracker = tracker(&stateful(&stored));
    assert_eq!(sink.put(&steps(0..5)).unwrap(), 5);
    // As after a restart that replays the last steps.
    assert_eq!(sink.put(&steps(3..6)).unwrap(), 1);
    let delivery = sink.deliver(&tracker).unwrap();
    assert_eq!((delivery.delivered.len(), delivery.waiting.len(), delivery.refused.len()), (6, 0, 0));
    assert_eq!(sink.put(&steps(0..6)).unwrap(), 0);

    // As if the process had been killed between delivery and its note of it: an old step goes out after a later one.
    for entry in std::fs::read_dir(folder.path().join("done")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::rename(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let again = sink.deliver(&tracker).unwrap();
    assert_eq!((again.delivered.len(), again.waiting.len()), (6, 0), "{:?}", again.waiting);
    let stored = stored.lock().unwrap();
    assert_eq!((stored.runs, stored.points.len()), (1, 12));
    let day = 86_400_000;
    let last = stored.points.iter().rfind(|point| point.2 == "live/mape_ratio/1").unwrap();
    assert_eq!((last.0, last.1, last.3.as_str()), (5, 1_767_225_600_000 + 5 * day, "0.05"));
    for tag in [r#"{"key":"drift-watch","value":"live"}"#, r#"{"key":"model","value":"o'neil"}"#] {
        assert!(stored.tags[0].contains(tag), "{}", stored.tags[0]);
    }
}

#[test]
fn an_answer_that_is_lost_delays_and_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, stored) = (sink(folder.path()), Arc::new(Mutex::new(Stored { cut: 1, ..Stored::default() })));
    let base = stateful(&stored);
    sink.put(&steps(1..4)).unwrap();
    let first = sink.deliver(&tracker(&base)).unwrap();
    assert_eq!((first.delivered.len(), first.waiting.len()), (0, 3));
    let second = sink.deliver(&tracker(&base)).unwrap();
    assert_eq!((second.delivered.len(), second.waiting.len()), (3, 0));
    let stored = stored.lock().unwrap();
    assert_eq!((stored.runs, stored.points.len()), (1, 6));
}

#[test]
fn what_is_not_finite_is_named_and_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, stored) = (sink(folder.path()), Arc::new(Mutex::new(Stored::default())));
    let tracker = tracker(&stateful(&stored));
    sink.put(&[metric(1, "live/mape_ratio/1", f64::NAN), metric(1, "live/mase/1", f64::INFINITY)]).unwrap();
    sink.put(&[metric(2, "live/mape_ratio/1", 0.25)]).unwrap();
    assert_eq!(sink.deliver(&tracker).unwrap().delivered.len(), 2);
    let stored = stored.lock().unwrap();
    assert_eq!(stored.points.len(), 1);
    assert!(
        stored.tags.iter().any(|tag| tag.contains("not_finite") && tag.contains("live/mase/1")),
        "{:?}",
        stored.tags
    );
}

#[test]
fn a_step_of_many_values_is_split() {
    let folder = tempfile::tempdir().unwrap();
    let (sink, stored) = (sink(folder.path()), Arc::new(Mutex::new(Stored::default())));
    let values: Vec<LiveMetric> =
        (0..2_500).map(|number| metric(1, &format!("live/mape_ratio/{number}"), 0.5)).collect();
    assert_eq!((sink.put(&values).unwrap(), sink.put(&values).unwrap()), (3, 0));
    assert_eq!(sink.deliver(&tracker(&stateful(&stored))).unwrap().delivered.len(), 3);
    assert_eq!(stored.lock().unwrap().points.len(), 2_500);
}

fn watched(run: &str) -> Vec<Watched> {
    vec![Watched::parse(&format!("{run}/mape")).unwrap()]
}

#[test]
fn new_points_of_a_recorded_history_come_once() {
    let tracker = tracker(&serve(|_, _| Some(recorded("10_metric_history"))));
    let first = poll(&watched(RUN), &Seen::default(), &tracker);
    let found: Vec<(f64, i64)> = first.points.iter().map(|point| (point.value, point.time.as_second())).collect();
    assert_eq!(found, [(5.12, 1_767_225_600), (5.31, 1_767_830_400)]);
    assert_eq!((first.points[0].name.as_str(), first.failures.len()), (format!("{RUN}/mape").as_str(), 0));
    let second = poll(&watched(RUN), &first.seen, &tracker);
    assert_eq!((second.points.len(), &second.seen), (0, &first.seen));
    let kept: Seen = serde_json::from_str(&serde_json::to_string(&first.seen).unwrap()).unwrap();
    assert_eq!(kept, first.seen);
}

#[test]
fn long_histories_come_in_pages() {
    let page = |from: i64, token: &str| {
        let points: Vec<Value> = (from..from + 3)
            .map(|step| json!({"key": "mape", "value": step, "timestamp": 1000 * step, "step": -step}))
            .collect();
        answer(&json!({"metrics": points, "next_page_token": token}))
    };
    let tracker = tracker(&serve(move |request, _| {
        Some(match request {
            _ if request.contains("page_token=a%2Fb") => page(3, ""),
            _ => page(0, "a/b"),
        })
    }));
    let polled = poll(&watched(RUN), &Seen::default(), &tracker);
    let values: Vec<f64> = polled.points.iter().map(|point| point.value).collect();
    assert_eq!((values, polled.failures.len()), (vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 0));
}

#[test]
fn a_server_that_pages_for_ever_is_left() {
    let endless = tracker(&serve(|_, _| Some(answer(&json!({"metrics": [], "next_page_token": "x"})))));
    let polled = poll(&watched(RUN), &Seen::default(), &endless);
    assert!(polled.failures[0].1.contains("more than"), "{:?}", polled.failures);
}

#[test]
fn values_that_are_no_numbers_are_counted() {
    // As `33_get_run` shows what was logged as NaN and as infinity.
    let body = json!({"metrics": [
        {"key": "mape", "value": "NaN", "timestamp": 1, "step": 0},
        {"key": "mape", "value": f64::MAX, "timestamp": 2, "step": 0},
        {"key": "mape", "value": 7.5, "timestamp": 3},
        {"key": "mape", "value": 7.5, "timestamp": i64::MAX, "step": 0},
    ]});
    let polled = poll(&watched(RUN), &Seen::default(), &tracker(&serve(move |_, _| Some(answer(&body)))));
    assert_eq!((polled.points.len(), polled.left_out, polled.failures.len()), (1, 3, 0));
}

#[test]
fn one_unknown_run_holds_up_no_other() {
    let tracker = tracker(&serve(|request, _| {
        Some(recorded(if request.contains(UNKNOWN) { "27_run_404" } else { "10_metric_history" }))
    }));
    let metrics = [watched(UNKNOWN), watched(RUN)].concat();
    let polled = poll(&metrics, &Seen::default(), &tracker);
    assert_eq!((polled.points.len(), polled.failures.len()), (2, 1));
    let (name, why) = &polled.failures[0];
    assert!(name.starts_with(UNKNOWN) && why.contains("no MLflow run 0123"), "{why}");
}

#[test]
fn a_dead_server_is_asked_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let metrics = [watched(UNKNOWN), watched(RUN)].concat();
    let polled = poll(&metrics, &Seen::default(), &tracker(&format!("http://127.0.0.1:{port}")));
    assert_eq!(polled.failures.len(), 2);
    assert_eq!(polled.failures[0].1, polled.failures[1].1);
    assert_eq!(polled.seen, Seen::default());
}
