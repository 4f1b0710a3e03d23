//! The plan over a virtual clock: no test waits for the time that it tests.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rebench_cron::job::{Job, jobs};
use rebench_cron::plan::{Action, Decision, ON_TIME, Plan, Queue, Ready, retry};
use rebench_cron::store::Reason;
use shared::config::Config;

fn job(keys: &str) -> Arc<Job> {
    named("weekly", keys)
}

fn named(name: &str, keys: &str) -> Arc<Job> {
    let text = format!("[rebench-cron.jobs.{name}]\ncommand = [\"true\"]\n{keys}\n");
    let config = Config::parse(Path::new("promotion.toml"), &text).unwrap();
    Arc::new(jobs(&config).unwrap().remove(0))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

const MONDAYS: &str = "schedule = '0 3 * * 1'";

/// What was decided, in words: `run 2026-01-05T03:00:00Z cron`, `skip 3 to 2026-01-05T03:00:00Z`.
fn words(decisions: &[Decision]) -> Vec<String> {
    let word = |decision: &Decision| match decision {
        Decision::Run { scheduled_at, reason, .. } => format!("run {scheduled_at} {}", reason.name()),
        Decision::Skip { scheduled_at, count, .. } => format!("skip {} to {scheduled_at}", count.number()),
    };
    decisions.iter().map(word).collect()
}

/// A plan of one job that is decided up to the first of January 2026, a Thursday.
fn plan(keys: &str) -> Plan {
    Plan::new([(job(keys), at("2026-01-01T00:00:00Z"))])
}

fn decided(keys: &str, now: &str) -> Vec<String> {
    words(&plan(keys).due(at(now)))
}

#[test]
fn each_slot_of_two_years_runs_once_and_on_time() {
    let mut plan = plan(MONDAYS);
    let mut runs = Vec::new();
    let end = at("2028-01-01T00:00:00Z");
    while let Some(wake) = plan.wake().filter(|wake| *wake < end) {
        runs.extend(words(&plan.due(wake)));
    }
    // Mondays from 5 January 2026 to 27 December 2027.
    assert_eq!(runs.len(), 104);
    assert_eq!(
        (runs[0].as_str(), runs[103].as_str()),
        ("run 2026-01-05T03:00:00Z cron", "run 2027-12-27T03:00:00Z cron")
    );
}

#[test]
fn one_missed_run_is_caught_up_if_it_is_young_enough() {
    // Three sevenths of a week are three days.
    assert_eq!(
        decided(MONDAYS, "2026-01-22T02:59:00Z"),
        ["skip 2 to 2026-01-12T03:00:00Z", "run 2026-01-19T03:00:00Z catchup"]
    );
    assert_eq!(decided(MONDAYS, "2026-01-22T03:01:00Z"), ["skip 3 to 2026-01-19T03:00:00Z"]);
    let skipping = format!("{MONDAYS}\nmissed = 'skip'");
    assert_eq!(decided(&skipping, "2026-01-19T03:06:00Z"), ["skip 3 to 2026-01-19T03:00:00Z"]);
    // What is due within five minutes is on time, whatever becomes of what was missed.
    assert_eq!(
        decided(&skipping, "2026-01-19T03:05:00Z"),
        ["skip 2 to 2026-01-12T03:00:00Z", "run 2026-01-19T03:00:00Z cron"]
    );
    let all = format!("{MONDAYS}\nmissed = 'all'\nmissed-most = 2\nmissed-age = '30d'");
    let expected =
        ["skip 1 to 2026-01-05T03:00:00Z", "run 2026-01-12T03:00:00Z catchup", "run 2026-01-19T03:00:00Z catchup"];
    assert_eq!(decided(&all, "2026-01-20T00:00:00Z"), expected);
    let old = format!("{MONDAYS}\nmissed = 'all'\nmissed-age = '9d'");
    assert_eq!(
        decided(&old, "2026-01-20T00:00:00Z")[..2],
        ["skip 1 to 2026-01-05T03:00:00Z", "run 2026-01-12T03:00:00Z catchup"]
    );
}

#[test]
fn ten_years_of_minutes_are_not_counted_one_by_one() {
    let started = std::time::Instant::now();
    let words = decided("schedule = '* * * * *'\nmissed = 'skip'", "2036-01-01T00:30:30Z");
    assert_eq!(words, ["skip 10000 to 2036-01-01T00:29:00Z", "run 2036-01-01T00:30:00Z cron"]);
    // Every ten seconds for ten years of 365.25 days on average, two of them of leap years.
    let words = decided("schedule = '@every 10s'\nmissed = 'skip'", "2036-01-01T00:20:00Z");
    assert_eq!(words[0], format!("skip {} to 2036-01-01T00:19:50Z", 3_652 * 8_640 + 119));
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
}

#[test]
fn a_clock_that_is_set_back_decides_nothing_anew() {
    let mut plan = plan(MONDAYS);
    assert_eq!(words(&plan.due(at("2026-01-05T03:00:00Z"))).len(), 1);
    for back in ["2026-01-05T02:59:00Z", "2026-01-05T03:00:01Z", "2025-12-29T03:00:00Z", "2026-01-11T00:00:00Z"] {
        assert!(plan.due(at(back)).is_empty(), "{back}");
    }
    assert_eq!(words(&plan.due(at("2026-01-12T03:00:00Z"))), ["run 2026-01-12T03:00:00Z cron"]);
}

#[test]
fn an_edit_never_fires_the_past_and_what_stays_the_same_forgets_nothing() {
    let mut plan = plan(MONDAYS);
    let now = at("2026-01-07T12:00:00Z");
    plan.replace(vec![job("schedule = '0 3 * * *'")], now);
    assert!(plan.due(now).is_empty());
    assert_eq!(plan.wake(), Some(at("2026-01-08T03:00:00Z")));
    // Another time limit is not another schedule: the slot of 8 January is still to be decided.
    plan.replace(vec![job("schedule = '0 3 * * *'\ntimeout = '1h'")], at("2026-01-08T03:01:00Z"));
    assert_eq!(words(&plan.due(at("2026-01-08T03:01:00Z"))), ["run 2026-01-08T03:00:00Z cron"]);
    plan.replace(vec![job("schedule = '0 3 * * *'\ndisabled = true")], at("2026-01-08T04:00:00Z"));
    assert_eq!(plan.wake(), None);
    plan.replace(vec![job("schedule = '0 3 * * *'")], at("2026-02-01T04:00:00Z"));
    assert_eq!(plan.wake(), Some(at("2026-02-02T03:00:00Z")));
    plan.replace(Vec::new(), at("2026-02-02T04:00:00Z"));
    assert!(plan.due(at("2027-01-01T00:00:00Z")).is_empty());
}

#[test]
fn jitter_moves_the_start_and_not_the_slot() {
    let mut plan = plan(&format!("{MONDAYS}\njitter = '1h'"));
    let wake = plan.wake().unwrap();
    let slot = at("2026-01-05T03:00:00Z");
    assert!(wake > slot && wake < slot + hours(1), "{wake}");
    assert!(plan.due(wake - SignedDuration::from_nanos(1)).is_empty());
    assert_eq!(words(&plan.due(wake)), ["run 2026-01-05T03:00:00Z cron"]);
    assert_eq!(plan.wake(), Some(wake + hours(7 * 24)));
}

#[test]
fn a_run_that_drift_asked_for_stands_for_the_next_one_that_is_near() {
    // A fifth of a week is 33.6 hours; 3 o'clock on Monday less that is 17:24 on Saturday.
    for (judged, expected) in [
        ("2026-01-03T17:24:00Z", vec!["skip 1 to 2026-01-05T03:00:00Z"]),
        ("2026-01-03T17:23:59Z", vec!["run 2026-01-05T03:00:00Z cron"]),
    ] {
        let mut plan = plan(MONDAYS);
        plan.drifted("weekly", at(judged));
        assert_eq!(words(&plan.due(at("2026-01-05T03:00:00Z"))), expected, "{judged}");
        assert_eq!(words(&plan.due(at("2026-01-12T03:00:00Z"))), ["run 2026-01-12T03:00:00Z cron"]);
    }
}

#[test]
fn what_failed_is_tried_again_before_the_next_slot() {
    let job = job(&format!("{MONDAYS}\nretries = 3\nretry-delay = '10m'"));
    let now = at("2026-01-05T03:30:00Z");
    let pauses: Vec<i64> =
        (1..=3).map(|attempt| (retry::at(&job, attempt, now).unwrap() - now).get_seconds()).collect();
    for (pause, minutes) in pauses.iter().zip([10, 20, 40]) {
        assert!((minutes * 60..=minutes * 72).contains(pause), "{pause}");
    }
    assert_eq!(retry::at(&job, 4, now), None);
    assert_eq!(retry::at(&job, 1, at("2026-01-12T02:50:00Z")), None);
}

fn ready(job: &Arc<Job>, hour: i64) -> Ready {
    let scheduled_at = Timestamp::from_second(hour * 3_600).unwrap();
    Ready { job: Arc::clone(job), scheduled_at, reason: Reason::Cron, key: String::new(), queued_at: scheduled_at }
}

/// What a second and a third run of the same job lead to while the first is on, and what starts when it ends.
fn overlapping(policy: &str) -> (Vec<String>, usize) {
    let job = job(&format!("{MONDAYS}\noverlap = '{policy}'"));
    let mut queue = Queue::new(8);
    let hour_of = |ready: &Ready| ready.scheduled_at.as_second() / 3_600;
    let word = |action: &Action| match action {
        Action::End(job) => format!("end {job}"),
        Action::Overlaps(ready) => format!("overlaps {}", hour_of(ready)),
    };
    assert!(queue.add(ready(&job, 1)).is_empty());
    assert_eq!(queue.start().len(), 1);
    let mut words = Vec::new();
    for hour in [2, 3] {
        words.extend(queue.add(ready(&job, hour)).iter().map(word));
        words.extend(queue.start().iter().map(|ready| format!("start {}", hour_of(ready))));
    }
    queue.ended("weekly");
    (words, queue.start().len())
}

#[test]
fn runs_of_a_job_overlap_only_where_it_allows_that() {
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(overlapping("forbid"), (owned(&["overlaps 2", "overlaps 3"]), 0));
    assert_eq!(overlapping("queue"), (owned(&["overlaps 3"]), 1));
    assert_eq!(overlapping("replace"), (owned(&["end weekly", "overlaps 2", "end weekly"]), 1));
    assert_eq!(overlapping("allow"), (owned(&["start 2", "start 3"]), 0));
}

#[test]
fn no_more_run_at_once_than_the_machine_is_to_take() {
    let all: Vec<Arc<Job>> = (0..10).map(|number| named(&format!("job{number}"), MONDAYS)).collect();
    let mut queue = Queue::new(3);
    assert!(all.iter().all(|job| queue.add(ready(job, 1)).is_empty()));
    let first = queue.start();
    assert_eq!((first.len(), queue.start().len(), queue.n_waiting()), (3, 0, 7));
    queue.ended(&first[1].job.name);
    assert_eq!(queue.start()[0].job.name, "job3");
    assert_eq!(queue.drain().len(), 6);
}

#[test]
fn a_thousand_jobs_that_are_due_at_once_are_decided_at_once() {
    let all: Vec<_> =
        (0..1_000).map(|number| (named(&format!("job{number}"), MONDAYS), at("2026-01-01T00:00:00Z"))).collect();
    // The best of five: other tests take the processor meanwhile.
    let took = (0..5).map(|_| decide_all(Plan::new(all.clone()))).min().unwrap();
    assert!(took.as_millis() < 20, "{took:?}");
}

fn decide_all(mut plan: Plan) -> std::time::Duration {
    let mut queue = Queue::new(4);
    let started = std::time::Instant::now();
    let decisions = plan.due(at("2026-01-05T03:00:00Z"));
    for decision in &decisions {
        let Decision::Run { job, .. } = decision else { panic!("{decision:?}") };
        queue.add(ready(job, 1));
    }
    let took = started.elapsed();
    assert_eq!((decisions.len(), queue.n_waiting()), (1_000, 1_000));
    took
}

proptest! {
    /// However the clock is read, no slot is decided twice, none is left out, and what runs as due is on time.
    #[test]
    fn every_slot_is_decided_once(steps in prop::collection::vec(-100_000_i64..2_000_000, 1..40), policy in 0..3_usize) {
        let keys = format!("schedule = '17 */5 * * *'\ntz = 'Europe/Berlin'\nmissed = '{}'", ["skip", "one", "all"][policy]);
        let job = job(&keys);
        let start = at("2026-03-01T00:00:00Z");
        let mut plan = Plan::new([(Arc::clone(&job), start)]);
        let (mut now, mut last, mut decided) = (start, start, 0);
        let mut newest = start;
        for step in steps {
            now += SignedDuration::from_secs(step);
            newest = newest.max(now);
            for decision in plan.due(now) {
                let (slot, count) = match &decision {
                    Decision::Run { scheduled_at, reason, .. } => {
                        let late = now.duration_since(*scheduled_at);
                        prop_assert_eq!(*reason == Reason::Cron, late <= SignedDuration::try_from(ON_TIME).unwrap());
                        (*scheduled_at, 1)
                    }
                    Decision::Skip { scheduled_at, count, .. } => (*scheduled_at, count.number()),
                };
                prop_assert!(slot > last && slot <= now, "{} {}", slot, last);
                last = slot;
                decided += count;
            }
        }
        let all = job.schedule.fires(start).take_while(|slot| *slot <= newest).count() as u64;
        prop_assert_eq!(decided, all);
    }
}
