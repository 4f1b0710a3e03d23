//! Many jobs that are due in the same second, in a daemon on the clock of the machine: for a test and a benchmark.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rebench_cron::daemon::{Daemon, Setup, Telling};
use rebench_cron::job::Job;
use rebench_cron::store::{Host, Store};
use rebench_cron::work::Shop;
use rebench_cron::work::clock::{Event, Wall};
use rebench_cron::work::state::State;
use shared::alert::{Alert, Transition};
use shared::config::Config;

/// Seconds of each slot.
pub(crate) struct Times {
    /// From due to in the queue.
    pub(crate) queued: Vec<f64>,
    /// From the queue to the start of the command.
    pub(crate) started: Vec<f64>,
}

/// Tells nobody.
struct Nobody;

impl Telling for Nobody {
    fn tell(&self, _: &Transition, _: Timestamp) -> shared::Result<()> {
        Ok(())
    }

    fn show(&self, _: &[Alert]) {}

    fn judged(&self, _: &Store, _: &Job) -> shared::Result<()> {
        Ok(())
    }
}

/// So many jobs with this schedule.
pub(crate) fn jobs(count: usize, schedule: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let schedule = schedule(number);
        _ = writeln!(
            text,
            "[rebench-cron.jobs.job-{number}]\nschedule = '{schedule}'\ndialect = 'cron-seconds'\ncommand = ['true']"
        );
        text
    })
}

/// A daemon with jobs of this text, in this folder.
pub(crate) fn daemon(folder: &Path, text: &str, most_runs: usize) -> Daemon {
    let config = Config::parse(&folder.join("promotion.toml"), text).unwrap();
    let again = config.clone();
    let shop = Shop {
        hosts: None,
        store: Store::open(folder).unwrap(),
        state: State::open(folder).unwrap(),
        bench_compare: "/bin/true".into(),
        host: Host { name: "here".to_owned(), boot_id: None },
        clock: Arc::new(Wall),
    };
    let reload = Box::new(move || Ok(again.clone()));
    Daemon::new(Setup { shop, config, reload, telling: Box::new(Nobody), most_runs, drain: Duration::from_mins(1) })
        .unwrap()
}

/// Lets so many jobs become due in the same second.
pub(crate) fn times(count: usize, most_runs: usize) -> Times {
    let folder = tempfile::tempdir().unwrap();
    let ahead = 3 + i64::try_from(count).unwrap() / 200;
    let due = Timestamp::from_second(Timestamp::now().as_second() + ahead).unwrap();
    let text = jobs(count, |_| due.strftime("%-S %-M %-H %-d %-m *").to_string());
    let mut daemon = daemon(folder.path(), &text, most_runs);
    assert!(Timestamp::now() < due, "the daemon took too long to start");
    let (sender, mut queued, mut last) = (daemon.sender(), Vec::new(), Vec::new());
    let mut beat = |daemon: &Daemon| {
        let pulse = daemon.pulse();
        if pulse.queueing_seconds != last {
            last.clone_from(&pulse.queueing_seconds);
            queued.extend(&last);
        }
        if pulse.claimed >= count as u64 && pulse.running == 0 {
            _ = sender.send(Event::Stop);
        }
    };
    daemon.live(Some(due + SignedDuration::from_hours(1)), &mut beat).unwrap();
    assert_eq!(queued.len(), count);
    // All were queued in one turn, or nearly.
    let middle = percentile(&mut queued, 50);
    let mut started = started(folder.path(), due);
    started.iter_mut().for_each(|seconds| *seconds -= middle);
    Times { queued, started }
}

/// From due to the start of the command, in seconds.
fn started(folder: &Path, due: Timestamp) -> Vec<f64> {
    let records = rusqlite::Connection::open(folder.join("rebench.sqlite")).unwrap();
    let mut statement = records.prepare("SELECT started FROM runs").unwrap();
    let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    texts.map(|text| text.unwrap().parse::<Timestamp>().unwrap().duration_since(due).as_secs_f64()).collect()
}

/// The smallest value that at least so many of a hundred do not exceed.
pub(crate) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100).max(1) - 1]
}
