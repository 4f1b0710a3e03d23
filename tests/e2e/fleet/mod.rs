//! Replicas of drift-watch on a real broker: killed, paused, without it for a while; the answer is that of one process, nothing is lost, and each
//! transition of an alert has one identifier.

mod broker;
mod examples;
mod records;
mod round;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use e2e::Place;
use serde_json::Value;

use records::{PARTITIONS, partition};
use round::{LEASE, Outcome, Schedule, run};

fn asked(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

fn n_series() -> u32 {
    asked("FLEET_SERIES", 60)
}

fn n_steps() -> u32 {
    asked("FLEET_STEPS", 120)
}

#[test]
fn a_fleet_on_the_broker_of_debian_gives_the_answer_of_one_process() {
    if let Some(program) = broker::of_debian() {
        holds(&program, &Schedule::fixed(n_series(), n_steps()));
    }
}

#[test]
fn a_fleet_on_the_newest_broker_gives_the_answer_of_one_process() {
    if let Some(program) = broker::newest() {
        holds(&program, &Schedule::fixed(n_series(), n_steps()));
    }
}

#[test]
fn random_schedules_change_nothing_of_the_answer() {
    let (rounds, first) = (asked("FLEET_ROUNDS", 3), asked("FLEET_SEED", 1));
    let programs: Vec<_> = [broker::of_debian(), broker::newest()].into_iter().flatten().collect();
    for seed in first..first + rounds {
        if let Some(program) = programs.get(seed as usize % programs.len().max(1)) {
            let schedule = Schedule::random(n_series() / 2, n_steps(), seed.into());
            eprintln!("seed {seed}: {:?}", schedule.blows);
            holds(program, &schedule);
        }
    }
}

fn holds(program: &Path, schedule: &Schedule) {
    let outcome = run(program, schedule);
    let n = outcome.sorted.len() as u64;
    nothing_is_lost(&outcome.dump, n);
    assert!(outcome.states[0] == outcome.states[1], "the state of the fleet is not that of one process");
    one_partition_is_as_a_replay_has_it(&outcome);
    each_event_is_there_once(&outcome);
    each_transition_is_told(&outcome);
    eprintln!(
        "{n} records; takeover after {:?}, a lease is {LEASE:?}; {} events, {} messages",
        outcome.takeovers,
        outcome.log.len(),
        outcome.told.len()
    );
    assert!(outcome.takeovers.iter().all(|takeover| *takeover < 2 * LEASE), "{:?}", outcome.takeovers);
}

fn nothing_is_lost(dump: &Value, n: u64) {
    let sum = |name: &str| {
        dump["arrival"].as_object().unwrap().values().map(|count| count[name].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((sum("records") - sum("repeats"), sum("late")), (n, 0));
    assert!(sum("repeats") > 0);
}

/// A replay of the partition's records in their order, by a program that knows nothing of fleets; the promise is shared by all partitions.
fn one_partition_is_as_a_replay_has_it(outcome: &Outcome) {
    let place = Place::new();
    let (mut predictions, mut actuals) = (String::new(), String::new());
    for row in outcome.sorted.iter().filter(|row| partition(&row.series) == 3) {
        let file = if row.line.contains("y_hat") { &mut predictions } else { &mut actuals };
        file.push_str(&(row.line.clone() + "\n"));
    }
    shared::fsio::write_atomic(&place.path("p.jsonl"), predictions.as_bytes()).unwrap();
    shared::fsio::write_atomic(&place.path("a.jsonl"), actuals.as_bytes()).unwrap();
    let promise = (5000 * PARTITIONS).to_string();
    let words = [
        "state",
        "dump",
        "--canonical",
        "--predictions",
        "p.jsonl",
        "--actuals",
        "a.jsonl",
        "--warm-up",
        "40h",
        "--promise",
        &promise,
    ];
    let said = place.run("drift-watch", &words);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let fleet: Value = serde_json::from_str(&outcome.states[0]).unwrap();
    assert_eq!(fleet["partitions"]["p03"], said.json());
}

/// Events are numbered without a gap and without a repeat; none is of an owner whose successor has spoken; they are those of the final state.
fn each_event_is_there_once(outcome: &Outcome) {
    let mut next: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for entry in &outcome.log {
        let partition = entry["partition"].to_string();
        let (count, epoch) = next.entry(partition.clone()).or_default();
        let its_epoch = entry["epoch"].as_u64().unwrap();
        assert!(its_epoch >= *epoch, "{entry}");
        *epoch = its_epoch;
        let Some(event) = entry["event"].as_object() else { continue };
        assert_eq!(event["number"].as_u64(), Some(*count), "{entry}");
        *count += 1;
        let (what, record) = event["what"].as_object().unwrap().iter().next().unwrap();
        if record["key"]["kind"] != "feed" {
            assert!(seen.insert((partition, record["id"].as_str().unwrap().to_owned(), what.clone())), "{entry}");
        }
    }
    assert_eq!(seen, of_states(&outcome.states[1]));
    assert!(!seen.is_empty());
}

fn of_states(dump: &str) -> BTreeSet<(String, String, String)> {
    let dump: Value = serde_json::from_str(dump).unwrap();
    let mut all = BTreeSet::new();
    for (word, state) in dump["partitions"].as_object().unwrap() {
        let partition = word.trim_start_matches('p').parse::<u64>().unwrap().to_string();
        for alert in state["alerts"].as_array().unwrap() {
            let id = alert["id"].as_str().unwrap().to_owned();
            if !alert["ended_at"].is_null() {
                all.insert((partition.clone(), id.clone(), "resolved".to_owned()));
            }
            all.insert((partition.clone(), id, "fired".to_owned()));
        }
    }
    all
}

/// What receivers are to be told: an alert of a model and metric begins with its first partition and ends with its last one.
fn expected(log: &[Value]) -> Vec<(String, bool)> {
    let mut members: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut all = Vec::new();
    for entry in log.iter().filter(|entry| entry["event"].is_object()) {
        let (what, record) = entry["event"]["what"].as_object().unwrap().iter().next().unwrap();
        let (key, partition) = (record["key"].to_string(), entry["partition"].to_string());
        let of = members.entry(key.clone()).or_default();
        let before = of.len();
        if what == "fired" {
            of.insert(partition)
        } else {
            of.remove(&partition)
        };
        if (before == 0) != of.is_empty() {
            all.push((key, what == "fired"));
        }
    }
    all
}

/// Repeats have the identifier of what they repeat; without them, each transition is there once.
fn each_transition_is_told(outcome: &Outcome) {
    let told: BTreeMap<&String, &Value> = outcome.told.iter().map(|(id, body)| (id, body)).collect();
    let mut told: Vec<(String, bool)> = told.into_values().map(transition).collect();
    let subject = |(key, fired): (String, bool)| {
        let key: Value = serde_json::from_str(&key).unwrap();
        (key["subject"].as_str().unwrap().to_owned(), fired)
    };
    let mut expected: Vec<(String, bool)> = expected(&outcome.log).into_iter().map(subject).collect();
    told.sort();
    expected.sort();
    assert_eq!(told, expected);
    assert!(told.iter().any(|(_, fired)| *fired));
}

/// What a message is about, and whether it says that it began.
fn transition(body: &Value) -> (String, bool) {
    let labels = body["alert"]["labels"].as_object().unwrap();
    let subject = ["metric", "rule", "feed"].into_iter().find_map(|name| labels.get(name)?.as_str()).unwrap();
    (subject.to_owned(), body["status"] == "firing")
}
