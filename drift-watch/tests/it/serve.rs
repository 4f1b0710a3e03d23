//! The HTTP server, asked as its clients ask.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::served::{Served, drifted, hostile, installed, large, steady, wait_for};
use drift_watch::serve::{IngestReply, IngestToken, Options, Secret};
use drift_watch::view::View;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::blocking::{Client, RequestBuilder, Response};
use shared::format::live::Kind;

const OPEN: &str = "application/openmetrics-text; version=1.0.0";

fn client() -> Client {
    Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

fn get(served: &Served, path: &str) -> Response {
    client().get(served.url(path)).send().unwrap()
}

fn post(served: &Served, path: &str, body: impl Into<Vec<u8>>) -> RequestBuilder {
    client().post(served.url(path)).header("content-type", "application/x-ndjson").body(body.into())
}

fn status(request: RequestBuilder) -> u16 {
    request.send().unwrap().status().as_u16()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Sends these bytes and reads the whole answer.
fn raw(served: &Served, request: &str) -> String {
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn raw_status(served: &Served, head: &str) -> String {
    let answer = raw(served, &format!("GET /-/healthy HTTP/1.1\r\n{head}Connection: close\r\n\r\n"));
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn other_names_for_this_machine_are_refused() {
    let served = Served::start(steady(), Options { host_names: vec!["watch.internal".into()], ..Options::default() });
    for ours in ["localhost", "127.0.0.1:1", "[::1]:9464", "watch.internal:80"] {
        assert_eq!(raw_status(&served, &format!("Host: {ours}\r\n")), "200", "{ours}");
    }
    for other in
        ["Host: evil.example\r\n", "Host: localhost.evil.example\r\n", "", "Host: localhost\r\nHost: evil.example\r\n"]
    {
        assert_eq!(raw_status(&served, other), "403", "{other:?}");
    }
}

#[test]
fn every_answer_carries_its_guards() {
    let served = Served::start(steady(), Options::default());
    for path in ["/", "/metrics", "/api/v1/status", "/-/healthy", "/absent"] {
        let answer = get(&served, path);
        let header =
            |name: &str| answer.headers().get(name).unwrap_or_else(|| panic!("{path}: {name}")).to_str().unwrap();
        assert!(header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(!header("content-security-policy").contains("unsafe"), "{path}");
        assert_eq!(
            [header("x-content-type-options"), header("cache-control"), header("referrer-policy")],
            ["nosniff", "no-store", "no-referrer"]
        );
    }
    assert_eq!(get(&served, "/absent").status(), 404);
    assert_eq!(status(client().post(served.url("/metrics"))), 405);
}

#[test]
fn health_and_readiness_differ() {
    let served =
        Served::start(View { not_ready: vec!["reads the journal".into()], ..View::default() }, Options::default());
    assert_eq!(get(&served, "/-/healthy").status(), 200);
    let answer = get(&served, "/-/ready");
    assert_eq!(answer.status(), 503);
    assert!(answer.text().unwrap().contains("reads the journal"));
    served.view.send(Arc::new(steady())).unwrap();
    assert_eq!(get(&served, "/-/ready").status(), 200);
}

#[test]
fn status_is_the_view() {
    let served = Served::start(drifted(), Options::default());
    let answer = get(&served, "/api/v1/status");
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.json::<View>().unwrap(), drifted());
    served.view.send(Arc::new(steady())).unwrap();
    assert_eq!(
        get(&served, "/api/v1/status").json::<View>().unwrap(),
        steady(),
        "a new view is not hidden by the old one"
    );
}

#[test]
fn the_page_is_complete_without_its_script_and_escapes_names() {
    let served = Served::start(hostile(), Options::default());
    let page = get(&served, "/").text().unwrap();
    let (before, script) = page.split_once("<script>").unwrap();
    assert_eq!(script.matches("<script").count(), 0);
    for markup in ["<img", "<svg onload", "<b>bold", "onmouseover='", "\u{202e}", "\u{0}"] {
        assert!(!before.contains(markup), "{markup}");
    }
    assert!(before.contains("&#60;script&#62;") && before.contains("has drifted"));
    assert!(page.len() < 400_000, "{} bytes: long names are cut", page.len());
    assert!(!page.contains("style=\""), "the policy forbids them");
}

#[test]
fn metrics_are_negotiated() {
    let served = Served::start(steady(), Options::default());
    let ask = |accept: &str| client().get(served.url("/metrics")).header("accept", accept).send().unwrap();
    let plain = ask("text/plain");
    assert!(plain.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    assert!(!plain.text().unwrap().contains("# EOF"));
    let open = ask(OPEN);
    assert!(open.headers()["content-type"].to_str().unwrap().starts_with(OPEN));
    let text = open.text().unwrap();
    assert!(
        text.ends_with("# EOF\n")
            && text.contains("# TYPE drift_watch_steps counter\n")
            && text.contains("drift_watch_steps_total{")
    );
}

/// All samples of a family, and no other between them.
fn assert_contiguous(text: &str) {
    let family = |line: &str| line.split(['{', ' ']).next().unwrap().to_owned();
    let mut names: Vec<String> = text.lines().filter(|line| !line.starts_with('#')).map(family).collect();
    names.dedup();
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    for name in names {
        assert!(text.contains(&format!("# HELP {name} ")) && text.contains(&format!("# TYPE {name} ")), "{name}");
    }
}

#[test]
fn metrics_say_what_the_view_says() {
    let served = Served::start(drifted(), Options::default());
    let text = get(&served, "/metrics").text().unwrap();
    assert_contiguous(&text);
    for line in [
        "drift_watch_build_info{version=\"0.1.0\"} 1.0",
        "drift_watch_ready 1.0",
        // 2013-08-06T05:30:00Z, by `date -u -d … +%s`.
        "drift_watch_observed_timestamp_seconds 1375767000.0",
        "drift_watch_alerts{kind=\"drift\",state=\"firing\"} 1.0",
        "drift_watch_alerts{kind=\"rule\",state=\"firing\"} 0.0",
        "drift_watch_alerts{kind=\"rule\",state=\"pending\"} 1.0",
        "drift_watch_model_alerts_firing{model=\"flights_lightgbm\",version=\"2.1.0\",kind=\"drift\"} 1.0",
        "drift_watch_model_alerts_firing{model=\"demand_theta\",version=\"1.0.0\",kind=\"rule\"} 0.0",
        "drift_watch_model_alerts_firing{model=\"weather_ets\",version=\"1.4.2\",kind=\"feed\"} 1.0",
        "drift_watch_model_alerts_firing{model=\"demand_theta\",version=\"1.0.0\",kind=\"feed\"} 0.0",
        "drift_watch_model_standing{model=\"weather_ets\",version=\"1.4.2\",standing=\"feed\"} 1.0",
        "drift_watch_model_standing{model=\"weather_ets\",version=\"1.4.2\",standing=\"ok\"} 0.0",
        "drift_watch_completeness_ratio{model=\"demand_theta\",version=\"1.0.0\"} 0.984",
        "drift_watch_baseline_mape_ratio{model=\"demand_theta\",version=\"1.0.0\",horizon=\"1\",group=\"all\",window=\"28 steps\"} 0.118",
        "drift_watch_evidence_limit_log10{model=\"demand_theta\",version=\"1.0.0\",horizon=\"1\",group=\"all\",window=\"28 steps\",metric=\"mape_ratio\"} 3.7",
        "drift_watch_feed_idle_seconds{feed=\"live/weather/actuals.csv\",kind=\"actuals\"} 32460.0",
        "drift_watch_feed_bad_rows_total{feed=\"live/weather/actuals.csv\",kind=\"actuals\"} 17.0",
        "drift_watch_faults{kind=\"duplicate_exact\"} 12.0",
        "drift_watch_receiver_healthy{receiver=\"webhook-1\"} 0.0",
        "drift_watch_receiver_waiting_messages{receiver=\"webhook-1\"} 3.0",
        "drift_watch_receiver_delivered_total{receiver=\"alertmanager-1\"} 21.0",
        "drift_watch_config_last_reload_successful 1.0",
        // 2026-01-02T03:04:05Z, likewise.
        "drift_watch_config_last_reload_success_timestamp_seconds 1767323045.0",
        "drift_watch_dropped_series_total 0.0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn series_are_labels_only_for_the_worst_few() {
    let served = Served::start(large(), Options::default());
    let text = get(&served, "/metrics").text().unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("drift_watch_worst_series_bias_ratio{")).count(), 10);
}

#[test]
fn the_label_budget_holds_and_is_counted() {
    let served = Served::start(drifted(), Options { label_budget: 50, ..Options::default() });
    let scrape = || get(&served, "/metrics").text().unwrap();
    let dropped = |text: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with("drift_watch_dropped_series_total ")).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let first = scrape();
    assert_eq!(first.lines().filter(|line| line.contains('{')).count(), 50);
    assert!(dropped(&first) > 0.0 && dropped(&scrape()) > dropped(&first));
}

#[test]
fn promtool_finds_nothing_to_say() {
    if !installed("promtool") {
        return;
    }
    for view in [View::default(), steady(), drifted(), hostile(), large()] {
        let served = Served::start(view, Options::default());
        _ = get(&served, "/-/healthy");
        let text = get(&served, "/metrics").text().unwrap();
        let mut promtool = Command::new("promtool");
        let promtool =
            promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = promtool.spawn().unwrap();
        running.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = running.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success() && said.trim().is_empty(), "{said}");
    }
}

fn accepts_all(served: &mut Served) {
    served.answer(|batch| IngestReply::Accepted {
        records: batch.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64,
        rejected: Vec::new(),
    });
}

#[test]
fn lines_arrays_and_gzip_arrive_as_lines() {
    let mut served = Served::start(steady(), Options::default());
    let (sender, bodies) = std::sync::mpsc::channel();
    served.answer(move |batch| {
        sender.send((batch.kind, String::from_utf8(batch.body.clone()).unwrap())).unwrap();
        IngestReply::Accepted { records: 2, rejected: Vec::new() }
    });
    let expected = "{\"a\":1}\n{\"a\":2}\n";
    let array = client()
        .post(served.url("/v1/actuals"))
        .header("content-type", "application/json")
        .body("[{\"a\":1},\n{\"a\":2}]");
    assert_eq!(status(array), 200);
    assert_eq!(bodies.recv().unwrap(), (Kind::Actuals, expected.to_owned()));
    let answer =
        post(&served, "/v1/predictions", gzip(expected.as_bytes())).header("content-encoding", "gzip").send().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.json::<serde_json::Value>().unwrap(),
        serde_json::json!({"accepted": 2, "rejected": 0, "problems": []})
    );
    assert_eq!(bodies.recv().unwrap(), (Kind::Predictions, expected.to_owned()));
}

#[test]
fn the_answer_says_what_became_of_each_line() {
    let mut served = Served::start(steady(), Options::default());
    served.answer(|batch| match batch.body.first() {
        Some(b's') => {
            IngestReply::Accepted { records: 3, rejected: vec![(2, "\"y\": \"<b>\" is not a number".into())] }
        }
        Some(b'n') => IngestReply::Accepted { records: 0, rejected: vec![(1, "not JSON".into()); 5_000] },
        Some(b'u') => IngestReply::Unavailable("the disk is full".into()),
        Some(b'f') => IngestReply::Forbidden("not for this model".into()),
        _ => IngestReply::Invalid("no records".into()),
    });
    let some = post(&served, "/v1/actuals", "s").send().unwrap();
    assert_eq!(some.status(), 207);
    let problem = serde_json::json!([{"line": 2, "problem": "\"y\": \"<b>\" is not a number"}]);
    assert_eq!(some.json::<serde_json::Value>().unwrap()["problems"], problem);
    let none = post(&served, "/v1/actuals", "n").send().unwrap();
    assert_eq!(none.status(), 400);
    let none = none.json::<serde_json::Value>().unwrap();
    assert_eq!((none["rejected"].as_u64(), none["problems"].as_array().unwrap().len()), (Some(5_000), 100));
    let unavailable = post(&served, "/v1/actuals", "u").send().unwrap();
    assert_eq!((unavailable.status().as_u16(), unavailable.headers().contains_key("retry-after")), (503, true));
    assert_eq!([status(post(&served, "/v1/actuals", "f")), status(post(&served, "/v1/actuals", "x"))], [403, 400]);
}

#[test]
fn bombs_large_bodies_and_other_types_are_refused() {
    let options = Options { body_bytes: 10_000, expanded_bytes: 100_000, ..Options::default() };
    let mut served = Served::start(steady(), options);
    accepts_all(&mut served);
    let path = "/v1/actuals";
    assert_eq!(status(post(&served, path, vec![b'x'; 10_000])), 200);
    assert_eq!(status(post(&served, path, vec![b'x'; 10_001])), 413);
    let packed = |plain: &[u8]| post(&served, path, gzip(plain)).header("content-encoding", "gzip");
    assert_eq!(status(packed(&vec![b'x'; 100_000])), 200);
    assert_eq!(status(packed(&vec![b'x'; 5_000_000])), 413);
    assert_eq!(status(post(&served, path, "x").header("content-encoding", "gzip")), 400);
    assert_eq!(status(post(&served, path, "x").header("content-encoding", "br")), 415);
    assert_eq!(status(client().post(served.url(path)).body("x")), 415);
    assert_eq!(status(client().post(served.url(path)).header("content-type", "text/plain").body("x")), 415);
    assert_eq!(status(post(&served, path, "[1, 2")), 400);
    let chunked = raw(
        &served,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4000\r\n{}\r\n0\r\n\r\n",
            "x".repeat(0x4000)
        ),
    );
    assert!(chunked.starts_with("HTTP/1.1 413"), "{chunked}");
}

