//! One fleet from its start to its end, disturbed by a schedule that a seed draws.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::Place;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::broker::Broker;
use super::records::{LATENESS, PARTITIONS, Row, disordered, sorted, text};
use crate::alert_support::{Server, http, serve};
use crate::process::{Daemon, wait_for};

/// The lease of the test.
pub(super) const LEASE: Duration = Duration::from_secs(4);

/// The records are published in so many pieces.
const PIECES: usize = 20;

/// What happens before which piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blow {
    KillReplica,
    PauseReplica,
    KillBroker,
}

/// How much, and what happens when.
pub(super) struct Schedule {
    pub(super) n_series: u32,
    pub(super) n_steps: u32,
    pub(super) seed: u64,
    pub(super) blows: Vec<(usize, Blow)>,
}

impl Schedule {
    /// The one that is written down: a replica is killed at 25 %, another is paused for three leases at 40 %, the broker is killed at 60 %.
    pub(super) fn fixed(n_series: u32, n_steps: u32) -> Self {
        let blows = vec![
            (PIECES / 4, Blow::KillReplica),
            (PIECES * 2 / 5, Blow::PauseReplica),
            (PIECES * 3 / 5, Blow::KillBroker),
        ];
        Self { n_series, n_steps, seed: 1, blows }
    }

    /// One that a seed draws.
    pub(super) fn random(n_series: u32, n_steps: u32, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut kinds = [Blow::KillReplica, Blow::PauseReplica, Blow::KillBroker];
        kinds.shuffle(&mut random);
        let mut blows: Vec<(usize, Blow)> = kinds.map(|kind| (random.random_range(1..PIECES), kind)).into();
        blows.sort_by_key(|(piece, _)| *piece);
        Self { n_series, n_steps, seed, blows }
    }
}

/// What came of it.
pub(super) struct Outcome {
    /// The canonical state of the fleet, and of one process over the sorted records.
    pub(super) states: [String; 2],
    /// The dump with its counts.
    pub(super) dump: Value,
    /// The log.
    pub(super) log: Vec<Value>,
    /// Identifiers and bodies of what the webhook was told.
    pub(super) told: Vec<(String, Value)>,
    pub(super) sorted: Vec<Row>,
    /// How long what a killed replica owned was without an owner.
    pub(super) takeovers: Vec<Duration>,
}

struct Fleet<'a> {
    place: &'a Place,
    broker: Broker,
    hook: Server,
    replicas: Vec<Option<Daemon>>,
    paused: Option<(usize, Instant)>,
    publishing: Option<Child>,
}

/// Runs a fleet under a schedule.
pub(super) fn run(program: &Path, schedule: &Schedule) -> Outcome {
    let place = Place::new();
    let sorted = sorted(schedule.n_series, schedule.n_steps, schedule.seed);
    let pieces = disordered(&sorted, schedule.seed);
    shared::fsio::write_atomic(&place.path("sorted.jsonl"), text(&sorted).as_bytes()).unwrap();
    let broker = Broker::start(program, &place.path("broker"));
    let mut fleet = Fleet {
        broker,
        place: &place,
        hook: serve(|_, _| http("200 OK", "", "")),
        replicas: Vec::new(),
        paused: None,
        publishing: None,
    };
    fleet.replicas = (0..3).map(|number| Some(fleet.start(number))).collect();
    fleet.is_served();
    let mut takeovers = Vec::new();
    for (number, piece) in pieces.chunks(pieces.len().div_ceil(PIECES)).enumerate() {
        fleet.published();
        shared::fsio::write_atomic(&place.path("piece.jsonl"), text(piece).as_bytes()).unwrap();
        fleet.publish();
        for (_, blow) in schedule.blows.iter().filter(|(piece, _)| *piece == number) {
            takeovers.extend(fleet.strike(*blow));
        }
        fleet.wake(false);
    }
    fleet.published();
    fleet.wake(true);
    let dump = fleet.caught_up();
    let log: Vec<Value> =
        fleet.asks(&["fleet", "events"], false).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    fleet.all_told(&log);
    let of_fleet = fleet.asks(&["fleet", "dump", "--canonical"], true);
    let of_one = fleet.asks(&["fleet", "dump", "--canonical", "--records", "sorted.jsonl"], true);
    Outcome { states: [of_fleet, of_one], dump, log, told: fleet.told(), sorted, takeovers }
}

