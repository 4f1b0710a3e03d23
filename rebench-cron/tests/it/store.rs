//! Slots and runs as a daemon meets them: claimed once, from state to state, by one holder.

use std::path::Path;
use std::time::Duration;

use rebench_cron::process::Exit;
use rebench_cron::store::{
    AlertState, Claim, Claimed, Denied, Job, Outcome, Reason, RunState, SlotState, Store, Ticket, Verdict,
};
use serde_json::json;
use shared::Exit as Status;

use crate::store_support::{
    alert, archive, claim, claimed, compare, cron, drift, ending, exported, host, identity, job, metric, monday,
    records, table, verdict, week,
};

fn stale<T: std::fmt::Debug>(outcome: Result<T, Denied>) -> RunState {
    match outcome {
        Err(Denied::Stale(stale)) => stale.state,
        other => panic!("{other:?}"),
    }
}

fn states(store: &Store, name: &str) -> Vec<String> {
    table(store, name).iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn times_are_text_of_one_width_that_compares_as_they_do() {
    let (_folder, store) = records();
    let exact = "2026-01-05T04:00:00.000000001+01:00".parse().unwrap();
    claimed(&store, &cron(exact));
    assert_eq!(table(&store, "slots")[0]["scheduled_at"], "2026-01-05T03:00:00.000000001Z");
    assert_eq!(table(&store, "jobs")[0]["created"], "2026-01-05T03:00:00.000000000Z");
    assert_eq!(store.last_slot("walmart").unwrap(), Some(exact));
}

#[test]
fn an_edited_job_begins_anew_and_the_same_does_not() {
    let (_folder, store) = records();
    assert_eq!(store.define(&job("walmart"), week(1)).unwrap(), monday());
    let edited = Job { spec_hash: "2".to_owned(), ..job("walmart") };
    assert_eq!(store.define(&edited, week(2)).unwrap(), week(2));
    assert_eq!(store.define(&edited, week(3)).unwrap(), week(2));
    assert_eq!(store.define(&job("walmart"), week(4)).unwrap(), week(4), "what was before is an edit, too");
}

#[test]
fn a_slot_is_claimed_once_also_for_another_reason_of_the_schedule() {
    let (_folder, store) = records();
    let first = claim(&store, 0);
    let late = Claim { reason: Reason::Catchup, ..cron(monday()) };
    let again = store.claim_all(&[late, cron(monday()), cron(week(1))], week(1), &host("there")).unwrap();
    let [Claimed::Known(slot), Claimed::Known(_), Claimed::Ticket(second)] = &again[..] else { panic!("{again:?}") };
    assert_eq!(*slot, first.slot);
    assert!(second.fence > first.fence && second.token != first.token);
    assert_eq!((first.attempt, table(&store, "runs").len()), (1, 2));
}

#[test]
fn a_drift_key_counts_once_whenever_it_comes() {
    let (_folder, store) = records();
    let first = claimed(&store, &drift(monday(), "k"));
    let again = store.claim(&drift(week(5), "k"), week(5), &host("here")).unwrap();
    assert_eq!(again, Claimed::Known(first.slot));
    claimed(&store, &drift(monday(), "other"));
    assert_eq!(store.last_slot("walmart").unwrap(), None, "drift does not move the schedule");
    assert_eq!(store.count_of("walmart", Reason::Drift, monday()).unwrap(), 2);
    assert_eq!(store.count_of("walmart", Reason::Drift, monday() + Duration::from_nanos(1)).unwrap(), 0);
    assert_eq!(store.last_of("walmart", Reason::Drift).unwrap(), Some(monday()));
    assert_eq!(store.last_of("walmart", Reason::Cron).unwrap(), None);
}

#[test]
fn key_and_reason_must_agree_and_the_job_must_be_known() {
    let (_folder, store) = records();
    let wrong = [
        Claim { key: "k".to_owned(), ..cron(week(1)) },
        Claim { reason: Reason::Manual, ..cron(week(1)) },
        Claim { job: "nobody".to_owned(), ..cron(week(1)) },
    ];
    for claim in wrong {
        let error = store.claim_all(&[cron(monday()), claim], monday(), &host("here")).unwrap_err();
        assert_eq!(error.exit(), Status::Usage, "{error}");
    }
    assert!(table(&store, "slots").is_empty(), "all or nothing");
}

#[test]
fn an_open_slot_forbids_the_next_until_it_is_over() {
    let (_folder, store) = records();
    let alone = |number| Claim { forbid_overlap: true, ..cron(week(number)) };
    let both = store.claim_all(&[alone(0), alone(1)], monday(), &host("here")).unwrap();
    let [Claimed::Ticket(first), Claimed::Overlap(run)] = &both[..] else { panic!("{both:?}") };
    assert_eq!(*run, first.run);
    store.failed(first, "exit status 1", monday()).unwrap();
    let waits = store.claim(&alone(1), week(1), &host("here")).unwrap();
    assert_eq!(waits, Claimed::Overlap(first.run), "the slot waits for its next attempt");
    store.give_up(first, "no attempt left", &[], monday()).unwrap();
    claimed(&store, &alone(1));
}

#[test]
fn a_run_goes_through_its_states_and_everything_is_kept() {
    let (_folder, store) = records();
    let ticket = claim(&store, 0);
    assert_eq!(store.running("walmart").unwrap()[0].state, RunState::Claimed);
    compare(&store, &ticket, Path::new("runs/1"));
    let running = store.running("walmart").unwrap();
    assert_eq!(running[0].identity, Some(identity()));
    assert_eq!(running[0].ticket, ticket);
    let firing = alert("a", AlertState::Firing);
    store.recorded(&ticket, &verdict(Outcome::Regressed), std::slice::from_ref(&firing), week(0)).unwrap();
    assert!(store.running("walmart").unwrap().is_empty());
    assert_eq!(store.unfinished(Some("here")).unwrap()[0].state, RunState::Recorded);
    assert!(store.unfinished(Some("there")).unwrap().is_empty());
    store.alerted(&ticket, week(0)).unwrap();
    assert!(store.unfinished(None).unwrap().is_empty());

    let history = store.history("walmart", 10).unwrap();
    let run = history[0].run.as_ref().unwrap();
    assert_eq!((history.len(), history[0].state, run.state), (1, SlotState::Done, RunState::Alerted));
    assert_eq!(run.verdict, Some((verdict(Outcome::Regressed), week(0))));
    assert_eq!((run.data.clone(), run.env.clone()), (archive().data, archive().env));
    assert_eq!((run.exit_kind.as_deref(), run.exit_code, run.signal), (Some("exited"), Some(0), None));
    assert_eq!((run.lateness, run.folder.as_deref()), (Duration::from_millis(12), Some(Path::new("runs/1"))));
    assert_eq!(store.metrics_of(ticket.run).unwrap(), [metric("mae", "", 0.5, 70)]);
    let row = &table(&store, "runs")[0];
    assert_eq!(
        (&row["user_ms"], &row["system_ms"], &row["peak_rss_bytes"]),
        (&json!(1500), &json!(20), &json!(1_048_576))
    );
    let kinds: Vec<_> = table(&store, "events").iter().map(|row| row["kind"].as_str().unwrap().to_owned()).collect();
    let expected = ["defined", "claimed", "started", "exited", "archived", "compared", "recorded", "alerted"];
    assert_eq!(kinds, expected);
    store.integrity().unwrap();
}

type Step = fn(&Store, &Ticket) -> Result<(), Denied>;

const STEPS: [(&str, Step); 8] = [
    ("started", |store, ticket| store.started(ticket, &identity(), Path::new("runs/1"), monday())),
    ("exited", |store, ticket| store.exited(ticket, &ending(Exit::Exited(0)), Path::new("runs/1"))),
    ("archived", |store, ticket| store.archived(ticket, &archive(), monday())),
    ("compared", |store, ticket| store.compared(ticket, &[metric("mae", "", 0.5, 70)], monday())),
    ("recorded", |store, ticket| store.recorded(ticket, &verdict(Outcome::Holds), &[], monday())),
    ("alerted", |store, ticket| store.alerted(ticket, monday())),
    ("failed", |store, ticket| store.failed(ticket, "why", monday())),
    ("lost", |store, ticket| store.lost(ticket, monday())),
];

/// Which steps may follow the first `done` of the way, by hand from the description of the states.
fn may_follow(done: usize) -> &'static [&'static str] {
    match done {
        0 => &["started", "exited", "failed", "lost"],
        1 => &["exited", "failed", "lost"],
        2 => &["archived", "failed", "lost"],
        3 => &["compared", "failed", "lost"],
        4 => &["recorded", "failed", "lost"],
        5 => &["alerted"],
        _ => &[],
    }
}

