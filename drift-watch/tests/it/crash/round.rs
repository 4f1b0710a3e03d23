//! One round: a stream is written and posted while the daemon is killed now and then, and what is left is compared with an undisturbed run.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use shared::format::live::Kind;

use super::files::{Growing, Rotation};
use super::hook::Hook;
use super::stream::{Batch, Dice, batches};
use crate::process::{Daemon, wait_for};
use crate::replayed::{Place, said};

/// What is watched in all rounds; feeds are never stale, as the wall clock is years ahead of the stream.
const WATCH: [&str; 10] = [
    "--warm-up",
    "20d",
    "--rule",
    "high: mape > 2x over 3 min 6 for 2 clear 1.5",
    "--detector",
    "adwin(delta=0.002) on mape h 1",
    "--predictions-stale",
    "never",
    "--actuals-stale",
    "never",
];

/// Days whose records go the same way.
const BLOCK: usize = 5;

/// When the daemon was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Append,
    Post,
    Rotation,
    Delivery,
    Start,
    Stop,
}

/// What happened.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    kills: BTreeMap<Moment, u64>,
    rounds: u64,
    starts: u64,
    pub(crate) rotations: u64,
    pub(crate) posts: u64,
    again: u64,
    kept_unanswered: u64,
    pub(crate) transitions: u64,
    deliveries: u64,
    read_twice: u64,
}

impl Figures {
    pub(crate) fn kills(&self) -> u64 {
        self.kills.values().sum()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (moment, n) in &other.kills {
            *self.kills.entry(*moment).or_default() += n;
        }
        self.rounds += other.rounds;
        self.starts += other.starts;
        self.rotations += other.rotations;
        self.posts += other.posts;
        self.again += other.again;
        self.kept_unanswered += other.kept_unanswered;
        self.transitions += other.transitions;
        self.deliveries += other.deliveries;
        self.read_twice += other.read_twice;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kills: Vec<String> =
            self.kills.iter().map(|(moment, n)| format!("{} {n}", format!("{moment:?}").to_lowercase())).collect();
        write!(
            f,
            "{} kills ({}) in {} rounds, {} starts, {} rotations, {} posts ({} sent again, {} of them durable before), {} alerts began or \
             ended, told in {} deliveries; {} rows of emptied files read twice",
            self.kills(),
            kills.join(", "),
            self.rounds,
            self.starts,
            self.rotations,
            self.posts,
            self.again,
            self.kept_unanswered,
            self.transitions,
            self.deliveries,
            self.read_twice
        )
    }
}

/// Lines as they were sent, for the undisturbed run.
#[derive(Default)]
struct Sent {
    predictions: String,
    actuals: String,
}

impl Sent {
    fn of(&mut self, kind: Kind) -> &mut String {
        match kind {
            Kind::Predictions => &mut self.predictions,
            Kind::Actuals => &mut self.actuals,
        }
    }
}

pub(crate) struct Round {
    seed: u64,
    dice: Dice,
    place: Place,
    predictions: Growing,
    actuals: Growing,
    hook: Hook,
    daemon: Daemon,
    timer: Option<(Moment, JoinHandle<bool>)>,
    most_kills: u64,
    /// How many of these may have happened by now.
    kills_by_now: u64,
    copies: bool,
    sent: Sent,
    /// Newest times of each kind in files, as long as the daemon may not have read them.
    unread: BTreeMap<Kind, String>,
    figures: Figures,
}

impl Round {
    pub(crate) fn new(seed: u64, most_kills: u64) -> Self {
        let place = Place::new();
        fs::create_dir(place.path("live")).unwrap();
        let hook = Hook::start(seed);
        let daemon = Daemon::spawn(command(&place, &hook));
        Self {
            seed,
            dice: Dice::new(seed.wrapping_mul(77)),
            predictions: Growing::new(place.path("live/predictions.jsonl")),
            actuals: Growing::new(place.path("live/actuals.jsonl")),
            hook,
            daemon,
            timer: None,
            most_kills,
            kills_by_now: 0,
            copies: seed.is_multiple_of(2),
            sent: Sent::default(),
            unread: BTreeMap::new(),
            figures: Figures { rounds: 1, starts: 1, ..Figures::default() },
            place,
        }
    }

    pub(crate) fn run(mut self) -> Figures {
        let (mut posted, mut last) = ((false, false), BTreeMap::new());
        let batches = batches(self.seed);
        for (number, batch) in batches.iter().enumerate() {
            self.kills_by_now = (self.most_kills * (number as u64 + 1)).div_ceil(batches.len() as u64);
            if number % (2 * BLOCK) == 0 {
                posted = self.ways();
            }
            let by_post = if batch.kind == Kind::Actuals { posted.0 } else { posted.1 };
            last.insert(batch.kind, batch.newest.clone());
            match by_post {
                true => self.post(batch),
                false => self.write(batch),
            }
        }
        self.finish(last)
    }

