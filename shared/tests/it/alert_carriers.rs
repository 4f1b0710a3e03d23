//! The threads that carry alerts, and the flags that set them up, against servers on loopback ports.
#![cfg(feature = "http")]
use std::path::Path;
use std::time::Duration;

use crate::alert_support::{alert, http, serve, wait_until};
use clap::{CommandFactory, Parser};
use jiff::Timestamp;
use serde_json::Value;
use shared::alert::{AlertArgs, Carriers, Receiver, Transition};
use shared::fsio;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    alerts: AlertArgs,
}

fn flags(words: &[&str]) -> AlertArgs {
    Cli::try_parse_from(std::iter::once("tool").chain(words.iter().copied())).unwrap().alerts
}

fn carriers(flags: &AlertArgs, queues: &Path) -> Carriers {
    Carriers::start(flags.receivers(&["model"]).unwrap(), flags.managers().unwrap(), queues, flags.resend)
}

fn transition(id: &str) -> Transition {
    Transition::new("rebench-cron", alert(id), Value::Null)
}

#[test]
fn flags_name_the_receivers_in_one_order() {
    Cli::command().debug_assert();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fsio::write_atomic(&path, b"https://hooks.example/T0/B0\n").unwrap();
    let file = path.to_str().unwrap();
    let words =
        ["--on-alert", "notify", "--on-alert", "{model}", "--pagerduty-key-file", file, "--slack-url-file", file];
    let flags = flags(&[&words[..], &["--webhook", "http://a.example", "--webhook", "http://b.example"]].concat());
    let receivers = flags.receivers(&["model"]).unwrap();
    let names: Vec<&str> = receivers.iter().map(Receiver::name).collect();
    assert_eq!(names, ["webhook-1", "webhook-2", "slack-1", "pagerduty-1", "command"]);
    assert_eq!((flags.managers().unwrap().len(), flags.resend), (0, Duration::from_mins(1)));
    assert!(flags.receivers(&["series"]).unwrap_err().to_string().contains("model"));
    assert!(flags.program("rebench", &[], &[]).unwrap().is_none());
}

#[test]
fn a_receiver_that_is_down_holds_up_no_other() {
    let (up, down) = (serve(|_, _| http("200 OK", "", "")), serve(|_, _| http("503 Service Unavailable", "", "")));
    let folder = tempfile::tempdir().unwrap();
    let carriers = carriers(&flags(&["--webhook", &up.url, "--webhook", &down.url]), folder.path());
    carriers.queue(&transition("a1"), Timestamp::UNIX_EPOCH, |_| true).unwrap();
    carriers.queue(&transition("a2"), Timestamp::UNIX_EPOCH, |name| name == "webhook-2").unwrap();
    wait_until("one has it and the other failed", || {
        let views: Vec<_> = carriers.health().collect();
        (views[0].delivered, views[1].healthy, views[1].waiting) == (1, false, 2)
    });
    assert!(
        carriers.is_done("webhook-1", "a1-firing").unwrap() && !carriers.is_done("webhook-2", "a1-firing").unwrap()
    );
    assert!(carriers.is_waiting("webhook-2", "a2-firing").unwrap());
    assert!(
        !carriers.is_waiting("webhook-1", "a2-firing").unwrap() && !carriers.is_done("absent", "a1-firing").unwrap()
    );
    assert_eq!(carriers.names().collect::<Vec<_>>(), ["webhook-1", "webhook-2"]);
    carriers.stop();
    assert_eq!(up.requests().len(), 1);
}

#[test]
fn what_waits_goes_out_in_the_next_life() {
    let down = serve(|_, _| http("503 Service Unavailable", "", ""));
    let folder = tempfile::tempdir().unwrap();
    let first = carriers(&flags(&["--webhook", &down.url]), folder.path());
    first.queue(&transition("a1"), Timestamp::UNIX_EPOCH, |_| true).unwrap();
    first.stop();
    let up = serve(|_, _| http("200 OK", "", ""));
    let second = carriers(&flags(&["--webhook", &up.url]), folder.path());
    wait_until("it has arrived", || second.is_done("webhook-1", "a1-firing").unwrap());
    second.queue(&transition("a1"), Timestamp::UNIX_EPOCH, |_| true).unwrap();
    second.stop();
    assert_eq!(up.requests().len(), 1);
}

#[test]
fn what_cannot_be_queued_is_said_at_once() {
    let up = serve(|_, _| http("200 OK", "", ""));
    let folder = tempfile::tempdir().unwrap();
    let queues = folder.path().join("queues");
    // A file where the folder of all queues would be.
    fsio::write_atomic(&queues, b"").unwrap();
    let carriers = carriers(&flags(&["--webhook", &up.url]), &queues);
    assert!(carriers.queue(&transition("a1"), Timestamp::UNIX_EPOCH, |_| true).is_err());
    carriers.say_at_once(&transition("a1"), Timestamp::UNIX_EPOCH, |_| true).unwrap();
    wait_until("it has arrived", || up.requests().len() == 1);
    carriers.stop();
}

#[test]
fn alertmanagers_are_shown_what_fires() {
    let manager = serve(|_, _| http("200 OK", "", ""));
    let folder = tempfile::tempdir().unwrap();
    let carriers = carriers(&flags(&["--alertmanager", &manager.url]), folder.path());
    assert!(carriers.has_managers());
    carriers.show(&[alert("a1")]);
    wait_until("it has arrived", || carriers.health().next().is_some_and(|view| view.delivered == 1));
    carriers.stop();
    let posted = manager.requests()[0].json();
    assert_eq!((posted.as_array().unwrap().len(), &posted[0]["labels"]["series"]), (1, &Value::from("a1")));
}
