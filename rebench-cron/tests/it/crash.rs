//! `kill -9` of the daemon at any moment, in every state of a run: each slot is decided once, nothing is left running, and each alert is told.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebench_cron::store::Store;
use rusqlite::Connection;

use crate::judge_gate::{data, verdict};
use crate::living::wait_for;
use crate::real::{Place, rows};

/// The states of a run on its way.
const STATES: [&str; 7] = ["claimed", "started", "exited", "archived", "compared", "recorded", "alerted"];

/// Jobs and their periods in seconds.
const JOBS: [(&str, i64); 4] = [("quick", 1), ("slow", 1), ("fails", 2), ("judged", 1)];

/// One does nothing, one leaves an orphan and is late for the next slot, one fails in every other slot, one is judged.
fn jobs(keys: &str) -> String {
    let missed = format!(
        "missed = 'all'\nmissed-most = 1000\nmissed-age = '1h'\ngrace = '100ms'\nretries = 1\nretry-delay = '100ms'\n{keys}"
    );
    let data = data("benchmark");
    let data = data.display();
    format!(
        r#"
[rebench-cron.jobs.quick]
schedule = "@every 1s"
command = ["true"]
{missed}
[rebench-cron.jobs.slow]
schedule = "@every 1s"
command = ["sh", "-c", "(setsid sleep 600 &); sleep 1.4"]
overlap = "queue"
{missed}
[rebench-cron.jobs.fails]
schedule = "@every 2s"
command = ["sh", "-c", 'sleep 0.05; test $(( $(date -d "$0" +%s) % 4 )) -eq 0', "{{scheduled_at}}"]
overlap = "queue"
{missed}
[rebench-cron.jobs.judged]
schedule = "@every 1s"
model = "lightgbm_v2"
command = ["sh", "-c", '''sleep 0.1; cp {data}/candidate/benchmark_results.json "$0"; cp {data}/baseline/benchmark_results.json "$0/baseline.json"''', "{{out_dir}}"]
overlap = "queue"
{missed}
[rebench-cron.jobs.judged.judge]
beside = "baseline.json"
baseline-model = "random_forest_v1"
"#
    )
}

/// A `bench-compare` that takes its time, and says that the model holds in every other second and is worse in the others.
const STAND_IN: &str = r#"
[ "$1" = --version ] && { echo "bench-compare 0.0.0"; exit; }
case "$*" in *T[0-9][0-9][0-9][0-9][0-9][02468]Z*) said=holds ;; *) said=worse ;; esac
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
sleep 0.1
cp "$said.json" "$out"
"#;

fn place() -> Place {
    let place = Place::new(&jobs(""));
    place.program("stand-in", STAND_IN);
    place.program("tell", "echo \"$1 $2\" >> \"$0.log\"");
    place.write("holds.json", &verdict(0.06));
    place.write("worse.json", &verdict(0.0));
    place
}

/// Kills of a run, and what was found at them.
#[derive(Debug, Default)]
struct Found {
    kills: u32,
    states: BTreeMap<String, u32>,
}