    /// Whether actuals and forecasts are posted. Actuals that are posted after forecasts in files wait for these each day, which takes long.
    fn ways(&mut self) -> (bool, bool) {
        match self.dice.below(12) {
            0..6 => (false, false),
            6..9 => (false, true),
            9..11 => (true, true),
            _ => (true, false),
        }
    }

    fn may_kill(&self) -> bool {
        let by_hook = self.hook.kills() - self.figures.kills.get(&Moment::Delivery).copied().unwrap_or_default();
        self.figures.kills() + by_hook + u64::from(self.timer.is_some()) < self.kills_by_now
    }

    /// Kills the daemon in a moment from now.
    fn kill_within(&mut self, moment: Moment, milliseconds: u32) {
        if self.timer.is_some() || !self.may_kill() || !self.daemon.is_alive() {
            return;
        }
        let (killer, wait) = (self.daemon.killer(), Duration::from_micros(self.dice.below(1000 * milliseconds).into()));
        let timer = std::thread::spawn(move || {
            std::thread::sleep(wait);
            killer.kill()
        });
        self.timer = Some((moment, timer));
    }

    /// Waits for a kill that is under way, and starts the daemon again if it is dead.
    fn revive(&mut self) {
        self.bury();
        if !self.daemon.is_alive() {
            self.start();
            if self.dice.one_in(3) {
                self.kill_within(Moment::Start, 150);
            }
        }
    }

    fn start(&mut self) {
        self.daemon = Daemon::spawn(command(&self.place, &self.hook));
        self.figures.starts += 1;
        // A plan to kill was for the daemon before.
        self.hook.kill_at_next(None);
    }

    /// Waits for a kill that is under way; a daemon that is dead for another reason fails the test.
    fn bury(&mut self) {
        if let Some((moment, timer)) = self.timer.take() {
            *self.figures.kills.entry(moment).or_default() += u64::from(timer.join().unwrap());
        }
        self.figures.kills.insert(Moment::Delivery, self.hook.kills());
        if !self.daemon.is_alive() {
            let status = self.daemon.ended();
            let signal = std::os::unix::process::ExitStatusExt::signal(&status);
            assert!(signal == Some(9) || status.success(), "seed {}: {status}: {}", self.seed, self.daemon.said());
        }
    }

    fn write(&mut self, batch: &Batch) {
        if self.dice.one_in(8) {
            self.kill_within(Moment::Append, 60);
        }
        if self.dice.one_in(2) && self.may_kill() {
            self.hook.kill_at_next(Some(self.daemon.killer()));
        }
        if batch.kind == Kind::Actuals {
            // No forecast comes after actuals that are newer: the undisturbed run would use it, and this one could not.
            self.predictions.end_line();
        }
        let mut text = batch.lines.concat();
        if self.dice.one_in(12) {
            text.push_str("{\"series\": broken\n");
        }
        let file = if batch.kind == Kind::Actuals { &mut self.actuals } else { &mut self.predictions };
        file.append(&text, &mut self.dice);
        self.sent.of(batch.kind).push_str(&text);
        self.unread.insert(batch.kind, batch.newest.clone());
        if self.dice.one_in(8) {
            self.rotate(batch.kind);
        }
        if self.dice.one_in(3) {
            self.revive();
        }
        let stops = self.dice.one_in(30) && self.may_kill() && self.timer.is_none();
        if stops && self.daemon.address().is_some() && self.daemon.signal("TERM") {
            self.kill_within(Moment::Stop, 20);
        }
    }

    fn rotate(&mut self, kind: Kind) {
        let rotation = if self.copies && self.dice.one_in(2) { Rotation::CopyTruncate } else { Rotation::Rename };
        let kill = (self.dice.one_in(2) && self.may_kill() && self.timer.is_none() && self.daemon.is_alive())
            .then(|| (self.dice.below(3), self.daemon.killer()));
        let file = if kind == Kind::Actuals { &mut self.actuals } else { &mut self.predictions };
        let mut kills = 0;
        file.rotate(rotation, |step| {
            if let Some((_, killer)) = kill.as_ref().filter(|(at, _)| *at == step) {
                kills += u64::from(killer.kill());
            }
        });
        self.figures.rotations += 1;
        *self.figures.kills.entry(Moment::Rotation).or_default() += kills;
    }