const READ: &str = "read-token-0123456789";
const SEND: &str = "send-token-0123456789";

fn guarded() -> Options {
    let one = IngestToken { token: Secret::new(SEND), models: Some(vec!["m".into()]) };
    Options { ingest_tokens: vec![one], read_token: Some(Secret::new(READ)), ..Options::default() }
}

#[test]
fn each_door_has_its_token() {
    let mut served = Served::start(steady(), guarded());
    served.answer(|batch| {
        let expected = (batch.kind == Kind::Predictions).then(|| vec!["m".to_owned()]);
        assert_eq!(batch.allowed_models, expected);
        IngestReply::Accepted { records: 1, rejected: Vec::new() }
    });
    for path in ["/", "/metrics", "/api/v1/status", "/events"] {
        let ask = || client().get(served.url(path));
        let refused = ask().send().unwrap();
        assert_eq!(
            (refused.status().as_u16(), refused.headers().contains_key("www-authenticate")),
            (401, true),
            "{path}"
        );
        assert_eq!(status(ask().bearer_auth("read-token-0123456788")), 401);
        assert_eq!(status(ask().bearer_auth(SEND)), 403);
        assert_eq!(status(ask().bearer_auth(READ)), 200);
        assert_eq!(status(ask().basic_auth("anybody", Some(READ))), 200);
    }
    for path in ["/v1/predictions", "/v1/actuals"] {
        let send = || post(&served, path, "{}");
        assert_eq!(
            [status(send()), status(send().bearer_auth("x")), status(send().bearer_auth(READ))],
            [401, 401, 403]
        );
        assert_eq!(status(send().bearer_auth(SEND)), 200);
    }
    assert_eq!(status(client().post(served.url("/-/reload"))), 401);
    assert_eq!([get(&served, "/-/healthy").status(), get(&served, "/-/ready").status()], [200, 200]);
}

