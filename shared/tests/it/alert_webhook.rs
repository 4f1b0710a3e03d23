//! Webhooks against a server that answers well, badly, late and never.
#![cfg(feature = "http")]
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::alert_support::{Answer, alert, http, raw, serve};
use jiff::Timestamp;
use serde_json::json;
use shared::alert::{Format, Network, Outcome, Transition, Webhook};
use shared::secret::Secret;

fn webhook(url: &str, format: Format, signing: Option<&str>) -> Webhook {
    let signing = signing.map(Secret::new);
    Webhook::new(Some(&Secret::new(url)), format, signing.as_ref(), Network::default()).unwrap()
}

fn transition() -> Transition {
    Transition::new("drift-watch", alert("a1"), json!({"drivers": [{"name": "EWR_B6"}, {"name": "<!channel>"}]}))
}

fn resolved() -> Transition {
    let mut alert = alert("a1");
    alert.ends_at = Some("2026-01-03T00:00:00Z".parse().unwrap());
    Transition::new("drift-watch", alert, json!(null))
}

fn now() -> Timestamp {
    Timestamp::from_second(1_767_323_045).unwrap()
}

fn answered(answer: impl Fn() -> Answer + Clone + Send + 'static) -> Outcome {
    let server = serve(move |_, _| answer());
    webhook(&format!("{}/hook/s3cretpath?key=s3cretkey", server.url), Format::Generic, None).send(&transition(), now())
}

fn delivered(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Delivered), "{outcome:?}");
}

/// The text and the pause of an outcome that is worth another attempt.
fn later(outcome: Outcome) -> (String, Option<u64>) {
    match outcome {
        Outcome::Later { error, after } => (error.to_string(), after.map(|after| after.as_secs())),
        other => panic!("{other:?} is no reason for another attempt"),
    }
}

#[test]
fn the_generic_body_is_the_transition() {
    let server = serve(|_, _| http("204 No Content", "", ""));
    delivered(&webhook(&format!("{}/x?y=z", server.url), Format::Generic, None).send(&transition(), now()));
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /x?y=z HTTP/1.1");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["webhook-id"], "a1-firing");
    assert!(!request.headers.contains_key("webhook-signature"));
    let expected = json!({
        "schema": "alert/transition/1",
        "source": "drift-watch",
        "status": "firing",
        "alert": {
            "id": "a1", "name": "ForecastDrift", "severity": "critical", "labels": {"model": "m", "series": "a1"},
            "summary": "MAPE 0.21, baseline 0.08", "annotations": {},
            "starts_at": "2026-01-02T03:04:05Z", "ends_at": null,
        },
        "payload": {"drivers": [{"name": "EWR_B6"}, {"name": "<!channel>"}]},
    });
    assert_eq!(request.json(), expected);
}

#[test]
fn the_signature_is_over_what_arrives() {
    let server = serve(|_, _| http("200 OK", "", "ok"));
    delivered(&webhook(&server.url, Format::Generic, Some("whsec_c2VjcmV0")).send(&resolved(), now()));
    let request = &server.requests()[0];
    assert_eq!(request.headers["webhook-id"], "a1-resolved");
    assert_eq!(request.headers["webhook-timestamp"], "1767323045");
    // python3 -c 'import base64,hashlib,hmac,sys; print(base64.b64encode(hmac.new(b"secret",
    //   b"a1-resolved.1767323045." + sys.stdin.buffer.read(), hashlib.sha256).digest()).decode())' < BODY
    let body = r#"{"schema":"alert/transition/1","source":"drift-watch","status":"resolved","alert":{"id":"a1","name":"ForecastDrift","severity":"critical","labels":{"model":"m","series":"a1"},"summary":"MAPE 0.21, baseline 0.08","annotations":{},"starts_at":"2026-01-02T03:04:05Z","ends_at":"2026-01-03T00:00:00Z"},"payload":null}"#;
    assert_eq!(String::from_utf8_lossy(&request.body), body);
    assert_eq!(request.headers["webhook-signature"], "v1,HbmZlNxn8BoH/OeIMNRSuIut4R2LhanVVw621OlXa1A=");
}

#[test]
fn slack_gets_text_and_blocks_without_mentions() {
    let server = serve(|_, _| http("200 OK", "", "ok"));
    let mut sent = transition();
    sent.alert.labels.insert("series".to_owned(), "<@U1> & co".to_owned());
    sent.alert.summary = "x".repeat(9_000);
    delivered(&webhook(&server.url, Format::Slack, None).send(&sent, now()));
    let body = server.requests()[0].json();
    assert!(body["text"].as_str().unwrap().starts_with("FIRING critical: ForecastDrift - xxx"));
    let blocks = body["blocks"].as_array().unwrap();
    let text = |index: usize| blocks[index]["text"]["text"].as_str().unwrap();
    assert_eq!(blocks.len(), 4);
    assert!(blocks[..3].iter().all(|block| block["type"] == "section" && block["text"]["type"] == "mrkdwn"));
    assert!(text(0).chars().count() <= 3_000);
    assert_eq!(text(1), "model: m\nseries: &lt;@U1&gt; &amp; co");
    assert_eq!(text(2), "driven by EWR_B6, &lt;!channel&gt;");
    assert_eq!((&blocks[3]["type"], &blocks[3]["elements"][0]["type"]), (&json!("context"), &json!("mrkdwn")));
}

