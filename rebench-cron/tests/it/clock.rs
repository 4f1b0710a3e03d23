//! The clock of the machine is set while the daemon runs (libfaketime).

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;

use crate::living::{Daemon, wait_for};
use crate::real::{Place, said, skip};

const JOBS: &str = "[rebench-cron.jobs.weekly]\nschedule = '0 3 * * 1'\ncommand = ['true']\n";

/// Where distributions put it.
const LIBRARIES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// A folder whose clock can be set.
struct Turned {
    place: Place,
    library: PathBuf,
}

impl Turned {
    fn set(&self, to: &str) {
        let to: Timestamp = to.parse().unwrap();
        let ahead = to.duration_since(Timestamp::now()).as_secs_f64();
        // In one step, since it is read at each look at the clock.
        shared::fsio::write_atomic(&self.place.path("clock"), format!("{ahead:+.3}\n").as_bytes()).unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.place.command(words);
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", self.place.path("clock"));
        command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command
    }

    /// Asks for a run, which shows that the daemon does its work.
    fn trigger(&self, key: &str) {
        let output = self.command(&["trigger", "weekly", "--key", key]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let done = format!("SELECT count(*) FROM slots WHERE key = '{key}' AND state = 'done'");
        wait_for("the run that was asked for", || self.place.rows(&done) == ["1"]);
    }

    /// The slots of the schedule, and how they came about.
    fn fired(&self) -> Vec<String> {
        let seconds =
            "SELECT substr(scheduled_at, 1, 19), reason, state FROM slots WHERE key = '' ORDER BY scheduled_at";
        self.place.rows(seconds)
    }

    fn fires(&self, slots: &[&str]) {
        wait_for(&format!("{slots:?}, not {:?}", self.fired()), || self.fired() == slots);
    }
}

/// How late the last slot of the schedule was claimed, and how long after its time its command was started.
const LATE: &str = "SELECT r.lateness_ms < 1000, r.started >= s.scheduled_at AND substr(r.started, 1, 17) = substr(s.scheduled_at, 1, 17)
    FROM runs r JOIN slots s ON s.id = r.slot WHERE s.reason = 'cron' ORDER BY r.id DESC LIMIT 1";

#[test]
fn a_clock_that_is_set_fires_at_the_right_second_and_nothing_twice() {
    let Some(library) = LIBRARIES.iter().map(Path::new).find(|path| path.exists()) else {
        return skip("a_clock_that_is_set", "libfaketime is not installed");
    };
    let home = Turned { place: Place::new(JOBS), library: library.to_owned() };
    home.set("2026-01-05T02:59:57Z");
    let daemon = Daemon::spawn(home.command(&["run", "--no-listen"]));
    daemon.says("next at 2026-01-05T03:00:00Z");
    let mut slots = vec!["2026-01-05T03:00:00 cron done"];
    home.fires(&slots);
    assert_eq!(home.place.rows(LATE), ["1 1"]);
    // An hour back: what others ask for is heard all the same, and the slot comes again and does not fire again.
    home.set("2026-01-05T02:00:00Z");
    home.trigger("back");
    home.set("2026-01-05T02:59:58Z");
    home.trigger("before");
    home.set("2026-01-05T03:00:05Z");
    home.trigger("after");
    home.fires(&slots);
    // A week on, to shortly before the slot.
    home.set("2026-01-12T02:59:58Z");
    slots.push("2026-01-12T03:00:00 cron done");
    home.fires(&slots);
    assert_eq!(home.place.rows(LATE), ["1 1"]);
    // Past the next one, as after a night in which the machine slept.
    home.set("2026-01-19T09:00:00Z");
    slots.push("2026-01-19T03:00:00 catchup done");
    home.fires(&slots);
    daemon.stop();
}