#[test]
fn a_full_queue_asks_for_patience() {
    let options = Options { reply_timeout: Duration::from_millis(300), ..Options::default() };
    let served = Served::start(steady(), options);
    // Nobody takes the batch: the first waits in the channel until its time is up, the next finds no room.
    assert_eq!(status(post(&served, "/v1/actuals", "{}")), 503);
    let full = post(&served, "/v1/actuals", "{}").send().unwrap();
    assert_eq!((full.status().as_u16(), full.headers().contains_key("retry-after")), (429, true));
}

#[test]
fn too_many_requests_are_told_to_wait_but_probes_are_not() {
    let served = Served::start(steady(), Options { requests_per_second: 1, ..Options::default() });
    let statuses: Vec<u16> = (0..6).map(|_| get(&served, "/metrics").status().as_u16()).collect();
    assert_eq!(statuses[..2], [200, 200]);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(get(&served, "/-/healthy").status(), 200);
}

#[test]
fn reload_tells_how_it_went_and_other_sites_cannot_ask() {
    let mut served = Served::start(steady(), Options::default());
    let mut requests = served.reloads.take().unwrap();
    std::thread::spawn(move || {
        let outcomes = [Ok(()), Err("promotion.toml:3:1: unknown key".to_owned())];
        for outcome in outcomes {
            requests.blocking_recv().unwrap().reply.send(outcome).unwrap();
        }
    });
    let reload = || client().post(served.url("/-/reload"));
    assert_eq!(status(reload().header("origin", "http://evil.example")), 403);
    assert_eq!(status(reload()), 200);
    let failed = reload().send().unwrap();
    assert_eq!(failed.status(), 500);
    assert!(failed.text().unwrap().contains("promotion.toml:3:1: unknown key"));
    assert_eq!(get(&served, "/-/reload").status(), 405);
}