#[test]
fn each_state_allows_its_own_steps_and_no_other_and_those_leave_no_trace() {
    for done in 0..=6 {
        for (name, step) in STEPS {
            let (_folder, store) = records();
            let ticket = claim(&store, 0);
            STEPS[..done].iter().for_each(|(_, step)| step(&store, &ticket).unwrap());
            let before = exported(&store);
            if may_follow(done).contains(&name) {
                step(&store, &ticket).unwrap();
            } else {
                stale(step(&store, &ticket));
                assert_eq!(exported(&store), before);
            }
        }
    }
}

#[test]
fn who_was_taken_over_records_nothing_more() {
    for done in 0..=5 {
        let (_folder, store) = records();
        let old = claim(&store, 0);
        STEPS[..done].iter().for_each(|(_, step)| step(&store, &old).unwrap());
        let new = store.take_over(old.run, &host("there"), week(1)).unwrap();
        assert!(new.fence > old.fence && new.run == old.run && new.token != old.token);
        for (_, step) in STEPS {
            stale(step(&store, &old));
        }
        assert_eq!(store.unfinished(Some("there")).unwrap()[0].ticket.fence, new.fence);
        STEPS[done..6].iter().for_each(|(_, step)| step(&store, &new).unwrap());
        assert_eq!(stale(store.take_over(old.run, &host("here"), week(2))), RunState::Alerted);
    }
}

