//! Posting to an Alertmanager that behaves as 0.25 was seen to, and to servers that do not behave.
#![cfg(feature = "http")]
use std::time::Duration;

use crate::alert_support::{Answer, Request, Server, alert, http, raw, serve};
use jiff::Timestamp;
use shared::alert::{Alertmanager, Auth, Network, Outgoing};
use shared::secret::Secret;

fn client(server: &Server) -> Alertmanager {
    Alertmanager::new(&server.url, Auth::None, Network::default()).unwrap()
}

fn outgoing(count: usize) -> Vec<Outgoing> {
    let end = Timestamp::MAX;
    (0..count).map(|number| Outgoing::new(&alert(&format!("s{number}")), end)).collect()
}

fn series(request: &Request) -> Vec<String> {
    let alerts = request.json();
    let name = |alert: &serde_json::Value| alert["labels"]["series"].as_str().unwrap().to_owned();
    alerts.as_array().unwrap().iter().map(name).collect()
}

/// Refuses every batch that holds one of these series, in the words of 0.25.
fn refusing(bad: &'static [&'static str]) -> impl Fn(usize, &Request) -> Answer + Clone + Send {
    move |_, request| match series(request).iter().any(|series| bad.contains(&series.as_str())) {
        true => http("400 Bad Request", "content-type: application/json\r\n", "\"start time must be before end time\""),
        false => http("200 OK", "", ""),
    }
}

#[test]
fn one_bad_alert_of_ten_holds_back_no_other() {
    let server = serve(refusing(&["s6"]));
    let report = client(&server).post(&outgoing(10)).unwrap();
    assert_eq!(report.accepted, 9);
    let refused: Vec<_> = report.refused.iter().map(|refusal| (refusal.id.as_str(), refusal.name.as_str())).collect();
    assert_eq!(refused, [("s6", "ForecastDrift")]);
    assert!(report.refused[0].why.contains("start time must be before end time"), "{:?}", report.refused);
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.line == "POST /api/v2/alerts HTTP/1.1"));
    let alone = |name: &str| {
        requests
            .iter()
            .any(|request| !series(request).contains(&"s6".to_owned()) && series(request).contains(&name.to_owned()))
    };
    assert!((0..10).filter(|number| *number != 6).all(|number| alone(&format!("s{number}"))));
    // A halving search looks at two halves on each of at most four levels.
    assert!(requests.len() <= 9, "{}", requests.len());
}

#[test]
fn several_bad_ones_and_all_bad_ones_are_found() {
    let server = serve(refusing(&["s0", "s63", "s64", "s99"]));
    let report = client(&server).post(&outgoing(100)).unwrap();
    let refused: Vec<_> = report.refused.iter().map(|refusal| refusal.id.as_str()).collect();
    assert_eq!((report.accepted, refused), (96, vec!["s0", "s63", "s64", "s99"]));
    assert!(server.requests().iter().all(|request| series(request).len() <= 64));
    let server = serve(|_, _| http("422 Unprocessable Entity", "", "{\"code\":602}"));
    assert_eq!(client(&server).post(&outgoing(5)).unwrap().refused.len(), 5);
}

#[test]
fn what_would_be_refused_is_not_sent() {
    let server = serve(|_, _| http("200 OK", "", ""));
    let mut alerts = outgoing(3);
    alerts[0].labels.clear();
    alerts[1].labels.insert("bad-name".to_owned(), "x".to_owned());
    let report = client(&server).post(&alerts).unwrap();
    assert_eq!((report.accepted, report.refused.len()), (1, 2));
    assert_eq!(series(&server.requests()[0]), ["s2"]);
    assert_eq!(client(&server).post(&alerts[..2]).unwrap().accepted, 0);
    assert_eq!(server.requests().len(), 1, "nothing good, nothing sent");
}

#[test]
fn a_failing_server_is_an_error_and_then_none() {
    let server = serve(|number, _| match number {
        0 => http("500 Internal Server Error", "", "disk full"),
        1 => raw("HTTP/1.1 4"),
        2 => http("302 Found", "location: http://169.254.169.254/\r\n", ""),
        3 => http("401 Unauthorized", "", "token tok3n is wrong"),
        4 => http("429 Too Many Requests", "", ""),
        _ => http("200 OK", "", ""),
    });
    let client = Alertmanager::new(&server.url, Auth::Bearer(Secret::new("tok3n")), Network::default()).unwrap();
    for said in ["HTTP 500: disk full", "cannot be reached", "HTTP 302", "HTTP 401: token *** is wrong", "HTTP 429"] {
        let error = client.post(&outgoing(2)).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.exit(), shared::Exit::Environment);
    }
    assert_eq!(client.post(&outgoing(2)).unwrap().accepted, 2);
    assert_eq!(server.requests().len(), 6);
    assert!(server.requests().iter().all(|request| request.headers["authorization"] == "Bearer tok3n"));
}

#[test]
fn a_failure_in_the_midst_of_a_batch_is_an_error() {
    let server = serve(|number, request| match number {
        0 => http("400 Bad Request", "", "bad"),
        1 => http("503 Service Unavailable", "", "restarting"),
        _ => refusing(&[])(number, request),
    });
    assert!(client(&server).post(&outgoing(4)).is_err());
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn the_address_may_have_a_path_and_no_interface() {
    let server = serve(|_, _| http("200 OK", "", ""));
    let prefixed = Alertmanager::new(&format!("{}/am/", server.url), Auth::None, Network::default()).unwrap();
    prefixed.post(&outgoing(1)).unwrap();
    assert_eq!(server.requests()[0].line, "POST /am/api/v2/alerts HTTP/1.1");
    let error = Alertmanager::new(&format!("{}/api/v1/alerts", server.url), Auth::None, Network::default());
    assert!(error.unwrap_err().help().unwrap().contains("/api/v2/alerts"));
    assert!(Alertmanager::new(&server.url, Auth::Bearer(Secret::new("")), Network::default()).is_err());
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let server = serve(|_, _| vec![(Vec::new(), Duration::from_secs(30))]);
    let network = Network { timeout: Duration::from_millis(300), ..Network::default() };
    let client = Alertmanager::new(&server.url, Auth::None, network).unwrap();
    assert!(client.post(&outgoing(1)).unwrap_err().to_string().contains("no answer within 0.3 s"));
}
