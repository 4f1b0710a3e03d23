//! What is asked of the records: skips, requests, alerts, history.

use std::path::Path;

use rebench_cron::process::Exit;
use rebench_cron::store::{AlertState, Archive, Claim, Data, NewRequest, Outcome, Reason, Requested, Skip, SlotState};
use serde_json::json;
use shared::Exit as Status;

use crate::store_support::{
    alert, archive, claim, claimed, compare, drift, ending, metric, monday, records, table, verdict, week, whole,
};

#[test]
fn skips_are_known_once_and_bound_what_is_missed() {
    let (_folder, store) = records();
    let skip = |number, why: &str, count| Skip {
        job: "walmart".to_owned(),
        scheduled_at: week(number),
        wall: "2026-01-05T03:00".to_owned(),
        tzdb: "2026a".to_owned(),
        reason: Reason::Cron,
        why: why.to_owned(),
        count,
    };
    claim(&store, 0);
    for _ in 0..2 {
        let alerts = [alert("missed", AlertState::Firing)];
        store.skipped(&[skip(0, "overlap", 1), skip(7, "missed", 7)], &alerts, week(8)).unwrap();
    }
    let history = store.history("walmart", 9).unwrap();
    assert_eq!(history.iter().map(|row| row.state).collect::<Vec<_>>(), [SlotState::Claimed, SlotState::Skipped]);
    assert_eq!((history[1].why.as_deref(), history[1].skipped_count), (Some("missed"), Some(7)));
    assert_eq!(store.last_slot("walmart").unwrap(), Some(week(7)));
    assert_eq!(store.untold().unwrap().len(), 1);
    assert_eq!(store.count_of("walmart", Reason::Cron, monday()).unwrap(), 1, "what was skipped was not run");
    let keyed = Skip { reason: Reason::Drift, ..skip(9, "cooldown", 1) };
    assert_eq!(store.skipped(&[keyed], &[], week(9)).unwrap_err().exit(), Status::Usage);
}

#[test]
fn a_request_waits_until_it_is_taken_or_refused_and_is_made_once() {
    let (_folder, store) = records();
    let new = |key: &str| NewRequest {
        job: "walmart".to_owned(),
        reason: Reason::Drift,
        key: key.to_owned(),
        evidence: json!({ "score": 3.5 }),
    };
    let Requested::New(first) = store.request(&new("a"), monday()).unwrap() else { panic!() };
    let Requested::New(second) = store.request(&new("b"), monday()).unwrap() else { panic!() };
    let Requested::Known(known) = store.request(&new("a"), week(1)).unwrap() else { panic!() };
    assert_eq!((known.id, known.requested_at, known.taken_slot), (first, monday(), None));
    assert_eq!(known.request, new("a"));
    assert_eq!(store.requests().unwrap().iter().map(|row| row.id).collect::<Vec<_>>(), [first, second]);

    let ticket = claimed(&store, &Claim { request: Some(first), ..drift(monday(), "a") });
    store.take_request(first, ticket.slot).unwrap();
    store.refuse_request(second, "cool-down", monday()).unwrap();
    assert!(store.requests().unwrap().is_empty());
    assert!(store.refuse_request(first, "late", monday()).is_err());
    assert!(store.take_request(second, ticket.slot).is_err());
    let Requested::Known(known) = store.request(&new("b"), week(1)).unwrap() else { panic!() };
    assert_eq!(known.refused_why.as_deref(), Some("cool-down"));
    for wrong in [NewRequest { reason: Reason::Cron, ..new("c") }, new("")] {
        assert_eq!(store.request(&wrong, monday()).unwrap_err().exit(), Status::Usage);
    }
}

#[test]
fn alerts_wait_until_they_are_told_and_fire_until_they_are_resolved() {
    let (_folder, store) = records();
    let ticket = claim(&store, 0);
    compare(&store, &ticket, Path::new("runs/1"));
    let firing = [alert("a", AlertState::Firing), alert("b", AlertState::Firing)];
    store.recorded(&ticket, &verdict(Outcome::Regressed), &firing, monday()).unwrap();
    store.alert(&[alert("a", AlertState::Firing), alert("a", AlertState::Resolved)], week(1)).unwrap();
    let untold = store.untold().unwrap();
    assert_eq!(untold.len(), 3, "each transition once");
    assert_eq!((&untold[0].alert, untold[0].run, untold[2].run), (&firing[0], Some(ticket.run), None));
    store.told(untold[0].number, week(1)).unwrap();
    store.told(untold[0].number, week(2)).unwrap();
    assert_eq!(store.untold().unwrap(), untold[1..]);
    assert_eq!(table(&store, "alerts")[0]["told_at"], "2026-01-12T03:00:00.000000000Z");
    let ids: Vec<String> = store.firing("walmart").unwrap().into_iter().map(|row| row.alert.id).collect();
    assert_eq!(ids, ["b"]);
}

#[test]
fn rows_before_are_those_of_the_last_valid_run() {
    let (_folder, store) = records();
    assert!(store.rows_before("walmart").unwrap().is_empty());
    assert_eq!(store.last_data("walmart").unwrap(), None);
    let judge = |number, metrics: &[_], data: &str, outcome| {
        let ticket = claim(&store, number);
        store.exited(&ticket, &ending(Exit::Exited(0)), Path::new("runs/1")).unwrap();
        let data = archive().data.map(|found| Data { hash: data.to_owned(), ..found });
        store.archived(&ticket, &Archive { data, ..Archive::default() }, monday()).unwrap();
        store.compared(&ticket, metrics, monday()).unwrap();
        store.recorded(&ticket, &verdict(outcome), &[], monday()).unwrap();
    };
    let rows = || store.rows_before("walmart").unwrap().into_values().collect::<Vec<_>>();
    judge(0, &[metric("mae", "1", 0.5, 30), metric("mae", "2", 0.5, 40)], "d0", Outcome::Holds);
    assert_eq!(rows(), [70], "the series together");
    judge(
        1,
        &[metric("mae", "", 0.5, 69), metric("mae", "1", 0.5, 30), metric("rmse", "", 0.5, 68)],
        "d1",
        Outcome::Holds,
    );
    assert_eq!(rows(), [69], "all together where that is known, and no metric twice");
    judge(2, &[metric("mae", "", 0.5, 1)], "d2", Outcome::Invalid);
    assert_eq!(rows(), [69]);
    assert_eq!(store.last_data("walmart").unwrap().unwrap().hash, "d1");
}

#[test]
fn history_ends_with_the_newest_slots() {
    let (_folder, store) = records();
    for number in [2, 0, 1] {
        whole(&store, number, Outcome::Holds);
    }
    let at = |limit| store.history("walmart", limit).unwrap().iter().map(|row| row.scheduled_at).collect::<Vec<_>>();
    assert_eq!(at(2), [week(1), week(2)]);
    assert_eq!(at(9), [week(0), week(1), week(2)]);
}

#[test]
fn events_can_only_be_appended() {
    let (folder, store) = records();
    store.note("reloaded", None, &json!({ "jobs": 3 }), week(1)).unwrap();
    let other = rusqlite::Connection::open(folder.path().join("rebench.sqlite")).unwrap();
    for change in ["DELETE FROM events", "UPDATE events SET kind = 'x'"] {
        assert!(other.execute(change, []).unwrap_err().to_string().contains("only appended"));
    }
    assert_eq!(table(&store, "events")[1]["detail"], json!({ "jobs": 3 }));
}
