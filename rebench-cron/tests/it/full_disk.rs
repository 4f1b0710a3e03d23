//! The state folder has no room, or must not be written.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::crash::every_tick_is_decided_once;
use crate::living::wait_for;
use crate::real::{Place, said};
use crate::store_faults::Mounted;

const JOBS: &str = "[rebench-cron.jobs.often]\nschedule = '@every 1s'\nmissed = 'all'\nmissed-most = 1000\nmissed-age = '1h'\n\
    overlap = 'queue'\nretries = 5\nretry-delay = '100ms'\ncommand = ['true']\n";

/// Takes all room there is.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 16, 1 << 10, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

#[test]
fn a_daemon_lives_through_a_full_disk_and_says_so() {
    let Some(disk) = Mounted::new("6m") else { return };
    let mut place = Place::new(JOBS);
    place.state = disk.path().to_owned();
    let mut daemon = place.daemon(&["--bench-compare", "/bin/true"]);
    let done = || place.rows("SELECT count(*) FROM slots WHERE state = 'done'")[0].parse::<u32>().unwrap();
    daemon.says("state in");
    wait_for("the first runs", || done() >= 2);
    daemon.get("/healthz").unwrap().is(200);
    let filler = place.state.join("filler");
    wait_for("the trouble", || {
        fill(&filler);
        daemon.get("/healthz").unwrap().status == 503
    });
    let answer = daemon.get("/healthz").unwrap().is(503).text;
    assert!(answer.contains("records cannot be written"), "{answer}");
    // It stays so for as long as there is no room.
    let before = done();
    for _ in 0..60 {
        std::thread::sleep(Duration::from_millis(50));
        daemon.get("/healthz").unwrap().is(503);
    }
    let metrics = daemon.get("/metrics").unwrap().text;
    assert!(metrics.contains("rebench_records_writable 0"), "{metrics}");
    fs::remove_file(&filler).unwrap();
    wait_for("health", || daemon.get("/healthz").unwrap().status == 200);
    wait_for("the runs after it", || done() >= before + 5);
    place.jobs(&format!("{JOBS}disabled = true\n"));
    daemon.signal("HUP");
    // What the full disk left open is found within a minute.
    wait_for("the end of all that is open", || {
        place.rows("SELECT count(*) FROM slots WHERE state = 'claimed'") == ["0"]
    });
    daemon.stop();
    every_tick_is_decided_once(&place, "often", 1);
    rebench_cron::store::Store::read(&place.state).unwrap().integrity().unwrap();
    let twice = "SELECT slot FROM verdicts GROUP BY slot HAVING count(*) > 1";
    assert_eq!(place.rows(twice), Vec::<String>::new());
}

#[test]
fn a_read_only_state_folder_is_refused_by_who_writes_and_read_by_who_reads() {
    let mut place = Place::new("[rebench-cron.jobs.weekly]\nschedule = '0 3 * * 1'\ncommand = ['true']\n");
    let output = place.output(&["once", "weekly"]);
    assert!(output.status.success(), "{}", said(&output));
    let Some(view) = Mounted::read_only(&place.state) else { return };
    place.state = view.path().to_owned();
    for words in [&["run", "--no-listen"][..], &["once", "weekly"]] {
        let output = place.output(words);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(3), "{words:?}: {text}");
        assert!(text.contains("help: "), "{words:?}: {text}");
    }
    for words in [&["status"][..], &["history", "weekly"]] {
        let output = place.output(words);
        assert_eq!(output.status.code(), Some(0), "{words:?}: {}", said(&output));
    }
}