#[test]
fn pagerduty_triggers_and_resolves_one_incident() {
    let server = serve(|_, _| http("202 Accepted", "", r#"{"status":"success"}"#));
    let format = Format::PagerDuty { routing_key: Secret::new("R0UT1NG") };
    let hook = webhook(&server.url, format, None);
    let mut long = transition();
    long.alert.summary = "ä".repeat(3_000);
    delivered(&hook.send(&long, now()));
    delivered(&hook.send(&resolved(), now()));
    let (trigger, resolve) = (server.requests()[0].json(), server.requests()[1].json());
    assert_eq!(resolve, json!({"routing_key": "R0UT1NG", "event_action": "resolve", "dedup_key": "a1"}));
    assert_eq!((&trigger["event_action"], &trigger["dedup_key"]), (&json!("trigger"), &json!("a1")));
    let payload = &trigger["payload"];
    assert_eq!(payload["summary"].as_str().unwrap().chars().count(), 1_024);
    assert_eq!((&payload["source"], &payload["severity"]), (&json!("drift-watch"), &json!("critical")));
    assert_eq!((&payload["component"], &payload["timestamp"]), (&json!("m"), &json!("2026-01-02T03:04:05Z")));
    assert_eq!(payload["custom_details"]["payload"]["drivers"][0]["name"], "EWR_B6");
}

#[test]
fn what_the_receiver_will_never_take_is_refused() {
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone", "413 Too Large"]
    {
        let outcome = answered(move || http(status, "", "no: /hook/s3cretpath key=s3cretkey"));
        let Outcome::Refused(why) = outcome else { panic!("{status}: {outcome:?}") };
        assert!(why.starts_with("http://127.0.0.1:") && why.contains(&format!("HTTP {}", &status[..3])), "{why}");
        assert!(!why.contains("s3cret"), "{why}");
    }
}

#[test]
fn what_may_be_mended_is_tried_again_when_the_receiver_says() {
    for (status, headers, pause) in [
        ("408 Request Timeout", "", None),
        ("429 Too Many Requests", "retry-after: 7\r\n", Some(7)),
        ("429 Too Many Requests", "retry-after: 999999\r\n", Some(3_600)),
        ("500 Internal Server Error", "", None),
        ("503 Service Unavailable", "retry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n", Some(0)),
    ] {
        let (text, after) = later(answered(move || http(status, headers, "")));
        assert_eq!(after, pause, "{status}");
        assert!(text.contains(&format!("HTTP {}", &status[..3])), "{text}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let target = serve(|_, _| http("200 OK", "", ""));
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}/elsewhere\r\n", target.url);
        let (text, _) = later(answered(move || http(status, &location, "")));
        assert!(text.contains("HTTP 30"), "{text}");
    }
    assert_eq!(target.requests().len(), 0);
}

#[test]
fn an_answer_that_breaks_off_counts_by_its_status() {
    // Nine bytes of ninety, a body without end, a cut in a chunk.
    delivered(&answered(|| raw("HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\ntruncated")));
    delivered(&answered(|| raw(&format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(1 << 20)))));
    delivered(&answered(|| raw("HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\nff\r\nabc")));
    let (text, _) = later(answered(|| raw("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 90\r\n\r\nno upstream")));
    assert!(text.ends_with("HTTP 502: no upstream"), "{text}");
    for broken in ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\ncontent-le", "SSH-2.0-OpenSSH_9.2\r\n"] {
        let (text, _) = later(answered(move || raw(broken)));
        assert!(!text.contains("s3cret") && text.contains("cannot be reached"), "{text}");
    }
}

#[test]
fn a_slow_receiver_holds_nobody_up() {
    let patient = |answer: fn() -> Answer| {
        let server = serve(move |_, _| answer());
        let network = Network { timeout: Duration::from_millis(1_500), ..Network::default() };
        let hook = Webhook::new(Some(&Secret::new(server.url.as_str())), Format::Generic, None, network).unwrap();
        hook.send(&transition(), now())
    };
    let started = Instant::now();
    let (text, _) = later(patient(|| vec![(Vec::new(), Duration::from_secs(30))]));
    assert!(text.ends_with("no answer within 1.5 s"), "{text}");
    let drip: fn() -> Answer = || {
        let head = ("HTTP/1.1 500 Slow\r\n\r\n".to_owned().into_bytes(), Duration::ZERO);
        std::iter::once(head).chain((0..400).map(|_| (b"x".to_vec(), Duration::from_millis(100)))).collect()
    };
    let (text, _) = later(patient(drip));
    assert!(text.contains("HTTP 500: xxx"), "{text}");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn nobody_at_home_is_no_refusal() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hook = webhook(&format!("http://ann:s3cret@{unused}/s3cret?s3cret=1"), Format::Generic, None);
    let (text, _) = later(hook.send(&transition(), now()));
    assert!(text.contains(&unused.to_string()) && !text.contains("s3cret"), "{text}");
    assert!(!format!("{hook:?}").contains("s3cret"));
}

#[test]
fn a_name_is_connected_to_at_the_address_that_was_checked() {
    let server = serve(|_, _| http("200 OK", "", ""));
    let port = server.url.rsplit(':').next().unwrap();
    delivered(&webhook(&format!("http://localhost:{port}/"), Format::Generic, None).send(&transition(), now()));
    assert_eq!(server.requests()[0].headers["host"], format!("localhost:{port}"));
}

#[test]
fn user_and_password_of_the_address_log_in() {
    let server = serve(|_, _| http("200 OK", "", ""));
    let url = server.url.replace("http://", "http://ann:pw@");
    delivered(&webhook(&url, Format::Generic, None).send(&transition(), now()));
    // printf ann:pw | base64
    assert_eq!(server.requests()[0].headers["authorization"], "Basic YW5uOnB3");
}
