//! Pings to a monitor that answers well, badly, late and never.
#![cfg(feature = "http")]
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::alert_support::{Answer, Server, http, serve};
use shared::alert::{MOST_PING_BYTES, Network, Outcome, Ping, run_id};
use shared::secret::Secret;

/// A check of the kind that a UUID names.
const CHECK: &str = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278";

fn ping(server: &Server) -> Ping {
    ping_within(server, Duration::from_secs(10))
}

fn ping_within(server: &Server, timeout: Duration) -> Ping {
    let network = Network { timeout, ..Network::default() };
    Ping::new(&Secret::new(format!("{}/{CHECK}", server.url)), network).unwrap()
}

fn delivered(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Delivered), "{outcome:?}");
}

fn later(outcome: Outcome) -> String {
    let Outcome::Later { error, .. } = outcome else { panic!("{outcome:?} is no reason for another attempt") };
    error.to_string()
}

fn refused(outcome: Outcome) -> String {
    let Outcome::Refused(why) = outcome else { panic!("{outcome:?} is no refusal") };
    why
}

fn ok() -> Answer {
    http("200 OK", "", "OK")
}

#[test]
fn each_signal_has_its_path_and_all_carry_the_run() {
    let server = serve(|_, _| ok());
    let ping = ping(&server);
    for outcome in [
        ping.start("r1"),
        ping.success("r1", "MASE 0.81"),
        ping.fail("r1", "killed"),
        ping.exit_status("r1", 75, "busy"),
        ping.log("r1", "late"),
    ] {
        delivered(&outcome);
    }
    let id = run_id("r1");
    let expected = ["/start", "", "/fail", "/75", "/log"].map(|path| format!("POST /{CHECK}{path}?rid={id} HTTP/1.1"));
    let requests = server.requests();
    let lines: Vec<&str> = requests.iter().map(|request| request.line.as_str()).collect();
    assert_eq!(lines, expected);
    let bodies: Vec<_> = requests.iter().map(|request| String::from_utf8_lossy(&request.body)).collect();
    assert_eq!(bodies, ["", "MASE 0.81", "killed", "busy", "late"]);
    assert_eq!(requests[1].headers["content-type"], "text/plain; charset=utf-8");
}

#[test]
fn a_query_of_the_address_is_kept() {
    let server = serve(|_, _| http("201 Created", "", "Created"));
    let url = format!("{}/key/slug/?create=1", server.url);
    delivered(&Ping::new(&Secret::new(url), Network::default()).unwrap().fail("r1", ""));
    assert_eq!(server.requests()[0].line, format!("POST /key/slug/fail?create=1&rid={} HTTP/1.1", run_id("r1")));
}

#[test]
fn the_end_of_a_long_body_arrives() {
    let server = serve(|_, _| ok());
    delivered(&ping(&server).success("r1", &format!("{}end", "x".repeat(MOST_PING_BYTES))));
    let body = server.requests()[0].body.clone();
    assert_eq!((body.len(), body.ends_with(b"xend")), (100_000, true));
}

#[test]
fn a_check_that_is_not_there_is_refused_once() {
    let server = serve(|_, _| http("404 Not Found", "", &format!("no check {CHECK}")));
    let why = refused(ping(&server).success("r1", ""));
    assert!(why.ends_with("HTTP 404: no check ***") && why.starts_with(&server.url), "{why}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_ping_that_is_thrown_away_is_not_delivered_whatever_its_status() {
    let server = serve(|_, _| http("200 OK", "", "OK (not found)"));
    assert!(refused(ping(&server).start("r1")).ends_with("it knows no such check"));
    let server = serve(|_, _| http("200 OK", "", "OK (rate limited)"));
    assert!(later(ping(&server).start("r1")).contains("too many pings"));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_failure_that_passes_is_outlived() {
    let server = serve(|number, _| if number == 0 { http("500 Internal Server Error", "", "") } else { ok() });
    delivered(&ping(&server).success("r1", "done"));
    let requests = server.requests();
    assert_eq!((requests.len(), requests[1].line == requests[0].line, &requests[1].body), (2, true, &b"done".to_vec()));
}

#[test]
fn a_failure_that_stays_is_given_up_soon() {
    let server = serve(|_, _| http("500 Internal Server Error", "", "no database"));
    let why = later(ping(&server).success("r1", ""));
    assert!(why.ends_with("HTTP 500: no database"), "{why}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_monitor_that_wants_a_long_pause_is_left_alone() {
    let server = serve(|_, _| http("429 Too Many Requests", "retry-after: 60\r\n", ""));
    let Outcome::Later { after, .. } = ping(&server).start("r1") else { panic!("429 is worth another attempt") };
    assert_eq!((after, server.requests().len()), (Some(Duration::from_mins(1)), 1));
}

#[test]
fn a_monitor_that_hangs_holds_no_run_up() {
    let limit = Duration::from_millis(1_500);
    let silent = serve(|_, _| vec![(Vec::new(), Duration::from_secs(30))]);
    let started = Instant::now();
    let why = later(ping_within(&silent, limit).success("r1", ""));
    assert!(why.ends_with("no answer within 1.5 s"), "{why}");
    let dripping = serve(|_, _| {
        let head = (b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), Duration::ZERO);
        std::iter::once(head).chain((0..400).map(|_| (b"x".to_vec(), Duration::from_millis(100)))).collect()
    });
    delivered(&ping_within(&dripping, limit).success("r1", ""));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_redirect_is_not_followed() {
    let target = serve(|_, _| ok());
    let location = format!("location: {}/elsewhere\r\n", target.url);
    let server = serve(move |_, _| http("307 Temporary Redirect", &location, ""));
    assert!(later(ping(&server).start("r1")).contains("HTTP 307"));
    assert_eq!(target.requests().len(), 0);
}

#[test]
fn nobody_at_home_is_no_refusal_and_shows_no_secret() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ping = Ping::new(&Secret::new(format!("http://{unused}/{CHECK}")), Network::default()).unwrap();
    let why = later(ping.start("r1"));
    assert!(why.contains(&unused.to_string()) && !why.contains(CHECK), "{why}");
    assert!(!format!("{ping:?}").contains(CHECK));
}

#[test]
fn neighbours_are_out_of_reach_unless_allowed() {
    let url = Secret::new(format!("http://169.254.169.254/{CHECK}"));
    let error = Ping::new(&url, Network::default()).unwrap_err().to_string();
    assert!(error.contains("link-local") && !error.contains(CHECK), "{error}");
    assert!(Ping::new(&url, Network { allow_link_local: true, ..Network::default() }).is_ok());
    assert!(Ping::new(&Secret::new(""), Network::default()).is_err());
}