    /// Posts a batch until it is acknowledged, as a client does.
    fn post(&mut self, batch: &Batch) {
        let (path, body) = (path(batch.kind), batch.lines.concat());
        if batch.kind == Kind::Actuals {
            // What was written before must be known before: the order of sources is not that of the writes.
            self.catch_up();
        }
        self.revive();
        if self.dice.one_in(3) {
            // The answer comes after some 25 ms: the daemon waits for more before it writes.
            _ = self.daemon.address();
            self.kill_within(Moment::Post, 40);
        }
        self.figures.posts += 1;
        while let Err(why) = self.posted(path, &body) {
            self.figures.again += 1;
            wait_for(&format!("a reason for: {why}"), || !self.daemon.is_alive());
            self.bury();
            if self.is_durable(batch) {
                self.figures.kept_unanswered += 1;
                self.sent.of(batch.kind).push_str(&body);
            }
            // No kill is planned for this life, so that the post succeeds.
            self.start();
        }
        self.sent.of(batch.kind).push_str(&body);
    }

    fn posted(&mut self, path: &str, body: &str) -> Result<(), String> {
        let answer = self.daemon.post(path, body)?;
        match answer.status {
            200 => Ok(()),
            _ => Err(answer.text),
        }
    }

    /// Whether the state holds a batch; it holds all of it or nothing.
    fn is_durable(&self, batch: &Batch) -> bool {
        let state: Value = serde_json::from_str(&self.dump("state")).unwrap();
        let is_known = |line: &String| {
            let row: Value = serde_json::from_str(line).unwrap();
            let series = row["series"].as_str().unwrap();
            let (list, same) = match batch.kind {
                Kind::Actuals => (&state["actuals"][series], ["target_time", "observed_at"]),
                Kind::Predictions => (&state["models"][0]["forecasts"][series], ["target_time", "issued_at"]),
            };
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().any(|known| same.iter().all(|field| known[field] == row[field]))
        };
        let known = batch.lines.iter().filter(|line| is_known(line)).count();
        assert!(known == 0 || known == batch.lines.len(), "seed {}: {known} of {:?}", self.seed, batch.lines);
        known > 0
    }

    /// Waits until the daemon has read the files to their ends.
    fn catch_up(&mut self) {
        if self.unread.is_empty() {
            return;
        }
        self.actuals.end_line();
        self.predictions.end_line();
        let unread = std::mem::take(&mut self.unread);
        self.wait_for_times(&unread);
    }

    /// Waits until the daemon has seen records of these times.
    fn wait_for_times(&mut self, times: &BTreeMap<Kind, String>) {
        wait_for("the daemon to catch up", || {
            self.revive();
            self.daemon.status().is_some_and(|view| {
                let seen = |kind: &Kind| match kind {
                    Kind::Actuals => view["time"].clone(),
                    Kind::Predictions => view["models"][0]["last_issued"].clone(),
                };
                times.iter().all(|(kind, time)| seen(kind).as_str().is_some_and(|seen| seen >= time.as_str()))
            })
        });
    }

    fn finish(mut self, last: BTreeMap<Kind, String>) -> Figures {
        self.catch_up();
        self.kills_by_now = 0;
        self.hook.kill_at_next(None);
        self.revive();
        self.wait_for_times(&last);
        let (undisturbed, events) = self.undisturbed();
        let expected: Vec<(String, u64)> = events.iter().map(key).collect();
        wait_for(&format!("the deliveries of seed {}: {expected:?}", self.seed), || {
            self.revive();
            let told = self.hook.told();
            expected.iter().all(|(key, _)| told.contains_key(key))
        });
        if self.dice.one_in(2) {
            self.daemon.killer().kill();
        } else {
            assert!(self.daemon.signal("TERM"), "{}", self.daemon.said());
            assert!(self.daemon.ended().success(), "seed {}: {}", self.seed, self.daemon.said());
        }
        self.compare(&undisturbed);
        self.check_events(&expected);
        self.check_deliveries(&expected);
        self.figures.transitions = expected.len() as u64;
        self.figures
    }

    /// The state and the events of a daemon that reads the same records at once; `replay` makes the same state of them.
    fn undisturbed(&self) -> (String, Vec<Value>) {
        let (predictions, actuals) = ("predictions.jsonl", "actuals.jsonl");
        self.place.write(predictions, &self.sent.predictions).write(actuals, &self.sent.actuals);
        let files = ["--predictions", predictions, "--actuals", actuals];
        let run = ["run", "--no-listen", "--until-caught-up", "--state", "undisturbed"];
        said(&self.place.command().args(run).args(files).args(WATCH).output().unwrap()).is(0);
        let state = self.dump("undisturbed");
        let replayed = self.place.command().args(["state", "dump", "--canonical"]).args(files).args(WATCH).output();
        assert_eq!(said(&replayed.unwrap()).is(0).stdout, state, "seed {}: replay", self.seed);
        (state, lines(&self.place, "undisturbed/events.jsonl"))
    }