impl Fleet<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.place.command("drift-watch");
        command.args(words);
        command.args(["--nats-url", &self.broker.url(), "--nats-partitions", &PARTITIONS.to_string()]);
        command.args(["--nats-lease", &format!("{}s", LEASE.as_secs()), "--nats-settle", "1h"]);
        command.args(["--nats-lateness", &format!("{}h", LATENESS.as_hours())]);
        command
    }

    fn start(&self, number: usize) -> Daemon {
        let mut command =
            self.command(&["run", "--listen", "127.0.0.1:0", "--warm-up", "40h", "--snapshot-interval", "3s"]);
        command.args(["--state", &format!("state-{number}"), "--webhook", &self.hook.url]);
        Daemon::start(command)
    }

    /// What a command prints that must succeed.
    fn asks(&self, words: &[&str], watches: bool) -> String {
        let mut command = self.command(words);
        command.args(if watches { &["--warm-up", "40h"][..] } else { &[] });
        let said = e2e::said(&command.stdin(Stdio::null()).output());
        assert_eq!(said.status, 0, "{words:?}: {}", said.stderr);
        said.stdout
    }

    fn publish(&mut self) {
        let mut command = self.command(&["publish", "piece.jsonl"]);
        self.publishing = Some(command.stdout(Stdio::null()).spawn().unwrap());
    }

    /// Waits until the piece is with the broker. A producer that could not reach it tries again with all of the piece.
    fn published(&mut self) {
        while let Some(mut child) = self.publishing.take() {
            match child.wait().unwrap().code() {
                Some(0) => {}
                Some(3) => self.publish(),
                other => panic!("publish ended with {other:?}"),
            }
        }
    }

    fn strike(&mut self, blow: Blow) -> Option<Duration> {
        match blow {
            Blow::KillReplica => {
                let victim = self.some_awake(|_| true)?;
                let gone = self.replicas[victim].take()?;
                let name = name_of(&gone);
                let start = Instant::now();
                assert!(gone.killer().kill());
                // A broker that is gone has no say in how long it takes.
                wait_for("an owner of each partition", || self.owners().is_some_and(|owners| !owners.contains(&name)));
                return Some(start.elapsed());
            }
            Blow::PauseReplica => {
                if self.paused.is_none()
                    && let Some(victim) = self.some_awake(|_| true)
                {
                    self.replicas[victim].as_ref()?.signal("STOP");
                    self.paused = Some((victim, Instant::now()));
                }
            }
            Blow::KillBroker => {
                self.broker.kill();
                self.broker.again();
            }
        }
        None
    }

    /// The first replica that lives and is not paused, as long as another one is left.
    fn some_awake(&self, wants: impl Fn(usize) -> bool) -> Option<usize> {
        let is_awake = |number: &usize| {
            self.replicas[*number].is_some() && self.paused.is_none_or(|(paused, _)| paused != *number)
        };
        let awake: Vec<usize> = (0..self.replicas.len()).filter(is_awake).collect();
        (awake.len() > 1).then(|| awake.iter().copied().find(|number| wants(*number))).flatten()
    }

    /// Lets the paused replica go on after three leases; at the end, waits for that.
    fn wake(&mut self, at_the_end: bool) {
        let Some((number, since)) = self.paused else { return };
        if at_the_end {
            wait_for("three leases", || since.elapsed() >= 3 * LEASE);
        }
        if since.elapsed() >= 3 * LEASE {
            self.replicas[number].as_ref().unwrap().signal("CONT");
            self.paused = None;
        }
    }

    /// Names of those who own a partition, as a replica sees it, where each has one who reads it.
    fn owners(&mut self) -> Option<Vec<String>> {
        let awake = (0..self.replicas.len()).rev().find(|number| {
            self.replicas[*number].is_some() && self.paused.is_none_or(|(paused, _)| paused != *number)
        })?;
        let status = self.replicas[awake].as_mut()?.status()?;
        let feeds = status["feeds"].as_array()?;
        let all = feeds.len() as u64 == PARTITIONS && feeds.iter().all(|feed| feed["healthy"] == true);
        let owner = |feed: &Value| feed["reason"].as_str()?.rsplit(' ').next().map(str::to_owned);
        all.then(|| feeds.iter().filter_map(owner).collect())
    }

    fn is_served(&mut self) {
        wait_for("an owner of each partition", || self.owners().is_some());
    }

    /// Waits until the owners have applied all that the stream holds.
    fn caught_up(&mut self) -> Value {
        let dump: Value = serde_json::from_str(&self.asks(&["fleet", "dump"], true)).unwrap();
        let counts = dump["arrival"].as_object().unwrap();
        let wanted: u64 = counts.values().map(|count| count["records"].as_u64().unwrap()).sum();
        wait_for("all records to be applied", || {
            let number = self.replicas.iter().rposition(Option::is_some).unwrap();
            let status = self.replicas[number].as_mut().unwrap().status().unwrap_or_default();
            let feeds = status["feeds"].as_array().cloned().unwrap_or_default();
            let applied: u64 =
                feeds.iter().filter(|feed| feed["healthy"] == true).filter_map(|feed| feed["records"].as_u64()).sum();
            applied == wanted
        });
        dump
    }

    fn told(&self) -> Vec<(String, Value)> {
        let one = |request: crate::alert_support::Request| {
            (request.headers["webhook-id"].clone(), serde_json::from_slice(&request.body).unwrap())
        };
        self.hook.requests().into_iter().map(one).collect()
    }

    /// Waits until the webhook knows as much as the log says.
    fn all_told(&self, log: &[Value]) {
        let wanted = super::expected(log).len();
        wait_for(&format!("{wanted} messages to the webhook"), || {
            let mut ids: Vec<String> = self.told().into_iter().map(|(id, _)| id).collect();
            ids.sort();
            ids.dedup();
            ids.len() >= wanted
        });
    }
}

fn name_of(daemon: &Daemon) -> String {
    let said = daemon.said();
    let (_, rest) = said.split_once("replica ").unwrap();
    rest.split(',').next().unwrap().to_owned()
}