/// The next event, with when it came.
fn event(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> (String, Instant) {
    let data = lines.map(Result::unwrap).find(|line| line.starts_with("data:")).unwrap();
    (data, Instant::now())
}

#[test]
fn events_tell_of_changes_at_most_once_a_second_and_end_with_the_server() {
    let served = Served::start(steady(), Options { event_clients: 1, ..Options::default() });
    let stream = get(&served, "/events");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut lines = BufReader::new(stream).lines();
    let (first, begin) = event(&mut lines);
    assert_eq!(first, "data: 2013-08-06T05:30:00Z");
    let refused = get(&served, "/events");
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    for minute in 31..50 {
        served.view.send(Arc::new(View { time: Some(format!("2013-08-06T05:{minute}:00Z")), ..steady() })).unwrap();
    }
    let (second, end) = event(&mut lines);
    assert_eq!(second, "data: 2013-08-06T05:49:00Z", "the newest, once");
    assert!(end - begin > Duration::from_millis(900), "{:?}", end - begin);
    assert!(served.stop(), "an open stream does not keep the server");
    assert!(lines.map_while(Result::ok).all(|line| !line.starts_with("data")));
}

#[test]
fn a_client_that_leaves_gives_its_place_back() {
    let served = Served::start(steady(), Options { event_clients: 1, ..Options::default() });
    drop(get(&served, "/events"));
    // The server sees it when it next writes.
    wait_for("a free place", || {
        served.view.send(Arc::new(steady())).unwrap();
        get(&served, "/events").status() == 200
    });
}

#[test]
fn connections_are_bounded_and_wait() {
    let served = Served::start(steady(), Options { connections: 1, ..Options::default() });
    let holder = TcpStream::connect(served.address).unwrap();
    let address = served.address;
    let (sender, answered) = std::sync::mpsc::channel();
    // The kernel completes the connection; the answer comes once the first has gone.
    let asker = std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        sender.send(answer).unwrap();
    });
    assert!(answered.recv_timeout(Duration::from_millis(200)).is_err());
    drop(holder);
    assert!(answered.recv_timeout(Duration::from_secs(10)).unwrap().starts_with("HTTP/1.1 200"));
    asker.join().unwrap();
}

#[test]
fn other_addresses_need_a_token() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("0.0.0.0:0")).unwrap();
    let (_view, view) = tokio::sync::watch::channel(Arc::new(View::default()));
    let (ingest, _batches) = tokio::sync::mpsc::channel(1);
    let (reload, _reloads) = tokio::sync::mpsc::channel(1);
    let reloads = Arc::new(drift_watch::serve::Reloads::started("2026-01-02T03:04:05Z".parse().unwrap()));
    let server = drift_watch::serve::Server { view, ingest, reload, reloads, options: Options::default() };
    let refused =
        runtime.block_on(drift_watch::serve::run(listener, server, tokio_util::sync::CancellationToken::new()));
    assert!(refused.unwrap_err().to_string().contains("no token is set"));
}
