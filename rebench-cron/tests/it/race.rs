//! Two daemons on one state folder want the same slots.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::living::{Daemon, wait_for};
use crate::real::Place;

/// Jobs that are all due in the same second, each once.
fn jobs(count: usize, due: Timestamp) -> String {
    let schedule = due.strftime("%-S %-M %-H %-d %-m *");
    (0..count).fold(String::new(), |mut text, number| {
        _ = writeln!(
            text,
            "[rebench-cron.jobs.job-{number}]\nschedule = '{schedule}'\ndialect = 'cron-seconds'\n\
             command = ['sh', '-c', 'echo \"$0\" >> runs', '{{job}}']"
        );
        text
    })
}

fn asked() -> usize {
    std::env::var("RACE_SLOTS").map_or(100, |text| text.parse().unwrap())
}

#[test]
fn two_daemons_run_each_slot_once() {
    let count = asked();
    let due = Timestamp::now() + SignedDuration::from_secs(5 + i64::try_from(count / 150).unwrap());
    let place = Place::new(&jobs(count, due));
    let start = || {
        let mut command = place.command(&["run", "--no-listen", "--most-runs", "8", "--bench-compare", "/bin/true"]);
        command.env("TZ", "UTC");
        Daemon::spawn(command)
    };
    let daemons = [start(), start()];
    daemons.iter().for_each(|daemon| daemon.says("state in"));
    assert!(Timestamp::now() < due, "the daemons took too long to start");
    let started = Instant::now();
    for share in 1..=10 {
        wait_for("the runs", || place.lines("runs").len() >= count * share / 10);
    }
    wait_for("the records", || place.rows("SELECT count(*) FROM slots WHERE state = 'claimed'") == ["0"]);
    let seconds = started.elapsed().as_secs_f64();
    let pids = daemons.iter().map(Daemon::pid).collect::<Vec<_>>();
    daemons.into_iter().for_each(Daemon::stop);
    let (runs, names) =
        (place.lines("runs"), (0..count).map(|number| format!("job-{number}")).collect::<BTreeSet<_>>());
    assert_eq!(runs.len(), count, "a slot ran twice");
    assert_eq!(runs.into_iter().collect::<BTreeSet<_>>(), names);
    assert_eq!(
        place.rows("SELECT count(*), count(DISTINCT job) FROM slots WHERE state = 'done'"),
        [format!("{count} {count}")]
    );
    assert_eq!(place.rows("SELECT count(*) FROM runs"), [count.to_string()]);
    eprintln!("{count} slots of one second, two daemons {pids:?}: {count} runs, none twice; {seconds:.1} s");
}
