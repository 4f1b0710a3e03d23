//! Transitions through the outbox of each receiver: in order, once, over failures and restarts.
#![cfg(feature = "http")]
use std::path::Path;
use std::time::Duration;

use crate::alert_support::{Server, alert, http, serve};
use jiff::Timestamp;
use serde_json::json;
use shared::alert::{Channel, Courier, Format, Network, Receiver, Transition, Webhook};
use shared::outbox::{Message, Put};
use shared::secret::Secret;

fn courier(name: &str, url: &str, queues: &Path) -> Courier {
    let webhook = Webhook::new(Some(&Secret::new(url)), Format::Generic, None, Network::default()).unwrap();
    Courier::new(Receiver::new(name, Channel::Webhook(webhook)).unwrap(), queues, 7)
}

fn put(courier: &Courier, id: &str, ended: bool) -> Put {
    let mut alert = alert(id);
    alert.ends_at = ended.then_some(Timestamp::MAX);
    let transition = Transition::new("drift-watch", alert, json!(null));
    let message = transition.message(courier.receiver().name(), Timestamp::UNIX_EPOCH).unwrap();
    courier.outbox().put(&message).unwrap()
}

fn keys(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.headers["webhook-id"].clone()).collect()
}

const NEVER: &dyn Fn() -> bool = &|| false;

#[test]
fn a_receiver_that_fails_gets_all_in_order_later() {
    let queues = tempfile::tempdir().unwrap();
    let server = serve(|number, _| match number {
        0 => http("500 Internal Server Error", "", ""),
        1 => http("429 Too Many Requests", "retry-after: 1800\r\n", ""),
        _ => http("200 OK", "", ""),
    });
    let mut courier = courier("ops", &server.url, queues.path());
    assert_eq!(
        (put(&courier, "a", false), put(&courier, "a", true), put(&courier, "b", false)),
        (Put::Queued, Put::Queued, Put::Queued)
    );
    assert_eq!(put(&courier, "a", false), Put::Known);
    let first = courier.round(NEVER).unwrap();
    assert_eq!((first.delivery.delivered.len(), first.delivery.waiting.len()), (0, 3));
    assert!(first.wait.unwrap() <= Duration::from_secs(1));
    assert!(first.delivery.waiting[0].last_error.as_ref().unwrap().contains("HTTP 500"));
    assert_eq!(courier.round(NEVER).unwrap().wait, Some(Duration::from_mins(30)), "as long as the receiver asks for");
    let third = courier.round(NEVER).unwrap();
    assert_eq!((third.delivery.delivered.len(), third.wait), (3, None));
    assert_eq!(keys(&server), ["a-firing", "a-firing", "a-firing", "a-resolved", "b-firing"]);
    assert_eq!((put(&courier, "a", true), courier.round(NEVER).unwrap().wait), (Put::Known, None));
}

#[test]
fn receivers_do_not_hold_each_other_up_and_a_restart_loses_nothing() {
    let queues = tempfile::tempdir().unwrap();
    let (dead, good) = (serve(|_, _| http("503 Busy", "", "")), serve(|_, _| http("200 OK", "", "")));
    let mut couriers = [courier("dead", &dead.url, queues.path()), courier("good", &good.url, queues.path())];
    couriers.iter().for_each(|courier| assert_eq!(put(courier, "a", false), Put::Queued));
    let waits: Vec<bool> = couriers.iter_mut().map(|courier| courier.round(NEVER).unwrap().wait.is_some()).collect();
    assert_eq!(waits, [true, false]);
    // The same folder under another address: the configuration was corrected, the tool started again.
    let mut mended = courier("dead", &good.url, queues.path());
    assert_eq!(mended.round(NEVER).unwrap().delivery.delivered.len(), 1);
    assert_eq!(keys(&good), ["a-firing", "a-firing"]);
}

#[test]
fn what_is_refused_holds_up_nothing() {
    let queues = tempfile::tempdir().unwrap();
    let server = serve(|number, _| http(if number == 0 { "400 Bad Request" } else { "200 OK" }, "", "bad"));
    let mut courier = courier("ops", &server.url, queues.path());
    put(&courier, "a", false);
    put(&courier, "b", false);
    courier.outbox().put(&Message::new("x", "ops", "alert", "2026-01-01T00:00:00Z", json!({"no": "alert"}))).unwrap();
    let round = courier.round(NEVER).unwrap();
    assert_eq!((round.delivery.refused.len(), round.delivery.delivered.len(), round.wait), (2, 1, None));
    assert_eq!(keys(&server), ["a-firing", "b-firing"]);
}

#[test]
fn a_stop_is_heeded_between_messages() {
    let queues = tempfile::tempdir().unwrap();
    let server = serve(|_, _| http("200 OK", "", ""));
    let mut courier = courier("ops", &server.url, queues.path());
    ["a", "b", "c"].iter().for_each(|id| _ = put(&courier, id, false));
    let round = courier.round(&|| server.requests().len() >= 2).unwrap();
    assert_eq!((round.delivery.delivered.len(), round.delivery.waiting.len()), (2, 1));
    assert_eq!(courier.outbox().pending().unwrap().0[0].attempts, 0, "stopping is no failure");
}