impl Found {
    fn missing(&self) -> Option<&'static str> {
        STATES.into_iter().find(|state| !self.states.contains_key(*state))
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn kills_in_every_state_double_no_slot_and_lose_none() {
    let (rounds, seed) = (number("CRASH_ROUNDS", 10), number("CRASH_SEED", 1));
    let (place, started) = (place(), Instant::now());
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut found = Found::default();
    // Long enough for verdicts and alerts of all kinds.
    kill_after(&place, Duration::from_secs(5), &mut found);
    while u64::from(found.kills) < rounds || found.missing().is_some() {
        assert!(u64::from(found.kills) < 5 * rounds + 50, "seed {seed}: some states are never found: {found:?}");
        let target = match found.missing() {
            Some(state) if dice.random_bool(0.7) => Some(state),
            _ if dice.random_bool(0.5) => Some(STATES[dice.random_range(0..STATES.len())]),
            _ => None,
        };
        kill_once(&place, target, &mut dice, &mut found);
    }
    let repeated = settle(&place);
    check(&place);
    let states: Vec<String> = STATES.iter().map(|state| format!("{state} {}", found.states[*state])).collect();
    let count = |sql: &str| place.rows(sql).concat();
    eprintln!(
        "{} kills of rebench-cron run, newest runs of the jobs then: {}; {} slots ({} done, {} failed, {} left out), {} attempts, {} \
         transitions of alerts told, {repeated} of them more than once; {:.0} s",
        found.kills,
        states.join(", "),
        count("SELECT count(*) FROM slots"),
        count("SELECT count(*) FROM slots WHERE state = 'done'"),
        count("SELECT count(*) FROM slots WHERE state = 'failed'"),
        count("SELECT count(*) FROM slots WHERE state = 'skipped'"),
        count("SELECT count(*) FROM runs"),
        count("SELECT count(*) FROM alerts"),
        started.elapsed().as_secs_f64()
    );
}

const FLAGS: [&str; 12] = [
    "--no-listen",
    "--most-runs",
    "3",
    "--bench-compare",
    "./stand-in",
    "--on-alert",
    "./tell",
    "--on-alert",
    "{id}",
    "--on-alert",
    "{status}",
    "--drain=10s",
];

/// Starts the daemon and kills it: as soon as a run is seen in this state, or after a while.
fn kill_once(place: &Place, target: Option<&str>, dice: &mut ChaCha8Rng, found: &mut Found) {
    let most = if dice.random_bool(0.5) { 1_500 } else { 150 };
    let moment = Duration::from_millis(dice.random_range(0..most));
    let Some(state) = target else { return kill_after(place, moment, found) };
    let mut daemon = start(place);
    std::thread::sleep(moment);
    let (records, begun) = (place.records(), Instant::now());
    // A state may be rare at the time.
    while !newest(&records).iter().any(|found| found == state) && begun.elapsed() < Duration::from_secs(3) {}
    kill(place, &mut daemon, found);
}

fn kill_after(place: &Place, moment: Duration, found: &mut Found) {
    let mut daemon = start(place);
    std::thread::sleep(moment);
    kill(place, &mut daemon, found);
}

fn start(place: &Place) -> Child {
    place.command(&["run"]).args(FLAGS).stderr(Stdio::null()).spawn().unwrap()
}

fn kill(place: &Place, daemon: &mut Child, found: &mut Found) {
    assert!(daemon.try_wait().unwrap().is_none(), "the daemon ended by itself");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    found.kills += 1;
    newest(&place.records()).into_iter().for_each(|state| *found.states.entry(state).or_default() += 1);
}

const NEWEST: &str = "SELECT r.state FROM runs r WHERE r.id IN
    (SELECT max(r.id) FROM runs r JOIN slots s ON s.id = r.slot GROUP BY s.job)";

/// The states of the newest runs of all jobs.
fn newest(records: &Connection) -> Vec<String> {
    rows(records, NEWEST).unwrap()
}

/// Lets a daemon finish what is left, and nothing else; says how many transitions were told more than once.
fn settle(place: &Place) -> usize {
    place.jobs(&jobs("disabled = true"));
    let mut command = place.command(&["run"]);
    command.args(FLAGS);
    let daemon = crate::living::Daemon::spawn(command);
    let open = "SELECT (SELECT count(*) FROM slots WHERE state = 'claimed') + (SELECT count(*) FROM runs WHERE state = 'recorded')
        + (SELECT count(*) FROM alerts WHERE told_at IS NULL)";
    wait_for("the end of all that is open", || {
        assert!(daemon.is_alive(), "{}", daemon.said());
        place.rows(open) == ["0"]
    });
    let recorded: BTreeSet<String> = place.rows("SELECT id, state FROM alerts").into_iter().collect();
    let told = || place.lines("tell.log");
    wait_for("the deliveries", || told().into_iter().collect::<BTreeSet<_>>().is_superset(&recorded));
    daemon.stop();
    let mut told = told();
    told.sort();
    let n_told = told.len();
    told.dedup();
    assert_eq!(told, recorded.into_iter().collect::<Vec<_>>(), "what was told is what is on record");
    n_told - told.len()
}

fn check(place: &Place) {
    Store::read(&place.state).unwrap().integrity().unwrap();
    let without = "SELECT s.id, s.job, s.state FROM slots s
        WHERE (s.state = 'done') <> ((SELECT count(*) FROM verdicts v WHERE v.slot = s.id) = 1)";
    assert_eq!(place.rows(without), Vec::<String>::new(), "slots without their verdict");
    assert_eq!(place.processes(), Vec::<String>::new(), "somebody still runs");
    for (job, period) in JOBS {
        every_tick_is_decided_once(place, job, period);
    }
    let kinds = place.rows("SELECT DISTINCT kind FROM alerts ORDER BY kind");
    assert!(["RebenchFailed", "RebenchRegressed"].iter().all(|kind| kinds.contains(&(*kind).to_owned())), "{kinds:?}");
}

/// From the first to the last slot on record, each is there once, by itself or among those that a skip stands for.
pub(crate) fn every_tick_is_decided_once(place: &Place, job: &str, period: i64) {
    let sql = format!(
        "SELECT CAST(strftime('%s', scheduled_at) AS INTEGER), coalesce(skipped_count, 1) FROM slots WHERE job = '{job}' ORDER BY 1"
    );
    let numbers = |line: String| line.split(' ').map(|word| word.parse().unwrap()).collect::<Vec<i64>>();
    let slots: Vec<Vec<i64>> = place.rows(&sql).into_iter().map(numbers).collect();
    for pair in slots.windows(2) {
        let (last, newest, count) = (pair[0][0], pair[1][0], pair[1][1]);
        assert_eq!(newest - last, count * period, "{job}: slots {last} and {newest}, which stands for {count}");
    }
    assert!(slots.len() > 1, "{job}: {slots:?}");
}
