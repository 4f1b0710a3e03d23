//! The daemon as the first process of a container: whoever runs detach from their parents are collected, and none outlives a timeout.

use std::fs;

use crate::living::{Daemon, wait_for};
use crate::process_support::{alive, unique};
use crate::real::{Place, skip};

/// Each run leaves an orphan that ends by itself, one that stays, and one that is deaf; the second job never ends by itself.
fn jobs(word: &str, keys: &str) -> String {
    let limits = "grace = '100ms'\nretries = 0\n";
    format!(
        r#"
[rebench-cron.jobs.leaves]
schedule = "@every 1s"
command = ["sh", "-c", "(setsid sh -c 'exit 1' &); (sh -c 'sleep 0.2; exit 2' &); (setsid sleep {word} &); echo x >> leaves"]
{limits}{keys}
[rebench-cron.jobs.late]
schedule = "@every 1s"
timeout = "300ms"
command = ["sh", "-c", "(setsid sh -c 'trap : TERM; while :; do sleep {word}; done' &); (setsid env -i sleep {word} &); echo x >> late; sleep {word}"]
{limits}{keys}
"#
    )
}

/// The children of a process, with their states: what has ended and was not collected is a `Z`.
fn children(pid: u32) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let parent = pid.to_string();
    stats
        .filter(|stat| stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&*parent))
        .collect()
}

#[test]
fn as_first_process_it_collects_what_is_detached_and_ends_what_is_late() {
    let (word, name) = (unique(), "as_first_process_it_collects");
    let place = Place::new(&jobs(&word, ""));
    let unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let words = ["run", "--no-listen", "--most-runs", "2", "--bench-compare", "/bin/true"];
    let daemon = Daemon::spawn(place.behind(&unshare, &words));
    wait_for("the daemon", || daemon.said().contains("state in") || !daemon.is_alive());
    if daemon.said().contains("unshare:") {
        return skip(name, &daemon.said());
    }
    let first = children(daemon.pid())[0].split(' ').next().unwrap().parse().unwrap();
    wait_for("runs", || place.lines("leaves").len() >= 4 && place.lines("late").len() >= 4);
    place.jobs(&jobs(&word, "disabled = true"));
    let signal = |name: &str| {
        let kill = std::process::Command::new("kill").args([name, &format!("{first}")]).status();
        assert!(kill.unwrap().success());
    };
    signal("-HUP");
    wait_for("the last runs", || place.rows("SELECT count(*) FROM slots WHERE state = 'claimed'") == ["0"]);
    assert_eq!(alive(&word), Vec::<String>::new());
    wait_for(&format!("all to be collected: {:?}", children(first)), || children(first).is_empty());
    let late = "SELECT DISTINCT r.exit_kind FROM runs r JOIN slots s ON s.id = r.slot WHERE s.job = 'late'";
    assert_eq!(place.rows(late), ["timed_out"]);
    signal("-TERM");
    assert_eq!(daemon.ended().code(), Some(0), "{}", daemon.said());
}
