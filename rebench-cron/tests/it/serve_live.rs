//! A daemon that lives through minutes by a clock of its own, and what its server says of it meanwhile.

use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rebench_cron::daemon::{Daemon, Setup, Telling};
use rebench_cron::serve::{Live, Source, metrics};
use rebench_cron::store::Store;
use rebench_cron::work::Shop;
use rebench_cron::work::clock::{Clock, Event, Waited};
use rebench_cron::work::state::State;
use serde_json::json;
use shared::Result;
use shared::alert::{Alert, Transition};
use shared::config::Config;

use crate::store_support::{host, monday};

/// A clock that goes on to whatever is waited for.
#[derive(Debug)]
struct ByHand(Mutex<Timestamp>);

impl Clock for ByHand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn wait(&self, inbox: &Receiver<Event>, until: Timestamp, busy: bool) -> Waited<Event> {
        if busy {
            return inbox.recv_timeout(Duration::from_secs(60)).map_or(Waited::Alone, Waited::Came);
        }
        let mut now = self.0.lock().unwrap();
        *now = until.max(*now);
        Waited::Over
    }
}

struct Nobody;

impl Telling for Nobody {
    fn tell(&self, _: &Transition, _: Timestamp) -> Result<()> {
        Ok(())
    }

    fn show(&self, _: &[Alert]) {}

    fn judged(&self, _store: &Store, _job: &rebench_cron::job::Job) -> Result<()> {
        Ok(())
    }
}

fn setup(folder: &Path, clock: Arc<ByHand>) -> Setup {
    let text = "[rebench-cron.jobs.walmart]\ncommand = [\"true\"]\nschedule = '0 3 * * 1'\ntz = 'UTC'\n";
    let config = Config::parse(&folder.join("promotion.toml"), text).unwrap();
    let shop = Shop {
        store: Store::open(folder).unwrap(),
        state: State::open(folder).unwrap(),
        bench_compare: "bench-compare".into(),
        host: host("here"),
        clock,
    };
    let again = config.clone();
    let reload = Box::new(move || Ok(again.clone()));
    Setup { shop, config, reload, telling: Box::new(Nobody), most_runs: 1, drain: Duration::from_secs(1) }
}

#[test]
fn a_slot_that_comes_is_seen_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let before = monday() - SignedDuration::from_secs(5);
    let clock = Arc::new(ByHand(Mutex::new(before)));
    let mut daemon = Daemon::new(setup(folder.path(), Arc::clone(&clock))).unwrap();
    let live = Live::new(folder.path(), clock, &daemon, Vec::new, || Ok(json!({}))).unwrap();
    let has = |line: &str| {
        let text = metrics::text(&live.snapshot());
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    };
    // 2026-01-05T03:00:00Z and the Monday after it.
    has("rebench_job_next_timestamp_seconds{job=\"walmart\"} 1767582000.0");
    has("rebench_queueing_seconds_count 0.0");
    has("rebench_job_overdue{job=\"walmart\"} 0.0");
    let end = monday() + SignedDuration::from_secs(5);
    daemon.live(Some(end), &mut |daemon| live.beat(daemon)).unwrap();
    has("rebench_job_next_timestamp_seconds{job=\"walmart\"} 1768186800.0");
    has("rebench_queueing_seconds_count 1.0");
    has("rebench_job_last_run_timestamp_seconds{job=\"walmart\"} 1767582000.0");
    has("rebench_job_overdue{job=\"walmart\"} 0.0");
    has("rebench_records_writable 1.0");
    assert_eq!(live.health(), Ok(()));
    assert_eq!(live.status().unwrap(), json!({}));
}