#[test]
fn a_failed_attempt_is_retried_and_only_the_last_counts() {
    let (_folder, store) = records();
    let first = claim(&store, 0);
    assert_eq!(stale(store.retry(&first, &host("here"), monday())), RunState::Claimed, "it is still underway");
    store.exited(&first, &ending(Exit::NotStarted("no such file".to_owned())), Path::new("runs/1")).unwrap();
    store.failed(&first, "cannot be started", monday()).unwrap();
    assert_eq!(store.unfinished(None).unwrap()[0].state, RunState::Failed);
    let second = store.retry(&first, &host("here"), monday() + Duration::from_mins(1)).unwrap();
    assert_eq!((second.attempt, second.slot), (2, first.slot));
    assert!(second.fence > first.fence);
    stale(store.retry(&first, &host("here"), monday()));
    stale(store.give_up(&first, "late", &[], monday()));
    store.lost(&second, monday()).unwrap();
    let third = store.retry(&second, &host("here"), week(0)).unwrap();
    compare(&store, &third, Path::new("runs/3"));
    store.recorded(&third, &verdict(Outcome::Holds), &[], week(0)).unwrap();
    assert_eq!(states(&store, "runs"), ["failed", "lost", "recorded"]);
    let row = store.history("walmart", 1).unwrap().remove(0);
    assert_eq!(row.run.unwrap().run, third.run);
    assert_eq!(table(&store, "runs")[1]["lateness_ms"], 60_000);
    assert_eq!(table(&store, "runs")[0]["error"], "cannot be started");
}

#[test]
fn a_slot_that_is_given_up_is_failed_and_told() {
    let (_folder, store) = records();
    let ticket = claim(&store, 0);
    store.failed(&ticket, "killed by signal 9", monday()).unwrap();
    store.give_up(&ticket, "3 attempts failed", &[alert("a", AlertState::Firing)], week(0)).unwrap();
    stale(store.give_up(&ticket, "again", &[], week(0)));
    stale(store.retry(&ticket, &host("here"), week(0)));
    let row = store.history("walmart", 9).unwrap().remove(0);
    assert_eq!((row.state, row.why.as_deref()), (SlotState::Failed, Some("3 attempts failed")));
    assert_eq!(store.untold().unwrap()[0].run, Some(ticket.run));
    assert!(store.unfinished(None).unwrap().is_empty());
}

#[test]
fn a_verdict_on_a_comparison_needs_one_and_no_new_data_does_not() {
    let (_folder, store) = records();
    let ticket = claim(&store, 0);
    stale(store.recorded(&ticket, &verdict(Outcome::Invalid), &[], monday()));
    store
        .recorded(&ticket, &Verdict::plain(Outcome::NoNewData, "the data is that of last week", "0.1.0"), &[], monday())
        .unwrap();
    let other = claim(&store, 1);
    STEPS[..3].iter().for_each(|(_, step)| step(&store, &other).unwrap());
    stale(store.recorded(&other, &verdict(Outcome::Holds), &[], monday()));
    store.recorded(&other, &verdict(Outcome::Invalid), &[], monday()).unwrap();
    assert_eq!(states(&store, "slots"), ["done", "done"]);
}

#[test]
fn a_verdict_names_a_baseline_that_is_known() {
    let (_folder, store) = records();
    let ticket = claim(&store, 0);
    compare(&store, &ticket, Path::new("runs/1"));
    let stranger = Verdict { baseline_id: Some("b".to_owned()), ..verdict(Outcome::Holds) };
    let error = store.recorded(&ticket, &stranger, &[alert("a", AlertState::Firing)], monday()).unwrap_err();
    assert!(error.to_string().contains("a record does not fit"), "{error}");
    assert!(store.untold().unwrap().is_empty(), "verdict and alerts come together or not at all");
    assert_eq!(store.running("walmart").unwrap()[0].state, RunState::Compared);
}

#[test]
fn a_metric_that_is_no_number_is_refused_and_the_run_can_go_on() {
    let (_folder, store) = records();
    let ticket = claim(&store, 0);
    STEPS[..3].iter().for_each(|(_, step)| step(&store, &ticket).unwrap());
    for value in [f64::NAN, f64::INFINITY] {
        let error = store.compared(&ticket, &[metric("mae", "", value, 1)], monday()).unwrap_err();
        assert!(error.to_string().starts_with("mae of lightgbm on walmart is"), "{error}");
    }
    store.compared(&ticket, &[metric("mae", "", 1.0, 1)], monday()).unwrap();
}
