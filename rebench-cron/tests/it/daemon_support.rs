//! A daemon in a folder of its own, on a clock that is turned by hand.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rebench_cron::daemon::{Daemon, Setup, Telling};
use rebench_cron::job::Job;
use rebench_cron::shared_lock::Hosts;
use rebench_cron::store::{HistoryRow, Host, SlotState, Store};
use rebench_cron::work::Shop;
use rebench_cron::work::clock::{Clock, Event, Waited};
use rebench_cron::work::state::State;
use shared::alert::{Alert, Transition};
use shared::config::Config;
use tempfile::TempDir;

/// Longer than any run of a test takes.
const LONG: Duration = Duration::from_mins(1);

/// A clock that stands while something runs, unless it rushes, and else goes to the next time that anybody waits for.
#[derive(Debug)]
pub(crate) struct Virtual {
    now: Mutex<Timestamp>,
    rushes: AtomicBool,
}

impl Virtual {
    pub(crate) fn set(&self, to: Timestamp) {
        *self.now.lock().unwrap() = to;
    }

    /// From now on it goes on although something runs.
    pub(crate) fn rush(&self) {
        self.rushes.store(true, Ordering::SeqCst);
    }
}

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn wait(&self, inbox: &Receiver<Event>, until: Timestamp, busy: bool) -> Waited<Event> {
        let patience = match (busy, self.rushes.load(Ordering::SeqCst)) {
            (true, false) => LONG,
            (true, true) => Duration::from_millis(20),
            (false, _) => Duration::ZERO,
        };
        match inbox.recv_timeout(patience) {
            Ok(event) => Waited::Came(event),
            Err(RecvTimeoutError::Timeout) => {
                let mut now = self.now.lock().unwrap();
                *now = (*now).max(until);
                Waited::Over
            }
            Err(RecvTimeoutError::Disconnected) => Waited::Alone,
        }
    }
}

/// What was told, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(pub(crate) Arc<Mutex<Vec<String>>>);

impl Telling for Told {
    fn tell(&self, transition: &Transition, _now: Timestamp) -> shared::Result<()> {
        self.0.lock().unwrap().push(format!("{} {}", transition.alert.name, transition.status.name()));
        Ok(())
    }

    fn show(&self, _firing: &[Alert]) {}

    fn judged(&self, _store: &Store, _job: &Job) -> shared::Result<()> {
        Ok(())
    }
}

/// A folder with a daemon.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<Virtual>,
    pub(crate) told: Told,
    pub(crate) most_runs: usize,
    /// What compares.
    program: PathBuf,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Home {
    /// A folder in which it is the first of January 2026.
    pub(crate) fn new() -> Self {
        let now = Mutex::new(at("2026-01-01T00:00:00Z"));
        let clock = Arc::new(Virtual { now, rushes: AtomicBool::new(false) });
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock,
            told: Told::default(),
            most_runs: 4,
            program: "bench-compare".into(),
        }
    }

    /// The same, with this program to compare.
    pub(crate) fn with_program(program: &Path) -> Self {
        Self { program: program.to_owned(), ..Self::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        shared::fsio::write_atomic(&self.path(name), text.as_bytes()).unwrap();
    }

    pub(crate) fn config(&self, text: &str) -> Config {
        Config::parse(&self.path("promotion.toml"), text).unwrap()
    }

    /// A daemon with these jobs; what it reads again is the file `promotion.toml`.
    pub(crate) fn daemon(&self, text: &str) -> Daemon {
        self.daemon_among(text, None)
    }

    /// The same, among other hosts.
    pub(crate) fn daemon_among(&self, text: &str, hosts: Option<Hosts>) -> Daemon {
        let file = self.path("promotion.toml");
        let setup = Setup {
            shop: Shop { hosts, ..self.shop() },
            config: self.config(text),
            reload: Box::new(move || Config::load(&file)),
            telling: Box::new(self.told.clone()),
            most_runs: self.most_runs,
            drain: LONG,
        };
        Daemon::new(setup).unwrap()
    }

    pub(crate) fn shop(&self) -> Shop {
        let state = State::open(&self.path("state")).unwrap();
        let store = Store::open(state.folder()).unwrap();
        let clock: Arc<dyn Clock> = self.clock.clone();
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned());
        Shop {
            store,
            state,
            bench_compare: self.program.clone(),
            host: Host { name: "here".to_owned(), boot_id },
            clock,
            hosts: None,
        }
    }

    /// Lives until then, on the clock of this folder.
    pub(crate) fn live(&self, daemon: &mut Daemon, until: &str) {
        daemon.live(Some(at(until)), &mut |_| {}).unwrap();
    }

    pub(crate) fn store(&self) -> Store {
        Store::read(&self.path("state")).unwrap()
    }

    /// Slots of a job, in words: `2026-01-05T03:00:00Z cron done holds`.
    pub(crate) fn history(&self, job: &str) -> Vec<String> {
        self.store().history(job, 10_000).unwrap().iter().map(word).collect()
    }

    pub(crate) fn told(&self) -> Vec<String> {
        self.told.0.lock().unwrap().clone()
    }

    /// The lines that runs appended to a file.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        lines(&self.path(name))
    }
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn word(row: &HistoryRow) -> String {
    let outcome = row.run.as_ref().and_then(|run| run.verdict.as_ref()).map(|(verdict, _)| verdict.outcome.name());
    let rest = match row.state {
        SlotState::Done => outcome.unwrap_or("without a verdict").to_owned(),
        _ => row.why.clone().unwrap_or_default(),
    };
    format!("{} {} {} {rest}", row.scheduled_at, row.reason.name(), row.state.name())
}