    fn dump(&self, folder: &str) -> String {
        let words = ["state", "dump", "--canonical", "--state", folder];
        said(&self.place.command().args(words).output().unwrap()).is(0).stdout
    }

    fn compare(&mut self, undisturbed: &str) {
        let state = self.dump("state");
        let faults = [self.faults("state"), self.faults("undisturbed")];
        let [state, undisturbed] = match self.copies {
            false => [state, undisturbed.to_owned()],
            true => self.without_counts(&state, undisturbed),
        };
        if state != undisturbed {
            let differs = state.lines().zip(undisturbed.lines()).enumerate().filter(|(_, (ours, right))| ours != right);
            let shown: Vec<_> = differs.take(20).collect();
            panic!("seed {}: the state is another one: {shown:#?}; {faults:#?}", self.seed);
        }
    }

    /// All counts of a state, those too that depend on the order of arrival, for whoever looks into a difference.
    fn faults(&self, folder: &str) -> Value {
        let words = ["state", "dump", "--state", folder];
        let state = said(&self.place.command().args(words).output().unwrap()).is(0).json();
        serde_json::json!([state["faults"], state["arrival"]["faults"]])
    }

    /// Both states without the counts that grow where a row is read twice; none of these is smaller than that of the undisturbed run.
    fn without_counts(&mut self, state: &str, undisturbed: &str) -> [String; 2] {
        let [mut state, mut undisturbed] =
            [state, undisturbed].map(|text| serde_json::from_str::<Value>(text).unwrap());
        let (faults, least) = (state["faults"].take(), undisturbed["faults"].take());
        for (name, n) in least.as_object().unwrap().iter().filter(|(name, _)| *name != "late") {
            let (found, n) = (faults[name].as_u64().unwrap_or_default(), n.as_u64().unwrap());
            assert!(found >= n, "seed {}: {name}: {faults} {least}", self.seed);
        }
        let twice = |name: &str| faults[name].as_u64().unwrap_or_default() - least[name].as_u64().unwrap_or_default();
        self.figures.read_twice += twice("duplicate_exact") + twice("pred_duplicate");
        [state, undisturbed].map(|state| serde_json::to_string_pretty(&state).unwrap())
    }

    /// The event log holds each transition once, and nothing else.
    fn check_events(&self, expected: &[(String, u64)]) {
        let mut events: Vec<(String, u64)> = lines(&self.place, "state/events.jsonl").iter().map(key).collect();
        let numbers: Vec<u64> = events.iter().map(|(_, number)| *number).collect();
        assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>(), "seed {}", self.seed);
        assert_eq!(events, expected, "seed {}", self.seed);
        events.sort();
        events.dedup_by(|a, b| a.0 == b.0);
        assert_eq!(events.len(), expected.len(), "seed {}: keys are distinct", self.seed);
    }

    /// Each transition was delivered, and a repeated one is the same.
    fn check_deliveries(&mut self, expected: &[(String, u64)]) {
        let told = self.hook.told();
        let mut keys: Vec<&String> = expected.iter().map(|(key, _)| key).collect();
        keys.sort();
        assert_eq!(told.keys().collect::<Vec<_>>(), keys, "seed {}", self.seed);
        for (key, bodies) in &told {
            assert!(bodies.iter().all(|body| *body == bodies[0]), "seed {}: {key} has two bodies", self.seed);
            let body: Value = serde_json::from_slice(&bodies[0]).unwrap();
            let (id, status) = (body["alert"]["id"].as_str().unwrap(), body["status"].as_str().unwrap());
            assert_eq!(*key, format!("{id}-{status}"));
            self.figures.deliveries += bodies.len() as u64;
        }
    }
}

fn command(place: &Place, hook: &Hook) -> Command {
    let mut command = place.command();
    command.args(["run", "--listen", "127.0.0.1:0", "--state", "state", "--webhook", hook.url()]);
    command.args(["--predictions", "live/predictions.jsonl*", "--actuals", "live/actuals.jsonl*"]);
    command.args(["--poll-interval", "100ms", "--snapshot-interval", "200ms"]).args(WATCH);
    command
}

fn path(kind: Kind) -> &'static str {
    match kind {
        Kind::Predictions => "/v1/predictions",
        Kind::Actuals => "/v1/actuals",
    }
}

fn lines(place: &Place, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(place.path(name)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The key under which receivers know a transition, and its number.
fn key(event: &Value) -> (String, u64) {
    let status = if event["event"] == "fired" { "firing" } else { "resolved" };
    (format!("{}-{status}", event["alert"]["id"].as_str().unwrap()), event["number"].as_u64().unwrap())
}
